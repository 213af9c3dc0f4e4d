//! `generators`: our load generator beside those that people use.
//!
//! First what each can ask for in a closed loop; then whether ours keeps time in an open one; then what each says of a server that stands
//! still for a tenth of every second, which users would find at the 99th percentile (a request that comes at any moment waits for what is
//! left of the stall). Those that can are asked to keep a rate, as its users would; the others ask as fast as they can.
//!
//! Over TLS and in HTTP/2 it is the closed loop alone, against our SPED, of those that speak it.

mod protocol;
mod stall;
mod tools;

use contracts::load::Report;
use contracts::{Distribution, Validity};
use lab::Failure;
use lab::table::Table;
use stats::sample::median;

use crate::client;
use crate::peers::minimal;
use crate::programs;
use crate::rounds::turns;
use crate::server::Server;
use crate::testbed::{Cores, Size, Testbed};
use protocol::Protocol;
use stall::Staller;
use tools::{Ask, TOOLS, Tool};

/// Rates of the open loop, per second.
const RATES: [u64; 3] = [5000, 50_000, 100_000];
/// The rate at which a server that stalls is asked, per second.
const STALLED_RATE: u64 = 1000;

/// Compare our load generator with wrk, h2load, ab, hey and oha, each on one core, a minimal server on the other
///
/// Processor time for each request is the steadier figure: throughput depends on everything else that runs. Needs wrk; the others take
/// part where they are installed. With --protocol it is h2load alone, and our own server. GENERATOR names the command that is measured; by default the release build's `archbench load`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How long each asks
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// In how many rounds all take turns
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// The length of every answer, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    body: u64,
    /// Connections of the closed loop
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    connections: u64,
    /// What is spoken; several, one after the other, with a comma between
    #[arg(
        long = "protocol",
        value_name = "NAME",
        value_delimiter = ',',
        default_value = "http"
    )]
    protocols: Vec<Protocol>,
    /// Requests under way on each connection, in HTTP/2
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    streams: u64,
    /// The core that the server is pinned to
    #[arg(long, value_name = "N", default_value_t = 1)]
    server_core: usize,
    /// The core that every generator is pinned to
    #[arg(long, value_name = "N", default_value_t = 0)]
    client_core: usize,
}

/// One run of a generator in a closed loop.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Closed {
    requests_per_s: f64,
    /// The generator's processor time for each request, and the server's.
    own_us: f64,
    server_us: f64,
}

/// Everything that the three parts share.
struct Comparison<'a> {
    arguments: &'a Arguments,
    testbed: &'a Testbed,
    protocol: Protocol,
    server: Server,
    /// What is asked for.
    url: String,
    /// The words by which ours is started.
    ours: &'a [String],
    tools: Vec<&'static Tool>,
}

/// Compares, and prints what comes of each protocol.
///
/// # Errors
/// When nobody is installed to compare with, or the server or a generator fails.
pub(crate) fn run(arguments: &Arguments) -> Result<u8, Failure> {
    let testbed = Testbed::new(Cores {
        server: arguments.server_core,
        client: arguments.client_core,
    })?;
    let ours: Vec<String> = match std::env::var("GENERATOR") {
        Ok(words) => words.split_whitespace().map(str::to_owned).collect(),
        Err(_) => vec![programs::archbench()?.display().to_string(), "load".into()],
    };
    let is_there = |tool: &&Tool| {
        let installed = tool.is_ours || client::is_installed(tool.name);
        if !installed {
            eprintln!("{} is not installed", tool.name);
        }
        installed
    };
    let tools: Vec<_> = TOOLS.iter().filter(is_there).collect();
    for (number, protocol) in arguments.protocols.iter().copied().enumerate() {
        if number > 0 {
            println!();
        }
        let speaks = |tool: &&Tool| tool.speaks.contains(&protocol);
        let (server, url) = serve(&testbed, protocol, arguments.body)?;
        let comparison = Comparison {
            arguments,
            testbed: &testbed,
            protocol,
            server,
            url,
            ours: &ours,
            tools: tools.iter().copied().filter(speaks).collect(),
        };
        if comparison.tools.len() < 2 {
            return Err(
                "there is nobody to compare with; scripts/install-peers installs some".into(),
            );
        }
        comparison.closed()?;
        if protocol == Protocol::Http {
            println!();
            comparison.open()?;
            println!();
            comparison.stalled()?;
        }
    }
    Ok(0)
}

