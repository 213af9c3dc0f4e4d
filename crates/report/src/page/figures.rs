//! Which figures there are, in which order.

use crate::draw::{Frame, svg};
use crate::error::Error;
use crate::figure::Figure;
use crate::figures::overlay::{Subject, overlays};
use crate::figures::series::Course;
use crate::figures::{
    ccdf, cdf, cpu, fairness, histogram, latency, memory, percentiles, series, sweep, switches,
    throughput,
};
use crate::html::escape;
use crate::quantity::Unit;
use crate::study::{Panel, Study, named, slug};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Levels whose distributions are in the page; of more, the rest is left to `archbench plot`.
const MOST_LEVELS: usize = 12;

/// An identifier and a title.
type Place = (&'static str, &'static str);

/// All sections with figures, and where they are.
pub(crate) fn sections(study: &Study<'_>) -> Result<(String, Vec<Place>), Error> {
    let mut page = Page::default();
    page.section(("throughput", "Throughput"), "", &throughput::of(study))?;
    page.section(("latency", "Latency"), "", &latency::of(study))?;
    let about = "A single server with a queue in front of it, under requests that come at random. Where the measurements lie on the curve, queueing alone explains \
                 them; where they lie above it, something else waits.";
    page.section(
        ("theory", "Latency and queueing theory"),
        about,
        &latency::against_theory(study),
    )?;
    distributions(&mut page, study)?;
    let cost = [cpu::of(study), switches::of(study), memory::of(study)].concat();
    page.section(("cost", "What it costs"), "", &cost)?;
    page.section(("fairness", "Fairness"), "", &fairness::of(study))?;
    Ok((page.html, page.places))
}

#[derive(Default)]
struct Page {
    html: String,
    places: Vec<Place>,
    /// How often each identifier was used.
    used: BTreeMap<String, usize>,
}

impl Page {
    fn section(&mut self, place: Place, about: &str, figures: &[Figure]) -> Result<(), Error> {
        if figures.is_empty() {
            return Ok(());
        }
        self.open(place, about);
        self.figures(figures)?;
        self.html.push_str("</section>\n");
        Ok(())
    }

    fn open(&mut self, (id, title): Place, about: &str) {
        self.places.push((id, title));
        self.used.insert(id.into(), 1);
        let _ = writeln!(self.html, "<section id=\"{id}\">\n<h2>{title}</h2>");
        if !about.is_empty() {
            let _ = writeln!(self.html, "<p>{about}</p>");
        }
    }

    fn figures(&mut self, figures: &[Figure]) -> Result<(), Error> {
        self.html.push_str("<div class=\"figures\">\n");
        for figure in figures {
            // Names of models may differ by what an identifier cannot hold.
            let used = self.used.entry(figure.id.clone()).or_default();
            *used += 1;
            let id = match *used {
                1 => figure.id.clone(),
                again => format!("{}-{again}", figure.id),
            };
            let figure = Figure {
                id,
                ..figure.clone()
            };
            let _ = writeln!(
                self.html,
                "<figure id=\"{}\">\n<h3>{}</h3>\n{}<figcaption>{}</figcaption>\n</figure>",
                escape(&figure.id),
                escape(&figure.title),
                svg(&figure, Frame::IN_PAGE)?,
                escape(&figure.about)
            );
        }
        self.html.push_str("</div>\n");
        Ok(())
    }
}

