//! `rialto play`: a recorded day into a running exchange, in company.
//!
//! The day's orders come through the OUCH door as one session's; whoever else trades on the exchange trades with them. Each
//! trade with somebody else is told, with the assumption that it rests on ([`company`]).

mod company;
mod pace;
mod source;
mod tape;

use crate::lobster::{Operation, open_book, symbol_in};
use crate::ouch_client::{OuchClient, OuchEvent, login_for_new};
use crate::out;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result, bail, ensure};
pub(crate) use company::Meeting;
use company::{Company, Execution, Outcome, Sent};
pub(crate) use pace::Speed;
use rialto_ouch::messages::{
    self as ouch, AccountQuery, Appendage, CancelOrder, Capacity, ClOrdId, CrossType, Display, EnterOrder, GroupId,
    Inbound, InterMarketSweep, LiquidityFlag, Options, Outbound, TimeInForce, UserRefNum,
};
use serde::Serialize;
use source::Source;
pub(crate) use source::is_itch;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tape::{Foresight, Parted};

/// How long the exchange may take for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Orders without an answer at one time, at most: more wait here.
const UNDER_WAY_MAX: usize = 256;
/// Between two looks at the door while nothing is due.
const LOOK: Duration = Duration::from_millis(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The LOBSTER tape or ITCH 5.0 file: plain or gzip
    #[arg(long, value_name = "FILE")]
    tape: PathBuf,
    /// The archive of a LOBSTER day, whose message file has the times; not needed with --speed max or step
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
    /// What company may change: market (it really trades with the day, which goes on as recorded) or tape (what the day traded is
    /// traded again exactly so, and company meets what is left; the instrument's rules have to keep orders apart)
    #[arg(long, value_enum, default_value_t)]
    policy: Assumption,
    /// The OUCH door
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::choices::address)]
    ouch: SocketAddr,
    /// The session that the day's orders come from: nobody else may use it
    #[arg(long)]
    user: String,
    /// Its password
    #[arg(long)]
    password: String,
    /// The instrument: of a tape what this exchange calls it, without it as in the file's name; of an ITCH file which to play,
    /// without it all
    #[arg(long)]
    symbol: Option<String>,
    /// Print one JSON object for each trade with somebody else, and one in the end
    #[arg(long)]
    json: bool,
}

/// What company may change of the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Assumption {
    /// What it trades with is gone.
    #[default]
    Market,
    /// Nothing: see [`tape`].
    Tape,
}

/// Which day is played, where and how fast.
#[derive(Clone, Debug)]
pub(crate) struct Day {
    pub(crate) tape: PathBuf,
    pub(crate) book: Option<PathBuf>,
    pub(crate) levels: usize,
    pub(crate) speed: Speed,
    pub(crate) policy: Assumption,
    pub(crate) rows: Option<usize>,
    pub(crate) ouch: SocketAddr,
    pub(crate) user: String,
    pub(crate) password: String,
    /// Of a LOBSTER tape one.
    pub(crate) symbols: Vec<String>,
}

/// What a day in company came to.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    played: bool,
    policy: Assumption,
    rows: usize,
    orders: usize,
    #[serde(flatten)]
    outcome: Outcome,
    seconds: f64,
}

/// The symbols of a day: those of an ITCH file that are wanted, or the one that is named, or in the names of a tape's files.
pub(crate) fn symbols_of(tape: &Path, book: Option<&Path>, wanted: &[String]) -> Result<Vec<String>> {
    if is_itch(tape)? {
        ensure!(book.is_none(), "an ITCH file has its times: leave out --book");
        return source::listed(tape, wanted);
    }
    ensure!(wanted.len() < 2, "a LOBSTER tape is of one instrument: name one");
    let named = wanted.first().cloned();
    let symbol = named.or_else(|| book.into_iter().chain([tape]).find_map(symbol_in));
    let symbol = symbol.context(
        "neither is it ITCH, nor has the tape's name a symbol, as in GOOG_2012-06-21_10.tape.gz: rename it, or say which",
    )?;
    Ok(vec![symbol])
}

