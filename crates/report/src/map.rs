//! The map: which architecture answers which, who runs which step, where it is described, and where each was best.

use crate::standing::Standing;
use crate::study::Study;
use contracts::models::Model;
use results::Run;
use std::fmt;

/// The architectures of a catalogue as a tree, and where each leads by a run.
#[derive(Debug)]
pub struct Map<'a> {
    /// From the roots on, each before those that answer it.
    pub(crate) places: Vec<Place<'a>>,
}

/// An architecture in the tree: below the first of those that it answers.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) model: &'a Model,
    /// How far from a root.
    pub(crate) depth: usize,
    /// Of each of its ancestors below the root and of itself, from the highest on, whether it is the last below its parent.
    last: Vec<bool>,
    /// Whether another one is below it.
    is_answered: bool,
    /// Under which circumstances it leads, and by what.
    pub(crate) best: Vec<String>,
}

impl<'a> Map<'a> {
    /// Of a whole catalogue; `run` says who was best where.
    pub fn of(catalogue: &'a [Model], run: Option<&Run>) -> Self {
        let standings = run.map(|run| Standing::all(&Study::new(run, catalogue)));
        let mut map = Self { places: Vec::new() };
        let standings = standings.unwrap_or_default();
        for model in catalogue {
            if parent(model, catalogue).is_none() {
                map.add(model, &[], catalogue, &standings);
            }
        }
        // Whoever answer each other in a circle hang on no root.
        for model in catalogue {
            map.add(model, &[], catalogue, &standings);
        }
        map
    }

    fn add(
        &mut self,
        model: &'a Model,
        last: &[bool],
        catalogue: &'a [Model],
        standings: &[Standing],
    ) {
        let known = |place: &Place<'_>| place.model.name == model.name;
        if self.places.iter().any(known) {
            return;
        }
        let below = catalogue.iter().filter(|other| {
            parent(other, catalogue).is_some_and(|parent| parent.name == model.name)
        });
        let below: Vec<&Model> = below.collect();
        self.places.push(Place {
            model,
            depth: last.len(),
            last: last.to_vec(),
            is_answered: !below.is_empty(),
            best: best(&model.name, standings),
        });
        for (number, other) in below.iter().enumerate() {
            let mut last = last.to_vec();
            last.push(number + 1 == below.len());
            self.add(other, &last, catalogue, standings);
        }
    }
}

/// The first of those that it answers, of the catalogue.
fn parent<'a>(model: &Model, catalogue: &'a [Model]) -> Option<&'a Model> {
    let answered = model.predecessors.iter();
    let mut answered = answered.filter_map(|name| {
        catalogue
            .iter()
            .find(|other| other.name == *name && other.name != model.name)
    });
    answered.next()
}

/// Where its median is the best and others are shown to be behind it; where nobody can be told from anybody, nobody is best.
fn best(model: &str, standings: &[Standing]) -> Vec<String> {
    let leads = standings.iter().filter(|standing| {
        let is_decided = standing.leaders().count() < standing.ranked.len();
        let mut leaders = standing.leaders();
        is_decided && leaders.next().is_some_and(|best| best.model == model)
    });
    let mut places: Vec<(&str, Vec<&str>)> = Vec::new();
    for standing in leads {
        let (place, name) = (standing.circumstances.as_str(), standing.criterion.name());
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, names)) => names.push(name),
            None => places.push((place, vec![name])),
        }
    }
    let words = places.into_iter().map(|(place, names)| match place {
        "" => names.join(", "),
        place => format!("{place} ({})", names.join(", ")),
    });
    words.collect()
}

impl Place<'_> {
    /// Its family, when it was described, and whom it answers.
    pub(crate) fn lineage(&self) -> String {
        let model = self.model;
        let year = model.year.map_or(String::new(), |year| format!(", {year}"));
        let answers = match model.predecessors.as_slice() {
            [] => String::new(),
            predecessors => format!(", answers {}", predecessors.join(" and ")),
        };
        format!("{}{year}{answers}", model.family)
    }

    /// The strokes before its name, and those before the lines below it.
    fn strokes(&self) -> (String, String) {
        let (mut first, mut others) = (String::new(), String::new());
        for (place, last) in self.last.iter().enumerate() {
            let is_own = place + 1 == self.last.len();
            first.push_str(match (is_own, last) {
                (true, true) => "└─ ",
                (true, false) => "├─ ",
                (false, true) => "   ",
                (false, false) => "│  ",
            });
            others.push_str(if *last { "   " } else { "│  " });
        }
        others.push_str(if self.is_answered { "│  " } else { "   " });
        (first, others)
    }
}

/// As a tree of characters.
impl fmt::Display for Map<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in &self.places {
            let (first, others) = place.strokes();
            writeln!(out, "{first}{}: {}", place.model.name, place.lineage())?;
            writeln!(out, "{others}{}", place.model.summary)?;
            if !place.model.paper.is_empty() {
                writeln!(out, "{others}as in {}", place.model.paper)?;
            }
            if !place.best.is_empty() {
                writeln!(out, "{others}best: {}", place.best.join("; "))?;
            }
        }
        Ok(())
    }
}
