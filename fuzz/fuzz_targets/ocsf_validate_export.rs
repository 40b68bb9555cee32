//! Fuzz target `ocsf_validate_export`: see the library.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| watchfloor_fuzz::run("ocsf_validate_export", data));
