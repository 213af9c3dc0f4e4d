//! Secrets in what was typed, which must not go where it is kept: reports, manifests, pages.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Parts of the names of fields and options whose values let somebody in (RFC 9110, section 11.6; RFC 6265; what services made up beside
/// them).
const NAMES: [&str; 11] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "api-key",
    "apikey",
    "credential",
    "signature",
];

/// Whether the value of a field of a request is a secret.
pub(crate) fn is_of_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    NAMES.iter().any(|part| name.contains(part))
}

/// An argument of a command line as it may be kept: the value of a secret field and the user information of URLs are masked, in
/// whatever form the option and its value were written.
pub fn masked(argument: &str) -> Cow<'_, str> {
    let field = argument
        .strip_prefix("--header=")
        .or_else(|| argument.strip_prefix("-H"))
        .unwrap_or(argument)
        .trim_start_matches('=');
    if let Some((name, value)) = field.split_once(':')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        && is_of_field(name)
        && !value.starts_with("//")
    {
        let before = &argument[..argument.len() - value.len()];
        return format!("{before} {MASK}").into();
    }
    masked_text(argument)
}

/// Whether the word behind this one on a command line is a secret, as behind `--password`.
pub fn is_before(word: &str) -> bool {
    let name = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
    name.is_some_and(|name| is_name(name) && is_of_field(name))
}

/// A text of many words or lines, like a file of settings, as it may be kept: secrets are masked where they stand behind their names, as in
/// `auth=USER:PASS`, `password = "…"`, `"token": "…"`, `'Cookie: …'`, `?api_key=…`, and in URLs.
pub fn masked_text(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut kept = 0;
    let mut from = 0;
    while let Some(secret) = named(text, from) {
        if !text[secret.clone()].trim().is_empty() && &text[secret.clone()] != MASK {
            masked.push_str(&text[kept..secret.start]);
            masked.push_str(MASK);
            kept = secret.end;
        }
        from = secret.end;
    }
    match kept {
        0 => without_user(text),
        _ => without_user(&(masked + &text[kept..])).into_owned().into(),
    }
}

fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// The quote in which the text goes on, if it is within a pair of them on its last line.
fn around(text: &str) -> Option<char> {
    let line = text.rsplit('\n').next().unwrap_or(text);
    let last = line.chars().next_back();
    let mut open = None;
    for quote in line.chars().filter(|letter| "\"'".contains(*letter)) {
        match open {
            None => open = Some(quote),
            Some(same) if same == quote => open = None,
            Some(_) => {}
        }
    }
    // One within another, as around the words of a command.
    last.filter(|last| "\"'".contains(*last)).or(open)
}

/// Where the next secret stands behind its name.
fn named(text: &str, mut from: usize) -> Option<Range<usize>> {
    loop {
        let at = text[from..].find([':', '='])? + from;
        let sign = &text[at..=at];
        from = at + 1;
        let before = text[..at].trim_end_matches([' ', '\t']);
        let before = before.strip_suffix(['"', '\'']).unwrap_or(before);
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        let (before, name) = before.split_at(before.trim_end_matches(fits).len());
        let name = name.trim_start_matches('-');
        // `auth` is a user and a password where it is an option, and a word elsewhere.
        let is_secret = is_of_field(name) || sign == "=" && name.eq_ignore_ascii_case("auth");
        // A scheme, or a host and its port.
        let is_of_url =
            sign == ":" && (text[from..].starts_with("//") || before.ends_with(['/', '.', '@']));
        if !is_secret || is_of_url || text[from..].starts_with(['=', '>']) {
            continue;
        }
        let start = from + text[from..].len() - text[from..].trim_start_matches([' ', '\t']).len();
        let value = &text[start..];
        let quote = value.chars().next().filter(|first| "\"'".contains(*first));
        let (start, length) = match (quote, sign) {
            (Some(quote), _) => (start + 1, value[1..].find([quote, '\n'])),
            // A field's value has spaces in it; it ends with the quotes that it stands in, or its line.
            (None, ":") => {
                let end = around(before).unwrap_or('\n');
                (start, value.find([end, '\n']))
            }
            (None, _) => {
                let is_end = |letter: char| letter.is_whitespace() || ",;&\"')]}#".contains(letter);
                (start, value.find(is_end))
            }
        };
        return Some(start..length.map_or(text.len(), |length| start + length));
    }
}

/// Whether it can be a host's name or address, with its port.
fn is_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(fits)
}

