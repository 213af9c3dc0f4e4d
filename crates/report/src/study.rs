//! A run, arranged for drawing: which cells belong in one picture, and what lies along its axis.

use crate::family;
use crate::figure::Look;
use command::quantity::Unit;
use contracts::models::Model;
use results::{Cell, Factor, Hlog, Level, Run, Trial};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The factor whose levels are compared: every other one says under which circumstances.
pub(crate) const MODEL: &str = "model";
/// The factor that names a set of files, and those that may say by a number which one it is.
const FILES: &str = "files";
const SIZES: [&str; 2] = ["file_size", "dataset"];

/// What times are in an open loop, and in a closed one.
pub(crate) const RESPONSE: &str = "Response time";
pub(crate) const SERVICE: &str = "Service time";

/// A run and the order of its models.
#[derive(Debug)]
pub(crate) struct Study<'a> {
    pub(crate) run: &'a Run,
    pub(crate) panels: Vec<Panel<'a>>,
    complaints: RefCell<BTreeSet<String>>,
}

/// Cells that differ in the model and in one number at most.
#[derive(Debug)]
pub(crate) struct Panel<'a> {
    /// What they have in common and others do not, like `poisson`; may be empty.
    pub(crate) name: String,
    /// The number that differs.
    pub(crate) x: Option<&'a Factor>,
    /// One for each model.
    pub(crate) lines: Vec<Line<'a>>,
}

/// The cells of one model.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) model: String,
    pub(crate) look: Look,
    /// By the number that differs.
    pub(crate) cells: Vec<(f64, Cell<'a>)>,
}

impl<'a> Study<'a> {
    /// Arranges a run. Models look as their family and their place in it, by the `catalogue`, say, and those not in it come after it by name.
    pub(crate) fn new(run: &'a Run, catalogue: &[Model]) -> Self {
        let mut swept = run.swept();
        let numbered = SIZES.iter().any(|size| tells(run, size, FILES));
        swept.retain(|factor| factor.name != FILES || !numbered);
        let mut panels: Vec<Panel<'_>> = Vec::new();
        for group in groups(run, &swept) {
            panels.extend(split(group, &swept, catalogue, run));
        }
        Self {
            run,
            panels,
            complaints: RefCell::default(),
        }
    }
}

impl Study<'_> {
    /// The histograms of a trial. Where they cannot be read it is left out of figures, and complained of.
    pub(crate) fn log(&self, trial: &Trial) -> Option<Hlog> {
        match self.run.hlog(trial) {
            Ok(log) => log,
            Err(error) => {
                self.complaints.borrow_mut().insert(error.to_string());
                None
            }
        }
    }

    /// What could not be read so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.borrow().iter().cloned().collect()
    }
}

/// Whether the level of one factor says what that of the other is.
fn tells(run: &Run, one: &str, other: &str) -> bool {
    let mut known = BTreeMap::new();
    run.trials.iter().all(|trial| {
        let level = trial.level(other);
        *known
            .entry(trial.level(one))
            .or_insert_with(|| level.clone())
            == level
    })
}

/// Which factors say under which circumstances, and their levels.
type Circumstances = Vec<(String, Option<String>)>;

/// Cells with the same names for levels and the same numbers given.
fn groups<'a>(run: &'a Run, swept: &[&'a Factor]) -> Vec<(Circumstances, Vec<Cell<'a>>)> {
    let mut groups: Vec<(Circumstances, Vec<Cell<'a>>)> = Vec::new();
    for cell in run.cells() {
        let key: Circumstances = swept
            .iter()
            .filter(|factor| factor.name != MODEL)
            .map(|factor| {
                let level = cell.factors.get(&factor.name);
                // Of a number only whether it is given: it is what may lie along the axis.
                let name = level.map(|level| level.text().unwrap_or_default().to_owned());
                (factor.name.clone(), name)
            })
            .collect();
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, cells)) => cells.push(cell),
            None => groups.push((key, vec![cell])),
        }
    }
    groups
}

