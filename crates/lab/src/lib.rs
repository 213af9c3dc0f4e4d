//! From a question to an answer: an experiment is planned, run, judged and compared.
//!
//! The lab knows no architecture by name and links none: servers and generators are processes, started through the same
//! command line that people use.
//!
//! | module | what it answers |
//! | --- | --- |
//! | [`experiment`], [`external`], [`cells`], [`expression`] | what is asked |
//! | [`plan`] | which trials, in which order, for how long |
//! | [`run`] | `archbench run`: does it |
//! | [`bench`](mod@bench), [`process`], [`cores`], [`memory`], [`files`], [`cache`], [`watch`] | how one trial is done |
//! | [`machine`] | on which machine |
//! | [`judge`], [`values`], [`table`] | what came out |
//! | [`slo`], [`compare`], [`search`], [`doctor`] | the commands of these names |

pub mod bench;
pub mod cache;
pub mod cells;
pub mod compare;
pub mod cores;
pub mod doctor;
pub mod experiment;
pub mod expression;
pub mod external;
pub mod files;
pub mod interrupt;
pub mod judge;
pub mod machine;
pub mod memory;
pub mod models;
pub mod plan;
pub mod process;
pub mod progress;
pub mod run;
pub mod search;
pub mod slo;
pub mod table;
pub mod values;
pub mod watch;

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
