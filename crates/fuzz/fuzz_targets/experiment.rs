//! See [`fuzz::experiment`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::experiment::check(bytes));
