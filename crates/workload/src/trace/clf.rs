//! One line of an access log.
//!
//! The common log format of NCSA httpd, `host ident user [time] "request" status bytes`, and the
//! combined format, which adds referrer and agent; both are written by Apache and nginx as they
//! come, and what follows the bytes is not looked at.

use super::Method;

/// What a line says.
pub(super) struct Line<'a> {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(super) time: i64,
    /// `None` for a method other than GET and HEAD.
    pub(super) method: Option<Method>,
    /// Path and query.
    pub(super) target: &'a str,
}

/// Reads a line, or says what is wrong with it.
pub(super) fn parse(line: &str) -> Result<Line<'_>, &'static str> {
    let (_, rest) = line.split_once(" [").ok_or("no time in brackets")?;
    let (time, rest) = rest
        .split_once("] \"")
        .ok_or("no quoted request after the time")?;
    let time = parse_time(time).ok_or("the time is not like 10/Oct/2000:13:55:36 -0700")?;
    let end = closing_quote(rest).ok_or("the request's quote is not closed")?;
    let (request, rest) = (&rest[..end], &rest[end + 1..]);

    let mut words = request.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err("the request is not 'METHOD target HTTP/…'");
    };
    if words
        .next()
        .is_some_and(|version| !version.starts_with("HTTP/"))
        || words.next().is_some()
    {
        return Err("the request is not 'METHOD target HTTP/…'");
    }
    if method.is_empty()
        || !method
            .bytes()
            .all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_')
    {
        return Err("the method is not a word");
    }
    let method = match method {
        "GET" => Some(Method::Get),
        "HEAD" => Some(Method::Head),
        _ => None,
    };

    let mut fields = rest.split_ascii_whitespace();
    // Neither is asked for again, but a line without them is none of a log.
    let status = fields.next().and_then(|status| status.parse().ok());
    if !status.is_some_and(|status: u16| (100..1000).contains(&status)) {
        return Err("the status is not a number of three digits");
    }
    let bytes = fields.next().ok_or("the bytes are missing")?;
    if bytes != "-" && bytes.parse::<u64>().is_err() {
        return Err("the bytes are neither a number nor '-'");
    }
    let target = if method.is_some() {
        origin_form(target)?
    } else {
        target
    };
    Ok(Line {
        time,
        method,
        target,
    })
}

/// Path and query of a target; a proxy's log has whole URLs.
fn origin_form(target: &str) -> Result<&str, &'static str> {
    let path = match target
        .strip_prefix("http://")
        .or_else(|| target.strip_prefix("https://"))
    {
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    };
    if !path.starts_with('/') {
        Err("the target is not a path")
    } else if !path
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'"')
    {
        // Servers log what they could not print as \x.. or \"; such a request cannot be sent again
        // as it was.
        Err("the target holds escaped or unprintable bytes")
    } else {
        Ok(path)
    }
}

/// The first quote that no backslash precedes.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|b| {
        let closing = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closing
    })
}

/// `10/Oct/2000:13:55:36 -0700` in seconds since 1970.
fn parse_time(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let number = |text: &str, low: i64, high: i64| {
        let all_digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse()
            .ok()
            .filter(|n| all_digits && (low..=high).contains(n))
    };
    let (stamp, zone) = text.split_once(' ')?;
    let (date, clock) = stamp.split_once(':')?;
    let mut date = date.split('/');
    let day = number(date.next()?, 1, 31)?;
    let month = date.next()?;
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))? as i64 + 1;
    let year = number(date.next()?, 1970, 9999)?;
    let mut clock = clock.split(':');
    let hour = number(clock.next()?, 0, 23)?;
    let minute = number(clock.next()?, 0, 59)?;
    let second = number(clock.next()?, 0, 60)?;
    if date.next().is_some() || clock.next().is_some() || zone.len() != 5 || !zone.is_ascii() {
        return None;
    }
    let east = number(&zone[1..3], 0, 23)? * 3600 + number(&zone[3..], 0, 59)? * 60;
    let east = match &zone[..1] {
        "+" => east,
        "-" => -east,
        _ => return None,
    };
    Some(days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - east)
}

/// Days of the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date
/// algorithms", `days_from_civil`).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("01/Jan/1970:00:00:00 +0000", 0),
            ("10/Oct/2000:13:55:36 -0700", 971_211_336),
            ("29/Feb/2024:23:59:59 +0530", 1_709_231_399),
            ("31/dec/1999:23:59:60 +0000", 946_684_800),
        ] {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "10/Oct/2000",
            "10/Oct/2000:13:55:36",
            "10/Oct/2000:13:55:36 Z",
            "1x/Oct/2000:13:55:36 +0000",
            "10/Okt/2000:13:55:36 +0000",
            "10/Oct/2000:24:00:00 +0000",
            "10/Oct/2000:13:55:36 +é00",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn lines() {
        let line = parse(r#"127.0.0.1 - a b [10/Oct/2000:13:55:36 -0700] "GET /a.gif?q=1 HTTP/1.0" 200 2326 "http://x/" "Agent \"x\"""#).unwrap();
        assert_eq!((line.time, line.target), (971_211_336, "/a.gif?q=1"));
        assert_eq!(line.method, Some(Method::Get));
        let line =
            parse(r#"h - - [10/Oct/2000:13:55:36 -0700] "HEAD http://host/p HTTP/1.1" 304 -"#)
                .unwrap();
        assert_eq!((line.method, line.target), (Some(Method::Head), "/p"));
        assert_eq!(
            parse(r#"h - - [10/Oct/2000:13:55:36 -0700] "OPTIONS * HTTP/1.1" 200 0"#)
                .unwrap()
                .method,
            None
        );
        assert_eq!(
            parse(r#"h - - [10/Oct/2000:13:55:36 -0700] "GET /old" 200 0"#)
                .unwrap()
                .target,
            "/old"
        );
    }

    #[test]
    fn malformed_lines_say_why() {
        let start = "h - - [10/Oct/2000:13:55:36 -0700] ";
        for (rest, why) in [
            (r#""GET / HTTP/1.1 200 1"#, "quote is not closed"),
            (r#""-" 408 0"#, "the request is not"),
            (r#""\x16\x03\x01" 400 0"#, "the request is not"),
            (r#""GET /a b HTTP/1.1" 400 0"#, "the request is not"),
            (r#""GET /\"a HTTP/1.1" 400 0"#, "escaped or unprintable"),
            (r#""GET a HTTP/1.1" 400 0"#, "not a path"),
            (r#""GET / HTTP/1.1" x 0"#, "the status"),
            (r#""GET / HTTP/1.1" 200 x"#, "the bytes are neither"),
            (r#""GET / HTTP/1.1" 200"#, "the bytes are missing"),
        ] {
            let found = parse(&format!("{start}{rest}")).err().unwrap_or("nothing");
            assert!(found.contains(why), "{rest}: {found}");
        }
    }

    proptest! {
        #![proptest_config(crate::cases(300))]

        #[test]
        fn nothing_panics(text in "(h \\[10/Oct/2000:13:55:36 -0700\\] \")?\\PC{0,40}") {
            let _ = parse(&text);
            let _ = parse_time(&text);
        }
    }
}
