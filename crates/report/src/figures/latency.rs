//! Latency against load: the hockey stick.

use super::sweep::{Quantity, chart, figures, titled};
use super::theory::Server;
use crate::estimate::named;
use crate::figure::{Content, Figure, ScaleKind, Unit};
use crate::study::{Line, Panel, Study};
use command::quantity::significant;
use results::{Better, Figure as Name};
use results::{Statistic, TimeFigure};

const MEAN: Name = Name::Time(TimeFigure::Latency, Statistic::Mean);

/// The 99th percentile and the mean, each over all models.
pub(crate) fn of(study: &Study<'_>) -> Vec<Figure> {
    let tail = Quantity {
        id: "latency-p99",
        title: "Latency, 99th percentile",
        about: "One request in a hundred takes longer: the median of the repeats' percentiles, with its 95\u{a0}% interval.",
        axis: "99th percentile of the {times}",
        unit: Unit::Seconds,
        kind: ScaleKind::Log,
        better: Better::Lower,
    };
    let mean = Quantity {
        id: "latency-mean",
        title: "Latency, mean",
        about: "The median of the repeats' means, with its 95\u{a0}% interval.",
        axis: "Mean {times}",
        ..tail
    };
    let p99 = Name::Time(TimeFigure::Latency, Statistic::Percentile(99.0));
    let mut all = figures(study, &mean, |cell| named(cell, MEAN));
    all.extend(figures(study, &tail, |cell| named(cell, p99)));
    all
}

/// For each model of an open loop its mean latency beside what theory says.
pub(crate) fn against_theory(study: &Study<'_>) -> Vec<Figure> {
    let panels = study
        .panels
        .iter()
        .filter(|panel| panel.is_open() && panel.is_by_rate());
    let lines = panels.flat_map(|panel| panel.lines.iter().map(move |line| (panel, line)));
    lines
        .filter_map(|(panel, line)| beside_theory(study, panel, line))
        .collect()
}

fn beside_theory(study: &Study<'_>, panel: &Panel<'_>, line: &Line<'_>) -> Option<Figure> {
    let server = Server::of(study, line)?;
    let quantity = Quantity {
        id: "hockey-stick",
        title: "Mean latency and theory",
        about: "",
        axis: "Mean {times}",
        unit: Unit::Seconds,
        kind: ScaleKind::Log,
        better: Better::Lower,
    };
    let alone = Panel {
        name: panel.name.clone(),
        x: panel.x,
        lines: vec![Line {
            model: line.model.clone(),
            look: line.look,
            cells: line.cells.clone(),
        }],
    };
    let mut figure = chart(&alone, &quantity, |cell| named(cell, MEAN))?;
    figure.id = format!("{}-{}", figure.id, crate::study::slug(&line.model));
    figure.title = titled(
        &format!("Mean latency of {} and theory", line.model),
        &panel.name,
    );
    let curves = server.curves();
    let general = match curves.len() {
        1 => "",
        _ => {
            " and the mean response time of M/G/1 with the variability of the service times in the least loaded cell"
        }
    };
    figure.about = format!(
        "Mean response time of {} as measured, the median over repeats; the lecture's queueing delay 1/(capacity − load){general}. Capacity is {} \
         requests/s, the most that was seen or that the processor allows.",
        line.model,
        significant(server.capacity, 3)
    );
    if let Content::Chart(chart) = &mut figure.content {
        // Measurements stay on top.
        let measured = std::mem::take(&mut chart.series);
        chart.series = curves;
        chart.series.extend(measured);
        // Beyond capacity there is no steady state: the axis shows where that is.
        let most = chart
            .series
            .last()
            .and_then(|series| series.points.last())
            .map_or(0.0, |point| point.x);
        chart.x.limits = Some((0.0, most.max(server.capacity.min(most * 1.5)) * 1.04));
    }
    Some(figure)
}
