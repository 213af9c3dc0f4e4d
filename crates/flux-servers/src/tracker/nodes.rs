//! The nodes of the program.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
pub(crate) use std::time::Instant;

use super::head::{self, Head};
pub(crate) use super::{Caller, Tracker};
pub(crate) use crate::torrent::announce::Announcement;
use crate::torrent::announce::refusal;

/// A request has to be whole by then, and an answer read.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked at who has not been heard of.
const EXPIRY_ROUND: Duration = Duration::from_secs(10);

/// Waits for a peer.
pub(crate) fn accept(tracker: &mut Tracker) -> Option<Caller> {
    tracker.shared.accept()
}

/// Reads what a peer announces.
///
/// # Errors
/// Where it says nothing that could be understood, or does not say it soon enough; why is with the caller.
pub(crate) fn read_announcement(
    _: &mut Tracker,
    mut caller: Caller,
) -> Result<(Caller, Announcement), Caller> {
    let head = read_head(&mut caller.stream);
    let query = match &head {
        Ok(bytes) => match head::query(bytes) {
            Head::Announce(query) => Announcement::parse(query),
            Head::Other(status) => {
                caller.status = status;
                Err("nothing but /announce is here".into())
            }
        },
        Err(()) => {
            caller.status = "408 Request Timeout";
            Err("no request came".into())
        }
    };
    match query {
        Ok(announcement) => Ok((caller, announcement)),
        Err(why) => {
            caller.refusal = why;
            Err(caller)
        }
    }
}

/// Takes an announcement, and answers it.
pub(crate) fn register(
    tracker: &mut Tracker,
    caller: Caller,
    announcement: Announcement,
) -> (Caller, Vec<u8>) {
    let from = caller.address.ip().to_canonical();
    let answer = tracker.shared.register(|register| {
        let answer = register.announce(&announcement, from, Instant::now());
        answer.map_or_else(refusal, |answer| answer.bytes())
    });
    (caller, answer)
}

/// Sends an answer.
pub(crate) fn reply(_: &mut Tracker, mut caller: Caller, answer: Vec<u8>) {
    let mut bytes = format!(
        "HTTP/1.1 {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        caller.status,
        answer.len()
    )
    .into_bytes();
    bytes.extend(answer);
    // Whoever does not read it asks again.
    let _ = caller.stream.set_write_timeout(Some(PATIENCE));
    let _ = caller.stream.write_all(&bytes);
}

/// Says why a request is not answered; in the tracker's own words where it was asked as one (BEP 3).
pub(crate) fn refuse(tracker: &mut Tracker, caller: Caller) {
    let answer = refusal(&caller.refusal);
    reply(tracker, caller, answer);
}

/// Waits until it is to be looked at who has not been heard of.
pub(crate) fn expiry_timer(tracker: &mut Tracker) -> Option<Instant> {
    let is_stopping = tracker.shared.stop.sleep(EXPIRY_ROUND);
    (!is_stopping).then(Instant::now)
}

/// Forgets those that have not been heard of.
pub(crate) fn expire(tracker: &mut Tracker, now: Instant) {
    tracker.shared.register(|register| register.expire(now));
}

/// The head of a request, whole; nothing, where it does not come in time, or is too long.
fn read_head(stream: &mut TcpStream) -> Result<Vec<u8>, ()> {
    let deadline = Instant::now() + PATIENCE;
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !head::is_whole(&head) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || head.len() >= head::LONGEST {
            return Err(());
        }
        stream.set_read_timeout(Some(left)).map_err(drop)?;
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => head.extend(&buffer[..count]),
            _ => return Err(()),
        }
    }
    Ok(head)
}
