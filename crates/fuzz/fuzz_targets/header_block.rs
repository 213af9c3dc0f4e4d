//! See [`fuzz::header_block`].

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::header_block::check(bytes));
