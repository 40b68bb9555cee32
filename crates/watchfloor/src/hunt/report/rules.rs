//! Rules that matched: at a glance, and each with what it says of itself.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use watchfloor_detect::Detection;

use super::sections::{NAMES_MAX, ROWS_MAX, heads, host_name, left_out};
use super::tally::{Rule, Tally, most};
use super::text::{Count, Number, Text, is_link};
use super::{Clock, level};

/// Longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 2_000;
/// Most references and false positives of a rule.
const LIST_MAX: usize = 20;
/// Most rules on paper; the style says the same.
const PRINTED_MAX: usize = 60;

/// By rule.
pub fn rules(out: &mut String, tally: &Tally<'_>, detection: &Detection, clock: &Clock<'_>) -> fmt::Result {
    out.write_str("<section id=\"rules\" aria-labelledby=\"h-rules\"><h2 id=\"h-rules\">By rule</h2>")?;
    overview(out, tally)?;
    if tally.rules.len() > PRINTED_MAX {
        write!(
            out,
            "<p class=\"note paper\">On paper stand the first {PRINTED_MAX} of these rules; the page has all.</p>"
        )?;
    }
    for rule in tally.rules.iter().take(ROWS_MAX) {
        article(out, rule, detection, clock)?;
    }
    left_out(out, tally.rules.len(), "rules")?;
    out.write_str("</section>\n")
}

/// All rules at a glance.
fn overview(out: &mut String, tally: &Tally<'_>) -> fmt::Result {
    heads(out, "Rules that matched, the highest level first", &["Level", "Rule", "matches", "hosts"])?;
    out.write_str("<tbody>")?;
    for rule in tally.rules.iter().take(ROWS_MAX) {
        writeln!(
            out,
            "<tr><td>{}</td><th scope=\"row\"><a href=\"#rule-{}\"><bdi>{}</bdi></a></th><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            level(rule.level),
            rule.number,
            title(rule),
            Number(rule.count),
            Number(rule.named_hosts().count() as u64)
        )?;
    }
    out.write_str("</tbody></table></div>")
}

/// What a rule is called.
fn title<'r>(rule: &Rule<'r>) -> Text<'r> {
    Text::line(if rule.meta.title.is_empty() { "(no title)" } else { &rule.meta.title })
}

fn article(out: &mut String, rule: &Rule<'_>, detection: &Detection, clock: &Clock<'_>) -> fmt::Result {
    let meta = rule.meta;
    write!(
        out,
        "<article class=\"rule {0}\" id=\"rule-{1}\" tabindex=\"-1\"><h3>{2} <bdi>{4}</bdi></h3><p class=\"sum\"><a href=\"#matches\" data-rule=\"{1}\">{3}</a>",
        rule.level.as_str(),
        rule.number,
        level(rule.level),
        Count(rule.count, "match", "matches"),
        title(rule)
    )?;
    if let Some((first, last)) = rule.span.ends() {
        match first == last {
            true => write!(out, " at {}", clock.time(first))?,
            false => write!(out, " from {} to {}", clock.time(first), clock.time(last))?,
        }
    }
    out.write_str("</p>")?;
    if !meta.description.trim().is_empty() {
        write!(
            out,
            "<p class=\"pre\" dir=\"auto\">{}</p>",
            Text::block(meta.description.trim(), DESCRIPTION_CHARS_MAX)
        )?;
    }
    out.write_str("<dl>")?;
    hosts_of(out, &rule.hosts)?;
    if !meta.false_positives.is_empty() {
        out.write_str("<dt>False positives</dt><dd>")?;
        for text in meta.false_positives.iter().take(LIST_MAX) {
            write!(out, "<span class=\"li\" dir=\"auto\">{}</span>", Text::line(text))?;
        }
        out.write_str("</dd>")?;
    }
    if !meta.references.is_empty() {
        out.write_str("<dt>References</dt><dd>")?;
        for address in meta.references.iter().take(LIST_MAX) {
            reference(out, address)?;
        }
        out.write_str("</dd>")?;
    }
    out.write_str("</dl>")?;
    origin(out, rule, detection)?;
    out.write_str("</article>\n")
}

fn hosts_of(out: &mut String, hosts: &BTreeMap<&str, u64>) -> fmt::Result {
    write!(out, "<dt>{}</dt><dd>", if hosts.len() == 1 { "Host" } else { "Hosts" })?;
    let shown = most(hosts, NAMES_MAX);
    for name in &shown {
        let count = hosts.get(name).copied().unwrap_or(0);
        write!(out, "<span class=\"name\"><bdi>{}</bdi> ({})</span>", host_name(name), Number(count))?;
    }
    if hosts.len() > shown.len() {
        write!(out, "<span class=\"more\">and {} more</span>", Number((hosts.len() - shown.len()) as u64))?;
    }
    out.write_str("</dd>")
}

fn reference(out: &mut String, address: &str) -> fmt::Result {
    let shown = Text::line(address);
    if is_link(address) {
        return write!(out, "<a class=\"li\" href=\"{shown}\" rel=\"noopener noreferrer nofollow\">{shown}</a>");
    }
    write!(out, "<span class=\"li\" dir=\"auto\">{shown}</span>")
}

/// Where a rule is from, and what it is for.
fn origin(out: &mut String, rule: &Rule<'_>, detection: &Detection) -> fmt::Result {
    let meta = rule.meta;
    let compiled = detection.set.rules.get(rule.number as usize);
    let source = compiled.map(|compiled| &compiled.source).into_iter();
    let source: Vec<&str> = source
        .flat_map(|source| [&source.product, &source.category, &source.service])
        .filter_map(|part| part.as_deref())
        .collect();
    let source = source.join(" / ");
    let tags = meta.tags.join(", ");
    let written = [meta.date.as_str(), meta.modified.as_str()];
    let written: Vec<&str> = written.into_iter().filter(|date| !date.is_empty()).collect();
    let written = written.join(", changed ");
    out.write_str("<dl class=\"small\">")?;
    for (name, text) in [
        ("Log source", source.as_str()),
        ("Tags", &tags),
        ("Author", &meta.author),
        ("Written", &written),
        ("Status", meta.status.map_or("", |status| status.as_str())),
        ("Licence", &meta.license),
        ("Rule id", meta.id.as_deref().unwrap_or_default()),
    ] {
        if !text.is_empty() {
            write!(out, "<div><dt>{name}</dt> <dd><bdi>{}</bdi></dd></div> ", Text::line(text))?;
        }
    }
    out.write_str("</dl>")
}
