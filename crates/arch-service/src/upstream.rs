//! The other half of the paper: the same abstraction at the client. A service that has another server answer, and so makes a reverse
//! proxy of whatever stands before it.
//!
//! ```text
//!  request ─► a kept connection, or a new one ─► head ─► response          within the time-out
//!                                                  └───► body, piece by piece, as the client takes it
//! ```

mod body;
mod connection;
mod pool;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Method;
use http::relay::RelayedHead;
use tokio::time::timeout;
use tower::Service;

pub(crate) use body::Body;
use connection::{Connection, Fault};
use pool::Pool;

use crate::service::{Answering, Error, Request, Response};

/// Where another server is: host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// As Host says it.
    authority: String,
    /// The same with a port.
    socket: String,
}

impl FromStr for Address {
    type Err = String;

    /// Reads `http://HOST[:PORT][/]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{what}: expected http://HOST:PORT");
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(wrong("there is no scheme"));
        };
        if !scheme.eq_ignore_ascii_case("http") {
            return Err(wrong("only plain HTTP is spoken upstream"));
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(wrong(
                "requests are passed on with the path that they have, and no other",
            ));
        }
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._:[]".contains(letter);
        // A colon within brackets is an address's.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let is_bare = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
        if host.is_empty() || !is_bare || !host.chars().all(is_plain) {
            return Err(wrong("that is no host"));
        }
        if port.is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(wrong("that is no port"));
        }
        Ok(Self {
            authority: authority.to_owned(),
            socket: format!("{host}:{}", port.unwrap_or("80")),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}/", self.authority)
    }
}

/// Has another server answer.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pool: Arc<Pool>,
    patience: Duration,
}

impl Upstream {
    /// Waits so long for a head, and for each piece of a body.
    pub(crate) fn new(address: Address, patience: Duration) -> Self {
        let pool = Arc::new(Pool::new(address, patience));
        Self { pool, patience }
    }
}

impl Service<Request> for Upstream {
    type Response = Response;
    type Error = Error;
    type Future = Answering;

    /// Always: a connection is made for whoever finds none. Whether the other server is there is known when it is asked.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answering {
        let (pool, patience) = (Arc::clone(&self.pool), self.patience);
        Box::pin(async move {
            let answer = timeout(patience, ask(&pool, &request)).await;
            answer.unwrap_or(Err(Error::TimedOut))
        })
    }
}

/// Asks over a kept connection if there is one. One that ends before any answer may have been ended by the other server when the
/// request was not there yet: it is asked again over a new one, as clients do (RFC 9112, section 9.3.1), since GET and HEAD may be
/// repeated.
async fn ask(pool: &Arc<Pool>, request: &Request) -> Result<Response, Error> {
    if let Some(kept) = pool.take() {
        match answer(kept, pool, request).await {
            Err(Fault::BeforeAnswer) => {}
            outcome => return outcome.map_err(Error::from),
        }
    }
    let fresh = pool.connect().await.map_err(|_| Error::Unreachable)?;
    Ok(answer(fresh, pool, request).await?)
}

async fn answer(
    mut connection: Connection,
    pool: &Arc<Pool>,
    request: &Request,
) -> Result<Response, Fault> {
    connection.send(request, pool.authority()).await?;
    connection.receive_head().await?;
    let mut head = RelayedHead::read(connection.head()).ok_or(Fault::Malformed)?;
    let body = Body::begin(connection, pool)?;
    if let (Some(bytes), None) = (body.bytes(), head.length())
        && request.method() == Method::Get
        && !matches!(head.status(), 204 | 304)
    {
        head.set_length(bytes.len() as u64);
    }
    Ok(Response::Relayed(Box::new(head), body))
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::BeforeAnswer => Self::Unreachable,
            Fault::Malformed => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_another_server_is() {
        for (text, socket, authority) in [
            ("http://127.0.0.1:8081", "127.0.0.1:8081", "127.0.0.1:8081"),
            ("HTTP://host/", "host:80", "host"),
            ("http://[::1]:81/", "[::1]:81", "[::1]:81"),
            ("http://[::1]", "[::1]:80", "[::1]"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((&*address.socket, &*address.authority), (socket, authority));
        }
        for (text, part) in [
            ("127.0.0.1:8081", "no scheme"),
            ("https://host", "only plain HTTP"),
            ("http://host/a", "with the path"),
            ("http://host?a", "with the path"),
            ("http://", "no host"),
            ("http://me@host", "no host"),
            ("http://::1:80", "no host"),
            ("http://a b", "no host"),
            ("http://host:99999", "no port"),
            ("http://host:", "no port"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(
                error.contains(part) && error.ends_with("expected http://HOST:PORT"),
                "{error}"
            );
        }
    }
}
