//! Where servers and clients run: a core each, one root of files, a directory that goes with it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use command::interrupt::Interrupt;
use lab::Failure;
use lab::cores;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;
use workload::fileset::Preset;
use workload::units::{self, UnitError};

/// Which cores servers and clients are pinned to.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Cores {
    /// The core that every server is pinned to
    #[arg(long = "server-core", value_name = "N", default_value_t = 0)]
    pub(crate) server: usize,
    /// The core that every client is pinned to
    #[arg(long = "client-core", value_name = "N", default_value_t = 1)]
    pub(crate) client: usize,
}

/// The size of a file, and the word that was typed for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Size {
    word: String,
    bytes: u64,
}

impl Size {
    /// Of the words of a list.
    pub(crate) fn all(words: &[&str]) -> Result<Vec<Self>, UnitError> {
        words.iter().map(|word| word.parse()).collect()
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(word: &str) -> Result<Self, UnitError> {
        Ok(Self {
            bytes: units::size(word)?,
            word: word.to_owned(),
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.word)
    }
}

/// What all servers and clients of one measurement share.
#[derive(Debug)]
pub(crate) struct Testbed {
    /// Who runs where.
    pub(crate) cores: Cores,
    /// Whether Ctrl-C came.
    pub(crate) interrupt: Interrupt,
    work: TempDir,
}

impl Testbed {
    /// An empty one. Call it before other threads start, since Ctrl-C is watched from here on.
    ///
    /// # Errors
    /// When there are no two cores, or no directory can be made.
    pub(crate) fn new(cores: Cores) -> Result<Self, Failure> {
        let available = cores::available();
        for core in [cores.server, cores.client] {
            if !available.contains(&core) {
                let available = cores::list(&available);
                let two = "needs two cores, one for the server and one for the client";
                return Err(format!("{two}: this process may use {available}, not {core}").into());
            }
        }
        if cores.server == cores.client {
            return Err(
                "server and client need a core each: give --server-core another than --client-core"
                    .into(),
            );
        }
        let work = tempfile::tempdir()
            .map_err(|error| format!("cannot make a temporary directory: {error}"))?;
        // Servers that give up root's rights must find the files all the same.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(work.path(), open)
            .and_then(|()| std::fs::create_dir(work.path().join("root")))
            .map_err(|error| format!("cannot prepare {}: {error}", work.path().display()))?;
        raise_descriptor_limit();
        Ok(Self {
            cores,
            interrupt: Interrupt::watch()
                .map_err(|error| format!("cannot watch for Ctrl-C: {error}"))?,
            work,
        })
    }

    /// The document root of all servers.
    pub(crate) fn root(&self) -> PathBuf {
        self.work.path().join("root")
    }

    /// Where things may lie that are not served; it is removed at the end.
    pub(crate) fn work(&self) -> &Path {
        self.work.path()
    }

    /// Puts a file of this size into the root; gives its path in a URL, like `/1k.txt`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn file(&self, size: &Size) -> Result<String, Failure> {
        let set = Preset::Single { size: size.bytes }.file_set(1);
        let made = self.work.path().join("set");
        let file = format!("{size}.txt");
        set.write_to(&made, |_, _| {})?;
        std::fs::rename(made.join("file.txt"), self.root().join(&file))
            .and_then(|()| std::fs::remove_dir_all(&made))
            .map_err(|error| format!("cannot put {file} into {}: {error}", made.display()))?;
        Ok(format!("/{file}"))
    }

    /// An error if Ctrl-C came.
    ///
    /// # Errors
    /// It came.
    pub(crate) fn go_on(&self) -> Result<(), Failure> {
        match self.interrupt.came() {
            true => Err("interrupted".into()),
            false => Ok(()),
        }
    }
}

/// Servers that are not ours take the limit as they find it, and so do clients.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // Where it cannot be raised, whoever runs out says so.
    let _ = setrlimit(Resource::Nofile, raised);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_called_what_was_typed() {
        let size: Size = "64k".parse().unwrap();
        assert_eq!((size.to_string().as_str(), size.bytes), ("64k", 65_536));
        assert!("64 apples".parse::<Size>().is_err());
    }
}
