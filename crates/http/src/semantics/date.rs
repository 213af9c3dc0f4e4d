//! HTTP's dates (RFC 9110, section 5.6.7), as whole seconds since the epoch.

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use httpdate::HttpDate;

use crate::semantics::syntax::decimal;

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

/// Any of the three formats of an HTTP-date, a leap second included. `None`: not a date, or one
/// before the epoch.
///
/// `now`, in seconds since the epoch, says which century a year of two digits is of; without it
/// such a date is none.
pub(crate) fn parse(text: &[u8], now: Option<u64>) -> Option<u64> {
    match text.len() {
        LEN => read(text, 23),
        ASCTIME_LEN => read(text, 17),
        _ => read(&from_rfc850(text, now?)?, 23),
    }
}

/// Length of an asctime-date in bytes: `Sun Nov  6 08:49:37 1994`.
const ASCTIME_LEN: usize = 24;

/// A date whose year has four digits, its second at this place. A leap second counts as the first
/// of the next minute, as in the time of Unix.
fn read(text: &[u8], second: usize) -> Option<u64> {
    if !text[second..].starts_with(b"60") {
        return read_ordinary(text);
    }
    let mut before = [0; LEN];
    let before = before.get_mut(..text.len())?;
    before.copy_from_slice(text);
    before[second..second + 2].copy_from_slice(b"59");
    read_ordinary(before).map(|unix_s| unix_s + 1)
}

fn read_ordinary(text: &[u8]) -> Option<u64> {
    let date: HttpDate = std::str::from_utf8(text).ok()?.parse().ok()?;
    let since_epoch = SystemTime::from(date).duration_since(UNIX_EPOCH).ok()?;
    Some(since_epoch.as_secs())
}

/// `Sunday, 06-Nov-94 08:49:37 GMT` as an IMF-fixdate. The year is the latest with its two digits
/// that does not make the date more than 50 years later than `now`.
fn from_rfc850(text: &[u8], now: u64) -> Option<[u8; LEN]> {
    let day = DAYS.iter().find(|day| text.starts_with(day.as_bytes()))?;
    let (date, time) = text[day.len()..].split_at_checked(b", 06-Nov-94".len())?;
    let [b',', b' ', d1, d2, b'-', m1, m2, m3, b'-', y1, y2] = *date else {
        return None;
    };
    let time: &[u8; 13] = time.try_into().ok()?;
    let now = format(now)?;
    let this_year = decimal(&now[12..16])?;
    let latest = this_year + 50;
    let mut year = latest - (latest + 100 - decimal(&[y1, y2])?) % 100;
    let mut fixdate = *b"Sun, 06 Nov 1994 08:49:37 GMT";
    fixdate[..3].copy_from_slice(&day.as_bytes()[..3]);
    fixdate[5..12].copy_from_slice(&[d1, d2, b' ', m1, m2, m3, b' ']);
    fixdate.get_mut(16..16 + time.len())?.copy_from_slice(time);
    if year == latest && within_year(&fixdate)? > within_year(&now)? {
        year -= 100;
    }
    write!(&mut fixdate[12..16], "{year:04}").ok()?;
    Some(fixdate)
}

/// Where in its year an IMF-fixdate lies, as something to compare: month, day, time.
fn within_year(date: &[u8; LEN]) -> Option<(usize, &[u8], &[u8])> {
    let month = MONTHS.iter().position(|month| date[8..11] == month[..])?;
    Some((month, &date[5..7], &date[17..25]))
}

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 2026: Thu, 26 Nov 2026 17:20:00 GMT.
    const NOW: u64 = 1_795_713_600;

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
            assert_eq!(parse(text, Some(NOW)), Some(784_111_777));
        }
    }

    #[test]
    fn a_leap_second_is_the_first_of_the_next_minute() {
        for text in [
            &b"Sat, 31 Dec 2016 23:59:60 GMT"[..],
            b"Saturday, 31-Dec-16 23:59:60 GMT",
            b"Sat Dec 31 23:59:60 2016",
        ] {
            assert_eq!(parse(text, Some(NOW)), Some(1_483_228_800));
        }
        for text in [
            &b"Sat, 31 Dec 2016 23:59:61 GMT"[..],
            b"Sat, 31 Dec 2016 23:60:00 GMT",
            b"Sat, 31 Dec 2016 23:59:6 GMT",
            b"Sat Dec 31 23:59:61 2016",
            b"Saturday, 31-Dec-16 24:59:60 GMT",
        ] {
            assert_eq!(parse(text, Some(NOW)), None);
        }
    }

    /// RFC 9110, 5.6.7: the most recent year in the past with these digits, where the date would be
    /// more than 50 years in the future.
    #[test]
    fn two_digits_of_a_year_are_read_by_the_present_clock() {
        let year = |now, text: &str| {
            let date = format(parse(text.as_bytes(), Some(now))?)?;
            String::from_utf8(date[12..16].to_vec()).ok()
        };
        for (now, text, expected) in [
            (NOW, "Thursday, 26-Nov-26 17:20:00 GMT", "2026"),
            (NOW, "Friday, 01-Jan-27 00:00:00 GMT", "2027"),
            (NOW, "Tuesday, 01-Jan-75 00:00:00 GMT", "2075"),
            (NOW, "Wednesday, 01-Jan-76 00:00:00 GMT", "2076"),
            (NOW, "Wednesday, 25-Nov-76 23:00:00 GMT", "2076"),
            // Fifty years ahead to the second, and a second more.
            (NOW, "Thursday, 26-Nov-76 17:20:00 GMT", "2076"),
            (NOW, "Friday, 26-Nov-76 17:20:01 GMT", "1976"),
            (NOW, "Friday, 31-Dec-76 00:00:00 GMT", "1976"),
            (NOW, "Saturday, 01-Jan-77 00:00:00 GMT", "1977"),
            (NOW, "Friday, 31-Dec-99 23:59:59 GMT", "1999"),
            (NOW, "Saturday, 01-Jan-00 00:00:00 GMT", "2000"),
            // In 1994 the same digits mean other years.
            (784_111_777, "Sunday, 06-Nov-94 08:49:37 GMT", "1994"),
            (784_111_777, "Friday, 01-Jan-44 00:00:00 GMT", "2044"),
            // In 2099 the next century is near.
            (4_086_720_000, "Saturday, 01-Jan-01 00:00:00 GMT", "2101"),
            (4_086_720_000, "Monday, 01-Jan-80 00:00:00 GMT", "2080"),
        ] {
            assert_eq!(year(now, text).as_deref(), Some(expected), "{text}");
        }
        let of_1976 = "Thursday, 25-Nov-76 23:00:00 GMT";
        assert_eq!(year(NOW, of_1976), None, "it was no Thursday in 2076");
        let text = b"Sunday, 06-Nov-94 08:49:37 GMT";
        assert_eq!(parse(text, None), None, "which century?");
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
            b"Sun, 06-Nov-94 08:49:37 GMT",
            b"Sunday 06-Nov-94 08:49:37 GMT",
            b"Sunnyday, 06-Nov-94 08:49:37 GMT",
            b"Sunday, 06 Nov 94 08:49:37 GMT",
            b"Sunday, 06-Nov-9x 08:49:37 GMT",
            b"Sunday, 06-Nov-1994 08:49:37 GMT",
            b"Sunday, 06-Now-94 08:49:37 GMT",
            b"Sunday, 06-Nov-94 08:49:37 UTC",
            b"Sunday, 06-Nov-94",
            b"Monday, 06-Nov-94 08:49:37 GMT",
        ] {
            assert_eq!(parse(text, Some(NOW)), None);
        }
    }
}
