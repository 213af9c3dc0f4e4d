//! A certificate of our own making, for whoever wants TLS and has none.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use rcgen::{CertificateParams, DnType, KeyPair};

use crate::certificate::Certificate;

/// A certificate and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pem {
    /// The certificate, which says of itself that it is right.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// Files that hold the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The certificate's, which clients may be given to trust.
    pub certificate: PathBuf,
    /// Its key's, which its owner alone may read.
    pub key: PathBuf,
}

/// Makes a certificate for these names and addresses: ECDSA on P-256, which other servers' certificates are compared with. It does
/// not expire.
///
/// # Errors
/// Where a name is none, or the system gives no random bytes.
pub fn make(names: &[String]) -> io::Result<Pem> {
    let failed = |error: rcgen::Error| {
        let names = names.join(", ");
        io::Error::other(format!("cannot make a certificate for {names}: {error}"))
    };
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
    let mut parameters = CertificateParams::new(names).map_err(failed)?;
    let first = names.first().map_or("archbench", String::as_str);
    parameters
        .distinguished_name
        .push(DnType::CommonName, first);
    let certificate = parameters.self_signed(&key).map_err(failed)?;
    Ok(Pem {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// The certificate for these names that is kept below `directory`, made if there is none.
///
/// # Errors
/// Where it cannot be made or written.
pub fn kept(names: &[String], directory: &Path) -> io::Result<Files> {
    let digest = ring::digest::digest(&ring::digest::SHA256, names.join("\n").as_bytes());
    let hash: String = digest.as_ref()[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let place = directory.join(&hash);
    let files = Files {
        certificate: place.join("certificate.pem"),
        key: place.join("key.pem"),
    };
    if files.are_right(names) {
        return Ok(files);
    }
    let pem = make(names)?;
    // Both at once: whoever else makes one at the same time must not be left with halves of two.
    let draft = directory.join(format!("{hash}.{}", std::process::id()));
    let written = fs::create_dir_all(&draft)
        .and_then(|()| write(&draft.join("certificate.pem"), &pem.certificate, 0o644))
        .and_then(|()| write(&draft.join("key.pem"), &pem.key, 0o600))
        .and_then(|()| match fs::rename(&draft, &place) {
            // Somebody else was first, or what is there cannot be used.
            Err(_) if !files.are_right(names) => {
                fs::remove_dir_all(&place).and_then(|()| fs::rename(&draft, &place))
            }
            _ => Ok(()),
        });
    let _ = fs::remove_dir_all(&draft);
    written.map_err(|error| {
        let place = place.display();
        io::Error::new(
            error.kind(),
            format!(
                "cannot keep a certificate in {place}: {error}; give one with --cert and --key"
            ),
        )
    })?;
    Ok(files)
}

fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    options.open(path)?.write_all(text.as_bytes())
}

impl Files {
    fn are_right(&self, names: &[String]) -> bool {
        let certificate = Certificate::read(&self.certificate);
        let fits =
            certificate.is_ok_and(|certificate| names.iter().all(|name| certificate.fits(name)));
        fits && crate::certificate::read(&self.certificate, &self.key).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn names() -> Vec<String> {
        ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into()
    }

    #[test]
    fn what_was_made_is_kept_and_its_key_is_its_owners() {
        let place = tempfile::tempdir().unwrap();
        let first = kept(&names(), place.path()).unwrap();
        let again = kept(&names(), place.path()).unwrap();
        let of = |files: &Files| fs::read(&files.certificate).unwrap();
        assert_eq!((of(&first), &first), (of(&again), &again));
        let mode = fs::metadata(&first.key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = kept(&names()[..1], place.path()).unwrap();
        assert_ne!(of(&first), of(&other));
        assert_eq!(
            fs::read_dir(place.path()).unwrap().count(),
            2,
            "no draft is left"
        );
    }

    #[test]
    fn what_is_broken_is_made_anew() {
        let place = tempfile::tempdir().unwrap();
        let files = kept(&names(), place.path()).unwrap();
        fs::write(&files.key, make(&names()).unwrap().key).unwrap();
        let again = kept(&names(), place.path()).unwrap();
        crate::certificate::read(&again.certificate, &again.key).unwrap();
    }

    #[test]
    fn a_name_that_is_none_is_told() {
        let why = make(&["ü".to_owned()]).unwrap_err().to_string();
        assert!(why.contains("for ü"), "{why}");
    }
}
