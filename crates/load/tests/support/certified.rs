//! What a server of the tests needs to speak TLS.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A server called `localhost` that chooses among these protocols by ALPN, and its certificate in PEM.
pub fn server(protocols: &[&str]) -> (ServerConfig, String) {
    let pem = tls::self_signed::make(&["localhost".to_owned()]).expect("a certificate");
    let chain = CertificateDer::from_pem_slice(pem.certificate.as_bytes()).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(pem.key.as_bytes()).expect("PEM");
    let mut config = ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("they belong together");
    let protocols = protocols.iter().map(|name| name.as_bytes().to_vec());
    config.alpn_protocols = protocols.collect();
    (config, pem.certificate)
}
