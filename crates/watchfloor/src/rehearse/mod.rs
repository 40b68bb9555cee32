//! `watchfloor rehearse`: a script of what people and machines do, run through the real kernel, with made-up keys and connectors. What would the house say?

mod book;
mod earn;
mod script;
mod stage;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use serde_json::json;

use crate::terminal::{plain, print};
use crate::{Ended, Usage};
use script::Script;
use stage::{Came, Stage};

/// Runs the command.
pub fn run(parser: &mut lexopt::Parser) -> anyhow::Result<Ended> {
    use lexopt::prelude::{Long, Short, Value};
    let (mut path, mut ledger, mut as_json) = (None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => {
                print(crate::help::REHEARSE)?;
                return Ok(Ended::Fine);
            }
            Long("ledger") => ledger = Some(PathBuf::from(parser.value()?)),
            Long("json") => as_json = true,
            Value(value) if path.is_none() => path = Some(PathBuf::from(value)),
            other => return Err(other.unexpected().into()),
        }
    }
    let path = path.ok_or_else(|| Usage("`watchfloor rehearse` takes a script".to_owned()))?;
    let mut script: Script = crate::decide::read(&path)?;
    let steps = script.steps().with_context(|| path.display().to_string())?;
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let mut stage = Stage::new(&script, folder, ledger.as_deref())?;
    let (mut wrong, count) = (0, steps.len());
    for (number, step) in (1..).zip(steps) {
        let came = stage.play(step.after, &step.what).with_context(|| format!("step {number}"))?;
        let is_met = came.meets(step.expect.as_deref());
        wrong += usize::from(!is_met);
        let at = Timestamp::from_millisecond(stage.now())?;
        let expected = step.expect.as_deref().unwrap_or("no refusal");
        if as_json {
            let Came { what, answer, codes, told } = &came;
            let line = json!({"step": number, "at": at.to_string(), "what": what, "answer": answer, "codes": codes, "told": told,
                "expected": step.expect, "met": is_met});
            print(&format!("{line}\n"))?;
        } else {
            let mut text = format!("{number:>3}  {at}  {:<58} {}\n", came.what, came.answer);
            came.told.iter().for_each(|told| text.push_str(&format!("     {told}\n")));
            if !is_met {
                text.push_str(&format!("     EXPECTED {expected}\n"));
            }
            print(&plain(&text))?;
        }
    }
    let leaves = stage.leaves();
    if !as_json {
        print(&format!("{count} steps, {wrong} not as expected; {leaves} leaves\n"))?;
    }
    Ok(if wrong == 0 { Ended::Fine } else { Ended::Findings })
}
