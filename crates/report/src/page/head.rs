//! The shell of a page, and what it may do.

use crate::draw::look;
use crate::html::escape;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");
/// The colours on a light ground and on a dark one stand here in it.
const COLOURS: [(&str, bool); 2] = [
    ("/* colours */", false),
    ("/* colours on a dark ground */", true),
];
const SCRIPT: &str = include_str!("script.js");

/// A whole page. Its policy (W3C, *Content Security Policy Level 3*) allows this style and this script, each by its hash, and nothing else: no other script, no
/// image, no connection, no form. `body` is HTML.
pub(crate) fn page(title: &str, body: &str) -> String {
    let style = style();
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(&style),
        hash(SCRIPT)
    );
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{} · archbench</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n{body}</main>\n\
         <script>{SCRIPT}</script>\n</body>\n</html>\n",
        escape(title)
    )
}

fn style() -> String {
    COLOURS
        .iter()
        .fold(STYLE.to_owned(), |style, (place, dark)| {
            style.replace(place, &look::rules(*dark))
        })
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        // FIPS 180-4's digest of nothing.
        assert_eq!(hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
