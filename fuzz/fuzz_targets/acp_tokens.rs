//! Fuzz target `acp_tokens`: see the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| watchfloor_fuzz::run("acp_tokens", data));
