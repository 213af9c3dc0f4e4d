//! Distributions that somebody else has worked out, as rows of text.
//!
//! | text | who writes it | unit |
//! | --- | --- | --- |
//! | `Value Percentile TotalCount …` in columns | `outputPercentileDistribution` of every HdrHistogram, `archbench load` as hgrm, wrk2 | ms |
//! | the same in quotes and commas | Java's HdrHistogram with CSV, HistogramLogProcessor with `-csv` | ms |
//! | `"Timestamp","Int_Count",…` | HistogramLogProcessor with `-csv`, a row for each interval | ms |
//! | `metric,value_us,…` | `archbench load` as CSV | µs |

use crate::distribution::Distribution;
use crate::figures::series::SeriesPoint;
use results::Validity;

/// A percentile distribution, with as many percentiles as its writer thought enough.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Percentiles {
    /// Times in seconds and the share of requests that took no longer, from the quickest on.
    pub(crate) steps: Vec<(f64, f64)>,
    /// How many requests there are.
    pub(crate) count: u64,
    /// From which time on, in seconds, times are lower bounds, if any request was given up.
    pub(crate) bounds_from: Option<f64>,
    /// Whether it says that it is not to be believed.
    pub(crate) invalid: bool,
    /// How it went by the interval, if it has that too.
    pub(crate) seconds: Vec<SeriesPoint>,
}

impl Percentiles {
    /// The text as one of those that are read here; None of anything else.
    pub(crate) fn read(text: &str) -> Option<Result<Self, String>> {
        let is_comment = |line: &str| line.is_empty() || line.starts_with('#');
        let mut rows = (1..)
            .zip(text.lines().map(str::trim))
            .filter(|(_, line)| !is_comment(line));
        let (_, head) = rows.next()?;
        let columns = fields(head);
        let is = |names: &[&str]| columns.starts_with(names);
        Some(if is(&["Value", "Percentile", "TotalCount"]) {
            distribution(text, rows)
        } else if is(&["Timestamp", "Int_Count"]) {
            intervals(&columns, rows)
        } else if is(&["metric", "value_us"]) {
            ours(&columns, rows)
        } else if is(&["id", "cell", "block"]) {
            Err("a table of trials; give the results folder that it is in".into())
        } else {
            return None;
        })
    }

    /// What is known of it: what is beyond the first lower bound is not.
    pub(crate) fn distribution(&self) -> Option<Distribution> {
        let exact = |(time, _): &(f64, f64)| self.bounds_from.is_none_or(|from| *time < from);
        let steps: Vec<_> = self.steps.iter().copied().filter(exact).collect();
        let known = match self.bounds_from {
            None => 1.0,
            Some(_) => steps.last()?.1,
        };
        Distribution::from_steps(steps, known, self.count)
    }

    /// The time that a share of requests does not exceed, and whether it is only a lower bound.
    pub(crate) fn quantile(&self, share: f64) -> Option<(f64, bool)> {
        let (time, _) = self
            .steps
            .iter()
            .find(|(_, reached)| *reached >= share - 1e-12)?;
        Some((*time, self.bounds_from.is_some_and(|from| from <= *time)))
    }
}

/// What is between commas or, where there are none, between spaces; without its quotes.
fn fields(line: &str) -> Vec<&str> {
    match line.contains(',') {
        true => line
            .split(',')
            .map(|field| field.trim().trim_matches('"'))
            .collect(),
        false => line.split_whitespace().collect(),
    }
}

/// Rows with the number of each line.
trait Rows<'a>: Iterator<Item = (usize, &'a str)> {}
impl<'a, I: Iterator<Item = (usize, &'a str)>> Rows<'a> for I {}

fn not_a_row(line: usize, what: &str) -> String {
    format!("line {line} is no row of {what}")
}

fn not_empty(percentiles: Percentiles) -> Result<Percentiles, String> {
    match percentiles.steps.is_empty() {
        true => Err("a percentile distribution without values".into()),
        false => Ok(percentiles),
    }
}

