//! Paths below the root, as requests name them.

use quick_cache::Equivalent;

/// The file that stands for its directory.
const INDEX: &[u8] = b"index.html";

/// What is to be found under fixed names on every site, whatever else is hidden (RFC 8615, section 3).
const WELL_KNOWN: &[u8] = b".well-known";

/// A path below the root, decoded and normalised: no leading slash, no empty, `.` or `..` segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path<'a> {
    /// The segments, joined by slashes; empty for the root.
    pub bytes: &'a [u8],
    /// Whether it names a directory (ended in a slash), that is, the index file in it.
    pub directory: bool,
}

impl Path<'_> {
    /// The last segment; the index file's name for a directory.
    pub(crate) fn file_name(&self) -> &[u8] {
        if self.directory {
            return INDEX;
        }
        self.bytes
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or(self.bytes)
    }

    /// Whether a segment begins with a dot; `.well-known` at the top apart.
    pub(crate) fn is_hidden(&self) -> bool {
        let mut segments = self.bytes.split(|&byte| byte == b'/').enumerate();
        segments.any(|(depth, segment)| {
            segment.starts_with(b".") && !(depth == 0 && segment == WELL_KNOWN)
        })
    }
}

/// The path of a directory's index file.
pub(crate) fn index_of(directory: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if directory.is_empty() { b"" } else { b"/" };
    [directory, slash, INDEX].concat()
}

/// A [`Path`] that owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PathBuf {
    bytes: Box<[u8]>,
    directory: bool,
}

impl PathBuf {
    /// The path.
    pub fn as_path(&self) -> Path<'_> {
        Path {
            bytes: &self.bytes,
            directory: self.directory,
        }
    }
}

impl From<Path<'_>> for PathBuf {
    fn from(path: Path<'_>) -> Self {
        Self {
            bytes: path.bytes.into(),
            directory: path.directory,
        }
    }
}

impl Equivalent<PathBuf> for Path<'_> {
    fn equivalent(&self, path: &PathBuf) -> bool {
        *self == path.as_path()
    }
}
