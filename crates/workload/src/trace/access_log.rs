//! A whole access log, made ready to be asked again.

use super::{Times, clf};
use std::collections::HashMap;
use std::io::{self, BufRead};

/// The methods that are replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD.
    Head,
}

/// One request of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Whole seconds since the first request of the log: a log knows no finer.
    pub second: u64,
    /// GET or HEAD.
    pub method: Method,
    /// Which of [`AccessLog::targets`].
    pub target: u32,
}

/// A line that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The requests of a log in the order of their times, and what was left out.
#[derive(Debug, Clone)]
pub struct AccessLog {
    /// Every path (with its query) that occurs, once.
    pub targets: Vec<String>,
    /// In the order of their times, then of their lines: servers log a request when it ends, so
    /// that lines may be out of order.
    pub requests: Vec<Request>,
    /// How many lines were well formed but neither GET nor HEAD.
    pub other_methods: u64,
    /// How many lines were malformed.
    pub malformed: u64,
    /// The first malformed lines, at most [`AccessLog::EXAMPLES`] of them.
    pub examples: Vec<Malformed>,
}

/// Why a log cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Not one request remains.
    #[error(
        "holds no GET or HEAD request in common log format ({malformed} malformed lines{}, {other_methods} of other methods)",
        first.as_ref().map(|m| format!(", line {}: {}", m.line, m.why)).unwrap_or_default()
    )]
    Empty {
        /// How many lines were malformed.
        malformed: u64,
        /// How many had other methods.
        other_methods: u64,
        /// The first malformed line.
        first: Option<Malformed>,
    },
    /// More different targets than 32 bits count.
    #[error("has more than 2^32 different targets")]
    TooManyTargets,
}

/// Reads an access log in the common or combined log format. Malformed lines are counted and the
/// first of them kept; empty lines are passed over.
pub fn access_log(mut reader: impl BufRead) -> Result<AccessLog, LogError> {
    let mut log = AccessLog {
        targets: Vec::new(),
        requests: Vec::new(),
        other_methods: 0,
        malformed: 0,
        examples: Vec::new(),
    };
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut times = Vec::new();
    let mut buffer = Vec::new();
    for number in 1.. {
        buffer.clear();
        if reader.read_until(b'\n', &mut buffer)? == 0 {
            break;
        }
        let line = match std::str::from_utf8(&buffer).map(|line| line.trim_end()) {
            Ok("") => continue,
            Ok(line) => clf::parse(line),
            Err(_) => Err("it is not UTF-8"),
        };
        match line {
            Ok(clf::Line { method: None, .. }) => log.other_methods += 1,
            Ok(clf::Line {
                time,
                method: Some(method),
                target,
            }) => {
                let target = number_of(target, &mut known, &mut log.targets)?;
                times.push(time);
                log.requests.push(Request {
                    second: 0,
                    method,
                    target,
                });
            }
            Err(why) => log.note(number, why),
        }
    }
    let Some(start) = times.iter().min().copied() else {
        let AccessLog {
            malformed,
            other_methods,
            examples,
            ..
        } = log;
        return Err(LogError::Empty {
            malformed,
            other_methods,
            first: examples.into_iter().next(),
        });
    };
    for (request, time) in log.requests.iter_mut().zip(times) {
        request.second = time.abs_diff(start);
    }
    log.requests.sort_by_key(|request| request.second);
    Ok(log)
}

/// The number of a target among all of them, which it joins if it is new.
fn number_of(
    target: &str,
    known: &mut HashMap<String, u32>,
    targets: &mut Vec<String>,
) -> Result<u32, LogError> {
    if let Some(number) = known.get(target) {
        return Ok(*number);
    }
    let number = u32::try_from(targets.len()).map_err(|_| LogError::TooManyTargets)?;
    known.insert(target.into(), number);
    targets.push(target.into());
    Ok(number)
}

impl AccessLog {
    /// How many malformed lines are kept as examples.
    pub const EXAMPLES: usize = 10;

    fn note(&mut self, line: u64, why: &'static str) {
        self.malformed += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(Malformed { line, why });
        }
    }

    /// The log's own timing, one time for each of [`AccessLog::requests`].
    ///
    /// A log has whole seconds only. Sent as they stand, the requests of a second would make a
    /// burst that never was; so the n requests of a second are spaced by 1/n of it. This is a
    /// guess, and the mildest one: burstiness within a second is lost.
    pub fn times(&self) -> Option<Times> {
        const SECOND: u64 = 1_000_000_000;
        let seconds = self.requests.chunk_by(|a, b| a.second == b.second);
        let times = seconds.flat_map(|requests| {
            let n = requests.len() as u64;
            requests.iter().zip(0..).map(move |(request, k)| {
                request
                    .second
                    .saturating_mul(SECOND)
                    .saturating_add(k * SECOND / n)
            })
        });
        Times::from_nanos(times).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"h - - [10/Oct/2000:13:55:38 -0700] "GET /b HTTP/1.0" 200 10
h - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326
h - - [10/Oct/2000:20:55:36 +0000] "HEAD /b HTTP/1.0" 304 -

nonsense
h - - [10/Oct/2000:13:55:37 -0700] "POST /form HTTP/1.0" 200 5
h - - [10/Oct/2000:13:55:38 -0700] "GET /c?x=1 HTTP/1.1" 404 9 "-" "curl"
"#;

    #[test]
    fn a_log_in_the_order_of_its_times() {
        let log = access_log(LOG.as_bytes()).unwrap();
        let all: Vec<_> = log
            .requests
            .iter()
            .map(|r| (r.second, r.method, log.targets[r.target as usize].as_str()))
            .collect();
        use Method::{Get, Head};
        assert_eq!(
            all,
            [
                (0, Get, "/a"),
                (0, Head, "/b"),
                (2, Get, "/b"),
                (2, Get, "/c?x=1"),
            ]
        );
        assert_eq!(log.targets, ["/b", "/a", "/c?x=1"]);
        assert_eq!((log.other_methods, log.malformed), (1, 1));
        assert_eq!(
            log.examples,
            [Malformed {
                line: 5,
                why: "no time in brackets"
            }]
        );
        assert_eq!(
            log.times().unwrap().as_nanos(),
            [0, 500_000_000, 2_000_000_000, 2_500_000_000]
        );
    }

    #[test]
    fn a_log_of_nothing_is_an_error_with_an_example() {
        let error = access_log(&b"x\n\xff\n"[..]).unwrap_err().to_string();
        assert_eq!(
            error,
            "holds no GET or HEAD request in common log format (2 malformed lines, line 1: no time in brackets, 0 of other methods)"
        );
        assert!(access_log(&b""[..]).is_err());
    }

    #[test]
    fn few_examples_are_kept_of_many_malformed_lines() {
        let log = access_log(format!("{}{LOG}", "x\n".repeat(1000)).as_bytes()).unwrap();
        assert_eq!(
            (log.malformed, log.examples.len()),
            (1001, AccessLog::EXAMPLES)
        );
    }
}
