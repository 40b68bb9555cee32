//! The rules of now, which may be others in a moment.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use watchfloor_normalize::Library;
use watchfloor_sigma::Document;

use crate::binding::Binding;
use crate::budget::{Budget, Suspensions};
use crate::ruleset::{RuleSet, TooLarge};
use crate::taxonomy::Taxonomy;

/// Rules ready to run over records of a library.
#[derive(Debug)]
pub struct Detection {
    /// The rules.
    pub set: Arc<RuleSet>,
    /// Where their fields stand.
    pub binding: Binding,
    /// How much time a rule may take; without it, what it needs.
    pub budget: Option<Budget>,
    /// The rules that took more.
    pub suspended: Arc<Suspensions>,
}

impl Detection {
    /// Compiles rules and binds them.
    ///
    /// # Errors
    ///
    /// The rules are more than one set can hold.
    pub fn new(
        library: &Library,
        documents: &[Document],
        taxonomy: Taxonomy,
        budget: Option<Budget>,
    ) -> Result<Self, TooLarge> {
        let set = RuleSet::compile(documents, &Binding::fields(&taxonomy))?;
        let binding = Binding::new(&set, library, taxonomy);
        Ok(Self { set: Arc::new(set), binding, budget, suspended: Arc::default() })
    }
}

/// Where all readers find the rules of now. To put others there waits for nobody: each reader takes them up before its next record, and finishes the
/// one it is at with those it began it with. So every record is read once, with one set.
#[derive(Debug)]
pub struct Live {
    current: Mutex<Arc<Detection>>,
    /// Grows with every change.
    generation: AtomicU64,
}

impl Live {
    /// Rules that are the first.
    #[must_use]
    pub fn new(detection: Arc<Detection>) -> Self {
        Self { current: Mutex::new(detection), generation: AtomicU64::new(0) }
    }

    /// The rules of now.
    #[must_use]
    pub fn current(&self) -> Arc<Detection> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often the rules were changed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Puts other rules in place. Those that were there come back.
    pub fn swap(&self, detection: Arc<Detection>) -> Arc<Detection> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, detection);
        self.generation.fetch_add(1, Ordering::Release);
        before
    }
}
