//! Expectations as ratios between cells.
//!
//! ```text
//! expectation = sum op number             op is <, <=, > or >=
//! sum         = product { ("+" | "-") product }      with a space before the sign
//! product     = value { ("/" | "*") value }
//! value       = number | "(" sum ")"
//!             | ("highest" | "lowest") "(" sum { "," sum } ")"
//!             | "whole_core_at" "(" rate "," cell "," cell "," cell { "," cell } ")"
//!             | figure "(" cell ")"       p99(sped), service:p99.9(sped), cpu_per_request(sped)
//!             | cell                      its throughput
//! cell        = model { "@" factor "=" level }
//! ```
//!
//! `sped@dataset=2.0 / sped@dataset=0.5 <= 0.3` says that with twice the data that fits, SPED does less than a third.
//!
//! `whole_core_at(20000, poll@idle=0, poll@idle=900, poll@idle=10000) <= 20000`: with so many idle connections, or fewer, 20,000 requests
//! a second take a whole core. It is where the line through the processor time for each request, by the factor in which the cells
//! differ, comes to a 20,000th of a second.

mod estimate;
mod parser;

use std::str::FromStr;

use results::{Factors, Figure, Level};
use stats::line::{Line, Point};
use workload::objective::Operator;
use workload::units;

use super::error::did_you_mean;
pub use estimate::Estimate;

/// A product or sum of cells and its bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    /// The left side.
    pub value: Value,
    /// The sign.
    pub operator: Operator,
    /// The right side.
    pub bound: f64,
}

/// The left side, or a part of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A figure of a cell.
    Of(Figure, CellName),
    /// One times another.
    Times(Box<Value>, Box<Value>),
    /// One over another.
    Over(Box<Value>, Box<Value>),
    /// One and another.
    Plus(Box<Value>, Box<Value>),
    /// One less another.
    Less(Box<Value>, Box<Value>),
    /// The highest of several.
    Highest(Vec<Value>),
    /// The lowest of several.
    Lowest(Vec<Value>),
    /// The level of a factor at which so many requests a second take a whole core, by the line through these cells.
    WholeCoreAt {
        /// Requests a second.
        rate: f64,
        /// Levels of the factor, and the cells that have them.
        along: Vec<(f64, CellName)>,
    },
}

/// A cell, by as many factors as it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellName(pub Vec<(String, String)>);

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no ratio: {what}; expected something like 'sped@dataset=2.0 / sped@dataset=0.5 <= 0.3' or 'p99(sped) / p99(amped) > 1'"
)]
pub struct ExpressionError {
    text: String,
    what: String,
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let error = |what: String| ExpressionError {
            text: text.trim().into(),
            what,
        };
        let (left, operator, right) =
            Operator::split(text).ok_or_else(|| error("it has no <, <=, > or >=".into()))?;
        let bound = right
            .parse()
            .ok()
            .filter(|bound: &f64| bound.is_finite())
            .ok_or_else(|| error(format!("'{right}' is no number")))?;
        Ok(Self {
            text: text.trim().into(),
            value: parser::value(left).map_err(error)?,
            operator,
            bound,
        })
    }
}

impl CellName {
    /// Whether it is this cell.
    pub fn matches(&self, factors: &Factors) -> bool {
        self.0.iter().all(|(name, text)| {
            factors
                .get(name)
                .is_some_and(|level| matches_level(level, text))
        })
    }

    /// What may be meant by its first factor or level that none of these cells has, as the end of a sentence.
    pub fn hint(&self, cells: &[&Factors]) -> String {
        for (name, text) in &self.0 {
            let levels: Vec<_> = cells.iter().filter_map(|cell| cell.get(name)).collect();
            if levels.is_empty() {
                let names = cells.iter().flat_map(|cell| cell.keys());
                return did_you_mean(name, names.map(String::as_str));
            }
            if !levels.iter().any(|level| matches_level(level, text)) {
                let levels: Vec<_> = levels.iter().map(ToString::to_string).collect();
                return did_you_mean(text, levels.iter().map(String::as_str));
            }
        }
        String::new()
    }
}

