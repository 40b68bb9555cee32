//! Texts of `--help`.

/// `watchfloor --help`
pub const TOP: &str = "\
watchfloor: a self-hosted security operations centre

  watchfloor normalize [OPTIONS] [FILE…]   any log record becomes a validated OCSF event
  watchfloor hunt [OPTIONS] [FILE…]        which rules match which records, as a timeline, JSON, CSV or a report
  watchfloor rules check|test|coverage     what is wrong with Sigma rules; whether they match what they should; what they cover
  watchfloor audit verify|replay|export    whether a ledger is what was signed; its decisions made again; what of it can be taken away
  watchfloor policy check|test|diff        whether policies keep the written guards; what they answer; what a change newly allows
  watchfloor decide --state S --policy P PLAN   what the gate says of a plan, and why
  watchfloor rehearse SCRIPT               what the house would say and do: people, machines and halts through the kernel, from a script
  watchfloor simulate --seed N             plans carried out in a world where everything goes wrong, and what was wrong with that
  watchfloor bench NAME                    how fast that is on this machine: normalize, detect, admission, autonomy, govern, ledger, policy

`watchfloor COMMAND --help` says more and has examples. Exit codes: 0 fine, 1 findings or failures, 2 usage, 3 refused by policy,
4 cannot verify.
";

/// `watchfloor policy --help`
pub const POLICY: &str = "\
watchfloor policy check [OPTIONS] PATH…
watchfloor policy test [--json] FOLDER…
watchfloor policy diff [OPTIONS] OLD NEW

A set of policies is a folder (its .cedar files) or one file. Several are checked one by one.

check reads each set strictly by the schema, tries every verb, tier, principal and tag on it, and says whether it keeps the written
guards. With cvc5 installed it also proves it for every request there can be; without, it says that it did not.

test asks the requests of the folder's .json tables; every policy must decide at least one.

diff says which decisions a change of policies changes, with a request for each kind.

  --json                one JSON object a line
  --prove               without a proof the exit code is 4
  --solver PROGRAM      cvc5, if it is not on the path
  --past FILE           with diff: past requests and answers, one JSON object a line, are asked again

