//! The figure that was asked for, of all that the sources have.

use super::kind::FigureKind;
use super::source::{Content, Source};
use crate::error::Error;
use crate::figure::{Axis, Content as Drawn, Figure, Look, Mark, Row, Rows, Unit};
use crate::figures::overlay::{Overlay, Subject, marked, overlays};
use crate::figures::quantities::{CPU, FAIRNESS, MEMORY, SWITCHES};
use crate::figures::series::{self, Course};
use crate::figures::{blocking, ccdf, cdf, histogram, latency, percentiles, stages, throughput};
use crate::page::levels::{courses, telling_level};
use crate::study::{Panel, Study};
use contracts::models::Model;

/// Makes it.
pub(crate) fn figure(
    kind: FigureKind,
    sources: &[Source],
    at: Option<&str>,
    catalogue: &[Model],
) -> Result<Figure, Error> {
    if kind.is_of_distributions() || kind.is_of_time() {
        return overlaid(kind, sources, at, catalogue);
    }
    if let [
        Source {
            content: Content::Results(run),
            ..
        },
    ] = sources
    {
        let study = Study::new(run, catalogue);
        let figures = of_results(kind, &study);
        return pick(kind, figures, at);
    }
    if let Some(folder) = sources
        .iter()
        .find(|source| matches!(source.content, Content::Results(_)))
    {
        return Err(missing(
            kind,
            format!(
                "{} is a results folder, of which one figure shows one; give it alone",
                folder.path.display()
            ),
        ));
    }
    of_reports(kind, sources)
}

fn missing(kind: FigureKind, problem: String) -> Error {
    Error::NoData { kind, problem }
}

fn of_results(kind: FigureKind, study: &Study<'_>) -> Vec<Figure> {
    let starts = |figures: Vec<Figure>, id: &str| {
        figures
            .into_iter()
            .filter(|figure| figure.id.starts_with(id))
            .collect()
    };
    match kind {
        FigureKind::Throughput => throughput::of(study),
        FigureKind::Latency => starts(latency::of(study), "latency-p99"),
        FigureKind::LatencyMean => starts(latency::of(study), "latency-mean"),
        FigureKind::Theory => latency::against_theory(study),
        FigureKind::Cpu => CPU.figures(study),
        FigureKind::Switches => SWITCHES.figures(study),
        FigureKind::Memory => MEMORY.figures(study),
        FigureKind::Fairness => FAIRNESS.figures(study),
        FigureKind::BlockingGraph => blocking::of(study),
        staged => starts(stages::of(study), &staged.to_string()),
    }
}

/// The one whose title has the words; the first if there are none.
fn pick(kind: FigureKind, figures: Vec<Figure>, at: Option<&str>) -> Result<Figure, Error> {
    let titles: Vec<String> = figures
        .iter()
        .map(|figure| format!("'{}'", figure.title))
        .collect();
    let words = at.unwrap_or_default();
    let found = figures
        .into_iter()
        .find(|figure| matches(&figure.title, words));
    found.ok_or_else(|| {
        let problem = match titles.as_slice() {
            [] => "the results do not have the data for it".into(),
            titles => format!("none is called '{words}'; there are {}", titles.join(", ")),
        };
        missing(kind, problem)
    })
}

/// Whether the words occur, whatever their case and their separators of thousands.
fn matches(title: &str, words: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().replace(',', "");
    plain(title).contains(&plain(words))
}

/// What can be overlaid, from wherever it comes.
fn overlaid(
    kind: FigureKind,
    sources: &[Source],
    at: Option<&str>,
    catalogue: &[Model],
) -> Result<Figure, Error> {
    let mut all: Vec<Overlay> = Vec::new();
    let mut over_time: Vec<Course> = Vec::new();
    let mut subject = Subject {
        id: String::new(),
        name: String::new(),
        times: LATENCY.into(),
    };
    let mut times: Vec<Option<&str>> = Vec::new();
    for source in sources {
        if let Content::Results(run) = &source.content {
            let study = Study::new(run, catalogue);
            let (panel, level) = place(kind, &study, at)?;
            if sources.len() == 1 {
                subject.name = panel.circumstances(level);
            }
            times.push(Some(panel.times()));
            let named = |label: String| {
                if sources.len() > 1 {
                    format!("{label}, {}", source.label)
                } else {
                    label
                }
            };
            all.extend(
                overlays(&study, panel, level)
                    .into_iter()
                    .map(|overlay| Overlay {
                        label: named(overlay.label),
                        ..overlay
                    }),
            );
            over_time.extend(
                courses(&study, panel, level)
                    .into_iter()
                    .map(|course| Course {
                        label: named(course.label),
                        ..course
                    }),
            );
            if let Some(complaint) = study.complaints().into_iter().next() {
                return Err(missing(kind, complaint));
            }
            continue;
        }
        times.push(source.times());
        let look = Look::nth(all.len().max(over_time.len()));
        let (distribution, course) = (source.distribution(), source.course(look));
        let has_tail = |course: &Course| course.seconds.iter().any(|second| second.tail.is_some());
        let has = match kind {
            FigureKind::SeriesP99 => course.as_ref().is_some_and(has_tail),
            time if time.is_of_time() => course.is_some(),
            // Of few percentiles nobody knows how often what occurred.
            FigureKind::Histogram => distribution
                .as_ref()
                .is_some_and(|of| of.histogram.is_some()),
            _ => distribution.is_some(),
        };
        if !has {
            return Err(missing(
                kind,
                format!("{} has no data for it", source.path.display()),
            ));
        }
        over_time.extend(course);
        all.extend(distribution.map(|distribution| Overlay {
            label: source.label.clone(),
            look,
            distribution,
            invalid: source.is_invalid(),
        }));
    }
    if sources.len() > 1 {
        // Different runs of one architecture must not look alike.
        all.iter_mut()
            .enumerate()
            .for_each(|(place, overlay)| overlay.look = Look::nth(place));
        over_time
            .iter_mut()
            .enumerate()
            .for_each(|(place, course)| course.look = Look::nth(place));
    }
    if let Some(same) = the_same(&times) {
        subject.times = same.into();
    }
    let figure = match kind {
        FigureKind::Cdf => cdf::of(&subject, &all),
        FigureKind::Ccdf => ccdf::of(&subject, &all),
        FigureKind::Percentiles => percentiles::of(&subject, &all),
        FigureKind::Histogram => histogram::of(&subject, &all),
        FigureKind::Series => series::throughput(&subject, &over_time),
        _ => series::tail(&subject, &over_time),
    };
    figure.ok_or_else(|| missing(kind, "it needs a results folder or .hlog files".into()))
}

