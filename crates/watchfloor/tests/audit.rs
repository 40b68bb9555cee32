//! `watchfloor audit` through the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Exit code, standard output, standard error.
type Ran = (i32, String, String);

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("audit").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn run(&self, arguments: &str, input: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor"));
        command.args(arguments.split_whitespace()).current_dir(&self.0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Who fails before reading closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn good(&self, arguments: &str, input: &str) -> String {
        let (code, out, error) = self.run(arguments, input);
        assert_eq!((code, error.as_str()), (0, ""), "{arguments}: {out}");
        out
    }

    /// A ledger with 600 leaves of two tenants, a checkpoint at 300 kept elsewhere, and one at 600.
    fn ledger(&self) {
        self.write("ledger.pub", self.good("audit key --name audit.example/ledger --output ledger.key", ""));
        assert_eq!(
            self.good("audit append ledger", &lines(0..300)),
            "300 leaves appended, 0 lines refused; the ledger has 300\n"
        );
        self.write("kept", self.good("audit checkpoint ledger --key-file ledger.key", ""));
        self.good("audit append ledger", &lines(300..600));
        self.good("audit checkpoint ledger --key-file ledger.key", "");
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(path), bytes).unwrap();
    }

    fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.0.join(path)).unwrap()
    }
}

fn lines(numbers: std::ops::Range<u64>) -> String {
    let line = |number: u64| {
        let tenant = if number.is_multiple_of(4) { "beta" } else { "acme" };
        format!(
            r#"{{"kind":"query","tenant":"{tenant}","actor":"ada","accountable":"ada","time":{number},"detail":{{"of":"case {number}"}}}}{}"#,
            "\n"
        )
    };
    numbers.map(line).collect()
}

const VERIFY: &str = "audit verify ledger --key ledger.pub --checkpoint kept";

