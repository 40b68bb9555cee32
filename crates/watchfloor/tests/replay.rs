//! `watchfloor decide --ledger` and `watchfloor audit replay` through the real binary.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

/// Exit code, standard output, standard error.
type Ran = (i32, String, String);

struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("replay").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn run(&self, arguments: &str) -> Ran {
        let packs = format!("{}/../../packs", env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchfloor"));
        let arguments = arguments.split_whitespace().map(|argument| argument.replace("PACKS", &packs));
        let output = command.args(arguments).current_dir(&self.0).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// A ledger with three decisions: allowed, denied, and denied because nobody knows who asks.
    fn ledger(&self) {
        let text = fs::read_to_string(format!("{}/../../packs/examples/isolate.json", env!("CARGO_MANIFEST_DIR")));
        let mut plan: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
        plan["requester"] = serde_json::json!({"machine": "stranger"});
        plan["id"] = "strange".into();
        fs::write(self.0.join("strange.json"), plan.to_string()).unwrap();
        for (number, (plan, code)) in
            [("PACKS/examples/isolate.json", 0), ("PACKS/examples/isolate-telemetry.json", 3), ("strange.json", 3)]
                .into_iter()
                .enumerate()
        {
            let (found, out, error) = self.run(&format!("{DECIDE} --ledger ledger {plan}"));
            assert_eq!((found, error), (code, format!("recorded as leaf {number}\n")), "{out}");
        }
    }

    fn pieces(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.0.join("ledger/piece")).unwrap().map(|entry| entry.unwrap().path());
        folders.flat_map(|folder| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())).collect()
    }
}

const DECIDE: &str =
    "decide --state PACKS/examples/state.json --policy PACKS/policies/small-office --at 2026-03-02T12:00:00Z";

