//! Errors that say what was being tried.

/// Adds what was being tried to an error of the operating system.
pub fn context(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> std::io::Error {
    move |error| std::io::Error::new(error.kind(), format!("{what}: {error}"))
}
