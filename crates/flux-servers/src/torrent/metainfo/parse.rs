//! Metainfo as it is written, by whomever.

use std::collections::BTreeMap;

use bendy::decoding::{Decoder, DictDecoder, Object};
use sha1::{Digest, Sha1};

use super::{Error, FileEntry, LONGEST_PIECE, MOST_BYTES, MOST_FILES, Metainfo};
use crate::torrent::wire::Hash;

/// A torrent is five deep; what others put in beside it may be somewhat deeper.
const DEEPEST: usize = 32;
/// So many folders may lie in each other.
const MOST_FOLDERS: usize = 32;
/// What a file system takes (NAME_MAX).
const LONGEST_NAME: usize = 255;

/// Reads metainfo.
///
/// # Errors
/// Why it is none, or none that can be kept beneath a folder.
pub(crate) fn parse(bytes: &[u8]) -> Result<Metainfo, Error> {
    if bytes.len() > MOST_BYTES {
        return Err(Error::TooLarge);
    }
    let mut decoder = Decoder::new(bytes).with_max_depth(DEEPEST);
    let (mut announce, mut info) = (None, None);
    let outermost = decoder.next_object().map_err(encoding)?;
    let mut outermost = dictionary(outermost, "it")?;
    while let Some((key, value)) = outermost.next_pair().map_err(encoding)? {
        match (key, value) {
            (b"announce", value) => announce = Some(text(value, "announce")?),
            (b"info", value) => {
                let raw = dictionary(Some(value), "info")?.into_raw();
                info = Some(raw.map_err(encoding)?);
            }
            _ => {}
        }
    }
    drop(outermost);
    if decoder.next_object().map_err(encoding)?.is_some() {
        return Err(Error::Encoding("there is something behind it".into()));
    }
    let info = info.ok_or_else(|| missing("info"))?;
    Info::parse(info)?.metainfo(announce, Sha1::digest(info).into())
}

/// The dictionary `info`.
#[derive(Default)]
struct Info {
    name: Option<String>,
    piece_length: Option<u32>,
    hashes: Option<Vec<Hash>>,
    /// Where it is one file.
    length: Option<u64>,
    /// Where it is a folder of them.
    files: Option<Vec<FileEntry>>,
}

impl Info {
    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut parsed = Self::default();
        let mut decoder = Decoder::new(bytes).with_max_depth(DEEPEST);
        let mut info = dictionary(decoder.next_object().map_err(encoding)?, "info")?;
        while let Some((key, value)) = info.next_pair().map_err(encoding)? {
            match key {
                b"name" => parsed.name = Some(name(&text(value, "name")?)?),
                b"piece length" => parsed.piece_length = Some(number(value, "piece length")?),
                b"length" => parsed.length = Some(number(value, "length")?),
                b"pieces" => {
                    let (hashes, rest) = bytes_of(value, "pieces")?.as_chunks::<20>();
                    if !rest.is_empty() {
                        return Err(Error::Figures("'pieces' is not made of hashes of 20 bytes"));
                    }
                    parsed.hashes = Some(hashes.to_vec());
                }
                b"files" => parsed.files = Some(files(value)?),
                _ => {}
            }
        }
        Ok(parsed)
    }

    fn metainfo(self, announce: Option<String>, info_hash: Hash) -> Result<Metainfo, Error> {
        let name = self.name.ok_or_else(|| missing("name"))?;
        let mut files = match (self.length, self.files) {
            (Some(length), None) => vec![FileEntry {
                path: Vec::new(),
                length,
            }],
            (None, Some(files)) => files,
            _ => return Err(Error::Figures("it has to have one of 'length' and 'files'")),
        };
        for file in &mut files {
            file.path.insert(0, name.clone());
        }
        are_apart(&files)?;
        let mut lengths = files.iter().map(|file| file.length);
        let length = lengths.try_fold(0_u64, u64::checked_add);
        // What a file's offset may be.
        let length = length.filter(|&length| (1..=i64::MAX as u64).contains(&length));
        let length = length.ok_or(Error::Figures("its files hold nothing, or too much"))?;
        let piece_length = self.piece_length.ok_or_else(|| missing("piece length"))?;
        if !(1..=LONGEST_PIECE).contains(&piece_length) {
            return Err(Error::Figures(
                "its pieces are empty, or longer than 16 MiB",
            ));
        }
        let hashes = self.hashes.ok_or_else(|| missing("pieces"))?;
        if length.div_ceil(piece_length.into()) != hashes.len() as u64 {
            return Err(Error::Figures(
                "it has not as many hashes as its files have pieces",
            ));
        }
        Ok(Metainfo {
            announce,
            info_hash,
            piece_length,
            hashes,
            files,
            length,
        })
    }
}

