//! One seed, many independent streams.

use rand_xoshiro::{SplitMix64, Xoshiro256PlusPlus, rand_core::SeedableRng};

/// 2⁶⁴ divided by the golden ratio: the step of SplitMix64.
pub(crate) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014; Stafford's "Mix13"): a
/// bijection in which every bit of the input turns about half of the output.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number that depends on every bit of `seed` and every byte of `label`.
pub(crate) fn derive(seed: u64, label: &str) -> u64 {
    label
        .bytes()
        .fold(mix(seed.wrapping_add(STEP)), |hash, byte| {
            mix(hash.wrapping_add(STEP) ^ u64::from(byte))
        })
}

/// The stream called `label` under `seed`, to be read in order.
pub(crate) fn stream(seed: u64, label: &str) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(derive(seed, label))
}

/// The short stream of the `index`-th event under `key`: random access, so that any thread can have
/// any event.
pub(crate) fn event(key: u64, index: u64) -> SplitMix64 {
    SplitMix64::seed_from_u64(mix(key.wrapping_add(index.wrapping_mul(STEP))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::rand_core::Rng;

    #[test]
    fn the_mixer_is_splitmix64() {
        // First outputs of splitmix64.c for seed 1234567, as published with it.
        assert_eq!(
            mix(1_234_567_u64.wrapping_add(STEP)),
            6_457_827_717_110_365_317
        );
        assert_eq!(
            mix(1_234_567_u64.wrapping_add(STEP.wrapping_mul(2))),
            3_203_168_211_198_807_973
        );
    }

    #[test]
    fn labels_and_seeds_part_the_streams() {
        let first = |seed, label| stream(seed, label).next_u64();
        assert_eq!(first(1, "files"), first(1, "files"));
        assert_ne!(first(1, "files"), first(1, "arrivals"));
        assert_ne!(first(1, "files"), first(2, "files"));
        assert_ne!(derive(0, "a"), derive(0, "aa"));
    }
}
