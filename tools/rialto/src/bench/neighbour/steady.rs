//! The quiet firm: an order at each moment of a plan, and how long each took.
//!
//! Its program shares a machine with the noisy firm's, and must not blame the exchange for its own place there. So an order is timed
//! from just before it leaves, and to when the system took its answer in, not to when this thread was woken to read it (the kernel's
//! receive timestamp). Nothing waits for an answer before the next order leaves: the load is open, and nothing is omitted.

use super::venue::{PASSWORD, QUIET, SYMBOL};
use crate::bench::member::PATIENCE;
use crate::ouch_client::login_for_new;
use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use rialto_ouch::messages::{
    AccountQuery, Appendage, Capacity, ClOrdId, CrossType, Display, EnterOrder, Inbound, InterMarketSweep, Outbound,
    Price, Quantity, Side, Symbol, TimeInForce, UserRefNum,
};
use rialto_ouch::soup::{ClientEvent, ClientSession, SoupConfig};
use std::io::{ErrorKind, IoSliceMut, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

/// Bytes read at once: a few answers, so that each has nearly its own time.
const READ_BYTES: usize = 256;
/// The longest sleep.
const SLEEP_MAX: Duration = Duration::from_millis(5);
/// Longer than this is as good as this.
const LATENCY_MAX_NS: u64 = 60_000_000_000;

/// What came of it.
pub(super) struct Timed {
    pub(super) latencies: Histogram<u64>,
    /// All orders of the plan, each acknowledged.
    pub(super) orders: u64,
}

/// The session while it is in.
pub(super) struct Steady {
    stream: TcpStream,
    session: ClientSession,
    start: Instant,
    inbound: Vec<u8>,
    message: Vec<u8>,
    next: Option<u32>,
    asked: bool,
    /// References and when the system had their answers, of what was read last.
    answered: Vec<(u32, Duration)>,
}

impl Steady {
    /// Logs in; whoever comes too early comes again.
    pub(super) fn log_on(door: SocketAddr) -> Result<Self> {
        let begun = Instant::now();
        loop {
            let mut steady = Self::connect(door)?;
            let met = loop {
                match steady.turn(SLEEP_MAX) {
                    Ok(()) if steady.next.is_some() => break Ok(()),
                    Ok(()) if begun.elapsed() > PATIENCE => break Err(anyhow::anyhow!("nobody lets it in")),
                    Ok(()) => {}
                    Err(error) => break Err(error),
                }
            };
            match met {
                Ok(()) => return Ok(steady),
                // The door may be open before the stream has said who there is.
                Err(_) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error),
            }
        }
    }

    fn connect(door: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(door).context("no OUCH door answers")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        setsockopt(&stream, sockopt::ReceiveTimestampns, &true).context("the system times no packets")?;
        let login = login_for_new(QUIET, PASSWORD)?;
        Ok(Self {
            stream,
            session: ClientSession::new(SoupConfig::default(), login, 0),
            start: Instant::now(),
            inbound: Vec::new(),
            message: Vec::new(),
            next: None,
            asked: false,
            answered: Vec::new(),
        })
    }

    /// Says that it lives, and waits a little.
    pub(super) fn idle(&mut self) -> Result<()> {
        self.turn(Duration::from_millis(1))
    }

    /// Sends an order at each of the moments and waits for all answers; the first `warm` are not timed.
    pub(super) fn fire(&mut self, plan: &[Duration], warm: Duration) -> Result<Timed> {
        let first = self.next.context("it is not in")?;
        let mut sent_at: Vec<Duration> = Vec::with_capacity(plan.len());
        let mut latencies = Histogram::new_with_bounds(1, LATENCY_MAX_NS, 3)?;
        let (mut done, mut seen) = (0, vec![false; plan.len()]);
        let begun = Instant::now();
        while done < plan.len() {
            let due = plan.get(sent_at.len()).copied();
            if due.is_some_and(|moment| moment <= begun.elapsed()) {
                self.message.clear();
                Inbound::from(order(first + sent_at.len() as u32)?).encode(&mut self.message);
                self.session.send(&self.message)?;
                sent_at.push(now()?);
                self.flush();
                continue;
            }
            let left = due.map_or(SLEEP_MAX, |moment| moment.saturating_sub(begun.elapsed()));
            self.turn(left.min(SLEEP_MAX))?;
            for (user_ref, at) in std::mem::take(&mut self.answered) {
                let index = user_ref.wrapping_sub(first) as usize;
                let (Some(sent), Some(moment), Some(seen)) = (sent_at.get(index), plan.get(index), seen.get_mut(index))
                else {
                    bail!("an order {user_ref} was acknowledged that was never sent");
                };
                ensure!(
                    !std::mem::replace(seen, true),
                    "order {user_ref} was acknowledged twice"
                );
                done += 1;
                if *moment >= warm {
                    let took = at.saturating_sub(*sent).as_nanos() as u64;
                    latencies.saturating_record(took.clamp(1, LATENCY_MAX_NS));
                }
            }
            let last = plan.last().copied().unwrap_or_default();
            ensure!(
                begun.elapsed() < last + PATIENCE,
                "{done} of {} orders were acknowledged",
                plan.len()
            );
        }
        self.next = Some(first + plan.len() as u32);
        Ok(Timed {
            latencies,
            orders: plan.len() as u64,
        })
    }

    /// Waits for bytes, and takes in what there is.
    fn turn(&mut self, timeout: Duration) -> Result<()> {
        self.flush();
        let mut ready = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut ready, Some(TimeSpec::from(timeout)), None) {
            Ok(0) | Err(nix::Error::EINTR) => {}
            Ok(_) => self.read()?,
            Err(error) => return Err(error).context("the system waits for no bytes"),
        }
        self.session.handle_timer(self.start.elapsed().as_nanos() as u64);
        self.flush();
        Ok(())
    }

    fn read(&mut self) -> Result<()> {
        let mut bytes = [0; READ_BYTES];
        let mut space = nix::cmsg_space!(TimeSpec);
        let mut at = now()?;
        let count = {
            let mut slices = [IoSliceMut::new(&mut bytes)];
            let read = recvmsg::<()>(
                self.stream.as_raw_fd(),
                &mut slices,
                Some(&mut space),
                MsgFlags::empty(),
            );
            let read = match read {
                Err(nix::Error::EAGAIN | nix::Error::EINTR) => return Ok(()),
                read => read.context("the connection broke")?,
            };
            for message in read.cmsgs()? {
                if let ControlMessageOwned::ScmTimestampns(time) = message {
                    at = Duration::from(time);
                }
            }
            read.bytes
        };
        ensure!(count > 0, "the exchange closed the connection");
        self.inbound.extend_from_slice(bytes.get(..count).unwrap_or_default());
        loop {
            let taken = self
                .session
                .handle_bytes(self.start.elapsed().as_nanos() as u64, &self.inbound);
            self.inbound.drain(..taken);
            let mut polled = 0;
            while let Some(event) = self.session.poll_event() {
                polled += 1;
                match event {
                    ClientEvent::LoggedIn(_) | ClientEvent::Unsequenced(_) | ClientEvent::Debug(_) => {}
                    ClientEvent::Closed(why) => bail!("the session ended: {why:?}"),
                    ClientEvent::Sequenced(_, bytes) => match Outbound::decode(bytes)? {
                        Outbound::OrderAccepted(order) => self.answered.push((order.user_ref.0, at)),
                        Outbound::AccountQueryResponse(answer) => self.next = Some(answer.next_user_ref.0),
                        Outbound::OrderRejected(why) => bail!("an order was refused: {why:?}"),
                        _ => {}
                    },
                }
            }
            if taken == 0 && polled == 0 || self.inbound.is_empty() {
                break;
            }
        }
        if self.session.is_logged_in() && !self.asked {
            self.asked = true;
            self.message.clear();
            Inbound::from(AccountQuery {}).encode(&mut self.message);
            self.session.send(&self.message)?;
        }
        Ok(())
    }

    fn flush(&mut self) {
        loop {
            let output = self.session.poll_output();
            if output.is_empty() {
                return;
            }
            match self.stream.write(output) {
                Ok(count) => self.session.handle_sent(self.start.elapsed().as_nanos() as u64, count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A broken connection is found by who reads it.
                Err(_) => return,
            }
        }
    }
}

/// By the clock of the system's receive timestamps.
fn now() -> Result<Duration> {
    Ok(Duration::from(clock_gettime(ClockId::CLOCK_REALTIME)?))
}

/// Rests; some hundred levels, none of which ever trades.
fn order(user_ref: u32) -> Result<EnterOrder<'static>> {
    Ok(EnterOrder {
        user_ref: UserRefNum(user_ref),
        side: Side::Buy,
        quantity: Quantity(100),
        symbol: Symbol::new(SYMBOL).context("the symbol")?,
        price: Price(500_000 + u64::from(user_ref % 128) * 100),
        time_in_force: TimeInForce::Day,
        display: Display::Visible,
        capacity: Capacity::Principal,
        inter_market_sweep: InterMarketSweep::NotEligible,
        cross_type: CrossType::Continuous,
        cl_ord_id: ClOrdId::BLANK,
        appendage: Appendage::EMPTY,
    })
}
