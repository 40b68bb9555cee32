//! What the fuzz targets check, apart from the fuzzer: `crates/watchfloor/tests/fuzz_corpus.rs` compiles the same code and runs it over
//! every file of `fuzz/corpus`, so that a past finding stays found.
//!
//! A target takes any bytes. The first byte often picks how the rest is wrapped, so that the fuzzer need not find a header first.
//! A broken property is a panic:
//!
//! | target | properties |
//! |---|---|
//! | `frame` | any chunking gives the same records; places lie in the input; no more comes out than went in |
//! | `json` | agrees with `serde_json` on what is JSON, with a scanner on every text and the digits of every number |
//! | `syslog`, `kv_cef_leef`, `rows`, `auditd`, `winevent_xml` | the tape is well formed and writes valid JSON; used buffers change nothing |
//! | `evtx`, `journal_export` | as `frame`, with whole chunks and blocks around the bytes |
//! | `utf16` | a text has the same records in UTF-16 as in UTF-8, at places that match |
//! | `archives` | packed bytes give the records of the unpacked; damage is said; what comes out is bounded |
//! | `mapping_language` | a fault names a place inside the file; what compiles makes valid events of any record |
//! | `engine` | one line of valid JSON that validates; raw record, hash and size kept; every field of an unknown record in `unmapped` |
//! | `sigma_rules` | a finding has a place inside the file; a document is refused with an error; what is not compiles and runs |
//! | `webauthn` | what gets as far as its signature is right in all else, by another reading; a signed statement is written as it was read |
//! | `acp_tokens` | no signed object of anybody is accepted by a key that did not sign it; signed by the key, nothing panics |
//! | `checkpoint` | one way to write notes, keys, tiles; a replaced file of a ledger is found; a draft becomes a leaf that is read |
//! | `ocsf_validate_export` | what is valid can be written in every version, and is valid there |
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken property is a panic, which is what the fuzzer looks for"
)]

mod approvals;
mod archives;
mod events;
mod formats;
mod framing;
mod json;
mod ledger;
mod mapping;
mod rules;
mod tokens;

/// What a target does with an input.
pub type Target = fn(&[u8]);

/// Name and function of every target.
pub const TARGETS: &[(&str, Target)] = &[
    ("frame", framing::frame),
    ("json", json::json),
    ("syslog", formats::syslog),
    ("kv_cef_leef", formats::kv_cef_leef),
    ("rows", formats::rows),
    ("auditd", formats::auditd),
    ("winevent_xml", formats::winevent_xml),
    ("evtx", framing::evtx),
    ("journal_export", framing::journal_export),
    ("utf16", framing::utf16),
    ("archives", archives::archives),
    ("mapping_language", mapping::mapping_language),
    ("engine", events::engine),
    ("ocsf_validate_export", events::ocsf_validate_export),
    ("sigma_rules", rules::sigma_rules),
    ("webauthn", approvals::webauthn),
    ("acp_tokens", tokens::acp_tokens),
    ("checkpoint", ledger::checkpoint),
];

/// Runs a target.
pub fn run(target: &str, data: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target of the table");
    check(data);
}
