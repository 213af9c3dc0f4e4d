//! Connections to another server that are kept for the next request.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::Address;
use super::connection::Connection;

/// The most connections that are kept while nobody needs them.
const MOST: usize = 32;
/// How long one is kept: less than most servers wait for the next request, so that they seldom end it at the moment of its use.
const KEPT_FOR: Duration = Duration::from_secs(4);

/// The way to another server.
#[derive(Debug)]
pub(super) struct Pool {
    address: Address,
    /// How long is waited for each piece of an answer.
    patience: Duration,
    /// Those used last are at the end.
    kept: Mutex<Vec<(Instant, Connection)>>,
}

impl Pool {
    pub(super) fn new(address: Address, patience: Duration) -> Self {
        Self {
            address,
            patience,
            kept: Mutex::default(),
        }
    }

    pub(super) fn authority(&self) -> &str {
        &self.address.authority
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// The connection that was used last, unless it has been kept for too long, has ended, or says what nobody asked for.
    pub(super) fn take(&self) -> Option<Connection> {
        let oldest = Instant::now().checked_sub(KEPT_FOR);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (since, connection) = kept.pop()?;
            if oldest.is_some_and(|oldest| since < oldest) {
                // All others are older.
                kept.clear();
                return None;
            }
            if connection.is_quiet() {
                return Some(connection);
            }
        }
    }

    /// A new connection. A name is looked up again for each.
    pub(super) async fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(&self.address.socket).await?;
        stream.set_nodelay(true)?;
        Ok(Connection::new(stream))
    }

    /// Keeps a connection whose answer is whole.
    pub(super) fn keep(&self, connection: Connection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == MOST {
            kept.remove(0);
        }
        kept.push((Instant::now(), connection));
    }
}
