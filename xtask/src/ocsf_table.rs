//! Makes a table of facts from a compiled OCSF schema. `crates/ocsf/src/table.rs` has the table's format.
//!
//! Two layouts are read: the compiled schema of the OCSF compiler (`dictionary`, `profiles` as lists), and what the schema server exported
//! before 1.4 (`types` at the top, a single `profile` of an attribute). Prose (descriptions, references) is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

type Members = Map<String, Value>;

/// `ocsf-table --schema FILE --out FILE`
pub fn ocsf_table(mut args: lexopt::Parser) -> Result<()> {
    let (mut schema, mut out) = (None, None);
    while let Some(arg) = args.next()? {
        match arg {
            lexopt::Arg::Long("schema") => schema = Some(PathBuf::from(args.value()?)),
            lexopt::Arg::Long("out") => out = Some(PathBuf::from(args.value()?)),
            other => return Err(other.unexpected().into()),
        }
    }
    let schema = schema.context("--schema FILE is missing")?;
    let out = out.context("--out FILE is missing")?;
    let text = std::fs::read_to_string(&schema).with_context(|| format!("cannot read {}", schema.display()))?;
    let value: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", schema.display()))?;
    let table = table(&value)?;
    std::fs::write(&out, &table).with_context(|| format!("cannot write {}", out.display()))?;
    println!("{}: {} bytes", out.display(), table.len());
    Ok(())
}

fn table(schema: &Value) -> Result<String> {
    let mut writer = Writer::default();
    let mut out = String::from("# Made by `cargo xtask ocsf-table`; crates/ocsf/src/table.rs has the format.\n");
    writeln!(out, "version\t{}", at(schema, "/version").as_str().context("no version")?)?;
    for profile in profiles(schema) {
        writeln!(out, "profile\t{profile}")?;
    }
    let types = schema.get("types").unwrap_or_else(|| at(schema, "/dictionary/types/attributes"));
    for (name, facts) in sorted(types)? {
        writeln!(out, "{}", type_line(name, facts)?)?;
    }
    let mut owners = String::new();
    for (name, object) in sorted(at(schema, "/objects"))? {
        let attrs = writer.attrs(object)?;
        let constraints = constraints(object)?;
        writeln!(
            owners,
            "object\t{name}\t{}\t{constraints}\t{}\t{}\t{attrs}",
            text(object, "caption"),
            number(object, "observable"),
            deprecated(object)
        )?;
    }
    for (name, class) in sorted(at(schema, "/classes"))? {
        let attrs = writer.attrs(class)?;
        writeln!(owners, "{}\t{attrs}", class_line(name, class)?)?;
    }
    for line in writer.enums.lines.iter().chain(&writer.attrs.lines) {
        writeln!(out, "{line}")?;
    }
    out.push_str(&owners);
    Ok(out)
}

fn class_line(name: &str, class: &Value) -> Result<String> {
    let category_uid = at(class, "/category_uid").as_u64().context("a class without category")?;
    let caption = at(class, &format!("/attributes/category_uid/enum/{category_uid}/caption"));
    Ok(format!(
        "class\t{name}\t{}\t{}\t{category_uid}\t{}\t{}\t{}\t{}",
        text(class, "caption"),
        at(class, "/uid").as_u64().context("a class without uid")?,
        caption.as_str().with_context(|| format!("{name}: its category has no name"))?,
        constraints(class)?,
        list(at(class, "/profiles")),
        deprecated(class)
    ))
}

/// Lines that are written once, and referred to by their number.
#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    numbers: BTreeMap<String, usize>,
}

impl Lines {
    fn number(&mut self, line: String) -> usize {
        let next = self.lines.len();
        *self.numbers.entry(line).or_insert_with_key(|line| {
            self.lines.push(line.clone());
            next
        })
    }
}

#[derive(Default)]
struct Writer {
    enums: Lines,
    attrs: Lines,
}

impl Writer {
    fn attrs(&mut self, owner: &Value) -> Result<String> {
        let mut numbers = Vec::new();
        for (name, attr) in sorted(at(owner, "/attributes"))? {
            let line = self.attr_line(name, attr)?;
            numbers.push(self.attrs.number(line).to_string());
        }
        Ok(numbers.join(","))
    }

