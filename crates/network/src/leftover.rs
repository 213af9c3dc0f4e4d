//! What a program that was killed left behind: namespaces with processes that outlived it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::namespace::LOOPBACK;
use crate::{Namespace, Role, interface};

/// How long processes may take to end once they are killed.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// A namespace that its maker left behind, and the processes that keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The process id of the program that made it, which is no more.
    pub maker: u32,
    /// The process ids of those that run in it.
    pub processes: Vec<u32>,
    namespace: PathBuf,
}

/// What a namespace of ours is called. It stands beside the loopback interface, which is there as long as the namespace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The process id of the program that made it.
    pub maker: u32,
    /// Which host it is.
    pub role: Role,
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "archbench-{}-{}", self.maker, self.role.name())
    }
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        let (maker, role) = text.strip_prefix("archbench-")?.split_once('-')?;
        Some(Self {
            maker: maker.parse().ok()?,
            role: Role::BOTH.into_iter().find(|known| known.name() == role)?,
        })
    }

    /// The name of the namespace that a process runs in, if it is one of ours.
    fn of(process: &Path) -> Option<Self> {
        let namespace = Namespace::open(&process.join("ns/net")).ok()?;
        let alias = namespace.run(|| interface::alias(LOOPBACK)).ok()?.ok()??;
        Self::parse(&alias)
    }
}

/// Network namespaces whose makers are no more, as far as this process may look: that takes the rights that making one does.
pub fn leftovers() -> Vec<Leftover> {
    let proc = Path::new("/proc");
    let mut inhabited: BTreeMap<PathBuf, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir(proc).into_iter().flatten().flatten() {
        if let Some(process) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
            && let Some(namespace) = namespace_of(process)
        {
            inhabited.entry(namespace).or_default().push(process);
        }
    }
    let left = |(namespace, processes): (PathBuf, Vec<u32>)| {
        let name = Name::of(&proc.join(processes.first()?.to_string()))?;
        (!proc.join(name.maker.to_string()).exists()).then_some(Leftover {
            maker: name.maker,
            processes,
            namespace,
        })
    };
    inhabited.into_iter().filter_map(left).collect()
}

impl Leftover {
    /// Ends the processes that keep it, and so the namespace.
    ///
    /// # Errors
    /// When one may not be ended, or does not end.
    pub fn remove(&self) -> io::Result<()> {
        for process in &self.processes {
            self.end(*process)?;
        }
        Ok(())
    }

    fn end(&self, process: u32) -> io::Result<()> {
        let Some(id) = i32::try_from(process).ok().and_then(Pid::from_raw) else {
            return Ok(());
        };
        let is_there = || namespace_of(process).is_some_and(|at| at == self.namespace);
        // The descriptor stands for the process that has the id now; that it is one of these is looked at after it was opened.
        let descriptor = match pidfd_open(id, PidfdFlags::empty()) {
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            opened => opened?,
        };
        if !is_there() {
            return Ok(());
        }
        pidfd_send_signal(&descriptor, Signal::KILL)?;
        let end = Instant::now() + ENDS_WITHIN;
        while is_there() {
            if Instant::now() > end {
                let text = format!("process {process} was killed and does not end");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }
}

/// What names the network namespace of a process. One that is dead and has not been waited for has none any more.
fn namespace_of(process: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process}/ns/net")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hosts;
    use std::process::{Child, Command, Stdio};

    /// Ends with the test, however that ends.
    struct Sleeper(Child);

    impl Sleeper {
        fn start(namespace: &Namespace) -> Self {
            let mut command = Command::new("sleep");
            command
                .arg("1000")
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            namespace.start_in(&mut command).unwrap();
            Self(command.spawn().unwrap())
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    #[test]
    fn a_name_tells_its_maker() {
        for role in Role::BOTH {
            let name = Name {
                maker: 4_194_304,
                role,
            };
            assert_eq!(Name::parse(&name.to_string()), Some(name));
        }
        for foreign in [
            "",
            "lo",
            "archbench",
            "archbench-12",
            "archbench-x-server",
            "archbench-1-x",
        ] {
            assert_eq!(Name::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_outlives_its_maker_is_found_and_ended_and_nobody_else() {
        let mut ended = Command::new("true").spawn().unwrap();
        let maker = ended.id();
        ended.wait().unwrap();
        let (left, kept) = match (Hosts::made_by(maker), Hosts::apart()) {
            (Ok(left), Ok(kept)) => (left, kept),
            (Err(error), _) | (_, Err(error)) => return println!("skipped: {error}"),
        };
        let mut outliving = [(); 2].map(|()| Sleeper::start(&left.server));
        let mut living = Sleeper::start(&kept.server);
        drop(left);

        let ours = |leftover: &Leftover| leftover.maker == maker;
        let found = leftovers();
        let found = found.iter().find(|leftover| ours(leftover)).unwrap();
        let mut expected = outliving.each_ref().map(|sleeper| sleeper.0.id());
        expected.sort_unstable();
        let mut processes = found.processes.clone();
        processes.sort_unstable();
        assert_eq!(processes, expected);
        found.remove().unwrap();
        assert!(!leftovers().iter().any(ours));
        for sleeper in &mut outliving {
            assert!(!sleeper.0.wait().unwrap().success());
        }
        assert!(living.0.try_wait().unwrap().is_none());
    }
}
