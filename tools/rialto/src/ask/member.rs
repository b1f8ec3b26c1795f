//! Members: what is kept of a firm, its limits, users and accounts, and the shards of the member store.
//!
//! Who asks here has the venue's own files: the operator, who acts and looks under a name and a reason that are in the
//! stream before anything else happens.

use super::operate::firm_id;
use super::world::{LIVE_REPLAY_MAX, World};
use super::{Answer, OPERATE_LOOK, OPERATE_MAX};
use crate::exchange::store::{StoreDesk, from_the_first};
use anyhow::{Context as _, Result, anyhow, bail};
use rialto_matching::EngineState;
use rialto_matching::members::Gauge;
use rialto_members::{Audit, Firm, Operator, Scoped};
use rialto_model::command::{
    Act, DefineAccount, DefineFirm, DefineSession, SetBudgets, SetFeeTier, SetRiskLimits, SetService, SetShard, SetUser,
};
use rialto_model::{
    AccountId, Actor, Budgets, Command, Door, Event, FeeTier, FirmId, Mpid, Role, Service, SessionId, ShardId, Text,
    UserId,
};
use rialto_past::text;
use rialto_store::{Builder, Explained, plan};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long one waits for the store to stand where the stream does.
const STORE_MAX: Duration = Duration::from_secs(60);

/// Something about members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Member {
    /// What a firm holds.
    Positions {
        firm: String,
        account: Option<u32>,
        directory: Option<u32>,
        explain: bool,
    },
    /// Its orders.
    Orders {
        firm: String,
        account: Option<u32>,
        directory: Option<u32>,
        explain: bool,
        after: Option<u64>,
        most: usize,
    },
    /// Its fills.
    Fills {
        firm: String,
        account: Option<u32>,
        directory: Option<u32>,
        explain: bool,
        after: Option<u64>,
        most: usize,
    },
    /// The directory.
    Shards,
    /// How hot each account is.
    Heat,
    /// Moves a firm or an account.
    Move { firm: String, account: u32, shard: u16 },
    /// Moves whatever evens out the heat.
    Rebalance { shards: u16 },
    /// The limits that stand.
    Limits { firm: Option<String> },
    /// Changes a firm's or an account's limits; what is left out stays.
    Limit {
        firm: String,
        account: u32,
        changes: Map<String, Value>,
    },
    /// Changes a firm's budgets of messages; what is left out stays.
    Budget { firm: String, changes: Map<String, Value> },
    /// Gives a firm its fee tier.
    Tier { firm: String, maker: u16, taker: u16 },
    /// Chooses how a firm is served.
    Serve { firm: String, bridge: bool },
    /// Who and what there is: firms, accounts, users or sessions.
    List { kind: String },
    /// Defines a firm.
    AddFirm { id: u32, mpid: String, name: String },
    /// Defines an account.
    AddAccount { id: u32, firm: String },
    /// Defines or changes a user.
    AddUser {
        id: u32,
        firm: Option<String>,
        account: u32,
        role: String,
        name: String,
    },
    /// Defines a session.
    AddSession {
        id: u32,
        firm: String,
        account: u32,
        door: String,
        name: String,
    },
}

/// Who acts, and why.
pub(super) struct By {
    pub(super) actor: Actor,
    pub(super) why: Text,
}

impl By {
    /// From what was said; what was not is said to be.
    pub(super) fn new(who: &str, why: &str) -> Result<Self> {
        let who = if who.is_empty() { "operator" } else { who };
        let why = if why.is_empty() { "not said" } else { why };
        Ok(Self {
            actor: Actor::new(who)
                .with_context(|| format!("{who:?} is no name of who acts: use up to 16 characters without a space"))?,
            why: Text::new(why.as_bytes())
                .with_context(|| format!("{why:?} is too long a reason: use up to 39 bytes"))?,
        })
    }
}

/// Looks are written into the stream.
struct InTheStream<'a>(&'a World);

impl Audit for InTheStream<'_> {
    type Error = anyhow::Error;

    fn looked(&mut self, actor: Actor, firm: FirmId, why: Text) -> Result<()> {
        let look = Act {
            actor,
            subject: 0,
            digest: u64::from(firm.0),
            why,
        };
        self.0.sequence(&[look.into()]).map(|_| ())
    }
}

