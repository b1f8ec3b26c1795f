//! `rialto play`: a recorded day into a running exchange, in company.
//!
//! The day's orders come through the OUCH door as one session's; whoever else trades on the exchange trades with them. Each
//! trade with somebody else is told, with the assumption that it rests on ([`company`]).

mod company;
mod pace;

use crate::lobster::{Operation, Tape, open_book, open_tape, symbol_in};
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, bail, ensure};
pub(crate) use company::Meeting;
use company::{Company, Execution, Outcome, Sent};
pub(crate) use pace::Speed;
use rialto_ouch::messages::{
    self as ouch, AccountQuery, Appendage, CancelOrder, Capacity, ClOrdId, CrossType, Display, EnterOrder, Inbound,
    InterMarketSweep, LiquidityFlag, Outbound, TimeInForce, UserRefNum,
};
use serde::Serialize;
use std::collections::HashMap;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the exchange may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Orders without an answer at one time, at most: more wait here.
const UNDER_WAY_MAX: usize = 256;
/// Between two looks at the door while nothing is due.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The tape: plain or gzip
    #[arg(long, value_name = "FILE")]
    tape: PathBuf,
    /// The archive of the sample day, whose message file has the times; not needed with --speed max or step
    #[arg(long, value_name = "FILE")]
    book: Option<PathBuf>,
    /// Levels a side in its order book file
    #[arg(long, default_value_t = 10)]
    levels: usize,
    /// real, max, step (a row for each line of standard input, or as many as it says) or so many times as fast
    #[arg(long, default_value = "real")]
    speed: Speed,
    /// Stop behind so many rows
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// The OUCH door
    #[arg(long, value_name = "HOST:PORT")]
    ouch: SocketAddr,
    /// The session that the day's orders come from: nobody else may use it
    #[arg(long)]
    user: String,
    /// Its password
    #[arg(long)]
    password: String,
    /// The instrument on this exchange; without it, as in the file's name
    #[arg(long)]
    symbol: Option<String>,
    /// Print one JSON object for each trade with somebody else, and one in the end
    #[arg(long)]
    json: bool,
}

/// Which day is played, where and how fast.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    pub(crate) tape: PathBuf,
    pub(crate) book: Option<PathBuf>,
    pub(crate) levels: usize,
    pub(crate) speed: Speed,
    pub(crate) rows: Option<usize>,
    pub(crate) ouch: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) symbol: String,
}

/// What a day in company came to.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    played: bool,
    rows: usize,
    orders: usize,
    #[serde(flatten)]
    outcome: Outcome,
    seconds: f64,
}

/// The symbol of a day, from its files' names.
pub(crate) fn symbol_of(tape: &Path, book: Option<&Path>) -> Option<String> {
    book.into_iter().chain([tape]).find_map(symbol_in)
}

pub(crate) fn run(args: Args) -> Result<()> {
    let named = args.symbol.or_else(|| symbol_of(&args.tape, args.book.as_deref()));
    let day = Day {
        symbol: named.context("the file's name has no symbol: say which instrument with --symbol")?,
        tape: args.tape,
        book: args.book,
        levels: args.levels,
        speed: args.speed,
        rows: args.rows,
        ouch: args.ouch,
        user: args.user,
        password: args.password,
    };
    let interrupt = Interrupt::listen()?;
    let mut tell = |meeting: &Meeting| {
        if args.json {
            out::json_line(meeting);
        } else {
            out::say(format_args!("{meeting}"));
        }
    };
    let summary = day.play(args.json, &|| interrupt.is_set(), &mut tell)?;
    if args.json {
        out::json_line(&summary);
    } else {
        out::say(format_args!("{}", out::pairs(&summary)));
    }
    Ok(())
}

impl Day {
    /// Plays it until its end or until `over` says so, and tells of each trade with somebody else.
    pub(crate) fn play(&self, quiet: bool, over: &dyn Fn() -> bool, tell: &mut dyn FnMut(&Meeting)) -> Result<Summary> {
        let times = match (&self.book, self.speed) {
            (Some(book), Speed::Times(_)) => open_book(book, self.levels)?.times,
            _ => Vec::new(),
        };
        if matches!(self.speed, Speed::Times(_)) && times.is_empty() {
            bail!("the tape alone has no times: give the day's archive beside it, or the speed max");
        }
        let tape = Tape::new(open_tape(&self.tape)?);
        let begun = Instant::now();
        let mut player = Player::log_in(self, over, tell)?;
        let bar = out::progress(times.len().max(1) as u64, "rows", quiet);
        let rows = player.play(tape, self, &times, &bar)?;
        bar.finish_and_clear();
        Ok(Summary {
            played: true,
            rows,
            orders: player.company.orders(),
            outcome: player.company.outcome(),
            seconds: begun.elapsed().as_secs_f64(),
        })
    }
}

