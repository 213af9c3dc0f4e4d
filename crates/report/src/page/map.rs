//! The map of the architectures, as a list in lists.

use crate::family;
use crate::html::escape;
use crate::map::Map;
use crate::study::MODEL;
use contracts::models::Model;
use results::Run;
use std::fmt::Write;

/// None without a catalogue.
pub(crate) fn section(run: &Run, catalogue: &[Model]) -> Option<String> {
    if catalogue.is_empty() {
        return None;
    }
    let map = Map::of(catalogue, Some(run));
    let mut out = String::from(
        "<section id=\"map\">\n<h2>The map</h2>\n<p>Which architecture answers which: each stands below the first of those whose shortcoming it answers. \
         Where it says <em>best</em>, its median is the best of this run, at the load that tells most, and at least one other is shown to be behind. The pale ones were not measured.</p>\n",
    );
    let mut depth = 0;
    for (place, next) in map.places.iter().enumerate() {
        match next.depth {
            deeper if place == 0 || deeper > depth => out.push_str("<ul class=\"tree\">\n"),
            same => {
                out.push_str("</li>\n");
                for _ in same..depth {
                    out.push_str("</ul></li>\n");
                }
            }
        }
        depth = next.depth;
        let model = next.model;
        let measured = run
            .trials
            .iter()
            .any(|trial| trial.level(MODEL) == model.name);
        let class =
            family::known(&model.name, catalogue).map_or(String::new(), |look| look.class());
        let _ = write!(
            out,
            "<li{}><span class=\"{class}\">●</span> <strong>{}</strong> <span class=\"note\">{}</span><br>{}<br><small>{}</small>",
            if measured { "" } else { " class=\"pale\"" },
            escape(&model.name),
            escape(&next.lineage()),
            escape(&model.summary),
            escape(&model.paper)
        );
        if !next.best.is_empty() {
            let _ = write!(
                out,
                "<br><span class=\"met\">best: {}</span>",
                escape(&next.best.join("; "))
            );
        }
    }
    for _ in 0..=depth {
        out.push_str("</li></ul>\n");
    }
    Some(out + "</section>\n")
}
