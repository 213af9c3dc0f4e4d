//! From a question to an answer: an experiment is planned, run, judged and compared.
//!
//! The lab knows no architecture by name and links none: servers and generators are processes, started through the same
//! command line that people use.
//!
//! Each of these knows only those above it.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`spec`] | what is asked: the experiment file |
//! | [`plan`] | which trials, in which order, for how long |
//! | [`trial`](mod@trial) | how one trial is done, and on which machine |
//! | [`analysis`] | what came out |
//! | [`commands`] | `archbench run`, `slo`, `compare`, `search` and `doctor` |
//!
//! [`cores`], [`files`], [`interrupt`] and [`table`] serve several of them.

pub mod analysis;
pub mod commands;
pub mod cores;
pub mod files;
pub mod interrupt;
pub mod plan;
pub mod spec;
pub mod table;
pub mod trial;

/// Something failed; the text says what, on what, and what to do.
pub type Failure = Box<dyn std::error::Error>;

/// An exit status.
pub type Status = u8;

/// An objective was missed.
pub const SLO_MISSED: Status = 3;
/// Stopped by Ctrl-C.
pub const INTERRUPTED: Status = 130;

/// Prints to a reader who may have gone away.
pub(crate) fn print(text: impl std::fmt::Display) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let text = visible(&text.to_string());
    let _ = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush());
}

/// The same text without what would make a terminal do something: names and what servers say come from anywhere.
pub(crate) fn visible(text: &str) -> String {
    let is_harmless = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
    text.chars()
        .map(|letter| match is_harmless(letter) {
            true => letter,
            false => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_printed_does_nothing_to_a_terminal() {
        let (title, plain) = ("\u{1b}]0;title\u{7}a\r\u{9b}2Jb", "a\tb\nµ");
        assert_eq!(
            super::visible(title),
            "\u{fffd}]0;title\u{fffd}a\u{fffd}\u{fffd}2Jb"
        );
        assert_eq!(super::visible(plain), plain);
    }
}
