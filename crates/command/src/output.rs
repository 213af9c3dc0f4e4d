//! Where what a command makes goes, and for whom it is.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File, FileType};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// For whom something is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: JSON that says its schema.
    Json,
}

/// Prints to people on standard output, at once, with one line feed at its end. A reader who has gone away stops nobody, and what
/// would make a terminal do something is [`harmless`].
pub fn print(text: impl Display) {
    print_json(harmless(&text.to_string()));
}

/// Prints to programs on standard output, at once, as it is, with one line feed at its end. A reader who has gone away stops nobody.
pub fn print_json(text: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", text.to_string().trim_end()).and_then(|()| out.flush());
}

/// Says on standard error what is wrong, [`harmless`] to a terminal.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "{}", harmless(&text.to_string()));
}

/// The same text without what would make a terminal do something: names, and what servers say, come from anywhere.
pub fn harmless(text: &str) -> String {
    let does_something = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\t');
    text.replace(
        does_something,
        char::REPLACEMENT_CHARACTER.encode_utf8(&mut [0; 4]),
    )
}

/// That a file cannot be written, why, and what to do about it.
pub fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}{}", path.display(), remedy(error))
}

/// What to do about what cannot be written or made, as the end of a sentence; empty where the error says enough.
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; choose a place that this user may write to"
        }
        io::ErrorKind::NotFound => "; make its directory first",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; make room, or choose another place"
        }
        _ => "",
    }
}

/// Writes to a file as [`replace`] does, or to standard output where there is no path or it is `-`. A reader of standard output
/// who has gone away has seen enough. Devices and pipes are written to, not replaced.
///
/// # Errors
/// What the system reports.
pub fn write(path: Option<&Path>, bytes: &[u8]) -> io::Result<()> {
    match path.filter(|path| !crate::is_standard(path)) {
        None => {
            let mut out = io::stdout().lock();
            match out.write_all(bytes).and_then(|()| out.flush()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                outcome => outcome,
            }
        }
        Some(path) if is_replaceable(path) => replace(path, bytes),
        Some(path) => {
            // Not created: what was there when it was looked at is what is meant.
            let mut file = File::options().write(true).open(path)?;
            file.write_all(bytes)
        }
    }
}

/// Writes a file in one piece: under a temporary name beside it, synced, then renamed, so that it is never seen half written, and
/// what was there before is unharmed if it fails. Of a symbolic link it is the file that the link names.
///
/// # Errors
/// What the system reports.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &place(path);
    let temporary = beside(path);
    let written = create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What went wrong first is what matters.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    File::open(folder(path))?.sync_all()
}

/// Whether [`write()`] could write there: asked before what is to be written is made, which may take long.
///
/// # Errors
/// Why it could not.
pub fn check(path: &Path) -> io::Result<()> {
    if crate::is_standard(path) {
        return Ok(());
    }
    match kind(path) {
        Some(kind) if kind.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Some(kind) if kind.is_socket() => {
            return Err(io::Error::other("a socket is not written to as files are"));
        }
        Some(kind) if !kind.is_file() => return Ok(access(path, Access::WRITE_OK)?),
        _ => {}
    }
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let temporary = beside(&place(path));
    create(&temporary)?;
    fs::remove_file(&temporary)
}

/// Where a file is or will be, whatever it is called: two paths with the same place are one file.
pub fn place(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let folder = fs::canonicalize(folder(path));
        match (folder, path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        }
    })
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn kind(path: &Path) -> Option<FileType> {
    fs::metadata(path).map(|metadata| metadata.file_type()).ok()
}

fn is_replaceable(path: &Path) -> bool {
    kind(path).is_none_or(|kind| kind.is_file())
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

/// A file that is ours alone, in the place of one that an earlier process of the same number may have left.
fn create(temporary: &Path) -> io::Result<File> {
    let _ = fs::remove_file(temporary);
    File::create_new(temporary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_does_nothing_to_a_terminal() {
        let (title, plain) = ("\u{1b}]0;title\u{7}a\r\u{9b}2Jb", "a\tb\nµ");
        assert_eq!(
            harmless(title),
            "\u{fffd}]0;title\u{fffd}a\u{fffd}\u{fffd}2Jb"
        );
        assert_eq!(harmless(plain), plain);
    }
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).expect("a folder").count()
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_stays_beside_it() {
        let home = tempfile::tempdir().expect("a directory");
        let names = [OsStr::new("report.json"), OsStr::from_bytes(b"\xff.json")];
        for (number, name) in names.into_iter().enumerate() {
            let path = home.path().join(name);
            check(&path).expect("writable");
            assert_eq!(entries(home.path()), number);
            write(Some(&path), b"one").expect("written");
            write(Some(&path), b"two").expect("written again");
            assert_eq!(fs::read(&path).expect("there"), b"two");
            assert_eq!(entries(home.path()), number + 1);
        }
    }

    #[test]
    fn a_link_goes_on_naming_the_file_that_is_written() {
        let home = tempfile::tempdir().expect("a directory");
        let (file, link) = (home.path().join("a"), home.path().join("link"));
        fs::write(&file, b"old").expect("written");
        std::os::unix::fs::symlink("a", &link).expect("a link");
        assert_eq!(place(&link), place(&file));
        write(Some(&link), b"new").expect("written");
        assert_eq!(fs::read(&file).expect("there"), b"new");
        assert!(fs::symlink_metadata(&link).is_ok_and(|link| link.is_symlink()));
    }

    #[test]
    fn what_an_earlier_process_left_is_in_nobodys_way() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("a");
        fs::write(beside(&path), b"left").expect("written");
        check(&path).expect("writable");
        fs::write(beside(&path), b"left").expect("written");
        replace(&path, b"new").expect("written");
        assert_eq!(entries(home.path()), 1);
    }

    #[test]
    fn what_could_not_be_written_is_known_before() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("file");
        fs::write(&file, b"").expect("written");
        let socket = home.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for path in [
            home.path().to_owned(),
            home.path().join("no/such"),
            home.path().join("new/"),
            file.join("below"),
            home.path().join("x".repeat(300)),
            socket,
        ] {
            assert!(check(&path).is_err(), "{}", path.display());
        }
        for path in ["-", "/dev/null", "/dev/stdout"] {
            check(Path::new(path)).expect(path);
        }
        assert_eq!(entries(home.path()), 2);
    }
}
