//! The page cache, as experiments ask for it.

use serde::Deserialize;

/// What is done to the page cache before a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// All files are read, on the server's account.
    #[default]
    Prefill,
    /// All files are thrown out.
    Drop,
    /// Nothing.
    AsIs,
}

impl Cache {
    /// As the file says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prefill => "prefill",
            Self::Drop => "drop",
            Self::AsIs => "as-is",
        }
    }
}
