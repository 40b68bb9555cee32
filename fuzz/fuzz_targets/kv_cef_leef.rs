//! Fuzz target `kv_cef_leef`: see the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| watchfloor_fuzz::run("kv_cef_leef", data));
