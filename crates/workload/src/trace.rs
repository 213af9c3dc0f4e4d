//! What somebody else once asked for: recorded times, access logs and lists of URLs.
//!
//! All readers take any [`BufRead`](std::io::BufRead), so where the text comes from is the caller's
//! matter. Errors name the line.

mod access_log;
mod clf;
mod times;
mod urls;

pub use access_log::{AccessLog, LogError, Malformed, Method, Request, access_log};
pub use times::{Times, TimesError};
pub use urls::{UrlsError, WeightedUrl, urls};
