//! HTTP/2, the server's end: what is answered to which frames.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/frames.rs"]
mod frames;
#[path = "../support/mod.rs"]
mod support;

mod driver;
mod endings;
mod floods;
mod flow;
mod malformed;
mod requests;