/// Whole distributions: of each panel at its most telling level, and folded away at the others.
fn distributions(page: &mut Page, study: &Study<'_>) -> Result<(), Error> {
    let mut open = false;
    let mut left = MOST_LEVELS;
    for panel in &study.panels {
        let telling = telling_level(panel);
        let mut levels = panel.levels();
        levels.sort_by_key(|level| *level != telling);
        for level in levels {
            if left == 0 {
                break;
            }
            let figures = at_level(study, panel, level)?;
            if figures.is_empty() {
                continue;
            }
            left -= 1;
            if !open {
                let about = "All requests of all repeats that count, together. In an open loop a request that had to wait for a connection, or was late because the \
                             server stalled, counts from when it was due.";
                page.open(("distributions", "Whole distributions"), about);
                open = true;
            }
            if level == telling {
                page.figures(&figures)?;
            } else {
                let _ = writeln!(
                    page.html,
                    "<details><summary>{}</summary>",
                    escape(&circumstances(panel, level))
                );
                page.figures(&figures)?;
                page.html.push_str("</details>\n");
            }
        }
    }
    if open {
        if left == 0 {
            page.html.push_str("<p>There are more levels than are shown here; <code>archbench plot</code> draws any of them.</p>\n");
        }
        page.html.push_str("</section>\n");
    }
    Ok(())
}

fn at_level(study: &Study<'_>, panel: &Panel<'_>, level: f64) -> Result<Vec<Figure>, Error> {
    let name = circumstances(panel, level);
    let subject = Subject {
        id: slug(&name),
        name,
        times: (if panel.is_open() {
            "Response time"
        } else {
            "Service time"
        })
        .into(),
    };
    let overlays = overlays(study, panel, level)?;
    let courses = courses(study, panel, level)?;
    let figures = [
        cdf::of(&subject, &overlays),
        ccdf::of(&subject, &overlays),
        percentiles::of(&subject, &overlays),
        histogram::of(&subject, &overlays),
        series::throughput(&subject, &courses),
        series::tail(&subject, &courses),
    ];
    Ok(figures.into_iter().flatten().collect())
}

/// The panel and the level, in words.
pub(crate) fn circumstances(panel: &Panel<'_>, level: f64) -> String {
    let at = panel
        .x
        .map(|x| match (x.column.ends_with("_per_s"), x.unit.as_str()) {
            (true, _) => format!("{} requests/s", Unit::Plain.tick(level)),
            (_, "bytes" | "B") => format!("{} {}", x.name, Unit::Bytes.tick(level)),
            (_, unit) if unit.is_empty() || unit == x.name => {
                format!("{} {}", Unit::Plain.tick(level), x.name)
            }
            (_, unit) => format!("{} {unit}", Unit::Plain.tick(level)),
        });
    let parts = [Some(panel.name.clone()), at]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(", ")
}

/// Of offered loads the highest that all could still bear; otherwise the highest.
fn telling_level(panel: &Panel<'_>) -> f64 {
    let levels = panel.levels();
    let borne = |level: f64| {
        panel.lines.iter().all(|line| {
            let cell = line.cells.iter().find(|(x, _)| *x == level);
            let rate = cell.and_then(|(_, cell)| named(cell, results::Figure::Throughput));
            rate.is_some_and(|rate| !rate.invalid && rate.value >= 0.95 * level)
        })
    };
    let highest = levels.last().copied().unwrap_or(0.0);
    if !panel.is_by_rate() {
        return highest;
    }
    levels
        .iter()
        .rev()
        .copied()
        .find(|level| borne(*level))
        .unwrap_or(highest)
}

/// How the first repeat that counts went, of each model.
pub(crate) fn courses(
    study: &Study<'_>,
    panel: &Panel<'_>,
    level: f64,
) -> Result<Vec<Course>, Error> {
    let mut courses = Vec::new();
    for line in &panel.lines {
        let cell = line.cells.iter().find(|(x, _)| *x == level);
        let trial = cell.and_then(|(_, cell)| cell.trials.iter().find(|trial| trial.counts()));
        let Some(trial) = trial else { continue };
        if let Some(log) = study.run.hlog(trial)? {
            courses.extend(Course::of(&line.model, line.look, &log));
        }
    }
    Ok(courses)
}

/// The throughput's axis, for those who need to name a level.
pub(crate) fn axis_name(panel: &Panel<'_>) -> Option<String> {
    panel.x.map(|x| sweep::axis(x, &panel.levels()).name)
}