impl World {
    pub(super) fn member(&self, ask: &Member, by: &By) -> Result<Answer> {
        match ask {
            Member::Positions {
                firm,
                account,
                directory,
                explain,
            } => {
                let (desk, scope, notes) = self.look(firm, by)?;
                let (rows, explained) = desk.read().positions(&scope, account.map(AccountId), *directory)?;
                let lines = rows.iter().map(|(account, instrument, position)| {
                    json!({
                        "account": account.0,
                        "instrument": instrument.0,
                        "net": position.net(),
                        "bought": position.bought,
                        "sold": position.sold,
                        "paid": position.paid,
                        "fees": position.fees,
                    })
                });
                told(lines.collect(), &explained, *explain, None, notes)
            }
            Member::Orders {
                firm,
                account,
                directory,
                explain,
                after,
                most,
            } => {
                let (desk, scope, notes) = self.look(firm, by)?;
                let (page, explained) =
                    desk.read()
                        .orders(&scope, account.map(AccountId), *directory, *after, *most)?;
                told(values(&page.rows)?, &explained, *explain, page.next, notes)
            }
            Member::Fills {
                firm,
                account,
                directory,
                explain,
                after,
                most,
            } => {
                let (desk, scope, notes) = self.look(firm, by)?;
                let (page, explained) = desk
                    .read()
                    .fills(&scope, account.map(AccountId), *directory, *after, *most)?;
                told(values(&page.rows)?, &explained, *explain, page.next, notes)
            }
            Member::Shards => {
                let desk = self.desk()?;
                let store = desk.read();
                let version = store.directory().version();
                let places = store.directory().places();
                let lines = places.iter().map(|place| {
                    json!({"directory": version, "firm": place.firm, "account": place.account, "shard": place.shard})
                });
                Answer::of(&lines.collect::<Vec<_>>(), Vec::new())
            }
            Member::Heat => Answer::of(&self.desk()?.read().heat(), Vec::new()),
            Member::Move { firm, account, shard } => {
                let firm = firm_id(&self.state()?, firm)?;
                Answer::of(
                    &[self.carry(firm, AccountId(*account), ShardId(*shard), by)?],
                    Vec::new(),
                )
            }
            Member::Rebalance { shards } => {
                let moves = plan(&self.desk()?.read().heat(), *shards);
                let carried = moves
                    .iter()
                    .map(|one| self.carry(FirmId(one.firm), AccountId(one.account), ShardId(one.to), by));
                Answer::of(&carried.collect::<Result<Vec<_>>>()?, Vec::new())
            }
            Member::Limits { firm } => {
                let state = self.state()?;
                let firm = firm.as_deref().map(|name| firm_id(&state, name)).transpose()?;
                let gauges = state.members.gauges.iter();
                let shown = gauges.filter(|gauge| firm.is_none_or(|firm| gauge.firm == firm));
                let budgets = state.members.budgets.iter();
                let metered = budgets.filter(|(of, _)| firm.is_none_or(|firm| *of == firm));
                let lines = shown.map(gauge).chain(metered.map(budget));
                Answer::of(&lines.collect::<Vec<_>>(), Vec::new())
            }
            Member::List { kind } => self.list(kind),
            _ => {
                let command = change(ask, &self.state()?)?;
                self.act(command, by)
            }
        }
    }

    fn state(&self) -> Result<EngineState> {
        Ok(self.stream()?.at(None)?.past.state())
    }

    /// The store: the running exchange's, at the end of the stream, or one made of the files.
    fn desk(&self) -> Result<std::sync::Arc<StoreDesk>> {
        if let Some(live) = self.running() {
            let safe = live.frontier.released_up_to().1;
            if !live.store.reached(safe, STORE_MAX) {
                let problem = live.store.problem().unwrap_or_else(|| "it is behind".to_owned());
                bail!("the member store does not stand at command {safe}: {problem}");
            }
            return Ok(std::sync::Arc::clone(&live.store));
        }
        let desk = std::sync::Arc::new(StoreDesk::default());
        let mut visit = from_the_first(crate::replay::disk(self.folder())?, false)?;
        while let Some(command) = visit.read()? {
            desk.take(visit.past.apply(&command));
        }
        Ok(desk)
    }

    /// A firm's scope for the operator: the look is in the stream before the answer is, where there is a stream to write.
    fn look(&self, firm: &str, by: &By) -> Result<(std::sync::Arc<StoreDesk>, Scoped<Firm>, Vec<String>)> {
        let firm = firm_id(&self.state()?, firm)?;
        let operator = Operator::of_the_files(by.actor);
        if self.running().is_some() {
            let scope = operator.look(firm, by.why, &mut InTheStream(self))?;
            return Ok((self.desk()?, scope, Vec::new()));
        }
        struct AtRest;
        impl Audit for AtRest {
            type Error = std::convert::Infallible;
            fn looked(&mut self, _: Actor, _: FirmId, _: Text) -> Result<(), Self::Error> {
                Ok(())
            }
        }
        let Ok(scope) = operator.look(firm, by.why, &mut AtRest);
        let note = "no exchange runs on this folder, so this look is not in its stream".to_owned();
        Ok((self.desk()?, scope, vec![note]))
    }

