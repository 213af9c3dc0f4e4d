//! Whether figures may be believed.

use serde::{Deserialize, Serialize};

/// Whether figures may be believed, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Validity {
    /// They may.
    Valid,
    /// With care; the reasons say why.
    Suspect,
    /// They may not: the generator could not do what was asked.
    Invalid,
    /// There are none.
    Failed,
}

impl Validity {
    /// The one that is printed so.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Valid, Self::Suspect, Self::Invalid, Self::Failed];
        all.into_iter().find(|validity| validity.name() == name)
    }

    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Suspect => "SUSPECT",
            Self::Invalid => "INVALID",
            Self::Failed => "FAILED",
        }
    }
}

impl std::fmt::Display for Validity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(self.name())
    }
}
