//! Means over short, equal stretches of a run, in flat memory: what drift, correlation and intervals are computed from.

use crate::clock::Nanos;

/// How many stretches are kept; when a run outgrows them, neighbours are joined.
const MOST: usize = 256;
/// The shortest stretch: about a millisecond.
const SHORTEST: u32 = 20;

/// Sums and counts of values by stretches of 2^`width` nanoseconds.
#[derive(Clone, Debug)]
pub struct Batches {
    width: u32,
    sums: Vec<(f64, u64)>,
}

impl Default for Batches {
    fn default() -> Self {
        Self {
            width: SHORTEST,
            sums: Vec::with_capacity(MOST),
        }
    }
}

impl Batches {
    /// A value that belongs to the time `at`.
    #[inline]
    pub fn add(&mut self, at: Nanos, value: Nanos) {
        let mut place = (at >> self.width) as usize;
        while place >= MOST {
            self.join();
            place = (at >> self.width) as usize;
        }
        if place >= self.sums.len() {
            self.sums.resize(place + 1, (0.0, 0));
        }
        self.sums[place].0 += value as f64;
        self.sums[place].1 += 1;
    }

    fn join(&mut self) {
        let joined = self.sums.len().div_ceil(2);
        for place in 0..joined {
            let (a, n) = self.sums[2 * place];
            let (b, m) = self.sums.get(2 * place + 1).copied().unwrap_or_default();
            self.sums[place] = (a + b, n.saturating_add(m));
        }
        self.sums.truncate(joined);
        self.width += 1;
    }

    /// Adds those of another thread.
    pub fn merge(&mut self, other: &Self) {
        while self.width < other.width {
            self.join();
        }
        let coarser = self.width - other.width;
        for (place, of_place) in other.sums.iter().enumerate() {
            self.add_at(place >> coarser, *of_place);
        }
    }

    /// The stretches with values, to be written down: the width of all as a power of two, and of each its number, the sum of its values and
    /// how many there were.
    pub(crate) fn filled(&self) -> (u32, Vec<(u64, u64, u64)>) {
        let all = (0..).zip(&self.sums);
        let filled = all.filter(|(_, (_, count))| *count > 0);
        let filled = filled.map(|(place, (sum, count))| (place, *sum as u64, *count));
        (self.width, filled.collect())
    }

    /// Adds what [`Self::filled`] gave of another one. None where such a one cannot be.
    pub(crate) fn add_filled(&mut self, width: u32, filled: &[(u64, u64, u64)]) -> Option<()> {
        let can_be = (SHORTEST..u64::BITS).contains(&width)
            && filled.iter().all(|(place, ..)| *place < MOST as u64);
        if !can_be {
            return None;
        }
        while self.width < width {
            self.join();
        }
        let coarser = self.width - width;
        for (place, sum, count) in filled {
            self.add_at((*place >> coarser) as usize, (*sum as f64, *count));
        }
        Some(())
    }

    fn add_at(&mut self, place: usize, (sum, count): (f64, u64)) {
        if place >= self.sums.len() {
            self.sums.resize(place + 1, (0.0, 0));
        }
        let mine = &mut self.sums[place];
        *mine = (mine.0 + sum, mine.1.saturating_add(count));
    }

    /// Forgets the values; the width stays.
    pub fn clear(&mut self) {
        self.sums.clear();
    }

    /// The means of at most `most` stretches of equal length, in nanoseconds, and how long each lasts. Stretches without values at the
    /// ends are left out, within the run they repeat the one before.
    pub fn means(&self, most: usize) -> (Vec<f64>, Nanos) {
        let first = self.sums.iter().position(|(_, n)| *n > 0).unwrap_or(0);
        let last = self
            .sums
            .iter()
            .rposition(|(_, n)| *n > 0)
            .map_or(0, |at| at + 1);
        let used = &self.sums[first.min(last)..last];
        let each = used.len().div_ceil(most.max(1)).max(1);
        let mut means = Vec::with_capacity(most);
        // What does not fill a stretch is left out at the start, where warming up would be.
        for stretch in used[used.len() % each..].chunks(each) {
            let (sum, count) = stretch.iter().fold((0.0, 0_u64), |(sum, count), (a, n)| {
                (sum + a, count.saturating_add(*n))
            });
            means.push(match count {
                0 => means.last().copied().unwrap_or(0.0),
                count => sum / count as f64,
            });
        }
        (means, (each as u64) << self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SECOND;

    #[test]
    fn memory_is_flat_and_nothing_is_lost() {
        let mut batches = Batches::default();
        for second in 0..10_000 {
            batches.add(second * SECOND, second);
        }
        assert!(batches.sums.len() <= MOST);
        assert_eq!(batches.sums.iter().map(|(_, n)| n).sum::<u64>(), 10_000);
        let (means, width) = batches.means(20);
        assert!(means.len() <= 20 && means.is_sorted(), "{means:?}");
        assert!(width as f64 * means.len() as f64 >= 0.8 * 10_000.0 * 1e9);
    }

    #[test]
    fn threads_of_different_widths_are_merged() {
        let (mut long, mut short) = (Batches::default(), Batches::default());
        long.add(1000 * SECOND, 1);
        short.add(0, 2);
        short.add(SECOND, 2);
        let mut other_way = short.clone();
        other_way.merge(&long);
        long.merge(&short);
        for merged in [long, other_way] {
            assert_eq!(merged.sums.iter().map(|(_, n)| n).sum::<u64>(), 3);
        }
        assert_eq!(Batches::default().means(10).0, Vec::<f64>::new());
    }
}
