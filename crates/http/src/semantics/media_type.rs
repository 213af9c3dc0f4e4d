//! The media type that a file's name suggests (RFC 9110, section 8.3).

/// What the table of the library does not have, or has from before it was registered, in the order of the alphabet.
const REGISTERED_SINCE: [(&str, &str); 17] = [
    // RFC 9239 for those of JavaScript; TypeScript has none of its own, and is text that no browser runs.
    ("cjs", "text/javascript"),
    ("cts", "text/plain"),
    ("deb", "application/vnd.debian.binary-package"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("map", "application/json"),
    ("mjs", "text/javascript"),
    ("mts", "text/plain"),
    // RFC 8081.
    ("otf", "font/otf"),
    ("rpm", "application/x-rpm"),
    ("tgz", "application/gzip"),
    ("ts", "text/plain"),
    ("tsx", "text/plain"),
    ("woff", "font/woff"),
    // RFC 9512.
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    // RFC 8878.
    ("zst", "application/zstd"),
];

/// Writes the fields that say what the bytes of a file are: Content-Type, and Content-Encoding for a type that is stored
/// compressed under a name of its own.
pub(crate) fn write_fields(name: &[u8], out: &mut Vec<u8>) {
    let extension = extension(name);
    let media_type = of(extension);
    out.extend_from_slice(b"Content-Type: ");
    out.extend_from_slice(media_type.as_bytes());
    if has_charset(media_type) {
        out.extend_from_slice(b"; charset=utf-8");
    }
    out.extend_from_slice(b"\r\n");
    if extension.eq_ignore_ascii_case("svgz") {
        out.extend_from_slice(b"Content-Encoding: gzip\r\n");
    }
}

/// What follows the last dot; a dot that begins the name does not begin an extension.
fn extension(name: &[u8]) -> &str {
    let extension = match memchr::memrchr(b'.', name) {
        Some(dot) if dot > 0 => &name[dot + 1..],
        _ => b"",
    };
    std::str::from_utf8(extension).unwrap_or_default()
}

fn of(extension: &str) -> &'static str {
    let known = REGISTERED_SINCE
        .iter()
        .find(|(known, _)| extension.eq_ignore_ascii_case(known));
    match known {
        Some((_, media_type)) => media_type,
        None => mime_guess::from_ext(extension)
            .first_raw()
            .unwrap_or("application/octet-stream"),
    }
}

/// Whether a reader has to be told the encoding of its characters. XML tells itself, and a parameter would win over what
/// it says (RFC 7303, section 3).
fn has_charset(media_type: &str) -> bool {
    media_type.starts_with("text/") && media_type != "text/xml"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(name: &[u8]) -> String {
        let mut out = Vec::new();
        write_fields(name, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn types_of_today() {
        for (name, expected) in [
            ("a.txt", "text/plain; charset=utf-8"),
            ("A.HTML", "text/html; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.md", "text/markdown; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.CJS", "text/javascript; charset=utf-8"),
            ("a.ts", "text/plain; charset=utf-8"),
            ("a.xml", "text/xml"),
            ("a.json", "application/json"),
            ("a.js.map", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.m4a", "audio/mp4"),
            ("a.avif", "image/avif"),
            ("a.webp", "image/webp"),
            ("a.svg", "image/svg+xml"),
            ("a.woff2", "font/woff2"),
            ("a.woff", "font/woff"),
            ("a.rpm", "application/x-rpm"),
            ("a.tar.zst", "application/zstd"),
            ("a.tar.gz", "application/gzip"),
            ("a.tgz", "application/gzip"),
            ("a.yml", "application/yaml"),
        ] {
            let expected = format!("Content-Type: {expected}\r\n");
            assert_eq!(fields(name.as_bytes()), expected, "{name}");
        }
        for unknown in [&b"a"[..], b".html", b"a.", b"a.nonsense", b"a.\xff", b""] {
            assert_eq!(
                fields(unknown),
                "Content-Type: application/octet-stream\r\n"
            );
        }
    }

    #[test]
    fn a_picture_that_is_stored_compressed_says_so() {
        for name in ["a.svgz", "A.SVGZ"] {
            assert_eq!(
                fields(name.as_bytes()),
                "Content-Type: image/svg+xml\r\nContent-Encoding: gzip\r\n"
            );
        }
    }

    #[test]
    fn no_extension_is_listed_twice() {
        assert!(REGISTERED_SINCE.is_sorted_by(|one, next| one.0 < next.0));
    }
}
