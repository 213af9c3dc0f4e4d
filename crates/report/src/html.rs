//! Text that comes from outside, made safe to stand in HTML and SVG.

/// Nothing in it can be taken for markup, in text or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + text.len() / 8);
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(allowed(letter)),
        }
    }
    safe
}

/// The same text without what XML has no place for.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(allowed).collect()
}

/// Control characters, non-characters and marks that turn the direction of text round are shown as what they are: unreadable.
fn allowed(letter: char) -> char {
    match letter {
        '\n' | '\t' => letter,
        '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(
            escape("<script>alert('\"&')</script>\0"),
            "&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;\u{fffd}"
        );
        assert_eq!(escape("µs ≥ 1"), "µs ≥ 1");
        assert_eq!(printable("a\u{202e}b\x1b"), "a\u{fffd}b\u{fffd}");
    }
}
