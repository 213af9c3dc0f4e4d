//! Header blocks, read (RFC 7541, sections 3 and 6).

use crate::h2::hpack::dynamic::DynamicTable;
use crate::h2::hpack::statics::FIELDS;
use crate::h2::hpack::{TABLE_BYTES, Undecodable, huffman, integer};

/// Reads the header blocks of one connection, one after the other.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder {
            table: DynamicTable::new(TABLE_BYTES),
        }
    }
}

/// A string of a block.
enum Text<'a> {
    Plain(&'a [u8]),
    /// In `text`, from there on.
    Decoded(usize),
}

impl Decoder {
    /// Hands the fields of a whole block to `field`, name and value, in order. `text` is a buffer to decode in.
    ///
    /// # Errors
    /// Where it is no block: none that comes after it can be decoded.
    pub fn decode(
        &mut self,
        mut block: &[u8],
        text: &mut Vec<u8>,
        mut field: impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Undecodable> {
        let mut is_first = true;
        while let Some(&first) = block.first() {
            if first & 0x80 != 0 {
                let index = integer::take(&mut block, 7)?;
                let (name, value) = self.get(index)?;
                field(name, value);
            } else if first & 0xe0 == 0x20 {
                // Only before the first field (RFC 7541, 4.2).
                let most = integer::take(&mut block, 5)?;
                if !is_first || !self.table.resize(most) {
                    return Err(Undecodable);
                }
                continue;
            } else {
                let is_remembered = first & 0x40 != 0;
                let bits = if is_remembered { 6 } else { 4 };
                self.literal(&mut block, (bits, is_remembered), text, &mut field)?;
            }
            is_first = false;
        }
        Ok(())
    }

    fn literal(
        &mut self,
        block: &mut &[u8],
        (bits, is_remembered): (u32, bool),
        text: &mut Vec<u8>,
        field: &mut impl FnMut(&[u8], &[u8]),
    ) -> Result<(), Undecodable> {
        text.clear();
        let index = integer::take(block, bits)?;
        let name = match index {
            0 => take_text(block, text)?,
            _ if is_remembered && index > FIELDS.len() => {
                // What is remembered may push out the field whose name it shares.
                text.extend_from_slice(self.get(index)?.0);
                Text::Decoded(0)
            }
            _ => {
                let value = take_text(block, text)?;
                let value = read(&value, text, text.len());
                let name = self.get(index)?.0;
                field(name, value);
                if is_remembered {
                    // It is of the static table.
                    let name = FIELDS.get(index - 1).ok_or(Undecodable)?.0;
                    self.table.insert(name, value);
                }
                return Ok(());
            }
        };
        let end_of_name = text.len();
        let value = take_text(block, text)?;
        let name = read(&name, text, end_of_name);
        let value = read(&value, text, text.len());
        field(name, value);
        if is_remembered {
            self.table.insert(name, value);
        }
        Ok(())
    }

    #[inline]
    fn get(&self, index: usize) -> Result<(&[u8], &[u8]), Undecodable> {
        let place = index.checked_sub(1).ok_or(Undecodable)?;
        match FIELDS.get(place) {
            Some(&field) => Ok(field),
            None => self.table.get(place - FIELDS.len()).ok_or(Undecodable),
        }
    }

    /// The memory that it holds on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.table.capacity()
    }
}

/// Takes a string off the front of a block (RFC 7541, section 5.2).
#[inline]
fn take_text<'a>(block: &mut &'a [u8], text: &mut Vec<u8>) -> Result<Text<'a>, Undecodable> {
    let is_coded = block.first().is_some_and(|first| first & 0x80 != 0);
    let len = integer::take(block, 7)?;
    let (raw, rest) = block.split_at_checked(len).ok_or(Undecodable)?;
    *block = rest;
    if !is_coded {
        return Ok(Text::Plain(raw));
    }
    let start = text.len();
    huffman::decode(raw, text)?;
    Ok(Text::Decoded(start))
}

#[inline]
fn read<'a>(string: &Text<'a>, text: &'a [u8], end: usize) -> &'a [u8] {
    match string {
        Text::Plain(bytes) => bytes,
        Text::Decoded(start) => &text[*start..end],
    }
}
