//! What members ask and do over HTTP: keys, their rates, the member store, and their firms' sessions for orders.
//!
//! Keys are in `keys.toml` of the data folder, which nobody but its owner may read, and is read again at each question: a key
//! that was taken out opens nothing any more.

use super::following::{Followers, Following};
use super::trade::Trade;
use crate::ask::{Act, Member, REJECTED, Request, World};
use rialto_members::{Admitted, Firm, Keyring, Scoped};
use rialto_model::{AccountId, Actor, Role};
use rialto_store::{Explained, Page, Position, StoreError};
use rialto_web::{Answered, Deed, Executions, Kill, Limits, Presented, Question, Refusal};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The keys in a data folder.
pub(crate) const KEYS: &str = "keys.toml";
/// Questions of one key in a second, where nobody says another number; beyond it 429. Keys are as many as the file has.
pub(crate) const QUESTIONS_PER_SECOND: u32 = 20;
/// Seconds' worth of them that may come at once after a rest.
const BURST_SECONDS: f64 = 2.0;
/// How far a signature's time may lie from ours.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(30);

/// Answers.
pub(super) struct Counter {
    world: Arc<World>,
    keys: PathBuf,
    trade: Arc<Trade>,
    followers: Followers,
    /// Questions of one key in a second; zero: any number.
    rate: u32,
    /// What each key has left, and when that was so.
    left: Mutex<BTreeMap<String, (f64, Instant)>>,
}

impl Counter {
    pub(super) fn new(world: Arc<World>, keys: PathBuf, trade: Arc<Trade>, rate: u32) -> Self {
        Self {
            world,
            keys,
            trade,
            followers: Followers::default(),
            rate,
            left: Mutex::new(BTreeMap::new()),
        }
    }

    fn scope(&self, presented: &Presented) -> Result<(Actor, Scoped<Firm>), Refusal> {
        match self.admit(presented)? {
            Admitted::Member(actor, scope) => Ok((actor, scope)),
            Admitted::Operator(_) => Err(refusal(
                403,
                "an operator has no firm of its own",
                "look at a firm with `rialto member`, which the stream tells of",
            )),
        }
    }

