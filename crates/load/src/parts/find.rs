//! Which files are of a run, and what is in a line.

use super::log::{ENDED, RUNNING};
use super::pieces::Pieces;
use crate::Failure;
use crate::share::Share;
use contracts::part::PartLine;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Lines at the beginning of a file that may be somebody else's, as of what a launcher has to say.
const OTHERS_LINES: usize = 10_000;

/// What stands near the beginning of every line of a part, and at that of a piece of one.
const MARK: &[u8] = b"archbench.load-part/";

/// The files of a run, and the runs that others are of.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those of the run, in the order of their names.
    pub(super) files: Vec<PathBuf>,
    /// What the run is called; none if nothing was found.
    pub(super) run_id: Option<String>,
    /// How many files of each other run there are, or how many are of none.
    pub(super) others: Vec<(String, usize)>,
}

/// Looks for the files of the run of this name, or of the one that was begun last.
///
/// # Errors
/// When something cannot be read.
pub(super) fn find(inputs: &[PathBuf], run_id: Option<&str>) -> Result<Found, Failure> {
    let mut heads = Vec::new();
    for path in files(inputs)? {
        heads.push((
            head(&path).map_err(|error| cannot_read(&path, &error))?,
            path,
        ));
    }
    let begun = heads.iter().filter_map(|(head, _)| head.as_ref());
    let last = begun.max_by(|(_, one), (_, other)| one.total_cmp(other));
    let wanted = run_id.map_or_else(|| last.map(|(id, _)| id.clone()), |id| Some(id.to_owned()));
    let mut found = Found {
        run_id: wanted.clone(),
        ..Found::default()
    };
    for (head, path) in heads {
        let of = head.map(|(id, _)| id);
        if of == wanted {
            found.files.push(path);
            continue;
        }
        let name = of.map_or("no run".to_owned(), |id| format!("run {id}"));
        match found.others.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => found.others.push((name, 1)),
        }
    }
    Ok(found)
}

/// The files that are meant: those that are named, and those of parts in directories that are.
fn files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            files.push(input.clone());
            continue;
        }
        let entries = fs::read_dir(input).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let entries = entries.map_err(|error| cannot_read(input, &error))?;
        let is_of_part = |path: &PathBuf| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| [ENDED, RUNNING].contains(&extension))
        };
        files.extend(
            entries
                .into_iter()
                .map(|entry| entry.path())
                .filter(is_of_part),
        );
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// What run a file is of, and when its part was asked for.
fn head(path: &Path) -> std::io::Result<Option<(String, f64)>> {
    let mut lines = BufReader::new(File::open(path)?);
    let mut reader = Reader::default();
    let mut line = Vec::new();
    for _ in 0..OTHERS_LINES {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if let Some(line) = reader.read(&line) {
            let written = line.asked.map_or(0.0, |asked| asked.written_unix_s);
            return Ok(Some((line.run_id, written)));
        }
    }
    Ok(None)
}

/// Where the JSON object begins that names its schema behind this; none where it is a piece that begins there.
fn object_around(before: &[u8]) -> Option<usize> {
    let tokens = [r#"{"#, r#""schema""#, ":", r#"""#].into_iter().rev();
    let mut before = before;
    for token in tokens {
        before = before.trim_ascii_end().strip_suffix(token.as_bytes())?;
    }
    Some(before.len())
}

pub(super) fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    command::input::cannot_read(path, error).into()
}

/// Reads lines of parts, whole or in pieces, behind whatever a launcher puts before each.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pieces: Pieces,
}

impl Reader {
    /// The line of a part that is in `line`, or of which the last piece is.
    pub(super) fn read(&mut self, line: &[u8]) -> Option<PartLine> {
        let mark = line.windows(MARK.len()).position(|text| text == MARK)?;
        let read: PartLine = match object_around(&line[..mark]) {
            Some(start) => PartLine::parse(line[start..].trim_ascii_end()).ok()?,
            None => self.pieces.take(line)?,
        };
        // What is of another version, or of no part that there can be, is no line of a part.
        let number = u64::from(read.part).checked_sub(1)?;
        Share::new(number, read.parts.into()).ok()?;
        Some(read).filter(|line| line.schema == PartLine::SCHEMA)
    }

    /// How many pieces were cut or spoilt on the way.
    pub(super) fn spoilt(&self) -> u64 {
        self.pieces.spoilt()
    }
}
