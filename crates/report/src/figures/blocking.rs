//! Where the user-level threads of a server wait, as in Capriccio's figure 5.

use super::sweep::titled;
use crate::figure::{Content, Figure};
use crate::page::levels::telling_level;
use crate::study::{Study, slug};
use results::Trial;

/// Servers that are shown.
const MOST: usize = 4;

/// Of each panel at its most telling level, of each server that has a blocking graph the first repeat that counts.
pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let mut figures = Vec::new();
    for panel in &study.panels {
        let level = telling_level(panel);
        for line in &panel.lines {
            let mut trials = line.at(level).into_iter().flat_map(|cell| &cell.trials);
            let has_one = |trial: &&&Trial| !trial.blocking_graph().is_empty();
            let counts = |trial: &&&Trial| trial.counts() && has_one(trial);
            let Some(trial) = trials.clone().find(counts).or_else(|| trials.find(has_one)) else {
                continue;
            };
            if figures.len() == MOST {
                return figures;
            }
            let name = titled(&line.model, &panel.circumstances(level));
            figures.push(Figure {
                id: format!("blocking-graph-{}", slug(&name)),
                title: titled("Blocking graph", &name),
                about: "Of one repeat. An edge is the thicker the more often it was gone, by orders of magnitude.".into(),
                content: Content::Graph(trial.blocking_graph().to_vec()),
            });
        }
    }
    figures
}
