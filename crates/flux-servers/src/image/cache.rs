//! Pictures that have been compressed, as many as there is room for.

use lru::LruCache;

use super::order::Variant;
use super::pictures::Jpeg;

/// A cache bounded by its bytes; what was used least lately makes room.
pub(crate) struct Cache {
    kept: LruCache<Variant, Jpeg>,
    bytes: usize,
    most_bytes: usize,
}

impl Cache {
    /// An empty one, for so many bytes of JPEG.
    pub(crate) fn new(most_bytes: usize) -> Self {
        Self {
            kept: LruCache::unbounded(),
            bytes: 0,
            most_bytes,
        }
    }

    /// A picture that was kept, used just now.
    pub(crate) fn get(&mut self, variant: &Variant) -> Option<Jpeg> {
        self.kept.get(variant).cloned()
    }

    /// Keeps a picture, unless it alone is more than there is room for.
    pub(crate) fn put(&mut self, variant: Variant, jpeg: Jpeg) {
        if jpeg.bytes().len() > self.most_bytes {
            return;
        }
        self.bytes += jpeg.bytes().len();
        if let Some(before) = self.kept.put(variant, jpeg) {
            self.bytes -= before.bytes().len();
        }
        while self.bytes > self.most_bytes {
            let Some((_, least)) = self.kept.pop_lru() else {
                break;
            };
            self.bytes -= least.bytes().len();
        }
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(picture: usize) -> Variant {
        Variant {
            picture,
            eighths: 8,
            quality: 75,
        }
    }

    fn jpeg(length: usize) -> Jpeg {
        Jpeg::new(vec![0; length], (0, 0))
    }

    #[test]
    fn what_was_used_least_lately_makes_room() {
        let mut cache = Cache::new(100);
        for picture in 0..4 {
            cache.put(of(picture), jpeg(25));
        }
        assert_eq!(cache.bytes(), 100);
        assert!(cache.get(&of(0)).is_some());
        cache.put(of(4), jpeg(40));
        let kept = [0, 1, 2, 3, 4].map(|picture| cache.get(&of(picture)).is_some());
        assert_eq!(kept, [true, false, false, true, true]);
        assert_eq!(cache.bytes(), 90);
    }

    #[test]
    fn bytes_are_those_of_what_is_there() {
        let mut cache = Cache::new(100);
        cache.put(of(0), jpeg(60));
        cache.put(of(0), jpeg(70));
        assert_eq!(cache.bytes(), 70);
        cache.put(of(1), jpeg(101));
        assert!(cache.get(&of(1)).is_none() && cache.get(&of(0)).is_some());
        let mut none = Cache::new(0);
        none.put(of(0), jpeg(1));
        assert_eq!(none.bytes(), 0);
    }
}
