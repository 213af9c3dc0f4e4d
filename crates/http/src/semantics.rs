//! What requests and answers mean, whatever version of HTTP carries them (RFC 9110).

pub(crate) mod conditional;
pub(crate) mod date;
pub(crate) mod decision;
pub(crate) mod entity;
pub(crate) mod escape;
pub(crate) mod fields;
pub(crate) mod host;
pub(crate) mod location;
pub(crate) mod media_type;
pub(crate) mod method;
pub(crate) mod multipart;
pub(crate) mod range;
pub(crate) mod request;
pub(crate) mod respond;
pub(crate) mod response;
pub(crate) mod status;
pub(crate) mod syntax;
pub(crate) mod target;
