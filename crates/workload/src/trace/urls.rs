//! A list of URLs with methods and weights.

use super::Method;
use std::io::{self, BufRead};

/// A URL and how often it is asked for, relative to the others.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedUrl {
    /// How it is asked for, if the line says so.
    pub method: Option<Method>,
    /// As it was written.
    pub url: String,
    /// At least 0; 1 unless the line says otherwise.
    pub weight: f64,
}

/// Why a text is no list of URLs.
#[derive(Debug, thiserror::Error)]
pub enum UrlsError {
    /// The text could not be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A line that is not `[METHOD] URL [WEIGHT]`.
    #[error(
        "line {line}: {problem}; expected 'URL', 'URL WEIGHT' or 'GET URL', like http://127.0.0.1:8080/a.html 2.5"
    )]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No URL, or none with a weight above 0.
    #[error("holds no URL with a weight above 0")]
    Empty,
}

/// Reads `[METHOD] URL [WEIGHT]`, one a line; vegeta's targets of one line each are such a list too.
/// Empty lines and lines that begin with `#` are passed over. Whether a URL is one that can be
/// asked for is left to whoever asks for it; here it has no spaces and no control characters.
pub fn urls(reader: impl BufRead) -> Result<Vec<WeightedUrl>, UrlsError> {
    let mut list = Vec::new();
    for (index, text) in reader.lines().enumerate() {
        let text = text?;
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let entry = entry(text).map_err(|problem| UrlsError::Line {
            line: index as u64 + 1,
            problem,
        })?;
        list.push(entry);
    }
    if list.iter().any(|entry| entry.weight > 0.0) {
        Ok(list)
    } else {
        Err(UrlsError::Empty)
    }
}

/// Methods that a line may begin with (RFC 9110, section 9.3; RFC 5789).
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

fn entry(text: &str) -> Result<WeightedUrl, &'static str> {
    let mut words = text.split_whitespace().peekable();
    let method = words.next_if(|word| METHODS.contains(word));
    let method = match method {
        None => None,
        Some("GET") => Some(Method::Get),
        Some("HEAD") => Some(Method::Head),
        Some(_) => return Err("requests here are GET or HEAD"),
    };
    let url = words.next().ok_or("the URL is missing")?;
    if url.starts_with('@') {
        return Err("a request has no body here");
    }
    // No host name ends so, but every field of one of vegeta's targets begins so.
    if url.ends_with(':') {
        return Err("a field cannot be given for one URL; give it for all, with -H");
    }
    let weight = words.next().map_or(Ok(1.0), str::parse);
    if words.next().is_some() {
        return Err("there is something after the weight");
    }
    if url.contains(char::is_control) {
        return Err("the URL holds characters that must be percent-encoded");
    }
    match weight {
        Ok(weight) if weight >= 0.0 && f64::is_finite(weight) => Ok(WeightedUrl {
            method,
            url: url.into(),
            weight,
        }),
        _ => Err("the weight is not a number of at least 0"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_weights() {
        let list = urls(&b"# popular\n/a 3\n\n  http://h/b#frag\t0.5 \n/c\n"[..]).unwrap();
        let list: Vec<_> = list.iter().map(|e| (e.url.as_str(), e.weight)).collect();
        assert_eq!(list, [("/a", 3.0), ("http://h/b#frag", 0.5), ("/c", 1.0)]);
    }

    #[test]
    fn targets_as_vegeta_has_them() {
        let list = urls(&b"GET http://h/a\r\n\n# none\nHEAD http://h/b\nGET http://h/c 2e1\n"[..]);
        let list: Vec<_> = list
            .unwrap()
            .into_iter()
            .map(|entry| (entry.method, entry.url, entry.weight))
            .collect();
        let expected = [
            (Some(Method::Get), "http://h/a".to_owned(), 1.0),
            (Some(Method::Head), "http://h/b".to_owned(), 1.0),
            (Some(Method::Get), "http://h/c".to_owned(), 20.0),
        ];
        assert_eq!(list, expected);
    }

    #[test]
    fn errors_name_the_line() {
        for (text, start) in [
            ("/a\n/b x\n", "line 2: the weight"),
            ("/a -1\n", "line 1: the weight"),
            ("/a inf\n", "line 1: the weight"),
            ("/a 1 2\n", "line 1: there is something"),
            ("GET http://h/\nX-One: 2\n", "line 2: a field"),
            ("GET http://h/\n@body\n", "line 2: a request has no body"),
            ("POST http://h/\n", "line 1: requests here are GET or HEAD"),
            ("GET\n", "line 1: the URL is missing"),
            ("/\u{7f}\n", "line 1: the URL"),
            ("# nothing\n", "holds no URL"),
            ("/a 0\n", "holds no URL"),
        ] {
            let error = urls(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
    }
}
