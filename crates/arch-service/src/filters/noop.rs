//! `noop`: does nothing, to show what it costs to be there.

use tower::Layer;

/// Puts a filter that does nothing before a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoopLayer;

impl<S> Layer<S> for NoopLayer {
    type Service = S;

    /// The service as it is: what is left is the box that every service of a chain is put into.
    fn layer(&self, next: S) -> S {
        next
    }
}
