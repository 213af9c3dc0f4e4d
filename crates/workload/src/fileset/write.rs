//! Putting a file set on a disk.
//!
//! A finished directory holds a manifest, written last: while it is missing the set is incomplete,
//! and a second call goes on where the first one stopped. Every file is written under a temporary
//! name and renamed, so a file that is there is whole. All names of ours begin with a dot and are
//! never served. One process writes at a time, by a lock on the directory; the others wait and find
//! the work done.

use super::disk::{TEMPORARY, WriteError, check_space, explain_full, io_error, put};
use super::{File, FileSet, VERSION};
use crate::content;
use rustix::fs::{FlockOperation, flock};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::SystemTime;

const MANIFEST: &str = ".archbench-files";
const PARTIAL: &str = ".archbench-files.partial";
const CHUNK: usize = 1 << 20;

/// What a call had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Files that were missing or wrong and now are right.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl FileSet {
    /// Puts the set into `dir`, which is made if need be. `progress` is told (bytes done, bytes in
    /// all) now and then, and nothing if there is nothing to do.
    ///
    /// Files already there with the right length and time are left alone, so that calling it again
    /// costs one `stat` a file. Contents are not synced to the disk: after a crash of the machine,
    /// a file that came out short is made again.
    pub fn write_to(
        &self,
        dir: &Path,
        progress: impl FnMut(u64, u64),
    ) -> Result<Written, WriteError> {
        fs::create_dir_all(dir).map_err(io_error("make the directory", dir))?;
        let handle = fs::File::open(dir).map_err(io_error("open the directory", dir))?;
        // Where the file system knows no locks, two writers still only rename the same bytes over
        // each other.
        let _ = flock(&handle, FlockOperation::LockExclusive);
        let complete = self.is_ours(dir)?;
        let missing: Vec<&File> = self
            .files
            .iter()
            .filter(|file| !self.is_right(dir, file))
            .collect();
        if complete && missing.is_empty() {
            return Ok(Written::default());
        }
        let needed = super::sum(missing.iter().copied());
        check_space(dir, needed)?;
        let mark = |name| {
            let manifest = self.manifest();
            put(dir, name, |file| file.write_all(manifest.as_bytes()), None)
                .map_err(|error| explain_full(error, dir, needed))
        };
        if !complete {
            mark(PARTIAL)?;
        }
        let mut writer = Writer {
            dir,
            modified: self.modified(),
            chunk: Vec::new(),
            done: self.total_bytes() - needed,
            total: self.total_bytes(),
            progress,
        };
        for (index, file) in missing.iter().enumerate() {
            writer.file(file).map_err(|error| {
                explain_full(error, dir, super::sum(missing[index..].iter().copied()))
            })?;
        }
        if !complete {
            mark(MANIFEST)?;
            let partial = dir.join(PARTIAL);
            fs::remove_file(&partial).map_err(io_error("remove", &partial))?;
        }
        Ok(Written {
            files: missing.len(),
            bytes: needed,
        })
    }

    fn manifest(&self) -> String {
        format!(
            "archbench file set\nversion {VERSION}\npreset {}\nseed {}\n",
            self.preset, self.seed
        )
    }

    /// Whether the directory holds this set complete (`true`), or nothing, or a part of it
    /// (`false`).
    fn is_ours(&self, dir: &Path) -> Result<bool, WriteError> {
        for (name, complete) in [(MANIFEST, true), (PARTIAL, false)] {
            let path = dir.join(name);
            match fs::read_to_string(&path) {
                Ok(found) if found == self.manifest() => return Ok(complete),
                Ok(found) => {
                    let line = |text: &str| text.lines().skip(1).collect::<Vec<_>>().join(", ");
                    return Err(WriteError::Another {
                        dir: dir.into(),
                        found: line(&found),
                        wanted: line(&self.manifest()),
                    });
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(io_error("read", &path)(error)),
            }
        }
        let list = |error| io_error("list", dir)(error);
        for entry in fs::read_dir(dir).map_err(list)? {
            if entry.map_err(list)?.file_name() != TEMPORARY {
                return Err(WriteError::NotEmpty { dir: dir.into() });
            }
        }
        Ok(false)
    }

    fn is_right(&self, dir: &Path, file: &File) -> bool {
        fs::symlink_metadata(dir.join(&file.path)).is_ok_and(|found| {
            found.is_file()
                && found.len() == file.length
                && found.modified().is_ok_and(|m| m == self.modified())
        })
    }
}

struct Writer<'a, P> {
    dir: &'a Path,
    modified: SystemTime,
    chunk: Vec<u8>,
    done: u64,
    total: u64,
    progress: P,
}