/// A server and what it is asked for, with a body of so many bytes: in the plain case one that does next to nothing.
fn serve(testbed: &Testbed, protocol: Protocol, body: u64) -> Result<(Server, String), Failure> {
    if protocol == Protocol::Http {
        let server = minimal(testbed, body)?;
        let url = format!("{}/", server.url);
        return Ok((server, url));
    }
    let path = testbed.file(&body.to_string().parse::<Size>()?)?;
    let model = format!("sped {}", protocol.options());
    let server = Server::ours(testbed, &programs::archbench()?, &model, &testbed.root())?;
    let url = format!("{}{path}", server.url);
    Ok((server, url))
}

impl Comparison<'_> {
    /// Runs a tool once; gives its output and the processor time that it took, in seconds.
    fn ask(&self, tool: &Tool, rate: Option<u64>, more: &[&str]) -> Result<client::Ended, Failure> {
        let ask = Ask {
            ours: self.ours,
            seconds: self.arguments.seconds,
            connections: self.arguments.connections,
            rate,
            protocol: self.protocol,
            streams: self.arguments.streams,
            certificate: self.server.certificate.as_deref(),
            log: &self.testbed.work().join("log"),
            url: &self.url,
        };
        let mut command = (tool.command)(&ask);
        command.extend(more.iter().map(|word| (*word).to_owned()));
        client::run(self.testbed, &command)
    }

    fn rate(&self, tool: &Tool, ended: &client::Ended) -> Result<f64, Failure> {
        (tool.rate)(&ended.text).ok_or_else(|| {
            format!(
                "{} reports no rate: {}; {}",
                tool.name,
                ended.text.trim(),
                ended.how
            )
            .into()
        })
    }

    fn closed(&self) -> Result<(), Failure> {
        let Arguments {
            seconds,
            rounds,
            body,
            connections,
            server_core,
            client_core,
            streams,
            ..
        } = self.arguments;
        let streams = match self.protocol.is_http2() {
            true => format!(" of {streams} streams"),
            false => String::new(),
        };
        println!(
            "{}, closed loop, {connections} connections{streams}, {body} bytes, one thread on core {client_core}, server on core {server_core}, medians of \
             {rounds} rounds of {seconds} s",
            self.protocol.name()
        );
        let mut runs = vec![Vec::new(); self.tools.len()];
        for order in turns(self.tools.len(), *rounds as usize, 1) {
            for who in order {
                let before = self.server.account();
                let ended = self.ask(self.tools[who], None, &[])?;
                let server = self.server.account().since(before).processor_time;
                let requests_per_s = self.rate(self.tools[who], &ended)?;
                let requests = requests_per_s * *seconds as f64;
                runs[who].push(Closed {
                    requests_per_s,
                    own_us: ended.processor_time.as_secs_f64() * 1e6 / requests,
                    server_us: server.as_secs_f64() * 1e6 / requests,
                });
            }
        }
        let names: Vec<&str> = self.tools.iter().map(|tool| tool.name).collect();
        print!("{}", closed_table(&names, &runs));
        let reference = match self.protocol {
            Protocol::Http => "wrk",
            _ => "h2load",
        };
        if let Some(other) = names.iter().position(|name| *name == reference) {
            println!(
                "processor time for each request: {:.2} times that of {reference}",
                ratio(&runs[0], &runs[other], |run| run.own_us)
            );
        }
        Ok(())
    }

    fn open(&self) -> Result<(), Failure> {
        let Some(ours) = self.tools.iter().find(|tool| tool.is_ours) else {
            return Ok(());
        };
        for rate in RATES {
            let ended = self.ask(ours, Some(rate), &["--poisson"])?;
            println!(
                "open loop, Poisson, {rate}/s: {}",
                open_line(&client::report(&ended.text)?)
            );
        }
        Ok(())
    }

    fn stalled(&self) -> Result<(), Failure> {
        println!("server stopped for 0.1 s of every second");
        let heads = [
            "generator",
            "asked",
            "requests/s",
            "its p99, ms",
            "true p99, ms",
        ];
        let mut table = Table::new(heads.map(str::to_owned));
        for tool in &self.tools {
            let rate = tool.keeps_a_rate.then_some(STALLED_RATE);
            let staller = Staller::start(self.server.id());
            let ended = self.ask(tool, rate, &[]);
            let stalls = staller.stop()?;
            let ended = ended?;
            let log = std::fs::read_to_string(self.testbed.work().join("log")).unwrap_or_default();
            let milliseconds =
                |value: Option<f64>| value.map_or("–".to_owned(), |ms| format!("{ms:.2}"));
            table.row(vec![
                tool.name.to_owned(),
                rate.map_or("as fast as it can".to_owned(), |rate| format!("{rate}/s")),
                format!("{:.0}", self.rate(tool, &ended)?),
                milliseconds((tool.p99_ms)(&ended.text, &log)),
                milliseconds(stall::quantile_ms(&stalls, 0.99)),
            ]);
        }
        print!("{table}");
        Ok(())
    }
}

