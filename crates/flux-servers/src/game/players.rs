//! Players by the hundred, and how late heartbeats reach them.
//!
//! A heartbeat is due a period after the one before, and its number says which it is. What its way takes at least cannot be told from
//! without; so the earliest of all is taken to be on time, and every other is late by what it is later than its number says.

use std::fmt;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use command::output::Format;
use command::quantity;
use contracts::load::{Loop, Report};
use contracts::{Distribution, Document, Statistic, Validity};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

use super::PERIOD;
use super::message::{Direction, Message, News};

/// Play tag, so many players in one process, and measure how late heartbeats reach them
///
/// Each sends ten wishes a second. How late a heartbeat is is measured against the earliest of all, by their numbers.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// Where 'flux-servers game' listens; http:// before it, as load generators have it, is passed over
    #[arg(value_name = "ADDRESS:PORT")]
    pub address: String,
    /// How many players
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// In this first stretch heartbeats come and do not count, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub warm_up: Duration,
    /// How long they play, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "6", value_parser = seconds)]
    pub duration: Duration,
    /// The format of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output_format: Format,
}

/// Wishes that are sent later than this, at the 99th percentile, are no load that was asked for.
const MOST_LAG: Duration = Duration::from_millis(20);
/// The longest datagram that there is, in bytes.
const LONGEST: usize = 65_536;

/// Seconds as they are typed, with their unit or without.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').parse().ok();
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| "expected seconds, like 5 or 0.5".into())
}

/// What players have seen.
#[derive(Debug, Default)]
pub struct Seen {
    players: u32,
    joined: u32,
    wishes: u64,
    /// Of each heartbeat that reached a player: its number, and when it came, in nanoseconds since the start.
    arrivals: Vec<(u32, i64)>,
    /// How late wishes were sent, in nanoseconds.
    lags: Vec<i64>,
    window: Duration,
}

struct Player {
    socket: UdpSocket,
    token: Option<u64>,
    sequence: u32,
}

/// Plays.
///
/// # Errors
/// An address that cannot be reached, or where nobody serves the game; in words.
pub fn play(settings: &Settings) -> Result<Seen, String> {
    let typed = settings.address.trim_start_matches("http://");
    let failed = |error: std::io::Error| format!("cannot play at {typed}: {error}");
    let mut addresses = typed.to_socket_addrs().map_err(failed)?;
    let address = addresses
        .next()
        .ok_or_else(|| format!("{typed} is no address"))?;
    let mut poll = Poll::new().map_err(failed)?;
    let mut players = Vec::new();
    for number in 0..settings.count as usize {
        let mut socket = connected(address).map_err(failed)?;
        let registry = poll.registry();
        registry
            .register(&mut socket, Token(number), Interest::READABLE)
            .map_err(failed)?;
        players.push(Player {
            socket,
            token: None,
            sequence: 0,
        });
    }
    let window = settings.duration.saturating_sub(settings.warm_up);
    let mut seen = Seen {
        players: settings.count,
        window,
        ..Seen::default()
    };
    let start = Instant::now();
    let since = start + settings.warm_up;
    let end = since + window;
    let mut events = Events::with_capacity(1024);
    let mut turn = 0;
    let mut datagram = vec![0; LONGEST];
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        // All have their turn within a period, one after the other.
        let due = start + PERIOD * turn / settings.count;
        if due <= now {
            let number = (turn % settings.count) as usize;
            players[number].speak(number);
            if now >= since {
                seen.wishes += 1;
                seen.lags.push(nanoseconds(now - due));
            }
            turn += 1;
            continue;
        }
        match poll.poll(&mut events, Some((due - now).min(end - now))) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(failed(error)),
            _ => {}
        }
        for event in &events {
            let player = &mut players[event.token().0];
            // An error tells of what was sent before; heartbeats that do not come are missed.
            while let Ok(length) = player.socket.recv(&mut datagram) {
                let arrival = Instant::now();
                match News::parse(&datagram[..length]) {
                    Some(News::Challenge(token)) => {
                        seen.joined += u32::from(player.token.is_none());
                        player.token = Some(token);
                    }
                    Some(News::Heartbeat(heartbeat)) if arrival >= since => {
                        let at = nanoseconds(arrival - start);
                        seen.arrivals.push((heartbeat.beat, at));
                    }
                    _ => {}
                }
            }
        }
    }
    for player in players {
        if let Some(token) = player.token {
            let _ = player.socket.send(&Message::Leave { token }.datagram());
        }
    }
    match seen.arrivals.is_empty() {
        true => Err(format!(
            "no heartbeat came from {typed} in {} s; is 'flux-servers game' there?",
            window.as_secs_f64()
        )),
        false => Ok(seen),
    }
}

/// A socket of a player's.
fn connected(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let from: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(from)?;
    socket.connect(address)?;
    Ok(socket)
}

impl Player {
    /// Says hello, or where to: everybody runs another way, and turns now and then.
    fn speak(&mut self, number: usize) {
        let message = match self.token {
            None => Message::Hello,
            Some(token) => {
                self.sequence += 1;
                let way = (number as u64 * 5 + u64::from(self.sequence / 16)) % 9;
                Message::Wish {
                    token,
                    sequence: self.sequence,
                    direction: Direction::new(way as u8).unwrap_or_default(),
                }
            }
        };
        // One that is lost is made up for by the next.
        let _ = self.socket.send(&message.datagram());
    }
}

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

