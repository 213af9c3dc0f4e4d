//! What a report holds, how single figures are drawn, and the page in a browser.

mod answer;
mod browser;
mod escaping;
mod map;
mod notebook;
mod page;
mod plot;
mod support;
