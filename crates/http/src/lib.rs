//! HTTP/1.1 as pure state machines, the server's end and the client's.
