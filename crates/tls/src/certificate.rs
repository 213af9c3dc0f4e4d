//! A certificate and its key, read from files, and what is wrong with them.

use std::fmt::{self, Write};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use webpki::{EndEntityCert, KeyUsage};

use crate::provider::provider;

/// Why a certificate cannot be used, in a line for whoever gave it.
#[derive(Debug)]
pub struct Problem {
    kind: ErrorKind,
    text: String,
}

impl Problem {
    fn new(text: String) -> Self {
        Self {
            kind: ErrorKind::InvalidInput,
            text,
        }
    }

    fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            ErrorKind::PermissionDenied => {
                "; this user has to be allowed to read it, and so has whom a server becomes with --user"
            }
            _ => "",
        };
        Self {
            kind: error.kind(),
            text: format!("cannot read the {what} {}: {error}{hint}", path.display()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

impl From<Problem> for std::io::Error {
    fn from(problem: Problem) -> Self {
        Self::new(problem.kind, problem.text)
    }
}

/// The certificates of a file in PEM, at least one.
///
/// # Errors
/// Where it cannot be read, or holds none.
pub fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let bytes =
        std::fs::read(path).map_err(|error| Problem::unreadable("certificate", path, &error))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(Problem::new(format!(
            "{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)",
            path.display()
        ))),
        Err(error) => Err(Problem::new(format!(
            "{} is no certificate in PEM: {error}",
            path.display()
        ))),
    }
}

/// A certificate, with those between it and a root, and the key that belongs to it.
///
/// # Errors
/// What is wrong with either: it cannot be read, is encrypted, is none, or belongs to another.
pub fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, Problem> {
    let chain = certificates(certificate)?;
    let private = private_key(key)?;
    let (key, certificate) = (key.display(), certificate.display());
    CertifiedKey::from_der(chain, private, &provider()).map_err(|error| {
        Problem::new(match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                format!("the key {key} does not belong to the certificate {certificate}")
            }
            Error::InvalidCertificate(error) => {
                format!("{certificate} is no certificate that can be served: {error}")
            }
            error => format!("the key {key} cannot be used: {error}"),
        })
    })
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    let bytes = std::fs::read(path).map_err(|error| Problem::unreadable("key", path, &error))?;
    let is_encrypted = |words: &str| {
        let mut windows = bytes.windows(words.len());
        windows.any(|window| window == words.as_bytes())
    };
    let shown = path.display();
    if is_encrypted("BEGIN ENCRYPTED PRIVATE KEY") || is_encrypted("Proc-Type: 4,ENCRYPTED") {
        return Err(Problem::new(format!(
            "the key {shown} is encrypted, and nobody is asked for its passphrase: decrypt it with \
             'openssl pkey -in {shown} -out FILE'"
        )));
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        Problem::new(match error {
            pem::Error::NoItemsFound => {
                format!("{shown} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)")
            }
            error => format!("{shown} is no private key in PEM: {error}"),
        })
    })
}

/// A certificate, as whoever presents it is asked about it.
#[derive(Debug, Clone)]
pub struct Certificate {
    path: PathBuf,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// The first certificate of a file.
    ///
    /// # Errors
    /// As [`certificates`].
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let mut certificates = certificates(path)?;
        Ok(Self {
            path: path.to_owned(),
            der: certificates.swap_remove(0),
        })
    }

    /// Its SHA-256 fingerprint, as browsers and OpenSSL show it: pairs of hexadecimal digits with colons between.
    pub fn fingerprint(&self) -> String {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.der);
        let mut text = String::new();
        for byte in digest.as_ref() {
            let colon = if text.is_empty() { "" } else { ":" };
            let _ = write!(text, "{colon}{byte:02X}");
        }
        text
    }

    /// Whether it is for this name, which may be an address.
    pub fn fits(&self, name: &str) -> bool {
        let name = ServerName::try_from(name);
        let certificate = EndEntityCert::try_from(&self.der);
        match (certificate, name) {
            (Ok(certificate), Ok(name)) => {
                certificate.verify_is_valid_for_subject_name(&name).is_ok()
            }
            _ => false,
        }
    }

    /// Whether it is valid at that time.
    ///
    /// # Errors
    /// In words, since or from when not.
    pub(crate) fn is_valid_at(&self, time: SystemTime) -> Result<(), String> {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        let now = UnixTime::since_unix_epoch(since.unwrap_or_default());
        let certificate = EndEntityCert::try_from(&self.der).map_err(|error| error.to_string())?;
        let verified = certificate.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &[],
            &[],
            now,
            KeyUsage::server_auth(),
            None,
            None,
        );
        let days = |from: UnixTime, to: UnixTime| to.as_secs().saturating_sub(from.as_secs()) / DAY;
        match verified {
            Err(webpki::Error::CertExpired { time, not_after }) => {
                Err(format!("has expired ({} days ago)", days(not_after, time)))
            }
            Err(webpki::Error::CertNotValidYet { time, not_before }) => Err(format!(
                "is not valid yet (for {} more days)",
                days(time, not_before)
            )),
            // Who has issued it, and whether he is known, is for clients to judge.
            _ => Ok(()),
        }
    }

    /// What whoever serves it has to be told: it is served all the same. `names`: by which clients may come.
    pub fn warnings(&self, names: &[String], now: SystemTime) -> Vec<String> {
        let shown = self.path.display();
        let mut warnings = Vec::new();
        if let Err(why) = self.is_valid_at(now) {
            warnings.push(format!(
                "the certificate {shown} {why}: clients will refuse it"
            ));
        }
        if !names.iter().any(|name| self.fits(name)) {
            let names = names.join(", ");
            warnings.push(format!(
                "the certificate {shown} is for none of the names of this server ({names}): clients that use one will refuse it"
            ));
        }
        warnings
    }
}