/// A text in which the user information of every URL is masked (RFC 3986, section 3.2.1).
pub fn without_user(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    let is_end = |letter: char| letter.is_whitespace() || "/?#'\"<>".contains(letter);
    loop {
        // Where a scheme is missing, only a password and a host make it certain that a URL is meant, and not `session:mean(mt@load=one)`.
        let start = rest.find("://").map_or(0, |at| at + 3);
        let length = rest[start..].find(is_end);
        let authority = &rest[start..][..length.unwrap_or(rest.len() - start)];
        // What is to be filled in is written so: @upstream@.
        let is_place =
            authority.len() > 2 && authority.starts_with('@') && authority.ends_with('@');
        let parts = authority.rsplit_once('@').filter(|_| !is_place);
        let is_certain = |(user, host): &(&str, &str)| user.contains(':') && is_host(host);
        let user = parts.filter(|parts| start > 0 || is_certain(parts));
        match user.map(|(user, _)| user) {
            None if start == 0 => break,
            None => masked.push_str(&rest[..start + authority.len()]),
            Some(user) => {
                masked.push_str(&rest[..start]);
                masked.push_str(MASK);
                masked.push_str(&authority[user.len()..]);
            }
        }
        rest = &rest[start + authority.len()..];
    }
    match masked.is_empty() {
        true => text.into(),
        false => (masked + rest).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_however_they_are_typed() {
        for (typed, kept) in [
            ("Authorization: Basic YTpi", "Authorization: ***"),
            ("-Hcookie:a=b", "-Hcookie: ***"),
            ("-H=Proxy-Authorization: x", "-H=Proxy-Authorization: ***"),
            ("--header=X-Api-Key: 5", "--header=X-Api-Key: ***"),
            ("X-Amz-Security-Token:t", "X-Amz-Security-Token: ***"),
            ("http://me:word@h:80/a@b?c", "http://***@h:80/a@b?c"),
            ("http://key@h/", "http://***@h/"),
            ("http://a@b@h/", "http://***@h/"),
            ("me:word@h:80/", "***@h:80/"),
            ("me:word@[::1]:80", "***@[::1]:80"),
            ("session:mean(mt@load=one)", "session:mean(mt@load=one)"),
            ("session:p90(mt@six) / x", "session:p90(mt@six) / x"),
            ("--url=http://me:word@h", "--url=http://***@h"),
            (
                "from http://a:b@c to http://d:e@f/",
                "from http://***@c to http://***@f/",
            ),
        ] {
            assert_eq!(masked(typed), kept, "{typed}");
        }
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand_in_a_text() {
        for (text, kept) in [
            (
                "--filters timeout=2s,auth=me:word,limit=4 --port 1",
                "--filters timeout=2s,auth=***,limit=4 --port 1",
            ),
            (
                "options = \"--filters auth=me:word\"",
                "options = \"--filters auth=***\"",
            ),
            ("{ filters = 'auth=me:w' }", "{ filters = 'auth=***' }"),
            ("password = \"two words\" # x", "password = \"***\" # x"),
            (
                "{\"api_token\": \"t\", \"n\": 1}",
                "{\"api_token\": \"***\", \"n\": 1}",
            ),
            (
                "flags = ['-H', 'Cookie: a=\"b c\"']\nx = 1",
                "flags = ['-H', 'Cookie: ***']\nx = 1",
            ),
            (
                "x = 'y'\nflags = \"--header=Cookie: it's\"",
                "x = 'y'\nflags = \"--header=Cookie: ***\"",
            ),
            (
                "flags = \"-H 'Authorization: Bearer a b' -c 4\"",
                "flags = \"-H 'Authorization: ***' -c 4\"",
            ),
            (
                "--header=X-Api-Key: 5\nnext",
                "--header=X-Api-Key: ***\nnext",
            ),
            ("--password=word --n=1", "--password=*** --n=1"),
            ("http://h/?api_key=abc&n=1", "http://h/?api_key=***&n=1"),
            (
                "a http://me:word@h/ b token=t",
                "a http://***@h/ b token=***",
            ),
            ("PASSWD=x;SECRET_KEY = y", "PASSWD=***;SECRET_KEY = ***"),
        ] {
            assert_eq!(masked_text(text), kept, "{text}");
            assert_eq!(masked_text(kept), kept, "twice: {text}");
        }
        for option in ["--password", "-token", "--api-key"] {
            assert!(is_before(option), "{option}");
        }
        for word in ["password", "--rate", "--password=x", "--", "-"] {
            assert!(!is_before(word), "{word}");
        }
    }

    #[test]
    fn everything_else_stays_as_it_was_typed() {
        for typed in [
            "",
            "-c",
            "Accept: text/html",
            "http://127.0.0.1:8080/a?mail=me@home",
            "http://cookie:8080/",
            "cookie://x",
            "me@home.json",
            "trace:/home/me@work/times",
            "p(99)<10ms",
            "session:p(99)<10ms",
            "http://[::1]:80/é",
            "rate = [1000, 2000]\nfiles = \"specweb99:4\"",
            "author = 'me', authors: us",
            "sped@options=a / sped@options=b >= 0.9",
            "is token == secret, and token => secret",
            "auth: who is let in",
            "--upstream http://@upstream@ --filters stats",
        ] {
            assert_eq!(masked(typed), typed);
        }
    }
}