/// The day's session.
struct Player<'a> {
    client: OuchClient,
    symbol: ouch::Symbol,
    /// Live orders of the tape by the tape's id: the reference, and the total that it is to come to, executions included.
    live: HashMap<String, (u32, u32)>,
    company: Company,
    state: Said,
    over: &'a dyn Fn() -> bool,
    tell: &'a mut dyn FnMut(&Meeting),
}

/// What was said and is still to be taken note of.
#[derive(Debug, Default)]
struct Said {
    logged_in: bool,
    closed: Option<String>,
    next_ref: Option<u32>,
    answered: usize,
    words: Vec<Word>,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Executed(Execution),
    Over(u32),
    Refused(u32),
}

impl<'a> Player<'a> {
    fn log_in(day: &Day, over: &'a dyn Fn() -> bool, tell: &'a mut dyn FnMut(&Meeting)) -> Result<Self> {
        let symbol = ouch::Symbol::new(&day.symbol).with_context(|| format!("{:?} is no symbol", day.symbol))?;
        let client = OuchClient::connect(day.ouch, login_for_new(&day.user, &day.password)?)?;
        let mut player = Self {
            client,
            symbol,
            live: HashMap::new(),
            company: Company::default(),
            state: Said::default(),
            over,
            tell,
        };
        player.until("the login", |player| player.state.logged_in)?;
        player.client.send(AccountQuery {})?;
        player.until("the next reference", |player| player.state.next_ref.is_some())?;
        ensure!(
            player.state.next_ref == Some(1),
            "the session {} has sent orders today already: give the recorded day a session of its own",
            day.user
        );
        Ok(player)
    }

    /// Sends row after row as each is due; how many there were.
    fn play(
        &mut self,
        tape: Tape<impl BufRead>,
        day: &Day,
        times: &[u64],
        bar: &indicatif::ProgressBar,
    ) -> Result<usize> {
        let begun = Instant::now();
        let mut steps = Steps::default();
        let (mut rows, mut waiting) = (0, Vec::new());
        for operation in tape {
            let row = match operation? {
                Operation::Row(row) => row,
                other => {
                    waiting.push(other);
                    continue;
                }
            };
            match day.speed {
                Speed::Max => {}
                Speed::Step if !steps.next()? => break,
                Speed::Step => {}
                Speed::Times(speed) => {
                    let behind = |row: usize| times.get(row.checked_sub(1)?).copied();
                    let ns = behind(row).with_context(|| format!("the message file has no row {row}"))?;
                    let due = pace::due(speed, ns.saturating_sub(times.first().copied().unwrap_or(ns)));
                    while begun.elapsed() < due && !(self.over)() {
                        let left = due.saturating_sub(begun.elapsed());
                        self.listen(left.min(LOOK))?;
                    }
                }
            }
            if (self.over)() {
                break;
            }
            for one in waiting.drain(..) {
                self.send(one, row)?;
            }
            rows += 1;
            bar.inc(1);
            if day.rows == Some(rows) {
                break;
            }
        }
        // An answer to this comes behind everything that came of the orders.
        self.state.next_ref = None;
        self.client.send(AccountQuery {})?;
        self.until("the last answer", |player| player.state.next_ref.is_some())?;
        if let Some(meeting) = self.company.settle() {
            (self.tell)(&meeting);
        }
        self.client.logout();
        Ok(rows)
    }

    fn send(&mut self, operation: Operation, row: usize) -> Result<()> {
        match operation {
            Operation::Add {
                id,
                side,
                price,
                quantity,
            } => {
                let shares = shares(quantity)?;
                let user_ref = self.company.sends(Sent::Add, row);
                self.live.insert(id, (user_ref, shares));
                self.enter(user_ref, side, price, shares, TimeInForce::Day)
            }
            Operation::Take {
                side,
                price,
                quantity,
                maker,
            } => {
                let shares = shares(quantity)?;
                let (maker, _) = *self
                    .live
                    .get(&maker)
                    .with_context(|| format!("the tape takes unknown order {maker}"))?;
                let user_ref = self.company.sends(Sent::Take { maker, shares }, row);
                self.enter(user_ref, side, price, shares, TimeInForce::ImmediateOrCancel)
            }
            Operation::Reduce { id, by } => {
                let by = shares(by)?;
                let (user_ref, total) = self
                    .live
                    .get_mut(&id)
                    .with_context(|| format!("the tape reduces unknown order {id}"))?;
                *total = total.saturating_sub(by);
                let cancel = cancel(*user_ref, *total);
                self.request(cancel)
            }
            Operation::Delete { id } => {
                let (user_ref, _) = self
                    .live
                    .remove(&id)
                    .with_context(|| format!("the tape deletes unknown order {id}"))?;
                self.request(cancel(user_ref, 0))
            }
            Operation::Replace { id, .. } => bail!("a tape replaces no order, and this one replaces {id}"),
            Operation::Row(row) => bail!("row {row} is no order"),
        }
    }

