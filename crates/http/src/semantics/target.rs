//! Which file a request means (RFC 9110, section 7.1): decoded once, normalised, and never outside
//! the root.

use crate::buffer::reuse;
use crate::semantics::escape;
use crate::semantics::host;
use crate::semantics::syntax::is_visible;

/// The target of a request: its path, its query and its authority.
///
/// Percent-decoding happens once and yields bytes, not text: a file's name is bytes. Normalising
/// comes after it, so that `%2e%2e` is as good as `..`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The path, then the query with its `?`, undecoded, then the authority.
    bytes: Vec<u8>,
    /// Where the path ends.
    path: usize,
    /// Where the query ends.
    query: usize,
    directory: bool,
}

/// A target as it came: not empty, and without space or control byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawTarget<'a> {
    text: &'a [u8],
    /// It is a path that needs neither decoding nor normalising.
    plain: bool,
}

impl<'a> RawTarget<'a> {
    /// `None`: no target has these bytes.
    pub fn new(text: &'a [u8]) -> Option<RawTarget<'a>> {
        let plain = is_plain(text);
        let sound = plain || (!text.is_empty() && text.iter().all(|&byte| is_visible(byte)));
        sound.then_some(RawTarget { text, plain })
    }

    /// The bytes.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }
}

/// What a target turned out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// A path, in origin form or absolute form.
    #[default]
    Path,
    /// A path that climbs above the root: nothing is there.
    Outside,
    /// A path with a broken escape, or with an escape for a byte that no path can hold as data.
    Malformed,
    /// `*`: the server as a whole.
    Server,
    /// None of these: authority form, or noise.
    Other,
}

impl Target {
    /// The target that names the root.
    pub(crate) const ROOT: Target = Target {
        bytes: Vec::new(),
        path: 0,
        query: 0,
        directory: true,
    };

    /// The path relative to the root: no leading `/`, no empty segments, no `.`, no `..`, no NUL.
    /// Empty: the root itself. The bytes need not be UTF-8.
    #[inline]
    pub fn path(&self) -> &[u8] {
        &self.bytes[..self.path]
    }

    /// Whether the target ended in `/`, `/.` or `/..`, and so names a directory.
    #[inline]
    pub fn is_directory(&self) -> bool {
        self.directory
    }

    /// The query with its `?`, as it came. Empty if there is none.
    pub(crate) fn query(&self) -> &[u8] {
        &self.bytes[self.path..self.query]
    }

    /// Appends the path in origin form to `out`: it begins with one slash, and ends with one if the
    /// target names a directory.
    pub fn write_path(&self, out: &mut Vec<u8>) {
        out.push(b'/');
        escape::path(self.path(), out);
        if self.directory && self.path > 0 {
            out.push(b'/');
        }
    }

    /// Appends the query with its `?` to `out`, if there is one.
    pub fn write_query(&self, out: &mut Vec<u8>) {
        escape::query(self.query(), out);
    }

    /// Host and port that the client meant: those of a target in absolute form, which win over Host
    /// (RFC 9112, 3.2.2), or else the value of Host. Empty if neither named any.
    pub fn authority(&self) -> &[u8] {
        &self.bytes[self.query..]
    }

    /// Host was named. Ignored where the target has an authority of its own.
    pub(crate) fn host(&mut self, host: &[u8]) {
        if self.query == self.bytes.len() {
            self.bytes.extend_from_slice(host);
        }
    }

    pub(crate) fn clear(&mut self) {
        reuse(&mut self.bytes);
        self.path = 0;
        self.query = 0;
        self.directory = false;
    }

    /// The memory that this holds on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Reads the target of a request, into a target as good as new.
    pub(crate) fn read(&mut self, raw: RawTarget<'_>) -> Form {
        // At once for all that will come, the authority of most requests included.
        self.bytes.reserve(raw.text.len() + 32);
        let mut authority = &b""[..];
        let form = match raw.text {
            [b'/', path @ ..] if raw.plain => {
                self.bytes
                    .extend_from_slice(path.strip_suffix(b"/").unwrap_or(path));
                self.path = self.bytes.len();
                self.directory = self.path < path.len() || path.is_empty();
                Form::Path
            }
            [b'/', path @ ..] => self.read_path(path),
            b"*" => Form::Server,
            raw => match after_scheme(raw).and_then(split_authority) {
                Some((named, path)) => {
                    authority = named;
                    self.read_path(path.strip_prefix(b"/").unwrap_or(path))
                }
                None => Form::Other,
            },
        };
        self.query = self.bytes.len();
        self.bytes.extend_from_slice(authority);
        form
    }

    /// `raw` is what follows the first `/`.
    fn read_path(&mut self, raw: &[u8]) -> Form {
        let end = memchr::memchr(b'?', raw).unwrap_or(raw.len());
        let (path, query) = raw.split_at(end);
        // A fragment is never sent (RFC 9110, 7.1).
        if memchr::memchr(b'#', raw).is_some() {
            return Form::Malformed;
        }
        let mut outside = false;
        for segment in path.split(|&byte| byte == b'/') {
            let parent = self.bytes.len();
            if parent > 0 {
                self.bytes.push(b'/');
            }
            let start = self.bytes.len();
            if !self.decode(segment) {
                return Form::Malformed;
            }
            self.directory = matches!(&self.bytes[start..], b"" | b"." | b"..");
            if self.directory {
                let climbs = self.bytes.len() - start == 2;
                self.bytes.truncate(parent);
                if climbs {
                    outside |= parent == 0;
                    let up = memchr::memrchr(b'/', &self.bytes).unwrap_or(0);
                    self.bytes.truncate(up);
                }
            }
        }
        self.path = self.bytes.len();
        self.bytes.extend_from_slice(query);
        if outside { Form::Outside } else { Form::Path }
    }