    fn admit(&self, presented: &Presented) -> Result<Admitted, Refusal> {
        let keys = keyring(&self.keys)?;
        let (name, admitted) = match presented {
            Presented::Secret { name, secret } => (name, keys.admit(name, secret)),
            Presented::Signed {
                name,
                time_ms,
                signed,
                signature,
            } => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                if Duration::from_millis(*time_ms).abs_diff(now) > CLOCKS_APART_MAX {
                    return Err(refusal(
                        401,
                        "the signature's time is too far from now",
                        "set the clock, and sign anew",
                    ));
                }
                (name, keys.admit_signed(name, signed.as_bytes(), signature))
            }
        };
        match admitted {
            Some(admitted) => {
                self.count(name)?;
                Ok(admitted)
            }
            None => Err(refusal(
                401,
                "no such key, or another secret",
                "ask the venue for a key",
            )),
        }
    }

    /// The limits that stand of a firm, or of the account that the key is for.
    fn limits(&self, who: &Scoped<Firm>) -> Result<String, Refusal> {
        let request = Request::Member {
            about: Member::Limits {
                firm: Some(self.mpid(who)?),
            },
            who: String::new(),
            why: String::new(),
        };
        let mut answer = self.world.answer(&request).map_err(|error| unanswered(&error))?;
        if let Some(own) = who.account() {
            answer.lines.retain(|line| line["account"] == own.0);
        }
        Ok(serde_json::to_string(&answer).unwrap_or_default())
    }

    /// Changes them, in the key's name.
    fn limit(&self, actor: Actor, who: &Scoped<Firm>, limits: &Limits) -> Result<Answered, Refusal> {
        if who.role() != Role::Risk {
            return Err(refusal(
                403,
                "this key's role changes no limits",
                "use a key of the role risk",
            ));
        }
        let request = Request::Member {
            about: Member::Limit {
                firm: self.mpid(who)?,
                account: who.account().map_or(0, |account| account.0),
                changes: limits.limits.clone(),
            },
            who: actor.to_string(),
            why: limits.why.clone(),
        };
        self.act(&request, "correct the limits and send them again")
    }

    /// Switches the firm off, in the key's name. The stream does not say who switched a firm off, so that it is not for the firm to
    /// undo: it might be the venue's doing.
    fn kill(&self, actor: Actor, who: &Scoped<Firm>, kill: &Kill) -> Result<Answered, Refusal> {
        if who.role() != Role::Risk || who.account().is_some() {
            return Err(refusal(
                403,
                "this key switches no firm off",
                "use a key of the role risk that is for the whole firm",
            ));
        }
        let request = Request::Operate {
            act: Act::Kill {
                firm: self.mpid(who)?,
                killed: true,
            },
            who: actor.to_string(),
            why: kill.why.clone(),
        };
        self.act(&request, "ask the venue")
    }

    /// What came of an act of the firm's own.
    fn act(&self, request: &Request, mend: &str) -> Result<Answered, Refusal> {
        let answer = self.world.answer(request).map_err(|error| unanswered(&error))?;
        let mut events = answer
            .lines
            .iter()
            .filter_map(|line| line["events"].as_array())
            .flatten();
        if let Some(why) = events.find_map(|event| event.as_str()?.strip_prefix(REJECTED)) {
            return Err(refusal(422, why, mend));
        }
        Ok(Answered {
            body: serde_json::to_string(&answer).unwrap_or_default(),
            again: false,
        })
    }

    /// The name under which questions know the key's firm.
    fn mpid(&self, who: &Scoped<Firm>) -> Result<String, Refusal> {
        let visit = self.world.stream().and_then(|stream| Ok(stream.at(None)?));
        let state = visit.map_err(|error| unanswered(&error))?.past.state();
        let mut firms = state.firms.iter().map(|one| &one.definition);
        let own = firms.find(|one| one.firm == who.firm());
        own.map(|one| one.mpid.to_string())
            .ok_or_else(|| refusal(404, "the stream knows no firm of this key", "ask the venue for a key"))
    }

    /// A bucket that fills at the rate up to [`BURST_SECONDS`] of it.
    fn count(&self, name: &str) -> Result<(), Refusal> {
        if self.rate == 0 {
            return Ok(());
        }
        let (rate, burst) = (f64::from(self.rate), f64::from(self.rate) * BURST_SECONDS);
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (tokens, since) = left.entry(name.to_owned()).or_insert((burst, now));
        *tokens = (*tokens + now.duration_since(*since).as_secs_f64() * rate).min(burst);
        *since = now;
        if *tokens < 1.0 {
            return Err(refusal(
                429,
                "too many questions of this key",
                &format!("ask at most {} times a second", self.rate),
            ));
        }
        *tokens -= 1.0;
        Ok(())
    }
}