    /// Builds a firm or account from the journal, flips the directory, and sees the store at the flip.
    fn carry(&self, firm: FirmId, account: AccountId, shard: ShardId, by: &By) -> Result<Value> {
        let live = self
            .running()
            .context("no exchange runs on this folder: start it first")?;
        let begun = Instant::now();
        let version = self.desk()?.read().directory().version() + 1;
        let flip = SetShard {
            version,
            firm,
            account,
            shard,
        };
        let mut builder = Builder::new((firm, account));
        let mut visit = from_the_first(crate::replay::disk(self.folder())?, true)?;
        if live.frontier.released_up_to().1.0 > LIVE_REPLAY_MAX {
            bail!("more than {LIVE_REPLAY_MAX} commands would have to be read while the exchange runs");
        }
        // Most of it before anybody waits.
        visit.reach(live.frontier.released_up_to().1, true);
        while let Some(command) = visit.read()? {
            visit
                .past
                .apply(&command)
                .iter()
                .for_each(|output| builder.take(output));
        }
        let (give, part) = mpsc::channel();
        live.store.expect(version, part)?;
        let said = self.announced(flip.into(), by).and_then(|()| {
            while begun.elapsed() < OPERATE_MAX {
                visit.reach(live.frontier.released_up_to().1, true);
                while let Some(command) = visit.read()? {
                    for output in visit.past.apply(&command) {
                        match &output.event.body {
                            Event::ShardSet(set) if set.version == version => {
                                let built = builder.seq();
                                give.send(builder.part())
                                    .map_err(|_| anyhow!("the member store has stopped"))?;
                                return Ok((output.event.seq, built));
                            }
                            Event::CommandRejected(e) if e.schema == SetShard::SCHEMA => bail!("{}", e.reason.text()),
                            _ => builder.take(output),
                        }
                    }
                }
                std::thread::sleep(OPERATE_LOOK);
            }
            bail!("the directory did not flip within {OPERATE_MAX:?}: look at `rialto status`")
        });
        let (seq, built) = match said {
            Ok(said) => said,
            Err(error) => {
                live.store.forget();
                return Err(error);
            }
        };
        if !live.store.reached(seq, STORE_MAX) {
            bail!("the member store does not come to command {seq}");
        }
        if let Some(problem) = live.store.problem() {
            bail!("{problem}");
        }
        Ok(json!({
            "firm": firm.0,
            "account": account.0,
            "shard": shard.0,
            "directory": version,
            "built_up_to": built.0,
            "flipped_at": seq.0,
            "ms": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        }))
    }

    fn list(&self, kind: &str) -> Result<Answer> {
        let state = self.state()?;
        let name = |text: &Text| String::from_utf8_lossy(text.as_bytes()).into_owned();
        let lines: Vec<Value> = match kind {
            "firms" => state
                .firms
                .iter()
                .map(|one| {
                    let firm = one.definition.firm;
                    let bridge = state.members.services.iter().any(|(of, _)| *of == firm);
                    let tier = state
                        .members
                        .tiers
                        .iter()
                        .find(|(of, _)| *of == firm)
                        .map_or(FeeTier::WHOLE, |(_, tier)| *tier);
                    let port = |door| {
                        let live = self.running();
                        live.and_then(|live| live.ports.of(firm, door)).map(|at| at.to_string())
                    };
                    json!({
                        "ouch": port("ouch"),
                        "fix": port("fix"),
                        "firm": firm.0,
                        "mpid": one.definition.mpid.to_string(),
                        "name": name(&one.definition.name),
                        "killed": one.killed,
                        "service": if bridge { "bridge" } else { "pool" },
                        "maker_percent": tier.maker_percent,
                        "taker_percent": tier.taker_percent,
                    })
                })
                .collect(),
            "accounts" => state
                .accounts
                .iter()
                .map(|one| json!({"account": one.account.0, "firm": one.firm.0}))
                .collect(),
            "users" => state
                .members
                .users
                .iter()
                .map(|one| {
                    json!({
                        "user": one.user.0,
                        "firm": one.firm.0,
                        "account": one.account.0,
                        "role": format!("{:?}", one.role),
                        "name": name(&one.name),
                    })
                })
                .collect(),
            _ => state
                .sessions
                .iter()
                .map(|one| {
                    json!({
                        "session": one.definition.session.0,
                        "firm": one.definition.firm.0,
                        "account": one.definition.account.0,
                        "door": format!("{:?}", one.definition.door),
                        "name": name(&one.definition.name),
                        "up": one.up,
                    })
                })
                .collect(),
        };
        Answer::of(&lines, Vec::new())
    }
}

