//! The few productions that several parts of the grammar share (RFC 9110, section 5.6).

/// `tchar`: what a token is made of (RFC 9110, 5.6.2).
pub(crate) fn is_tchar(byte: u8) -> bool {
    TCHAR[usize::from(byte)]
}

static TCHAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+')
            || matches!(b, b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
        byte += 1;
    }
    table
};

/// `token` (RFC 9110, 5.6.2).
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_tchar(byte))
}

/// Neither space nor control byte. What is not ASCII counts as visible.
pub(crate) const fn is_visible(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}

/// What may stand in a field's value, white space included (RFC 9110, 5.5).
pub(crate) fn is_field_text(byte: u8) -> bool {
    byte == b'\t' || byte == b' ' || is_visible(byte)
}

/// The text without the optional white space at its ends (`OWS`, RFC 9110, 5.6.3). That is space
/// and tab and no other: the notion of white space in the standard library is wider, and a form
/// feed must not pass for a separator.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The elements of a comma-separated list, trimmed, empty ones included (RFC 9110, 5.6.1). Not for
/// lists whose elements can hold a comma in quotes.
pub(crate) fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(trim)
}

/// `1*DIGIT` as a number; a number too large to hold comes out as `u64::MAX`. `None`: not a digit,
/// or nothing.
pub(crate) fn saturating_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number.saturating_mul(10).saturating_add(digit.into()))
    })
}

/// `1*DIGIT` as a number. `None`: not a digit, nothing, or too large to hold.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, &byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_space_and_tab_only() {
        assert_eq!(trim(b" \t a b\t "), b"a b");
        assert_eq!(trim(b"\x0ca"), b"\x0ca");
        assert_eq!(trim(b" \t"), b"");
    }

    #[test]
    fn decimals_are_digits_only() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"0000"), Some(0));
        for wrong in [
            &b""[..],
            b"+1",
            b"-1",
            b"0x1",
            b"1 ",
            b"18446744073709551616",
        ] {
            assert_eq!(decimal(wrong), None);
        }
        assert_eq!(saturating_decimal(b"18446744073709551616"), Some(u64::MAX));
        assert_eq!(saturating_decimal(b"99999999999999999999999x"), None);
    }
}
