//! Servers and generators that are not ours, as an experiment names them.
//!
//! `[[server]] external = "nginx"` stands for `external/nginx.toml` beside the experiment:
//!
//! ```toml
//! package = "nginx-light"           # what to install where it is missing
//! command = "nginx -c @config@"     # how it is started; it must stay in the foreground and end when it gets SIGTERM
//! config = "nginx.conf"             # a template beside this file
//! version = "nginx -v"
//! root_prefix = ""                  # what comes before the command when root starts it
//! values = { threads = 16 }         # what an experiment may set, and what it is if it does not
//! reports = false                   # whether it prints the readiness and the summary line
//! build = "go build -o @built@/x @here@/x.go"   # how it is made from source, once in a run; nothing, as a rule
//! needs = ["/usr/share/java/x.jar"] # what has to be installed beside the program that is started, or builds it
//! files = true                      # whether it serves the files; of one that does not, only that it listens is looked at
//! urls = "x.urls"                   # what it is asked for in place of them: a template of what `archbench load --urls-file` reads
//! protocols = ["http/1.1", "h2"]    # what it speaks, by the names of RFC 7301; HTTP/1.1 alone, as a rule
//! ```
//!
//! In the command and in the template `@root@` is the directory of the files, `@address@` and `@port@` where to listen, `@cores@`
//! how many cores there are, `@work@` a directory of its own and `@config@` the template when it has been filled in; `@here@` is where
//! the definition is, `@upstream@` host and port of the server behind it, if the experiment has an `upstream`, and `@built@` a directory in the user's cache for what is built; `@threads@` and the like are the values, in which
//! those of the lab may stand, too. Whoever names `@certificate@`, a file in PEM, and `@key@`, that of its key, speaks TLS. A generator, `generator = "name"`, is described alike; in its command stands what [`GENERATOR`] lists.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::flags::{Flags, scalar};
use crate::Failure;
pub use protocols::Protocol;
pub use reading::{read_all, read_generator, texts};

/// Where the definitions are, beside the experiment.
const FOLDER: &str = "external";
/// What the lab fills in for a server.
pub const SERVER: [&str; 11] = [
    "root",
    "address",
    "port",
    "cores",
    "work",
    "config",
    "here",
    "built",
    "upstream",
    "certificate",
    "key",
];
/// What the lab fills in for a generator.
pub const GENERATOR: [&str; 14] = [
    "url",
    "root",
    "cores",
    "seed",
    "connections",
    "rate",
    "arrival",
    "session_requests",
    "think_s",
    "warm_up_s",
    "duration_s",
    "timeout_s",
    "here",
    "built",
];
/// Where servers are that a user's PATH may not name.
const ADMINISTRATION: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// What the lab has filled in, by name.
pub type Given = BTreeMap<&'static str, String>;

/// A server or a generator that is not ours.
#[derive(Debug, Clone)]
pub struct External {
    /// What cells call it.
    pub label: String,
    path: PathBuf,
    text: String,
    definition: Definition,
    /// The name of the template and what it says.
    template: Option<(String, String)>,
    /// The same of what is asked for.
    urls: Option<(String, String)>,
    program: Option<PathBuf>,
}

/// `external/NAME.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What to install where the program is missing.
    package: String,
    /// How it is started.
    command: Flags,
    /// A template beside the file, filled in for each trial.
    config: Option<String>,
    /// A command that prints its version.
    version: Option<Flags>,
    /// What comes before the command when root starts it.
    #[serde(default)]
    root_prefix: Flags,
    /// What an experiment may set, and what it is if it does not.
    #[serde(default)]
    values: BTreeMap<String, toml::Value>,
    /// Whether a server prints the readiness and the summary line.
    #[serde(default)]
    reports: bool,
    /// How it is made from source, once in a run.
    build: Option<Flags>,
    /// What has to be installed beside the program that is started, or builds it.
    #[serde(default)]
    needs: Vec<PathBuf>,
    /// Whether a server serves the files of the experiment.
    #[serde(default = "yes")]
    files: bool,
    /// What a server is asked for in place of them: a template beside the file.
    urls: Option<String>,
    /// What a server speaks.
    #[serde(default = "protocols::by_default")]
    protocols: Vec<Protocol>,
}

fn yes() -> bool {
    true
}

impl External {
    /// What the lab fills in: the words of the command, the template and the values, each with its name.
    fn texts(&self) -> impl Iterator<Item = (&String, &str)> {
        let values = self.definition.values.values();
        let values = values.filter_map(|value| match value {
            toml::Value::String(text) => Some((text, "a value")),
            _ => None,
        });
        let words = self.definition.command.0.iter();
        let build = self.definition.build.iter().flat_map(|build| &build.0);
        let templates = self.template.iter().chain(&self.urls);
        words
            .map(|word| (word, "the command"))
            .chain(build.map(|word| (word, "the build")))
            .chain(templates.map(|(name, text)| (text, name.as_str())))
            .chain(values)
    }

