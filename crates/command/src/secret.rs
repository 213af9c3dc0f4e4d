//! Secrets in what was typed, which must not go where it is kept: reports, manifests, pages.

use std::borrow::Cow;

/// What stands in the place of a secret.
pub const MASK: &str = "***";

/// Parts of the names of fields whose values let somebody in (RFC 9110, section 11.6; RFC 6265; what services made up beside them).
const NAMES: [&str; 9] = [
    "authorization",
    "cookie",
    "token",
    "secret",
    "password",
    "api-key",
    "apikey",
    "credential",
    "signature",
];

/// Whether the value of a field of a request is a secret.
pub fn is_of_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
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
    without_user(argument)
}

/// A text in which the user information of every URL is masked (RFC 3986, section 3.2.1).
pub fn without_user(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    let is_end = |letter: char| letter.is_whitespace() || "/?#'\"<>".contains(letter);
    loop {
        // Where a scheme is missing, only a password makes it certain that a URL is meant.
        let start = rest.find("://").map_or(0, |at| at + 3);
        let length = rest[start..].find(is_end);
        let authority = &rest[start..][..length.unwrap_or(rest.len() - start)];
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        match user.filter(|user| start > 0 || user.contains(':')) {
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
        ] {
            assert_eq!(masked(typed), typed);
        }
    }
}
