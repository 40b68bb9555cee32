//! How much work it is to compile regular expressions, known before it is done.
//!
//! A short expression can be a large program: `\w{900}` has 900 times the ranges of `\w`. Each is held to a size when it is compiled, which takes time
//! until the size is reached; so all expressions of a file together are held to a number of parts that they would have, written out.

use std::cell::Cell;

use regex_syntax::hir::{Hir, HirKind};

use crate::read::Options;

/// Most parts of all expressions of a file, written out (`sigma.regex`).
pub const FILE_REGEX_PARTS_MAX: usize = 2_000_000;

/// What a file is read with, and what it has cost so far.
pub(crate) struct Reading<'o> {
    pub options: &'o Options,
    parts: Cell<usize>,
}

impl<'o> Reading<'o> {
    pub fn new(options: &'o Options) -> Self {
        Self { options, parts: Cell::new(0) }
    }

    /// Compiles an expression to see whether it can be used.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn compile(&self, regex: &str, bytes: usize) -> Result<(), String> {
        // What cannot be parsed is told by who compiles it.
        if let Ok(hir) = regex_syntax::Parser::new().parse(regex) {
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
