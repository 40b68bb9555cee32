//! Exceptions: matches that somebody answers for not seeing.
//!
//! ```yaml
//! - rule: 929a690e-bef0-4204-a928-ef5e620d6fcc   # id or title of a rule; `*` is every rule
//!   when: {Image: 'C:\Program Files\Backup\agent.exe', Computer: srv01}   # as in a search of Sigma
//!   owner: alice@example.com
//!   reason: the nightly backup deletes its own shadow copies
//!   expires: 2027-01-31
//! ```
//! Each needs all five. One that has expired hides nothing, and says so.

use std::path::Path;

use anyhow::Context as _;
use jiff::civil::Date;
use watchfloor_detect::{RuleId, RuleSet};
use watchfloor_model::Grade;
use watchfloor_sigma::yaml::{self, Node};
use watchfloor_sigma::{Document, Finding, Logic, Meta, Options, Reading, Rule};

/// One exception.
#[derive(Debug)]
pub struct Exception {
    pub rule: String,
    pub owner: String,
    pub reason: String,
    pub expires: String,
    pub expired: bool,
    when: Logic,
}

/// All of a file.
#[derive(Debug, Default)]
pub struct Exceptions {
    pub all: Vec<Exception>,
}

impl Exceptions {
    /// Reads a file.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
        let (documents, mut findings) = yaml::documents(&text);
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let options = Options::default();
        let reading = Reading::new(&options);
        let entries = documents.iter().flat_map(Node::items);
        let all: Vec<Exception> =
            entries.filter_map(|entry| exception(entry, today, &reading, &mut findings)).collect();
        for finding in &findings {
            crate::terminal::say(&finding.render(&shown, &text));
        }
        let errors = findings.iter().filter(|finding| finding.grade == Grade::Error).count();
        anyhow::ensure!(errors == 0, "{shown}: {errors} exceptions cannot be used");
        Ok(Self { all })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The exceptions as rules for every log source, which stand behind all others: what such a rule matches is excepted.
    pub fn rules(&self) -> impl Iterator<Item = Document> + '_ {
        self.all.iter().enumerate().filter(|(_, exception)| !exception.expired).map(|(number, exception)| {
            let meta = Meta { title: format!("exception {number}"), ..Meta::default() };
            Document::Rule(Box::new(Rule {
                meta,
                source: watchfloor_sigma::LogSource::default(),
                names: vec!["when".to_owned()],
                searches: vec![exception.when.clone()],
                condition: Logic::Search(0),
            }))
        })
    }

    /// The first of some exceptions that is for a rule.
    pub fn hiding(&self, numbers: &[usize], meta: &Meta) -> Option<usize> {
        numbers.iter().copied().find(|number| self.all.get(*number).is_some_and(|one| one.is_for(meta)))
    }

    /// The number of the exception that a rule of the set stands for.
    pub fn number(&self, set: &RuleSet, rule: RuleId) -> Option<usize> {
        let mut live =
            self.all.iter().enumerate().filter(|(_, exception)| !exception.expired).map(|(number, _)| number);
        let first = set.rules.len().checked_sub(live.clone().count())?;
        live.nth((rule.0 as usize).checked_sub(first)?)
    }
}

impl Exception {
    /// Whether it is for a rule.
    pub fn is_for(&self, meta: &Meta) -> bool {
        self.rule == "*" || meta.key().eq_ignore_ascii_case(&self.rule) || meta.title.eq_ignore_ascii_case(&self.rule)
    }
}

fn exception(entry: &Node, today: Date, reading: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<Exception> {
    let mut text = |key: &str| {
        let text = entry.get(key).and_then(Node::text).filter(|text| !text.trim().is_empty());
        if text.is_none() {
            let finding = Finding::error("exception.incomplete", entry.place, format!("the exception has no `{key}`"));
            findings.push(finding.note(
                "an exception has rule, when, owner, reason, expires: somebody answers for it, and not for ever",
            ));
        }
        text
    };
    let (rule, owner, reason, expires) = (text("rule"), text("owner"), text("reason"), text("expires"));
    let Some(when) = entry.get("when") else {
        let finding = Finding::error("exception.incomplete", entry.place, "the exception has no `when`");
        findings.push(
            finding.note("say which records it is for, as a search of Sigma; to leave a rule out, do not load it"),
        );
        return None;
    };
    let when = watchfloor_sigma::search(when, reading).map_err(|finding| findings.push(finding)).ok();
    let expires = expires?;
    let Ok(last) = expires.parse::<Date>() else {
        let place = entry.get("expires").map_or(entry.place, |node| node.place);
        findings.push(
            Finding::error("exception.expires", place, format!("`{expires}` is no date")).note("write YYYY-MM-DD"),
        );
        return None;
    };
    let expired = last < today;
    if expired {
        findings.push(Finding::warning(
            "exception.expired",
            entry.place,
            format!("the exception expired on {expires}: it hides nothing"),
        ));
    }
    Some(Exception { rule: rule?, owner: owner?, reason: reason?, expires, expired, when: when? })
}
