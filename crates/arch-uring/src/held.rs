//! What the kernel has of a connection: an output on its way, or a call that a work takes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use arch::session::Calls;
use files::{Call, Resolver, Returned};
use rustix::fs::OFlags;
use rustix::io::Errno;
use sys::ring::{Operand, Operation, Ring, Status, Tail};

use crate::connections::Token;
use crate::transfer::Transfer;

/// What a chain of entries is about; the ring owns it until they are complete.
#[derive(Debug)]
pub(crate) enum Held {
    Transfer { token: Token, transfer: Transfer },
    Calls { token: Token, calls: Calls },
}

impl Held {
    pub(crate) fn token(&self) -> Token {
        match self {
            Self::Transfer { token, .. } | Self::Calls { token, .. } => *token,
        }
    }
}

impl Operand for Held {
    fn head(&self) -> &[u8] {
        match self {
            Self::Transfer { transfer, .. } => transfer.head(),
            Self::Calls { .. } => &[],
        }
    }

    fn file(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Transfer { transfer, .. } => transfer.file(),
            Self::Calls { calls, .. } => match calls.call() {
                Call::Open { directory, .. } => Some(directory.as_fd()),
                Call::Identify(file) | Call::Read { file, .. } => Some(file.as_fd()),
                Call::Wait(_) => None,
            },
        }
    }

    fn path(&self) -> Option<&[u8]> {
        match self {
            Self::Transfer { .. } => None,
            Self::Calls { calls, .. } => match calls.call() {
                Call::Open { path, .. } => Some(path),
                _ => None,
            },
        }
    }

    fn pipe(&self) -> Option<(BorrowedFd<'_>, BorrowedFd<'_>)> {
        match self {
            Self::Transfer { transfer, .. } => transfer.pipe.as_ref().map(|pipe| pipe.ends()),
            Self::Calls { .. } => None,
        }
    }
}

/// The entry that makes a call, and for how many bytes it needs room; `None` where no entry does.
pub(crate) fn operation(call: &Call<'_>) -> Option<(Operation, Option<usize>)> {
    Some(match call {
        Call::Wait(time) => (Operation::Sleep(*time), None),
        Call::Open {
            resolver: Resolver::Kernel,
            flags,
            ..
        } => {
            let flags = u64::from((*flags | OFlags::CLOEXEC).bits());
            let resolve = Resolver::flags().bits();
            (Operation::Open { flags, resolve }, None)
        }
        // A walk of many calls.
        Call::Open { .. } => return None,
        Call::Identify(_) => (Operation::Look, None),
        Call::Read { offset, length, .. } => (Operation::Read { offset: *offset }, Some(*length)),
    })
}

/// Hands in the entry of a call.
///
/// # Errors
/// The calls, where it could not be.
pub(crate) fn start(
    ring: &mut Ring<Held>,
    operation: Operation,
    token: Token,
    calls: Calls,
    tail: Option<Tail>,
) -> Result<(), Calls> {
    match ring.start(&[operation], Held::Calls { token, calls }, tail) {
        Err(Held::Calls { calls, .. }) => Err(calls),
        _ => Ok(()),
    }
}

/// What came of a call; `None` where it has to be made after all: the kernel had no thread for it, or was disturbed.
pub(crate) fn returned(
    call: &Call<'_>,
    result: Result<u32, Errno>,
    opened: Option<OwnedFd>,
    status: Option<Status>,
    tail: Option<&Tail>,
) -> Option<Returned> {
    match (call, result) {
        (Call::Wait(_), _) => Some(Returned::Waited),
        (_, Err(Errno::CANCELED | Errno::AGAIN | Errno::INTR)) => None,
        (Call::Open { .. }, Ok(_)) => Some(Returned::Opened(Ok(opened?.into()))),
        (Call::Open { .. }, Err(error)) => Some(Returned::Opened(Err(error))),
        (Call::Identify(_), Ok(_)) => Some(Returned::Identified(Ok(files::identity(&status?)))),
        (Call::Identify(_), Err(error)) => Some(Returned::Identified(Err(error))),
        (Call::Read { .. }, Ok(count)) => {
            let bytes = tail?.filled().get(..count as usize)?;
            Some(Returned::Read(Ok(bytes.to_vec())))
        }
        (Call::Read { .. }, Err(error)) => Some(Returned::Read(Err(error))),
    }
}
