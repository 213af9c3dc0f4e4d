//! How each load generator is started, and what it says.

use std::path::Path;

use serde_json::Value;
use stats::sample::quantile;

use super::protocol::Protocol;
use crate::client::{self, Wrk};

/// What a generator is asked to do.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// The words by which ours is started.
    pub(super) ours: &'a [String],
    pub(super) seconds: u64,
    /// Connections of a closed loop.
    pub(super) connections: u64,
    /// Requests per second that it is to keep; as fast as it can without.
    pub(super) rate: Option<u64>,
    pub(super) protocol: Protocol,
    /// Requests under way on a connection, in HTTP/2.
    pub(super) streams: u64,
    /// What the server shows over TLS.
    pub(super) certificate: Option<&'a Path>,
    /// Where a log may lie.
    pub(super) log: &'a Path,
    pub(super) url: &'a str,
}

/// Connections of those whose rate is that of a connection.
const SEVERAL: u64 = 50;

impl Ask<'_> {
    /// Connections of a generator whose rate is that of a connection, and that rate.
    fn shared(&self) -> (u64, Option<u64>) {
        match self.rate {
            None => (self.connections, None),
            Some(rate) => (SEVERAL, Some(rate / SEVERAL)),
        }
    }
}

/// A load generator.
pub(super) struct Tool {
    /// Its program, and what tables call it.
    pub(super) name: &'static str,
    pub(super) is_ours: bool,
    pub(super) keeps_a_rate: bool,
    pub(super) speaks: &'static [Protocol],
    pub(super) command: fn(&Ask<'_>) -> Vec<String>,
    /// The requests per second that it reports.
    pub(super) rate: fn(&str) -> Option<f64>,
    /// The 99th percentile that it reports, or what follows from its log, in ms.
    pub(super) p99_ms: fn(&str, &str) -> Option<f64>,
}

/// Ours first.
pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "archbench",
        is_ours: true,
        keeps_a_rate: true,
        speaks: &Protocol::ALL,
        command: |ask| {
            let plain = ["--quiet", "--output-format", "json", "-d"].map(str::to_owned);
            let length = [
                format!("{}s", ask.seconds),
                "-c".into(),
                ask.connections.to_string(),
            ];
            let rate = ask.rate.map(|rate| ["-R".to_owned(), rate.to_string()]);
            let mut command = [ask.ours, &plain, &length].concat();
            command.extend(rate.into_iter().flatten());
            if let Some(certificate) = ask.certificate {
                command.extend(["--cacert".to_owned(), certificate.display().to_string()]);
            }
            if ask.protocol.is_http2() {
                command.extend(words(&["--http2", "--streams", &ask.streams.to_string()]));
            }
            command.push(ask.url.to_owned());
            command
        },
        rate: |text| client::report(text).ok()?.throughput.requests_per_s,
        p99_ms: |text, _| Some(client::report(text).ok()?.response_time_us?.p99? / 1e3),
    },
    Tool {
        name: "wrk",
        is_ours: false,
        keeps_a_rate: false,
        speaks: &[Protocol::Http],
        command: |ask| {
            words(&[
                "wrk",
                "-t1",
                &format!("-d{}s", ask.seconds),
                &format!("-c{}", ask.connections),
                "--latency",
                ask.url,
            ])
        },
        rate: |text| Some(Wrk::parse(text).ok()?.requests_per_s),
        p99_ms: |text, _| milliseconds(after(text, "99%")?),
    },
    Tool {
        name: "h2load",
        is_ours: false,
        keeps_a_rate: true,
        speaks: &Protocol::ALL,
        command: |ask| {
            let (connections, rate) = ask.shared();
            let protocol = match ask.protocol.is_http2() {
                true => format!("-m{}", ask.streams),
                false => "--h1".to_owned(),
            };
            let mut command = words(&[
                "h2load",
                &protocol,
                "-t1",
                &format!("-D{}", ask.seconds),
                &format!("-c{connections}"),
            ]);
            if let Some(rate) = rate {
                command.extend(words(&[
                    "--rps",
                    &rate.to_string(),
                    "--log-file",
                    &ask.log.display().to_string(),
                ]));
            }
            command.push(ask.url.to_owned());
            command
        },
        rate: |text| {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix("finished in "))?;
            line.split(", ")
                .nth(1)?
                .strip_suffix(" req/s")?
                .parse()
                .ok()
        },
        // It reports none; its log has every request, in µs.
        p99_ms: |_, log| {
            let times = log
                .lines()
                .filter_map(|line| line.split_whitespace().nth(2)?.parse().ok());
            let mut times: Vec<f64> = times.collect();
            let p99 = quantile(&mut times, 0.99) / 1e3;
            p99.is_finite().then_some(p99)
        },
    },
    Tool {
        name: "ab",
        is_ours: false,
        keeps_a_rate: false,
        speaks: &[Protocol::Http],
        // It reserves room for as many requests as it may make.
        command: |ask| {
            words(&[
                "ab",
                "-q",
                "-k",
                "-c",
                &ask.connections.to_string(),
                "-t",
                &ask.seconds.to_string(),
                "-n",
                "2000000",
                ask.url,
            ])
        },
        rate: |text| after(text, "Requests per second:")?.parse().ok(),
        p99_ms: |text, _| after(text, "99%")?.parse().ok(),
    },
    Tool {
        name: "hey",
        is_ours: false,
        keeps_a_rate: true,
        speaks: &[Protocol::Http],
        command: |ask| {
            let (connections, rate) = ask.shared();
            let mut command = words(&[
                "hey",
                "-cpus",
                "1",
                "-z",
                &format!("{}s", ask.seconds),
                "-c",
                &connections.to_string(),
            ]);
            command.extend(
                rate.into_iter()
                    .flat_map(|rate| words(&["-q", &rate.to_string()])),
            );
            command.push(ask.url.to_owned());
            command
        },
        rate: |text| after(text, "Requests/sec:")?.parse().ok(),
        p99_ms: |text, _| Some(after(text, "99% in")?.parse::<f64>().ok()? * 1e3),
    },
    Tool {
        name: "oha",
        is_ours: false,
        keeps_a_rate: true,
        speaks: &[Protocol::Http],
        command: |ask| {
            let mut command = words(&[
                "oha",
                "--no-tui",
                "-j",
                "-z",
                &format!("{}s", ask.seconds),
                "-c",
                &ask.connections.to_string(),
            ]);
            command.extend(
                ask.rate
                    .into_iter()
                    .flat_map(|rate| words(&["-q", &rate.to_string(), "--latency-correction"])),
            );
            command.push(ask.url.to_owned());
            command
        },
        rate: |text| number(text, "summary", "requestsPerSec"),
        p99_ms: |text, _| Some(number(text, "latencyPercentiles", "p99")? * 1e3),
    },
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The word that follows a label at the beginning of a line.
fn after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let rest = text
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(label))?;
    rest.split_whitespace().next()
}

