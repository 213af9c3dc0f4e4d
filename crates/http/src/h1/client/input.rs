//! Bytes that came and are not used yet.

/// Takes at most so many bytes off the front of `input`.
pub(super) fn take<'a>(input: &mut &'a [u8], at_most: u64) -> &'a [u8] {
    let length = usize::try_from(at_most).map_or(input.len(), |most| most.min(input.len()));
    let (piece, rest) = input.split_at(length);
    *input = rest;
    piece
}
