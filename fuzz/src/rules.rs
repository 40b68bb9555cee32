//! Rule files of anybody.

use std::sync::Arc;

use watchfloor_detect::{Correlator, Engine, EventSource, Facts, RuleSet, Settings};
use watchfloor_model::{Document, Grade};
use watchfloor_sigma::{Options, read};

/// Text of a rule file: every finding has a place in it, and what can be used compiles and runs.
pub fn sigma_rules(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let names = ["a", "Admins"].map(|name| (name.to_owned(), vec!["x*".to_owned(), "y".to_owned()]));
    let found = read(&text, &Options { placeholders: names.into_iter().collect() });
    let lines = text.lines().count().max(1) as u32;
    for finding in &found.findings {
        assert!((1..=lines + 1).contains(&finding.place.line), "line {} of {lines}: {finding:?}", finding.place.line);
        assert!(finding.place.column >= 1 && !finding.message.is_empty(), "{finding:?}");
        assert!(finding.render("rules.yml", &text).starts_with(finding.grade.as_str()), "{finding:?}");
    }
    let errors = found.findings.iter().any(|finding| finding.grade == Grade::Error);
    assert_eq!(errors, found.refused > 0, "a document is refused with an error, and only then");
    let set = Arc::new(RuleSet::compile(&found.documents, &[]).unwrap_or_default());
    let _ = Correlator::new(&set, Settings::default());
    let mut engine = Engine::new(Arc::clone(&set));
    let mut doc = Document::new();
    doc.start("");
    if let Some(root) = doc.open_object("") {
        doc.close(root);
    }
    doc.seal();
    for rule in &set.rules {
        let of = |word: &Option<String>| word.iter().cloned().collect();
        let source = EventSource {
            products: of(&rule.source.product),
            services: of(&rule.source.service),
            categories: of(&rule.source.category),
        };
        let source = engine.source(&source);
        engine.evaluate(source, &doc, &Facts::default(), false);
    }
}
