//! One connection from its handshake to its end: login, the feed, recoveries beside it.

use quinn::{Connection, Incoming, RecvStream, SendStream, VarInt};
use rialto_conflate::Interest;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

use crate::counters::SubscriberCounters;
use crate::door::Entitlement;
use crate::frames::{self, Login, Recovery, Refusal, Reject, Start, put};
use crate::limits::{
    HISTORY_RETRY, IDLE_TIME, LOGIN_TIME, RECOVERIES_PER_SECOND, RECOVERY_MESSAGES_MAX, REQUEST_BYTES_MAX,
};
use crate::server::Shared;
use crate::wake::Wake;
use crate::writer::{Look, Writer};

const DONE: VarInt = VarInt::from_u32(0);
const REFUSED: VarInt = VarInt::from_u32(1);
const VIOLATION: VarInt = VarInt::from_u32(2);
const BEHIND: VarInt = VarInt::from_u32(3);
const STOPPING: VarInt = VarInt::from_u32(4);

/// How often a stalled subscriber is looked at.
const STALL_LOOK: Duration = Duration::from_millis(10);

/// How a connection ended.
enum End {
    Left,
    Refused,
    Violation(&'static str),
    Behind(&'static str),
    Stopping,
}

/// Serves a connection until it is over.
pub(crate) async fn serve(shared: Rc<Shared>, incoming: Incoming) {
    let waiting = shared.waiting();
    let Ok(Ok(connection)) = timeout(LOGIN_TIME, async { incoming.await }).await else {
        return;
    };
    let end = run(&shared, &connection, waiting).await;
    let (code, why) = match end {
        End::Left => (DONE, ""),
        End::Refused => (REFUSED, "login refused"),
        End::Violation(why) => {
            shared.count(|counters| counters.violations += 1);
            (VIOLATION, why)
        }
        End::Behind(why) => {
            shared.count(|counters| counters.cut += 1);
            (BEHIND, why)
        }
        End::Stopping => (STOPPING, "the server stops"),
    };
    connection.close(code, why.as_bytes());
}

/// Counts a connection that has not logged in as long as it lives.
pub(crate) struct Waiting(pub(crate) Rc<Cell<usize>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn run(shared: &Rc<Shared>, connection: &Connection, waiting: Waiting) -> End {
    let Ok(streams) = timeout(LOGIN_TIME, connection.accept_bi()).await else {
        return End::Violation("no login came in time");
    };
    let Ok((mut send, mut receive)) = streams else {
        return End::Left;
    };
    let frame = match timeout(LOGIN_TIME, read_frame(&mut receive)).await {
        Ok(Ok(frame)) => frame,
        Ok(Err(end)) => return end,
        Err(_) => return End::Violation("no login came in time"),
    };
    let Ok(mut login) = Login::decode(&frame) else {
        return End::Violation("the first frame is no login");
    };
    let entitlement = match shared.ask(&login.user, &login.password).await {
        Some(Some(entitlement)) => entitlement,
        Some(None) => return refuse(shared, &mut send, Reject::NotAuthorised, "name and password do not fit").await,
        None => {
            return refuse(
                shared,
                &mut send,
                Reject::Busy,
                "too many logins wait; try again in a second",
            )
            .await;
        }
    };
    if let Some(port) = shared.elsewhere(&login.user).filter(|_| Login::is_movable(&frame)) {
        shared.count(|counters| counters.elsewhere += 1);
        return turn_away(&mut send, Reject::Elsewhere, &port.to_string()).await;
    }
    if let Start::At { session, next } = login.start
        && shared.is_misled(&login.user, session, next)
    {
        login.start = Start::Snapshot;
    }
    drop(waiting);
    let interest = narrowed(&entitlement, &login);
    let mut out = Vec::new();
    frames::accepted(&mut out);
    let made = {
        let hub = &mut shared.hub.borrow_mut();
        Writer::new(hub, login.mode, login.start, interest.clone(), Instant::now(), &mut out)
    };
    let mut writer = match made {
        Ok(writer) => writer,
        Err(error) => return refuse(shared, &mut send, Reject::Field, &error.to_string()).await,
    };
    let (key, wake) = shared.enter(SubscriberCounters {
        user: login.user.clone(),
        firm: entitlement.firm,
        ..SubscriberCounters::default()
    });
    let end = tokio::select! {
        end = tell(shared, &mut writer, (key, &login.user, &wake), &mut send, out) => end,
        end = until_over(&mut receive) => end,
        end = recoveries(shared, connection, &interest) => end,
        _ = connection.closed() => End::Left,
    };
    if let End::Behind(why) = end {
        let mut cut = Vec::new();
        put(&mut cut, b'X', &[why.as_bytes()]);
        // It may find no room; the close says it once more.
        let _ = timeout(Duration::from_millis(10), send.write_all(&cut)).await;
    }
    writer.leave(&mut shared.hub.borrow_mut());
    shared.leave(key);
    end
}

/// What the firm may see of what the login asks for.
fn narrowed(entitlement: &Entitlement, login: &Login) -> Interest {
    if login.stocks.is_empty() {
        return entitlement.instruments.clone();
    }
    let stocks = login.stocks.iter().copied();
    Interest::Stocks(
        stocks
            .filter(|&stock| entitlement.instruments.includes(stock))
            .collect(),
    )
}

async fn refuse(shared: &Shared, send: &mut SendStream, code: Reject, text: &str) -> End {
    shared.count(|counters| counters.rejected += 1);
    turn_away(send, code, text).await
}

async fn turn_away(send: &mut SendStream, code: Reject, text: &str) -> End {
    let mut out = Vec::new();
    put(&mut out, b'J', &[&[code as u8], text.as_bytes()]);
    let written = timeout(LOGIN_TIME, async {
        send.write_all(&out).await.ok()?;
        send.finish().ok()?;
        send.stopped().await.ok()
    });
    let _ = written.await;
    End::Refused
}

/// Tells the feed. Nothing of the hub is held while the transport takes its time.
async fn tell(
    shared: &Rc<Shared>,
    writer: &mut Writer,
    (key, user, wake): (u64, &str, &Wake),
    send: &mut SendStream,
    mut out: Vec<u8>,
) -> End {
    let (mut bytes, mut looks) = (0, 0);
    loop {
        if !out.is_empty() {
            bytes += out.len() as u64;
            let stalled = Instant::now();
            while shared.is_stalled(user) {
                if shared.is_stopping() {
                    return End::Stopping;
                }
                if stalled.elapsed() > shared.config.stale_max {
                    return End::Behind("what was told was not read in time");
                }
                sleep(STALL_LOOK).await;
            }
            match timeout(shared.config.stale_max, send.write_all(&out)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return End::Left,
                Err(_) => return End::Behind("what was told was not read in time"),
            }
            out.clear();
            // One buffer's worth at a time: others have their turn.
            tokio::task::yield_now().await;
        }
        if shared.is_stopping() {
            return End::Stopping;
        }
        looks += 1;
        let look = {
            let hub = &mut shared.hub.borrow_mut();
            let look = writer.look(hub, &shared.config, Instant::now(), shared.now_ns(), &mut out);
            shared.state(key, |counters| {
                let (user, firm) = (std::mem::take(&mut counters.user), std::mem::take(&mut counters.firm));
                *counters = SubscriberCounters {
                    user,
                    firm,
                    bytes,
                    looks,
                    ..writer.counters(hub)
                };
            });
            look
        };
        match look {
            Look::Write => {}
            Look::Cut(why) => return End::Behind(why),
            Look::Wait(most, until) => {
                let _ = timeout(most, wake.wait(until)).await;
                wake.at_work();
            }
            Look::Snapshot => {
                let Ok(_place) = shared.snapshots.acquire().await else {
                    return End::Stopping;
                };
                writer.snapshot(&shared.hub.borrow(), &mut out);
                bytes += out.len() as u64;
                match timeout(shared.config.stale_max, send.write_all(&out)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return End::Left,
                    Err(_) => return End::Behind("a snapshot was not read in time"),
                }
                out = Vec::new();
            }
        }
    }
}

/// The rest of the login's stream: its end means that the client leaves; there is nothing more to say on it.
async fn until_over(receive: &mut RecvStream) -> End {
    let mut more = [0; 64];
    match receive.read(&mut more).await {
        Ok(Some(_)) => End::Violation("nothing may follow a login on its stream"),
        _ => End::Left,
    }
}

/// Answers recoveries, one after another.
async fn recoveries(shared: &Rc<Shared>, connection: &Connection, interest: &Interest) -> End {
    let mut budget = Budget::new();
    loop {
        let Ok((mut send, mut receive)) = connection.accept_bi().await else {
            return End::Left;
        };
        let frame = match timeout(LOGIN_TIME, read_frame(&mut receive)).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(End::Left)) | Err(_) => continue,
            Ok(Err(end)) => return end,
        };
        let Ok(recovery) = Recovery::decode(&frame) else {
            return End::Violation("a stream beside the feed must begin with a recovery");
        };
        let answered = timeout(IDLE_TIME, answer(shared, &mut send, &recovery, interest, &mut budget));
        match answered.await {
            Ok(None) => {}
            // Who does not wait as it was told is not read until then: refusals cost others no more than answers do.
            Ok(Some(again)) => sleep(again).await,
            Err(_) => return End::Behind("a recovery was not read in time"),
        }
    }
}

/// Answers one. What is given back: how long to wait before another one, where it came over the budget.
async fn answer(
    shared: &Shared,
    send: &mut SendStream,
    recovery: &Recovery,
    interest: &Interest,
    budget: &mut Budget,
) -> Option<Duration> {
    let Recovery { session, first, count } = *recovery;
    let mut out = Vec::new();
    let mut old = None;
    let refusal = {
        let hub = shared.hub.borrow();
        if let Err(after_ms) = budget.take(Instant::now()) {
            Some((Refusal::Budget, after_ms))
        } else if hub.session() != Some(session) {
            Some((Refusal::Session, 0))
        } else if first == 0 || count == 0 || count > RECOVERY_MESSAGES_MAX {
            Some((Refusal::Field, 0))
        } else if first < hub.first() {
            // At most RECOVERY_MESSAGES_MAX.
            old = Some(count.min((hub.first() - first) as u32) as u16);
            None
        } else if first >= hub.next() {
            Some((Refusal::NotSent, 1_000))
        } else {
            None
        }
    };
    let over = match refusal {
        Some((Refusal::Budget, after_ms)) => Some(Duration::from_millis(after_ms.into())),
        _ => None,
    };
    let mut told = None;
    let refusal = match old {
        None => refusal,
        Some(count) => match shared.ask_history(session, first, count).await {
            None if shared.has_history() => Some((Refusal::Budget, HISTORY_RETRY.as_millis() as u32)),
            Some(answer) if answer.count > 0 => {
                told = Some(answer);
                None
            }
            _ => Some((Refusal::Old, 0)),
        },
    };
    if let Some((code, after_ms)) = refusal {
        shared.count(|counters| counters.recoveries_refused += 1);
        put(&mut out, b'Z', &[&[code as u8], &after_ms.to_be_bytes()]);
        let _ = send.write_all(&out).await;
        let _ = send.finish();
        return over;
    }
    shared.count(|counters| counters.recoveries += 1);
    let end = first.saturating_add(count.into());
    let mut next = first;
    if let Some(answer) = told {
        next = shared
            .hub
            .borrow()
            .packets_of(session, first, &answer.blocks, interest, &mut out);
        if send.write_all(&out).await.is_err() {
            return None;
        }
    }
    loop {
        out.clear();
        let before = next;
        {
            let hub = shared.hub.borrow();
            // A session that ended in between has nothing more to give.
            if hub.session() == Some(session) && next >= hub.first() {
                next = hub.packets(next, end, interest, &mut out);
            }
        }
        let done = next == before || next >= end;
        if done {
            put(&mut out, b'D', &[&next.to_be_bytes()]);
        }
        if send.write_all(&out).await.is_err() || done {
            let _ = send.finish();
            return None;
        }
    }
}

/// Recoveries in a second: as many at once, and one more each so many milliseconds.
struct Budget {
    left: u32,
    since: Instant,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: RECOVERIES_PER_SECOND,
            since: Instant::now(),
        }
    }

    /// Takes one, or says after how many milliseconds there is one again.
    fn take(&mut self, now: Instant) -> Result<(), u32> {
        let each = 1_000 / RECOVERIES_PER_SECOND;
        let gained = now.duration_since(self.since).as_millis() as u64 / u64::from(each);
        if gained > 0 {
            self.left = RECOVERIES_PER_SECOND.min(self.left.saturating_add(gained.min(u32::MAX.into()) as u32));
            self.since = now;
        }
        self.left = self.left.checked_sub(1).ok_or(each)?;
        Ok(())
    }
}

/// The next frame a client sent, without its length.
async fn read_frame(receive: &mut RecvStream) -> Result<Vec<u8>, End> {
    let mut length = [0; frames::LENGTH_LEN];
    receive.read_exact(&mut length).await.map_err(|_| End::Left)?;
    let length = usize::from(u16::from_be_bytes(length));
    if length == 0 || length > REQUEST_BYTES_MAX {
        return Err(End::Violation("a frame of this length is none of this protocol"));
    }
    let mut frame = vec![0; length];
    receive.read_exact(&mut frame).await.map_err(|_| End::Left)?;
    Ok(frame)
}
