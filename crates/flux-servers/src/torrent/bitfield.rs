//! Which pieces somebody has.

use super::offence::Offence;

/// A set of pieces, as it is sent: the first is the highest bit of the first byte (BEP 3, `bitfield`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bitfield {
    bytes: Vec<u8>,
    pieces: u32,
}

impl Bitfield {
    /// None of so many.
    pub(crate) fn none(pieces: u32) -> Self {
        Self {
            bytes: vec![0; pieces.div_ceil(8) as usize],
            pieces,
        }
    }

    /// All of so many.
    #[cfg(test)]
    pub(crate) fn all(pieces: u32) -> Self {
        let mut all = Self::none(pieces);
        (0..pieces).for_each(|piece| {
            all.insert(piece);
        });
        all
    }

    /// What another peer says that it has of so many.
    ///
    /// # Errors
    /// Where it is not as long as it has to be, or bits are set that stand for no piece.
    pub(crate) fn received(bytes: &[u8], pieces: u32) -> Result<Self, Offence> {
        let received = Self {
            bytes: bytes.to_vec(),
            pieces,
        };
        let spare = bytes.len() * 8 - (pieces as usize).min(bytes.len() * 8);
        let spare_bits = bytes
            .last()
            .map_or(0, |last| last.trailing_zeros() as usize);
        let is_right = bytes.len() == pieces.div_ceil(8) as usize && spare_bits >= spare;
        is_right.then_some(received).ok_or(Offence::WrongBitfield)
    }

    /// Whether a piece is in it; none is that there is not.
    pub(crate) fn has(&self, piece: u32) -> bool {
        let byte = self.bytes.get(piece as usize / 8);
        byte.is_some_and(|byte| byte & bit(piece) != 0)
    }

    /// Puts a piece in it. Whether it was not in it, and there is such a piece.
    pub(crate) fn insert(&mut self, piece: u32) -> bool {
        if piece >= self.pieces || self.has(piece) {
            return false;
        }
        self.bytes[piece as usize / 8] |= bit(piece);
        true
    }

    /// How many are in it.
    pub(crate) fn count(&self) -> u32 {
        self.bytes.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether all are.
    pub(crate) fn is_all(&self) -> bool {
        self.count() == self.pieces
    }

    /// Those that are in it, in their order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = u32> {
        (0..self.pieces).filter(|&piece| self.has(piece))
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn bit(piece: u32) -> u8 {
    0x80 >> (piece % 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_piece_is_the_highest_bit() {
        let mut some = Bitfield::none(10);
        assert!(some.insert(0) && some.insert(9) && !some.insert(9) && !some.insert(10));
        assert_eq!(some.bytes(), [0b1000_0000, 0b0100_0000]);
        assert_eq!(some.pieces().collect::<Vec<_>>(), [0, 9]);
        assert!(!some.has(10) && !some.is_all());
        assert!(Bitfield::all(10).is_all());
    }

    #[test]
    fn one_of_another_length_or_with_spare_bits_is_refused() {
        for pieces in 1..40 {
            let all = Bitfield::all(pieces);
            assert_eq!(Bitfield::received(all.bytes(), pieces), Ok(all.clone()));
            let longer = [all.bytes(), &[0]].concat();
            let shorter = &all.bytes()[1..];
            let mut spare = all.bytes().to_vec();
            *spare.last_mut().unwrap() |= 1;
            for wrong in [&longer, shorter] {
                assert_eq!(
                    Bitfield::received(wrong, pieces),
                    Err(Offence::WrongBitfield)
                );
            }
            let is_right = pieces % 8 == 0;
            assert_eq!(
                Bitfield::received(&spare, pieces).is_ok(),
                is_right,
                "{pieces}"
            );
        }
    }
}