Examples
  watchfloor policy check packs/policies/msp
  watchfloor policy test packs/policies/*
  watchfloor policy diff packs/policies/msp my-policies

docs/policy.md tells how to write policies and put them in force. Exit codes: 0 fine, 1 findings (of diff: decisions change), 2 usage,
3 a set does not keep the guards, 4 no proof.
";

/// `watchfloor normalize --help`
pub const NORMALIZE: &str = "\
watchfloor normalize [OPTIONS] [FILE…]

Reads log files, directories, .gz/.zst/.zip archives or standard input (no FILE, or `-`), recognises what each record is, and
prints one OCSF 1.8.0 event a line. What was wrong with an input goes to standard error, one JSON object a line, with a stable
code, place and hash. Nothing is dropped: a record that no source recognises becomes a base event with its text in `raw_data`.

  --source KIND         every record is of this kind (`--sources` lists them); default: detect each record by content
  --sources             list the kinds and what their silence means
  --packs DIR           a folder with your own mappings, DIR/<kind>/mapping.wfm; they replace built-in ones of the same kind
  --explain             instead of events: which line of which mapping made each attribute
  --entities            instead of events: the hosts, users, processes, files … of each event, with their roles
  --quality[=json]      instead of events: a table of data quality by source (or the same as JSON), and alarms
  --baseline FILE       with --quality: judge beside an earlier run, FILE being its --quality=json
  --ocsf-version V      1.8.0 (default), 1.3.0 or 1.1.0; what an older version cannot hold is said
  --no-raw              leave `raw_data` out; its hash and size stay
  --received TIME       take TIME as the receipt time of all records, for repeatable output; default: now
  --tz ZONE             zone of times that name none, such as Europe/Berlin; default: UTC
  --jobs N              worker threads; default: one a core

Examples
  watchfloor normalize /var/log/auth.log
  journalctl -o json -n 100 | watchfloor normalize
  watchfloor normalize --quality evidence.zip
  watchfloor normalize --quality=json week-1/ > usual.json; watchfloor normalize --quality --baseline usual.json week-2/
  watchfloor normalize --explain --packs my-packs door.log | less

docs/mapping.md tells how to write a mapping for a source of your own. Exit codes: 0 fine, 1 an input or record could not be
read (each is told on standard error) or --quality has alarms, 2 usage.
";

/// `watchfloor bench --help`
pub const BENCH: &str = "\
watchfloor bench normalize FILE…
watchfloor bench detect [--rules PATH]… [--growth] FILE…
watchfloor bench autonomy [--plot FILE.svg]
watchfloor bench admission
watchfloor bench ledger [DIR]
watchfloor bench policy
watchfloor bench govern [--growth [--plot FILE.svg]]

admission measures one decision of the admission control with a million counters, in nanoseconds; it reads no files. Each is timed by itself
(admit_p50, admit_p99, with one reading of the clock, whose own time is printed), and in stretches without a clock in between (admit_mean_p50).

govern measures one decision of the gate at 10,000 entities and a million counters, without policy and with 1,001 of them, and what admission
takes there; with --growth, a decision with 10 to 100,000 entities, and with 1 to 1,001 policies, which --plot draws.

policy measures one question to the policies with 11, 101 and 1,001 of them at 10,000 entities, beside plain Cedar.

detect measures loading rules (the built-in ones without --rules), and events a second on one core from bytes to matches;
with --growth, the time of an event with 10, 100, 1,000 of the rules, with all, and with ten times as many (variants of them).

normalize reads up to 256 MB of records from the files into memory and prints one JSON line for each figure: events a second on one core from
bytes to written event, framing alone, and bare parses of the same records by sonic-rs and serde_json (and simd-json, in a binary
built with `--features rivals`) in the same run. Each is the median of five runs.

autonomy simulates 10,000 histories of 10,000 outcomes at the bars of levels 3 and 4 and prints how many are promoted; --plot draws lower bounds of
histories against the bars.

ledger measures how many leaves a second several appenders make durable in a folder of its own under DIR (default: here; it is taken
away again), how many are verified, and the time of a proof.

Examples
  watchfloor bench ledger /var/lib
  watchfloor bench normalize packs/sources/*/samples
  watchfloor bench detect --rules sigma/rules packs/sources/windows.*/samples
  watchfloor bench admission
";

/// `watchfloor rules --help`
pub const RULES: &str = "\
watchfloor rules check [OPTIONS] [PATH…]
watchfloor rules test [OPTIONS] PATH…
watchfloor rules coverage [OPTIONS] [PATH…]

check reads Sigma rules, correlations and filters from files and folders (without a PATH: the built-in ones) and says what is wrong with
them: a code, the place, and what to do. A document with an error cannot be used.

  --json                findings as JSON lines
  --strict              warnings count as failures
  --placeholders FILE   what %name% stands for in values with `expand`: a YAML file, name: [value, …]

test runs the fixtures of rules: those of name.yml stand in name.test.yml, as lists `match` and `pass` of entries with `record` (a map),
`line` (text), `records` or `lines`, and `source` if the kind of the records cannot be seen.

  --packs DIR           a folder with your own mappings
  --placeholders FILE   as above

