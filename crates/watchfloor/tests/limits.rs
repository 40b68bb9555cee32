//! Limits that the binary itself holds its input to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use watchfloor_model::limits::MAPPING_BYTES_MAX;

#[test]
fn mappings_are_limited() {
    let packs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("large_packs");
    let _ = fs::remove_dir_all(&packs);
    fs::create_dir_all(packs.join("acme.door")).unwrap();
    let start = "source acme.door\ntitle \"Doors\"\nvendor \"Acme\"\nproduct \"Door\"\nformat json\ndetect has(door)\nclass base_event : Other\nseverity_id = @Informational\n";
    for (size, fits) in [(MAPPING_BYTES_MAX - 1, true), (MAPPING_BYTES_MAX, true), (MAPPING_BYTES_MAX + 1, false)] {
        let mut text = start.to_owned();
        text.push_str(&"# a comment of some length\n".repeat((size - text.len()) / 27));
        text.push_str(&"#".repeat(size - text.len()));
        fs::write(packs.join("acme.door/mapping.wfm"), text).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_watchfloor"))
            .args(["normalize", "--sources", "--packs"])
            .arg(&packs)
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.success(), fits, "{size} bytes: {errors}");
        assert_eq!(errors.contains(&format!("has {size} bytes")), !fits, "{errors}");
    }
}
