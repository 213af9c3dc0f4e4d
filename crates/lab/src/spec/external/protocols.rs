//! What servers that are not ours speak.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use serde::Deserialize;
use tls::self_signed;

use super::{External, Given};
use crate::Failure;

/// A version of HTTP, by its name in RFC 7301.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Protocol {
    /// HTTP/1.1.
    #[serde(rename = "http/1.1")]
    Http1,
    /// HTTP/2; in the clear with prior knowledge.
    #[serde(rename = "h2")]
    Http2,
}

impl Protocol {
    /// As a client offers it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        })
    }
}

/// What a server speaks whose definition says nothing of it.
pub(super) fn by_default() -> Vec<Protocol> {
    vec![Protocol::Http1]
}

impl External {
    /// Whether it speaks TLS: it has a place for a certificate.
    pub fn is_secured(&self) -> bool {
        self.texts().any(|(text, _)| text.contains("@certificate@"))
    }

    /// The protocols that it speaks.
    pub fn protocols(&self) -> &[Protocol] {
        &self.definition.protocols
    }

    /// Says that it does not speak what it would be asked in.
    ///
    /// # Errors
    /// That, and what to put where.
    pub fn check_protocol(&self, protocol: Protocol) -> Result<(), Failure> {
        if self.protocols().contains(&protocol) {
            return Ok(());
        }
        let (path, label, name) = (self.path.display(), &self.label, protocol.name());
        Err(format!(
            "{label} is asked in {protocol}, which it does not speak; if it does, put \"{name}\" into protocols of {path}, or leave it out \
             of that load by [[exclude]]"
        )
        .into())
    }

    /// Fills in a certificate and its key where it speaks TLS, and gives the certificate's file: of the kind that `archbench serve --tls`
    /// makes, on loopback the very one, and kept where that is.
    ///
    /// # Errors
    /// That it cannot be made or kept.
    pub fn secure(&self, given: &mut Given, address: Ipv4Addr) -> std::io::Result<Option<PathBuf>> {
        if !self.is_secured() {
            return Ok(None);
        }
        let names = match address.is_loopback() {
            true => ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into(),
            false => vec![address.to_string()],
        };
        let cache = workload::fileset::cache_home().map_err(std::io::Error::other)?;
        let files = self_signed::kept(&names, &cache.join("tls"))?;
        given.extend([
            ("certificate", files.certificate.display().to_string()),
            ("key", files.key.display().to_string()),
        ]);
        Ok(Some(files.certificate))
    }
}
