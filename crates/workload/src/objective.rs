//! Objectives as people write them, a figure, a sign and a limit like `p(99)<10ms`, and files of them.
//!
//! Which figures there are is the reader's business: a generator has those of one run, the laboratory those of many.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use command::input;
use serde::Deserialize;

/// How a figure and its limit compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// Whether it holds.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
        }
    }

    /// Whether the right side is an upper bound.
    pub fn is_upper(self) -> bool {
        matches!(self, Self::Less | Self::AtMost)
    }

    /// How far a value is on the right side of a limit, as a share of it; negative on the wrong side.
    pub fn margin(self, value: f64, limit: f64) -> f64 {
        let distance = if self.is_upper() {
            limit - value
        } else {
            value - limit
        };
        if limit == 0.0 {
            distance
        } else {
            distance / limit
        }
    }

    /// The same of a value that may be only a lower bound of the truth: none where that leaves open on which side the truth is.
    pub fn margin_of_bound(self, (value, at_least): (f64, bool), limit: f64) -> Option<f64> {
        // What grows may leave the right side of an upper limit, and the wrong side of a lower one.
        let is_settled = self.is_upper() != self.holds(value, limit);
        (!at_least || is_settled).then(|| self.margin(value, limit))
    }

    /// Splits a text at the first sign.
    pub fn split(text: &str) -> Option<(&str, Self, &str)> {
        let at = text.find(['<', '>', '≤', '≥'])?;
        let (left, right) = text.split_at(at);
        let signs = [
            ("<=", Self::AtMost),
            (">=", Self::AtLeast),
            ("≤", Self::AtMost),
            ("≥", Self::AtLeast),
            ("<", Self::Less),
            (">", Self::More),
        ];
        let (sign, operator) = signs.iter().find(|(sign, _)| right.starts_with(sign))?;
        Some((left.trim(), *operator, right[sign.len()..].trim()))
    }
}

/// A number that may be a limit.
///
/// # Errors
/// When it is none, or below 0; in words.
pub fn number(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok();
    number
        .filter(|number| number.is_finite() && *number >= 0.0)
        .ok_or_else(|| format!("'{}' is no number from 0 on", text.trim()))
}

/// A share in percent that may be a limit, like `99.9%`.
///
/// # Errors
/// When it is none, or more than everything; in words.
pub fn share(text: &str) -> Result<f64, String> {
    let percent = text.trim().strip_suffix('%');
    let percent = number(percent.ok_or_else(|| format!("'{}' is no share in %", text.trim()))?)?;
    match percent <= 100.0 {
        true => Ok(percent),
        false => Err(format!("{}% is more than everything", percent)),
    }
}

/// What is wrong with a text that should be an objective.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no objective: {problem}; expected something like p(99)<10ms, service:p(99.9)<5ms, mean<1ms, max<100ms, errors<0.1%, availability>=99.9% or throughput>=4900"
)]
pub struct ObjectiveError {
    text: String,
    problem: String,
}

impl ObjectiveError {
    /// That `text` has this `problem`.
    pub fn new(text: &str, problem: impl Display) -> Self {
        Self {
            text: text.trim().to_owned(),
            problem: problem.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "name")]
    _name: Option<String>,
    #[serde(rename = "reasoning")]
    _reasoning: Option<String>,
    slo: Vec<String>,
}

/// Reads a file of objectives, or standard input where the path is `-`: TOML with `slo = ["…"]` if it is called `.toml`, otherwise one
/// objective a line, where # begins a comment.
///
/// # Errors
/// When it cannot be read, or holds something else; in words.
pub fn read_file<T: FromStr<Err: Display>>(path: &Path) -> Result<Vec<T>, String> {
    let at = |why: &dyn Display| format!("{}: {why}", input::name(path));
    let text = input::text(path)?;
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    let texts = if is_toml {
        let file: File = toml::from_str(&text).map_err(|error| at(&error.message()))?;
        file.slo
    } else {
        let lines = text.lines();
        let bare = lines.map(|line| line.split('#').next().unwrap_or_default().trim());
        bare.filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    if texts.is_empty() {
        return Err(at(&"holds no objective"));
    }
    let parsed = texts.iter().map(|text| text.parse::<T>());
    parsed.collect::<Result<_, _>>().map_err(|error| at(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_margins() {
        for (text, parts) in [
            ("p(99) < 10ms", ("p(99)", Operator::Less, "10ms")),
            ("a<=b", ("a", Operator::AtMost, "b")),
            ("a ≥ 1 > 2", ("a", Operator::AtLeast, "1 > 2")),
            (">", ("", Operator::More, "")),
        ] {
            assert_eq!(Operator::split(text), Some(parts), "{text}");
        }
        assert_eq!(Operator::split("a = b"), None);
        assert!(Operator::Less.holds(1.0, 2.0) && !Operator::Less.holds(2.0, 2.0));
        assert!(Operator::AtLeast.holds(2.0, 2.0) && !Operator::More.holds(2.0, 2.0));
        assert_eq!(Operator::Less.margin(7.5, 10.0), 0.25);
        assert_eq!(Operator::AtLeast.margin(5.0, 10.0), -0.5);
        assert_eq!(Operator::AtMost.margin(3.0, 0.0), -3.0);
    }

    #[test]
    fn a_lower_bound_has_a_margin_only_where_its_side_is_known() {
        for (operator, value, margin) in [
            (Operator::Less, 7.5, None),
            (Operator::Less, 12.5, Some(-0.25)),
            (Operator::AtLeast, 12.5, Some(0.25)),
            (Operator::More, 7.5, None),
        ] {
            assert_eq!(operator.margin_of_bound((value, true), 10.0), margin);
            let exact = operator.margin_of_bound((value, false), 10.0);
            assert_eq!(exact, Some(operator.margin(value, 10.0)));
        }
    }

    #[test]
    fn shares_are_of_everything_at_the_most() {
        assert_eq!((share("99.9%"), share(" 100 %")), (Ok(99.9), Ok(100.0)));
        for wrong in ["0.999", "101%", "-1%", "x%", "%", ""] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_of_objectives() {
        let home = tempfile::tempdir().unwrap();
        let read = |name: &str, text: &str| {
            std::fs::write(home.path().join(name), text).unwrap();
            read_file::<f64>(&home.path().join(name))
        };
        assert_eq!(read("lines", "# all\n1 # one\n\n2\n"), Ok(vec![1.0, 2.0]));
        assert_eq!(read("lines", "\u{feff}1\n"), Ok(vec![1.0]));
        assert_eq!(read("a.toml", "\u{feff}slo = ['1e-1']"), Ok(vec![0.1]));
        assert_eq!(
            read("two.toml", "name = 'a' # fast\nslo = ['1', '2']"),
            Ok(vec![1.0, 2.0])
        );
        for (name, wrong) in [
            ("a.toml", "slo = ['x']"),
            ("a.toml", "slos = []"),
            ("a.toml", "1\n2\n"),
            ("lines", "x"),
            ("lines", "# nothing\n"),
        ] {
            let why = read(name, wrong).unwrap_err();
            assert!(why.contains(&format!("{name}: ")), "{why}");
        }
        let why = read_file::<f64>(&home.path().join("none")).unwrap_err();
        assert!(why.starts_with("cannot read "), "{why}");
    }
}
