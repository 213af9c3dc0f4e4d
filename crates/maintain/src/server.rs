//! A server that runs, pinned to its core.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use contracts::Line;
use contracts::serve::Ready;
use lab::Failure;
use lab::spec::external::{External, Protocol};
use lab::trial::process::{NoLine, Placement, Process, describe};
use rustix::process::{Pid, Signal, kill_process};
use sys::usage::{Who, usage};

use crate::account::Account;
use crate::testbed::Testbed;

/// How long a server may take to start, and to stop.
const LIMIT: Duration = Duration::from_secs(20);

/// A server that is ready; it ends with this at the latest.
#[derive(Debug)]
pub(crate) struct Server {
    /// What messages and tables call it.
    pub(crate) name: String,
    /// Where it listens, as `http://127.0.0.1:PORT`, or `https`.
    pub(crate) url: String,
    /// What it shows over TLS.
    pub(crate) certificate: Option<PathBuf>,
    /// What it speaks; of ours, what it speaks without being told more.
    pub(crate) protocols: Vec<Protocol>,
    process: Process,
    when_ready: Account,
}

impl Server {
    /// Starts `archbench serve --model MODEL`, where the words after the model are its options, and waits until it is ready.
    ///
    /// # Errors
    /// What it said when it did not become so.
    pub(crate) fn ours(
        testbed: &Testbed,
        archbench: &Path,
        model: &str,
        root: &Path,
    ) -> Result<Self, Failure> {
        let mut command = vec![
            archbench.display().to_string(),
            "serve".into(),
            "--model".into(),
        ];
        command.extend(model.split_whitespace().map(str::to_owned));
        command.extend(
            ["--addr", "127.0.0.1:0", "--output-format", "json", "--root"].map(str::to_owned),
        );
        command.push(root.display().to_string());
        Self::telling(testbed, model, &command)
    }

    /// Starts a command that prints a line when it is ready, and waits for it.
    ///
    /// # Errors
    /// What it said when it did not become so.
    pub(crate) fn telling(
        testbed: &Testbed,
        name: &str,
        command: &[String],
    ) -> Result<Self, Failure> {
        let mut process = start(testbed, name, command)?;
        let line = process.line(LIMIT, &testbed.interrupt);
        let line = line.map_err(|why| not_ready(name, why, &mut process))?;
        let ready = Ready::parse(&line)
            .map_err(|why| format!("{name} should say that it is ready: {why}"))?;
        let certificate = ready.tls.and_then(|tls| tls.certificate);
        Ok(Self {
            name: name.to_owned(),
            url: format!("{}://{}", scheme(certificate.is_some()), ready.address),
            certificate: certificate.map(PathBuf::from),
            protocols: vec![Protocol::Http1],
            when_ready: Account::of(process.id()),
            process,
        })
    }

    /// Starts a server of `bench-configs/external` and waits until it listens; `None`, and a line that says so, where it is not installed.
    ///
    /// # Errors
    /// What it said when it did not become so.
    pub(crate) fn foreign(testbed: &Testbed, name: &str) -> Result<Option<Self>, Failure> {
        let external = External::named(Path::new("bench-configs/external"), name)?;
        if let Some(missing) = external.missing() {
            eprintln!("{missing}");
            return Ok(None);
        }
        if external.passes_on() || !external.serves_files() {
            eprintln!("{name} is left out, as it has no files of its own");
            return Ok(None);
        }
        external.build()?;
        let (work, port) = (testbed.work().join(name), free_port()?);
        let mut given = external.given(&testbed.root(), (Ipv4Addr::LOCALHOST, port), 1, &work);
        let certificate = external
            .secure(&mut given, Ipv4Addr::LOCALHOST)
            .map_err(|error| error.to_string())?;
        fs::create_dir_all(&work)
            .map_err(|error| format!("cannot make {}: {error}", work.display()))?;
        if let Some((path, text)) = external.config(&given) {
            fs::write(&path, text)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        }
        let mut server = Self::listening(testbed, name, &external.command(&given), port)?;
        server.url = server.url.replace("http", scheme(certificate.is_some()));
        server.certificate = certificate;
        server.protocols = external.protocols().to_vec();
        Ok(Some(server))
    }

