//! Outputs on their way, and back.

use arch::session::{self, Output, SendError};
use rustix::io::Errno;
use sys::ring::{MOST_LINKED, Tail};

use crate::CompletionLoop;
use crate::connections::Token;
use crate::held::Held;
use crate::options::FilesBy;
use crate::transfer::{Outcome, Pipe, Transfer};

/// The most pipes kept for later.
const MOST_PIPES: usize = 64;

impl CompletionLoop {
    /// Has an output sent.
    pub(crate) fn send(&mut self, token: Token, output: Output) {
        let is_of_a_file = matches!(output.tail(), session::Tail::File(..));
        let pipe = if is_of_a_file && self.options.files == FilesBy::Splice {
            // Without a descriptor for one, it is read.
            self.pipes.pop().or_else(|| Pipe::new().ok())
        } else {
            None
        };
        let transfer = Transfer::new(output, pipe, self.options.send);
        let tail = match transfer.to_be_read() {
            Some(length) => Some(self.ring.tail(length)),
            None => transfer.tail_in_memory(),
        };
        self.start_transfer(token, transfer, tail);
    }

    fn start_transfer(&mut self, token: Token, mut transfer: Transfer, tail: Option<Tail>) {
        let Some(connection) = self.connections.get_mut(token) else {
            return;
        };
        let (operations, count) = transfer.next(connection.socket);
        let is_spliced = transfer.pipe.is_some();
        let held = Held::Transfer { token, transfer };
        if let Err(held) = self.ring.start(&operations[..count], held, tail) {
            // Never: there is no path in it, and its buffer is its own.
            if let Held::Transfer { transfer, .. } = held {
                let broken = Err(SendError::Broken);
                let output = transfer.into_output();
                connection.endpoint.sent(output, broken, &mut self.worker);
            }
            return;
        }
        connection.chains += 1;
        if is_spliced {
            self.spliced += count;
        }
    }

    /// Some of an output has left, or none of it will.
    pub(crate) fn transferred(
        &mut self,
        token: Token,
        mut transfer: Transfer,
        results: &[Result<u32, Errno>; MOST_LINKED],
        mut tail: Option<Tail>,
    ) {
        let Some(connection) = self.connections.get_mut(token) else {
            return;
        };
        let (endpoint, worker) = (&mut connection.endpoint, &mut self.worker);
        let outcome = transfer.completed(results, tail.as_mut(), |bytes| {
            endpoint.progress(bytes, worker);
        });
        let sent = match outcome {
            Outcome::GoesOn if connection.is_over => Err(SendError::Broken),
            Outcome::GoesOn => return self.start_transfer(token, transfer, tail),
            Outcome::IsOver(sent) => sent,
        };
        if let Some(tail) = tail {
            self.ring.recycle(tail);
        }
        if let Some(pipe) = transfer.take_pipe()
            && self.pipes.len() < MOST_PIPES
        {
            self.pipes.push(pipe);
        }
        connection
            .endpoint
            .sent(transfer.into_output(), sent, &mut self.worker);
        self.advance(token);
    }
}
