//! What the safe crates do not ask a socket.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

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
