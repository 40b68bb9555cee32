//! `watchfloor policy test`: does a set answer as its tables say?

use serde_json::json;
use watchfloor_policy::{Answer, Table};

use super::{Options, load};
use crate::terminal::{plain, print};
use crate::{Ended, Usage};

/// Runs the command.
pub fn run(options: &Options) -> anyhow::Result<Ended> {
    let mut ended = Ended::Fine;
    for path in options.sets("test")? {
        if !path.is_dir() {
            return Err(Usage(format!("{}: a folder with .cedar and .json files is tested", path.display())).into());
        }
        let set = load::set(path)?;
        let Some(policies) = set.usable() else {
            ended = Ended::Findings;
            continue;
        };
        let files = load::files(path, "json")?;
        anyhow::ensure!(!files.is_empty(), "{}: no tests here (files ending in .json)", path.display());
        let mut idle = policies.ids().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
        let (mut tests, mut failed) = (0, 0);
        for file in files {
            let table = Table::read(&load::text(&file)?)
                .map_err(|error| anyhow::Error::new(error).context(file.display().to_string()))?;
            let (failures, rest) = table.run(policies);
            idle.retain(|id| rest.contains(id));
            tests += table.tests.len();
            failed += failures.len();
            for failure in failures {
                let by: Vec<String> = failure.by.iter().cloned().collect();
                print(&if options.json {
                    format!(
                        "{}\n",
                        json!({"set": path.display().to_string(), "file": file.display().to_string(), "failure": failure})
                    )
                } else {
                    plain(&format!(
                        "{}: {}\n  expected {}{}, is {}\n  asked: {}\n",
                        file.display(),
                        failure.test,
                        failure.expected.word(),
                        named(&by),
                        answer(&failure.answer),
                        failure.request
                    ))
                })?;
            }
        }
        for id in &idle {
            print(&if options.json {
                format!("{}\n", json!({"set": path.display().to_string(), "idle": id}))
            } else {
                plain(&format!("{}: `{id}` decides no test\n", path.display()))
            })?;
        }
        if !options.json {
            print(&format!("{}: {tests} tests, {failed} failed, {} policies untested\n", path.display(), idle.len()))?;
        }
        if failed > 0 || !idle.is_empty() {
            ended = Ended::Findings;
        }
    }
    Ok(ended)
}

/// An answer in words.
pub fn answer(answer: &Answer) -> String {
    let errors: String = answer.errors.iter().map(|(policy, error)| format!(" ({policy}: {error})")).collect();
    format!("{}{}{errors}", answer.verdict.word(), named(&answer.policies))
}

fn named(policies: &[String]) -> String {
    if policies.is_empty() { String::new() } else { format!(" by {}", policies.join(", ")) }
}
