//! One battery for every architecture, in two halves: what all of them do alike is tried once for each protocol, in memory
//! ([`http1`], [`http2`]); what depends on who serves is tried on each architecture, over real sockets, against the built binary, and of the
//! former one pass of the golden file.
//!
//! The architectures come from the catalogue: one that is added there is tested here from then on, by every case, without an
//! edit. Where architectures differ by nature, each declares the difference, and [`nature`] holds what it declares in both
//! directions. What depends on that is tested in each behaviour, with the options that lead to it. A trial is called
//! `architecture::subject::case`:
//!
//! ```text
//! cargo test -p archbench --test conformance -- amped::stopping
//! cargo test -p archbench --test conformance -- 'mt --spawn prefork::'
//! cargo test -p archbench --test conformance -- http1::patience
//! ```
//!
//! | module | subject |
//! | --- | --- |
//! | [`golden`] | the answers, byte for byte, as `golden.txt` has them |
//! | [`cutting`] | requests that come in pieces, or many at once |
//! | [`connections`] | keeping, closing, half-closing, limits |
//! | [`http2`] | many requests of one connection at a time |
//! | [`bodies`] | large files, slow readers, ranges, sparse files |
//! | [`patience`] | deadlines |
//! | [`changes`] | files that change while they are served, and after |
//! | [`stopping`] | SIGTERM, SIGINT, drain deadlines |
//! | [`tls`] | answers over TLS, certificates, tickets, and what is no TLS |
//! | [`counts`] | what the server says it did, and what the clients saw |
//! | [`nature`] | what one architecture can and another cannot |
//! | [`shortage`] | descriptors, threads and processes that are not to be had |
//! | [`deaths`] | processes that end while they serve |
//! | [`hostile`] | clients that mean no good, and crowds of them |
//! | [`defects`] | code that panics |
//! | [`flood`] | thousands of requests, each answer verified |
//! | [`privileges`] | those of root, given up |
//! | [`surroundings`] | signals as they were inherited, Unix sockets, urgent data |
//! | [`variants`] | options that must not change an answer |
//! | [`usage`] | wrong command lines |
//!
//! What goes wrong, and what is shown to become of it, makes the [`table`] in ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod bodies;
mod case;
mod changes;
mod client;
mod connections;
mod counts;
mod crowd;
mod cutting;
mod deaths;
mod defects;
mod flood;
mod golden;
mod hostile;
mod hosts;
mod http1;
mod http2;
mod loops;
mod nature;
mod patience;
mod privileges;
mod quiet;
mod room;
mod server;
mod shortage;
mod site;
mod stopping;
mod surroundings;
mod table;
mod tls;
mod took;
mod usage;
mod variants;

use std::process::ExitCode;
use std::sync::Arc;

use case::{Bench, Case, Scope};
use libtest_mimic::{Arguments, Trial};
use room::Room;
use site::Site;
use table::Fault;

/// Most of a case is waiting for deadlines, so more of them than processors run at a time.
const AT_A_TIME: usize = 8;

fn main() -> ExitCode {
    quiet::listen();
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    let site = Arc::new(Site::new());
    let mut trials = protocol_trials(&site);
    // A room after the other, so that it shows what each takes.
    for room in Room::in_each_behaviour() {
        trials.extend(room_trials(&room, &site));
    }
    trials.push(Trial::test("table::has_nothing_else", || {
        table::has_nothing_else(&faults());
        Ok(())
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    took::print();
    table::write(&faults());
    conclusion.exit_code()
}

/// Every trial of what all architectures do alike.
fn protocol_trials(site: &Arc<Site>) -> Vec<Trial> {
    let subjects = PROTOCOLS.iter().flat_map(|(protocol, subjects)| {
        let subjects = subjects.iter();
        subjects.map(move |(subject, cases)| (protocol, subject, cases))
    });
    let cases = subjects.flat_map(|(protocol, subject, cases)| {
        let cases = cases.iter();
        cases.map(move |case| (*protocol, subject, case))
    });
    let trials = cases.map(|(protocol, subject, &(name, case))| {
        let site = Arc::clone(site);
        let name = format!("{subject}::{name}");
        Trial::test(format!("{protocol}::{name}"), move || {
            took::timed(protocol, &name, || case(&site));
            Ok(())
        })
    });
    trials.collect()
}

/// Every trial of one room in one behaviour.
fn room_trials(room: &Room, site: &Arc<Site>) -> Vec<Trial> {
    let mut trials = Vec::new();
    let hosts = match room.has_own_stack() {
        true => network::available(),
        false => Ok(()),
    };
    if let Err(why) = &hosts {
        println!("{room} is skipped, which takes two hosts: {why}");
    }
    let is_without_hosts = hosts.is_err();
    let mut add = |name: String, possible: bool, run: Box<dyn FnOnce(&Bench) + Send>| {
        let bench = Bench::new(*room, Arc::clone(site));
        let full = format!("{room}::{name}");
        let trial = Trial::test(full, move || {
            let trial = || took::timed(&bench.room.to_string(), &name, || run(&bench));
            match bench.room.has_own_stack() {
                true => hosts::run_on_two(trial),
                false => trial(),
            }
            Ok(())
        });
        trials.push(trial.with_ignored_flag(!possible || is_without_hosts));
    };
    let concerns = |scope: Scope| scope == Scope::EachBehaviour || !room.is_variant();
    let is_root = rustix::process::getuid().is_root();
    for &(subject, cases, faults) in SUBJECTS {
        for case in cases.iter().filter(|case| concerns(case.scope)) {
            let name = format!("{subject}::{}", case.name);
            add(name, true, Box::new(case.run));
        }
        for fault in faults.iter().filter(|fault| concerns(fault.scope)) {
            let name = format!("{subject}::{}", fault.name);
            let show = |bench: &Bench| table::hold(fault, bench, (fault.show)(bench));
            add(name, is_root || !fault.needs_root, Box::new(show));
        }
    }
    trials
}

fn faults() -> Vec<&'static Fault> {
    let faults = SUBJECTS.iter().flat_map(|(_, _, faults)| *faults);
    faults.collect()
}

/// Cases by their subjects.
type Subjects = &'static [(&'static str, &'static [http1::Case])];

/// What all architectures do alike, by protocol and subject.
const PROTOCOLS: &[(&str, Subjects)] = &[("http1", http1::SUBJECTS), ("http2", http2::SUBJECTS)];

/// What is tested: cases that are the same for all, and faults of which each architecture makes what it can.
const SUBJECTS: &[(&str, &[Case], &[Fault])] = &[
    ("golden", golden::CASES, &[]),
    ("cutting", cutting::CASES, &[]),
    ("shortage", shortage::CASES, shortage::FAULTS),
    ("deaths", deaths::CASES, deaths::FAULTS),
    ("defects", &[], defects::FAULTS),
    ("hostile", hostile::CASES, hostile::FAULTS),
    ("patience", patience::CASES, patience::FAULTS),
    ("connections", connections::CASES, connections::FAULTS),
    ("http2", http2::sockets::CASES, http2::sockets::FAULTS),
    ("bodies", bodies::CASES, &[]),
    ("changes", &[], changes::FAULTS),
    ("stopping", stopping::CASES, stopping::FAULTS),
    ("surroundings", surroundings::CASES, &[]),
    ("tls", tls::CASES, &[]),
    ("counts", counts::CASES, &[]),
    ("flood", flood::CASES, &[]),
    ("nature", nature::CASES, &[]),
    ("privileges", privileges::CASES, &[]),
    ("variants", variants::CASES, &[]),
    ("usage", usage::CASES, &[]),
];
