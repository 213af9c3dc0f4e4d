//! Whether the cases of natures find out what is not so.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arch::nature::{Behaviour, Carrier, Concurrency, DiskWait, Killed, Loss, Requests};

use super::{
    connections_have_the_carriers_that_are_declared, others_are_served_while_the_disk_is_slow,
    so_many_are_served_at_a_time,
};
use crate::case::Bench;
use crate::http2::sockets;
use crate::quiet;

/// Whoever declares another behaviour than its own, more or less in one fact, fails the case that holds it.
pub(super) fn false_declarations_are_found_out(bench: &Bench) {
    let own = bench.room.behaviour;
    type Lie = (Behaviour, fn(&Bench));
    let mut lies: Vec<Lie> = Vec::new();
    let concurrency = match own.concurrency {
        Concurrency::Any | Concurrency::OneEach(_) => Concurrency::One,
        Concurrency::One | Concurrency::Workers { .. } => Concurrency::Any,
    };
    lies.push((
        Behaviour { concurrency, ..own },
        so_many_are_served_at_a_time,
    ));
    let concurrency = match own.concurrency {
        Concurrency::OneEach(_) => Concurrency::Any,
        _ => Concurrency::OneEach(Carrier::Thread),
    };
    // Of one that serves one at a time this waits for others in vain, as above.
    if own.is_concurrent() {
        lies.push((
            Behaviour { concurrency, ..own },
            connections_have_the_carriers_that_are_declared,
        ));
    }
    let killed = match own.killed {
        Killed::Server => Killed::Replaced,
        Killed::Replaced | Killed::LoopReplaced | Killed::Connection => Killed::Server,
    };
    lies.push((
        Behaviour { killed, ..own },
        connections_have_the_carriers_that_are_declared,
    ));
    // In the other direction the lie is found when a quarter of a minute has passed.
    // And which loop a connection comes to is chance, so that another declaration may happen to be true.
    if !matches!(own.disk_wait, DiskWait::Server | DiskWait::Loop { .. }) {
        let disk_wait = DiskWait::Server;
        let lie = Behaviour { disk_wait, ..own };
        lies.push((lie, others_are_served_while_the_disk_is_slow));
    }
    let defect = match own.defect {
        Loss::Server | Loss::Process => Loss::Connection,
        Loss::Connection | Loss::Loop => Loss::Process,
        Loss::Answer => Loss::Connection,
    };
    lies.push((Behaviour { defect, ..own }, |bench| {
        crate::defects::cost_what_they_must(bench);
    }));
    // In the other direction it is found when a quarter of a minute has passed, as above.
    if own.requests == Requests::AtOnce {
        let requests = Requests::InTurn;
        lies.push((Behaviour { requests, ..own }, |bench| {
            sockets::one_of_them_is_slow(bench);
        }));
    }
    for (lie, case) in lies {
        let room = bench.room.declaring(lie);
        let bench = Bench::new(room, Arc::clone(&bench.site));
        let found = quiet::without_a_word(|| catch_unwind(AssertUnwindSafe(|| case(&bench))));
        assert!(found.is_err(), "nobody has noticed: {lie:?}");
    }
}
