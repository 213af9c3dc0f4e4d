//! Limits on memory, page cache included, by a control group.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How memory can be limited here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Support {
    /// Groups of version 2, below this one.
    V2(PathBuf),
    /// Groups of version 1, below this one.
    V1(PathBuf),
    /// Not at all, and why.
    None(String),
}

/// A group with a limit; it is removed when dropped.
#[derive(Debug)]
pub struct Group {
    path: PathBuf,
    procs: PathBuf,
}

impl Support {
    /// Finds out, by making a group, entering it and removing it.
    pub fn find() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mut refused = String::from("no control group file system with memory is mounted");
        for candidate in candidates(&mounts, &own) {
            match candidate
                .group(64 << 20, "probe")
                .and_then(|group| group.enter())
            {
                Ok(()) => return candidate,
                Err(error) => refused = error.to_string(),
            }
        }
        Self::None(refused)
    }

    /// Like `v2`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::V2(_) => "v2",
            Self::V1(_) => "v1",
            Self::None(_) => "none",
        }
    }

    /// A group that may use `bytes` of memory and no swap.
    ///
    /// # Errors
    /// What the system refused.
    pub fn group(&self, bytes: u64, name: &str) -> io::Result<Group> {
        let (parent, limit, swap) = match self {
            Self::V2(parent) => {
                give_memory(parent);
                (parent, "memory.max", ("memory.swap.max", "0".to_owned()))
            }
            Self::V1(parent) => {
                let both = ("memory.memsw.limit_in_bytes", bytes.to_string());
                (parent, "memory.limit_in_bytes", both)
            }
            Self::None(why) => return Err(io::Error::other(why.clone())),
        };
        let path = parent.join(format!("archbench-{}-{name}", std::process::id()));
        let tell = |action: &'static str, path: &Path| {
            let path = path.display().to_string();
            move |error| io::Error::other(format!("cannot {action} {path}: {error}"))
        };
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(tell("make the group", &path)(error));
            }
            _ => {}
        }
        let group = Group {
            procs: path.join("cgroup.procs"),
            path,
        };
        let file = group.path.join(limit);
        if !file.exists() {
            return Err(tell("limit memory by", &file)(
                io::ErrorKind::NotFound.into(),
            ));
        }
        fs::write(&file, bytes.to_string()).map_err(tell("write", &file))?;
        // Not every kernel counts swap.
        let _ = fs::write(group.path.join(swap.0), swap.1);
        Ok(group)
    }
}

impl Group {
    /// A command that enters the group and then becomes `program`.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo $$ > \"$0\" && exec \"$@\""])
            .arg(&self.procs)
            .arg(program);
        command
    }
}

impl Group {
    /// Sends a process in. Whoever may make a group of version 2 may still not be allowed to leave the one it is in: that takes the right to write to what
    /// both have above them (cgroup-v2.rst, "Delegation Containment").
    fn enter(&self) -> io::Result<()> {
        let output = self.command("true").output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or("refused");
        Err(io::Error::other(format!(
            "cannot enter {}: {said}",
            self.path.display()
        )))
    }
}

/// Lets the groups below a group of version 2 limit memory, if they cannot yet. It may not be ours to allow; then the file of the limit is missing.
fn give_memory(parent: &Path) {
    let control = parent.join("cgroup.subtree_control");
    let given = fs::read_to_string(&control).unwrap_or_default();
    if !given.split_whitespace().any(|name| name == "memory") {
        let _ = fs::write(control, "+memory");
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes have been waited for, but the kernel may be a moment behind.
        for _ in 0..20 {
            match fs::remove_dir(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                _ => return,
            }
        }
    }
}

