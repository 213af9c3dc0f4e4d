//! Who comes when: everybody once in each round, in an order that follows from a seed.
//!
//! What drifts on a machine drifts for all, and nobody always comes after the same other.

use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;

/// `rounds` orders of `0..count`.
pub(crate) fn turns(count: usize, rounds: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let order = |_| {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut rng);
        order
    };
    (0..rounds).map(order).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_turn_in_each_round_and_the_seed_says_when() {
        let orders = turns(5, 20, 1);
        assert_eq!(orders, turns(5, 20, 1));
        assert_ne!(orders, turns(5, 20, 2));
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4]);
        }
        let first = |who: usize| orders.iter().filter(|order| order[0] == who).count();
        assert!((0..5).all(|who| first(who) > 0), "{orders:?}");
    }
}
