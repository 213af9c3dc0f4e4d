//! A client that sends bytes as they are given and reads answers as they come.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// After this long a test fails: far beyond what any machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what must come to be so, however slow the machine.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One connection.
pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    /// What was read beyond the last answer.
    unread: Vec<u8>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// From the status line to the empty line, both included.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).expect("the server accepts")
    }

    /// A client of a server that may be gone.
    pub(crate) fn try_connect(address: SocketAddr) -> Option<Self> {
        let client = Self::of(TcpStream::connect_timeout(&address, PATIENCE).ok()?);
        client.socket.set_nodelay(true).unwrap();
        Some(client)
    }

    fn of(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            socket,
            unread: Vec::new(),
        }
    }

    /// A client of whose socket something is decided before it is connected.
    fn connect_with(address: SocketAddr, decide: impl FnOnce(&OwnedFd)) -> Self {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, ipproto, socket_with};
        // The servers that other tests start meanwhile would keep the connection.
        let flags = SocketFlags::CLOEXEC;
        let stream = SocketType::STREAM;
        let socket = socket_with(AddressFamily::INET, stream, flags, Some(ipproto::TCP)).unwrap();
        decide(&socket);
        connect(&socket, &address).expect("the server accepts");
        Self::of(socket.into())
    }

    /// A client whose kernel takes little before it has read it.
    pub(crate) fn connect_with_small_buffer(address: SocketAddr) -> Self {
        use rustix::net::sockopt::set_socket_recv_buffer_size;
        Self::connect_with(address, |socket| {
            set_socket_recv_buffer_size(socket, 4096).unwrap();
        })
    }

    /// A client to whom a server's kernel takes little before it is sent: what it takes goes by the size of segments.
    pub(crate) fn connect_with_small_segments(address: SocketAddr) -> Self {
        use nix::sys::socket::{setsockopt, sockopt::TcpMaxSeg};
        Self::connect_with(address, |socket| {
            setsockopt(socket, TcpMaxSeg, &1460).unwrap();
        })
    }

    /// Whether an answer, or an end, has come.
    pub(crate) fn has_something(&self) -> bool {
        use rustix::net::{RecvFlags, recv};
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        !self.unread.is_empty() || recv(&self.socket, &mut [0; 1][..], flags).is_ok()
    }

    /// The same connection, for another thread that sends while this one reads.
    pub(crate) fn another_hand(&self) -> Self {
        Self {
            socket: self.socket.try_clone().unwrap(),
            unread: Vec::new(),
        }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket
            .write_all(bytes.as_ref())
            .expect("the server takes the request");
    }

    /// Sends what may find nobody to take it.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.write_all(bytes.as_ref()).is_ok()
    }

    /// Asks for `path` and reads the answer.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(get(path));
        self.answer()
    }

    /// Asks for `path`; `None` if the connection ends before the answer is whole.
    pub(crate) fn try_get(&mut self, path: &str) -> Option<Answer> {
        assert!(self.unread.is_empty(), "an unread answer");
        if !self.try_send(get(path)) {
            return None;
        }
        let mut answer = self.try_head().ok()?;
        answer.body = self.try_exactly(answer.content_length()).ok()?;
        Some(answer)
    }

    pub(crate) fn half_close(&self) {
        self.socket.shutdown(Shutdown::Write).unwrap();
    }

    /// Ends the connection with a reset instead of a FIN.
    pub(crate) fn reset(self) {
        rustix::net::sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO)).unwrap();
    }

    /// Reads the answer to anything but a HEAD.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        answer.body = self.exactly(answer.content_length());
        answer
    }

    /// Reads the answer to a HEAD, or the head of another.
    pub(crate) fn head(&mut self) -> Answer {
        let head = self.try_head();
        head.unwrap_or_else(|error| panic!("{error} within a head: {:?}", tail(&self.unread)))
    }

    fn try_head(&mut self) -> io::Result<Answer> {
        loop {
            match Answer::head_in(&mut self.unread) {
                Some(head) => return Ok(head),
                None => self.read_some()?,
            }
        }
    }

    /// Reads so many bytes.
    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        let bytes = self.try_exactly(count);
        bytes.unwrap_or_else(|error| panic!("{error} after {} of {count} bytes", self.unread.len()))
    }

    fn try_exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < count {
            self.read_some()?;
        }
        let rest = self.unread.split_off(count);
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    /// Reads to the end of the connection, which must be no reset.
    pub(crate) fn read_to_end(&mut self) -> Vec<u8> {
        let (bytes, end) = self.ending();
        assert_eq!(
            end,
            End::Closed,
            "after {:?}",
            String::from_utf8_lossy(&bytes)
        );
        bytes
    }

    /// Reads to the end of the connection.
    pub(crate) fn ending(&mut self) -> (Vec<u8>, End) {
        let mut bytes = std::mem::take(&mut self.unread);
        let mut piece = vec![0; 64 << 10];
        loop {
            match self.socket.read(&mut piece) {
                Ok(0) => return (bytes, End::Closed),
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return (bytes, End::Reset);
                }
                Err(error) => panic!("{error} after {} bytes: {:?}", bytes.len(), tail(&bytes)),
            }
        }
    }

    /// Whether nothing comes for `time`, not even an end.
    pub(crate) fn is_silent_for(&mut self, time: Duration) -> bool {
        assert!(
            self.unread.is_empty(),
            "an unread answer: {:?}",
            tail(&self.unread)
        );
        self.socket.set_read_timeout(Some(time)).unwrap();
        let silent = match self.socket.peek(&mut [0]) {
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            Ok(_) => false,
        };
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        silent
    }

    /// Reads more; the end of the connection is an error.
    fn read_some(&mut self) -> io::Result<()> {
        let mut piece = [0; 64 << 10];
        loop {
            match self.socket.read(&mut piece) {
                Ok(0) => return Err(io::Error::other("the connection ended")),
                Ok(count) => {
                    self.unread.extend_from_slice(&piece[..count]);
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn tail(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(200)..]).into_owned()
}

impl Answer {
    /// Takes the head of an answer out of what was read, if it is there whole.
    pub(crate) fn head_in(unread: &mut Vec<u8>) -> Option<Self> {
        let end = unread.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(unread.drain(..end).collect()).expect("heads are ASCII");
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3))
            .and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {head:?}"));
        Some(Self {
            status,
            head,
            body: Vec::new(),
        })
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn content_length(&self) -> usize {
        match self.field("content-length") {
            Some(length) => length.parse().expect("a length"),
            None => 0,
        }
    }

    pub(crate) fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

/// A plain GET.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
}

/// A GET that is the last of its connection.
pub(crate) fn last_get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
}