    /// Appends a segment, decoded. `false`: an escape is broken, or stands for NUL, which no name
    /// holds, or for `/`, which would be data here but a separator to the file system.
    fn decode(&mut self, segment: &[u8]) -> bool {
        let mut pieces = segment.split(|&byte| byte == b'%');
        self.bytes
            .extend_from_slice(pieces.next().unwrap_or_default());
        for piece in pieces {
            let [high, low, literal @ ..] = piece else {
                return false;
            };
            match (hex(*high), hex(*low)) {
                (Some(0), Some(0)) | (Some(2), Some(0xf)) => return false,
                (Some(high), Some(low)) => self.bytes.push(high << 4 | low),
                _ => return false,
            }
            self.bytes.extend_from_slice(literal);
        }
        true
    }
}

/// Whether `target` is a path that needs neither decoding nor normalising, and has no query:
/// nothing but segments that do not begin with a dot, and no byte that must not be in a target.
/// Nearly all targets are like this, and one look at each byte tells.
fn is_plain(target: &[u8]) -> bool {
    let [b'/', path @ ..] = target else {
        return false;
    };
    let mut forbidden = STOP | NOT_FIRST;
    path.iter().all(|&byte| {
        let mark = MARKS[usize::from(byte)];
        let allowed = mark & forbidden == 0;
        forbidden = if mark & SLASH == 0 {
            STOP
        } else {
            STOP | NOT_FIRST
        };
        allowed
    })
}

/// A byte that a plain path does not hold.
const STOP: u8 = 1;
/// A byte that a plain segment does not begin with.
const NOT_FIRST: u8 = 2;
const SLASH: u8 = 4;

static MARKS: [u8; 256] = {
    let mut marks = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if !is_visible(byte as u8) || matches!(byte as u8, b'%' | b'?' | b'#') {
            marks[byte] = STOP;
        }
        byte += 1;
    }
    marks[b'.' as usize] = NOT_FIRST;
    marks[b'/' as usize] = NOT_FIRST | SLASH;
    marks
};

/// What follows `http://` or `https://`, in any case.
fn after_scheme(raw: &[u8]) -> Option<&[u8]> {
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find_map(|scheme| {
            let (start, rest) = raw.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        })
}

/// The authority that `rest`, which follows a scheme, begins with, and what comes after it. `None`:
/// there is none.
fn split_authority(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    host::is_authority(authority).then_some((authority, path))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> (Form, Target) {
        let mut target = Target::default();
        let raw = RawTarget::new(raw.as_bytes()).unwrap();
        let form = target.read(raw);
        (form, target)
    }

    #[track_caller]
    fn path(raw: &str, path: &[u8], directory: bool, query: &[u8]) {
        let (form, target) = read(raw);
        assert_eq!(form, Form::Path, "{raw}");
        assert_eq!(target.path(), path, "{raw}");
        assert_eq!(target.is_directory(), directory, "{raw}");
        assert_eq!(target.query(), query, "{raw}");
    }

    #[test]
    fn normalises_inside_the_root() {
        path("/", b"", true, b"");
        path("//", b"", true, b"");
        path("/a", b"a", false, b"");
        path("/a/", b"a", true, b"");
        path("//a//b//", b"a/b", true, b"");
        path("/./a/./b", b"a/b", false, b"");
        path("/a/../b", b"b", false, b"");
        path("/a/b/..", b"a", true, b"");
        path("/a/..", b"", true, b"");
        path("/a/b/.", b"a/b", true, b"");
        path("/a/b/../../c", b"c", false, b"");
        path("/...", b"...", false, b"");
        path("/a/..b", b"a/..b", false, b"");
    }

    #[test]
    fn decodes_once() {
        path("/%41", b"A", false, b"");
        path("/%2541", b"%41", false, b"");
        path("/a%20b", b"a b", false, b"");
        path("/%ff\u{e9}", b"\xff\xc3\xa9", false, b"");
        path("/a/%2e%2E/b", b"b", false, b"");
        path("/a/%2e", b"a", true, b"");
        path("/a?b=%zz&c=%00/../..?", b"a", false, b"?b=%zz&c=%00/../..?");
        path("/?", b"", true, b"?");
        for raw in [
            "/%", "/%4", "/%zz", "/%+1", "/%00", "/a%2Fb", "/a%2fb", "/a/%4/b", "/a#b", "/../%zz",
        ] {
            assert_eq!(read(raw).0, Form::Malformed, "{raw}");
        }
    }

    #[test]
    fn nothing_is_outside() {
        for raw in [
            "/..",
            "/../a",
            "/a/../../b",
            "/%2e%2e/a",
            "/.%2e",
            "/../../etc/passwd",
            "//..",
            "/./..",
        ] {
            assert_eq!(read(raw).0, Form::Outside, "{raw}");
        }
    }

    #[test]
    fn forms() {
        path("http://h/a?b", b"a", false, b"?b");
        path("HTTPS://h:80", b"", true, b"");
        path("http://h?b", b"", true, b"?b");
        path("http://h//a", b"a", false, b"");
        assert_eq!(read("*").0, Form::Server);
        for raw in [
            "h:80",
            "a",
            "*a",
            "http:/a",
            "http:///a",
            "http://u@h/",
            "http://a,b/",
            "ftp://h/",
            "?",
            "http://",
        ] {
            assert_eq!(read(raw).0, Form::Other, "{raw}");
        }
    }
}
