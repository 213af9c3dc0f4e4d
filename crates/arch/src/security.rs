//! What the TLS sessions of a server have in common: a certificate, the keys of tickets, and who computes handshakes.

mod options;
pub mod tickets;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::server::{ProducesTickets, UnbufferedServerConnection};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

pub use options::SecurityOptions;
use tickets::TicketKeys;

/// Who computes a handshake: what comes of it is a signature and two multiplications on a curve, for which a client has to send
/// next to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum HandshakePlace {
    /// Whoever serves the connection, and all that it serves meanwhile wait.
    Inline,
    /// A helper, as with a file that is not in memory.
    Helper,
}

/// Protocols that are offered, in the order in which they are preferred (RFC 7301); the first only where it was asked for.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The security that a server's connections have. Processes that are forked share the keys of tickets.
pub struct Security {
    config: RwLock<Arc<ServerConfig>>,
    tickets: Arc<TicketKeys>,
    place: HandshakePlace,
    source: Option<Source>,
    offers_http2: bool,
}

/// Where the certificate and its key are read.
#[derive(Debug, Clone)]
pub struct Source {
    /// The certificate, and those between it and a root, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// Of our own making.
    pub is_own: bool,
}

impl Source {
    fn read(&self) -> Result<CertifiedKey, tls::Problem> {
        tls::certificate::read(&self.certificate, &self.key)
    }
}

impl Security {
    /// With a certificate and its key from files, which [`reload`](Self::reload) reads again.
    ///
    /// # Errors
    /// What is wrong with them, in a line.
    pub fn read(source: Source, place: HandshakePlace) -> std::io::Result<Self> {
        let certified = source.read()?;
        let mut security = Self::new(certified, place)?;
        security.source = Some(source);
        Ok(security)
    }

    /// With a certificate and its key.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn new(certified: CertifiedKey, place: HandshakePlace) -> std::io::Result<Self> {
        let tickets = Arc::new(TicketKeys::new()?);
        Ok(Self {
            config: RwLock::new(config(certified, Arc::clone(&tickets) as _, false)),
            tickets,
            place,
            source: None,
            offers_http2: false,
        })
    }

    /// Offers HTTP/2 beside HTTP/1.1.
    pub fn offering_http2(mut self) -> Self {
        self.offers_http2 = true;
        let config = self.config.get_mut();
        let config = Arc::make_mut(config.unwrap_or_else(PoisonError::into_inner));
        config.alpn_protocols = protocols(true);
        self
    }

    /// Reads the certificate and its key again, for the connections that come from now on.
    ///
    /// # Errors
    /// What is wrong with them, in a line: those from before are kept.
    pub fn reload(&self) -> std::io::Result<()> {
        if let Some(source) = &self.source {
            let config = config(
                source.read()?,
                Arc::clone(&self.tickets) as _,
                self.offers_http2,
            );
            *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        }
        Ok(())
    }

    /// As [`reload`](Self::reload), for whoever nobody waits for: what is wrong is said on standard error.
    pub(crate) fn reload_or_complain(&self) -> bool {
        let reloaded = self.reload();
        if let Err(error) = &reloaded {
            // Whoever has closed it does not want to know.
            let _ = writeln!(
                std::io::stderr(),
                "error: {error}; the certificate from before is served on"
            );
        }
        reloaded.is_ok()
    }

    /// Where certificate and key are read, where they are files.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// The certificate as it is now in its file.
    pub fn certificate(&self) -> Option<tls::Certificate> {
        let source = self.source.as_ref()?;
        tls::Certificate::read(&source.certificate).ok()
    }

    /// The keys of tickets.
    pub fn tickets(&self) -> &TicketKeys {
        &self.tickets
    }

    /// Who computes handshakes.
    pub fn place(&self) -> HandshakePlace {
        self.place
    }

    /// The server's end of a connection on which nothing has come.
    pub(crate) fn accept(&self) -> UnbufferedServerConnection {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        UnbufferedServerConnection::new(Arc::clone(&config))
            .expect("records are as long as they may be, which is the only thing that can be wrong")
    }
}

/// TLS 1.3 and 1.2; sessions are resumed by tickets, so that no process remembers any; no early data, which could be replayed.
fn config(
    certified: CertifiedKey,
    tickets: Arc<dyn ProducesTickets>,
    offers_http2: bool,
) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .expect("the ciphers are those of both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = protocols(offers_http2);
    config.ticketer = tickets;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Arc::new(config)
}

fn protocols(offers_http2: bool) -> Vec<Vec<u8>> {
    let offered = &PROTOCOLS[usize::from(!offers_http2)..];
    offered.iter().map(|name| name.to_vec()).collect()
}

impl fmt::Debug for Security {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut security = formatter.debug_struct("Security");
        security.field("source", &self.source);
        security.field("place", &self.place).finish_non_exhaustive()
    }
}
