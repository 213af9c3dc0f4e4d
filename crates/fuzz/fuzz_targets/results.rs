//! See [`fuzz::results`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::results::check(bytes));
