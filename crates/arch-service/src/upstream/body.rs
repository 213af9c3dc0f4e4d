//! The body of another server's answer: what came with its head, and what is still to come, through a bounded buffer.

use std::fmt;
use std::sync::Arc;

use arch::session::{Piece, Source};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, Receiver, Sender, error::TryRecvError};
use tokio::time::timeout;

use super::connection::{Connection, Fault, Next};
use super::pool::Pool;

/// Pieces that wait for a client to take them, of 16 KiB each at the most: whoever is slow stops the other server, and costs no more
/// than that.
const PIECES: usize = 4;

/// A body, as far as it has come.
#[derive(Debug)]
pub(crate) struct Body {
    first: Arc<[u8]>,
    rest: Rest,
}

/// What follows the first bytes.
enum Rest {
    /// Nothing.
    Whole,
    /// Nothing, though more was to come.
    Broken,
    /// What still comes over a connection, which goes back to its pool.
    Comes(Box<Connection>, Arc<Pool>),
}

impl Body {
    /// A body that is whole.
    pub(crate) fn whole(bytes: Arc<[u8]>) -> Self {
        Self {
            first: bytes,
            rest: Rest::Whole,
        }
    }

    /// Of an answer whose head has come: what is here of it, without waiting for more.
    pub(super) fn begin(mut connection: Connection, pool: &Arc<Pool>) -> Result<Self, Fault> {
        let mut first = Vec::new();
        let keeps = loop {
            match connection.next()? {
                Some(Next::Bytes(bytes)) => first.extend_from_slice(&bytes),
                Some(Next::End { keeps }) => break keeps,
                None => {
                    return Ok(Self {
                        first: first.into(),
                        rest: Rest::Comes(Box::new(connection), Arc::clone(pool)),
                    });
                }
            }
        };
        if keeps {
            pool.keep(connection);
        }
        Ok(Self::whole(first.into()))
    }

    /// The bytes, where all have come.
    pub(crate) fn bytes(&self) -> Option<&Arc<[u8]>> {
        matches!(self.rest, Rest::Whole).then_some(&self.first)
    }

    /// Waits for all of it.
    pub(crate) async fn gather(&mut self) {
        let Rest::Comes(connection, pool) = std::mem::replace(&mut self.rest, Rest::Broken) else {
            return;
        };
        let mut all = self.first.to_vec();
        let mut coming = Coming { connection, pool };
        self.rest = loop {
            match coming.next().await {
                Ok(Next::Bytes(bytes)) => all.extend_from_slice(&bytes),
                Ok(Next::End { keeps }) => {
                    coming.end(keeps);
                    break Rest::Whole;
                }
                Err(_) => break Rest::Broken,
            }
        };
        self.first = all.into();
    }

    /// As a session takes it. What still comes is brought by a task of its own, which says by `ready` that there is something.
    pub(crate) fn into_source(self, ready: &Arc<Notify>) -> Box<dyn Source> {
        let (sender, pieces) = mpsc::channel(PIECES);
        let last = match self.rest {
            Rest::Whole => Last::Ends,
            Rest::Broken => Last::Fails,
            Rest::Comes(connection, pool) => {
                let coming = Coming { connection, pool };
                tokio::spawn(bring(coming, sender, Arc::clone(ready)));
                Last::Follows(pieces)
            }
        };
        let first = Some(self.first).filter(|first| !first.is_empty());
        Box::new(Pieces { first, last })
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Whole => "Whole",
            Self::Broken => "Broken",
            Self::Comes(..) => "Comes",
        })
    }
}

/// What still comes of a body.
struct Coming {
    connection: Box<Connection>,
    pool: Arc<Pool>,
}

impl Coming {
    /// What comes next. Whoever says nothing for too long has broken off.
    async fn next(&mut self) -> Result<Next, Fault> {
        let next = timeout(self.pool.patience(), self.connection.receive()).await;
        next.unwrap_or(Err(Fault::Malformed))
    }

    fn end(self, keeps: bool) {
        if keeps {
            self.pool.keep(*self.connection);
        }
    }
}

/// Brings what still comes, until all has, or nobody takes it any more.
async fn bring(mut coming: Coming, pieces: Sender<Piece>, ready: Arc<Notify>) {
    loop {
        let next = coming.next().await;
        let (piece, end) = match next {
            Ok(Next::Bytes(bytes)) => (Piece::Ready(bytes.into()), None),
            Ok(Next::End { keeps }) => (Piece::End, Some(keeps)),
            Err(_) => (Piece::Failed, Some(false)),
        };
        if let Some(keeps) = end {
            coming.end(keeps);
            let _ = pieces.send(piece).await;
            return ready.notify_one();
        }
        if pieces.send(piece).await.is_err() {
            // With the connection, over which the rest would come.
            return;
        }
        ready.notify_one();
    }
}

/// The pieces of a body, for a session.
#[derive(Debug)]
struct Pieces {
    first: Option<Arc<[u8]>>,
    last: Last,
}

/// What comes behind the first piece.
#[derive(Debug)]
enum Last {
    Ends,
    Fails,
    Follows(Receiver<Piece>),
}

impl Source for Pieces {
    fn next(&mut self) -> Piece {
        if let Some(first) = self.first.take() {
            return Piece::Ready(first);
        }
        match &mut self.last {
            Last::Ends => Piece::End,
            Last::Fails => Piece::Failed,
            Last::Follows(pieces) => match pieces.try_recv() {
                Ok(piece) => piece,
                Err(TryRecvError::Empty) => Piece::NotYet,
                Err(TryRecvError::Disconnected) => Piece::Failed,
            },
        }
    }
}
