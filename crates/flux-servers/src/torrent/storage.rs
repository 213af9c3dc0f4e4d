//! A torrent's files, beneath a folder and nowhere else.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::bitfield::Bitfield;
use super::metainfo::{FileEntry, Metainfo, Span};

/// What is done with the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// They are there, and read.
    Read,
    /// They are made, with folders around them, and written; what is there of them already stays.
    Write,
}

/// The files, open.
#[derive(Debug)]
pub(crate) struct Storage {
    files: Vec<File>,
}

impl Storage {
    /// Opens them. No link is followed beneath the folder, whoever put it there.
    ///
    /// # Errors
    /// Which of them cannot be had, and why.
    pub(crate) fn open(folder: &Path, torrent: &Metainfo, r#use: Use) -> io::Result<Self> {
        let at = |path: &Path, error: io::Error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, folder, flags, Mode::empty());
        let root = root.map_err(|error| at(folder, error.into()))?;
        let mut files = Vec::new();
        for entry in &torrent.files {
            let opened = open(&root, entry, r#use);
            let path = || folder.join(entry.path.join("/"));
            files.push(opened.map_err(|error| at(&path(), error))?);
        }
        Ok(Self { files })
    }

    /// Reads parts of them, one after the other.
    ///
    /// # Errors
    /// As reading; that a file has become shorter is one.
    pub(crate) fn read(&self, spans: &[Span], mut into: &mut [u8]) -> io::Result<()> {
        for span in spans {
            let (part, rest) = into.split_at_mut(span.length);
            self.files[span.file].read_exact_at(part, span.offset)?;
            into = rest;
        }
        Ok(())
    }

    /// Writes parts of them, one after the other.
    ///
    /// # Errors
    /// As writing.
    pub(crate) fn write(&self, spans: &[Span], mut from: &[u8]) -> io::Result<()> {
        for span in spans {
            let (part, rest) = from.split_at(span.length);
            self.files[span.file].write_all_at(part, span.offset)?;
            from = rest;
        }
        Ok(())
    }

    /// Which pieces are there, by their hashes.
    ///
    /// # Errors
    /// As reading.
    pub(crate) fn check(&self, torrent: &Metainfo) -> io::Result<Bitfield> {
        let mut have = Bitfield::none(torrent.pieces());
        let mut data = Vec::new();
        for piece in 0..torrent.pieces() {
            let length = torrent.piece_bytes(piece);
            data.resize(length as usize, 0);
            self.read(&torrent.spans(piece, 0..length), &mut data)?;
            if torrent.is_piece(piece, &data) {
                have.insert(piece);
            }
        }
        Ok(have)
    }
}

/// Opens a file beneath a folder, name by name: each is looked up in the folder that is open, and none may be a link.
fn open(root: &OwnedFd, entry: &FileEntry, r#use: Use) -> io::Result<File> {
    let Some((name, folders)) = entry.path.split_last() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut folder: Option<OwnedFd> = None;
    for name in folders {
        let within = folder.as_ref().unwrap_or(root).as_fd();
        if r#use == Use::Write {
            match mkdirat(within, name.as_str(), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        folder = Some(openat(within, name.as_str(), flags, Mode::empty())?);
    }
    // Nobody waits for whoever might open the other end of a FIFO.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let flags = match r#use {
        Use::Read => flags | OFlags::RDONLY,
        Use::Write => flags | OFlags::RDWR | OFlags::CREATE,
    };
    let within = folder.as_ref().unwrap_or(root).as_fd();
    let file = File::from(openat(
        within,
        name.as_str(),
        flags,
        Mode::from_raw_mode(0o666),
    )?);
    let status = file.metadata()?;
    if !status.is_file() {
        return Err(io::Error::other("it is there, and no file"));
    }
    match r#use {
        Use::Write if status.len() < entry.length => file.set_len(entry.length)?,
        _ if status.len() != entry.length => {
            return Err(io::Error::other(format!(
                "it has {} bytes, and {} in the torrent",
                status.len(),
                entry.length
            )));
        }
        _ => {}
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::torrent::metainfo::{make, parse};

    /// A folder with two files, one in a folder of its own, and a torrent of it.
    fn torrent(folder: &Path) -> Metainfo {
        let source = folder.join("source/box");
        std::fs::create_dir_all(source.join("inner")).unwrap();
        std::fs::write(source.join("inner/one"), vec![1; 20_000]).unwrap();
        std::fs::write(source.join("two"), vec![2; 30_000]).unwrap();
        parse(&make(&source, None, None).unwrap()).unwrap()
    }

    #[test]
    fn pieces_pass_from_file_to_file() {
        let folder = tempfile::tempdir().unwrap();
        let torrent = torrent(folder.path());
        let source = Storage::open(&folder.path().join("source"), &torrent, Use::Read).unwrap();
        assert!(source.check(&torrent).unwrap().is_all());
        let copies = folder.path().join("copies");
        std::fs::create_dir(&copies).unwrap();
        let copy = Storage::open(&copies, &torrent, Use::Write).unwrap();
        assert_eq!(copy.check(&torrent).unwrap().count(), 0);
        for piece in (0..torrent.pieces()).rev() {
            let length = torrent.piece_bytes(piece);
            let spans = torrent.spans(piece, 0..length);
            let mut data = vec![0; length as usize];
            source.read(&spans, &mut data).unwrap();
            copy.write(&spans, &data).unwrap();
        }
        // What is there already is kept.
        let copy = Storage::open(&copies, &torrent, Use::Write).unwrap();
        assert!(copy.check(&torrent).unwrap().is_all());
        assert_eq!(
            std::fs::read(copies.join("box/two")).unwrap(),
            vec![2; 30_000]
        );
    }

    #[test]
    fn no_link_is_followed_and_no_file_cut() {
        let folder = tempfile::tempdir().unwrap();
        let torrent = torrent(folder.path());
        let outside = folder.path().join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("two"), b"precious").unwrap();
        for place in ["box", "box/inner", "box/two"] {
            let target = folder.path().join(place.replace('/', "-"));
            let link = target.join(place);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            let to = match place {
                "box/two" => outside.join("two"),
                _ => outside.clone(),
            };
            symlink(to, &link).unwrap();
            for r#use in [Use::Write, Use::Read] {
                let error = Storage::open(&target, &torrent, r#use).unwrap_err();
                assert!(error.to_string().contains("box/"), "{error}");
            }
        }
        let longer = folder.path().join("longer");
        std::fs::create_dir_all(longer.join("box")).unwrap();
        std::fs::write(longer.join("box/two"), vec![3; 40_000]).unwrap();
        let error = Storage::open(&longer, &torrent, Use::Write).unwrap_err();
        assert!(error.to_string().contains("40000 bytes"), "{error}");
        assert_eq!(std::fs::read(outside.join("two")).unwrap(), b"precious");
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    }
}
