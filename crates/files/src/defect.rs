//! A defect that is there on purpose.
//!
//! What a defect costs beside the request that meets it (a connection, a thread, a process, all of the server) is another
//! thing that the architectures decide. Looking up a file under a prefix can be made to panic, in whichever thread does it.

use std::str::FromStr;

/// Which files cannot be looked up without a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The beginning of their paths, without the leading slash.
    pub prefix: Vec<u8>,
}

impl Defect {
    /// Panics if the file at `path` is one of them.
    pub(crate) fn strike(&self, path: &[u8]) {
        assert!(
            !path.starts_with(&self.prefix),
            "a defect at /{}, as --panic asks for",
            path.escape_ascii()
        );
    }
}

impl FromStr for Defect {
    type Err = std::convert::Infallible;

    /// Parses a prefix, for instance `/broken/`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self {
            prefix: text.trim_start_matches('/').into(),
        })
    }
}
