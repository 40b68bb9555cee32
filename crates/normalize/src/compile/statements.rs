//! Statements.

use watchfloor_ocsf::ClassId;

use super::scope::Scope;
use crate::language::syntax::{Block, Expression, Literal, Statement, StatementKind, Target};
use crate::language::{At, Fault};
use crate::patterns::Pattern;
use crate::plan::{Embedded, Expr, Keys, Nest, Op, Set};

impl Scope<'_> {
    pub(super) fn block(&mut self, block: &[Statement]) -> Result<Vec<Op>, Fault> {
        block.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &Statement) -> Result<Op, Fault> {
        let at = statement.at;
        match &statement.kind {
            StatementKind::Class { name, activity } => self.class(name, activity.as_deref(), at),
            StatementKind::Set { target, value } => self.set(target, value),
            StatementKind::Let { name, value } => {
                let value = self.expression(value, None)?;
                let number = self.local(name).ok_or_else(|| Fault::new(at, "too many names in one mapping"))?;
                Ok(Op::Let(number, value))
            }
            StatementKind::When { arms, otherwise } => {
                let conditions: Result<Vec<_>, Fault> =
                    arms.iter().map(|(condition, _)| self.condition(condition)).collect();
                let (blocks, otherwise) = self.branches(arms.iter().map(|(_, block)| block), otherwise)?;
                Ok(Op::When(conditions?.into_iter().zip(blocks).collect(), otherwise))
            }
            StatementKind::Switch { on, arms, otherwise } => {
                let on = self.expression(on, None)?;
                let mut keys = Keys { exact_case: true, ..Keys::default() };
                for (number, (literals, _)) in arms.iter().enumerate() {
                    literals.iter().for_each(|literal| keys.add(literal, number as u32));
                }
                let (blocks, otherwise) = self.branches(arms.iter().map(|(_, block)| block), otherwise)?;
                Ok(Op::Switch(on, keys, blocks, otherwise))
            }
            StatementKind::Match { on, arms, otherwise } => {
                let on = self.expression(on, None)?;
                let mut patterns = Vec::new();
                for (number, (texts, _)) in arms.iter().enumerate() {
                    for (text, at) in texts {
                        patterns.push((self.pattern(text, *at)?, number as u32));
                    }
                }
                let (blocks, otherwise) = self.branches(arms.iter().map(|(_, block)| block), otherwise)?;
                Ok(Op::Match(on, patterns, blocks, otherwise))
            }
            StatementKind::Each { list, target, body } => {
                let list = self.expression(list, None)?;
                let (nest, ops) = self.nested(target, body, true)?;
                Ok(Op::Each(list, nest, ops))
            }
            StatementKind::Add { target, body } => {
                let (nest, ops) = self.nested(target, body, self.in_element)?;
                Ok(Op::Add(nest, ops))
            }
            StatementKind::Expand { field, format } => {
                let path: Vec<String> = field
                    .steps
                    .iter()
                    .filter_map(|step| match step {
                        crate::language::syntax::Step::Key(key) => Some(key.clone()),
                        _ => None,
                    })
                    .collect();
                let embedded = if format == "json" { Embedded::Json } else { Embedded::Kv };
                Ok(Op::Expand(self.slot(&path), embedded))
            }
            StatementKind::Unclassified(reason) => Ok(Op::Unclassified(self.library.consts.intern(reason))),
        }
    }

    pub(super) fn pattern(&mut self, text: &str, at: At) -> Result<Pattern, Fault> {
        Pattern::compile(text, |name| self.capture(name)).map_err(|message| Fault::new(at, message))
    }

    fn class(&mut self, name: &str, activity: Option<&str>, at: At) -> Result<Op, Fault> {
        let Some(class) = self.library.schema.class(name) else {
            return Err(Fault::new(at, format!("there is no class `{name}`{}", nearest(self, name))));
        };
        if !self.nest.is_empty() {
            return Err(Fault::new(at, "a class is chosen for the whole event, not inside `each` or `add`"));
        }
        self.classes = vec![class];
        let activity = match activity {
            None => None,
            Some(caption) => {
                let (member, enumeration) = self.member(&["activity_id"], caption, at)?;
                Some((self.attribute(&["activity_id"], at)?.0, member, enumeration))
            }
        };
        Ok(Op::Class { class, activity, line: at.line })
    }

    fn set(&mut self, target: &Target, value: &Expression) -> Result<Op, Fault> {
        let steps: Vec<&str> = target.steps.iter().map(|(name, _)| name.as_str()).collect();
        let (path, leaf) = self.attribute(&steps, target.at)?;
        if leaf.ty == watchfloor_ocsf::Type::Object {
            let object = leaf.object.map_or(String::new(), |id| self.library.schema.object_info(id).name.clone());
            let shown = steps.join(".");
            return Err(Fault::new(
                target.at,
                format!("`{shown}` is an object ({object}): set its attributes, as in `{shown}.name = …`"),
            ));
        }
        let mut append = None;
        for (i, (name, is_append)) in target.steps.iter().enumerate() {
            if !is_append {
                continue;
            }
            if append.is_some() {
                return Err(Fault::new(target.at, "only one `[]` may stand in a target"));
            }
            let (array, at_array) = self.attribute(steps.get(..=i).unwrap_or_default(), target.at)?;
            if !at_array.is_array {
                return Err(Fault::new(target.at, format!("`{name}` is no array, so `[]` has no meaning")));
            }
            append = Some((self.arrays(array) - 1, array));
        }
        let value = self.expression(value, Some(&steps))?;
        Ok(Op::Set(Box::new(Set { path, enumeration: leaf.enumeration, append, value, line: target.at.line })))
    }

    fn arrays(&self, path: crate::paths::PathId) -> u8 {
        self.library.paths.get(path).map_or(1, |path| path.arrays.max(1))
    }

    fn nested(&mut self, target: &Target, body: &Block, element: bool) -> Result<(Nest, Vec<Op>), Fault> {
        let steps: Vec<&str> = target.steps.iter().map(|(name, _)| name.as_str()).collect();
        let (path, leaf) = self.attribute(&steps, target.at)?;
        let shown = steps.join(".");
        if !leaf.is_array || leaf.object.is_none() {
            let hint =
                if leaf.is_array { format!("`{shown}[] = …` appends values") } else { "it is no array".into() };
            return Err(Fault::new(
                target.at,
                format!("`each` and `add` fill an array of objects, `{shown}` is none: {hint}"),
            ));
        }
        let depth = self.arrays(path) - 1;
        let (outer, outer_element) = (self.nest.len(), self.in_element);
        self.nest.extend(steps.iter().map(|step| (*step).to_owned()));
        self.in_element = element;
        let ops = self.block(body);
        self.nest.truncate(outer);
        self.in_element = outer_element;
        Ok((Nest { path, depth, needs_source: body.iter().any(reads), line: target.at.line }, ops?))
    }

    /// Compiles alternatives: each begins with the classes that were possible before; after them any of theirs is.
    fn branches<'b>(
        &mut self,
        blocks: impl Iterator<Item = &'b Block>,
        otherwise: &'b Block,
    ) -> Result<(Vec<Vec<Op>>, Vec<Op>), Fault> {
        let before = self.classes.clone();
        let mut after: Vec<ClassId> = Vec::new();
        let mut compiled = Vec::new();
        for block in blocks.chain([otherwise]) {
            self.classes.clone_from(&before);
            compiled.push(self.block(block)?);
            let chosen = std::mem::take(&mut self.classes);
            after.extend(chosen.into_iter().filter(|class| !before.contains(class)));
        }
        let mut classes = before;
        for class in after {
            if !classes.contains(&class) {
                classes.push(class);
            }
        }
        self.classes = classes;
        let otherwise = compiled.pop().unwrap_or_default();
        Ok((compiled, otherwise))
    }
}

