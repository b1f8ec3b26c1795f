//! Ready markets: what `--scenario` names, each a row of one table.
//!
//! A scenario is agents, the climate they trade in, rules, and what the venue does when. What it states of itself is held
//! against a rehearsal of it ([`crate::agents::Rehearsal`]), which is a function of the seed; in a running exchange the agents
//! also see what everybody else does, and the machine's own times.

use super::demo;
use crate::agents::{Cast, Climate, MESSAGES_PER_SECOND, Rehearsal, Role, Show};
use crate::definitions;
use anyhow::{Context as _, Result, bail};
use rialto_matching::EngineState;
use rialto_model::command::{SetBands, SetPhase};
use rialto_model::{Bands, Command, InstrumentId, Phase, Symbol, Timestamp, TradingDay};
use std::path::Path;

/// A ready market.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What to expect.
    pub(crate) says: &'static str,
    /// Who trades, in turn of one firm and the other.
    roles: &'static [Role],
    climate: Climate,
    /// Messages that all of them together send in a second at most.
    messages_per_second: u32,
    /// Price bounds of the first instrument.
    bands: Option<Bands>,
    /// What the venue does, in order of time.
    beats: &'static [Beat],
    /// After so many milliseconds the beats begin again; 0: never.
    period_ms: u64,
    /// What a rehearsal of two minutes or more measures, in the mean of the instruments: the stylised facts that it is made for.
    /// They hold with every seed that was tried (1 to 21, two and ten minutes), and the bounds lie close around what was measured.
    pub(crate) facts: &'static [Range],
}

/// A measure of `rialto facts`, and between which bounds it lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) measure: &'static str,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

const fn range(measure: &'static str, low: f64, high: f64) -> Range {
    Range { measure, low, high }
}

/// All instruments come into a phase.
#[derive(Clone, Copy, Debug)]
struct Beat {
    at_ms: u64,
    phase: Phase,
}

use Role::{Clusters, MarketMaker, Momentum, Patient, QueueReactive, Seller};

const MARKET: &[Role] = &[
    MarketMaker,
    Clusters,
    MarketMaker,
    QueueReactive,
    QueueReactive,
    Momentum,
];

/// Few, and nobody runs after prices.
const FEW: &[Role] = &[MarketMaker, Clusters, MarketMaker, QueueReactive];

/// When the great sale begins and ends, in milliseconds, and when those who know the value come.
const SALE: (u64, u64) = (10_000, 14_000);
const RETURN: u64 = 16_000;

/// A market on a day without news.
const CALM: Climate = Climate {
    liquidity: 1.0,
    pace: 1.0,
    restless: 4,
};

