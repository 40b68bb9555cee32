//! `watchfloor audit autonomy`: what machines have earned, made again from the leaves of a ledger alone.

use std::path::PathBuf;

use anyhow::Context as _;
use jiff::Timestamp;
use lexopt::ValueExt as _;
use serde_json::{Value as Json, json};
use watchfloor_govern::autonomy::cell::Cell;
use watchfloor_govern::autonomy::closed::Figure;
use watchfloor_govern::autonomy::{Record, State};
use watchfloor_ledger::{Kind, Leaf, read_leaf};
use watchfloor_model::ids::TenantId;
use watchfloor_store::leaves;

use super::{due, help, reading};
use crate::Ended;
use crate::terminal::{complain, plain, print};

/// Most leaves that cannot be read which are told one by one.
const TOLD_MAX: usize = 100;

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let (mut folder, mut at, mut as_json) = (None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return help(),
            Long("at") => at = Some(crate::decide::time(&parser.value()?.string()?)?),
            Long("json") => as_json = true,
            Value(value) if folder.is_none() => folder = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let folder = due(folder, "`watchfloor audit autonomy` takes the folder of a ledger")?;
    let disk = reading(&folder)?;
    let (mut state, mut refused, mut tenants) = (State::default(), 0, Vec::new());
    for leaf in leaves(&disk)? {
        let (number, bytes) = leaf.with_context(|| folder.display().to_string())?;
        let leaf = read_leaf(&bytes).with_context(|| format!("leaf {number}"))?;
        if !matches!(leaf.kind, Kind::Promotion | Kind::Demotion | Kind::Shadow | Kind::Verdict) {
            continue;
        }
        if let Err(error) = take(&mut state, &leaf) {
            refused += 1;
            if refused <= TOLD_MAX {
                complain(&format!("leaf {number}: {error}"));
            }
        }
        let tenant = TenantId(leaf.tenant);
        if !tenants.contains(&tenant) {
            tenants.push(tenant);
        }
    }
    let now = at.unwrap_or_else(|| Timestamp::now().as_millisecond());
    for cell in state.cells() {
        print(&if as_json { cell_json(cell, now)? } else { plain(&cell_text(cell, now)) })?;
    }
    tenants.sort();
    for tenant in tenants {
        let Some(figure) = state.closed(&tenant).map(|closed| closed.figure(now)) else { continue };
        print(&if as_json {
            format!("{}\n", json!({"tenant": tenant, "closed": figure}))
        } else {
            let Figure { closed, reviewed, missed, waiting, overdue, upper } = figure;
            plain(&format!(
                "{tenant}: {closed} cases closed without a person; {reviewed} looked at again, {missed} missed threats, {waiting} waiting, {overdue} overdue; at most {upper} missed\n"
            ))
        })?;
    }
    if !as_json {
        print(&format!("{} cells; {refused} leaves that are not what their kind says\n", state.cells().count()))?;
    }
    Ok(if refused > 0 { Ended::Findings } else { Ended::Fine })
}

/// Takes the record of a leaf. What it says is checked again: a promotion its signature, its right and its bar.
fn take(state: &mut State, leaf: &Leaf) -> Result<(), String> {
    let record: Record = serde_json::from_value(Json::Object(leaf.detail.clone()))
        .map_err(|error| format!("no record of autonomy: {error}"))?;
    state.apply(record, leaf.time).map_err(|refused| format!("{refused} ({})", refused.code()))
}

fn cell_text(cell: &Cell, now: i64) -> String {
    let mut text = cell.report().to_string();
    let (earned, why) = cell.earned(now);
    let by = cell.grantor().map(|person| format!(" by {person}")).unwrap_or_default();
    text.push_str(&format!(
        "level {} granted{by}; level {} earned: {}\n",
        u8::from(cell.granted()),
        u8::from(earned),
        why.says()
    ));
    for shadow in cell.report().differences {
        let said =
            shadow.judged.map(|judged| format!("{} said {:?}, did {:?}", judged.by, judged.judgement, judged.did));
        text.push_str(&format!("  {}: would {:?}; {}\n", shadow.id.0, shadow.would, said.unwrap_or_default()));
    }
    text.push('\n');
    text
}

fn cell_json(cell: &Cell, now: i64) -> anyhow::Result<String> {
    let (earned, why) = cell.earned(now);
    let standing = json!({"granted": cell.granted(), "grantor": cell.grantor(), "earned": earned, "why": format!("autonomy.{}", why.code())});
    Ok(format!("{}\n", json!({"report": serde_json::to_value(cell.report())?, "standing": standing})))
}
