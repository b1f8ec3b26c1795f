//! Stages onto threads. Threads are stopped in the order of the flow: each drains when nothing more can come to it.

use super::core::Core;
use rialto_feed::FeedStage;
use rialto_gateway::{FixDoor, OuchDoor};
use rialto_ring::layout::Cores;
use rialto_ring::{Idle, Layout, Stage, Stop, SystemClock, run as run_stages};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// Everything that is polled.
pub(super) struct Stages<'a> {
    pub(super) ouch: &'a mut OuchDoor<SystemClock>,
    pub(super) fix: &'a mut FixDoor<SystemClock>,
    pub(super) core: &'a mut Core<SystemClock>,
    pub(super) feed: &'a mut FeedStage<SystemClock>,
}

/// Stages that share a thread, in the order of the flow.
struct Group<'a> {
    name: &'static str,
    stages: Vec<&'a mut dyn Stage>,
    idle: Idle,
}

/// Runs the stages while `control` runs on the calling thread, then drains them. What `control` returns, it returns.
///
/// Threads are pinned, a core each, where there are as many cores as threads; a thread that may not have a core of its own
/// never spins.
pub(super) fn run<T>(stages: Stages<'_>, layout: Layout, idle: Idle, failed: &Stop, control: impl FnOnce() -> T) -> T {
    let cores = Cores::read();
    let groups = groups(stages, layout.resolve(cores.count()), idle, cores.count());
    let pinned = groups.len() <= cores.count() && cores.count() > 1;
    std::thread::scope(|scope| {
        let threads: Vec<(Stop, ScopedJoinHandle<'_, ()>)> = groups
            .into_iter()
            .enumerate()
            .map(|(index, group)| {
                let core = pinned.then(|| (cores.clone(), index));
                spawn(scope, group, core, failed)
            })
            .collect();
        let result = control();
        for (stop, thread) in threads {
            stop.drain();
            if thread.join().is_err() {
                failed.fail("a stage panicked; its message stands above");
            }
            if let Some(failure) = failed.failure() {
                stop.fail(failure);
            }
        }
        result
    })
}

fn spawn<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    mut group: Group<'env>,
    core: Option<(Cores, usize)>,
    failed: &Stop,
) -> (Stop, ScopedJoinHandle<'scope, ()>) {
    let name = group.name;
    let stop = Stop::new();
    let mine = stop.clone();
    let failed = failed.clone();
    let body = move || {
        if let Some((cores, index)) = core {
            // A system that refuses costs latency, not correctness.
            let _ = cores.pin(index);
        }
        let mut watch = Watch {
            failed,
            mine: mine.clone(),
        };
        let mut stages: Vec<&mut dyn Stage> = vec![&mut watch];
        stages.extend(group.stages.iter_mut().map(|stage| &mut **stage as &mut dyn Stage));
        run_stages(&mut stages, group.idle, &mine);
    };
    let thread = Builder::new().name(name.to_owned()).spawn_scoped(scope, body);
    (stop, thread.expect("the system gives no thread; nothing runs without"))
}

/// Stops its thread at once when something broke anywhere.
struct Watch {
    failed: Stop,
    mine: Stop,
}

impl Stage for Watch {
    fn name(&self) -> &'static str {
        "watch"
    }

    fn poll(&mut self) -> usize {
        if let Some(failure) = self.failed.failure() {
            self.mine.fail(failure);
        }
        0
    }

    fn is_drained(&self) -> bool {
        true
    }
}

fn groups(stages: Stages<'_>, layout: Layout, idle: Idle, cores: usize) -> Vec<Group<'_>> {
    let Stages { ouch, fix, core, feed } = stages;
    let Core {
        sequencer,
        engine,
        gate,
        sync,
        hash,
        ..
    } = core;
    // A thread that blocks or fans out does not spin: it would take the core of one that must.
    let quiet = if idle == Idle::Spin { Idle::Yield } else { idle };
    let matching = if cores < layout.threads() { quiet } else { idle };
    let group = |name, idle, stages| Group { name, stages, idle };
    match layout {
        Layout::One | Layout::Auto => {
            vec![group(
                "rialto",
                matching,
                vec![ouch, fix, sequencer, engine, gate, sync, hash, feed],
            )]
        }
        Layout::Two => vec![
            group("match", matching, vec![ouch, fix, sequencer, engine, gate]),
            group("fan-out", quiet, vec![sync, feed, hash]),
        ],
        Layout::PerCore => vec![
            group("doors", matching, vec![ouch, fix]),
            group("sequence", matching, vec![sequencer]),
            group("match", matching, vec![engine, gate]),
            group("fan-out", quiet, vec![feed, hash]),
            group("sync", quiet, vec![sync]),
        ],
    }
}