pub(crate) fn run(args: Args) -> Result<()> {
    let wanted: Vec<String> = args.symbol.into_iter().collect();
    let day = Day {
        symbols: symbols_of(&args.tape, args.book.as_deref(), &wanted)?,
        tape: args.tape,
        book: args.book,
        levels: args.levels,
        speed: args.speed,
        policy: args.policy,
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
        let mut source = self.source()?;
        if matches!(self.speed, Speed::Times(_)) && !source.is_timed() {
            bail!("the tape alone has no times: give the day's archive beside it, or the speed max");
        }
        let foresight = match self.policy {
            Assumption::Market => None,
            Assumption::Tape => {
                let bar = out::progress(source.len() as u64, "rows read ahead", quiet);
                let foresight = Foresight::of(&mut self.source()?, self.rows, &bar)?;
                bar.finish_and_clear();
                Some(foresight)
            }
        };
        let begun = Instant::now();
        let mut player = Player::log_in(self, foresight, over, tell)?;
        let bar = out::progress(source.len() as u64, "rows", quiet);
        let rows = player.play(&mut source, self, &bar)?;
        bar.finish_and_clear();
        Ok(Summary {
            played: true,
            policy: self.policy,
            rows,
            orders: player.company.orders(),
            outcome: player.company.outcome(),
            seconds: begun.elapsed().as_secs_f64(),
        })
    }

    fn source(&self) -> Result<Source> {
        if is_itch(&self.tape)? {
            return Source::itch(&self.tape, &self.symbols);
        }
        let times = match (&self.book, self.speed) {
            (Some(book), Speed::Times(_)) => open_book(book, self.levels)?.times,
            _ => Vec::new(),
        };
        let symbol = self.symbols.first().context("the day has no symbol")?;
        Source::lobster(&self.tape, times, symbol)
    }
}

/// The day's session.
struct Player<'a> {
    client: OuchClient,
    /// Live orders of the tape by the tape's id.
    live: HashMap<String, Live>,
    /// Under the policy tape.
    parted: Option<Parted>,
    /// One of its instruments, to be named.
    symbol: String,
    company: Company,
    state: Said,
    over: &'a dyn Fn() -> bool,
    tell: &'a mut dyn FnMut(&Meeting),
}

/// Side, price, shares and lifetime of an order.
type Terms = (rialto_model::Side, rialto_model::Price, u32, TimeInForce);

