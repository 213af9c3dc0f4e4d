//! How a work goes from a connection's actor to a file actor and back: as it is, as a copy, or as bytes, which is what it would have to be
//! for an actor on another machine.

use arch::Work;
use arch::session::Left;

/// How messages between connections and file actors are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Carriage {
    /// Whoever receives it has it; nothing is copied.
    Owned,
    /// What is in it is copied into memory of its own.
    Copied,
    /// It is made bytes of, and made of them again.
    Encoded,
}

/// A work on its way.
pub(crate) enum Envelope {
    Plain(Work),
    Bytes(Vec<u8>, Left),
}

impl Envelope {
    /// Without a carriage, as it is.
    pub(crate) fn seal(work: Work, carriage: Option<Carriage>) -> Self {
        match carriage {
            None | Some(Carriage::Owned) => Self::Plain(work),
            Some(Carriage::Copied) => Self::Plain(work.copied()),
            Some(Carriage::Encoded) => {
                let mut bytes = Vec::new();
                let left = work.encode(&mut bytes);
                Self::Bytes(bytes, left)
            }
        }
    }

    /// What is in it.
    pub(crate) fn open(self) -> Work {
        match self {
            Self::Plain(work) => work,
            Self::Bytes(bytes, left) => {
                Work::decode(&bytes, left).expect("these bytes are those that it was made of")
            }
        }
    }
}
