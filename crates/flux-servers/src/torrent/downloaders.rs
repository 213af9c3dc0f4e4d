//! Downloading peers by the dozen, and how long a seed takes to give each of them what it asks for.
//!
//! Each is a thread that gets 16 KiB blocks, the whole torrent over and over, with as many asked for at a time as is usual; what comes is
//! compared with the files. They keep nothing, so that none of them is ever done.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use command::output::{self, Format};
use command::quantity;
use contracts::load::{Loop, Report};
use contracts::{Document, Validity};

use super::described;
use super::metainfo::Metainfo;
use super::storage::{Storage, Use};
use super::wire::{Block, Handshake, Incoming, Message, Received};
use crate::game::players::{distribution, seconds};

/// Get files from a seed, so many peers in one process, and measure how long each block takes
///
/// Each peer asks for blocks of 16 KiB, some at a time (BEP 3 advises about five), throws them away when it has looked whether they are
/// right, and asks for the next. The seed has to give to all of them at a time: 'torrent seed --files PATH --slots N'.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// Where the seed listens; http:// before it, as load generators have it, is passed over
    #[arg(value_name = "ADDRESS:PORT")]
    address: String,
    /// The files that the seed has, described as it describes them
    #[arg(long, value_name = "PATH")]
    files: PathBuf,
    /// How many peers
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    count: u32,
    /// Blocks that each asks for at a time
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=200))]
    window: u32,
    /// How long blocks come before they count, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    warm_up: Duration,
    /// How long they count, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    duration: Duration,
    /// The format of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
}

/// A seed that says nothing for so long has ended.
const PATIENCE: Duration = Duration::from_secs(10);
const BUFFER_BYTES: usize = 64 << 10;

/// What all of them know.
struct Plan {
    address: SocketAddr,
    torrent: Metainfo,
    data: Vec<u8>,
    window: usize,
    /// Where each waits until all of them may ask for something.
    all_here: Barrier,
    warm_up: Duration,
    duration: Duration,
}

/// What they have seen.
#[derive(Debug, Default)]
pub struct Seen {
    peers: u32,
    /// How long each block took, in nanoseconds.
    times: Vec<i64>,
    bytes: u64,
    /// Why peers ended before their time.
    failures: Vec<String>,
    window: Duration,
}

impl Settings {
    /// Downloads, and prints what was seen.
    ///
    /// # Errors
    /// Files that cannot be read, an address where no seed of them is; in words.
    pub fn run(&self) -> Result<(), String> {
        let seen = self.download()?;
        match self.output_format {
            Format::Text => output::print(seen),
            Format::Json => {
                let report = serde_json::to_string(&seen.report());
                let cannot = |error| format!("cannot print the report: {error}");
                output::print_json(report.map_err(cannot)?);
            }
        }
        Ok(())
    }

    fn download(&self) -> Result<Seen, String> {
        let (torrent, folder) = described(&self.files)?;
        let storage = Storage::open(&folder, &torrent, Use::Read);
        let data = storage.and_then(|storage| whole(&storage, &torrent));
        let data = data.map_err(|error| format!("cannot read the files: {error}"))?;
        let typed = self.address.trim_start_matches("http://");
        let typed = typed.trim_end_matches('/');
        let addresses = typed
            .to_socket_addrs()
            .map_err(|error| format!("{typed}: {error}"));
        let address = addresses?
            .next()
            .ok_or_else(|| format!("{typed} is no address"))?;
        let plan = Arc::new(Plan {
            address,
            torrent,
            data,
            window: self.window as usize,
            all_here: Barrier::new(self.count as usize),
            warm_up: self.warm_up,
            duration: self.duration,
        });
        let mut threads = Vec::new();
        for number in 0..self.count {
            let plan = Arc::clone(&plan);
            let name = std::thread::Builder::new().name("downloader".into());
            let thread = name.spawn(move || download(number, &plan));
            threads.push(thread.map_err(|error| format!("cannot start a peer: {error}"))?);
        }
        let mut seen = Seen {
            peers: self.count,
            window: self.duration,
            ..Seen::default()
        };
        for thread in threads {
            let (got, ended) = thread.join().map_err(|_| "a peer has a defect")?;
            seen.times.extend(got.times);
            seen.bytes += got.bytes;
            seen.failures
                .extend(ended.err().map(|error| error.to_string()));
        }
        seen.times.sort_unstable();
        match (seen.times.is_empty(), seen.failures.first()) {
            (true, Some(why)) => Err(format!("nothing came from {address}: {why}")),
            (true, None) => Err(format!("nothing came from {address}; is it choked?")),
            _ => Ok(seen),
        }
    }
}

