//! A stream of arrivals shared out among several parts.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

/// Gives each arrival to one of several parts, by chance.
#[derive(Debug, Clone)]
pub(super) struct Thinning {
    pub(super) part: u64,
    pub(super) parts: u64,
    pub(super) rng: Xoshiro256PlusPlus,
}

impl Thinning {
    /// Whether the next arrival of the source is this part's.
    fn takes(&mut self) -> bool {
        // The high word of the product: each part has the same share of all 2⁶⁴ numbers, within one.
        let drawn = (u128::from(self.rng.next_u64()) * u128::from(self.parts)) >> 64;
        drawn as u64 == self.part
    }

    /// How many arrivals of the source come before this part's next one, if `skip` of its own are passed over.
    pub(super) fn passes_over(&mut self, mut skip: u64) -> u64 {
        let mut others = 0;
        loop {
            if self.takes() {
                match skip {
                    0 => return others,
                    _ => skip -= 1,
                }
            }
            others += 1;
        }
    }
}
