//! Connections of which it is known that two loops have them: whoever waits for the disk accepts nobody.

use std::time::Duration;

use crate::client::{Client, get};
use crate::server::Server;

/// Options of a server for [`of_two_loops`], beside how many loops there are.
pub(crate) const SLOW: [&str; 2] = ["--slow", "/slow/=1500"];
/// Connections of each.
const EACH: usize = 4;

/// Connections to the one and to the other of two loops, each of which has had an answer.
pub(crate) fn of_two_loops(server: &Server) -> [Vec<Client>; 2] {
    let mut one = vec![server.connect()];
    let mut other = beside(server, &mut one[0]);
    one.extend(beside(server, &mut other[0]));
    [one, other]
}

/// Connections that are not of the loop that `stuck` belongs to, which waits for the disk while they come.
fn beside(server: &Server, stuck: &mut Client) -> Vec<Client> {
    wait_for_disk(server, stuck);
    let mut clients: Vec<_> = (0..EACH).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.get("/file.txt").status, 200);
    }
    assert!(!stuck.has_something(), "it waited too short a time");
    assert_eq!(stuck.answer().status, 404);
    clients
}

/// Has the loop of a connection wait for the disk.
pub(crate) fn wait_for_disk(server: &Server, client: &mut Client) {
    // Until it is let in.
    server.sockets_at_rest();
    client.send(get("/slow/nowhere"));
    std::thread::sleep(Duration::from_millis(200));
}
