//! One writer at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use crate::error::{Error, io_error};

const NAME: &str = "lock";

/// Held for as long as a folder is written; the kernel gives it back when its holder ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io_error("open", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(Error::Locked {
                    path: folder.into(),
                    process: fs::read_to_string(&path)
                        .ok()
                        .and_then(|text| text.trim().parse().ok()),
                });
            }
            Err(error) => return Err(io_error("lock", &path)(error.into())),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(io_error("write", &path))?;
        Ok(Self { _file: file })
    }
}