/// All files, one after the other.
fn whole(storage: &Storage, torrent: &Metainfo) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    for piece in 0..torrent.pieces() {
        let (from, length) = (data.len(), torrent.piece_bytes(piece));
        data.resize(from + length as usize, 0);
        storage.read(&torrent.spans(piece, 0..length), &mut data[from..])?;
    }
    Ok(data)
}

/// What a peer got while it counted.
#[derive(Debug, Default)]
struct Got {
    times: Vec<i64>,
    bytes: u64,
}

/// A peer's life: what it got, and how it ended.
fn download(number: u32, plan: &Plan) -> (Got, io::Result<()>) {
    let mut got = Got::default();
    let connected = Downloader::connect(number, plan);
    plan.all_here.wait();
    let ended = connected.and_then(|mut peer| peer.download(plan, &mut got));
    (got, ended)
}

/// One peer.
struct Downloader {
    stream: TcpStream,
    incoming: Incoming,
    buffer: Vec<u8>,
    is_choked: bool,
    /// What it asks for next, as a block's number in the torrent.
    next: u32,
    /// What it waits for, and since when.
    asked: VecDeque<(Block, Instant)>,
}

impl Downloader {
    /// Connects, and waits until it may ask for something.
    fn connect(number: u32, plan: &Plan) -> io::Result<Self> {
        let mut stream = TcpStream::connect_timeout(&plan.address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut peer_id = *b"-AB0001-downloader--";
        peer_id[16..].copy_from_slice(&number.to_be_bytes());
        let handshake = Handshake {
            info_hash: plan.torrent.info_hash,
            peer_id,
        };
        let mut said = handshake.bytes().to_vec();
        Message::Interested.write(&mut said);
        stream.write_all(&said)?;
        let mut peer = Self {
            stream,
            incoming: Incoming::new(plan.torrent.pieces()),
            buffer: vec![0; BUFFER_BYTES],
            is_choked: true,
            // Not all of them the same at the same time.
            next: number.wrapping_mul(2_654_435_761),
            asked: VecDeque::new(),
        };
        while peer.is_choked {
            peer.receive(plan, |_, _| {})?;
        }
        Ok(peer)
    }

    /// Downloads, for as long as it counts; one block counts whenever it comes.
    fn download(&mut self, plan: &Plan, got: &mut Got) -> io::Result<()> {
        let since = Instant::now() + plan.warm_up;
        let end = since + plan.duration;
        while Instant::now() < end || got.times.is_empty() {
            if !self.is_choked {
                self.ask(plan)?;
            }
            self.receive(plan, |block, asked| {
                let now = Instant::now();
                if now >= since && (now < end || got.times.is_empty()) {
                    let time = now.duration_since(asked).as_nanos();
                    got.times.push(i64::try_from(time).unwrap_or(i64::MAX));
                    got.bytes += u64::from(block.length);
                }
            })?;
        }
        Ok(())
    }

    /// Takes what has come, for which it waits; `take` each block, with when it was asked for.
    fn receive(&mut self, plan: &Plan, mut take: impl FnMut(Block, Instant)) -> io::Result<()> {
        match self.stream.read(&mut self.buffer)? {
            0 => self.incoming.end_of_input(),
            count => self.incoming.receive(&self.buffer[..count]),
        }
        while let Some(received) = self.incoming.next() {
            match received {
                Received::Message(Message::Unchoke) => self.is_choked = false,
                Received::Message(Message::Choke) => {
                    self.is_choked = true;
                    self.asked.clear();
                }
                Received::Message(Message::Piece { piece, begin, data }) => {
                    let next = self.asked.pop_front();
                    let is_it = |(block, _): &(Block, Instant)| {
                        (block.piece, block.begin) == (piece, begin) && plan.bytes(*block) == data
                    };
                    let (block, asked) = next.filter(is_it).ok_or_else(|| {
                        let what = "a block is not what was asked for";
                        io::Error::new(ErrorKind::InvalidData, what)
                    })?;
                    take(block, asked);
                }
                Received::End(offence) => return Err(io::Error::other(offence)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Asks for as many blocks as may be asked for at a time.
    fn ask(&mut self, plan: &Plan) -> io::Result<()> {
        let mut said = Vec::new();
        while self.asked.len() < plan.window {
            let block = plan.block(self.next);
            self.next = self.next.wrapping_add(1);
            Message::Request(block).write(&mut said);
            self.asked.push_back((block, Instant::now()));
        }
        self.stream.write_all(&said)
    }
}

impl Plan {
    /// A block by its number in the torrent, which begins anew behind the last one.
    fn block(&self, number: u32) -> Block {
        let in_piece = self.torrent.blocks(0);
        let whole_pieces = (self.torrent.pieces() - 1) * in_piece;
        let all = whole_pieces + self.torrent.blocks(self.torrent.pieces() - 1);
        let number = number % all;
        self.torrent.block(number / in_piece, number % in_piece)
    }

    fn bytes(&self, block: Block) -> &[u8] {
        let piece_bytes = self.torrent.piece_bytes(0) as usize;
        let from = block.piece as usize * piece_bytes + block.begin as usize;
        &self.data[from..from + block.length as usize]
    }
}

impl Seen {
    /// As load generators report, so that the lab can have downloaders for a generator: a block is an answer.
    pub fn report(&self) -> Report {
        let mut report = Report {
            schema: Report::SCHEMA.into(),
            verdict: Some(Validity::Valid),
            exit_status: Some(0),
            response_time_is: Some("from a block's request until all of it was there".into()),
            ..Report::default()
        };
        let (blocks, failed) = (self.times.len() as u64, self.failures.len() as u64);
        report.requests.sent = Some(blocks + failed);
        report.requests.completed = Some(blocks);
        report.requests.errors_total = Some(failed);
        if failed > 0 {
            report.requests.errors.insert("peers lost".into(), failed);
        }
        let seconds = self.window.as_secs_f64();
        report.throughput.window_s = Some(seconds);
        report.throughput.requests_per_s = Some(blocks as f64 / seconds);
        let times = distribution(&self.times);
        report.service_time_us = Some(times.clone());
        report.response_time_us = Some(times);
        report.generator.threads = Some(self.peers.into());
        report.generator.connections = Some(self.peers.into());
        report.run.model.name = Some(Loop::Closed);
        report
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |share: f64| {
            let rank = (share * self.times.len() as f64).ceil() as usize;
            let ns = self.times.get(rank.saturating_sub(1)).copied();
            quantity::time(Duration::from_nanos(
                u64::try_from(ns.unwrap_or(0)).unwrap_or(0),
            ))
        };
        let (mib, seconds) = (
            self.bytes as f64 / f64::from(1 << 20),
            self.window.as_secs_f64(),
        );
        write!(
            formatter,
            "{} peers got {} blocks, {} MiB a second\n  each took  p50 {}, p99 {}, max {}",
            self.peers,
            quantity::count(self.times.len() as u64),
            quantity::significant(mib / seconds, 3),
            at(0.5),
            at(0.99),
            at(1.0)
        )?;
        for why in self.failures.iter().take(10) {
            write!(formatter, "\n  a peer ended: {why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torrent::tests::{data, torrent};

    #[test]
    fn blocks_follow_each_other_through_all_pieces_and_begin_anew() {
        let data = data(3 * 40_000 - 9_000);
        let plan = Plan {
            address: ([127, 0, 0, 1], 1).into(),
            torrent: (*torrent(&data, 40_000)).clone(),
            data: data.clone(),
            window: 1,
            all_here: Barrier::new(1),
            warm_up: Duration::ZERO,
            duration: Duration::ZERO,
        };
        let blocks: Vec<_> = (0..8).map(|number| plan.block(number)).collect();
        let bytes: Vec<u8> = blocks
            .iter()
            .flat_map(|block| plan.bytes(*block))
            .copied()
            .collect();
        assert_eq!(bytes, data);
        assert_eq!(plan.block(8), blocks[0]);
    }

    #[test]
    fn a_block_counts_as_an_answer_and_a_peer_that_ends_as_an_error() {
        let seen = Seen {
            peers: 2,
            times: vec![1_000_000, 3_000_000],
            bytes: 32 << 10,
            failures: vec!["gone".into()],
            window: Duration::from_secs(2),
        };
        let report = seen.report();
        assert_eq!(report.requests.completed, Some(2));
        assert_eq!(report.requests.errors["peers lost"], 1);
        assert_eq!(report.throughput.requests_per_s, Some(1.0));
        let times = report.response_time_us.unwrap();
        assert_eq!((times.p50, times.max), (Some(1000.0), Some(3000.0)));
        assert!(seen.to_string().contains("p50 1.00 ms"), "{seen}");
    }
}