impl<P: FnMut(u64, u64)> Writer<'_, P> {
    fn file(&mut self, file: &File) -> Result<(), WriteError> {
        if let Some((parent, _)) = file.path.rsplit_once('/') {
            let parent = self.dir.join(parent);
            fs::create_dir_all(&parent).map_err(io_error("make the directory", &parent))?;
        }
        let Self {
            dir,
            modified,
            chunk,
            done,
            total,
            progress,
        } = self;
        chunk.resize(
            CHUNK
                .min(usize::try_from(file.length).unwrap_or(CHUNK))
                .max(chunk.len()),
            0,
        );
        let contents = |out: &mut fs::File| {
            let mut offset = 0;
            while offset < file.length {
                let part = usize::try_from(file.length - offset)
                    .map_or(chunk.len(), |left| left.min(chunk.len()));
                content::fill(file.key, offset, &mut chunk[..part]);
                out.write_all(&chunk[..part])?;
                offset += part as u64;
                *done += part as u64;
                progress(*done, *total);
            }
            Ok(())
        };
        put(dir, &file.path, contents, Some(*modified))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Preset;
    use super::*;

    fn set(text: &str, seed: u64) -> FileSet {
        text.parse::<Preset>().unwrap().file_set(seed)
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_set_is_written_once_and_mended() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("new/dir");
        let set = set("specweb99:1", 3);
        let mut seen = Vec::new();
        let written = set
            .write_to(&dir, |done, total| seen.push((done, total)))
            .unwrap();
        assert_eq!(
            written,
            Written {
                files: 36,
                bytes: set.total_bytes()
            }
        );
        assert!(seen.is_sorted());
        assert_eq!(seen.last(), Some(&(set.total_bytes(), set.total_bytes())));
        assert_eq!(names(&dir), [MANIFEST, "dir00000"]);
        for file in set.files() {
            let bytes = fs::read(dir.join(&file.path)).unwrap();
            assert_eq!(bytes.len() as u64, file.length);
            assert_eq!(content::verify(file.key, 0, &bytes), Ok(()));
            assert_eq!(
                fs::metadata(dir.join(&file.path))
                    .unwrap()
                    .modified()
                    .unwrap(),
                set.modified()
            );
        }

        assert_eq!(
            set.write_to(&dir, |_, _| panic!("nothing is to be done"))
                .unwrap(),
            Written::default()
        );

        let (first, second) = (&set.files()[0], &set.files()[20]);
        fs::remove_file(dir.join(&first.path)).unwrap();
        fs::write(dir.join(&second.path), "short").unwrap();
        let mended = set.write_to(&dir, |_, _| {}).unwrap();
        assert_eq!(
            mended,
            Written {
                files: 2,
                bytes: first.length + second.length
            }
        );
    }

    #[test]
    fn an_interrupted_set_is_resumed() {
        let dir = tempfile::tempdir().unwrap();
        let set = set("uniform:10:1k", 1);
        set.write_to(dir.path(), |_, _| {}).unwrap();
        // As a killed process leaves it.
        fs::rename(dir.path().join(MANIFEST), dir.path().join(PARTIAL)).unwrap();
        fs::write(dir.path().join(TEMPORARY), "half a fi").unwrap();
        fs::remove_file(dir.path().join("d0000/f007.txt")).unwrap();
        assert_eq!(
            set.write_to(dir.path(), |_, _| {}).unwrap(),
            Written {
                files: 1,
                bytes: 1024
            }
        );
        assert_eq!(names(dir.path()), [MANIFEST, "d0000"]);
    }

    #[test]
    fn other_things_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "precious").unwrap();
        let error = set("single:1k", 1)
            .write_to(dir.path(), |_, _| {})
            .unwrap_err();
        assert!(matches!(error, WriteError::NotEmpty { .. }), "{error}");
        assert_eq!(names(dir.path()), ["thesis.tex"]);

        let file = dir.path().join("thesis.tex");
        let error = set("single:1k", 1).write_to(&file, |_, _| {}).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot make the directory"),
            "{error}"
        );

        let dir = tempfile::tempdir().unwrap();
        set("single:1k", 1).write_to(dir.path(), |_, _| {}).unwrap();
        for other in [set("single:1k", 2), set("single:2k", 1)] {
            let error = other
                .write_to(dir.path(), |_, _| {})
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("another file set (version 1, preset single:1k, seed 1)"),
                "{error}"
            );
        }
    }

    #[test]
    fn two_writers_agree() {
        let dir = tempfile::tempdir().unwrap();
        let set = set("uniform:200:2k", 1);
        let written: usize = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| set.write_to(dir.path(), |_, _| {}).unwrap().files))
                .collect();
            writers.into_iter().map(|w| w.join().unwrap()).sum()
        });
        assert_eq!(written, 200);
        assert_eq!(names(dir.path()), [MANIFEST, "d0000"]);
    }
}
