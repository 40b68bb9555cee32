//! Fuzz target `checkpoint`: see the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| watchfloor_fuzz::run("checkpoint", data));