/// Groups that might be made parents: our own, then those above it, of either version.
fn candidates(mountinfo: &str, own: &str) -> Vec<Support> {
    let mut all = Vec::new();
    for line in mountinfo.lines() {
        let Some((mount, kind)) = line.split_once(" - ") else {
            continue;
        };
        let (mut mount, mut kind) = (mount.split(' ').skip(3), kind.split(' '));
        let (Some(root), Some(point)) = (mount.next(), mount.next()) else {
            continue;
        };
        let (kind, options) = (
            kind.next().unwrap_or_default(),
            kind.nth(1).unwrap_or_default(),
        );
        let (wrap, controller): (fn(PathBuf) -> Support, _) = match kind {
            "cgroup2" => (Support::V2, ""),
            "cgroup" if options.split(',').any(|option| option == "memory") => {
                (Support::V1, "memory")
            }
            _ => continue,
        };
        let path = own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let controllers = parts.next()?;
            controllers
                .split(',')
                .any(|name| name == controller)
                .then(|| parts.next())
                .flatten()
        });
        let inside = path.map(|path| {
            path.strip_prefix(root)
                .unwrap_or(path)
                .trim_start_matches('/')
        });
        let own = Path::new(point).join(inside.unwrap_or_default());
        let below = own.ancestors().take_while(|path| path.starts_with(point));
        all.extend(below.map(|path| wrap(path.into())));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_found_in_both_versions() {
        let mounts = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n\
            31 24 0:27 / /cg/memory rw,relatime - cgroup cgroup rw,memory\n\
            32 24 0:28 / /cg/cpu rw - cgroup cgroup rw,cpu\n";
        let own = "4:memory:/box\n1:cpu:/\n0::/user.slice/me\n";
        let expected = [
            Support::V2("/sys/fs/cgroup/user.slice/me".into()),
            Support::V2("/sys/fs/cgroup/user.slice".into()),
            Support::V2("/sys/fs/cgroup".into()),
            Support::V1("/cg/memory/box".into()),
            Support::V1("/cg/memory".into()),
        ];
        assert_eq!(candidates(mounts, own), expected);
        assert!(candidates("", own).is_empty());
    }

    #[test]
    fn a_process_is_in_its_group_from_its_first_page_on() {
        let support = Support::find();
        let Ok(group) = support.group(32 << 20, "test") else {
            assert!(matches!(support, Support::None(_)), "{support:?}");
            return;
        };
        let output = group
            .command("cat")
            .arg("/proc/self/cgroup")
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let name = format!("archbench-{}-test", std::process::id());
        assert!(text.contains(&name), "{text}");
        let path = group.path.clone();
        drop(group);
        assert!(!path.exists());
    }

    /// What the kernel has in a group of version 2, as files that are nothing more.
    fn fake(parent: &Path, given: &str, name: &str) -> PathBuf {
        let path = parent.join(format!("archbench-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        for file in ["memory.max", "memory.swap.max", "cgroup.procs"] {
            fs::write(path.join(file), "").unwrap();
        }
        fs::write(parent.join("cgroup.subtree_control"), given).unwrap();
        path
    }

    #[test]
    fn a_group_of_version_2_is_given_memory_a_limit_and_no_swap() {
        for (given, then) in [("", "+memory"), ("cpu memory pids\n", "cpu memory pids\n")] {
            let parent = tempfile::tempdir().unwrap();
            let path = fake(parent.path(), given, "fake");
            let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
            let support = Support::V2(parent.path().into());
            let group = support.group(32 << 20, "fake").unwrap();
            assert_eq!(
                (read("memory.max"), read("memory.swap.max")),
                ("33554432".into(), "0".into())
            );
            let control = fs::read_to_string(parent.path().join("cgroup.subtree_control"));
            assert_eq!(control.unwrap(), then);
            group.enter().unwrap();
            let number = read("cgroup.procs").trim().parse::<u32>();
            assert!(number.is_ok_and(|number| number != std::process::id()));
            // The kernel's own files go with their directory.
            fs::remove_dir_all(&path).unwrap();
        }
    }

    #[test]
    fn a_group_that_cannot_limit_or_be_entered_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let support = Support::V2(parent.path().into());
        let refused = support.group(32 << 20, "none").unwrap_err().to_string();
        assert!(refused.contains("memory.max"), "{refused}");
        assert_eq!(
            fs::read_dir(parent.path()).unwrap().count(),
            1,
            "the group is gone"
        );
        let path = fake(parent.path(), "memory", "shut");
        let group = support.group(32 << 20, "shut").unwrap();
        fs::remove_file(path.join("cgroup.procs")).unwrap();
        fs::create_dir(path.join("cgroup.procs")).unwrap();
        let refused = group.enter().unwrap_err().to_string();
        assert!(refused.contains("cannot enter"), "{refused}");
        fs::remove_dir_all(&path).unwrap();
    }

    #[test]
    fn a_group_of_version_2_is_entered_where_there_is_such_a_hierarchy() {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap();
        let name = format!("archbench-{}-entered", std::process::id());
        let made = candidates(&mounts, &own).into_iter().find_map(|candidate| {
            let Support::V2(parent) = candidate else {
                return None;
            };
            let path = parent.join(&name);
            fs::create_dir(&path).ok()?;
            Some(Group {
                procs: path.join("cgroup.procs"),
                path,
            })
        });
        let Some(group) = made.filter(|group| group.enter().is_ok()) else {
            eprintln!(
                "skipped: no hierarchy of version 2 in which a group may be made and entered"
            );
            return;
        };
        let output = group.command("cat").arg("/proc/self/cgroup").output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let entered = |line: &str| line.starts_with("0::") && line.ends_with(&name);
        assert!(text.lines().any(entered), "{text}");
        let path = group.path.clone();
        drop(group);
        assert!(!path.exists());
    }
}
