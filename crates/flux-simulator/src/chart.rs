//! Load curves drawn, each marked as simulated; and what was measured beside them.

use command::quantity::{Unit, count};
use report::draw::{Frame, svg};
use report::figure::{Axis, Chart, Content, Figure, Look, Point, Series};

use crate::measured::Measured;
use crate::outcome::{Curve, Outcome};

/// Response times over the load, as SVG: the mean and the 99th percentile of each curve, and what was measured, if anything was.
///
/// # Errors
/// That it cannot be drawn.
pub fn response_times(
    program: &str,
    curves: &[Curve],
    measured: &[Measured],
) -> Result<String, report::Error> {
    let mut series = Vec::new();
    for (place, curve) in curves.iter().enumerate() {
        let machine = match curves {
            [_] => String::new(),
            _ => format!(", {}", processors(curve.processors)),
        };
        for (kind, name) in ["mean", "p99"].into_iter().enumerate() {
            series.push(Series {
                label: format!("{name}{machine} (simulated)"),
                look: Look::Simulated(2 * place + kind),
                points: curve
                    .outcomes
                    .iter()
                    .filter_map(|outcome| point(outcome, kind))
                    .collect(),
                joined: true,
            });
        }
    }
    for (kind, name) in ["mean", "p99"].into_iter().enumerate() {
        let points: Vec<Point> = measured
            .iter()
            .map(|one| {
                let time = [one.mean_s, one.p99_s][kind];
                let label = format!(
                    "{}/s: {}",
                    count(one.offered_per_s as u64),
                    Unit::Seconds.show(time)
                );
                Point::at(one.offered_per_s, time).labelled(label)
            })
            .collect();
        if !points.is_empty() {
            series.push(Series {
                label: format!("{name} (measured)"),
                look: Look::Measured(kind),
                points,
                joined: false,
            });
        }
    }
    let is_closed = curves
        .iter()
        .flat_map(|curve| &curve.outcomes)
        .any(|outcome| outcome.clients.is_some());
    let x = match is_closed {
        true => Axis::linear("Clients", Unit::Plain),
        false => Axis::linear("Offered load (flows/s)", Unit::Plain),
    };
    let machines: Vec<_> = curves
        .iter()
        .map(|curve| processors(curve.processors))
        .collect();
    let figure = Figure {
        id: "simulated-response-times".into(),
        title: format!(
            "{program}: response time, simulated on {}",
            machines.join(", ")
        ),
        about: "Dashed: what a simulation of the program says, which nobody has measured.".into(),
        content: Content::Chart(Chart {
            x,
            y: Axis::log("Response time", Unit::Seconds),
            series,
        }),
    };
    svg(&figure, Frame::ALONE)
}

fn point(outcome: &Outcome, kind: usize) -> Option<Point> {
    let x = outcome.offered_per_s.or(outcome.clients.map(f64::from))?;
    let time = [outcome.response_s.mean, outcome.response_s.p99][kind];
    let saturated = if outcome.is_saturated {
        ", saturated"
    } else {
        ""
    };
    let label = format!(
        "at {}: {}, simulated{saturated}",
        Unit::Plain.show(x),
        Unit::Seconds.show(time)
    );
    let point = Point::at(x, time).labelled(label);
    Some(Point {
        // A queue that grows has no response time that could be believed.
        invalid: outcome.is_saturated,
        ..point
    })
}

fn processors(count: u32) -> String {
    command::quantity::counted(count.into(), "processor")
}
