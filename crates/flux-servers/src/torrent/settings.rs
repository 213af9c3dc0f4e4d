//! The command line: `make`, `seed`, `get`, `track`; and `downloaders`, who measure a seed.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use command::output::{print, write};

use super::announce::http::Url;
use super::metainfo::{hexadecimal, make, parse};
use super::{Client, downloaders};
use crate::runtime::Options;
use crate::told::Ready;
use crate::tracker;

/// Share files by BitTorrent: describe them, give them, get them, track who has them
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
A whole swarm on one machine, a terminal for each line but the first:

  flux-servers torrent make book.pdf --announce http://127.0.0.1:6969/announce --output book.torrent
  flux-servers torrent track --addr 127.0.0.1:6969
  flux-servers torrent seed book.torrent
  flux-servers torrent get book.torrent --folder elsewhere

A torrent names files, their lengths, and a hash of each piece of them. Peers find each other at a tracker, tell each other which pieces
they have, and ask each other for the rarest that they lack, 16 KiB at a time. Each gives to those that give most to it, and to one more
whoever that is; a piece whose hash is wrong is thrown away, and whoever sent it is dropped."
)]
pub struct Settings {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Make(Make),
    Seed(Seed),
    Get(Get),
    Track(Track),
    Downloaders(downloaders::Settings),
}

/// Describe a file, or a folder of them, as a torrent
#[derive(Debug, clap::Args)]
struct Make {
    /// What is to be shared; a folder with all that is in it
    path: PathBuf,
    /// Where peers are to find each other
    #[arg(long, value_name = "URL")]
    announce: Option<String>,
    /// KiB in a piece; without it as many as make 1,500 pieces at the most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=16384))]
    piece_kib: Option<u32>,
    /// Where to write the torrent; '-' is standard output
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Give files to others
///
/// It gives until Ctrl-C or SIGTERM, and tells the tracker when it begins and ends. All files have to be there, and as the torrent says.
#[derive(Debug, clap::Args)]
pub struct Seed {
    /// The torrent
    #[arg(required_unless_present = "files")]
    pub(super) torrent: Option<PathBuf>,
    /// Give a file, or a folder of them, without a torrent: as 'make' would describe it, and without a tracker
    #[arg(long, value_name = "PATH", conflicts_with_all = ["torrent", "folder"])]
    pub(super) files: Option<PathBuf>,
    /// The folder that the torrent's files are in
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) folder: PathBuf,
    #[command(flatten)]
    pub(super) sharing: Sharing,
}

/// Get files from others, and give what is there to others meanwhile
///
/// It ends when all is there. What is in the folder already is looked at first, so that one that was broken off goes on.
#[derive(Debug, clap::Args)]
pub struct Get {
    /// The torrent
    pub(super) torrent: PathBuf,
    /// The folder that files are to be put in; no name in the torrent leads out of it, and no link in it is followed
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) folder: PathBuf,
    #[command(flatten)]
    pub(super) sharing: Sharing,
}

/// How a torrent is shared.
#[derive(Debug, Clone, clap::Args)]
pub struct Sharing {
    /// Where other peers connect to; port 0 is any that is free, and the tracker tells which
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub addr: SocketAddr,
    /// A peer to call, whoever the tracker names; may be given several times
    #[arg(long, value_name = "ADDR")]
    pub peer: Vec<SocketAddr>,
    /// Connections to other peers at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub peers: u32,
    /// Peers that are given something at a time: those that give most, and one more whoever that is
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub slots: u32,
    #[command(flatten)]
    options: Options,
}

/// Tell peers of each other
#[derive(Debug, clap::Args)]
struct Track {
    /// Where peers announce, at the path /announce
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6969")]
    addr: SocketAddr,
    /// When peers are to come back; whoever is away for twice as long is forgotten
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86400))]
    interval: u64,
    #[command(flatten)]
    options: Options,
}

impl Settings {
    /// Does what was asked for.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn run(&self) -> Result<(), String> {
        match &self.command {
            Command::Make(make) => make.run(),
            Command::Seed(seed) => share(Client::seed(seed)?, &seed.sharing.options),
            Command::Get(get) => share(Client::get(get)?, &get.sharing.options),
            Command::Track(track) => track.run(),
            Command::Downloaders(settings) => settings.run(),
        }
    }
}

impl Make {
    fn run(&self) -> Result<(), String> {
        if let Some(url) = &self.announce {
            Url::parse(url)?;
        }
        let at = |why: &dyn std::fmt::Display| format!("{}: {why}", self.path.display());
        let bytes = make(
            &self.path,
            self.announce.as_deref(),
            self.piece_kib.map(|kib| kib << 10),
        );
        let bytes = bytes.map_err(|error| at(&error))?;
        // Whoever takes no names that lead out of a folder gives none either.
        let torrent = parse(&bytes).map_err(|error| at(&error))?;
        let is_standard = command::is_standard(&self.output);
        let output = (!is_standard).then_some(self.output.as_path());
        write(output, &bytes).map_err(|error| format!("{}: {error}", self.output.display()))?;
        if !is_standard {
            print(format_args!(
                "{}: {} pieces of {} files, info hash {}",
                self.output.display(),
                torrent.pieces(),
                torrent.files.len(),
                hexadecimal(&torrent.info_hash)
            ));
        }
        Ok(())
    }
}

fn share(client: Client, options: &Options) -> Result<(), String> {
    let stop = client.stop();
    let ready = Ready {
        name: "torrent",
        address: client.address(),
        format: options.output_format,
    };
    ready.serve(move || stop.stop(), || client.run(options))
}

impl Track {
    fn run(&self) -> Result<(), String> {
        let interval = Duration::from_secs(self.interval);
        let server = tracker::Server::bind(self.addr, interval);
        let server = server.map_err(|error| format!("cannot listen at {}: {error}", self.addr))?;
        let stop = server.stop();
        let ready = Ready {
            name: "tracker",
            address: server.address(),
            format: self.options.output_format,
        };
        ready.serve(move || stop.stop(), || server.run(&self.options))
    }
}