/// Picks what lies along the axis, and makes a panel for each level of the other numbers.
fn split<'a>(
    (circumstances, cells): (Circumstances, Vec<Cell<'a>>),
    swept: &[&'a Factor],
    catalogue: &[Model],
    run: &Run,
) -> Vec<Panel<'a>> {
    let number =
        |cell: &Cell<'_>, factor: &Factor| cell.factors.get(&factor.name).and_then(Level::number);
    let levels = |factor: &Factor| {
        let mut levels: Vec<f64> = cells
            .iter()
            .filter_map(|cell| number(cell, factor))
            .collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        levels.len()
    };
    let numbers = swept
        .iter()
        .filter(|factor| factor.name != MODEL && levels(factor) > 1);
    // The one with the most levels; of several such, the first.
    let x = numbers
        .clone()
        .rev()
        .max_by_key(|factor| levels(factor))
        .copied();
    let others: Vec<_> = numbers
        .filter(|factor| Some(&factor.name) != x.map(|x| &x.name))
        .collect();
    let names: Vec<String> = circumstances
        .iter()
        .filter_map(|(_, level)| level.clone())
        .filter(|name| !name.is_empty())
        .collect();
    let mut panels: Vec<Panel<'a>> = Vec::new();
    for cell in cells {
        let with = others
            .iter()
            .filter_map(|factor| Some(level(factor, number(&cell, factor)?)));
        let name = joined(names.iter().cloned().chain(with));
        let at = x.and_then(|x| number(&cell, x)).unwrap_or(0.0);
        let model = cell
            .factors
            .get(MODEL)
            .map_or_else(|| "server".to_owned(), ToString::to_string);
        let panel = match panels.iter().position(|panel| panel.name == name) {
            Some(place) => &mut panels[place],
            None => {
                panels.push(Panel {
                    name,
                    x,
                    lines: Vec::new(),
                });
                let last = panels.len() - 1;
                &mut panels[last]
            }
        };
        match panel.lines.iter_mut().find(|line| line.model == model) {
            Some(line) => line.cells.push((at, cell)),
            None => panel.lines.push(Line {
                look: family::look(&model, catalogue, run),
                model,
                cells: vec![(at, cell)],
            }),
        }
    }
    for panel in &mut panels {
        // Where only one level is left there is no axis.
        if let (Some(_), [only]) = (panel.x, panel.levels().as_slice()) {
            panel.name = panel.circumstances(*only);
            panel.x = None;
        }
        for line in &mut panel.lines {
            line.cells.sort_by(|one, other| one.0.total_cmp(&other.0));
        }
        panel.lines.sort_by_key(|line| line.look);
    }
    panels
}

impl<'a> Line<'a> {
    /// The cell at a level of the axis.
    pub(crate) fn at(&self, level: f64) -> Option<&Cell<'a>> {
        let mut cells = self.cells.iter();
        cells.find(|(x, _)| *x == level).map(|(_, cell)| cell)
    }
}

impl Panel<'_> {
    /// The levels along the axis.
    pub(crate) fn levels(&self) -> Vec<f64> {
        let mut levels: Vec<f64> = self
            .lines
            .iter()
            .flat_map(|line| line.cells.iter().map(|(x, _)| *x))
            .collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        levels
    }

    /// Whether requests come at times of their own.
    pub(crate) fn is_open(&self) -> bool {
        self.trials().any(Trial::is_open_loop)
    }

    /// What the times of its requests are.
    pub(crate) fn times(&self) -> &'static str {
        if self.is_open() { RESPONSE } else { SERVICE }
    }

    /// Whether what differs is the load that is offered.
    pub(crate) fn is_by_rate(&self) -> bool {
        self.x.is_some_and(|x| x.column.ends_with("_per_s"))
    }

    fn trials(&self) -> impl Iterator<Item = &Trial> {
        let cells = self.lines.iter().flat_map(|line| &line.cells);
        cells.flat_map(|(_, cell)| cell.trials.iter().copied())
    }

    /// The panel and a level of its axis, in words.
    pub(crate) fn circumstances(&self, at: f64) -> String {
        let at = self.x.map(|x| level(x, at)).unwrap_or_default();
        joined([self.name.clone(), at])
    }

    /// As part of an identifier.
    pub(crate) fn slug(&self) -> String {
        slug(&self.name)
    }
}

/// Letters and digits of it, joined by hyphens.
pub(crate) fn slug(text: &str) -> String {
    let words: Vec<String> = text
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.join("-")
}

