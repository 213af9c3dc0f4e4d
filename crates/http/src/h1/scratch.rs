//! What connections need only while they are worked on.

use std::sync::Arc;

use crate::config::Config;
use crate::h1::encode::{self, Manner};
use crate::h1::exchange::Exchange;
use crate::h1::stamp::Stamp;
use crate::h2::stream::Stream;
use crate::semantics::response::Response;

/// Most exchanges kept for later. Beyond it the allocator serves: so many answers under way at once
/// have other costs.
const MAX_SPARE: usize = 1024;

/// The answers' way out, the time, and a store of buffers. One for each thread or loop, shared by
/// its connections.
#[derive(Debug)]
pub struct Scratch {
    /// Bytes to put on the socket, in order, and before the part of a file that
    /// [`Want::Send`](crate::Want::Send) names. The driver drains it before it works on another
    /// connection.
    pub out: Vec<u8>,
    /// Answers whose last byte has been handed over since the driver last drained this.
    pub finished: Vec<Finished>,
    pub(crate) config: Arc<Config>,
    pub(crate) stamp: Stamp,
    #[expect(
        clippy::vec_box,
        reason = "the box moves into a connection and back; taking it apart would allocate"
    )]
    spare: Vec<Box<Exchange>>,
    #[expect(clippy::vec_box, reason = "likewise")]
    spare_streams: Vec<Box<Stream>>,
    /// Where values are decoded and put together; nothing in it is kept.
    pub(crate) text: Vec<u8>,
}

/// An answer that is complete as far as this machine is concerned: all of it was handed to the
/// driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The status code of the answer.
    pub status: u16,
}

impl Scratch {
    /// Without a time, answers carry no Date: see [`set_time`](Scratch::set_time).
    pub fn new(config: Arc<Config>) -> Scratch {
        Scratch {
            out: Vec::new(),
            finished: Vec::new(),
            config,
            stamp: Stamp::new(),
            spare: Vec::new(),
            spare_streams: Vec::new(),
            text: Vec::new(),
        }
    }

    /// Tells the time, in whole seconds since the epoch. Costs next to nothing while the second is
    /// the same.
    ///
    /// A server without a clock must not send Date (RFC 9110, 6.6.1), and so none is sent before
    /// the first call.
    #[inline]
    pub fn set_time(&mut self, unix_s: u64) {
        self.stamp.set_time(unix_s);
    }

    /// Whether requests keep all of their fields, to be answered elsewhere.
    pub fn keeps_fields(&self) -> bool {
        self.config.keep_fields
    }

    /// Appends a response to what goes out.
    pub(crate) fn encode(&mut self, response: &Response<'_>, manner: Manner) {
        encode::encode(response, manner, &self.stamp, &mut self.out);
    }

    /// An exchange that is as good as new. To be given back.
    pub(crate) fn lend(&mut self) -> Box<Exchange> {
        self.spare.pop().unwrap_or_default()
    }

    /// A stream that is as good as new. To be given back.
    pub(crate) fn lend_stream(&mut self) -> Box<Stream> {
        self.spare_streams.pop().unwrap_or_default()
    }

    pub(crate) fn give_back_stream(&mut self, mut stream: Box<Stream>) {
        if self.spare_streams.len() < MAX_SPARE {
            stream.clear();
            self.spare_streams.push(stream);
        }
    }

    pub(crate) fn give_back(&mut self, mut exchange: Box<Exchange>) {
        if self.spare.len() < MAX_SPARE {
            exchange.clear();
            self.spare.push(exchange);
        }
    }
}
