//! The answer, in words and as a picture.

use crate::answer::Answer;
use crate::draw::{Frame, svg};
use crate::error::Error;
use crate::figure::{Axis, Content, Figure, Mark, Row, Rows};
use crate::figures::overlay::marked;
use crate::figures::sweep::{fitting, titled, words};
use crate::html::escape;
use crate::standing::{Criterion, Standing};
use std::fmt::Write;

/// The sentences, and to each the figure that shows it.
pub(crate) fn part(answer: &Answer) -> Result<String, Error> {
    let mut out = String::from("<div id=\"answer\">\n");
    for sentence in &answer.leaders {
        let _ = writeln!(out, "<p class=\"answer\">{}</p>", escape(sentence));
    }
    if !answer.verdicts.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", escape(&answer.verdicts));
    }
    let figures = answer.standings.iter().enumerate();
    let figures = figures.filter_map(|(place, standing)| figure(standing, place));
    let figures: Vec<Figure> = figures.collect();
    if !figures.is_empty() {
        out.push_str("<div class=\"figures\">\n");
        for figure in &figures {
            let _ = writeln!(
                out,
                "<figure id=\"{}\">\n<h2 class=\"answer\">{}</h2>\n{}<figcaption>{}</figcaption>\n</figure>",
                figure.id,
                escape(&figure.title),
                svg(figure, Frame::IN_PAGE)?,
                escape(&figure.about)
            );
        }
        out.push_str("</div>\n");
    }
    Ok(out + "</div>\n")
}

/// A row for each, from the best on; those that do not count come last.
fn figure(standing: &Standing, place: usize) -> Option<Figure> {
    let unit = standing.criterion.unit();
    let counted = standing.ranked.iter();
    let counted = counted.map(|ranked| (&ranked.model, ranked.look, &ranked.estimate));
    let others = standing.uncounted.iter();
    let others =
        others.filter_map(|other| Some((&other.model, other.look, other.estimate.as_ref()?)));
    let rows = counted.chain(others).map(|(model, look, estimate)| Row {
        label: marked(model, estimate.invalid),
        look,
        hover: words(estimate, unit),
        invalid: estimate.invalid,
        mark: Mark::Dot {
            value: estimate.value,
            range: estimate.range,
            each: estimate.each.clone(),
        },
    });
    let rows: Vec<Row> = rows.collect();
    let values = rows.iter().filter_map(|row| match row.mark {
        Mark::Dot { value, .. } => Some(value),
        Mark::Ridge(_) => None,
    });
    let kind = fitting(crate::figure::ScaleKind::Log, values);
    let (title, axis) = match standing.criterion {
        Criterion::Throughput => ("Throughput", "Good answers (requests/s)"),
        Criterion::Tail => (
            "99th percentile of the response time",
            "99th percentile of the response time",
        ),
        Criterion::Cost => ("Processor time", "Processor time for each request"),
    };
    (!rows.is_empty()).then(|| Figure {
        id: format!("answer-{}", place + 1),
        title: titled(title, &standing.circumstances),
        about: "From the best on: the median over repeats, with its 95\u{a0}% interval. The small strokes are single repeats.".into(),
        content: Content::Rows(Rows {
            x: Axis {
                kind,
                ..Axis::linear(axis, unit)
            },
            rows,
        }),
    })
}