impl Seen {
    /// How late each heartbeat was, in nanoseconds, the earliest first.
    fn lateness(&self) -> Vec<i64> {
        let period = nanoseconds(PERIOD);
        let at = |&(beat, at): &(u32, i64)| at - i64::from(beat) * period;
        let earliest = self.arrivals.iter().map(at).min().unwrap_or(0);
        let mut late: Vec<_> = self.arrivals.iter().map(|one| at(one) - earliest).collect();
        late.sort_unstable();
        late
    }

    /// How many heartbeats should have reached players, from the first to the last that reached one.
    fn expected(&self) -> u64 {
        let beats = self.arrivals.iter().map(|(beat, _)| *beat);
        let span = match (beats.clone().min(), beats.max()) {
            (Some(first), Some(last)) => u64::from(last - first) + 1,
            _ => 0,
        };
        span * u64::from(self.players)
    }

    /// As load generators report, so that the lab can have players for a generator: a heartbeat is an answer.
    pub fn report(&self) -> Report {
        let mut report = Report {
            schema: Report::SCHEMA.into(),
            verdict: Some(Validity::Valid),
            exit_status: Some(0),
            response_time_is: Some(
                "how late a heartbeat reached a player, against the earliest".into(),
            ),
            ..Report::default()
        };
        let (expected, told) = (self.expected(), self.arrivals.len() as u64);
        let missed = expected.saturating_sub(told);
        report.requests.scheduled = Some(expected);
        report.requests.sent = Some(self.wishes);
        report.requests.completed = Some(told);
        report.requests.errors_total = Some(missed);
        report.requests.error_percent = Some(missed as f64 * 100.0 / expected.max(1) as f64);
        if missed > 0 {
            report.requests.errors.insert("missed".into(), missed);
        }
        report.throughput.window_s = Some(self.window.as_secs_f64());
        report.throughput.requests_per_s = Some(told as f64 / self.window.as_secs_f64().max(1e-9));
        let lateness = distribution(&self.lateness());
        report.service_time_us = Some(lateness.clone());
        report.response_time_us = Some(lateness);
        report.generator.threads = Some(1);
        report.generator.connections = Some(self.players.into());
        report.run.model.name = Some(Loop::Open);
        let mut lags = self.lags.clone();
        lags.sort_unstable();
        let lag = distribution(&lags);
        if lag
            .p99
            .is_some_and(|p99| p99 > MOST_LAG.as_secs_f64() * 1e6)
        {
            report.verdict = Some(Validity::Invalid);
            report
                .reasons
                .push("players sent their wishes late: their core has no time to spare".into());
        }
        report.generator_lag_us = Some(lag);
        report
    }
}

/// Of times in nanoseconds, the least first.
pub(crate) fn distribution(sorted: &[i64]) -> Distribution {
    let count = sorted.len();
    let microseconds = |ns: i64| ns as f64 / 1e3;
    Distribution::of(count as u64, 0, |statistic: Statistic| {
        let value = match statistic.quantile() {
            None => sorted.iter().sum::<i64>() as f64 / 1e3 / count.max(1) as f64,
            Some(share) => {
                let rank = ((share * count as f64).ceil() as usize).clamp(1, count.max(1));
                sorted.get(rank - 1).copied().map_or(0.0, microseconds)
            }
        };
        (value, false)
    })
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = self.lateness();
        let at = |share: f64| {
            let rank = (share * late.len() as f64).ceil() as usize;
            let ns = late.get(rank.saturating_sub(1)).copied().unwrap_or(0);
            quantity::time(Duration::from_nanos(u64::try_from(ns).unwrap_or(0)))
        };
        let told = self.arrivals.len() as u64;
        write!(
            formatter,
            "{} of {} players joined\n  \
             heartbeats  {told} reached a player, {} did not\n  \
             late by     p50 {}, p99 {}, max {}",
            self.joined,
            self.players,
            self.expected().saturating_sub(told),
            at(0.5),
            at(0.99),
            at(1.0),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_are_late_against_the_earliest_by_their_numbers() {
        let ms = |ms: i64| ms * 1_000_000;
        let seen = Seen {
            players: 2,
            // Number 8 reached one of the two, number 9 nobody.
            arrivals: vec![
                (7, ms(705)),
                (7, ms(708)),
                (8, ms(800)),
                (10, ms(1001)),
                (10, ms(1040)),
            ],
            window: Duration::from_secs(1),
            ..Seen::default()
        };
        assert_eq!(seen.lateness(), [0, ms(1), ms(5), ms(8), ms(40)]);
        let report = seen.report();
        assert_eq!(report.requests.scheduled, Some(8));
        assert_eq!(report.requests.errors["missed"], 3);
        let late = report.response_time_us.unwrap();
        assert_eq!(
            (late.p50, late.max, late.mean),
            (Some(5000.0), Some(40_000.0), Some(10_800.0))
        );
        assert_eq!(report.verdict, Some(Validity::Valid));
    }

    #[test]
    fn players_that_cannot_keep_up_say_so() {
        let seen = Seen {
            arrivals: vec![(1, 0)],
            lags: vec![nanoseconds(MOST_LAG) + 1],
            ..Seen::default()
        };
        assert_eq!(seen.report().verdict, Some(Validity::Invalid));
    }
}