pub(super) fn keyring(path: &Path) -> Result<Keyring, Refusal> {
    let none = || refusal(401, "this exchange has given no keys", "ask the venue for a key");
    let metadata = std::fs::metadata(path).map_err(|_| none())?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(refusal(
            503,
            "the file of keys is open to others",
            "let the venue set its mode to 600",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|_| none())?;
    Keyring::parse(&text).map_err(|_| refusal(503, "the file of keys cannot be used", "let the venue mend it"))
}

impl rialto_web::Members for Counter {
    fn ask(&self, presented: &Presented, question: Question) -> Result<String, Refusal> {
        let (_, who) = self.scope(presented)?;
        if question == Question::Limits {
            return self.limits(&who);
        }
        let desk = self
            .world
            .kept()
            .ok_or_else(|| refusal(503, "no exchange runs here", "try again when it does"))?;
        let store = desk.read();
        let answer = match question {
            Question::Portfolio { after, most } => {
                let (page, explained) = store.portfolio(&who, after, most).map_err(refused)?;
                let held = page.rows.iter();
                let rows: Vec<_> = held
                    .map(|(instrument, position)| row(None, instrument.0, position))
                    .collect();
                told(&rows, page.next, &explained)
            }
            Question::Positions { account, after, most } => {
                let answer = store.positions_page(&who, account.map(AccountId), None, after, most);
                let (page, explained) = answer.map_err(refused)?;
                let held = page.rows.iter();
                let rows: Vec<_> = held
                    .map(|(account, instrument, position)| row(Some(account.0), instrument.0, position))
                    .collect();
                told(&rows, page.next, &explained)
            }
            Question::Orders { account, after, most } => {
                let answer = store.orders(&who, account.map(AccountId), None, after, most);
                paged(&answer.map_err(refused)?)
            }
            // Answered above: they are of the stream's state, not of the store.
            Question::Limits => Value::Null,
            Question::Executions { after, most } => {
                let told = store.executions(&who, after, most);
                let next = told.rows.last().map(|row| row.number).filter(|last| *last < told.last);
                json!({ "seq": store.seq().0, "rows": told.rows, "missed": told.missed, "last": told.last, "next": next })
            }
            Question::Fills { account, after, most } => {
                let answer = store.fills(&who, account.map(AccountId), None, after, most);
                paged(&answer.map_err(refused)?)
            }
        };
        Ok(answer.to_string())
    }

    fn trade(&self, presented: &Presented, deed: &Deed) -> Result<Answered, Refusal> {
        let (actor, who) = self.scope(presented)?;
        match deed {
            Deed::Limit(limits) => self.limit(actor, &who, limits),
            Deed::Kill(kill) => self.kill(actor, &who, kill),
            _ => self.trade.carry_out(actor, &who, deed),
        }
    }

    fn operator(&self, presented: &Presented) -> Result<String, Refusal> {
        match self.admit(presented)? {
            Admitted::Operator(operator) => Ok(operator.actor().to_string()),
            Admitted::Member(..) => Err(refusal(
                403,
                "this is for the venue's operators",
                "use a key of the role operator, or the key that the exchange printed when it opened",
            )),
        }
    }

    fn follow(&self, presented: &Presented, after: u64) -> Result<Box<dyn Executions>, Refusal> {
        let (actor, who) = self.scope(presented)?;
        let desk = self
            .world
            .kept()
            .ok_or_else(|| refusal(503, "no exchange runs here", "try again when it does"))?;
        let keys = self.keys.clone();
        Ok(Box::new(Following::new(
            &self.followers,
            desk,
            keys,
            actor,
            who,
            after,
        )?))
    }
}

fn row(account: Option<u32>, instrument: u16, position: &Position) -> Value {
    json!({
        "account": account,
        "instrument": instrument,
        "net": position.net(),
        "bought": position.bought,
        "sold": position.sold,
        "paid": position.paid,
        "fees": position.fees,
    })
}

fn paged<T: Serialize>((page, explained): &(Page<T>, Explained)) -> Value {
    told(&page.rows, page.next, explained)
}

fn told(rows: &[impl Serialize], next: Option<u64>, explained: &Explained) -> Value {
    json!({ "seq": explained.seq, "rows": rows, "next": next })
}

fn unanswered(error: &anyhow::Error) -> Refusal {
    refusal(422, &format!("{error:#}"), "ask for something that is there")
}

fn refused(error: StoreError) -> Refusal {
    Refusal {
        status: 404,
        detail: error.to_string(),
        mend: "ask for an account of the key's own".to_owned(),
    }
}

pub(super) fn refusal(status: u16, detail: &str, mend: &str) -> Refusal {
    Refusal {
        status,
        detail: detail.to_owned(),
        mend: mend.to_owned(),
    }
}
