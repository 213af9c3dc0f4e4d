//! See [`fuzz::histogram`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::histogram::check(bytes));