#[test]
fn a_whole_ledger() {
    let home = Home::new("whole");
    home.ledger();
    assert_eq!(home.good(VERIFY, ""), "600 of 600 leaves lead to a checkpoint; 0 findings\n");
    let note = String::from_utf8(home.read("ledger/checkpoint")).unwrap();
    assert_eq!(home.good("audit checkpoint ledger", ""), note);
    assert!(note.starts_with("audit.example/ledger\n600\n"), "{note}");
    // Without an earlier checkpoint, and without a key, it says what that means.
    let (code, _, error) = home.run("audit verify ledger --key ledger.pub", "");
    assert_eq!(code, 0);
    assert!(error.contains("cut back to an older state"), "{error}");
    let (code, out, error) = home.run("audit verify ledger --checkpoint kept", "");
    assert_eq!((code, out.as_str()), (4, "600 of 600 leaves lead to a checkpoint; 0 findings\n"));
    assert!(error.contains("no --key was given"), "{error}");
    // The key as it is written, instead of its file.
    let key = String::from_utf8(home.read("ledger.pub")).unwrap();
    home.good(&format!("audit verify ledger --checkpoint kept --key {key}"), "");
    // Leaves after the checkpoint are not covered, and do no harm.
    home.good("audit append ledger", &lines(600..700));
    assert_eq!(home.good(VERIFY, ""), "600 of 600 leaves lead to a checkpoint; 0 findings\n");
    home.good("audit checkpoint ledger --key-file ledger.key", "");
    assert_eq!(home.good(VERIFY, ""), "700 of 700 leaves lead to a checkpoint; 0 findings\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(home.0.join("ledger.key")).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_is_wrong_is_named() {
    let home = Home::new("wrong");
    home.ledger();
    let check = |expected: &str| {
        let (code, out, _) = home.run(VERIFY, "");
        assert_eq!(code, 1, "{out}");
        assert!(out.contains(expected), "{expected}: {out}");
        assert_eq!(home.run("audit verify ledger --checkpoint kept", "").0, 1);
    };
    let path = "ledger/tile/entries/001";
    let whole = home.read(path);
    let at = whole.windows(8).position(|bytes| bytes == b"case 300").unwrap();
    let mut changed = whole.clone();
    changed[at + 5] = b'4';
    home.write(path, &changed);
    check("leaf 300: changed (tile/entries/001) [ledger.leaf_changed]\n");
    let (code, out, _) = home.run(&format!("{VERIFY} --json"), "");
    assert_eq!(code, 1);
    let line: serde_json::Value = serde_json::from_str(out.lines().next().unwrap()).unwrap();
    assert_eq!((&line["code"], &line["from"], &line["to"]), (&"ledger.leaf_changed".into(), &300.into(), &301.into()));
    home.write(path, &whole);
    home.good(VERIFY, "");
    // Cut back to what was signed at 300, with all its files.
    fs::create_dir(home.0.join("old")).unwrap();
    home.good("audit append old/ledger", &lines(0..200));
    home.good("audit checkpoint old/ledger --key-file ledger.key", "");
    let (code, out, _) = home.run("audit verify old/ledger --key ledger.pub --checkpoint kept", "");
    assert_eq!(code, 1);
    assert!(out.contains("leaves 200 to 299: leaves that an earlier checkpoint counts are gone"), "{out}");
    // Another history, signed with the same key.
    home.good("audit append fork", &lines(1..601));
    home.good("audit checkpoint fork --key-file ledger.key", "");
    let (code, out, _) = home.run("audit verify fork --key ledger.pub --checkpoint kept", "");
    assert_eq!(code, 1);
    assert!(out.contains("[ledger.forked]"), "{out}");
    // Rewritten by somebody without the key.
    home.good("audit key --name audit.example/ledger --output other.key", "");
    let mut forged = home.read("ledger/checkpoint");
    forged[22] ^= 1;
    home.write("ledger/checkpoint", forged);
    check("the checkpoint does not count");
}

#[test]
fn what_is_exported_verifies_elsewhere() {
    let home = Home::new("export");
    home.ledger();
    home.good("audit append ledger", &lines(600..1_000));
    assert_eq!(home.good("audit export ledger --output copy", ""), "600 leaves in 8 files\n");
    assert_eq!(
        home.good("audit verify copy --key ledger.pub --checkpoint kept", ""),
        "600 of 600 leaves lead to a checkpoint; 0 findings\n"
    );
    assert_eq!(
        home.good("audit export ledger --tenant beta --output beta.jsonl", ""),
        "150 leaves of beta with their proofs\n"
    );
    let check = || home.run("audit verify beta.jsonl --key ledger.pub", "");
    let (code, out, _) = check();
    assert_eq!((code, out.as_str()), (0, "150 leaves of a ledger of 600; 0 findings\n"));
    assert!(!String::from_utf8(home.read("beta.jsonl")).unwrap().contains("acme"));
    let whole = String::from_utf8(home.read("beta.jsonl")).unwrap();
    home.write("beta.jsonl", whole.replace("case 300", "case 301"));
    let (code, out, _) = check();
    assert_eq!(code, 1);
    assert!(out.starts_with("leaf 300: the proof leads to another root\n"), "{out}");
    home.write("beta.jsonl", &whole);
    assert_eq!(home.run("audit verify beta.jsonl", "").0, 4);
    assert_eq!(home.run("audit export ledger --output copy", "").0, 2, "nothing is overwritten");
    // The live ledger signs more; the old partial files made way for full ones, and its export is still whole.
    home.good("audit checkpoint ledger --key-file ledger.key", "");
    home.good("audit export ledger --output later", "");
    home.good("audit verify later --key ledger.pub --checkpoint kept", "");
}

#[test]
fn lines_that_are_no_leaves_are_refused_and_told() {
    let home = Home::new("lines");
    let good = lines(0..2);
    let long = format!("{}\n", "x".repeat(300_000));
    let input = format!("{good}not json\n\n{}{long}{}", lines(2..3).replace("query", "note"), lines(3..4));
    let (code, out, error) = home.run("audit append ledger", &input);
    assert_eq!((code, out.as_str()), (1, "3 leaves appended, 3 lines refused; the ledger has 3\n"));
    let told: Vec<&str> = error.lines().collect();
    assert_eq!(told.len(), 3, "{error}");
    for (line, start, code) in [
        (told[0], "error: line 3: ", "(leaf.json)"),
        (told[1], "error: line 5: ", "(leaf.kind)"),
        (told[2], "error: line 6: ", "(leaf.too_large)"),
    ] {
        assert!(line.starts_with(start) && line.ends_with(code), "{line}");
    }
}

#[test]
fn how_commands_end() {
    let home = Home::new("ends");
    home.good("audit key --name a.example/l --output key", "");
    let table = [
        ("audit", 0),
        ("audit --help", 0),
        ("audit verify --help", 0),
        ("audit sing", 2),
        ("audit verify", 2),
        ("audit verify a b", 2),
        ("audit verify ledger --key nonsense", 2),
        ("audit verify ledger", 4),
        ("audit verify ledger --key key", 2),
        ("audit checkpoint ledger --key-file key", 1),
        ("audit checkpoint ledger", 1),
        ("audit export ledger --output x", 4),
        ("audit export ledger", 2),
        ("audit key --name x", 2),
        ("audit key --name a+b --output other", 2),
        ("audit key --name a.example/l --output key", 1),
        ("audit append", 2),
    ];
    for (arguments, expected) in table {
        let (code, out, error) = home.run(arguments, "");
        assert_eq!(code, expected, "{arguments}: {out}{error}");
    }
    assert!(!home.0.join("ledger").exists(), "to ask after a ledger does not make one");
    // A key of another name cannot sign this ledger's next checkpoint.
    home.good("audit append l", &lines(0..1));
    home.good("audit checkpoint l --key-file key", "");
    home.good("audit key --name b.example/l --output key2", "");
    let (code, _, error) = home.run("audit checkpoint l --key-file key2", "");
    assert_eq!(code, 1);
    assert!(error.contains("ledger.checkpoint_refused"), "{error}");
}

#[test]
fn a_damaged_ledger_is_not_written_to() {
    let home = Home::new("damaged");
    home.ledger();
    let mut bytes = home.read("ledger/journal/00000000000000000000");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    home.write("ledger/journal/00000000000000000000", bytes);
    let (code, _, error) = home.run("audit append ledger", &lines(0..1));
    assert_eq!(code, 1);
    assert!(error.contains("ledger.damaged") && error.contains("damaged at leaf"), "{error}");
    // What is signed is in the tiles, and still whole.
    home.good(VERIFY, "");
}

#[test]
#[cfg(unix)]
fn a_process_that_is_killed_loses_nothing_that_was_acknowledged() {
    use std::io::{BufRead as _, BufReader};
    let home = Home::new("killed");
    home.write("ledger.pub", home.good("audit key --name audit.example/ledger --output ledger.key", ""));
    let mut size = 0;
    for turn in 0..5_u64 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor"));
        command.args(["audit", "append", "ledger"]).current_dir(&home.0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // Two full batches are durable before the third is read; then it is killed in the middle.
        let text = lines(0..4_096 * 2 + 1_000 * turn);
        let _ = input.write_all(text.as_bytes());
        child.kill().unwrap();
        child.wait().unwrap();
        let mut said = String::new();
        let _ = BufReader::new(child.stdout.take().unwrap()).read_line(&mut said);
        let out = home.good("audit append ledger", "");
        let now: u64 = out.rsplit(' ').next().unwrap().trim().parse().unwrap();
        assert!(now >= size, "{now} of {size}");
        size = now;
    }
    home.good("audit append ledger", &lines(0..10));
    home.write("kept", home.good("audit checkpoint ledger --key-file ledger.key", ""));
    home.good(VERIFY, "");
}