    fn enter(
        &mut self,
        user_ref: u32,
        side: rialto_model::Side,
        price: rialto_model::Price,
        shares: u32,
        time_in_force: TimeInForce,
    ) -> Result<()> {
        let price = u64::try_from(price.0)
            .ok()
            .map(ouch::Price)
            .filter(|price| price.is_limit());
        let order = EnterOrder {
            user_ref: UserRefNum(user_ref),
            side: match side {
                rialto_model::Side::Buy => ouch::Side::Buy,
                rialto_model::Side::Sell => ouch::Side::Sell,
            },
            quantity: ouch::Quantity(shares),
            symbol: self.symbol,
            price: price.context("the tape has a price that OUCH cannot say")?,
            time_in_force,
            display: Display::Visible,
            capacity: Capacity::Agency,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            cl_ord_id: ClOrdId::BLANK,
            appendage: Appendage::EMPTY,
        };
        self.until("answers", |player| {
            player.company.orders() - player.state.answered <= UNDER_WAY_MAX
        })?;
        self.request(order)
    }

    fn request<'m>(&mut self, message: impl Into<Inbound<'m>>) -> Result<()> {
        self.client.send(message)?;
        self.listen(Duration::ZERO)
    }

    /// Takes note of what has come; waits for it at most so long.
    fn listen(&mut self, timeout: Duration) -> Result<()> {
        let state = &mut self.state;
        self.client.wait(timeout, &mut |event| state.hear(event))?;
        for word in std::mem::take(&mut self.state.words) {
            let meeting = match word {
                Word::Executed(execution) => self.company.executed(execution),
                Word::Over(user_ref) => {
                    self.company.over(user_ref);
                    None
                }
                Word::Refused(user_ref) => {
                    self.company.refused(user_ref);
                    None
                }
            };
            if let Some(meeting) = meeting {
                (self.tell)(&meeting);
            }
        }
        match &self.state.closed {
            Some(why) => bail!("the exchange closed the session: {why}"),
            None => Ok(()),
        }
    }

    fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) -> Result<()> {
        let begun = Instant::now();
        while !reached(self) {
            ensure!(
                begun.elapsed() < PATIENCE,
                "waited {} s for {what} in vain",
                PATIENCE.as_secs()
            );
            self.listen(LOOK)?;
        }
        Ok(())
    }
}

impl Said {
    fn hear(&mut self, event: OuchEvent<'_>) {
        match event {
            OuchEvent::LoggedIn(_) => self.logged_in = true,
            OuchEvent::Closed(reason) => self.closed = Some(format!("{reason:?}")),
            OuchEvent::Message(Outbound::AccountQueryResponse(answer)) => self.next_ref = Some(answer.next_user_ref.0),
            OuchEvent::Message(Outbound::OrderAccepted(_)) => self.answered += 1,
            OuchEvent::Message(Outbound::OrderRejected(m)) => {
                self.answered += 1;
                self.words.push(Word::Refused(m.user_ref.0));
            }
            OuchEvent::Message(Outbound::OrderCanceled(m)) => self.words.push(Word::Over(m.user_ref.0)),
            OuchEvent::Message(Outbound::OrderExecuted(m)) => self.words.push(Word::Executed(Execution {
                user_ref: m.user_ref.0,
                shares: m.quantity.0,
                price: m.price.0,
                match_number: m.match_number.0,
                rested: m.liquidity_flag == LiquidityFlag::Added,
            })),
            OuchEvent::Message(_) => {}
        }
    }
}

/// Rows that a person lets go by.
#[derive(Debug, Default)]
struct Steps {
    left: usize,
}

impl Steps {
    /// Waits for the next line of standard input where no row is left of the last one; whether there is a next row.
    fn next(&mut self) -> Result<bool> {
        if self.left == 0 {
            let mut line = String::new();
            if std::io::stdin().read_line(&mut line)? == 0 {
                return Ok(false);
            }
            let line = line.trim();
            self.left = match line {
                "" => 1,
                number => number
                    .parse()
                    .with_context(|| format!("{line:?} is no number of rows"))?,
            };
            if self.left == 0 {
                return self.next();
            }
        }
        self.left -= 1;
        Ok(true)
    }
}

fn cancel(user_ref: u32, total: u32) -> CancelOrder {
    CancelOrder {
        user_ref: UserRefNum(user_ref),
        quantity: ouch::Quantity(total),
    }
}

fn shares(quantity: rialto_model::Quantity) -> Result<u32> {
    let shares = u32::try_from(quantity.0)
        .ok()
        .filter(|shares| ouch::Quantity(*shares).is_enterable());
    shares.with_context(|| format!("the tape has a quantity that OUCH cannot say: {}", quantity.0))
}
