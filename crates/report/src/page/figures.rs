//! Which figures there are, in which order.

use super::levels::{courses, telling_level};
use crate::draw::{Frame, svg};
use crate::error::Error;
use crate::figure::Figure;
use crate::figures::overlay::{Subject, overlays};
use crate::figures::quantities::{CPU, FAIRNESS, MEMORY, SWITCHES};
use crate::figures::{
    blocking, ccdf, cdf, histogram, latency, percentiles, series, stages, throughput,
};
use crate::html::escape;
use crate::study::{Panel, Study, slug};
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
    let about = "In an open loop latency is the response time, from the moment a request was due to the last byte of its answer. In a closed loop nothing is due: there \
                 it is the service time, from the moment it was sent, and a stalled server is seen by few requests.";
    page.section(("latency", "Latency"), about, &latency::of(study))?;
    let about = "A single server with a queue in front of it, under requests that come at random. Where the measurements lie on the curve, queueing alone explains \
                 them; where they lie above it, something else waits.";
    page.section(
        ("theory", "Latency and queueing theory"),
        about,
        &latency::against_theory(study),
    )?;
    distributions(&mut page, study)?;
    let cost = [CPU, SWITCHES, MEMORY]
        .map(|row| row.figures(study))
        .concat();
    page.section(("cost", "What it costs"), "", &cost)?;
    let about = "Where a server is made of stages joined by queues: where events wait, and what the controllers make of it.";
    page.section(("stages", "Stages over time"), about, &stages::of(study))?;
    let about = "Where user-level threads wait, and the ways that they go from one such place to the next: how often, how long one keeps its worker, and what it \
                 takes or gives back on the way (Capriccio, section 4.1).";
    page.section(("blocking", "Blocking graphs"), about, &blocking::of(study))?;
    page.section(("fairness", "Fairness"), "", &FAIRNESS.figures(study))?;
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
            let figures = at_level(study, panel, level);
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
                    escape(&panel.circumstances(level))
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

fn at_level(study: &Study<'_>, panel: &Panel<'_>, level: f64) -> Vec<Figure> {
    let name = panel.circumstances(level);
    let subject = Subject {
        id: slug(&name),
        name,
        times: panel.times().into(),
    };
    let overlays = overlays(study, panel, level);
    let courses = courses(study, panel, level);
    let figures = [
        cdf::of(&subject, &overlays),
        ccdf::of(&subject, &overlays),
        percentiles::of(&subject, &overlays),
        histogram::of(&subject, &overlays),
        series::throughput(&subject, &courses),
        series::tail(&subject, &courses),
    ];
    figures.into_iter().flatten().collect()
}
