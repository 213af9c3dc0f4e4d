//! `peers` and `data-path`: servers side by side by processor time for each request.

use lab::Failure;

use crate::programs;
use crate::server::{Server, free_port};
use crate::side_by_side::{Contender, compare};
use crate::testbed::{Cores, Size, Testbed};

/// The servers that ours are held against, as `bench-configs/external` configures them.
const PEERS: [&str; 3] = ["nginx", "lighttpd", "h2o"];

/// Compare our models with nginx, lighttpd and h2o, and with a server that parses nothing
///
/// Processor time for each request; the ratios are to the best of the three. The client is wrk.
#[derive(Debug, clap::Args)]
pub(crate) struct Peers {
    /// In how many rounds all take turns
    #[arg(value_name = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// How long each is asked for each size
    #[arg(value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Models, with their options behind them if need be; all for every one
    #[arg(value_name = "MODEL", default_values = ["sped", "amped"])]
    models: Vec<String>,
    /// The sizes of the files that are asked for
    #[arg(
        long,
        value_name = "SIZES",
        value_delimiter = ',',
        default_value = "1k,16k,64k,1m"
    )]
    files: Vec<Size>,
    #[command(flatten)]
    cores: Cores,
}

impl Peers {
    /// Compares.
    ///
    /// # Errors
    /// When a server or the client fails.
    pub(crate) fn run(&self) -> Result<u8, Failure> {
        let testbed = Testbed::new(self.cores)?;
        let mut contenders = Vec::new();
        for name in PEERS {
            contenders.extend(Server::foreign(&testbed, name)?.map(|server| Contender {
                server,
                only: None,
                is_reference: true,
            }));
        }
        contenders.push(Contender {
            server: minimal(&testbed, 1024)?,
            only: Some("1k".parse()?),
            is_reference: false,
        });
        let archbench = programs::archbench()?;
        for model in programs::models(&archbench, &self.models)? {
            contenders.push(Contender {
                server: Server::ours(&testbed, &archbench, &model, &testbed.root())?,
                only: None,
                is_reference: false,
            });
        }
        compare(
            &testbed,
            &contenders,
            &self.files,
            self.rounds,
            self.seconds,
        )?;
        Ok(0)
    }
}

/// The server that parses nothing, with an answer of so many bytes.
///
/// # Errors
/// When it cannot be built or started.
pub(crate) fn minimal(testbed: &Testbed, bytes: u64) -> Result<Server, Failure> {
    let program = programs::example("load", "minimal_server")?;
    let port = free_port()?;
    let command = [
        program.display().to_string(),
        port.to_string(),
        bytes.to_string(),
    ];
    Server::listening(testbed, "minimal", &command, port)
}

/// Ways for bytes to leave, and the options by which every size goes that way.
const WAYS: [(&str, &str); 4] = [
    ("copied", "--content-cache-file 1m --gather-from 1m"),
    ("gathered", "--content-cache-file 1m --gather-from 0"),
    ("sendfile", "--content-cache-file 0"),
    ("read+send", "--content-cache-file 0 --send-path copy"),
];

/// Compare the ways for bytes to leave: copied beside the head, gathered from memory, sent from the page cache
///
/// Processor time for each request; the ratio is to sendfile. SPED serves, since it does nothing else; the choice is the same for every
/// architecture. The client is wrk.
#[derive(Debug, clap::Args)]
pub(crate) struct DataPath {
    /// In how many rounds all take turns
    #[arg(value_name = "ROUNDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    rounds: u64,
    /// How long each is asked for each size
    #[arg(value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    #[command(flatten)]
    cores: Cores,
}

impl DataPath {
    /// Compares.
    ///
    /// # Errors
    /// When a server or the client fails.
    pub(crate) fn run(&self) -> Result<u8, Failure> {
        let testbed = Testbed::new(self.cores)?;
        let sizes = Size::all(&["512", "1k", "2k", "4k", "8k", "16k", "32k", "64k"])?;
        let archbench = programs::archbench()?;
        let mut contenders = Vec::new();
        for (name, options) in WAYS {
            let model = format!("sped {options}");
            let mut server = Server::ours(&testbed, &archbench, &model, &testbed.root())?;
            server.name = name.to_owned();
            contenders.push(Contender {
                server,
                only: None,
                is_reference: name == "sendfile",
            });
        }
        compare(&testbed, &contenders, &sizes, self.rounds, self.seconds)?;
        Ok(0)
    }
}
