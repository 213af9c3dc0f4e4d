//! Paths and queries as they stand in a URI (RFC 3986).

/// Appends a path to `out`, percent-encoded where it is not plain.
pub(crate) fn path(path: &[u8], out: &mut Vec<u8>) {
    encode(path, is_path_byte, out);
}

/// Appends a query that begins with `?`, percent-encoded where it is not plain.
pub(crate) fn query(query: &[u8], out: &mut Vec<u8>) {
    encode(query, is_query_byte, out);
}

/// Percent-encodes every byte of `text` that is not plain (RFC 3986, 2.1).
fn encode(text: &[u8], is_plain: fn(u8) -> bool, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        if is_plain(byte) {
            out.push(byte);
        } else {
            let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
            out.extend_from_slice(&[b'%', high, low]);
        }
    }
}

/// `pchar` and the slash, unescaped (RFC 3986, 3.3).
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte)
}

/// What a query holds (RFC 3986, 3.4), its leading `?` and the escapes that it came with included.
fn is_query_byte(byte: u8) -> bool {
    is_path_byte(byte) || matches!(byte, b'?' | b'%')
}
