//! The keys of session tickets (RFC 8446, section 4.6.1; RFC 5077): by these a server knows a client again without remembering it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::server::ProducesTickets;

/// How long tickets are made with one key; they are taken for twice as long at the most.
const PERIOD: Duration = Duration::from_secs(6 * 60 * 60);
const NAME: usize = 16;
const SECRET: usize = 32;

/// A chain of keys, each of which follows from the one before and none from the one after. Processes that are forked have the same
/// chain, and each moves along it by the clock: so all know the same key at a time, though none tells another, and what has been
/// encrypted two periods ago cannot be read by anybody.
pub struct TicketKeys {
    began: Instant,
    chain: Mutex<Chain>,
}

struct Chain {
    period: u64,
    secret: [u8; SECRET],
    current: TicketKey,
    previous: Option<TicketKey>,
}

struct TicketKey {
    name: [u8; NAME],
    key: LessSafeKey,
}

/// How many bytes are to be derived.
struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl TicketKeys {
    /// Keys that nobody else has.
    ///
    /// # Errors
    /// Where the system gives no random bytes.
    pub fn new() -> std::io::Result<Self> {
        let mut secret = [0; SECRET];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_| std::io::Error::other("the system gives no random bytes"))?;
        Ok(Self::from_secret(secret))
    }

    fn from_secret(secret: [u8; SECRET]) -> Self {
        Self {
            began: Instant::now(),
            chain: Mutex::new(Chain {
                period: 0,
                secret,
                current: TicketKey::of(&secret),
                previous: None,
            }),
        }
    }

    /// Forgets the keys whose time is over.
    pub fn advance(&self) {
        drop(self.at(self.began.elapsed()));
    }

    /// The chain as it is so long after the beginning.
    fn at(&self, elapsed: Duration) -> MutexGuard<'_, Chain> {
        let period = elapsed.as_secs() / PERIOD.as_secs();
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        while chain.period < period {
            chain.advance();
        }
        chain
    }

    fn encrypt_at(&self, plain: &[u8], elapsed: Duration) -> Option<Vec<u8>> {
        // By chance and not by count: processes would count alike.
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        self.at(elapsed).current.seal(plain, nonce)
    }

    fn decrypt_at(&self, ticket: &[u8], elapsed: Duration) -> Option<Vec<u8>> {
        let (name, sealed) = ticket.split_at_checked(NAME)?;
        let chain = self.at(elapsed);
        let mut keys = [Some(&chain.current), chain.previous.as_ref()].into_iter();
        // Names are no secret: every ticket shows one.
        let key = keys.find_map(|key| key.filter(|key| key.name == name))?;
        key.open(sealed)
    }
}

impl Chain {
    fn advance(&mut self) {
        self.secret = derive(&self.secret, b"next");
        self.period += 1;
        let next = TicketKey::of(&self.secret);
        self.previous = Some(std::mem::replace(&mut self.current, next));
    }
}

impl TicketKey {
    fn of(secret: &[u8; SECRET]) -> Self {
        let key: [u8; SECRET] = derive(secret, b"key");
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key).expect("a key of its length");
        Self {
            name: derive(secret, b"name"),
            key: LessSafeKey::new(key),
        }
    }

    /// Name, nonce, and what is sealed.
    fn seal(&self, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Option<Vec<u8>> {
        let mut sealed = plain.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(unique, Aad::from(self.name), &mut sealed)
            .ok()?;
        Some([&self.name[..], &nonce, &sealed].concat())
    }

    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = sealed.to_vec();
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(self.name), &mut plain);
        let length = opened.ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

/// Bytes that follow from `secret` and say nothing of it (RFC 5869).
fn derive<const N: usize>(secret: &[u8; SECRET], what: &[u8]) -> [u8; N] {
    let mut derived = [0; N];
    Prk::new_less_safe(HKDF_SHA256, secret)
        .expand(&[b"archbench ticket ", what], Length(N))
        .and_then(|bytes| bytes.fill(&mut derived))
        .expect("a few bytes, which HKDF gives");
    derived
}

impl ProducesTickets for TicketKeys {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        PERIOD.as_secs() as u32
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.encrypt_at(plain, self.began.elapsed())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        self.decrypt_at(ticket, self.began.elapsed())
    }
}

impl fmt::Debug for TicketKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TicketKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two processes of one parent, each on its own.
    fn processes() -> [TicketKeys; 2] {
        [7, 7].map(|byte| TicketKeys::from_secret([byte; SECRET]))
    }

    #[test]
    fn what_one_process_has_encrypted_another_reads() {
        let [one, other] = processes();
        for periods in [0, 1, 5] {
            let now = PERIOD * periods;
            let ticket = one.encrypt_at(b"session", now).unwrap();
            assert_eq!(other.decrypt_at(&ticket, now).unwrap(), b"session");
        }
    }

    #[test]
    fn a_ticket_is_taken_for_one_more_period_and_no_longer() {
        let [keys, _] = processes();
        let ticket = keys.encrypt_at(b"session", PERIOD * 3).unwrap();
        for (periods, expected) in [(3, true), (4, true), (5, false), (6, false)] {
            let opened = keys.decrypt_at(&ticket, PERIOD * periods);
            assert_eq!(opened.is_some(), expected, "after {periods}");
        }
    }

    #[test]
    fn no_ticket_is_taken_that_was_changed_or_is_anothers() {
        let [keys, _] = processes();
        let ticket = keys.encrypt_at(b"session", PERIOD).unwrap();
        for place in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[place] ^= 1;
            assert_eq!(keys.decrypt_at(&changed, PERIOD), None, "byte {place}");
            assert_eq!(
                keys.decrypt_at(&ticket[..place], PERIOD),
                None,
                "cut at {place}"
            );
        }
        let anothers = TicketKeys::new().unwrap();
        assert_eq!(anothers.decrypt_at(&ticket, PERIOD), None);
    }

    #[test]
    fn one_plaintext_is_never_encrypted_alike() {
        let [one, other] = processes();
        let of = |keys: &TicketKeys| keys.encrypt_at(b"session", PERIOD).unwrap();
        assert_ne!(of(&one), of(&one));
        assert_ne!(of(&one), of(&other));
    }
}
