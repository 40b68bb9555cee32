//! Fuzz target `mapping_language`: see the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| watchfloor_fuzz::run("mapping_language", data));
