//! What both ends of TLS have in common.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`provider()`] | the ciphers, in the order in which they are preferred |
//! | [`certificate`] | a certificate and its key, read from files, and what is wrong with them |
//! | [`records`] | of either end: bytes in, bytes out |
//! | [`self_signed`] | a certificate of our own making, kept in the user's cache directory |

pub mod certificate;
pub mod provider;
pub mod records;
pub mod self_signed;

pub use certificate::{Certificate, Problem};
pub use provider::provider;
