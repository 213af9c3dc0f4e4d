//! One histogram out of a log.
//!
//! The library believes the lengths that it reads, makes room for them before it looks whether so much is there, negates a number that
//! has no negative, and adds up counts without a bound. So all of it is unpacked here first, within bounds, and looked at.

use std::io::Read;

use flate2::read::ZlibDecoder;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::Deserializer;

/// The format's second version, as it is and compressed.
const PLAIN: u32 = 0x1c84_9313;
const COMPRESSED: u32 = 0x1c84_9314;
/// What is before the counts: cookie, length, offset, digits, lowest, highest, ratio.
const HEAD_BYTES: usize = 40;
/// The longest histogram that there is: one with five digits and every count as long as can be.
const MAX_BYTES: u64 = 64 << 20;
/// The most that one histogram may have counted, so that the sum over any number of them does not overflow.
const MAX_COUNT: u64 = 1 << 40;

/// The histogram in `bytes`, compressed or not.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn histogram(
    bytes: &[u8],
    deserializer: &mut Deserializer,
) -> Result<Histogram<u64>, String> {
    let unpacked;
    let plain = match number(bytes, 0) {
        Some(PLAIN) => bytes,
        Some(COMPRESSED) => {
            unpacked = unpack(bytes.get(8..).unwrap_or_default())?;
            &unpacked
        }
        _ => return Err("it does not begin as a histogram does".into()),
    };
    let (Some(PLAIN), Some(length)) = (number(plain, 0), number(plain, 4)) else {
        return Err("there is no histogram inside".into());
    };
    let counts = plain.get(HEAD_BYTES..).unwrap_or_default();
    if counts.len() != length as usize {
        let there = counts.len();
        return Err(format!(
            "it should hold {length} bytes of counts, and holds {there}"
        ));
    }
    check(counts)?;
    deserializer
        .deserialize(&mut &plain[..])
        .map_err(|error| error.to_string())
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    ZlibDecoder::new(packed)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut plain)
        .map_err(|error| format!("it cannot be unpacked: {error}"))?;
    if plain.len() as u64 > MAX_BYTES {
        return Err(format!("it unpacks to more than {MAX_BYTES} bytes"));
    }
    Ok(plain)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*four))
}

/// Counts, and runs of zeros as negative numbers.
fn check(mut counts: &[u8]) -> Result<(), String> {
    let mut total = 0_u64;
    while !counts.is_empty() {
        let number = next_number(&mut counts);
        if number == i64::MIN {
            return Err("it has a run of zeros without end".into());
        }
        total = total.saturating_add(number.max(0).unsigned_abs());
    }
    if total > MAX_COUNT {
        return Err(format!("it counts {total}, and {MAX_COUNT} is the most"));
    }
    Ok(())
}

/// LEB128 of at most nine bytes, the last of which is taken as it is; zig-zag.
fn next_number(bytes: &mut &[u8]) -> i64 {
    let mut value = 0_u64;
    for shift in (0..=56).step_by(7) {
        let Some((&byte, rest)) = bytes.split_first() else {
            break;
        };
        *bytes = rest;
        if shift == 56 {
            value |= u64::from(byte) << shift;
            break;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn plain(length: u32, digits: u32, counts: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [PLAIN, length, 0, digits] {
            bytes.extend(word.to_be_bytes());
        }
        for long in [1, 1 << 40, 1.0_f64.to_bits()] {
            bytes.extend(long.to_be_bytes());
        }
        bytes.extend(counts);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<u64, String> {
        histogram(bytes, &mut Deserializer::new()).map(|histogram| histogram.len())
    }

    fn packed(plain: &[u8]) -> Vec<u8> {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(plain).unwrap();
        let mut bytes = COMPRESSED.to_be_bytes().to_vec();
        bytes.extend([0; 4]);
        bytes.extend(zlib.finish().unwrap());
        let length = bytes.len() as u32 - 8;
        bytes[4..8].copy_from_slice(&length.to_be_bytes());
        bytes
    }

    #[test]
    fn a_histogram_is_read_packed_or_not() {
        let sound = plain(3, 3, &[2, 0x05, 4]);
        assert_eq!(read(&sound), Ok(3));
        assert_eq!(read(&packed(&sound)), Ok(3));
    }

    #[test]
    fn what_would_cost_memory_or_panic_is_refused() {
        let says = |bytes: &[u8], what: &str| {
            let error = read(bytes).unwrap_err();
            assert!(error.contains(what), "{error}");
        };
        // Four gigabytes that are not there.
        let long = plain(u32::MAX, 3, &[2]);
        says(&long, "should hold 4294967295 bytes of counts, and holds 1");
        says(&packed(&long), "should hold 4294967295");
        says(&packed(&vec![0; 65 << 20]), "more than");
        says(&plain(9, 3, &[0xff; 9]), "zeros without end");
        says(
            &plain(10, 3, &[&[2][..], &[0xff; 9]].concat()),
            "zeros without end",
        );
        // Each count is possible, and their sum is not.
        let large = [0xfe, 0xff, 0xff, 0xff, 0xff, 0x3f];
        assert_eq!(read(&plain(6, 3, &large)), Ok((1 << 40) - 1));
        says(&plain(12, 3, &large.repeat(2)), "1099511627776 is the most");
        says(&packed(b"short"), "no histogram inside");
        says(&plain(1, 9, &[2]), "parameters");
        says(&[0xff; 40], "does not begin");
        says(
            &[&COMPRESSED.to_be_bytes()[..], &[0xff; 40]].concat(),
            "unpacked",
        );
        says(b"", "does not begin");
    }
}
