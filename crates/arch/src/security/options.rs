//! What is asked for on the command line, and what comes of it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::SystemTime;

use rustls::pki_types::ServerName;
use tls::self_signed;

use super::{HandshakePlace, Security, Source};
use crate::address::Address;

/// The options of TLS.
#[derive(Debug, Clone, clap::Args)]
pub struct SecurityOptions {
    /// Speak TLS 1.3 and 1.2 at the address, and nothing in the clear. Without --cert, with a certificate that says of itself that it is
    /// right, made once for the names of this server and kept in the user's cache directory. SIGHUP then reads certificate and
    /// key again, and stops nothing
    #[arg(long, help_heading = "TLS")]
    pub tls: bool,
    /// The server's certificate in PEM, and behind it those between it and a root
    #[arg(long, value_name = "FILE", requires_all = ["tls", "key"], help_heading = "TLS")]
    pub cert: Option<PathBuf>,
    /// The private key of the certificate in PEM, not encrypted
    #[arg(long, value_name = "FILE", requires_all = ["tls", "cert"], help_heading = "TLS")]
    pub key: Option<PathBuf>,
    /// Who computes handshakes: whoever serves the connection, and all that it serves wait meanwhile, or a helper, in models that have
    /// any for the disk
    #[arg(
        long,
        value_name = "WHO",
        default_value = "inline",
        requires = "tls",
        help_heading = "TLS"
    )]
    pub handshake: HandshakePlace,
}

impl SecurityOptions {
    /// A certificate of our own making, where one is asked for and none is given: to be made before the rights are given up that it may
    /// take to write and read it.
    pub(crate) fn make_own(&self, address: &Address) -> io::Result<Option<Security>> {
        if !self.tls || self.cert.is_some() {
            return Ok(None);
        }
        let cache = workload::fileset::cache_home().map_err(|error| {
            io::Error::new(
                ErrorKind::NotFound,
                format!("{error}; give a certificate with --cert and --key"),
            )
        })?;
        let files = self_signed::kept(&names(address), &cache.join("tls"))?;
        let source = Source {
            certificate: files.certificate,
            key: files.key,
            is_own: true,
        };
        Security::read(source, self.handshake).map(Some)
    }

    /// What was given.
    pub(crate) fn read_given(&self) -> io::Result<Option<Security>> {
        let (Some(certificate), Some(key)) = (&self.cert, &self.key) else {
            return Ok(None);
        };
        let source = Source {
            certificate: certificate.clone(),
            key: key.clone(),
            is_own: false,
        };
        Security::read(source, self.handshake).map(Some)
    }
}

impl Security {
    /// What whoever starts a server at `address` has to be told of its certificate.
    pub fn warnings(&self, address: &Address) -> Vec<String> {
        let certificate = self.certificate();
        let warnings = |certificate: &tls::Certificate| {
            certificate.warnings(&names(address), SystemTime::now())
        };
        certificate.as_ref().map(warnings).unwrap_or_default()
    }
}

/// By which names clients may come.
fn names(address: &Address) -> Vec<String> {
    let host = rustix::system::uname();
    let host = host.nodename().to_str().ok();
    let host = host
        .filter(|host| ServerName::try_from(*host).is_ok())
        .map(str::to_owned);
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    match address.ip().map(|address| address.ip()) {
        Some(ip) if ip.is_unspecified() => local.into_iter().chain(host).collect(),
        Some(ip) if !ip.is_loopback() => std::iter::once(ip.to_string()).chain(host).collect(),
        Some(ip) if !local.contains(&ip.to_string()) => {
            local.into_iter().chain([ip.to_string()]).collect()
        }
        _ => local.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_come_by_the_names_of_where_it_listens() {
        let names = |address: &str| names(&address.parse().unwrap());
        let local = ["localhost", "127.0.0.1", "::1"];
        assert_eq!(names("127.0.0.1:0"), local);
        assert_eq!(names("unix:@place"), local);
        assert_eq!(names("127.0.0.7:1").last().unwrap(), "127.0.0.7");
        assert!(names("0.0.0.0:443").starts_with(&local.map(str::to_owned)));
        let elsewhere = names("10.1.2.3:443");
        assert!(elsewhere[0] == "10.1.2.3" && !elsewhere.contains(&local[0].to_owned()));
        // Whatever the machine is called, a certificate can be made for it.
        tls::self_signed::make(&names("0.0.0.0:443")).unwrap();
    }
}
