//! Keys, notes and checkpoints: what counts, and what does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[allow(dead_code, reason = "each test uses a part of it")]
mod plain;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plain::{ORIGIN, leaves, sign, signing_key, verifier};
use proptest::prelude::*;
use watchfloor_verify::{
    Checkpoint, CheckpointError, KeyError, NOTE_BYTES_MAX, Note, NoteError, ORIGIN_BYTES_MAX, SIGNATURES_MAX,
    VerifierKey,
};

/// The example of the specification of signed notes, with its key.
const SUMDB_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SUMDB_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn a_note_that_others_signed() {
    let key = VerifierKey::parse(SUMDB_KEY).unwrap();
    assert_eq!((key.name(), key.to_string().as_str()), ("PeterNeumann", SUMDB_KEY));
    let note = Note::parse(SUMDB_NOTE.as_bytes()).unwrap();
    assert_eq!(note.signer(std::slice::from_ref(&key)).unwrap(), &key);
    assert!(note.text.ends_with("your problem is.\n"));
}

#[test]
fn keys() {
    let key = verifier("a", 1);
    let public = signing_key(1).verifying_key().to_bytes();
    let with = |first: u8, bytes: &[u8]| STANDARD.encode([&[first][..], bytes].concat());
    let id = key.to_string()[2..10].to_owned();
    let weak = {
        let mut weak = [0_u8; 32];
        weak[0] = 1;
        weak
    };
    let table = [
        (key.to_string(), Ok(())),
        (format!("a+{id}"), Err(KeyError::Malformed)),
        ("a".to_owned(), Err(KeyError::Malformed)),
        (String::new(), Err(KeyError::Malformed)),
        (format!("+{id}+{}", with(1, &public)), Err(KeyError::Malformed)),
        (format!("a b+{id}+{}", with(1, &public)), Err(KeyError::Malformed)),
        (format!("a\u{7}+{id}+{}", with(1, &public)), Err(KeyError::Malformed)),
        (format!("a+{id}+{}", with(2, &public)), Err(KeyError::Malformed)),
        (format!("a+{id}+{}", with(1, &public[..31])), Err(KeyError::Malformed)),
        (format!("a+{id}+{}", STANDARD.encode([])), Err(KeyError::Malformed)),
        (format!("a+{id}+!"), Err(KeyError::Malformed)),
        (format!("a+{}+{}", id.to_uppercase(), with(1, &public)), Err(KeyError::Id)),
        (format!("a+00000000+{}", with(1, &public)), Err(KeyError::Id)),
        (format!("b+{id}+{}", with(1, &public)), Err(KeyError::Id)),
        (format!("a+{id}+{}", with(1, &weak)), Err(KeyError::Point)),
        (format!("a+{id}+{}", with(1, &[2; 32])), Err(KeyError::Point)),
    ];
    for (text, expected) in table {
        assert_eq!(VerifierKey::parse(&text).map(|_| ()), expected, "{text}");
    }
    assert!(KeyError::Point.to_string().contains("no public key"));
}

#[test]
fn notes() {
    let good = sign("text\n", ORIGIN, 1);
    let line = good.lines().last().unwrap().to_owned();
    let (head, encoded) = line.rsplit_once(' ').unwrap();
    let short = STANDARD.encode(&STANDARD.decode(encoded).unwrap()[..4]);
    let cut = STANDARD.encode(&STANDARD.decode(encoded).unwrap()[..67]);
    let other = sign("text\n", "other", 2).lines().last().unwrap().to_owned();
    let impostor = sign("text\n", ORIGIN, 2).lines().last().unwrap().to_owned();
    let wrong = sign("another text\n", ORIGIN, 1).lines().last().unwrap().to_owned();
    let table = [
        (good.clone(), Ok(())),
        (format!("text\n\n{other}\n{impostor}\n{line}\n"), Ok(())),
        (format!("text\n\n{line}\n{line}\n"), Ok(())),
        (format!("text\n\n{other}\n{impostor}\n"), Err(NoteError::Unsigned)),
        (format!("text\n\n{line}\n{wrong}\n"), Err(NoteError::Forged)),
        (format!("text\n\n{wrong}\n{line}\n"), Err(NoteError::Forged)),
        (format!("text \n\n{line}\n"), Err(NoteError::Forged)),
        (format!("text\n\n{head} {cut}\n"), Err(NoteError::Forged)),
        (format!("text\n\n{head} {short}\n"), Err(NoteError::Malformed)),
        (format!("text\n\n{line}"), Err(NoteError::Malformed)),
        (format!("text\n\n{line}\n\n"), Err(NoteError::Malformed)),
        (format!("text\n{line}\n"), Err(NoteError::Malformed)),
        (format!("te\txt\n\n{line}\n"), Err(NoteError::Malformed)),
        (format!("text\n\n{}\n", line.replace('—', "-")), Err(NoteError::Malformed)),
        (format!("text\n\n{}\n", line.replace("— ", "—")), Err(NoteError::Malformed)),
        (format!("text\n\n{line} \n"), Err(NoteError::Malformed)),
        (format!("text\n\n—  {encoded}\n"), Err(NoteError::Malformed)),
        ("text\n\n".to_owned(), Err(NoteError::Malformed)),
        (String::new(), Err(NoteError::Malformed)),
    ];
    for (text, expected) in table {
        let found = Note::parse(text.as_bytes()).and_then(|note| note.signer(&[verifier(ORIGIN, 1)]).map(|_| ()));
        assert_eq!(found, expected, "{text}");
    }
    assert_eq!(Note::parse(b"text\n\n\xFF\n"), Err(NoteError::Malformed));
    // The signature counts, not the place of its key among those that are known.
    let keys = [verifier("other", 2), verifier(ORIGIN, 1)];
    assert_eq!(Note::parse(good.as_bytes()).unwrap().signer(&keys).unwrap(), &keys[1]);
    let both = format!("text\n\n{line}\n{other}\n");
    assert_eq!(Note::parse(both.as_bytes()).unwrap().signer(&keys).unwrap(), &keys[1]);
    assert_eq!(Note::parse(good.as_bytes()).unwrap().signer(&[]), Err(NoteError::Unsigned));
}

