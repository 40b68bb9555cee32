//! Tests of policies, as tables.
//!
//! ```json
//! {
//!   "usual": { a request },
//!   "tests": [{"name": "…", "request": { what differs from the usual }, "expect": "allow", "by": ["id", …]}]
//! }
//! ```
//!
//! `expect` is `allow`, `forbid`, `no_permit` or `error`; `by` are the ids of all policies that decide, in any order.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ask::{Answer, Verdict};
use crate::read::Policies;
use crate::request::Request;

/// Tests of one file.
pub const MAX_TESTS: usize = 100_000;

/// A table of tests.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its tests.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What it is called.
    pub name: String,
    /// What is asked.
    pub request: Request,
    /// What the set has to say.
    pub expect: Verdict,
    /// The policies that have to decide.
    pub by: BTreeSet<String>,
}

/// What is wrong with a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no JSON of this shape.
    #[error("the table cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// One test is no request.
    #[error("test `{name}` is no request: {source}")]
    Request {
        /// Its name.
        name: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Two tests have one name.
    #[error("two tests are called `{0}`")]
    Name(String),
    /// There are none, or too many.
    #[error("{0} tests, not 1 to {MAX_TESTS}")]
    Count(usize),
}

/// One test that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Its name.
    pub test: String,
    /// What was expected.
    pub expected: Verdict,
    /// By which policies.
    pub by: BTreeSet<String>,
    /// What the set says.
    pub answer: Answer,
    /// What was asked.
    pub request: Request,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    usual: Value,
    tests: Vec<WrittenTest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTest {
    name: String,
    request: Value,
    expect: Verdict,
    by: BTreeSet<String>,
}

impl Table {
    /// Reads a table.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(text: &str) -> Result<Self, TableError> {
        let written: Written = serde_json::from_str(text)?;
        if written.tests.is_empty() || written.tests.len() > MAX_TESTS {
            return Err(TableError::Count(written.tests.len()));
        }
        let mut names = BTreeSet::new();
        let mut tests = Vec::with_capacity(written.tests.len());
        for WrittenTest { name, request, expect, by } in written.tests {
            if !names.insert(name.clone()) {
                return Err(TableError::Name(name));
            }
            let mut whole = written.usual.clone();
            lay_over(&mut whole, request);
            let request =
                serde_json::from_value(whole).map_err(|source| TableError::Request { name: name.clone(), source })?;
            tests.push(Test { name, request, expect, by });
        }
        Ok(Self { tests })
    }

    /// Runs all tests; what came out otherwise, and the policies that decided no test.
    #[must_use]
    pub fn run(&self, policies: &Policies) -> (Vec<Failure>, BTreeSet<String>) {
        let mut idle: BTreeSet<String> = policies.ids().map(str::to_owned).collect();
        let mut failures = Vec::new();
        for Test { name, request, expect, by } in &self.tests {
            let answer = policies.ask(request);
            let decided: BTreeSet<String> = answer.policies.iter().cloned().collect();
            idle.retain(|id| !decided.contains(id));
            if answer.verdict != *expect || decided != *by {
                failures.push(Failure {
                    test: name.clone(),
                    expected: *expect,
                    by: by.clone(),
                    answer,
                    request: request.clone(),
                });
            }
        }
        (failures, idle)
    }
}

/// Objects are laid over each other field by field; anything else replaces what was there.
fn lay_over(below: &mut Value, above: Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (name, value) in above {
                lay_over(below.entry(name).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above,
    }
}