fn distribution<'a>(text: &str, rows: impl Rows<'a>) -> Result<Percentiles, String> {
    let mut found = Percentiles {
        bounds_from: meter::formats::bounds_of(text).map(|(_, milliseconds)| milliseconds * 1e-3),
        invalid: results::hlog::verdict(text) == Some(Validity::Invalid),
        ..Percentiles::default()
    };
    for (line, row) in rows {
        let numbers = fields(row)
            .into_iter()
            .map_while(|field| field.parse::<f64>().ok());
        let [milliseconds, share, total, ..] = numbers.collect::<Vec<_>>()[..] else {
            return Err(not_a_row(line, "a percentile distribution"));
        };
        found.steps.push((milliseconds * 1e-3, share));
        found.count = found.count.max(total as u64);
    }
    not_empty(found)
}

/// The percentiles that the last row of a table of intervals has of all of them.
const TOTALS: [(&str, f64); 6] = [
    ("Total_50%", 0.5),
    ("Total_90%", 0.9),
    ("Total_99%", 0.99),
    ("Total_99.9%", 0.999),
    ("Total_99.99%", 0.9999),
    ("Total_Max", 1.0),
];

fn intervals<'a>(columns: &[&str], rows: impl Rows<'a>) -> Result<Percentiles, String> {
    let mut found = Percentiles::default();
    let mut before = 0.0;
    for (line, row) in rows {
        let row = fields(row);
        let number = |name: &str| -> Result<f64, String> {
            let place = columns.iter().position(|column| *column == name);
            let field = place.and_then(|place| row.get(place));
            field.and_then(|field| field.parse().ok()).ok_or_else(|| {
                not_a_row(line, &format!("such intervals: it has no number in {name}"))
            })
        };
        let (end, here) = (number("Timestamp")?, number("Int_Count")?);
        let length = end - before;
        if length > 0.0 {
            found.seconds.push(SeriesPoint {
                at: before + length / 2.0,
                rate: here / length,
                tail: None,
                at_least: false,
            });
        }
        before = end;
        found.count = number("Total_Count")? as u64;
        let totals = TOTALS.map(|(name, share)| Ok((number(name)? * 1e-3, share)));
        found.steps = totals.into_iter().collect::<Result<_, String>>()?;
    }
    not_empty(found)
}

