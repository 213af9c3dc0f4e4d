//! Think times, each a function of the seed and the request's number.

use std::time::Duration;

use crate::clock::{Nanos, nanos};

/// How long a client or session thinks between an answer and its next request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Think {
    /// Always as long.
    Constant(Duration),
    /// Exponentially distributed with this mean.
    Exponential(Duration),
}

impl Think {
    /// The think time that belongs to the `number`-th request under `seed`.
    pub fn at(self, seed: u64, number: u64) -> Nanos {
        match self {
            Self::Constant(time) => nanos(time),
            Self::Exponential(mean) => {
                let bits = mix(mix(seed ^ 0x0074_6869_6e6b) ^ number) >> 11;
                let uniform = (bits as f64 + 0.5) / (1u64 << 53) as f64;
                (-uniform.ln() * nanos(mean) as f64) as Nanos
            }
        }
    }

    pub(super) fn is_none(self) -> bool {
        self == Self::Constant(Duration::ZERO)
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn mix(z: u64) -> u64 {
    let z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