    /// Starts a command and waits until it listens at `port`.
    ///
    /// # Errors
    /// What it said when it did not.
    pub(crate) fn listening(
        testbed: &Testbed,
        name: &str,
        command: &[String],
        port: u16,
    ) -> Result<Self, Failure> {
        let mut process = start(testbed, name, command)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let end = Instant::now() + LIMIT;
        while TcpStream::connect(address).is_err() {
            testbed.go_on()?;
            if let Some(status) = process.ended() {
                let how = describe(status, &process.kill());
                return Err(format!("{name} did not become ready: {how}").into());
            }
            if Instant::now() > end {
                return Err(format!("{name} did not listen at {address} within {LIMIT:?}").into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(Self {
            name: name.to_owned(),
            url: format!("http://{address}"),
            certificate: None,
            protocols: vec![Protocol::Http1],
            when_ready: Account::of(process.id()),
            process,
        })
    }

    /// What it has used so far.
    pub(crate) fn account(&self) -> Account {
        Account::of(self.id())
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to stop, and does not look whether it has.
    pub(crate) fn terminate(&self) {
        let id = i32::try_from(self.id()).ok().and_then(Pid::from_raw);
        // It is waited for elsewhere if it has ended already.
        let _ = id.map(|id| kill_process(id, Signal::TERM));
    }

    /// Has it stop; gives the processor time that it, its threads and its children have used since it was ready.
    ///
    /// It is what the kernel accounts to this process when the server has ended (getrusage(2)), so nothing is rounded to clock
    /// ticks and nothing is lost of those that ended before.
    ///
    /// # Errors
    /// When it does not stop, or fails.
    pub(crate) fn stop(mut self) -> Result<Duration, Failure> {
        let name = &self.name;
        let account = || -> Result<Duration, Failure> {
            let ended = usage(Who::EndedChildren)
                .map_err(|error| format!("cannot read what children used: {error}"))?;
            Ok(ended.user + ended.system)
        };
        let before = account()?;
        self.process.terminate();
        let status = self
            .process
            .wait(LIMIT)
            .ok_or_else(|| format!("{name} was told to stop and did not within {LIMIT:?}"))?;
        let errors = self.process.kill();
        if !status.success() {
            return Err(format!("{name}: {}", describe(status, &errors)).into());
        }
        let used = account()?.saturating_sub(before);
        Ok(used.saturating_sub(self.when_ready.processor_time))
    }
}

fn scheme(is_secured: bool) -> &'static str {
    match is_secured {
        true => "https",
        false => "http",
    }
}

fn start(testbed: &Testbed, name: &str, command: &[String]) -> Result<Process, Failure> {
    // One that has workers has to end them.
    Process::start_until(
        Signal::TERM,
        command,
        Placement::on(&[testbed.cores.server]),
    )
    .map_err(|error| {
        let program = command.first().map_or("", String::as_str);
        format!("cannot start {name}, which is {program}: {error}").into()
    })
}

/// A port that nobody listens at.
///
/// # Errors
/// When there is none.
pub(crate) fn free_port() -> Result<u16, Failure> {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr());
    let free = free.map_err(|error| format!("cannot find a free port: {error}"))?;
    Ok(free.port())
}

fn not_ready(name: &str, why: NoLine, process: &mut Process) -> Failure {
    match why {
        NoLine::Interrupted => "interrupted".into(),
        NoLine::Late => format!("{name} was not ready within {LIMIT:?}").into(),
        NoLine::Ended => {
            let status = process.wait(Duration::from_secs(2));
            let errors = process.kill();
            let how = status.map_or("it closed its output".into(), |status| {
                describe(status, &errors)
            });
            format!("{name} did not become ready: {how}").into()
        }
    }
}
