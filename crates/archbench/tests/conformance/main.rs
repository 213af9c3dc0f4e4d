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
//! | [`shortage`] | descriptors, threads and workers that are missing |
//! | [`variants`] | options that must not change an answer |
//! | [`usage`] | wrong command lines |

#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

mod bodies;
mod changes;
mod client;
mod connections;
mod counts;
mod cutting;
mod golden;
mod nature;
mod patience;
mod server;
mod shortage;
mod site;
mod stopping;
mod usage;
mod variants;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use server::{Model, Recipe, Server};
use site::Site;

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

/// One thing that every architecture must do.
pub(crate) type Case = (&'static str, fn(&Bench));

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of a case is waiting for deadlines, so more of them than processors run at a time.
    arguments.test_threads.get_or_insert(6);
    let site = Arc::new(Site::new());
    let subjects: [(&str, &[Case]); 12] = [
        ("golden", golden::CASES),
        ("cutting", cutting::CASES),
        ("connections", connections::CASES),
        ("bodies", bodies::CASES),
        ("patience", patience::CASES),
        ("changes", changes::CASES),
        ("stopping", stopping::CASES),
        ("counts", counts::CASES),
        ("nature", nature::CASES),
        ("shortage", shortage::CASES),
        ("variants", variants::CASES),
        ("usage", usage::CASES),
    ];
    let mut trials = Vec::new();
    for (subject, cases) in subjects {
        for model in Model::all() {
            for &(name, case) in cases {
                let bench = Bench {
                    model: model.clone(),
                    site: Arc::clone(&site),
                };
                let trial = Trial::test(
                    format!("{}::{subject}::{name}", bench.model.name),
                    move || {
                        case(&bench);
                        Ok(())
                    },
                );
                trials.push(trial);
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
