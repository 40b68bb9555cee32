//! How much work it is to compile regular expressions, known before it is done.
//!
//! A short expression can be a large program: `\w{900}` has 900 times the ranges of `\w`. Each is held to a size when it is compiled, which takes time
//! until the size is reached; so all expressions of a file together are held to a number of parts that they would have, written out.

use std::cell::Cell;

use regex_syntax::hir::{Hir, HirKind};

use crate::read::Options;

/// Most parts of all expressions of a file, written out (`sigma.regex`).
pub const FILE_REGEX_PARTS_MAX: usize = 500_000;

/// Most expressions of a file (`sigma.regex`): all public rules together have three hundred.
pub const FILE_REGEXES_MAX: usize = 500;
/// What a byte of an expression counts at least.
const PARTS_OF_A_BYTE: usize = 4;
/// Most bytes of all texts that the rules of a file look for, with all variants (`sigma.too_many_values`).
pub const FILE_TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most fields with values in all searches of a file (`sigma.too_many_values`).
pub const FILE_ITEMS_MAX: usize = 10_000;
/// Most steps of reading all conditions of a file: words times searches (`sigma.condition_too_large`).
pub const FILE_STEPS_MAX: usize = 30_000_000;

/// What a file is read with, and what it has cost so far.
#[derive(Debug)]
pub struct Reading<'o> {
    pub(crate) options: &'o Options,
    parts: Cell<usize>,
    regexes: Cell<usize>,
    bytes: Cell<usize>,
    steps: Cell<usize>,
    items: Cell<usize>,
}

impl<'o> Reading<'o> {
    /// Begins a file.
    #[must_use]
    pub fn new(options: &'o Options) -> Self {
        let none = || Cell::new(0);
        Self { options, parts: none(), regexes: none(), bytes: none(), steps: none(), items: none() }
    }

    /// Whether there is room for so many bytes of texts that are looked for.
    pub(crate) fn takes_bytes(&self, bytes: usize) -> bool {
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        self.bytes.get() <= FILE_TEXT_BYTES_MAX
    }

    /// Whether there is room for one more field that is asked about.
    pub(crate) fn takes_item(&self) -> bool {
        self.items.set(self.items.get().saturating_add(1));
        self.items.get() <= FILE_ITEMS_MAX
    }

    /// Whether there is time for so many steps of reading conditions.
    pub(crate) fn takes_steps(&self, steps: usize) -> bool {
        self.steps.set(self.steps.get().saturating_add(steps));
        self.steps.get() <= FILE_STEPS_MAX
    }

    /// Compiles an expression to see whether it can be used.
    ///
    /// # Errors
    ///
    /// Why not.
    pub(crate) fn compile(&self, regex: &str, bytes: usize) -> Result<(), String> {
        self.regexes.set(self.regexes.get() + 1);
        if self.regexes.get() > FILE_REGEXES_MAX {
            return Err(format!("the file has more than {FILE_REGEXES_MAX} expressions"));
        }
        // Parsing takes time too, and classes of many ranges most.
        self.parts.set(self.parts.get().saturating_add(regex.len() * PARTS_OF_A_BYTE));
        // What cannot be parsed is told by who compiles it.
        if self.parts.get() <= FILE_REGEX_PARTS_MAX
            && let Ok(hir) = regex_syntax::Parser::new().parse(regex)
        {
            self.parts.set(self.parts.get().saturating_add(parts(&hir)));
        }
        if self.parts.get() > FILE_REGEX_PARTS_MAX {
            return Err(format!(
                "with those before it, it has more than {FILE_REGEX_PARTS_MAX} parts when written out"
            ));
        }
        let compiled = regex::RegexBuilder::new(regex).size_limit(bytes).build();
        let why = |error: regex::Error| {
            let why = error.to_string();
            why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        };
        compiled.map(drop).map_err(why)
    }
}

/// The parts of an expression, written out.
fn parts(hir: &Hir) -> usize {
    let sum = |all: &[Hir]| all.iter().map(parts).fold(1, usize::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => class.ranges().len(),
        HirKind::Class(regex_syntax::hir::Class::Bytes(class)) => class.ranges().len(),
        HirKind::Capture(capture) => parts(&capture.sub).saturating_add(1),
        HirKind::Concat(all) | HirKind::Alternation(all) => sum(all),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            parts(&repetition.sub).saturating_add(1).saturating_mul(times as usize)
        }
    }
}