    fn attr_line(&mut self, name: &str, attr: &Value) -> Result<String> {
        let mut shape = match at(attr, "/type").as_str().with_context(|| format!("{name} has no type"))? {
            "object_t" => format!("@{}", at(attr, "/object_type").as_str().context("an object without a type")?),
            ty => ty.to_owned(),
        };
        if at(attr, "/is_array") == true {
            shape.push_str("[]");
        }
        let requirement = match at(attr, "/requirement").as_str() {
            Some("required") => "r",
            Some("recommended") => "c",
            Some("optional") => "o",
            other => bail!("{name}: unknown requirement {other:?}"),
        };
        let enumeration = match at(attr, "/enum").as_object() {
            Some(members) if !members.is_empty() => self.enums.number(enum_line(attr, members)?).to_string(),
            _ => String::new(),
        };
        let profiles = attr_profiles(attr).join(",");
        Ok(format!(
            "attr\t{name}\t{shape}\t{requirement}\t{enumeration}\t{}\t{profiles}\t{}\t{}",
            text(attr, "sibling"),
            number(attr, "observable"),
            deprecated(attr)
        ))
    }
}

fn enum_line(attr: &Value, members: &Members) -> Result<String> {
    let is_text = at(attr, "/type") == "string_t";
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by_key(|(value, _)| (value.parse::<i64>().unwrap_or(0), value.as_str()));
    let mut line = format!("enum\t{}", if is_text { "s" } else { "i" });
    for (value, member) in sorted {
        write!(line, "\t{value}={}", plain(at(member, "/caption").as_str().context("a member without caption")?)?)?;
    }
    Ok(line)
}

fn type_line(name: &str, facts: &Value) -> Result<String> {
    let check = match at(facts, "/regex").as_str() {
        Some(regex) => check_of(regex).with_context(|| format!("{name}: no check for the expression {regex}"))?,
        None => "",
    };
    let range = match at(facts, "/range").as_array().map(Vec::as_slice) {
        Some([low, high]) => format!("{low}..{high}"),
        _ => String::new(),
    };
    Ok(format!(
        "type\t{name}\t{}\t{check}\t{}\t{range}\t{}",
        text(facts, "type"),
        number(facts, "max_len"),
        number(facts, "observable")
    ))
}

fn check_of(regex: &str) -> Option<&'static str> {
    let checks = include_str!("../../crates/ocsf/schema/checks.tsv");
    checks.lines().filter_map(|line| line.split_once('\t')).find(|(_, known)| *known == regex).map(|(name, _)| name)
}

fn profiles(schema: &Value) -> BTreeSet<String> {
    let mut found: BTreeSet<String> =
        at(schema, "/profiles").as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
    for kind in ["/classes", "/objects"] {
        for owner in at(schema, kind).as_object().into_iter().flat_map(Members::values) {
            found.extend(strings(at(owner, "/profiles")).map(str::to_owned));
            for attr in at(owner, "/attributes").as_object().into_iter().flat_map(Members::values) {
                found.extend(attr_profiles(attr).into_iter().map(str::to_owned));
            }
        }
    }
    found
}

fn attr_profiles(attr: &Value) -> Vec<&str> {
    let mut found: Vec<&str> = strings(at(attr, "/profiles")).chain(at(attr, "/profile").as_str()).collect();
    found.sort_unstable();
    found
}

fn constraints(owner: &Value) -> Result<String> {
    let mut rules = Vec::new();
    for (kind, names) in at(owner, "/constraints").as_object().into_iter().flatten() {
        let word = match kind.as_str() {
            "at_least_one" => "any",
            "just_one" => "one",
            other => bail!("unknown constraint {other}"),
        };
        rules.push(format!("{word}:{}", list(names)));
    }
    rules.sort();
    Ok(rules.join(";"))
}

fn sorted(members: &Value) -> Result<BTreeMap<&str, &Value>> {
    let members = members.as_object().context("the schema has another layout than the two known ones")?;
    Ok(members.iter().map(|(name, value)| (name.as_str(), value)).collect())
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn list(value: &Value) -> String {
    strings(value).collect::<Vec<_>>().join(",")
}

/// What stands at a JSON pointer; `null` where nothing does.
fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text<'v>(owner: &'v Value, key: &str) -> &'v str {
    at(owner, &format!("/{key}")).as_str().unwrap_or_default()
}

fn number(owner: &Value, key: &str) -> String {
    at(owner, &format!("/{key}")).as_u64().map(|number| number.to_string()).unwrap_or_default()
}

fn deprecated(owner: &Value) -> &'static str {
    if at(owner, "/@deprecated").is_null() { "" } else { "d" }
}

fn plain(text: &str) -> Result<&str> {
    if text.contains(['\t', '\n']) {
        bail!("a caption with a tab or line end: {text:?}");
    }
    Ok(text)
}