#[test]
fn limits_of_notes() {
    let line = sign("t\n", ORIGIN, 1).lines().last().unwrap().to_owned();
    for (count, expected) in [(SIGNATURES_MAX - 1, true), (SIGNATURES_MAX, true), (SIGNATURES_MAX + 1, false)] {
        let note = format!("t\n\n{}", format!("{line}\n").repeat(count));
        assert_eq!(Note::parse(note.as_bytes()).is_ok(), expected, "{count}");
    }
    for (bytes, expected) in [(NOTE_BYTES_MAX - 1, true), (NOTE_BYTES_MAX, true), (NOTE_BYTES_MAX + 1, false)] {
        let text = "t".repeat(bytes - line.len() - 3);
        let note = format!("{text}\n\n{line}\n");
        assert_eq!(note.len(), bytes);
        assert_eq!(Note::parse(note.as_bytes()) != Err(NoteError::TooLarge), expected, "{bytes}");
    }
}

#[test]
fn checkpoints() {
    let root = STANDARD.encode([7; 32]);
    let long = |bytes: usize| format!("{}\n1\n{root}\n", "o".repeat(bytes));
    let table = [
        (format!("{ORIGIN}\n0\n{root}\n"), Some(0)),
        (format!("{ORIGIN}\n10\n{root}\n"), Some(10)),
        (format!("{ORIGIN}\n18446744073709551615\n{root}\nmore\nand more\n"), Some(u64::MAX)),
        (format!("{ORIGIN}\n18446744073709551616\n{root}\n"), None),
        (format!("{ORIGIN}\n01\n{root}\n"), None),
        (format!("{ORIGIN}\n+1\n{root}\n"), None),
        (format!("{ORIGIN}\n-1\n{root}\n"), None),
        (format!("{ORIGIN}\n\n{root}\n"), None),
        (format!("\n1\n{root}\n"), None),
        (format!("{ORIGIN}\n1\n{}\n", STANDARD.encode([7; 31])), None),
        (format!("{ORIGIN}\n1\n{}\n", root.trim_end_matches('=')), None),
        (format!("{ORIGIN}\n1\n"), None),
        (format!("{ORIGIN}\n1\n{root}\n\nmore\n"), None),
        (long(ORIGIN_BYTES_MAX - 1), Some(1)),
        (long(ORIGIN_BYTES_MAX), Some(1)),
        (long(ORIGIN_BYTES_MAX + 1), None),
    ];
    for (text, expected) in table {
        let found = Checkpoint::unsigned(sign(&text, "x", 1).as_bytes());
        let found = match &found {
            Ok(checkpoint) => Some(checkpoint.size),
            Err(error) => {
                assert_eq!(*error, CheckpointError::Text);
                None
            }
        };
        assert_eq!(found, expected, "{text}");
    }
    let checkpoint = plain::checkpoint(&leaves(3));
    let text = checkpoint.text();
    let (this, other) = (sign(&text, ORIGIN, 1), sign(&text, "other", 1));
    let keys = [verifier("other", 1), verifier(ORIGIN, 1)];
    assert_eq!(Checkpoint::signed(this.as_bytes(), &keys), Ok(checkpoint));
    assert_eq!(Checkpoint::signed(other.as_bytes(), &keys), Err(CheckpointError::Origin));
    assert_eq!(Checkpoint::signed(other.as_bytes(), &keys[1..]), Err(NoteError::Unsigned.into()));
    let told = CheckpointError::from(NoteError::Forged).to_string();
    assert_eq!(told, NoteError::Forged.to_string());
    assert!(told.contains("signature is wrong"), "{told}");
    assert!(CheckpointError::Origin.to_string().contains("origin"));
}

proptest! {
    #[test]
    fn any_bytes_are_a_note_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Checkpoint::signed(&bytes, &[verifier(ORIGIN, 1)]);
        let _ = Checkpoint::unsigned(&bytes);
    }

    #[test]
    fn no_change_of_a_checkpoint_counts(at in 0_usize..200, bit in 0_u32..8) {
        let mut note = plain::signed(&leaves(3));
        let at = at % note.len();
        note[at] ^= 1 << bit;
        prop_assert!(Checkpoint::signed(&note, &[verifier(ORIGIN, 1)]).is_err());
    }
}