/// What times are called where they are of several kinds, or of an unknown one.
const LATENCY: &str = "Latency";

/// What all sources say, if they say the same.
fn the_same<'a>(all: &[Option<&'a str>]) -> Option<&'a str> {
    let first = all.first().copied().flatten()?;
    all.iter().all(|one| *one == Some(first)).then_some(first)
}

/// The panel and level that the words mean; the first panel at its most telling level if there are none.
fn place<'s, 'r>(
    kind: FigureKind,
    study: &'s Study<'r>,
    at: Option<&str>,
) -> Result<(&'s Panel<'r>, f64), Error> {
    let places = || {
        study
            .panels
            .iter()
            .flat_map(|panel| panel.levels().into_iter().map(move |level| (panel, level)))
    };
    match at {
        None => study
            .panels
            .first()
            .map(|panel| (panel, telling_level(panel)))
            .ok_or_else(|| missing(kind, "no trial has finished".into())),
        Some(words) => {
            let mut found: Vec<_> = places()
                .filter(|(panel, level)| matches(&panel.circumstances(*level), words))
                .collect();
            // Of several that the words fit, the one that would be taken without them.
            found.sort_by_key(|(panel, level)| *level != telling_level(panel));
            found.first().copied().ok_or_else(|| {
                let all: Vec<String> = places()
                    .map(|(panel, level)| format!("'{}'", panel.circumstances(level)))
                    .collect();
                missing(
                    kind,
                    format!(
                        "nothing was measured at '{words}'; there are {}",
                        all.join(", ")
                    ),
                )
            })
        }
    }
}

/// A row for each report.
fn of_reports(kind: FigureKind, sources: &[Source]) -> Result<Figure, Error> {
    let times: Vec<_> = sources.iter().map(Source::times).collect();
    let times = the_same(&times).unwrap_or(LATENCY).to_lowercase();
    let (title, unit) = match kind {
        FigureKind::Throughput => ("Throughput".to_owned(), Unit::PerSecond),
        FigureKind::Latency => (format!("99th percentile of the {times}"), Unit::Seconds),
        FigureKind::LatencyMean => (format!("Mean {times}"), Unit::Seconds),
        FigureKind::Fairness => ("Jain's fairness index".to_owned(), Unit::Plain),
        _ => return Err(missing(kind, "it needs a results folder".into())),
    };
    let rows = sources.iter().enumerate().map(|(place, source)| {
        let (value, at_least) = source
            .value(kind)
            .ok_or_else(|| missing(kind, format!("{} does not have it", source.path.display())))?;
        Ok(Row {
            label: match at_least {
                true => format!("{} (at least)", marked(&source.label, source.is_invalid())),
                false => marked(&source.label, source.is_invalid()),
            },
            look: Look::nth(place),
            hover: format!("{}{}", if at_least { "≥ " } else { "" }, unit.show(value)),
            invalid: source.is_invalid(),
            mark: Mark::Dot {
                value,
                range: None,
                each: Vec::new(),
            },
        })
    });
    let rows = rows.collect::<Result<Vec<_>, Error>>()?;
    let name = if unit == Unit::PerSecond {
        "Throughput (requests/s)"
    } else {
        title.as_str()
    };
    Ok(Figure {
        id: kind.to_string(),
        about: String::new(),
        content: Drawn::Rows(Rows {
            x: Axis::linear(name, unit),
            rows,
        }),
        title,
    })
}