#[test]
fn decisions_are_made_again_to_the_same_bytes() {
    let home = Home::new("same");
    home.ledger();
    let (code, out, error) = home.run("audit replay ledger");
    assert_eq!(code, 0, "{out}{error}");
    assert!(error.starts_with("no --key was given"), "{error}");
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[0], "leaf 0      same       example-1: allow");
    assert_eq!(lines[3], "3 decisions made again: 3 the same, 0 otherwise, 0 damaged, 0 that cannot be made again");
    // One of them, by number, name and hash.
    let (_, json, _) = home.run("audit replay ledger 1 --json");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&value["came"], &value["plan"]), (&"same".into(), &"example-2".into()));
    let hash = value["then"]["plan_hash"].as_str().unwrap();
    for which in ["example-2", hash] {
        assert_eq!(home.run(&format!("audit replay ledger {which} --json")).1, json, "{which}");
    }
    // Anybody can look a piece up by its hash, with other programs than this.
    for path in home.pieces() {
        let digits: String =
            Sha256::digest(fs::read(&path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(path.ends_with(&digits), "{}", path.display());
    }
    for (arguments, code, says) in [
        ("audit replay", 2, "takes the folder of a ledger"),
        ("audit replay .", 1, ". is no folder of a ledger"),
        ("audit autonomy .", 1, ". is no folder of a ledger"),
        ("audit replay nowhere", 1, "nowhere is no folder of a ledger"),
        ("audit replay ledger example-9", 1, "there is no decision `example-9`"),
        ("audit replay ledger --checkpoint ledger/lock", 1, "--checkpoint says nothing without --key"),
        ("audit replay ledger --policy strange.json", 1, "these policies cannot be used"),
    ] {
        let (found, _, error) = home.run(arguments);
        assert!(found == code && error.contains(says), "{arguments}: {found} {error}");
    }
}

#[test]
fn whatever_was_changed_or_taken_away_is_told() {
    let home = Home::new("damaged");
    home.ledger();
    for path in home.pieces() {
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        fs::write(&path, changed).unwrap();
        let (code, out, _) = home.run("audit replay ledger");
        assert!(code == 1 && out.contains("[replay.changed]"), "{}: {code} {out}", path.display());
        fs::remove_file(&path).unwrap();
        let (code, out, _) = home.run("audit replay ledger");
        assert!(code == 4 && out.contains("[replay.missing]"), "{}: {code} {out}", path.display());
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(home.run("audit replay ledger").0, 0);

    // A decision that was written by hand, with all its pieces, is not what the gate says.
    let decision = home.run("audit replay ledger 1 --json").1;
    let mut value: serde_json::Value = serde_json::from_str(&decision).unwrap();
    value["then"]["outcome"] = "allow".into();
    let forged = serde_json::to_string(&value["then"]).unwrap();
    let digits: String = Sha256::digest(&forged).iter().map(|byte| format!("{byte:02x}")).collect();
    let folder = home.0.join("ledger/piece").join(&digits[..2]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(&digits), &forged).unwrap();
    let leaf = fs::read(home.0.join("ledger/journal").join(format!("{:020}", 0))).unwrap();
    let leaf = String::from_utf8_lossy(&leaf);
    let detail = leaf.split("\"detail\":").nth(2).unwrap().split(",\"format\"").next().unwrap();
    let mut detail: serde_json::Value = serde_json::from_str(detail).unwrap();
    (detail["decision"], detail["limit"]) = (digits.as_str().into(), "allow".into());
    let line = serde_json::json!({"kind": "decision", "tenant": "acme", "actor": "triage", "accountable": "anna", "time": 1, "detail": detail});
    let mut child = Command::new(env!("CARGO_BIN_EXE_watchfloor"))
        .args(["audit", "append", "ledger"])
        .current_dir(&home.0)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), line.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    let (code, out, _) = home.run("audit replay ledger 3");
    assert!(code == 1 && out.starts_with("leaf 3      otherwise  example-2: deny, then allow\n"), "{out}");
}

#[test]
fn other_policies_are_asked_about_the_past() {
    let home = Home::new("policy");
    home.ledger();
    let (code, out, _) = home.run("audit replay ledger --policy PACKS/policies/small-office");
    assert_eq!(code, 0, "{out}");
    fs::create_dir(home.0.join("never")).unwrap();
    let text = "@id(\"never\") @why(\"nothing is done by machines\") forbid (principal is Agent, action, resource);\n";
    fs::write(home.0.join("never/never.cedar"), text).unwrap();
    let (code, out, error) = home.run("audit replay ledger --policy never");
    assert!(
        code == 1 && out.contains("leaf 0      otherwise  example-1: deny, then allow\n  now  policy.silent"),
        "{out}{error}"
    );
    assert!(
        out.ends_with("asked of other policies: 0 as they were, 3 otherwise, 0 damaged, 0 that cannot be made again\n"),
        "{out}"
    );
}

#[test]
fn an_export_can_be_replayed_elsewhere() {
    let home = Home::new("export");
    home.ledger();
    let (_, key, _) = home.run("audit key --name audit.example/ledger --output ledger.key");
    fs::write(home.0.join("ledger.pub"), key).unwrap();
    assert_eq!(home.run("audit replay ledger --key ledger.pub").0, 4, "there is no checkpoint");
    assert_eq!(home.run("audit checkpoint ledger --key-file ledger.key").0, 0);
    home.run(&format!("{DECIDE} --ledger ledger PACKS/examples/isolate.json"));
    let (code, out, _) = home.run("audit replay ledger --key ledger.pub");
    assert!(code == 0 && out.contains("3 decisions made again: 3 the same"), "leaf 3 is not signed: {out}");
    assert_eq!(home.run("audit export ledger --output bare").0, 0);
    assert_eq!(home.run("audit export ledger --output whole --pieces").0, 0);
    fs::remove_dir_all(home.0.join("ledger")).unwrap();
    let (code, out, _) = home.run("audit replay whole --key ledger.pub");
    assert!(code == 0 && out.contains("3 decisions made again: 3 the same"), "{out}");
    let (code, out, _) = home.run("audit replay bare --key ledger.pub");
    assert!(code == 4 && out.matches("[replay.missing]").count() == 3, "{out}");
    // And a ledger that was changed is not believed.
    let path = home.0.join("whole/tile/entries/000.p/3");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|window| window == b"allow").unwrap();
    bytes[at] = b'A';
    fs::write(&path, bytes).unwrap();
    assert_eq!(home.run("audit replay whole --key ledger.pub").0, 1);
}

#[test]
fn what_cannot_be_recorded_is_not_told() {
    let home = Home::new("refused");
    fs::write(home.0.join("ledger"), "a file").unwrap();
    let (code, out, error) = home.run(&format!("{DECIDE} --ledger ledger PACKS/examples/isolate.json"));
    assert!(code == 1 && out.is_empty() && error.contains("ledger"), "{code} {out} {error}");
}
