//! The document root, with what HTTP wants to know of each file.

/// The document root, with what HTTP wants to know of each file in its header cache.
pub type Files = files::Files<http::Entity>;
/// A file that was found.
pub type Entry = std::sync::Arc<files::Entry<http::Entity>>;

/// How this process has asked the kernel what is in memory; `None` if it never had to.
pub fn residency() -> Option<files::Residency> {
    files::residency::method()
}
