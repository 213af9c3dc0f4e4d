//! What goes wrong, and what each architecture makes of it: a table in ARCHITECTURE.md, made from the tests.
//!
//! A [`Fault`] returns what it has shown of an architecture, in words; the table must have these words for it. So a row that
//! is out of date fails the test that it came from. A behaviour is named with its options where it differs from the default one.
//!
//! `ARCHBENCH_BLESS=1 cargo test -p archbench --test conformance` writes the table anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::case::Bench;
use crate::case::Scope;
use crate::room::Room;

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
    pub(crate) scope: Scope,
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
            scope: Scope::EachRoom,
        }
    }

    pub(crate) const fn needs_root(mut self) -> Self {
        self.needs_root = true;
        self
    }

    /// What becomes of it depends on the behaviour.
    pub(crate) const fn of_each_behaviour(mut self) -> Self {
        self.scope = Scope::EachBehaviour;
        self
    }
}

/// What stands before and after the table.
const MARKS: [&str; 2] = [
    "<!-- begin: ARCHBENCH_BLESS=1 cargo test -p archbench --test conformance -->\n",
    "<!-- end -->\n",
];
const HEAD: &str = "| what goes wrong | what happens | where |\n| --- | --- | --- |\n";
/// Stands for every architecture that there is or will be, in every behaviour.
const EVERYWHERE: &str = "all";

/// What has been shown: by fault, by room.
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
    /// Architectures, each in every behaviour that no other row of the fault names.
    rooms: Vec<String>,
}

fn rows() -> Vec<Row> {
    let (_, text) = document();
    let [_, table, _] = cut(&text);
    let body = table.strip_prefix(HEAD).expect("the head of the table");
    let mut fault = String::new();
    body.lines()
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [named, outcome, rooms] = cells[..] else {
                panic!("not three cells: {line}");
            };
            if !named.is_empty() {
                fault = named.to_owned();
            }
            Row {
                fault: fault.clone(),
                outcome: outcome.to_owned(),
                rooms: rooms.split(", ").map(str::to_owned).collect(),
            }
        })
        .collect()
}

/// Holds what a test has shown against the table.
pub(crate) fn hold(fault: &Fault, bench: &Bench, shown: &'static str) {
    if is_to_be_written() {
        let mut all = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert((fault.fault, bench.room.to_string()), shown);
        return;
    }
    let rows: Vec<_> = rows()
        .into_iter()
        .filter(|row| row.fault == fault.fault)
        .collect();
    let says = |room: &str| {
        let row = rows
            .iter()
            .find(|row| row.rooms.iter().any(|named| named == room));
        row.map(|row| &row.outcome[..])
    };
    let says = says(&bench.room.to_string())
        .or_else(|| says(bench.room.name()))
        .or_else(|| says(EVERYWHERE));
    assert_eq!(
        says,
        Some(shown),
        "ARCHITECTURE.md on the left; write it anew with ARCHBENCH_BLESS=1"
    );
}

/// There is nothing in the table that no test shows.
pub(crate) fn has_nothing_else(faults: &[&Fault]) {
    let rooms: Vec<_> = Room::in_each_behaviour()
        .iter()
        .map(ToString::to_string)
        .collect();
    for row in rows() {
        assert!(
            faults.iter().any(|fault| fault.fault == row.fault),
            "no test shows '{}'",
            row.fault
        );
        for named in row.rooms {
            assert!(
                named == EVERYWHERE || rooms.contains(&named),
                "there is no {named}"
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
    let table: Option<String> = faults.iter().map(|fault| lines(fault, &shown)).collect();
    let Some(table) = table else {
        println!(
            "the table in ARCHITECTURE.md stays as it is: not every test of it ran and passed"
        );
        return;
    };
    let (path, text) = document();
    let [before, _, after] = cut(&text);
    let [begin, end] = MARKS;
    let text = [before, begin, HEAD, &table, end, after].concat();
    std::fs::write(path, text).expect("ARCHITECTURE.md");
}

/// The rows of a fault, if all of them were shown.
fn lines(fault: &Fault, shown: &BTreeMap<(&str, String), &'static str>) -> Option<String> {
    // What becomes of it, and of whom, in the order of the catalogue.
    let mut outcomes: Vec<(&str, Vec<String>)> = Vec::new();
    let of = |room: &str| shown.get(&(fault.fault, room.to_owned())).copied();
    for room in Room::in_each_behaviour() {
        if room.is_variant() && fault.scope == Scope::EachRoom {
            continue;
        }
        let (default, outcome) = (of(room.name())?, of(&room.to_string())?);
        if room.is_variant() && outcome == default {
            continue;
        }
        match outcomes.iter_mut().find(|(known, _)| *known == outcome) {
            Some((_, with)) => with.push(room.to_string()),
            None => outcomes.push((outcome, vec![room.to_string()])),
        }
    }
    let differs = outcomes.len() > 1;
    let mut text = String::new();
    for (number, (outcome, with)) in outcomes.iter().enumerate() {
        let named = if number == 0 { fault.fault } else { "" };
        let with = match differs {
            true => with.join(", "),
            false => EVERYWHERE.to_owned(),
        };
        let _ = writeln!(text, "| {named} | {outcome} | {with} |");
    }
    Some(text)
}
