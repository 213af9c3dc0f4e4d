//! HTTP's dates (RFC 9110, section 5.6.7), as whole seconds since the epoch.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::HttpDate;

/// Length of an IMF-fixdate in bytes: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) const LEN: usize = 29;

/// The first second of the year 10000, which has one digit too many for an IMF-fixdate.
const END: u64 = 253_402_300_800;

/// `unix_s` as an IMF-fixdate. `None`: after the year 9999.
pub(crate) fn format(unix_s: u64) -> Option<[u8; LEN]> {
    if unix_s >= END {
        return None;
    }
    let date = HttpDate::from(UNIX_EPOCH + Duration::from_secs(unix_s));
    let mut text = [b' '; LEN];
    write!(&mut text[..], "{date}").ok()?;
    Some(text)
}

/// Any of the three formats of an HTTP-date. `None`: not a date, or one before the epoch.
pub(crate) fn parse(text: &[u8]) -> Option<u64> {
    let date: HttpDate = std::str::from_utf8(text).ok()?.parse().ok()?;
    let since_epoch = SystemTime::from(date).duration_since(UNIX_EPOCH).ok()?;
    Some(since_epoch.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_parses() {
        assert_eq!(
            format(784_111_777).as_ref(),
            Some(b"Sun, 06 Nov 1994 08:49:37 GMT")
        );
        for text in [
            &b"Sun, 06 Nov 1994 08:49:37 GMT"[..],
            b"Sunday, 06-Nov-94 08:49:37 GMT",
            b"Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text), Some(784_111_777));
        }
    }

    #[test]
    fn refuses_what_it_cannot_say() {
        assert!(format(END - 1).is_some());
        assert_eq!(format(END), None);
        assert_eq!(format(u64::MAX), None);
        for text in [
            &b""[..],
            b"yesterday",
            b"\xff",
            b"Sun, 31 Feb 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None);
        }
    }
}
