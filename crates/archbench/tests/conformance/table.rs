//! What goes wrong, and what each architecture makes of it: a table in ARCHITECTURE.md, made from the tests.
//!
//! A [`Fault`] returns what it has shown of an architecture, in words; the table must have these words for it. So a row that
//! is out of date fails the test that it came from.
//!
//! `ARCHBENCH_BLESS=1 cargo test -p archbench --test conformance` writes the table anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::Bench;
use crate::server::Model;

/// Something that goes wrong.
pub(crate) struct Fault {
    /// The name of its case.
    pub(crate) name: &'static str,
    /// What goes wrong: the row.
    pub(crate) fault: &'static str,
    /// Provokes it, asserts what becomes of it, and says that.
    pub(crate) show: fn(&Bench) -> &'static str,
    /// Whether only root can provoke it.
    pub(crate) needs_root: bool,
}

impl Fault {
    pub(crate) const fn new(
        name: &'static str,
        fault: &'static str,
        show: fn(&Bench) -> &'static str,
    ) -> Self {
        Self {
            name,
            fault,
            show,
            needs_root: false,
        }
    }

    pub(crate) const fn needs_root(mut self) -> Self {
        self.needs_root = true;
        self
    }
}

/// What stands before and after the table.
const MARKS: [&str; 2] = [
    "<!-- begin: ARCHBENCH_BLESS=1 cargo test -p archbench --test conformance -->\n",
    "<!-- end -->\n",
];
const HEAD: &str = "| what goes wrong | what happens | where |\n| --- | --- | --- |\n";
/// Stands for every model that there is or will be.
const EVERYWHERE: &str = "all";

/// What has been shown: by fault, by model.
static SHOWN: Mutex<BTreeMap<(&str, String), &str>> = Mutex::new(BTreeMap::new());

fn is_to_be_written() -> bool {
    std::env::var_os("ARCHBENCH_BLESS").is_some()
}

fn document() -> (PathBuf, String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).expect("ARCHITECTURE.md");
    (path, text)
}

/// The document around the table, and the table.
fn cut(text: &str) -> [&str; 3] {
    let [begin, end] = MARKS;
    let (before, rest) = text.split_once(begin).expect("a mark before the table");
    let (table, after) = rest.split_once(end).expect("a mark after the table");
    [before, table, after]
}

/// One line of the table, with the fault that it is about.
struct Row {
    fault: String,
    outcome: String,
    models: Vec<String>,
}

fn rows() -> Vec<Row> {
    let (_, text) = document();
    let [_, table, _] = cut(&text);
    let body = table.strip_prefix(HEAD).expect("the head of the table");
    let mut fault = String::new();
    body.lines()
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [named, outcome, models] = cells[..] else {
                panic!("not three cells: {line}");
            };
            if !named.is_empty() {
                fault = named.to_owned();
            }
            Row {
                fault: fault.clone(),
                outcome: outcome.to_owned(),
                models: models.split(", ").map(str::to_owned).collect(),
            }
        })
        .collect()
}

/// Holds what a test has shown against the table.
pub(crate) fn hold(fault: &Fault, bench: &Bench, shown: &'static str) {
    let model = bench.model.name.clone();
    if is_to_be_written() {
        let mut all = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((fault.fault, model), shown);
        return;
    }
    let says = rows().into_iter().find(|row| {
        row.fault == fault.fault
            && row
                .models
                .iter()
                .any(|name| *name == model || name == EVERYWHERE)
    });
    assert_eq!(
        says.map(|row| row.outcome).as_deref(),
        Some(shown),
        "ARCHITECTURE.md on the left; write it anew with ARCHBENCH_BLESS=1"
    );
}

/// There is nothing in the table that no test shows.
pub(crate) fn has_nothing_else(faults: &[&Fault]) {
    let models = Model::all();
    for row in rows() {
        assert!(
            faults.iter().any(|fault| fault.fault == row.fault),
            "no test shows '{}'",
            row.fault
        );
        for name in row.models {
            assert!(
                name == EVERYWHERE || models.iter().any(|model| model.name == name),
                "there is no {name}"
            );
        }
    }
}

/// Writes the table, if that was asked for and all of it was shown.
pub(crate) fn write(faults: &[&Fault]) {
    if !is_to_be_written() {
        return;
    }
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let models = Model::all();
    if shown.len() < faults.len() * models.len() {
        println!(
            "the table in ARCHITECTURE.md stays as it is: not every test of it ran and passed"
        );
        return;
    }
    let mut table = HEAD.to_owned();
    for fault in faults {
        let of = |model: &Model| shown[&(fault.fault, model.name.clone())];
        let mut outcomes: Vec<&str> = models.iter().map(of).collect();
        let mut seen = Vec::new();
        outcomes.retain(|outcome| {
            !seen.contains(outcome) && {
                seen.push(*outcome);
                true
            }
        });
        for (number, outcome) in outcomes.iter().enumerate() {
            let with: Vec<_> = models
                .iter()
                .filter(|model| of(model) == *outcome)
                .map(|model| model.name.as_str())
                .collect();
            let with = match outcomes.len() {
                1 => EVERYWHERE.to_owned(),
                _ => with.join(", "),
            };
            let named = if number == 0 { fault.fault } else { "" };
            let _ = writeln!(table, "| {named} | {outcome} | {with} |");
        }
    }
    let (path, text) = document();
    let [before, _, after] = cut(&text);
    let [begin, end] = MARKS;
    std::fs::write(path, [before, begin, &table, end, after].concat()).expect("ARCHITECTURE.md");
}
