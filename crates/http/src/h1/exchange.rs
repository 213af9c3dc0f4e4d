//! What a connection needs from the first byte of a request to the last byte of its answer.

use crate::buffer::reuse;
use crate::config::Config;
use crate::h1::chunked::Dropped;
use crate::h1::delivery::Delivery;
use crate::h1::fields;
use crate::h1::head::Head;
use crate::h1::line::Line;
use crate::h1::quick::{self, Quick};
use crate::h1::scan::{self, Layout, Scan, Scanned};
use crate::semantics::decision::Decision;
use crate::semantics::method::Method;
use crate::semantics::request::Request;

/// One request and its answer. Lent by a [`Scratch`](crate::Scratch) and given back, so that its
/// buffers serve again.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    /// The bytes of a head that came cut, as far as they have come.
    partial: Vec<u8>,
    /// How far the end of that head has been looked for.
    scan: Scan,
    pub(crate) request: Request,
    pub(crate) head: Head,
    /// The request is a HEAD, as far as can be told of a head that is broken.
    pub(crate) head_only: bool,
    /// What to do once the request is whole. `None`: its head is not.
    pub(crate) decision: Option<Decision>,
    pub(crate) delivery: Delivery,
}

impl Exchange {
    /// Takes bytes of the head, and returns how many it took. There is a decision once it is whole,
    /// or broken.
    pub(crate) fn receive_head(&mut self, input: &[u8], config: &Config) -> usize {
        let kept = self.partial.len();
        if kept == 0 {
            // A head that comes whole is read where it lies.
            let end = match self.read_in_place(input, config) {
                Some(end) => end,
                None => self.find_head(input, config),
            };
            if self.decision.is_none() {
                self.partial.extend_from_slice(input);
            }
            return end;
        }
        // One byte more than a head may have is enough to see that it has too many.
        let room = config.max_head.saturating_add(1).saturating_sub(kept);
        let mut partial = std::mem::take(&mut self.partial);
        partial.extend_from_slice(&input[..input.len().min(room)]);
        let end = self.find_head(&partial, config);
        self.partial = partial;
        if self.decision.is_some() {
            // A long answer must not hold on to a long head.
            reuse(&mut self.partial);
        }
        end.saturating_sub(kept)
    }

    /// Drops bytes of the body.
    pub(crate) fn receive_body(&mut self, input: &[u8]) -> Dropped {
        match &mut self.head.body {
            Some(body) => body.drop_from(input),
            None => Dropped::Ended(0),
        }
    }

    /// Whether nothing of a request is kept, an empty line apart.
    pub(crate) fn is_blank(&self) -> bool {
        self.scan.is_blank()
    }

    /// The head will not become whole: what can be told of it all the same.
    pub(crate) fn cut_short(&mut self) {
        self.head_only = scan::begins_head_request(&self.partial);
    }

    /// Looks for the end of a head in `bytes`, and reads the head if it is there. Returns how many
    /// bytes are used.
    fn find_head(&mut self, bytes: &[u8], config: &Config) -> usize {
        match self.scan.advance(bytes, config) {
            Scanned::Partial => bytes.len(),
            Scanned::Whole(Layout {
                line,
                block,
                fields,
            }) => {
                let end = block.end;
                let decision = Line::parse(&bytes[line], config.max_target).and_then(|line| {
                    self.head_only = line.method == Method::Head;
                    fields::parse(&bytes[block], fields, |fields| {
                        self.head.read(&line, fields, &mut self.request, config)
                    })
                });
                self.decision = Some(decision.unwrap_or_else(Decision::Fatal));
                end
            }
            Scanned::Broken(status) => {
                self.head_only = scan::begins_head_request(bytes);
                self.decision = Some(Decision::Fatal(status));
                bytes.len()
            }
        }
    }

    /// As [`find_head`](Exchange::find_head), but for a head that lies whole in `bytes` and is
    /// sound. `None`: have a closer look.
    fn read_in_place(&mut self, bytes: &[u8], config: &Config) -> Option<usize> {
        let mut room = quick::ROOM;
        let Quick { line, fields, end } = quick::parse(bytes, &mut room, config)?;
        self.head_only = line.method == Method::Head;
        let decision = self.head.read(&line, fields, &mut self.request, config);
        self.decision = Some(decision.unwrap_or_else(Decision::Fatal));
        Some(end)
    }

    /// Makes it as good as new, apart from the memory it holds.
    pub(crate) fn clear(&mut self) {
        reuse(&mut self.partial);
        self.scan = Scan::default();
        self.request.clear();
        self.head = Head::default();
        self.head_only = false;
        self.decision = None;
        self.delivery.clear();
    }

    /// The memory that its buffers hold on to, in bytes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.partial.capacity() + self.request.capacity() + self.delivery.capacity()
    }
}
