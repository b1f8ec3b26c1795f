//! `rialto feed`: a feed in a process of its own, for a share of the QUIC subscribers of an exchange.
//!
//! It follows what is released, with an engine and a publisher of its own, so that what it tells is what the exchange's own feed
//! tells: the same session, the same numbers, the same bytes. Subscribers come to it by their own login, sent on by the exchange;
//! nothing is handed over. When the connection that it follows by ends, so does this process, with a goodbye to its subscribers,
//! who go back.
//!
//! It does not keep what is beyond its memory: recoveries of that are refused here, and answered by the exchange.

#[cfg(feature = "defects")]
mod defect;

use crate::config::Config;
use crate::door::cost::Cost;
use crate::door::join::{Join, Serves};
use crate::exchange::PROBE;
use crate::exchange::core::apply_shown;
use crate::exchange::quic::{self, Who};
use crate::serve::credentials_path;
use crate::shutdown::Interrupt;
use anyhow::{Context as _, Result};
use rialto_engine::talk::{Role, Testify};
use rialto_feed::Teller;
use rialto_follow::Follower;
use rialto_matching::{Engine, Limits};
use rialto_members::{Credentials, Verifier};
use rialto_model::{Command, SequenceNumber, Sequenced};
use rialto_quic::Server;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How often it says how it is, and hears whether it may stay.
const HEALTH: Duration = Duration::from_millis(50);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    join: Join,
    /// What is wrong with it
    #[cfg(feature = "defects")]
    #[arg(long, value_name = "NAME", default_value = "correct")]
    defect: defect::Defect,
}

/// What a feed is told when it joins.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Brief {
    /// The exchange's settings of sessions and of its QUIC server.
    pub(crate) config: Config,
    /// The password that the judge comes in by.
    pub(crate) secret: String,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let joined = args.join.begin([Role::Feed, Role::BaselineFeed], &interrupt)?;
    let brief = serde_json::from_slice(&joined.brief).context("the exchange's settings of feeds")?;
    let feed = Feed::open(args, brief)?;
    joined.serve(feed, &interrupt)
}

/// The feed, the engine that tells it what came of commands, and who tells it further.
struct Feed {
    engine: Engine,
    teller: Teller,
    server: Server,
    last: SequenceNumber,
    /// The past is over: subscribers may come.
    live: bool,
    cost: Cost,
    said: Option<Instant>,
    #[cfg(feature = "defects")]
    fault: defect::Fault,
    _verifier: Verifier,
}

impl Feed {
    fn open(args: &Args, brief: Brief) -> Result<Self> {
        let Brief { config, secret } = brief;
        let path = credentials_path(&config.data);
        let credentials = Credentials::load(&path).with_context(|| format!("the passwords in {}", path.display()))?;
        let verifier = Verifier::start(credentials)?;
        let (ring, made) = quic::ring();
        #[cfg(feature = "defects")]
        let (fault, made) = defect::Fault::between(args.defect, made, quic::RING);
        #[cfg(not(feature = "defects"))]
        let _ = args;
        let who = Who {
            secret,
            sends_on: None,
            faults: rialto_ring::FaultBoard::default(),
        };
        let served = quic::serve(&config, &verifier, (made, None), who)?;
        let (server, _) = served.context("the exchange has no QUIC server")?;
        let publisher = crate::exchange::publisher_config(&config.feed);
        Ok(Self {
            engine: Engine::new(Limits::default()),
            teller: Teller::new(publisher, ring)?,
            server,
            last: SequenceNumber(0),
            live: false,
            cost: Cost::new(),
            said: None,
            #[cfg(feature = "defects")]
            fault,
            _verifier: verifier,
        })
    }
}

impl Serves for Feed {
    const AFTERWARDS: &'static str = "its subscribers go back to the exchange";

    fn follow(&mut self, command: &Sequenced<Command>) {
        let Self { engine, teller, .. } = self;
        apply_shown(engine, command, |output| teller.follow(output));
        self.last = command.seq;
        if !self.live {
            #[cfg(feature = "defects")]
            {
                self.teller.copy();
                self.fault.pump(false);
            }
            self.teller.copy_waiting();
        }
    }

    fn last(&self) -> SequenceNumber {
        self.last
    }

    fn has_room(&self) -> bool {
        true
    }

    fn open(&mut self, _: &mut Follower) {
        self.live = true;
    }

    fn cost(&mut self) -> &mut Cost {
        &mut self.cost
    }

    /// Tells what was followed, and says how it is.
    fn turn(&mut self, follower: &mut Follower, followed: usize) -> usize {
        let moved = self.teller.copy();
        #[cfg(feature = "defects")]
        {
            // It goes wrong where its judge hears it.
            let heard = |counters: rialto_quic::Counters| counters.subscribers.iter().any(|one| one.user == PROBE);
            self.fault.pump(self.live && heard(self.server.counters().read()));
            if followed > 0 && self.live {
                self.fault.turn(self.cost.so_far_ns());
            }
        }
        if !self.live {
            return moved;
        }
        self.cost.end(followed as u64);
        if self.said.is_none_or(|said| said.elapsed() >= HEALTH) {
            self.said = Some(Instant::now());
            let port = self.server.address().port();
            let counters = self.server.counters().read();
            let subscribers = counters.subscribers.iter().filter(|one| one.user != PROBE).count() as u32;
            follower.testify(&Testify::Tells { port, subscribers }.encode());
            self.say_health(follower);
        }
        follower.flush();
        moved
    }

    /// Its subscribers are told goodbye by the server that goes with it.
    fn leave(self, _: &mut Follower) -> Result<()> {
        Ok(())
    }

    fn close(self, _: &mut Follower) -> Result<()> {
        Ok(())
    }
}
