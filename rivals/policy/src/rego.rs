//! The same policies in Rego, in two forms, and `regorus` in both of its ways to evaluate them.

use std::fmt::Write as _;

use anyhow::Result;
use regorus::Value;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use serde_json::json;
use watchfloor_policy::Request;

use crate::questions::{More, Named, base};

/// How the many policies are written.
#[derive(Clone, Copy)]
pub enum Form {
    /// A rule for each, as in Cedar.
    Rules,
    /// Rows of data, found by verb and then by tenant or role, as our set is cut: what somebody who wants speed writes.
    Tables,
}

impl Form {
    pub fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Tables => "tables",
        }
    }
}

/// Which of its two ways.
#[derive(Clone, Copy)]
pub enum Engine {
    /// It walks the syntax tree.
    Interpreter,
    /// It compiles to instructions of a machine of its own.
    Machine,
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Self::Interpreter => "interpreter",
            Self::Machine => "machine",
        }
    }
}

/// The guards of `packs/policies/msp/guards.cedar`, and the answer that ours gives: what is said, and which policies say it.
const GUARDS: &str = r#"package gate

import rego.v1

containment := {"block_address", "block_domain", "block_hash", "isolate_host", "kill_process", "quarantine_file", "disable_account",
  "revoke_sessions", "reset_credential", "remove_mailbox_rule", "purge_message"}
restoring := {"unblock_address", "unblock_domain", "unblock_hash", "release_host", "restore_file", "enable_account",
  "restore_mailbox_rule", "restore_message"}
irreversible := {"kill_process", "revoke_sessions", "reset_credential"}
protected := {"telemetry", "identity_provider", "management_plane"}
machines := {"Agent": "guard-protected-agent", "Rule": "guard-protected-rule", "Api": "guard-protected-api"}

effect if input.verb in containment
effect if input.verb in restoring

forbid contains machines[input.principal.kind] if { some tag in input.target.tags; tag in protected }
forbid contains machines[input.principal.kind] if input.circumstances.tag in protected
forbid contains "guard-tier-zero" if { input.circumstances.level > 2; input.target.tier == 0; effect }
forbid contains "guard-irreversible" if { input.circumstances.level > 2; input.verb in irreversible }
forbid contains "guard-hearsay" if { input.target.tier < 2; input.circumstances.trust < 1; input.principal.kind != "Person"; effect }
forbid contains "guard-tenant-wall" if not input.target.tenant in input.principal.tenants

answer := {"verdict": "forbid", "policies": forbid} if count(forbid) > 0
else := {"verdict": "allow", "policies": permit} if count(permit) > 0
else := {"verdict": "no_permit", "policies": set()}
"#;

/// What finds rows.
const ROWS: &str = r#"
forbid contains row.id if {
  some row in data.more.forbid[input.verb].all
  row.site == input.target.site; input.circumstances.hour < row.before; input.circumstances.targets <= row.targets
}
forbid contains row.id if {
  some row in data.more.forbid[input.verb].tenant[input.target.tenant]
  row.site == input.target.site; input.circumstances.hour < row.before; input.circumstances.targets <= row.targets
}
forbid contains row.id if {
  some role in input.principal.roles
  some row in data.more.forbid[input.verb].role[role]
  row.site == input.target.site; input.circumstances.hour < row.before; input.circumstances.targets <= row.targets
}
permit contains row.id if {
  some row in data.more.permit[input.verb].all
  row.site == input.target.site; input.circumstances.hour < row.before; input.circumstances.targets <= row.targets
}
permit contains row.id if {
  some row in data.more.permit[input.verb].tenant[input.target.tenant]
  row.site == input.target.site; input.circumstances.hour < row.before; input.circumstances.targets <= row.targets
}
permit contains row.id if {
  some role in input.principal.roles
  some row in data.more.permit[input.verb].role[role]
  row.site == input.target.site; input.circumstances.hour < row.before; input.circumstances.targets <= row.targets
}
"#;

const RULE: &str = "data.gate.answer";

/// A request as the other engine takes it. It is made before the clock runs; ours makes its own inside of it.
pub fn input(request: &Request) -> Result<Value> {
    Ok(serde_json::to_value(request)?.into())
}

fn policies(more: &[More], form: Form) -> Result<String> {
    let mut text = GUARDS.to_owned();
    for (id, kind) in base() {
        writeln!(
            text,
            "permit contains \"{id}\" if {{ input.principal.kind == \"{kind}\"; input.target.tier >= 1; input.circumstances.risk <= 80 }}"
        )?;
    }
    match form {
        Form::Tables => text.push_str(ROWS),
        Form::Rules => more.iter().try_for_each(|one| rule(&mut text, one))?,
    }
    Ok(text)
}

fn rule(text: &mut String, More { id, word, verb, named, site, before, targets }: &More) -> Result<()> {
    write!(text, "{word} contains \"{id}\" if {{ input.verb == \"{verb}\"; ")?;
    match named {
        Named::Tenant(tenant) => write!(text, "input.target.tenant == \"{tenant}\"; ")?,
        Named::Nothing => {}
        Named::Role(role) => write!(text, "\"{role}\" in input.principal.roles; ")?,
    }
    write!(text, "input.target.site == \"{site}\"; input.circumstances.hour < {before}; ")?;
    Ok(writeln!(text, "input.circumstances.targets <= {targets} }}")?)
}

/// Rows by word, verb, and what they name.
fn tables(more: &[More]) -> Value {
    let mut tables = json!({"permit": {}, "forbid": {}});
    for More { id, word, verb, named, site, before, targets } in more {
        let of_verb = &mut tables[*word][*verb];
        let rows = match named {
            Named::Tenant(tenant) => &mut of_verb["tenant"][tenant],
            Named::Nothing => &mut of_verb["all"],
            Named::Role(role) => &mut of_verb["role"][role],
        };
        let row = json!({"id": id, "site": site, "before": before, "targets": targets});
        match rows.as_array_mut() {
            Some(rows) => rows.push(row),
            None => *rows = json!([row]),
        }
    }
    json!({"more": tables}).into()
}

/// Policies that can be asked.
pub enum Asked {
    Interpreter(Box<regorus::Engine>),
    Machine(Box<RegoVM>),
}

impl Asked {
    pub fn new(more: &[More], form: Form, engine: Engine) -> Result<Self> {
        let mut interpreter = regorus::Engine::new();
        interpreter.add_policy("gate.rego".to_owned(), policies(more, form)?)?;
        let data = tables(more);
        if matches!(form, Form::Tables) {
            interpreter.add_data(data.clone())?;
        }
        Ok(match engine {
            Engine::Interpreter => Self::Interpreter(Box::new(interpreter)),
            Engine::Machine => {
                let compiled = interpreter.compile_with_entrypoint(&RULE.into())?;
                let program = Compiler::compile_from_policy(&compiled, &[RULE])?;
                let mut machine = RegoVM::new();
                machine.load_program(program);
                // A set of 1,001 rules takes more than the 25,000 that it has otherwise.
                machine.set_max_instructions(usize::MAX);
                if matches!(form, Form::Tables) {
                    machine.set_data(data)?;
                }
                Self::Machine(Box::new(machine))
            }
        })
    }

    pub fn ask(&mut self, input: &Value) -> Result<Value> {
        match self {
            Self::Interpreter(engine) => {
                engine.set_input(input.clone());
                engine.eval_rule(RULE.to_owned())
            }
            Self::Machine(machine) => {
                machine.set_input(input.clone());
                Ok(machine.execute()?)
            }
        }
    }
}