fn ours<'a>(columns: &[&str], rows: impl Rows<'a>) -> Result<Percentiles, String> {
    let mut found = Percentiles::default();
    for (line, row) in rows {
        let row = fields(row);
        let field = |name: &str| {
            let place = columns.iter().position(|column| *column == name)?;
            row.get(place).copied()
        };
        found.invalid |= field("verdict") == Some("INVALID");
        // What comes first in every report.
        if field("metric") != Some("response") || field("count") == Some("0") {
            continue;
        }
        let number = |name: &str| -> Result<f64, String> {
            let number = field(name).and_then(|field| field.parse().ok());
            number.ok_or_else(|| {
                not_a_row(line, &format!("a distribution: it has no number in {name}"))
            })
        };
        let time = number("value_us")? * 1e-6;
        if field("at_least") == Some("true") {
            found.bounds_from.get_or_insert(time);
        }
        found.steps.push((time, number("percentile")? / 100.0));
        found.count = found.count.max(number("count")? as u64);
    }
    not_empty(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Percentiles {
        Percentiles::read(text).expect(text).expect(text)
    }

    /// Times in milliseconds, so that they can be compared.
    fn steps(percentiles: &Percentiles) -> Vec<(f64, f64)> {
        let steps = percentiles.steps.iter();
        steps
            .map(|(time, share)| ((time * 1e6).round() / 1e3, *share))
            .collect()
    }

    #[test]
    fn columns_and_commas_say_the_same() {
        let columns = "       Value     Percentile TotalCount 1/(1-Percentile)\n\n  1.000 0.5 10 2.00\n 2.000 1.0 20\n#[Mean = 1]\n";
        let commas = "#[StartTime: 1.000 (seconds since epoch)]\n\"Value\",\"Percentile\",\"TotalCount\",\"1/(1-Percentile)\"\n1.000,0.500000000000,10,2.00\n2.000,1.000000000000,20,Infinity\n";
        for text in [columns, commas] {
            let found = read(text);
            assert_eq!(steps(&found), [(1.0, 0.5), (2.0, 1.0)]);
            assert_eq!(
                (found.count, found.bounds_from, found.invalid),
                (20, None, false)
            );
        }
        assert!(read(&format!("{columns}#[Verdict: INVALID]\n")).invalid);
    }

    #[test]
    fn what_was_given_up_ends_what_is_known() {
        let comment = meter::formats::comment(&meter::formats::bounds_comment(5, 2_000_000));
        let hgrm = format!(
            "Value Percentile TotalCount\n1.000 0.5 10 2.00\n1.5 0.75 15\n2.000 1.0 20\n{comment}"
        );
        let csv = "metric,value_us,percentile,count,one_by_one_minus_percentile,at_least,verdict\n\
                   response,1000.000,50,10,2.00,false,SUSPECT\nresponse,1500.000,75,15,4.00,false,SUSPECT\n\
                   response,2000.000,100,20,inf,true,SUSPECT\nservice,1.000,100,20,inf,false,SUSPECT\n";
        for text in [hgrm.as_str(), csv] {
            let found = read(text);
            assert_eq!(found.quantile(0.6), Some((1.5e-3, false)), "{text}");
            assert_eq!(found.quantile(0.99), Some((2e-3, true)), "{text}");
            let known = found.distribution().expect("some");
            assert_eq!(
                (known.answered, known.steps.len(), known.count),
                (0.75, 2, 20)
            );
            assert!(!found.invalid);
        }
    }

    #[test]
    fn our_csv_of_before_is_read_as_it_was() {
        let found = read(
            "metric,value_us,percentile,count,one_by_one_minus_percentile\nresponse,7000.0,100.0000000000,3,inf\n",
        );
        assert_eq!((steps(&found), found.bounds_from), (vec![(7.0, 1.0)], None));
        let nothing = "metric,value_us,percentile,count,one_by_one_minus_percentile,at_least,verdict\nresponse,,,0,,,INVALID\n";
        let refused = Percentiles::read(nothing).expect("known");
        assert!(refused.is_err_and(|why| why.contains("without values")));
    }

    #[test]
    fn intervals_have_a_course_and_the_percentiles_of_all() {
        let text = "#[StartTime: 1441812279.474 (seconds since epoch), Wed Sep 09 08:24:39 PDT 2015]\n\
                    \"Timestamp\",\"Int_Count\",\"Int_50%\",\"Int_90%\",\"Int_Max\",\"Total_Count\",\"Total_50%\",\"Total_90%\",\"Total_99%\",\"Total_99.9%\",\"Total_99.99%\",\"Total_Max\"\n\
                    0.500,100,0.1,0.2,0.3,100,0.1,0.2,0.3,0.3,0.3,0.3\n1.500,300,0.1,0.2,0.9,400,0.1,0.2,0.4,0.5,0.6,0.9\n";
        let found = read(text);
        assert_eq!(steps(&found).last(), Some(&(0.9, 1.0)));
        assert_eq!(
            (
                found.quantile(0.99).map(|(time, _)| (time * 1e6).round()),
                found.count
            ),
            (Some(400.0), 400)
        );
        let seconds: Vec<_> = found
            .seconds
            .iter()
            .map(|second| (second.at, second.rate))
            .collect();
        assert_eq!(seconds, [(0.25, 200.0), (1.0, 300.0)]);
    }

    #[test]
    fn what_is_no_row_is_named() {
        for (text, why) in [
            ("Value Percentile TotalCount\n1 x y\n", "line 2"),
            ("\"Value\",\"Percentile\",\"TotalCount\"\n\n1,2\n", "line 3"),
            ("\"Timestamp\",\"Int_Count\"\n1,2\n", "Total_Count"),
            (
                "metric,value_us,percentile,count\nresponse,x,1,1\n",
                "value_us",
            ),
            ("id,cell,block,repeat\n", "results folder"),
            ("Value Percentile TotalCount\n", "without values"),
        ] {
            let refused = Percentiles::read(text).expect(text).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
        }
        for text in ["", "#[x]\n", "a,b\n", "{}"] {
            assert!(Percentiles::read(text).is_none(), "{text}");
        }
    }
}