/// What an open loop came to.
fn open_line(report: &Report) -> String {
    let p99 = |times: &Option<Distribution>| {
        times
            .as_ref()
            .and_then(|times| times.p99)
            .unwrap_or(f64::NAN)
    };
    format!(
        "{}; p99 of lag {:.0} us, p99 of response {:.0} us, {:.0} % busy, {:.0} req/s{}",
        report.verdict.map_or("no verdict", Validity::name),
        p99(&report.generator_lag_us),
        p99(&report.response_time_us),
        report.generator.busy.unwrap_or(f64::NAN) * 100.0,
        report.throughput.requests_per_s.unwrap_or(f64::NAN),
        report
            .reasons
            .iter()
            .map(|reason| format!("; {reason}"))
            .collect::<String>()
    )
}

/// A row for each generator, of which the first is ours.
fn closed_table(names: &[&str], runs: &[Vec<Closed>]) -> Table {
    let heads = [
        "generator",
        "requests/s",
        "ours to it",
        "its cpu µs/request",
        "server's cpu µs/request",
    ];
    let mut table = Table::new(heads.map(str::to_owned));
    for (name, these) in names.iter().zip(runs) {
        let middle = |of: fn(&Closed) -> f64| median(&mut these.iter().map(of).collect::<Vec<_>>());
        table.row(vec![
            (*name).to_owned(),
            format!("{:.0}", middle(|run| run.requests_per_s)),
            format!("{:.2}", ratio(&runs[0], these, |run| run.requests_per_s)),
            format!("{:.2}", middle(|run| run.own_us)),
            format!("{:.2}", middle(|run| run.server_us)),
        ]);
    }
    table
}

/// The median of the rounds' ratios.
fn ratio(ones: &[Closed], others: &[Closed], of: fn(&Closed) -> f64) -> f64 {
    let pairs = ones.iter().zip(others);
    let mut ratios: Vec<f64> = pairs.map(|(one, other)| of(one) / of(other)).collect();
    median(&mut ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_is_told_in_a_line() {
        let text = r#"{"schema":"archbench.load/1","verdict":"SUSPECT","reasons":["short","early"],"throughput":{"requests_per_s":4958.2},
            "response_time_us":{"p99":700.4},"generator_lag_us":{"p99":48.0},"generator":{"busy":0.131}}"#;
        let line = open_line(&client::report(text).unwrap());
        let expected = "SUSPECT; p99 of lag 48 us, p99 of response 700 us, 13 % busy, 4958 req/s; short; early";
        assert_eq!(line, expected);
    }

    #[test]
    fn ratios_are_of_one_round() {
        let run = |requests_per_s: f64, own_us: f64| Closed {
            requests_per_s,
            own_us,
            server_us: 5.0,
        };
        let ours = vec![run(160.0, 6.0), run(80.0, 12.0), run(200.0, 5.0)];
        let theirs = vec![run(100.0, 8.0), run(50.0, 16.0), run(100.0, 10.0)];
        assert_eq!(ratio(&ours, &theirs, |run| run.own_us), 0.75);
        let text = closed_table(&["archbench", "wrk"], &[ours, theirs]).to_string();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1], ["archbench", "160", "1.00", "6.00", "5.00"]);
        assert_eq!(rows[2], ["wrk", "100", "1.60", "10.00", "5.00"]);
    }
}
