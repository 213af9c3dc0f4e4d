//! Buffers that serve again.

/// Most memory in bytes that a buffer may keep from one request for the next. Ordinary requests
/// fit; one that did not must not leave its size behind in every buffer of a pool.
pub(crate) const MAX_SPARE_BYTES: usize = 2048;

/// Empties a buffer, and gives its memory up if it is more than ordinary.
pub(crate) fn reuse<T>(buffer: &mut Vec<T>) {
    buffer.clear();
    if buffer.capacity() * size_of::<T>() > MAX_SPARE_BYTES {
        *buffer = Vec::new();
    }
}
