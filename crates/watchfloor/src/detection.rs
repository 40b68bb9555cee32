//! Everything that detection needs, put together: sources, rules, taxonomy.

use std::sync::Arc;

use watchfloor_detect::{Binding, Correlator, RuleSet, Settings, Taxonomy, TooLarge};
use watchfloor_normalize::Library;
use watchfloor_sigma::Document;

/// Rules ready to run over records of a library.
#[derive(Debug)]
pub struct Detection {
    /// The rules.
    pub set: Arc<RuleSet>,
    /// Where their fields stand.
    pub binding: Binding,
}

impl Detection {
    /// Compiles rules and binds them.
    ///
    /// # Errors
    ///
    /// The rules are more than one set can hold.
    pub fn new(library: &Library, documents: &[Document], taxonomy: Taxonomy) -> Result<Self, TooLarge> {
        let set = RuleSet::compile(documents, &Binding::fields(&taxonomy))?;
        let binding = Binding::new(&set, library, taxonomy);
        Ok(Self { set: Arc::new(set), binding })
    }

    /// The correlations, and what is to say of those that cannot be used.
    pub fn correlator(&self, settings: Settings) -> (Correlator, Vec<String>) {
        let (correlator, unusable) = Correlator::new(&self.set, settings);
        let told = unusable.iter().map(|(rule, finding)| {
            let title = self.set.rules.get(rule.0 as usize).map_or("", |rule| rule.meta.title.as_str());
            format!("error[{}]: {title}: {}\n", finding.code, finding.message)
        });
        let told = told.collect();
        (correlator, told)
    }
}
