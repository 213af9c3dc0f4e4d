//! `limit=N`: at most so many requests behind it; others wait their turn.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tower::limit::GlobalConcurrencyLimitLayer;

/// Takes a permit to be ready, and gives it back with the answer: tower's own, with one count for the clones of all connections.
/// Whoever is ready and is not called holds a permit all the same, so nobody asks before the request is there.
pub(crate) fn layer(most: usize) -> GlobalConcurrencyLimitLayer {
    GlobalConcurrencyLimitLayer::with_semaphore(Arc::new(Semaphore::new(most)))
}
