//! Metainfo of files that are there.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bendy::encoding::{Encoder, SingleItemEncoder};
use sha1::{Digest, Sha1};

use super::{LONGEST_PIECE, MOST_FILES};
use crate::torrent::wire::{BLOCK_BYTES, Hash};

/// Pieces become longer until there are no more than so many.
const USUAL_PIECES: u64 = 1500;

/// A file that will be part of a torrent.
struct Part {
    on_disk: PathBuf,
    /// Beneath the folder that the torrent is; nothing, where it is that file.
    path: Vec<String>,
    length: u64,
}

/// Metainfo of a file or a folder: its text. Pieces have so many bytes, or as many as is usual.
///
/// # Errors
/// What cannot be read, or cannot be in a torrent.
pub(crate) fn make(
    path: &Path,
    announce: Option<&str>,
    piece_length: Option<u32>,
) -> io::Result<Vec<u8>> {
    let path = path.canonicalize()?;
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| wrong("a torrent needs a name, in UTF-8"))?;
    let mut parts = Vec::new();
    find(&path, Vec::new(), &mut parts)?;
    let length: u64 = parts.iter().map(|part| part.length).sum();
    if length == 0 || parts.len() > MOST_FILES {
        return Err(wrong(
            "a torrent holds at least a byte, and at most 1024 files",
        ));
    }
    let piece_length = piece_length.unwrap_or_else(|| usual_piece_length(length));
    let hashes = hashes(&parts, piece_length)?;
    encode(name, path.is_dir(), &parts, piece_length, &hashes, announce)
        .map_err(|error| io::Error::other(error.to_string()))
}

/// A power of two, as is usual.
fn usual_piece_length(length: u64) -> u32 {
    let mut piece_length = BLOCK_BYTES;
    while length.div_ceil(piece_length.into()) > USUAL_PIECES && piece_length < LONGEST_PIECE {
        piece_length *= 2;
    }
    piece_length
}

/// Finds files, folder by folder, in the order of their names. What is neither is left out, and so are links.
fn find(on_disk: &Path, path: Vec<String>, parts: &mut Vec<Part>) -> io::Result<()> {
    let status = on_disk.symlink_metadata()?;
    if status.is_file() {
        parts.push(Part {
            on_disk: on_disk.to_owned(),
            path,
            length: status.len(),
        });
    } else if status.is_dir() {
        let mut entries = std::fs::read_dir(on_disk)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| wrong("a name is not UTF-8"))?;
            let path = path.iter().cloned().chain([name.to_owned()]).collect();
            find(&entry.path(), path, parts)?;
        }
    }
    Ok(())
}

/// The hashes of all pieces, which pass from file to file.
fn hashes(parts: &[Part], piece_length: u32) -> io::Result<Vec<Hash>> {
    let mut hashes = Vec::new();
    let mut piece = Vec::with_capacity(piece_length as usize);
    for part in parts {
        let mut file = File::open(&part.on_disk)?.take(part.length);
        loop {
            let room = piece_length as usize - piece.len();
            if (&mut file).take(room as u64).read_to_end(&mut piece)? == 0 {
                break;
            }
            if piece.len() == piece_length as usize {
                hashes.push(Sha1::digest(&piece).into());
                piece.clear();
            }
        }
        if file.limit() > 0 {
            return Err(wrong("a file became shorter while it was read"));
        }
    }
    if !piece.is_empty() {
        hashes.push(Sha1::digest(&piece).into());
    }
    Ok(hashes)
}

fn encode(
    name: &str,
    is_folder: bool,
    parts: &[Part],
    piece_length: u32,
    hashes: &[Hash],
    announce: Option<&str>,
) -> Result<Vec<u8>, bendy::encoding::Error> {
    let files = |encoder: SingleItemEncoder<'_>| {
        encoder.emit_list(|files| {
            for part in parts {
                files.emit_dict(|mut file| {
                    file.emit_pair(b"length", part.length)?;
                    file.emit_pair(b"path", &part.path)
                })?;
            }
            Ok(())
        })
    };
    let mut encoder = Encoder::new();
    encoder.emit_dict(|mut outermost| {
        if let Some(announce) = announce {
            outermost.emit_pair(b"announce", announce)?;
        }
        outermost.emit_pair_with(b"info", |encoder| {
            encoder.emit_dict(|mut info| {
                if is_folder {
                    info.emit_pair_with(b"files", files)?;
                } else {
                    info.emit_pair(b"length", parts.iter().map(|part| part.length).sum::<u64>())?;
                }
                info.emit_pair(b"name", name)?;
                info.emit_pair(b"piece length", piece_length)?;
                info.emit_pair_with(b"pieces", |pieces| pieces.emit_bytes(hashes.as_flattened()))
            })
        })
    })?;
    encoder.get_output()
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