impl std::fmt::Display for CellName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, level) in &self.0 {
            match name.as_str() {
                "model" => out.write_str(level)?,
                name => write!(out, "@{name}={level}")?,
            }
        }
        Ok(())
    }
}

impl Value {
    /// The cells that it names.
    pub fn cells(&self) -> Vec<&CellName> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Of(_, cell) => vec![cell],
            Self::Times(a, b) | Self::Over(a, b) | Self::Plus(a, b) | Self::Less(a, b) => {
                [a.cells(), b.cells()].concat()
            }
            Self::Highest(all) | Self::Lowest(all) => all.iter().flat_map(Self::cells).collect(),
            Self::WholeCoreAt { along, .. } => along.iter().map(|(_, cell)| cell).collect(),
        }
    }

    /// The figures that it takes of them.
    pub fn figures(&self) -> Vec<Figure> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Of(figure, _) => vec![*figure],
            Self::Times(a, b) | Self::Over(a, b) | Self::Plus(a, b) | Self::Less(a, b) => {
                [a.figures(), b.figures()].concat()
            }
            Self::Highest(all) | Self::Lowest(all) => all.iter().flat_map(Self::figures).collect(),
            Self::WholeCoreAt { .. } => vec![Figure::CpuPerRequest],
        }
    }

    /// What it comes to when `figure` gives the figures of cells, none of which is below 0; `None` as soon as one is missing.
    pub fn evaluate(
        &self,
        figure: &impl Fn(Figure, &CellName) -> Option<Estimate>,
    ) -> Option<Estimate> {
        let best = |all: &[Self], pick: fn(f64, f64) -> f64| {
            let values: Option<Vec<_>> = all.iter().map(|value| value.evaluate(figure)).collect();
            let both = |a: Estimate, b: Estimate| Estimate {
                low: pick(a.low, b.low),
                read: pick(a.read, b.read),
                high: pick(a.high, b.high),
            };
            values?.into_iter().reduce(both)
        };
        match self {
            Self::Number(number) => Some(Estimate::exact(*number)),
            Self::Of(name, cell) => figure(*name, cell),
            Self::Times(a, b) => Some(a.evaluate(figure)? * b.evaluate(figure)?),
            Self::Over(a, b) => Some(a.evaluate(figure)? / b.evaluate(figure)?),
            Self::Plus(a, b) => Some(a.evaluate(figure)? + b.evaluate(figure)?),
            Self::Less(a, b) => Some(a.evaluate(figure)? - b.evaluate(figure)?),
            Self::Highest(all) => best(all, f64::max),
            Self::Lowest(all) => best(all, f64::min),
            Self::WholeCoreAt { rate, along } => {
                let point = |(level, cell): &(f64, CellName)| {
                    let us = figure(Figure::CpuPerRequest, cell)?.read;
                    Some(Point {
                        x: *level,
                        y: us,
                        // Costs are known to a share of themselves.
                        weight: us.powi(-2),
                    })
                };
                let points: Option<Vec<_>> = along.iter().map(point).collect();
                let line = Line::fit(&points?).ok()?;
                // A line that does not rise comes to it nowhere.
                let rises = line.slope > 0.0;
                rises.then(|| Estimate::exact((1e6 / rate - line.intercept) / line.slope))
            }
        }
        .filter(|value| value.read.is_finite())
    }
}

/// Whether a text means this level: the same name, or the same number in whatever unit.
pub(crate) fn matches_level(level: &Level, text: &str) -> bool {
    match level {
        Level::Text(name) => name == text,
        Level::Number(number) => {
            let read = [
                text.parse().ok(),
                units::size(text).ok().map(|bytes| bytes as f64),
                units::rate(text).ok(),
                units::duration(text).ok().map(|time| time.as_secs_f64()),
                units::bit_rate(text).ok().map(|rate| rate as f64),
                units::share(text).ok(),
            ];
            let near = |value: f64| (value - number).abs() <= 1e-9 * number.abs().max(1e-9);
            read.into_iter().flatten().any(near)
        }
    }
}

#[cfg(test)]
mod tests;
