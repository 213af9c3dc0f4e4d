//! A server in this process, and requests to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use arch::{Architecture, ServeOptions, ServerSetup};
use arch_service::Service;
use clap::Parser;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    options: ServeOptions,
    #[command(flatten)]
    room: Service,
}

/// A server that serves until the process ends.
pub(crate) struct Server {
    root: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(own: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap().keep();
        std::fs::write(root.join("small.txt"), "small\n").unwrap();
        std::fs::write(root.join("large.bin"), vec![b'x'; 1 << 20]).unwrap();
        let line = CommandLine::parse_from(["test", "--addr", "127.0.0.1:0"].iter().chain(own));
        let setup = ServerSetup::new(line.options, &root).unwrap();
        let address = setup.listener.address().ip().unwrap();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let ready = move || ready.send(()).unwrap();
            line.room.serve(setup, ready).unwrap();
        });
        is_ready.recv().unwrap();
        Self { root, address }
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.root.join(name)).unwrap();
    }

    pub(crate) fn write(&self, name: &str, contents: &str) {
        std::fs::write(self.root.join(name), contents).unwrap();
    }

    /// The whole answer to a GET with these field lines, over a connection of its own.
    pub(crate) fn get(&self, target: &str, fields: &str) -> String {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n");
        self.send(request.as_bytes())
    }

    /// All that comes back when these bytes are sent, as text.
    pub(crate) fn send(&self, request: &[u8]) -> String {
        String::from_utf8_lossy(&self.exchange(request)).into_owned()
    }

    /// All that comes back when these bytes are sent.
    pub(crate) fn exchange(&self, request: &[u8]) -> Vec<u8> {
        let mut client = TcpStream::connect(self.address).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        client.write_all(request).unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        answer
    }
}