/// The command that makes a change where the venue stands as it does.
fn change(ask: &Member, state: &EngineState) -> Result<Command> {
    let short = |name: &str| Text::new(name.as_bytes()).with_context(|| format!("{name:?} is longer than 39 bytes"));
    Ok(match ask {
        Member::Limit { firm, account, changes } => {
            let (firm, account) = (firm_id(state, firm)?, AccountId(*account));
            let standing = state
                .members
                .gauges
                .iter()
                .find(|one| (one.firm, one.account) == (firm, account));
            let standing = SetRiskLimits {
                firm,
                account,
                limits: standing.map(|one| one.limits).unwrap_or_default(),
            };
            let mut fields = text::fields(&standing.into());
            let limits = fields.get_mut("limits").and_then(Value::as_object_mut);
            limits.context("limits are an object")?.extend(changes.clone());
            text::parse(&json!({"command": "SetRiskLimits", "fields": fields}).to_string())?
        }
        Member::Budget { firm, changes } => {
            let firm = firm_id(state, firm)?;
            let standing = state.members.budgets.iter().find(|(of, _)| *of == firm);
            let standing = SetBudgets {
                firm,
                budgets: standing.map(|(_, budgets)| *budgets).unwrap_or_default(),
            };
            let mut fields = text::fields(&standing.into());
            let budgets = fields.get_mut("budgets").and_then(Value::as_object_mut);
            budgets.context("budgets are an object")?.extend(changes.clone());
            text::parse(&json!({"command": "SetBudgets", "fields": fields}).to_string())?
        }
        Member::Tier { firm, maker, taker } => SetFeeTier {
            firm: firm_id(state, firm)?,
            tier: FeeTier {
                maker_percent: *maker,
                taker_percent: *taker,
            },
        }
        .into(),
        Member::Serve { firm, bridge } => SetService {
            firm: firm_id(state, firm)?,
            service: if *bridge { Service::Bridge } else { Service::Pool },
        }
        .into(),
        Member::AddFirm { id, mpid, name } => DefineFirm {
            firm: FirmId(*id),
            mpid: Mpid::new(mpid).with_context(|| format!("{mpid:?} is no identifier: use up to four characters"))?,
            name: short(name)?,
        }
        .into(),
        Member::AddAccount { id, firm } => DefineAccount {
            account: AccountId(*id),
            firm: firm_id(state, firm)?,
        }
        .into(),
        Member::AddUser {
            id,
            firm,
            account,
            role,
            name,
        } => SetUser {
            user: UserId(*id),
            firm: firm.as_deref().map_or(Ok(FirmId(0)), |firm| firm_id(state, firm))?,
            account: AccountId(*account),
            role: match role.as_str() {
                "barred" => Role::Barred,
                "read-only" => Role::ReadOnly,
                "trader" => Role::Trader,
                "risk" => Role::Risk,
                "operator" => Role::Operator,
                other => bail!("no role is called {other:?}: use barred, read-only, trader, risk or operator"),
            },
            name: short(name)?,
        }
        .into(),
        Member::AddSession {
            id,
            firm,
            account,
            door,
            name,
        } => DefineSession {
            session: SessionId(*id),
            firm: firm_id(state, firm)?,
            account: AccountId(*account),
            door: match door.as_str() {
                "ouch" => Door::Ouch,
                "fix" => Door::Fix,
                other => bail!("no door is called {other:?}: use ouch or fix"),
            },
            name: short(name)?,
        }
        .into(),
        other => bail!("{other:?} changes nothing"),
    })
}

fn gauge(gauge: &Gauge) -> Value {
    let standing = SetRiskLimits {
        firm: gauge.firm,
        account: gauge.account,
        limits: gauge.limits,
    };
    let fields = text::fields(&standing.into());
    let positions = gauge
        .positions
        .iter()
        .map(|(instrument, position)| json!({"instrument": instrument.0, "position": position}));
    json!({
        "firm": gauge.firm.0,
        "account": gauge.account.0,
        "limits": fields.get("limits"),
        "paid_today": gauge.paid,
        "positions": positions.collect::<Vec<_>>(),
    })
}

fn budget((firm, budgets): &(FirmId, Budgets)) -> Value {
    let standing = SetBudgets {
        firm: *firm,
        budgets: *budgets,
    };
    let fields = text::fields(&standing.into());
    json!({"firm": firm.0, "account": 0, "budgets": fields.get("budgets")})
}

fn values(rows: &[impl Serialize]) -> Result<Vec<Value>> {
    Ok(rows.iter().map(serde_json::to_value).collect::<Result<_, _>>()?)
}

fn told(
    mut lines: Vec<Value>,
    explained: &Explained,
    explain: bool,
    next: Option<u64>,
    notes: Vec<String>,
) -> Result<Answer> {
    if let Some(next) = next {
        lines.push(json!({ "next": next }));
    }
    if explain {
        lines.push(json!({ "explain": explained }));
    }
    Answer::of(&lines, notes)
}
