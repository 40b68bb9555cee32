//! Fuzz target `sigma_rules`: see the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| watchfloor_fuzz::run("sigma_rules", data));
