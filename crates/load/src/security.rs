//! The client's end of TLS: whom to believe, which protocol is spoken over it, and sessions that are taken up again.

mod secured;

use crate::cli::Arguments;
use crate::clock::Nanos;
use crate::usage;
use crate::{Failure, url::Url};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
pub(crate) use secured::{Secured, Shaking};
use std::path::Path;
use std::sync::Arc;

/// The options that mean nothing where nothing is encrypted.
const OPTIONS: [&str; 3] = ["--cacert", "--insecure", "--tls-resume"];

/// Protocols by the names that they have in ALPN (RFC 7301, section 6).
const HTTP1: &[u8] = b"http/1.1";
const HTTP2: &[u8] = b"h2";

/// How connections of a run are secured.
#[derive(Clone, Debug)]
pub struct Security {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    http2: bool,
}

impl Security {
    /// What was asked for, where `url` is an `https://` one.
    ///
    /// # Errors
    /// For the person who typed: an option without effect, or certificates that cannot be had.
    pub(crate) fn of(arguments: &Arguments, url: &Url) -> Result<Option<Self>, Failure> {
        let typed = [
            arguments.cacert.is_some(),
            arguments.insecure,
            arguments.tls_resume.is_some(),
        ];
        if !url.is_secure() {
            return match typed.iter().position(|typed| *typed) {
                Some(at) => Err(usage(format!(
                    "{} has no effect on http:// URLs: ask for https:// ones",
                    OPTIONS[at]
                ))),
                None => Ok(None),
            };
        }
        let resumption = match arguments.tls_resume {
            Some(Resume::Off) => Resumption::disabled(),
            _ => Resumption::default(),
        };
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()?;
        let mut config = match arguments.insecure {
            true => config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody)),
            false => config.with_root_certificates(roots(arguments.cacert.as_deref())?),
        }
        .with_no_client_auth();
        // What is measured is one of them, and not whichever the server prefers.
        let protocol = if arguments.http2 { HTTP2 } else { HTTP1 };
        config.alpn_protocols = vec![protocol.to_vec()];
        config.resumption = resumption;
        Ok(Some(Self {
            config: Arc::new(config),
            name: url.server_name()?,
            http2: arguments.http2,
        }))
    }

    /// The same, by which no session is ever taken up again.
    pub(crate) fn without_resumption(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = Resumption::disabled();
        Self {
            config: Arc::new(config),
            ..self.clone()
        }
    }

    /// The client's end of a connection on which nothing has been sent.
    pub(crate) fn connect(&self, now: Nanos) -> std::io::Result<Secured> {
        let config = Arc::clone(&self.config);
        let connection = UnbufferedClientConnection::new(config, self.name.clone());
        let connection = connection.map_err(std::io::Error::other)?;
        Ok(Secured::new(connection, self.http2, now))
    }
}

/// Whether sessions are taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Resume {
    /// By tickets, as browsers do.
    On,
    /// Every handshake is a full one.
    Off,
}

/// Whom to believe: those of the file, or else those whom this machine believes, the organisation's own among them, which a list that is
/// compiled in would not have.
fn roots(cacert: Option<&Path>) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = cacert {
        for certificate in tls::certificate::certificates(path)? {
            let added = roots.add(certificate);
            added.map_err(|error| format!("{} cannot be trusted: {error}", path.display()))?;
        }
        return Ok(roots);
    }
    // Without any, whatever the server shows is refused, which says what can be done.
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    Ok(roots)
}

/// What went wrong with a connection that was to speak HTTP/2, or HTTP/1.1, and what to do, for people: without the names of the library's
/// types.
pub(crate) fn in_words(error: &std::io::Error, http2: bool) -> String {
    let of_tls = error.get_ref().and_then(|why| why.downcast_ref());
    let why = match of_tls {
        Some(Error::InvalidCertificate(why)) => why,
        Some(
            Error::NoApplicationProtocol
            | Error::AlertReceived(AlertDescription::NoApplicationProtocol),
        ) => {
            let words = match http2 {
                true => {
                    "the server does not choose HTTP/2 (ALPN h2): let it speak that, or leave out --http2"
                }
                false => {
                    "the server does not choose HTTP/1.1 (ALPN http/1.1): let it speak that, or ask with --http2"
                }
            };
            return words.to_owned();
        }
        _ => return error.to_string(),
    };
    let why = match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name than the URL's"
        }
        CertificateError::Revoked => "was revoked",
        CertificateError::BadEncoding => "cannot be read",
        _ => "is signed by nobody who is believed",
    };
    format!(
        "the server's certificate {why}; name whom to believe with --cacert FILE, or believe anybody with --insecure"
    )
}

/// Believes everybody. What is signed is verified all the same: it is part of what a handshake costs.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = tls::provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, &known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = tls::provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = tls::provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
