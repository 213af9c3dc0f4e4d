//! Texts that commands read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

/// What may come before a text in UTF-8 (RFC 3629, section 6); some editors put it there.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file, or standard input where the path is `-`, from behind the byte order mark that it may begin with.
///
/// # Errors
/// What was to be read and why it cannot be, in words.
pub fn open(path: &Path) -> Result<Box<dyn BufRead>, String> {
    let opened = match super::is_standard(path) {
        true => unmarked(io::stdin().lock()),
        false => File::open(path).and_then(|file| unmarked(BufReader::new(file))),
    };
    opened.map_err(|error| cannot_read(path, &error))
}

/// All of it, as bytes.
///
/// # Errors
/// As [`open`].
pub fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    open(path)?
        .read_to_end(&mut all)
        .map_err(|error| cannot_read(path, &error))?;
    Ok(all)
}

/// All of it, as text.
///
/// # Errors
/// As [`open`], and when it is not UTF-8.
pub fn text(path: &Path) -> Result<String, String> {
    String::from_utf8(bytes(path)?).map_err(|_| format!("{} is no text in UTF-8", name(path)))
}

/// What is read, for people.
pub fn name(path: &Path) -> String {
    match super::is_standard(path) {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    }
}

/// That a file, or standard input, cannot be read, why, and what to do about it.
pub fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}{}", name(path), remedy(error))
}

/// What to do about what cannot be read, as the end of a sentence; empty where the error says enough.
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "; this user may not read it: change its mode (chmod), or be one who may"
        }
        _ => "",
    }
}

fn unmarked(mut reader: impl BufRead + 'static) -> io::Result<Box<dyn BufRead>> {
    let mut start = Vec::new();
    reader
        .by_ref()
        .take(BYTE_ORDER_MARK.len() as u64)
        .read_to_end(&mut start)?;
    if start == BYTE_ORDER_MARK {
        start.clear();
    }
    Ok(Box::new(Cursor::new(start).chain(reader)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_passed_over_once() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("text");
        for (written, read) in [
            ("", ""),
            ("a", "a"),
            ("\u{feff}", ""),
            ("\u{feff}one\ntwo", "one\ntwo"),
            ("\u{feff}\u{feff}x", "\u{feff}x"),
            ("a\u{feff}", "a\u{feff}"),
        ] {
            std::fs::write(&path, written).expect("written");
            assert_eq!(text(&path).as_deref(), Ok(read));
        }
        std::fs::write(&path, b"\xff\xfe").expect("written");
        assert!(text(&path).is_err_and(|why| why.ends_with("is no text in UTF-8")));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let none = text(Path::new("/no/such"));
        assert!(none.is_err_and(|why| why.starts_with("cannot read /no/such: ")));
        let directory = text(Path::new("/"));
        assert!(directory.is_err_and(|why| why.starts_with("cannot read /: ")));
        assert_eq!(name(Path::new("-")), "standard input");
    }
}