coverage says which ATT&CK techniques rules look for, in which data, whether they are tested, and which rules are blind: no record that is
recognised is of their log source.

  --format FORMAT       table (default), json (one line a rule) or navigator (a layer for ATT&CK's Navigator)
  --data PATH           judge by these records instead: a rule is blind if none is of its log source, or has none of its fields

Examples
  watchfloor rules coverage --data /var/log --format navigator > layer.json
  watchfloor rules check my-rules/
  watchfloor rules test my-rules/ || echo \"not today\"

docs/rules.md tells what is read and how. Exit codes: 0 fine, 1 a rule was refused or a fixture failed, 2 usage.
";

/// `watchfloor hunt --help`
pub const HUNT: &str = "\
watchfloor hunt [OPTIONS] [FILE…]

Reads log files of every kind that `watchfloor normalize` reads, also folders, archives and standard input, and runs Sigma rules over
them: the built-in ones, or your own.

  --rules PATH          rules from a file or folder instead of the built-in ones; several times for several
  --placeholders FILE   what %name% stands for in values with `expand`: a YAML file, name: [value, …]
  --level LEVEL         only rules of this level or above: informational, low, medium, high, critical
  --status STATUS       only rules of this status; several times for several; default: all but deprecated and unsupported
  --rule TEXT           only rules with this id, or this in their title; several times for several
  --tag TEXT            only rules with this in a tag, such as t1003; several times for several
  --from TIME, --to TIME  only records from the first to before the second, such as 2026-01-31T12:00:00Z,
                        or 2026-01-31T12:00 and 2026-01-31 for the zone of --tz
  --exceptions FILE     matches that are accepted: rule, when, owner, reason, expires (docs/rules.md)
  --preview             with --exceptions: show the matches that they would hide, and only those
  --rule-budget N       microseconds that a rule may take for each record, on average (100), or `off`; one that takes more is
                        suspended, told, and makes the exit code 1
  --format FORMAT       table (default), jsonl, csv or html: one page with timeline, hosts and techniques, to hand on
  --output FILE         write to FILE instead of standard output
  --stats               counts by level, rule, host and technique instead of matches
  --fail-on LEVEL       exit code 1 if a rule of this level or above matched; it is 1 as well if the hunt could not look at everything;
                        rules that are refused do not count: see `watchfloor rules check`
  --source KIND         every record is of this kind; default: detect each record by content
  --packs DIR           a folder with your own mappings
  --tz ZONE             zone of times that name none; default: UTC
  --jobs N              worker threads; default: one a core

Examples
  watchfloor hunt evidence.zip
  watchfloor hunt --rules sigma/rules --level high --format html --output report.html C/Windows/System32/winevt/Logs
  watchfloor hunt --fail-on high --format jsonl audit.json

Exit codes: 0 fine, 1 --fail-on was met, or something was not looked at (an input, a suspended rule, a correlation), 2 usage.
";

/// `watchfloor simulate --help`
pub const SIMULATE: &str = "\
watchfloor simulate --seed N [OPTIONS]

Makes a world of a seed: a small house, its people, systems that are called, some of them hostile. Plans that the gate allows are carried out
while the house crashes, calls and answers are lost, late or come twice, connectors lie, clocks jump, people halt things and recall plans.
Then it is judged: no effect twice, none without a start that was durable, none that the records deny, no call while things were halted
or after its time, no lease that does not end. The same seed makes the same world.

  --seed N              the seed, or the first of several
  --worlds N            so many worlds, with the seeds that follow; default: 1
  --json                one JSON object instead of a table
  --jobs N              worker threads; default: one a core

Examples
  watchfloor simulate --seed 7
  watchfloor simulate --seed 0 --worlds 100000

Exit codes: 0 fine, 1 something was wrong, 2 usage.
";

/// `watchfloor audit --help`
pub const AUDIT: &str = "\
watchfloor audit verify [OPTIONS] DIR|FILE
watchfloor audit checkpoint DIR [--key-file FILE]
watchfloor audit replay [OPTIONS] DIR [LEAF|PLAN…]
watchfloor audit autonomy DIR [--at TIME] [--json]
watchfloor audit boundary DIR [--window N] [--json]
watchfloor audit export DIR --output DIR|FILE [--tenant NAME | --pieces]
watchfloor audit append DIR
watchfloor audit key --name ORIGIN --output FILE

verify reads a ledger, or what was exported of it, and says which leaves are not what was signed: changed, deleted, inserted, moved, cut
off, rolled back or forked. It needs no server, and writes nothing.

  --key KEY             whose signature counts: name+id+base64, or a file with that; several times for several. Without one, hashes
                        are compared and the exit code is 4 at best: anybody could have written all of it
  --checkpoint FILE     a checkpoint of this ledger that was kept elsewhere; several times for several. Without one, a ledger that was
                        cut back to an older state cannot be told from a whole one
  --json                findings as JSON lines

replay makes decisions again from what they were made of: the same plan, state, policy and time must give the same bytes. Without a LEAF's number,
a plan's name or its hash, all that stand in the ledger.

  --key KEY             the ledger is verified before, as verify does, and only leaves that are signed count; --checkpoint as there
  --policy PATH         ask these policies instead: what would they have changed?
  --json                one JSON object a decision

autonomy makes what machines have earned again from the leaves alone, and checks each on the way: for every cell what the machine would have done
beside what people did, who judged, what differed, what is granted, by whom, and what outcomes bear. --at TIME instead of now.

boundary asks whether anything is still held back of what machines ask for (the last N requests, 100 if not said), and asks admission about each again,
made worse in three ways: on the most delicate target, by one who asks without end, at the worst time. What passes all the same is told.

checkpoint signs the ledger as it is now and prints the checkpoint: keep it elsewhere. Without --key-file it prints the newest one.

export writes what verifies on another machine: a folder with all that the newest checkpoint counts, or a file with the leaves of one
tenant, each with the proof that it is in the ledger. --pieces takes along what leaves name by its hash, so that replay works there too.

append reads leaves from standard input, a JSON object a line: kind, tenant, actor, accountable, time (milliseconds since 1970), detail.
They are durable when it ends. A ledger is made where there is none.

key makes a signing key: it goes to FILE, which only you can read; what others check with is printed.

Examples
  watchfloor audit key --name audit.example/ledger --output ledger.key > ledger.pub
  echo '{\"kind\":\"halt\",\"tenant\":\"acme\",\"actor\":\"ada\",\"accountable\":\"ada\",\"time\":1767225600000,\"detail\":{\"scope\":\"all\"}}' | watchfloor audit append ledger
  watchfloor audit checkpoint ledger --key-file ledger.key > kept-elsewhere
  watchfloor audit verify ledger --key ledger.pub --checkpoint kept-elsewhere
  watchfloor audit replay ledger --key ledger.pub
  watchfloor audit replay ledger --policy packs/policies/hospital
  watchfloor audit export ledger --output for-the-auditor --pieces
  watchfloor audit export ledger --tenant acme --output acme.jsonl

docs/ledger.md tells the formats, and what a verified ledger shows and does not. Exit codes: 0 fine, 1 something is wrong (or a line was
refused, or a decision comes out otherwise), 2 usage, 4 cannot verify: no checkpoint, no key, or what a decision was made of is not there.
";

/// `watchfloor decide --help`
pub const DECIDE: &str = "\
watchfloor decide --state STATE.json --policy PATH [OPTIONS] PLAN.json

Asks the gate about a plan and prints its answer with every reason: a table, or the decision as JSON. Nothing is done.

  --state FILE          what the gate knows: people, machines, tenants with their inventory, evidence, budgets, halts (docs/gate.md)
  --policy PATH         policies in Cedar: a folder or a file, such as packs/policies/small-office
  --at TIME             decide as of TIME; default: now
  --ledger DIR          record the decision and all that it was made of there, before it is printed: see watchfloor audit replay
  --json                the decision as one JSON object

Examples
  watchfloor decide --state packs/examples/state.json --policy packs/policies/small-office packs/examples/isolate.json
  watchfloor decide --state packs/examples/state.json --policy packs/policies/small-office --json packs/examples/isolate.json

Exit codes: 0 it may be done, 1 people must agree, 2 usage, 3 refused.
";

/// `watchfloor rehearse --help`
pub const REHEARSE: &str = "\
watchfloor rehearse [OPTIONS] SCRIPT.json

Runs a script through the kernel that decides for real: plans are proposed, people are shown them and sign, machines earn levels, halts are set
and lifted, plans are carried out and undone at the end of their lease. Keys and connectors are made up, time is the script's. Try a policy, an
inventory or a roster with it before it matters, or keep scripts as tests: a step that does not come out as its `expect` says makes the exit code 1.

  --ledger DIR          write every leaf there: see watchfloor audit verify, watchfloor audit replay
  --json                one JSON object a step

Examples
  watchfloor rehearse packs/rehearsals/two-people.json
  watchfloor rehearse --ledger rehearsed packs/rehearsals/earned.json; watchfloor audit replay rehearsed

docs/rehearsals.md tells what scripts say. Exit codes: 0 all as expected, 1 not, or the script cannot be played, 2 usage.
";