/// A live order of the tape.
#[derive(Clone, Copy, Debug)]
struct Live {
    user_ref: u32,
    /// What it is to come to, executions of the whole chain included.
    total: u32,
    /// What the tape has executed of the chain.
    executed: u32,
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
    fn log_in(
        day: &Day,
        foresight: Option<Foresight>,
        over: &'a dyn Fn() -> bool,
        tell: &'a mut dyn FnMut(&Meeting),
    ) -> Result<Self> {
        let client = OuchClient::connect(day.ouch, login_for_new(&day.user, &day.password)?)?;
        let mut player = Self {
            client,
            live: HashMap::new(),
            company: Company::of(day.policy),
            parted: foresight.map(Parted::new),
            symbol: day.symbols.first().cloned().unwrap_or_default(),
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
    fn play(&mut self, source: &mut Source, day: &Day, bar: &indicatif::ProgressBar) -> Result<usize> {
        let begun = Instant::now();
        let mut steps = Steps::default();
        let (mut rows, mut first_ns) = (0, None);
        while let Some(row) = source.next()? {
            match day.speed {
                Speed::Max => {}
                Speed::Step if !steps.next()? => break,
                Speed::Step => {}
                Speed::Times(speed) => {
                    let ns = row.at_ns.with_context(|| format!("row {} has no time", row.number))?;
                    let due = pace::due(speed, ns.saturating_sub(*first_ns.get_or_insert(ns)));
                    while begun.elapsed() < due && !(self.over)() {
                        let left = due.saturating_sub(begun.elapsed());
                        self.listen(left.min(LOOK))?;
                    }
                }
            }
            if (self.over)() {
                break;
            }
            for one in row.operations {
                match self.parted.is_some() {
                    false => self.send(one, row.symbol, row.number)?,
                    true => self.send_parted(one, row.symbol, row.number)?,
                }
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

    fn send(&mut self, operation: Operation, symbol: ouch::Symbol, row: usize) -> Result<()> {
        match operation {
            Operation::Add {
                id,
                side,
                price,
                quantity,
            } => {
                let shares = shares(quantity)?;
                let user_ref = self.company.sends(Sent::Add { kept: false }, row);
                let live = Live {
                    user_ref,
                    total: shares,
                    executed: 0,
                };
                self.live.insert(id, live);
                self.enter(user_ref, symbol, (side, price, shares, TimeInForce::Day), None)
            }
            Operation::Take {
                side,
                price,
                quantity,
                maker,
            } => {
                let shares = shares(quantity)?;
                let live = self
                    .live
                    .get_mut(&maker)
                    .with_context(|| format!("the tape takes unknown order {maker}"))?;
                live.executed = live.executed.saturating_add(shares);
                let maker = live.user_ref;
                let user_ref = self.company.sends(Sent::Take { maker, shares }, row);
                let terms = (side, price, shares, TimeInForce::ImmediateOrCancel);
                self.enter(user_ref, symbol, terms, None)
            }
            Operation::Reduce { id, by } => {
                let by = shares(by)?;
                let live = self
                    .live
                    .get_mut(&id)
                    .with_context(|| format!("the tape reduces unknown order {id}"))?;
                live.total = live.total.saturating_sub(by);
                // A total of nothing but what has executed leaves nothing open.
                let open = live.total.saturating_sub(live.executed);
                let cancel = cancel(live.user_ref, if open == 0 { 0 } else { live.total });
                self.request(cancel)
            }
            Operation::Delete { id } => {
                let live = self
                    .live
                    .remove(&id)
                    .with_context(|| format!("the tape deletes unknown order {id}"))?;
                self.request(cancel(live.user_ref, 0))
            }
            Operation::Replace {
                id,
                new,
                price,
                quantity,
            } => {
                let old = self
                    .live
                    .remove(&id)
                    .with_context(|| format!("the tape replaces unknown order {id}"))?;
                let user_ref = self.company.sends(Sent::Add { kept: false }, row);
                // Where company has taken all of the old order nothing is said to this: nobody waits for it.
                self.state.answered += 1;
                let live = Live {
                    user_ref,
                    total: shares(quantity)?.saturating_add(old.executed),
                    ..old
                };
                self.live.insert(new, live);
                let replace = ouch::ReplaceOrder {
                    orig_user_ref: UserRefNum(old.user_ref),
                    user_ref: UserRefNum(user_ref),
                    quantity: ouch::Quantity(live.total),
                    price: limit(price)?,
                    time_in_force: TimeInForce::Day,
                    display: Display::Visible,
                    inter_market_sweep: InterMarketSweep::NotEligible,
                    cl_ord_id: ClOrdId::BLANK,
                    appendage: Appendage::EMPTY,
                };
                self.request(replace)
            }
            Operation::Row(row) => bail!("row {row} is no order"),
        }
    }

    fn enter(
        &mut self,
        user_ref: u32,
        symbol: ouch::Symbol,
        (side, price, shares, time_in_force): Terms,
        group: Option<GroupId>,
    ) -> Result<()> {
        let options = Options {
            group_id: group,
            ..Options::default()
        };
        let appendage = options.to_appendage();
        let order = EnterOrder {
            user_ref: UserRefNum(user_ref),
            side: match side {
                rialto_model::Side::Buy => ouch::Side::Buy,
                rialto_model::Side::Sell => ouch::Side::Sell,
            },
            quantity: ouch::Quantity(shares),
            symbol,
            price: limit(price)?,
            time_in_force,
            display: Display::Visible,
            capacity: Capacity::Agency,
            inter_market_sweep: InterMarketSweep::NotEligible,
            cross_type: CrossType::Continuous,
            cl_ord_id: ClOrdId::BLANK,
            appendage: appendage.as_appendage(),
        };
        self.until("answers", |player| {
            player.company.orders().saturating_sub(player.state.answered) <= UNDER_WAY_MAX
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
        ensure!(
            !self.company.is_broken(),
            "the exchange does not keep the day's orders apart: change the rules of each of its instruments, as in \
             `rialto operate rules {} '{{\"self_trade\":\"Apart\"}}'`, or play under the policy market",
            self.symbol
        );
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

fn limit(price: rialto_model::Price) -> Result<ouch::Price> {
    let price = u64::try_from(price.0).ok().map(ouch::Price);
    price
        .filter(|price| price.is_limit())
        .context("the tape has a price that OUCH cannot say")
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
