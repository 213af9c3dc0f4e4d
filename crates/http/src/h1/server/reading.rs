//! Reading requests: the head, then the body if there is one.

use httparse::Header;

use super::{Connection, Step};
use crate::config::Config;
use crate::h1::body::Dropped;
use crate::h1::exchange::Exchange;
use crate::h1::fields;
use crate::h1::head::{Expectation, Request};
use crate::h1::line::{Line, Method};
use crate::h1::quick::{self, Quick};
use crate::h1::scan::{self, Layout, Scanned};
use crate::h1::scratch::Scratch;
use crate::semantics::status::Status;
use crate::semantics::verdict::Verdict;

impl Connection {
    pub(super) fn receive_head(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        if input.is_empty() {
            return 0;
        }
        let mut exchange = self.exchange.take().unwrap_or_else(|| scratch.lend());
        let config = &scratch.config;
        let kept = exchange.head.len();
        let taken = if kept == 0 {
            // A head that comes whole is read where it lies.
            let end = match self.read_in_place(input, &mut exchange, config) {
                Some(end) => end,
                None => self.find_head(input, &mut exchange, config),
            };
            if exchange.verdict.is_none() {
                exchange.head.extend_from_slice(input);
            }
            end
        } else {
            // One byte more than a head may have is enough to see that it has too many.
            let room = config.max_head.saturating_add(1).saturating_sub(kept);
            let mut head = std::mem::take(&mut exchange.head);
            head.extend_from_slice(&input[..input.len().min(room)]);
            let end = self.find_head(&head, &mut exchange, config);
            exchange.head = head;
            end.saturating_sub(kept)
        };
        let head_is_whole = exchange.verdict.is_some();
        let has_body = exchange.body.is_some();
        if head_is_whole {
            exchange.forget_head();
        }
        self.exchange = Some(exchange);
        let rest = &input[taken..];
        if has_body {
            self.step = Step::Body;
            return taken + self.receive_body(rest, scratch);
        }
        if head_is_whole {
            self.gives_back(rest.len());
            self.act(scratch);
        }
        taken
    }

    /// So many bytes behind the request go back to the driver.
    fn gives_back(&mut self, bytes: usize) {
        self.unread |= bytes > 0;
        self.pipelines |= bytes > 0;
    }

    /// Looks for the end of a head in `bytes`, and reads the head if it is there. Returns how many
    /// bytes are used.
    fn find_head(&mut self, bytes: &[u8], exchange: &mut Exchange, config: &Config) -> usize {
        match exchange.scan.advance(bytes, config) {
            Scanned::Partial => bytes.len(),
            Scanned::Whole(Layout {
                line,
                block,
                fields,
            }) => {
                let end = block.end;
                let verdict = Line::parse(&bytes[line], config.max_target).and_then(|line| {
                    self.head_only = line.method == Method::Head;
                    fields::parse(&bytes[block], fields, |fields| {
                        self.read(line, fields, exchange, config)
                    })
                });
                exchange.verdict = Some(verdict.unwrap_or_else(Verdict::Fatal));
                end
            }
            Scanned::Broken(status) => {
                self.head_only = scan::begins_head_request(bytes);
                exchange.verdict = Some(Verdict::Fatal(status));
                bytes.len()
            }
        }
    }

    /// As [`find_head`](Connection::find_head), but for a head that lies whole in `bytes` and is
    /// sound. `None`: have a closer look.
    fn read_in_place(
        &mut self,
        bytes: &[u8],
        exchange: &mut Exchange,
        config: &Config,
    ) -> Option<usize> {
        let mut room = quick::ROOM;
        let Quick { line, fields, end } = quick::parse(bytes, &mut room, config)?;
        let verdict = self.read(line, fields, exchange, config);
        exchange.verdict = Some(verdict.unwrap_or_else(Verdict::Fatal));
        Some(end)
    }

