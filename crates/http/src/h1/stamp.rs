//! The fields that every head begins with, and the time that they tell.

use crate::semantics::date;

/// The status line of 200.
const OK_LINE: &[u8] = b"HTTP/1.1 200 OK\r\n";
/// The value of Server.
pub(crate) const SERVER: &[u8] = b"archbench";
const SERVER_LINE: &[u8] = b"Server: archbench\r\n";
const DATE: &[u8] = b"Date: ";

/// Server and Date, rendered once a second. The status line of 200 stands before them, so that the
/// begin of the most frequent head is one copy.
#[derive(Debug)]
pub(crate) struct Stamp {
    now: Option<u64>,
    text: Vec<u8>,
}

impl Stamp {
    pub(crate) fn new() -> Stamp {
        Stamp {
            now: None,
            text: [OK_LINE, SERVER_LINE].concat(),
        }
    }

    #[inline]
    pub(crate) fn set_time(&mut self, unix_s: u64) {
        if self.now != Some(unix_s) {
            self.render(unix_s);
        }
    }

    #[cold]
    fn render(&mut self, unix_s: u64) {
        self.text.truncate(OK_LINE.len() + SERVER_LINE.len());
        let date = date::format(unix_s);
        self.now = date.map(|_| unix_s);
        if let Some(date) = date {
            self.text.extend_from_slice(DATE);
            self.text.extend_from_slice(&date);
            self.text.extend_from_slice(b"\r\n");
        }
    }

    /// Seconds since the epoch. `None`: nobody told, or it cannot be written as an HTTP-date.
    pub(crate) fn now(&self) -> Option<u64> {
        self.now
    }

    /// The status line of 200 and the common fields.
    pub(crate) fn ok_opening(&self) -> &[u8] {
        &self.text
    }

    /// The common fields.
    pub(crate) fn fields(&self) -> &[u8] {
        &self.text[OK_LINE.len()..]
    }

    /// The value of Date. Empty: no time has been told.
    pub(crate) fn date(&self) -> &[u8] {
        let start = OK_LINE.len() + SERVER_LINE.len() + DATE.len();
        self.text.get(start..start + date::LEN).unwrap_or_default()
    }
}