fn files(value: Object<'_, '_>) -> Result<Vec<FileEntry>, Error> {
    let mut list = value.try_into_list().map_err(encoding)?;
    let mut files = Vec::new();
    while let Some(value) = list.next_object().map_err(encoding)? {
        if files.len() == MOST_FILES {
            return Err(Error::Figures(
                "it has more than 1024 files, all of which would be open",
            ));
        }
        let (mut length, mut path) = (None, None);
        let mut entry = dictionary(Some(value), "files")?;
        while let Some((key, value)) = entry.next_pair().map_err(encoding)? {
            match key {
                b"length" => length = Some(number(value, "length")?),
                b"path" => path = Some(self::path(value)?),
                _ => {}
            }
        }
        files.push(FileEntry {
            path: path.ok_or_else(|| missing("path"))?,
            length: length.ok_or_else(|| missing("length"))?,
        });
    }
    Ok(files)
}

fn path(value: Object<'_, '_>) -> Result<Vec<String>, Error> {
    let mut list = value.try_into_list().map_err(encoding)?;
    let mut path = Vec::new();
    while let Some(value) = list.next_object().map_err(encoding)? {
        if path.len() == MOST_FOLDERS {
            return Err(Error::Figures("its folders lie too deep in each other"));
        }
        path.push(name(&text(value, "path")?)?);
    }
    match path.is_empty() {
        true => Err(Error::Name(String::new())),
        false => Ok(path),
    }
}

/// Takes one name for what it is: no way to anywhere else.
fn name(text: &str) -> Result<String, Error> {
    let is_way = text.is_empty() || text == "." || text == "..";
    let is_forbidden = |letter: char| matches!(letter, '/' | '\\') || letter.is_control();
    if is_way || text.contains(is_forbidden) || text.len() > LONGEST_NAME {
        return Err(Error::Name(text.escape_debug().take(80).collect()));
    }
    Ok(text.to_owned())
}

/// No two files are one, and none is another's folder.
fn are_apart(files: &[FileEntry]) -> Result<(), Error> {
    let mut seen: BTreeMap<&[String], bool> = BTreeMap::new();
    for file in files {
        let (own, depth) = (file.path.as_slice(), file.path.len());
        let folders = (1..depth).map(|depth| (&own[..depth], true));
        for (path, is_folder) in folders.chain([(own, false)]) {
            let before = seen.insert(path, is_folder);
            if before.is_some_and(|before| !(before && is_folder)) {
                return Err(Error::Twice(path.join("/")));
            }
        }
    }
    Ok(())
}

fn dictionary<'o, 's>(
    value: Option<Object<'o, 's>>,
    what: &str,
) -> Result<DictDecoder<'o, 's>, Error> {
    let Some(Object::Dict(dictionary)) = value else {
        return Err(Error::Encoding(format!("{what} is no dictionary")));
    };
    Ok(dictionary)
}

fn bytes_of<'s>(value: Object<'_, 's>, what: &str) -> Result<&'s [u8], Error> {
    value.bytes_or_else(|_| Err(Error::Encoding(format!("'{what}' is no string"))))
}

fn text(value: Object<'_, '_>, what: &str) -> Result<String, Error> {
    let text = str::from_utf8(bytes_of(value, what)?);
    let text = text.map_err(|_| Error::Encoding(format!("'{what}' is not UTF-8")))?;
    Ok(text.to_owned())
}

fn number<N: std::str::FromStr>(value: Object<'_, '_>, what: &str) -> Result<N, Error> {
    let wrong = || Error::Encoding(format!("'{what}' is no number, or a senseless one"));
    let digits = value.integer_or_else(|_| Err(wrong()))?;
    digits.parse().map_err(|_| wrong())
}

fn missing(what: &str) -> Error {
    Error::Encoding(format!("'{what}' is missing"))
}

fn encoding(error: bendy::decoding::Error) -> Error {
    Error::Encoding(error.to_string())
}
