//! The client's end of TLS: whom to believe, and sessions that are taken up again.

use crate::cli::Arguments;
use crate::usage;
use crate::{Failure, url::Url};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use std::path::Path;
use std::sync::Arc;

/// The options that mean nothing where nothing is encrypted.
const OPTIONS: [&str; 3] = ["--cacert", "--insecure", "--tls-resume"];

/// How connections of a run are secured.
#[derive(Clone, Debug)]
pub struct Security {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
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
        if arguments.idle > 0 {
            return Err(usage(
                "--idle connections are made in the clear: they cannot be beside https:// URLs",
            ));
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
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = resumption;
        Ok(Some(Self {
            config: Arc::new(config),
            name: url.server_name()?,
        }))
    }

    /// The client's end of a connection on which nothing has been sent.
    pub(crate) fn connect(&self) -> Result<UnbufferedClientConnection, Error> {
        UnbufferedClientConnection::new(Arc::clone(&self.config), self.name.clone())
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

/// What went wrong with a connection, for people: what is wrong with a certificate is said without the names of the library's types.
pub(crate) fn in_words(error: &std::io::Error) -> String {
    let of_tls = error.get_ref().and_then(|why| why.downcast_ref());
    let Some(Error::InvalidCertificate(why)) = of_tls else {
        return error.to_string();
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
    format!("the server's certificate {why}")
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