/// The scenarios.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "quiet",
        says: "a spread of a tick or two, trades in clusters and pauses between them",
        roles: MARKET,
        climate: CALM,
        messages_per_second: MESSAGES_PER_SECOND,
        bands: None,
        beats: &[],
        period_ms: 0,
        facts: &[
            range("spread_mean", 0.01, 0.0115),
            range("depth_best", 1_000.0, 1_700.0),
            range("order_to_trade", 10.0, 25.0),
            range("wait_mean_ms", 25.0, 45.0),
            range("wait_variation", 1.0, 1.4),
            range("return_kurtosis", 3.0, 60.0),
        ],
    },
    Scenario {
        name: "busy",
        says: "six times the trades of quiet in a deeper book that moves faster",
        roles: MARKET,
        climate: Climate {
            liquidity: 2.0,
            pace: 5.0,
            restless: 6,
        },
        messages_per_second: 1_500,
        bands: None,
        beats: &[],
        period_ms: 0,
        facts: &[
            range("spread_mean", 0.01, 0.011),
            range("depth_best", 2_200.0, 3_400.0),
            range("order_to_trade", 7.0, 15.0),
            range("wait_mean_ms", 9.0, 15.0),
            range("wait_variation", 1.0, 1.3),
            range("return_kurtosis", 2.0, 25.0),
        ],
    },
    Scenario {
        name: "thin",
        says: "a fifth of the shares at prices several times as far apart",
        roles: FEW,
        climate: Climate {
            liquidity: 0.2,
            pace: 0.5,
            ..CALM
        },
        messages_per_second: MESSAGES_PER_SECOND,
        bands: None,
        beats: &[],
        period_ms: 0,
        facts: &[
            range("spread_mean", 0.015, 0.03),
            range("depth_best", 140.0, 260.0),
            range("order_to_trade", 10.0, 45.0),
            range("wait_mean_ms", 50.0, 95.0),
            range("wait_variation", 1.0, 1.7),
            range("return_kurtosis", 1.5, 25.0),
        ],
    },
    Scenario {
        name: "flash-crash",
        says: "10 seconds in somebody sells ACME whatever the price: it falls by over two per cent through volatility auctions of \
               two seconds, and is bought back",
        roles: &[
            MarketMaker,
            Clusters,
            MarketMaker,
            QueueReactive,
            Seller(SALE.0, SALE.1),
            Patient(RETURN),
            Momentum,
        ],
        climate: CALM,
        messages_per_second: MESSAGES_PER_SECOND,
        bands: Some(Bands {
            reference: rialto_model::Price(0),
            collar: 0,
            interruption: 100,
            limit: 0,
            window: 0,
            limit_state: 0,
            pause: 2_000,
        }),
        beats: &[],
        period_ms: 0,
        facts: &[],
    },
    Scenario {
        name: "auction",
        says: "an opening call of 15 seconds with its indicative price, a minute of trading, a closing call of 15 seconds, 5 \
               seconds closed, and again",
        roles: MARKET,
        climate: CALM,
        messages_per_second: MESSAGES_PER_SECOND,
        bands: None,
        beats: &[
            Beat {
                at_ms: 0,
                phase: Phase::OpeningAuction,
            },
            Beat {
                at_ms: 15_000,
                phase: Phase::Continuous,
            },
            Beat {
                at_ms: 75_000,
                phase: Phase::ClosingAuction,
            },
            Beat {
                at_ms: 90_000,
                phase: Phase::Closed,
            },
        ],
        period_ms: 95_000,
        facts: &[],
    },
];

/// The words that `--scenario` takes, a line each.
pub(crate) fn list() -> String {
    let mut text = String::from("Scenarios of rialto up:\n");
    for one in SCENARIOS {
        text += &format!("  {:<12} {}\n", one.name, one.says);
    }
    text + "  day:FILE     a recorded day, a LOBSTER tape or an ITCH 5.0 file, as --with-me FILE\n"
}