/// Whether a statement reads the record.
fn reads(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Set { value, .. } | StatementKind::Let { value, .. } => computes(value),
        StatementKind::Each { .. } | StatementKind::Match { .. } | StatementKind::Switch { .. } => true,
        StatementKind::When { arms, otherwise } => {
            arms.iter().any(|(_, block)| block.iter().any(reads)) || otherwise.iter().any(reads)
        }
        StatementKind::Add { body, .. } => body.iter().any(reads),
        _ => false,
    }
}

/// Whether a value is more than a constant.
fn computes(value: &Expression) -> bool {
    match value {
        Expression::Literal(_) | Expression::Member(..) => false,
        Expression::If(inner, _) => computes(inner),
        Expression::First(all) => all.iter().any(computes),
        _ => true,
    }
}

impl Keys {
    /// Adds a constant.
    pub(super) fn add(&mut self, literal: &Literal, number: u32) {
        match literal {
            Literal::Int(int) => {
                self.ints.entry(*int).or_insert(number);
            }
            Literal::Text(text) => match canonical_int(text) {
                Some(int) => {
                    self.ints.entry(int).or_insert(number);
                }
                None if text.contains('*') => self.globs.push((text.as_str().into(), number)),
                None => {
                    let text = if self.exact_case { text.clone() } else { text.to_ascii_lowercase() };
                    self.texts.entry(text.into()).or_insert(number);
                }
            },
            Literal::Bool(value) => {
                self.texts.entry(value.to_string().into()).or_insert(number);
            }
            Literal::Float(value) => {
                self.texts.entry(value.to_string().into()).or_insert(number);
            }
        }
    }
}

/// A text that is a whole number written the usual way.
pub(crate) fn canonical_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    if digits.len() > 1 && digits.starts_with('0') {
        return None;
    }
    text.parse().ok()
}

/// The class names that look like a misspelt one.
fn nearest(scope: &Scope<'_>, name: &str) -> String {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let wanted = letters(name);
    let start = wanted.get(..wanted.len().min(5)).unwrap_or_default();
    let near: Vec<_> = scope
        .library
        .schema
        .classes()
        .map(|(_, class)| class.name.as_str())
        .filter(|known| letters(known).contains(start) && !start.is_empty())
        .take(4)
        .map(|known| format!("`{known}`"))
        .collect();
    if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) }
}

impl Scope<'_> {
    pub(super) fn constant(&mut self, text: &str) -> Expr {
        Expr::Text(self.library.consts.intern(text))
    }
}
