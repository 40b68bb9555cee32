//! Which rules are for a record.

use watchfloor_sigma::LogSource;

/// Number of a combination of log sources that a rule set has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceId(pub u32);

/// The log sources that a record is of. A record of Sysmon's event 1 is of the product `windows`, the service `sysmon`, the category
/// `process_creation`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventSource {
    /// Products.
    pub products: Vec<String>,
    /// Services.
    pub services: Vec<String>,
    /// Categories.
    pub categories: Vec<String>,
}

impl EventSource {
    /// Whether a rule with this log source is for the record: everything that it names must be there.
    #[must_use]
    pub fn is(&self, source: &LogSource) -> bool {
        let has = |all: &[String], word: &Option<String>| word.as_ref().is_none_or(|word| all.contains(word));
        has(&self.products, &source.product)
            && has(&self.services, &source.service)
            && has(&self.categories, &source.category)
    }
}