/// Circumstances in words; those that go without saying are left out.
fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

/// A level of a factor, in words.
pub(crate) fn level(factor: &Factor, level: f64) -> String {
    let number = Unit::Plain.tick(level);
    let name = factor.name.replace('_', " ");
    match (factor.column.ends_with("_per_s"), factor.unit.as_str()) {
        (true, _) => format!("{number} requests/s"),
        (_, "bytes" | "B") => format!("{name} {}", Unit::Bytes.tick(level)),
        (_, "s" | "seconds") => format!("{name} {}", Unit::Seconds.tick(level)),
        (_, unit) => {
            let things = if unit.is_empty() { &name } else { unit };
            let one = things.strip_suffix('s').filter(|_| level == 1.0);
            format!("{number} {}", one.unwrap_or(things))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use results::fixture::Fixture;

    fn factor(name: &str, column: &str, unit: &str) -> Factor {
        let [name, column, unit] = [name, column, unit].map(String::from);
        Factor {
            name,
            column,
            unit,
            unknown: Default::default(),
        }
    }

    #[test]
    fn levels_are_told_as_people_would() {
        let connections = factor("connections", "connections", "connections");
        assert_eq!(level(&connections, 1.0), "1 connection");
        assert_eq!(level(&connections, 1024.0), "1,024 connections");
        assert_eq!(level(&factor("think", "think_s", "s"), 0.02), "think 20 ms");
        let rate = factor("rate", "rate_per_s", "requests/s");
        assert_eq!(level(&rate, 1.0), "1 requests/s");
        let size = factor("file_size", "file_size_bytes", "B");
        assert_eq!(level(&size, 1024.0), "file size 1 KiB");
    }

    /// One server under 16, 64 and 1,024 clients.
    fn three_cells() -> Run {
        let home = tempfile::tempdir().unwrap();
        let fixture = Fixture {
            models: vec!["sped".into()],
            rates: vec![],
            connections: vec![16.0, 64.0, 1024.0],
            repeats: 1,
            seconds: 1,
            mishaps: false,
            ..Fixture::default()
        };
        fixture.write(&home.path().join("run")).unwrap()
    }

    /// The panels of a run: their names, and what lies along their axes.
    fn panels(run: &Run) -> Vec<(String, Option<String>)> {
        let panels = Study::new(run, &[]).panels.into_iter();
        panels
            .map(|panel| (panel.name, panel.x.map(|x| x.name.clone())))
            .collect()
    }

    #[test]
    fn a_single_level_is_no_axis() {
        let mut run = three_cells();
        // The most clients think for longer than the others: of each think time there is a panel.
        run.manifest.factors.push(factor("think", "think_s", "s"));
        for trial in &mut run.trials {
            let connections = trial.factors["connections"].number().unwrap();
            let think = if connections > 1000.0 { 0.06 } else { 0.02 };
            trial.factors.insert("think".into(), Level::Number(think));
        }
        let expected = [
            ("think 20 ms".to_owned(), Some("connections".to_owned())),
            ("think 60 ms, 1,024 clients".to_owned(), None),
        ];
        assert_eq!(panels(&run), expected);
    }

    #[test]
    fn sizes_of_files_are_an_axis_though_their_sets_have_names() {
        let mut run = three_cells();
        let size = factor("file_size", "file_size_bytes", "B");
        run.manifest.factors = vec![factor("files", "files", ""), size];
        for (trial, kib) in run.trials.iter_mut().zip([1, 16, 64]) {
            let bytes = f64::from(kib) * 1024.0;
            let name = Level::Text(format!("single:{kib}k"));
            trial.factors = [("files", name), ("file_size", Level::Number(bytes))]
                .map(|(name, level)| (name.to_owned(), level))
                .into();
        }
        let by_size = Some("file_size".to_owned());
        assert_eq!(panels(&run), [(String::new(), by_size.clone())]);
        // Sets that differ in more than the size stay apart.
        let mut other = run.trials[0].clone();
        other.cell = 3;
        let name = Level::Text("uniform:9:1k".into());
        other.factors.insert("files".into(), name);
        run.trials.push(other);
        assert_eq!(panels(&run).len(), 4);
    }
}