const DAY: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::self_signed;
    use std::time::Duration;

    struct Place {
        directory: tempfile::TempDir,
    }

    impl Place {
        fn new() -> Self {
            Self {
                directory: tempfile::tempdir().unwrap(),
            }
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        }
    }

    fn names() -> Vec<String> {
        vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
    }

    /// Each in one line, with the file's name and what to do.
    #[test]
    fn what_is_wrong_is_said_in_a_line() {
        let place = Place::new();
        let pem = self_signed::make(&names()).unwrap();
        let other = self_signed::make(&names()).unwrap();
        let certificate = place.file("certificate.pem", &pem.certificate);
        let key = place.file("key.pem", &pem.key);
        read(&certificate, &key).unwrap();
        let encrypted = pem.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let cases = [
            (
                place.file("others.pem", &other.key),
                "does not belong to the certificate",
            ),
            (place.file("encrypted.pem", &encrypted), "openssl pkey"),
            (place.file("empty.pem", ""), "holds no private key in PEM"),
            (place.file("cut.pem", &pem.key[..60]), "key in PEM"),
            (
                place.directory.path().join("none.pem"),
                "cannot read the key",
            ),
        ];
        for (key, expected) in cases {
            let why = read(&certificate, &key).unwrap_err().to_string();
            assert!(why.contains(expected), "{why}");
            assert!(why.contains(key.to_str().unwrap()), "{why}");
            assert!(!why.contains('\n'), "{why}");
        }
        let why = read(&key, &key).unwrap_err().to_string();
        assert!(why.contains("holds no certificate in PEM"), "{why}");
    }

    #[test]
    fn what_clients_will_refuse_is_a_warning() {
        let place = Place::new();
        let pem = self_signed::make(&names()).unwrap();
        let path = place.file("certificate.pem", &pem.certificate);
        let certificate = Certificate::read(&path).unwrap();
        let now = SystemTime::now();
        assert_eq!(certificate.warnings(&names(), now), [""; 0]);
        let elsewhere = certificate.warnings(&["example.org".to_owned()], now);
        assert!(
            elsewhere.len() == 1 && elsewhere[0].contains("example.org"),
            "{elsewhere:?}"
        );
        // What is made here lasts for two thousand years, and began before there were any.
        let late = certificate.warnings(&names(), now + Duration::from_secs(3000 * 365 * DAY));
        assert!(
            late.len() == 1 && late[0].contains("has expired"),
            "{late:?}"
        );
        let early = certificate.warnings(&names(), SystemTime::UNIX_EPOCH);
        assert!(
            early.len() == 1 && early[0].contains("not valid yet"),
            "{early:?}"
        );
    }

    #[test]
    fn a_fingerprint_is_thirty_two_pairs() {
        let place = Place::new();
        let pem = self_signed::make(&names()).unwrap();
        let path = place.file("certificate.pem", &pem.certificate);
        let fingerprint = Certificate::read(&path).unwrap().fingerprint();
        let pairs: Vec<_> = fingerprint.split(':').collect();
        assert_eq!(pairs.len(), 32, "{fingerprint}");
        assert!(
            pairs
                .iter()
                .all(|pair| u8::from_str_radix(pair, 16).is_ok())
        );
    }
}
