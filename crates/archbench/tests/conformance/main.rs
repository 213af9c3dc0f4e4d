//! One battery for every architecture, over real sockets, against the built binary.
//!
//! The architectures come from the binary's own catalogue: one that is added there is tested here from then on, by every
//! case, without an edit. Where architectures differ by nature, the difference is stated in [`nature`] and tested in
//! both directions. A trial is called `model::subject::case`:
//!
//! ```text
//! cargo test -p archbench --test conformance -- amped::pipelining
//! ```
//!
//! | module | subject |
//! | --- | --- |
//! | [`golden`] | the answers, byte for byte, as `golden.txt` has them |
//! | [`cutting`] | requests that come in pieces, or many at once |
//! | [`connections`] | keeping, closing, half-closing, limits |
//! | [`bodies`] | large files, slow readers, ranges, sparse files |
//! | [`patience`] | deadlines |
//! | [`changes`] | files that change while they are served, and after |
//! | [`stopping`] | SIGTERM, SIGINT, drain deadlines |
//! | [`counts`] | what the server says it did, and what the clients saw |
//! | [`nature`] | what one architecture can and another cannot |
//! | [`shortage`] | descriptors, threads and processes that are not to be had |
//! | [`deaths`] | processes that end while they serve |
//! | [`hostile`] | clients that mean no good, and crowds of them |
//! | [`defects`] | code that panics |
//! | [`flood`] | thousands of requests, each answer verified |
//! | [`privileges`] | those of root, given up |
//! | [`variants`] | options that must not change an answer |
//! | [`usage`] | wrong command lines |
//!
//! What goes wrong, and what is shown to become of it, makes the [`table`] in ARCHITECTURE.md.

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod bodies;
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
mod nature;
mod patience;
mod privileges;
mod server;
mod shortage;
mod site;
mod stopping;
mod table;
mod took;
mod usage;
mod variants;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use libtest_mimic::{Arguments, Trial};
use server::{Model, Recipe, Server};
use site::Site;
use table::Fault;

/// What a case gets: an architecture, and files to serve.
pub(crate) struct Bench {
    pub(crate) model: Model,
    pub(crate) site: Arc<Site>,
}

impl Bench {
    /// A server of the site that all share, with the options of the case.
    pub(crate) fn serve(&self, options: &[&str]) -> Server {
        self.recipe().args(options).start()
    }

    pub(crate) fn recipe(&self) -> Recipe {
        Recipe::new(&self.model, self.site.root())
    }

    /// A server of a tree of the case's own.
    pub(crate) fn serve_from(&self, root: &std::path::Path, options: &[&str]) -> Server {
        Recipe::new(&self.model, root).args(options).start()
    }
}

type Run = Box<dyn FnOnce(&Bench) + Send>;

/// One thing that every architecture must do.
pub(crate) type Case = (&'static str, fn(&Bench));

/// Says that it is over when it is dropped: a scope whose threads wait for that comes to an end even if a case fails.
pub(crate) struct OnDrop<'a>(pub(crate) &'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of a case is waiting for deadlines, so more of them than processors run at a time.
    arguments.test_threads.get_or_insert(6);
    let site = Arc::new(Site::new());
    let models = Model::all();
    let mut trials = Vec::new();
    let is_root = rustix::process::getuid().is_root();
    let mut add = |name: String, model: &Model, possible: bool, run: Run| {
        let bench = Bench {
            model: model.clone(),
            site: Arc::clone(&site),
        };
        let full = format!("{}::{name}", model.name);
        let trial = Trial::test(full, move || {
            took::timed(&bench.model.name, &name, || run(&bench));
            Ok(())
        });
        trials.push(trial.with_ignored_flag(!possible));
    };
    // A room after the other, so that it shows what each takes.
    for model in &models {
        for &(subject, cases, faults) in SUBJECTS {
            for &(name, case) in cases {
                add(format!("{subject}::{name}"), model, true, Box::new(case));
            }
            for fault in faults {
                let show = |bench: &Bench| table::hold(fault, bench, (fault.show)(bench));
                let name = format!("{subject}::{}", fault.name);
                add(name, model, is_root || !fault.needs_root, Box::new(show));
            }
        }
    }
    let faults: Vec<_> = SUBJECTS.iter().flat_map(|(_, _, faults)| *faults).collect();
    trials.push(Trial::test("table::has_nothing_else", {
        let faults = faults.clone();
        move || {
            table::has_nothing_else(&faults);
            Ok(())
        }
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    took::print();
    table::write(&faults);
    conclusion.exit_code()
}

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
    ("bodies", bodies::CASES, &[]),
    ("changes", changes::CASES, changes::FAULTS),
    ("stopping", stopping::CASES, stopping::FAULTS),
    ("counts", counts::CASES, &[]),
    ("flood", flood::CASES, &[]),
    ("nature", nature::CASES, &[]),
    ("privileges", privileges::CASES, &[]),
    ("variants", variants::CASES, &[]),
    ("usage", usage::CASES, &[]),
];
