//! How HTTP/1.1 puts requests and answers on a connection (RFC 9112).

pub(crate) mod body;
pub(crate) mod chunk_extension;
pub(crate) mod chunked;
pub mod client;
pub(crate) mod delivery;
pub(crate) mod encode;
pub(crate) mod exchange;
pub(crate) mod fields;
pub(crate) mod framing;
pub(crate) mod head;
pub(crate) mod lifetime;
pub(crate) mod line;
pub(crate) mod quick;
pub(crate) mod refusal;
pub mod relay;
pub(crate) mod scan;
pub(crate) mod scratch;
pub(crate) mod server;
pub(crate) mod stamp;
pub(crate) mod want;
