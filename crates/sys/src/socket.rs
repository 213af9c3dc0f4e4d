//! What the safe crates do not ask a socket.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// How many bytes were written to a stream socket that its peer has not acknowledged yet (`SIOCOUTQ`, tcp(7)); of a Unix socket,
/// those that its peer has not read.
///
/// # Errors
/// What the kernel reports, for a descriptor that is no such socket.
pub fn unacknowledged(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open while it is borrowed, and TIOCOUTQ, which SIOCOUTQ is another name of, writes one int to where
    // it is told to.
    let asked = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if asked == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(bytes).unwrap_or(0))
}

/// Has the kernel keep connections to a listening TCP socket back until their first bytes are there (`TCP_DEFER_ACCEPT`, tcp(7)).
/// Those that send nothing for so long are let through all the same, or forgotten.
///
/// # Errors
/// What the kernel reports, for a descriptor that is no such socket.
pub fn defer_accept(socket: BorrowedFd<'_>, at_most: Duration) -> io::Result<()> {
    let seconds = libc::c_int::try_from(at_most.as_secs()).unwrap_or(libc::c_int::MAX);
    // SAFETY: the descriptor is open while it is borrowed, and the kernel reads one int, which lives until the call returns.
    crate::check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_DEFER_ACCEPT,
            (&raw const seconds).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    })
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    #[test]
    fn nobody_is_accepted_before_there_are_bytes() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        defer_accept(listener.as_fd(), Duration::from_secs(60)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let early = listener.accept().unwrap_err();
        assert_eq!(early.kind(), io::ErrorKind::WouldBlock);
        client.write_all(b"x").unwrap();
        while listener.accept().is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let file = tempfile::tempfile().unwrap();
        assert!(defer_accept(file.as_fd(), Duration::ZERO).is_err());
    }

    #[test]
    fn what_nobody_has_acknowledged() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap().0;
        server.set_nonblocking(true).unwrap();
        assert_eq!(unacknowledged(server.as_fd()).unwrap(), 0);
        // Until nothing fits between the two.
        while (&server).write(&[0; 1 << 16]).is_ok() {}
        assert!(unacknowledged(server.as_fd()).unwrap() > 0);
        assert_eq!(unacknowledged(client.as_fd()).unwrap(), 0);
        client.write_all(b"x").unwrap();
        let file = tempfile::tempfile().unwrap();
        assert!(unacknowledged(file.as_fd()).is_err());
    }
}