impl Scenario {
    /// By its name.
    pub(crate) fn of(name: &str) -> Result<&'static Self> {
        let found = SCENARIOS.iter().find(|one| one.name == name);
        let Some(found) = found else {
            bail!("no scenario is called {name:?}\n{}", list());
        };
        Ok(found)
    }

    /// How many agents it has where nobody says otherwise.
    pub(crate) const fn agents(&self) -> usize {
        self.roles.len()
    }

    pub(super) fn role(&self, index: usize) -> Role {
        self.roles.get(index % self.roles.len()).copied().unwrap_or(MarketMaker)
    }

    pub(super) const fn messages_per_second(&self) -> u32 {
        self.messages_per_second
    }

    /// Its climate with so many times its liquidity.
    pub(super) fn climate(&self, liquidity: f64) -> Climate {
        Climate {
            liquidity: self.climate.liquidity * liquidity,
            ..self.climate
        }
    }

    /// What the venue has to say before anybody trades: price bounds under the next version of the first instrument's rules.
    pub(super) fn rules(&self, state: &EngineState) -> Result<Option<Command>> {
        let Some(bands) = self.bands else { return Ok(None) };
        let (symbol, _) = demo::OPENING_PRICES[0];
        let symbol = Symbol::new(symbol).context("a symbol of the development exchange is none")?;
        let mut known = state.instruments.iter();
        let found = known.find(|one| one.definition.symbol == symbol);
        let one = found.with_context(|| format!("{symbol} is not defined"))?;
        Ok(Some(
            SetBands {
                instrument: one.definition.instrument,
                version: one.rules.as_ref().map_or(0, |rules| rules.version) + 1,
                bands,
            }
            .into(),
        ))
    }

    /// The play of its beats on these instruments.
    pub(super) const fn script(&'static self, instruments: Vec<InstrumentId>) -> Script {
        Script {
            scenario: self,
            instruments,
            done: 0,
        }
    }

    /// Rehearses it for so many milliseconds.
    pub(crate) fn rehearse(&'static self, seed: u64, liquidity: f64, until_ms: u64, show: &mut Show<'_>) -> Result<()> {
        let config = demo::market(Path::new(""), self.agents())?;
        let day = TradingDay::from_civil(2026, 6, 22).context("a day")?;
        let opening = definitions::opening(&EngineState::default(), &config, day)?;
        let cast = Cast {
            seed,
            instruments: demo::agent_instruments()?,
            agents: (0..self.agents())
                .map(|index| (self.role(index), demo::agent_session(index)))
                .collect(),
            messages_per_second: self.messages_per_second,
            climate: self.climate(liquidity),
        };
        let begun = Timestamp(day.midnight_utc().0 + 10 * 3_600_000_000_000);
        let mut rehearsal = Rehearsal::new(&cast, &opening, begun, show)?;
        let state = rehearsal.state();
        if let Some(command) = self.rules(&state)? {
            rehearsal.command(command, show);
        }
        let mut script = self.script(state.instruments.iter().map(|one| one.definition.instrument).collect());
        for now_ms in (0..until_ms).step_by(SCRIPT_MS) {
            for command in script.due(now_ms) {
                rehearsal.command(command, show);
            }
            rehearsal.run((now_ms + SCRIPT_MS as u64).min(until_ms) * 1_000_000, show);
        }
        Ok(())
    }
}

/// How often a rehearsal looks into its script.
const SCRIPT_MS: usize = 100;

/// Beats that are being played.
#[derive(Debug)]
pub(super) struct Script {
    scenario: &'static Scenario,
    instruments: Vec<InstrumentId>,
    /// Beats so far.
    done: usize,
}

impl Script {
    /// Why the venue does it, as the stream says.
    pub(super) fn why(&self) -> String {
        format!("scenario {}", self.scenario.name)
    }

