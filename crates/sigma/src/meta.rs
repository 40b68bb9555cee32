//! What a rule says of itself.

use crate::finding::{Finding, Place};
use crate::yaml::{Node, Value};

/// How far a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the status of its name")]
pub enum Status {
    Unsupported,
    Deprecated,
    Experimental,
    Test,
    Stable,
}

impl Status {
    /// All, the least trusted first.
    pub const ALL: [Self; 5] = [Self::Unsupported, Self::Deprecated, Self::Experimental, Self::Test, Self::Stable];

    /// The word of Sigma.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Deprecated => "deprecated",
            Self::Experimental => "experimental",
            Self::Test => "test",
            Self::Stable => "stable",
        }
    }

    /// The status of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// How bad a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the level of its name")]
pub enum Level {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl Level {
    /// All, the lowest first.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word of Sigma.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The level of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == word)
    }
}

/// Another rule that this one has to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// Its id.
    pub id: String,
    /// `derived`, `obsolete`, `merged`, `renamed`, `similar`
    pub kind: String,
}

/// Where the events of a rule come from. What is empty says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogSource {
    /// Such as `process_creation`.
    pub category: Option<String>,
    /// Such as `windows`.
    pub product: Option<String>,
    /// Such as `security`.
    pub service: Option<String>,
}

/// What a rule says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// Where its document begins.
    pub place: Place,
    /// `title`
    pub title: String,
    /// `id`
    pub id: Option<String>,
    /// `name`
    pub name: Option<String>,
    /// `status`
    pub status: Option<Status>,
    /// `level`
    pub level: Option<Level>,
    /// `description`
    pub description: String,
    /// `author`
    pub author: String,
    /// `date`
    pub date: String,
    /// `modified`
    pub modified: String,
    /// `license`
    pub license: String,
    /// `taxonomy`, if it is not Sigma's own.
    pub taxonomy: Option<String>,
    /// `references`
    pub references: Vec<String>,
    /// `tags`
    pub tags: Vec<String>,
    /// `falsepositives`
    pub false_positives: Vec<String>,
    /// `fields`
    pub fields: Vec<String>,
    /// `scope`
    pub scope: Vec<String>,
    /// `related`
    pub related: Vec<Related>,
    /// Everything else at the top of the document.
    pub custom: Vec<(String, Node)>,
}

/// Keys that have a place in [`Meta`] or are read elsewhere.
const KNOWN: [&str; 22] = [
    "title",
    "id",
    "name",
    "status",
    "level",
    "description",
    "author",
    "date",
    "modified",
    "license",
    "taxonomy",
    "references",
    "tags",
    "falsepositives",
    "fields",
    "scope",
    "related",
    "logsource",
    "detection",
    "correlation",
    "filter",
    "action",
];

impl Meta {
    /// What rules are called by: the id, or the name, or the title.
    #[must_use]
    pub fn key(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or(&self.title)
    }

    /// What correlations and filters may call it, each once.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        let name = self.name.as_ref().filter(|name| self.id.as_ref() != Some(name));
        self.id.iter().chain(name)
    }

    /// Whether a correlation or filter means it.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// ATT&CK techniques of the tags, as they are written there: `T1059.001`.
    pub fn techniques(&self) -> impl Iterator<Item = String> + '_ {
        self.tags.iter().filter_map(|tag| {
            let technique = tag.strip_prefix("attack.t")?;
            technique.starts_with(|c: char| c.is_ascii_digit()).then(|| format!("T{technique}"))
        })
    }
}

/// Reads what a document says of itself.
pub(crate) fn read(document: &Node, findings: &mut Vec<Finding>) -> Meta {
    let mut meta = Meta { place: document.place, ..Meta::default() };
    let title = text(document, "title", findings);
    if title.as_deref().is_none_or(|title| title.trim().is_empty()) {
        findings.push(Finding::error("sigma.title", document.place, "the rule has no title").note("add `title: ...`"));
    }
    meta.title = title.unwrap_or_default();
    meta.id = text(document, "id", findings);
    meta.name = text(document, "name", findings);
    meta.description = text(document, "description", findings).unwrap_or_default();
    meta.author = text(document, "author", findings).unwrap_or_default();
    meta.date = text(document, "date", findings).unwrap_or_default();
    meta.modified = text(document, "modified", findings).unwrap_or_default();
    meta.license = text(document, "license", findings).unwrap_or_default();
    meta.taxonomy = text(document, "taxonomy", findings).filter(|taxonomy| taxonomy != "sigma");
    meta.status = word(document, "status", Status::parse, &Status::ALL.map(Status::as_str), findings);
    meta.level = word(document, "level", Level::parse, &Level::ALL.map(Level::as_str), findings);
    meta.references = texts(document, "references");
    meta.tags = texts(document, "tags");
    meta.false_positives = texts(document, "falsepositives");
    meta.fields = texts(document, "fields");
    meta.scope = texts(document, "scope");
    for related in document.get("related").map(Node::items).unwrap_or_default() {
        let of = |key| related.get(key).and_then(Node::text).unwrap_or_default();
        meta.related.push(Related { id: of("id"), kind: of("type") });
    }
    meta.custom = document
        .entries()
        .iter()
        .filter(|(key, _)| !KNOWN.contains(&key.text.as_str()))
        .map(|(key, value)| (key.text.clone(), value.clone()))
        .collect();
    meta
}

/// The text under a key; what is none is said.
pub(crate) fn text(node: &Node, key: &str, findings: &mut Vec<Finding>) -> Option<String> {
    let value = node.get(key)?;
    let text = value.text();
    if text.is_none() && value.value != Value::Null {
        let message = format!("`{key}` is {}; it must be a text", value.kind());
        findings.push(Finding::error("sigma.type", value.place, message));
    }
    text
}

/// The texts under a key.
pub(crate) fn texts(node: &Node, key: &str) -> Vec<String> {
    node.get(key).map(Node::items).unwrap_or_default().iter().filter_map(Node::text).collect()
}

/// A word out of a list. Another one is a warning: the rule can be used without it.
fn word<T>(
    node: &Node,
    key: &str,
    parse: fn(&str) -> Option<T>,
    all: &[&str],
    findings: &mut Vec<Finding>,
) -> Option<T> {
    let word = text(node, key, findings)?;
    let parsed = parse(&word);
    if parsed.is_none()
        && let Some(value) = node.get(key)
    {
        let message = format!("`{word}` is no {key}");
        findings
            .push(Finding::warning("sigma.word", value.place, message).note(format!("there are: {}", all.join(", "))));
    }
    parsed
}

/// The log source of a rule or filter.
pub(crate) fn log_source(document: &Node, findings: &mut Vec<Finding>) -> LogSource {
    let Some(node) = document.get("logsource") else {
        findings.push(
            Finding::error("sigma.logsource", document.place, "the rule names no log source")
                .note("add `logsource:` with `category`, `product` or `service`"),
        );
        return LogSource::default();
    };
    let source = LogSource {
        category: text(node, "category", findings),
        product: text(node, "product", findings),
        service: text(node, "service", findings),
    };
    if source == LogSource::default() {
        findings.push(
            Finding::error("sigma.logsource", node.place, "the log source says nothing")
                .note("it has at least one of `category`, `product`, `service`"),
        );
    }
    // Blanks around a word are a slip, not a name.
    let trimmed = |word: Option<String>| word.map(|word| word.trim().to_lowercase());
    LogSource { category: trimmed(source.category), product: trimmed(source.product), service: trimmed(source.service) }
}
