//! The authority of a request: the Host field, and the authority of a target in absolute form (RFC
//! 3986, section 3.2).

use std::net::Ipv6Addr;

use crate::semantics::syntax::is_tchar;

/// Whether `text` is `uri-host [":" port]` as a Host field may carry it (RFC 9110, 7.2). Empty is
/// well-formed: it is what a client must send when its URI has no authority.
///
/// The grammar of a registered name allows a comma. It is refused all the same, because a list of
/// two hosts, joined by an intermediary, must not pass for one.
pub(crate) fn is_well_formed(text: &[u8]) -> bool {
    // Nearly all hosts are plain, and it takes one look at each byte to see it.
    let end = text
        .iter()
        .position(|&byte| !PLAIN[usize::from(byte)])
        .unwrap_or(text.len());
    match &text[end..] {
        [] => true,
        [b':', port @ ..] if port.iter().all(u8::is_ascii_digit) => true,
        _ => is_well_formed_at_length(text),
    }
}

/// What a name or an IPv4 address is made of, the rare bytes apart.
static PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.' | b'_');
        byte += 1;
    }
    table
};

fn is_well_formed_at_length(text: &[u8]) -> bool {
    let port = match text {
        [b'[', rest @ ..] => {
            let Some(end) = memchr::memchr(b']', rest) else {
                return false;
            };
            if !is_ip_literal(&rest[..end]) {
                return false;
            }
            &rest[end + 1..]
        }
        _ => {
            let end = text
                .iter()
                .position(|&byte| byte == b':')
                .unwrap_or(text.len());
            if !is_name(&text[..end]) {
                return false;
            }
            &text[end..]
        }
    };
    match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Whether `text` is the authority of an http URI: as above, but with a host (RFC 9110, 4.2.1) and
/// so never empty.
pub(crate) fn is_authority(text: &[u8]) -> bool {
    !matches!(text, [] | [b':', ..]) && is_well_formed(text)
}

/// What may stand between the brackets of an `IP-literal`: an IPv6 address, or one of a version to
/// come. A zone is not part of it.
fn is_ip_literal(text: &[u8]) -> bool {
    is_ip_v_future(text)
        || std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok())
}

/// `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )`. A comma is one of them, and is no sign of
/// a list here: no host ends before the bracket.
fn is_ip_v_future(text: &[u8]) -> bool {
    let [b'v' | b'V', rest @ ..] = text else {
        return false;
    };
    let Some(dot) = memchr::memchr(b'.', rest) else {
        return false;
    };
    let (version, address) = (&rest[..dot], &rest[dot + 1..]);
    let is_address_byte =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(byte);
    !version.is_empty()
        && version.iter().all(u8::is_ascii_hexdigit)
        && !address.is_empty()
        && address.iter().all(is_address_byte)
}

/// `reg-name` without the comma; an IPv4 address is one too.
fn is_name(text: &[u8]) -> bool {
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = match (byte, tail) {
            (b'%', [high, low, tail @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                tail
            }
            (b'%' | b'#' | b'^' | b'`' | b'|', _) => return false,
            (b'(' | b')' | b';' | b'=', tail) => tail,
            (&byte, tail) if is_tchar(byte) => tail,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts() {
        for good in [
            "",
            "a",
            "example.com",
            "example.com:80",
            "a:",
            "127.0.0.1:8080",
            "[::1]",
            "[::1]:80",
            "a_b",
            "%41",
            "[::]",
            "[2001:db8::1]:",
            "[2001:DB8:0:0:8:800:200C:417A]",
            "[::ffff:192.0.2.1]:80",
            "[1:2:3:4:5:6:192.0.2.1]",
            "[v1.a]",
            "[V1F.fe80::a+en1]:80",
            "[v0.-._~!$&'()*+,;=:9]",
        ] {
            assert!(is_well_formed(good.as_bytes()), "{good}");
        }
        for bad in [
            "a/b",
            "u@h",
            "a,b",
            "a b",
            "a:b",
            "a:80:80",
            "[::1",
            "[]",
            "[::1]x",
            "::1",
            "a?b",
            "a#b",
            "a\\b",
            "%4",
            "%zz",
            "é",
            "<a>",
            "a\"",
            "[::1]:80a",
            "a:+80",
            "[a,b]",
            "[a]",
            "[abcd]",
            "[1.2.3.4]",
            "[example.com]:80",
            "[:]",
            "[:::]",
            "[1::2::3]",
            "[1:2:3:4:5:6:7]",
            "[1:2:3:4:5:6:7:8:9]",
            "[12345::]",
            "[::g]",
            "[::1.2.3]",
            "[::1.2.3.256]",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "[ ::1]",
            "[[::1]]",
            "[v.a]",
            "[v1.]",
            "[v1]",
            "[vg.a]",
            "[v1.a/b]",
            "[v1.a@b]",
            "[v1.%41]",
            "[v1.\u{e9}]",
            "[v1.a]b",
            "[1v.a]",
        ] {
            assert!(!is_well_formed(bad.as_bytes()), "{bad}");
        }
        assert!(!is_authority(b""));
        assert!(!is_authority(b":80"));
        assert!(is_authority(b"h:80"));
    }
}