    /// The commands whose time has come, so long after the beginning.
    pub(super) fn due(&mut self, now_ms: u64) -> Vec<Command> {
        let Scenario { beats, period_ms, .. } = self.scenario;
        let mut commands = Vec::new();
        while let Some(beat) = beats.get(self.done % beats.len().max(1)) {
            let round = (self.done / beats.len()) as u64;
            if (round > 0 && *period_ms == 0) || round * period_ms + beat.at_ms > now_ms {
                break;
            }
            self.done += 1;
            let phase = |instrument: &InstrumentId| {
                Command::from(SetPhase {
                    instrument: *instrument,
                    phase: beat.phase,
                })
            };
            commands.extend(self.instruments.iter().map(phase));
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rialto_model::{Event, Sequenced};

    /// What happened to the first instrument: the prices of its trades and its phases, by the second.
    #[derive(Debug, Default)]
    struct Told {
        trades: Vec<(f64, f64)>,
        phases: Vec<(f64, Phase)>,
        /// How much would trade.
        indicative: Vec<(f64, u64)>,
    }

    fn told(name: &str, seed: u64, seconds: u64) -> Told {
        let mut told = Told::default();
        let mut begun = None;
        let scenario = Scenario::of(name).unwrap();
        let mut show = |command: &Sequenced<Command>, events: &[Event]| {
            let at = (command.stamp.0 - begun.get_or_insert(command.stamp).0) as f64 / 1e9;
            for event in events {
                match event {
                    Event::Executed(e) if e.instrument.0 == 1 => told.trades.push((at, e.price.0 as f64 / 1e4)),
                    Event::PhaseChanged(e) if e.instrument.0 == 1 => told.phases.push((at, e.phase)),
                    Event::Indicative(e) if e.instrument.0 == 1 => told.indicative.push((at, e.volume.0)),
                    _ => {}
                }
            }
        };
        scenario.rehearse(seed, 1.0, seconds * 1_000, &mut show).unwrap();
        told
    }

    #[test]
    fn a_flash_crash_falls_is_interrupted_and_recovers() {
        for seed in 1..=12 {
            let told = told("flash-crash", seed, 60);
            let prices = |from: f64, until: f64| {
                let within = told.trades.iter().filter(|trade| (from..until).contains(&trade.0));
                within.fold((f64::MAX, f64::MIN), |(low, high), trade| {
                    (low.min(trade.1), high.max(trade.1))
                })
            };
            let (before, during, after) = (prices(0.0, 9.0), prices(10.0, 25.0), prices(50.0, 60.0));
            assert!(before.0 > 99.5 && before.1 < 100.5, "seed {seed}: {before:?} before");
            assert!(during.0 < 98.0, "seed {seed}: no fall of two per cent: {during:?}");
            assert!(
                after.0 > 99.3 && after.1 < 101.0,
                "seed {seed}: not bought back: {after:?}"
            );
            let interrupted = told.phases.iter().filter(|phase| phase.1 == Phase::VolatilityAuction);
            assert!(interrupted.count() > 0, "seed {seed}: {:?}", told.phases);
            assert_eq!(
                told.phases.last().map(|phase| phase.1),
                Some(Phase::Continuous),
                "seed {seed}"
            );
        }
    }

    #[test]
    fn an_auction_day_collects_uncrosses_trades_and_closes() {
        for seed in 1..=12 {
            let told = told("auction", seed, 97);
            let phases: Vec<(u64, Phase)> = told
                .phases
                .iter()
                .map(|phase| (phase.0.round() as u64, phase.1))
                .collect();
            let expected = [
                (0, Phase::OpeningAuction),
                (15, Phase::Continuous),
                (75, Phase::ClosingAuction),
                (90, Phase::Closed),
                (95, Phase::OpeningAuction),
            ];
            assert_eq!(phases, expected, "seed {seed}");
            let indicative = |from: f64, until: f64| {
                let mut within = told.indicative.iter().filter(|one| (from..until).contains(&one.0));
                within.any(|one| one.1 > 0)
            };
            assert!(
                indicative(0.0, 15.0) && indicative(75.0, 90.0),
                "seed {seed}: no price was published"
            );
            let trades =
                |from: f64, until: f64| told.trades.iter().filter(|one| (from..until).contains(&one.0)).count();
            assert_eq!(
                (trades(0.0, 14.99), trades(75.01, 89.99), trades(90.01, 97.0)),
                (0, 0, 0)
            );
            assert!(
                trades(14.99, 15.01) > 0 && trades(15.01, 75.0) > 20 && trades(89.99, 90.01) > 0,
                "seed {seed}"
            );
        }
    }

    #[test]
    fn a_rehearsal_is_a_function_of_its_seed() {
        let hash = |name: &str, seed, liquidity| {
            let mut hasher = rialto_matching::EventHasher::default();
            let mut show = |command: &Sequenced<Command>, events: &[Event]| {
                for event in events {
                    hasher.update(&Sequenced {
                        seq: command.seq,
                        stamp: command.stamp,
                        epoch: command.epoch,
                        body: *event,
                    });
                }
            };
            let scenario = Scenario::of(name).unwrap();
            scenario.rehearse(seed, liquidity, 5_000, &mut show).unwrap();
            hasher.total()
        };
        let first = hash("quiet", 1, 1.0);
        assert_eq!(first, hash("quiet", 1, 1.0));
        for other in [hash("quiet", 2, 1.0), hash("quiet", 1, 2.0), hash("busy", 1, 1.0)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn names_are_known_and_listed() {
        let said = Scenario::of("loud").unwrap_err().to_string();
        for one in SCENARIOS {
            assert_eq!(Scenario::of(one.name).unwrap().name, one.name);
            assert!(said.contains(one.name) && said.contains(one.says), "{said}");
        }
        assert!(said.contains("day:FILE"));
    }
}
