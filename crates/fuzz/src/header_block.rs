//! Header blocks of HTTP/2.

use httlib_hpack::Encoder;
use http::h2::hpack::Decoder;

/// Of all blocks of an input, in bytes: more says nothing new, and a few bytes can mean thousands.
const MOST: usize = 64 << 10;

/// Header fields, each with its name.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// Decodes `bytes` as the header blocks of one connection, each behind its length in two bytes: what is a block for us is the same for
/// another decoder; and once more, after another encoder has written the same fields.
///
/// # Panics
/// When the other one decodes something else, or refuses a block.
pub fn check(bytes: &[u8]) {
    let mut ours = Decoder::default();
    let mut theirs = Some(httlib_hpack::Decoder::default());
    let mut lists = Vec::new();
    let mut total = 0;
    for block in blocks(bytes) {
        // Nothing that comes after one that is none can be decoded.
        let Some(fields) = decode(&mut ours, block, MOST - total) else {
            break;
        };
        total += length(&fields);
        if let Some(decoder) = &mut theirs {
            let mut found = Vec::new();
            match decoder.decode(&mut block.to_vec(), &mut found) {
                Ok(_) => {
                    let found: Fields = found
                        .into_iter()
                        .map(|(name, value, _)| (name, value))
                        .collect();
                    assert_eq!(fields, found, "decoded by another");
                }
                // It takes none of more than four bytes behind the first.
                Err(httlib_hpack::DecoderError::IntegerOverflow) => theirs = None,
                Err(error) => panic!("{block:02x?} is {fields:02x?} for us, and {error:?}"),
            }
        }
        lists.push(fields);
    }
    let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
    for (number, fields) in lists.into_iter().enumerate() {
        let mut block = Vec::new();
        for (place, (name, value)) in fields.iter().cloned().enumerate() {
            let flags = match (number + place + value.len()) % 4 {
                0 => Encoder::WITH_INDEXING,
                1 => Encoder::WITH_INDEXING | Encoder::HUFFMAN_NAME | Encoder::HUFFMAN_VALUE,
                2 => Encoder::BEST_FORMAT,
                _ => Encoder::NEVER_INDEXED | Encoder::HUFFMAN_VALUE,
            };
            let encoded = encoder.encode((name, value, flags), &mut block);
            assert!(encoded.is_ok(), "{encoded:?}");
        }
        let decoded = decode(&mut decoder, &block, usize::MAX);
        assert_eq!(decoded, Some(fields), "written by another");
    }
}

/// The pieces of an input, each behind its length.
fn blocks(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (block, after) = after.split_at(length);
        rest = after;
        Some(block)
    })
}

/// The fields of a block; none where it is no block, or means more than `most` bytes.
fn decode(decoder: &mut Decoder, block: &[u8], most: usize) -> Option<Fields> {
    let (mut fields, mut total) = (Fields::new(), 0_usize);
    let decoded = decoder.decode(block, &mut Vec::new(), |name, value| {
        total += name.len() + value.len();
        if total <= most {
            fields.push((name.to_vec(), value.to_vec()));
        }
    });
    (decoded.is_ok() && total <= most).then_some(fields)
}

fn length(fields: &Fields) -> usize {
    let lengths = fields.iter().map(|(name, value)| name.len() + value.len());
    lengths.sum()
}