    /// The verdict on a head. An error means that its framing is not in order.
    fn read(
        &mut self,
        line: Line<'_>,
        fields: &[Header<'_>],
        exchange: &mut Exchange,
        config: &Config,
    ) -> Result<Verdict, Status> {
        self.requests = self.requests.saturating_add(1);
        self.head_only = line.method == Method::Head;
        let request = Request::new(line, fields, &mut exchange.conditions, config)?;
        let limit = config.max_requests_per_connection;
        self.old = request.line.old;
        self.last = !request.persistent;
        self.close = self.last || !config.keep_alive || (limit > 0 && self.requests >= limit);
        let verdict = Verdict::on(&request, &mut exchange.target);
        match request.body {
            None => {}
            // The client may be waiting for leave to send the body, and may go on without it. So
            // the final status comes at once, and nobody needs to guess what the next bytes are.
            Some(_) if request.expectation != Expectation::None => {
                self.close = true;
                self.unread = true;
            }
            Some(body) if body.exceeds(config.max_body) => return Ok(verdict.on_large_body()),
            Some(_) if matches!(verdict, Verdict::Fatal(_)) => {}
            body => exchange.body = body,
        }
        Ok(verdict)
    }

    pub(super) fn receive_body(&mut self, input: &[u8], scratch: &mut Scratch) -> usize {
        let Some(exchange) = self.exchange.as_deref_mut() else {
            return 0;
        };
        let Some(body) = &mut exchange.body else {
            return 0;
        };
        match body.drop_from(input) {
            Dropped::All => input.len(),
            Dropped::Ended(taken) => {
                self.gives_back(input.len() - taken);
                self.act(scratch);
                taken
            }
            Dropped::Broken => {
                self.fatal(Status::BadRequest, scratch);
                input.len()
            }
            Dropped::TooLarge => {
                exchange.verdict = exchange.verdict.map(Verdict::on_large_body);
                self.act(scratch);
                input.len()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::h1::exchange::MAX_SPARE_BUFFER;
    use std::sync::Arc;

    /// Bytes that the connection and the scratch hold on to.
    fn held(connection: &Connection, scratch: &Scratch) -> usize {
        let exchange = connection.exchange.as_ref();
        exchange.map_or(0, |exchange| exchange.capacity()) + scratch.out.capacity()
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let config = Arc::new(Config::default());
        // Twice the head, since a vector grows by doubling; the same again for what is made of it.
        let bound = 4 * config.max_head + 4096;
        for begin in [
            "",
            "G",
            "GET /",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nA: ",
            "GET / HTTP/1.1\r\nIf-None-Match: ",
            "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;",
            "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ",
            "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n\r\n",
        ] {
            for again in [
                "a",
                "a\r\n",
                "If-Match: \"a\"\r\n",
                "\r",
                "0\r\n",
                "\r\n",
                "/%41",
            ] {
                for piece in [1, 1000, 100_000] {
                    let mut scratch = Scratch::new(config.clone());
                    let mut connection = Connection::new();
                    let endless = again.repeat(300_000 / again.len());
                    connection.receive(begin.as_bytes(), &mut scratch);
                    for input in endless.as_bytes().chunks(piece) {
                        connection.receive(input, &mut scratch);
                        assert!(held(&connection, &scratch) < bound, "{begin:?} {again:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_exchange_given_back_is_small() {
        let mut scratch = Scratch::new(Arc::new(Config::default()));
        let mut connection = Connection::new();
        let fields = format!("If-None-Match: {}\r\n", "\"a\", ".repeat(3000));
        let head = format!(
            "OPTIONS /{} HTTP/1.1\r\nHost: h\r\n{fields}\r\n",
            "a".repeat(8000)
        );
        for byte in head.as_bytes() {
            connection.receive(&[*byte], &mut scratch);
        }
        assert_eq!(scratch.finished.len(), 1);
        assert!(connection.exchange.is_none());
        assert!(scratch.lend().capacity() <= 5 * MAX_SPARE_BUFFER);
    }
}