/// A time with wrk's unit: us, ms, s or m.
fn milliseconds(time: &str) -> Option<f64> {
    let unit = time.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let number: f64 = time.strip_suffix(unit)?.parse().ok()?;
    match unit {
        "us" => Some(number / 1e3),
        "ms" => Some(number),
        "s" => Some(number * 1e3),
        "m" => Some(number * 60e3),
        _ => None,
    }
}

fn number(json: &str, part: &str, name: &str) -> Option<f64> {
    let report: Value = serde_json::from_str(json).ok()?;
    report.get(part)?.get(name)?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str) -> &'static Tool {
        TOOLS.iter().find(|tool| tool.name == name).unwrap()
    }

    #[test]
    fn what_each_says_is_read() {
        let wrk = "  Latency Distribution\n     50%  478.00us\n     99%   88.31ms\n  1000 requests in 2.00s, 1MB read\nRequests/sec:  500.25\n";
        let h2load = "starting benchmark...\nfinished in 5.00s, 1000.20 req/s, 1.17MB/s\nrequests: 5001 total\n";
        let ab = "Requests per second:    144601.20 [#/sec] (mean)\n  50%      0\n  99%      1\n 100%     20 (longest request)\n";
        let hey = "Summary:\n  Requests/sec:\t982.5\n\nLatency distribution:\n  50% in 0.0004 secs\n  99% in 0.0997 secs\n";
        let oha = r#"{"summary":{"requestsPerSec":999.5},"latencyPercentiles":{"p99":0.0911}}"#;
        let ours = r#"{"schema":"archbench.load/1","throughput":{"requests_per_s":999.5},"response_time_us":{"p99":89330.0}}"#;
        for (name, text, rate, p99) in [
            ("archbench", ours, 999.5, 89.33),
            ("wrk", wrk, 500.25, 88.31),
            ("h2load", h2load, 1000.2, 96.94),
            ("ab", ab, 144_601.2, 1.0),
            ("hey", hey, 982.5, 99.7),
            ("oha", oha, 999.5, 91.1),
        ] {
            let log = "1\t200\t96940\n2\t200\t96940\n";
            assert_eq!((tool(name).rate)(text), Some(rate), "{name}");
            let found = (tool(name).p99_ms)(text, log).unwrap();
            assert!((found - p99).abs() < 1e-9, "{name}: {found}");
            assert_eq!((tool(name).rate)("nothing"), None, "{name}");
            assert_eq!((tool(name).p99_ms)("nothing", ""), None, "{name}");
        }
    }

    #[test]
    fn a_rate_is_shared_by_connections_where_it_is_theirs() {
        let ours = words(&["archbench", "load"]);
        let ask = |rate| Ask {
            ours: &ours,
            seconds: 5,
            connections: 64,
            rate,
            protocol: Protocol::Http,
            streams: 1,
            certificate: None,
            log: Path::new("/w/log"),
            url: "http://h/",
        };
        let command = |name: &str, rate| (tool(name).command)(&ask(rate)).join(" ");
        assert_eq!(
            command("archbench", Some(1000)),
            "archbench load --quiet --output-format json -d 5s -c 64 -R 1000 http://h/"
        );
        assert_eq!(
            command("h2load", None),
            "h2load --h1 -t1 -D5 -c64 http://h/"
        );
        assert_eq!(
            command("h2load", Some(1000)),
            "h2load --h1 -t1 -D5 -c50 --rps 20 --log-file /w/log http://h/"
        );
        assert_eq!(
            command("hey", Some(1000)),
            "hey -cpus 1 -z 5s -c 50 -q 20 http://h/"
        );
        assert_eq!(
            command("oha", Some(1000)),
            "oha --no-tui -j -z 5s -c 64 -q 1000 --latency-correction http://h/"
        );
    }

    #[test]
    fn both_that_can_are_asked_over_tls_and_in_http2() {
        let ours = words(&["archbench", "load"]);
        let certificate = Path::new("/w/certificate.pem");
        for (protocol, own, h2load) in [
            (
                Protocol::Https,
                "-c 8 --cacert /w/certificate.pem https://h/",
                "h2load --h1 -t1 -D5 -c8 https://h/",
            ),
            (
                Protocol::H2c,
                "-c 8 --http2 --streams 32 http://h/",
                "h2load -m32 -t1 -D5 -c8 http://h/",
            ),
            (
                Protocol::H2,
                "-c 8 --cacert /w/certificate.pem --http2 --streams 32 https://h/",
                "h2load -m32 -t1 -D5 -c8 https://h/",
            ),
        ] {
            let is_secured = protocol.options().contains("--tls");
            let ask = Ask {
                ours: &ours,
                seconds: 5,
                connections: 8,
                rate: None,
                protocol,
                streams: 32,
                certificate: is_secured.then_some(certificate),
                log: Path::new("/w/log"),
                url: match is_secured {
                    true => "https://h/",
                    false => "http://h/",
                },
            };
            let command = |name: &str| (tool(name).command)(&ask).join(" ");
            assert!(command("archbench").ends_with(own), "{protocol:?}");
            assert_eq!(command("h2load"), h2load, "{protocol:?}");
        }
    }

    #[test]
    fn times_of_wrk_have_units() {
        for (text, expected) in [
            ("250us", Some(0.25)),
            ("2.64ms", Some(2.64)),
            ("1.5s", Some(1500.0)),
            ("2m", Some(120_000.0)),
            ("3h", None),
            ("ms", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