    /// Says what its definition lacks to have it listen anywhere but on loopback.
    ///
    /// # Errors
    /// The definition, and what to put where.
    pub(crate) fn check_address(&self) -> Result<(), Failure> {
        if self.texts().any(|(text, _)| text.contains("@address@")) {
            return Ok(());
        }
        let (path, label) = (self.path.display(), &self.label);
        Err(format!("{path}: {label} is to listen on a host of its own; put @address@ where it says 127.0.0.1").into())
    }

    /// Whether it passes requests on to a server behind it, and serves no files itself.
    pub fn passes_on(&self) -> bool {
        self.texts().any(|(text, _)| text.contains("@upstream@"))
    }

    /// Says that there is nobody to pass requests on to.
    ///
    /// # Errors
    /// That, and what to put where.
    pub(crate) fn check_upstream(&self) -> Result<(), Failure> {
        if !self.passes_on() {
            return Ok(());
        }
        let label = &self.label;
        Err(format!("{label} passes requests on, and the experiment has nobody behind it: put upstream = {{ model = \"…\" }} into it").into())
    }

    /// Says what to install, if it is not installed.
    pub fn missing(&self) -> Option<String> {
        let (label, package) = (&self.label, &self.definition.package);
        (!self.is_installed()).then(|| {
            format!("{label} is left out, as it is not installed: apt-get install {package}")
        })
    }

    fn is_installed(&self) -> bool {
        self.program.is_some() && self.definition.needs.iter().all(|path| path.exists())
    }

    /// Its version, as it says itself.
    pub fn version(&self) -> Option<String> {
        let (program, arguments) = self.definition.version.as_ref()?.0.split_first()?;
        let output = Command::new(find(program)?)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        let first = said.lines().map(str::trim).find(|line| !line.is_empty());
        first.map(str::to_owned)
    }

    /// Whether it prints the readiness and the summary line ([`contracts::serve`]).
    pub fn reports(&self) -> bool {
        self.definition.reports
    }

    /// Whether it serves the files of the experiment, so that it can be seen to answer right before it is measured.
    pub fn serves_files(&self) -> bool {
        self.definition.files && self.urls.is_none()
    }

    /// Whether its command has a placeholder.
    pub fn takes(&self, name: &str) -> bool {
        let words = &self.definition.command.0;
        words.iter().any(|word| placeholders(word).contains(&name))
    }

    /// How it is started.
    pub fn command(&self, given: &Given) -> Vec<String> {
        let mut command = Vec::new();
        if rustix::process::geteuid().is_root() {
            command.extend(self.definition.root_prefix.0.iter().cloned());
        }
        let mut words = self.definition.command.0.iter();
        let program = words.next().cloned().unwrap_or_default();
        // What is installed of one that is built is what builds it.
        let found = match self.definition.build {
            None => self.program.as_ref(),
            Some(_) => None,
        };
        let found = found.map(|path| path.display().to_string());
        command.push(found.unwrap_or_else(|| self.fill(&program, given)));
        command.extend(words.map(|word| self.fill(word, given)));
        command
    }

    /// What a server is given that runs in a directory of its own, `work`.
    pub fn given(
        &self,
        root: &Path,
        (address, port): (Ipv4Addr, u16),
        cores: usize,
        work: &Path,
    ) -> Given {
        let config = work.join(self.definition.config.as_deref().unwrap_or_default());
        let mut given = self.places();
        given.extend([
            ("root", root.display().to_string()),
            ("address", address.to_string()),
            ("port", port.to_string()),
            ("cores", cores.to_string()),
            ("work", work.display().to_string()),
            ("config", config.display().to_string()),
        ]);
        given
    }

    /// Its configuration: the file and what it must say.
    pub fn config(&self, given: &Given) -> Option<(PathBuf, String)> {
        let (_, text) = self.template.as_ref()?;
        Some((given.get("config")?.into(), self.fill(text, given)))
    }

    /// What it is asked for, if that is not the files: where it is written, and what it must say.
    pub fn urls(&self, given: &Given) -> Option<(PathBuf, String)> {
        let (name, text) = self.urls.as_ref()?;
        let path = Path::new(given.get("work")?).join(name);
        Some((path, self.fill(text, given)))
    }

    fn fill(&self, text: &str, given: &Given) -> String {
        let mut filled = text.to_owned();
        for name in placeholders(text) {
            let own = || self.value(name).map(|value| self.fill(&value, given));
            let value = given.get(name).cloned().or_else(own);
            let value = value.or_else(|| self.places().get(name).cloned());
            let value = value.unwrap_or_default();
            filled = filled.replace(&format!("@{name}@"), &value);
        }
        filled
    }

    fn value(&self, name: &str) -> Option<String> {
        scalar(self.definition.values.get(name)?)
    }
}

/// The names that stand between two `@` in a text.
fn placeholders(text: &str) -> Vec<&str> {
    let named = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|letter| letter.is_ascii_lowercase() || letter == b'_')
    };
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('@') {
        match after.split_once('@') {
            Some((name, more)) if named(name) => {
                names.push(name);
                rest = more;
            }
            _ => rest = after,
        }
    }
    names
}

/// Where a program is.
fn find(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(ADMINISTRATION.map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

mod build;
mod protocols;
mod reading;
#[cfg(test)]
mod tests;
