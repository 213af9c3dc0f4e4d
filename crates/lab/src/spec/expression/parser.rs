//! Reads the left side of an expectation.

use results::Figure;

use super::{CellName, Value};

/// Reads a sum of cells and numbers.
///
/// # Errors
/// What is wrong with it.
pub(super) fn value(text: &str) -> Result<Value, String> {
    let mut parser = Parser {
        rest: text,
        parts: 0,
    };
    let value = parser.sum()?;
    match parser.rest.trim() {
        "" => Ok(value),
        rest => Err(format!("'{rest}' is too much")),
    }
}

/// The most values and parentheses in an expression: they are walked by recursion, and the stack has an end.
const MAX_PARTS: usize = 100;

struct Parser<'a> {
    rest: &'a str,
    /// Values and parentheses so far.
    parts: usize,
}

impl<'a> Parser<'a> {
    fn sum(&mut self) -> Result<Value, String> {
        let mut value = self.product()?;
        loop {
            value = if self.takes("+") {
                Value::Plus(value.into(), self.product()?.into())
            } else if self.takes("-") {
                Value::Less(value.into(), self.product()?.into())
            } else {
                return Ok(value);
            };
        }
    }

    fn product(&mut self) -> Result<Value, String> {
        let mut value = self.value()?;
        loop {
            value = if self.takes("/") {
                Value::Over(value.into(), self.value()?.into())
            } else if self.takes("*") {
                Value::Times(value.into(), self.value()?.into())
            } else {
                return Ok(value);
            };
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(format!("it has more than {MAX_PARTS} parts"));
        }
        if self.takes("(") {
            let value = self.sum()?;
            self.expect(")")?;
            return Ok(value);
        }
        let mut word = self.word()?.to_owned();
        if let Ok(number) = word.parse() {
            return Ok(Value::Number(number));
        }
        if !self.takes("(") {
            return Ok(Value::Of(Figure::Throughput, cell(&word)?));
        }
        if word == "highest" || word == "lowest" {
            let mut all = vec![self.sum()?];
            while self.takes(",") {
                all.push(self.sum()?);
            }
            self.expect(")")?;
            return Ok(if word == "highest" {
                Value::Highest(all)
            } else {
                Value::Lowest(all)
            });
        }
        if word == "whole_core_at" {
            return self.whole_core_at();
        }
        if word == "p" || word.ends_with(":p") {
            // p(99)(sped), for those who write percentiles so.
            word = format!("{word}{}", self.word()?);
            self.expect(")")?;
            self.expect("(")?;
        }
        let figure = word.parse::<Figure>().map_err(|error| error.to_string())?;
        let name = cell(self.word()?)?;
        self.expect(")")?;
        Ok(Value::Of(figure, name))
    }

    fn whole_core_at(&mut self) -> Result<Value, String> {
        let word = self.word()?;
        let rate = word.parse().ok().filter(|rate: &f64| *rate > 0.0);
        let rate = rate.ok_or_else(|| format!("'{word}' is no number of requests a second"))?;
        let mut cells = Vec::new();
        while self.takes(",") {
            cells.push(cell(self.word()?)?);
        }
        self.expect(")")?;
        let along = along(cells)?;
        Ok(Value::WholeCoreAt { rate, along })
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) {
            return Ok(());
        }
        Err(format!("'{sign}' is missing before '{}'", self.rest.trim()))
    }

    fn word(&mut self) -> Result<&'a str, String> {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|letter: char| !(letter.is_alphanumeric() || "-_.:@=".contains(letter)))
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(match rest {
                "" => "it ends too early".into(),
                rest => format!("a cell is missing before '{rest}'"),
            });
        }
        self.rest = &rest[end..];
        Ok(&rest[..end])
    }
}

/// Cells with the level of the one factor in which they differ, which is a number.
fn along(cells: Vec<CellName>) -> Result<Vec<(f64, CellName)>, String> {
    let differs = |(name, text): &&(String, String)| {
        let has_other = |cell: &CellName| {
            let level = cell.0.iter().find(|(other, _)| other == name);
            level.is_some_and(|(_, other)| other != text)
        };
        cells.iter().any(has_other)
    };
    let factors = cells.first().map_or(&[][..], |first| &first.0);
    let varying: Vec<_> = factors.iter().filter(differs).collect();
    let [(factor, _)] = varying.as_slice() else {
        return Err("whole_core_at takes cells that differ in one factor".into());
    };
    let factor = factor.clone();
    let with_level = |cell: CellName| {
        let level = cell.0.iter().find(|(name, _)| *name == factor);
        let level = level.and_then(|(_, text)| text.parse().ok());
        match level {
            Some(level) => Ok((level, cell)),
            None => Err(format!("{cell} has no {factor} that is a number")),
        }
    };
    let along: Vec<_> = cells
        .into_iter()
        .map(with_level)
        .collect::<Result<_, _>>()?;
    match along.len() {
        3.. => Ok(along),
        few => Err(format!("a line takes three cells, not {few}")),
    }
}

fn cell(word: &str) -> Result<CellName, String> {
    let mut parts = word.split('@');
    let model = parts.next().unwrap_or_default();
    let mut factors = Vec::new();
    if !model.is_empty() {
        factors.push(("model".to_owned(), model.to_owned()));
    }
    for part in parts {
        let (name, level) = part
            .split_once('=')
            .filter(|(name, level)| !name.is_empty() && !level.is_empty())
            .ok_or_else(|| format!("'@{part}' is not @FACTOR=LEVEL"))?;
        factors.push((name.into(), level.into()));
    }
    if factors.is_empty() || model.contains('=') {
        return Err(format!("'{word}' names no cell"));
    }
    Ok(CellName(factors))
}
