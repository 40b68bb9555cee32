//! Hosts, techniques and rules.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use watchfloor_sigma::Level;

use super::tally::{Host, Levels, Rule, Span, Tally, Technique, most};
use super::text::{Count, Number, Text, is_link};
use super::{Clock, level};
use crate::detection::Detection;

/// Most hosts, techniques and rules on the page.
pub const ROWS_MAX: usize = 1_000;
/// Most names in a cell.
const NAMES_MAX: usize = 4;
/// Longest description, in characters.
const DESCRIPTION_CHARS_MAX: usize = 2_000;
/// Most references and false positives of a rule.
const LIST_MAX: usize = 20;

/// Says how many rows are not there.
fn left_out(out: &mut String, all: usize, what: &str) -> fmt::Result {
    match all.checked_sub(ROWS_MAX) {
        None | Some(0) => Ok(()),
        Some(more) => {
            write!(out, "<p class=\"note\">{} more {what} are not on this page.</p>", Number(more as u64))
        }
    }
}

/// Names one after the other, and how many more there are.
fn names<'n>(out: &mut String, names: impl Iterator<Item = &'n str>, all: usize) -> fmt::Result {
    let mut shown = 0;
    for name in names.take(NAMES_MAX) {
        write!(out, "<span class=\"name\"><bdi>{}</bdi></span>", Text::line(name))?;
        shown += 1;
    }
    if all > shown {
        write!(out, "<span class=\"more\">and {} more</span>", Number((all - shown) as u64))
    } else {
        Ok(())
    }
}

fn heads(out: &mut String, caption: &str, heads: &[&str]) -> fmt::Result {
    write!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table><caption>{caption}</caption><thead><tr>"
    )?;
    for head in heads {
        // What has no capital is a number of matches of a level.
        let class = if head.starts_with(char::is_lowercase) { " class=\"n\"" } else { "" };
        write!(out, "<th scope=\"col\"{class}>{head}</th>")?;
    }
    out.write_str("</tr></thead>")
}

/// By host.
pub fn hosts(out: &mut String, tally: &Tally<'_>, detection: &Detection, clock: &Clock<'_>) -> fmt::Result {
    out.write_str("<section id=\"hosts\" aria-labelledby=\"h-hosts\"><h2 id=\"h-hosts\">By host</h2>")?;
    let levels: Vec<Level> = Level::ALL.into_iter().rev().filter(|level| tally.levels.of(*level) > 0).collect();
    let mut columns = vec!["Host"];
    columns.extend(levels.iter().map(|level| level.as_str()));
    columns.extend(["all", "First and last seen", "Most frequent rules", "Users"]);
    heads(out, "Matches of each host by level, the worst host first", &columns)?;
    out.write_str("<tbody>")?;
    for (index, host) in tally.hosts.iter().take(ROWS_MAX).enumerate() {
        host_row(out, index, host, &levels, detection, clock)?;
    }
    out.write_str("</tbody></table></div>")?;
    left_out(out, tally.hosts.len(), "hosts")?;
    out.write_str("</section>\n")
}

fn host_row(
    out: &mut String,
    index: usize,
    host: &Host<'_>,
    levels: &[Level],
    detection: &Detection,
    clock: &Clock<'_>,
) -> fmt::Result {
    write!(
        out,
        "<tr><th scope=\"row\"><a href=\"#matches\" data-host=\"{index}\"><bdi>{}</bdi></a></th>",
        host_name(host.name)
    )?;
    for level in levels {
        let count = host.levels.of(*level);
        let class = if count == 0 { "n zero" } else { "n" };
        write!(out, "<td class=\"{class}\">{}</td>", Number(count))?;
    }
    write!(out, "<td class=\"n\">{}</td><td class=\"t\">", Number(host.levels.total()))?;
    span(out, &host.span, clock)?;
    out.write_str("</td><td>")?;
    let title = |number| detection.set.rules.get(number as usize).map_or("", |rule| rule.meta.title.as_str());
    names(out, most(&host.rules, NAMES_MAX).into_iter().map(title), host.rules.len())?;
    out.write_str("</td><td>")?;
    names(out, most(&host.users, NAMES_MAX).into_iter(), host.users.len())?;
    out.write_str("</td></tr>\n")
}

/// What a host is called.
pub fn host_name(name: &str) -> Text<'_> {
    Text::line(if name.is_empty() { "(no host named)" } else { name })
}

fn span(out: &mut String, span: &Span, clock: &Clock<'_>) -> fmt::Result {
    match span.ends() {
        None => out.write_str("no time"),
        Some((first, last)) if first == last => out.write_str(&clock.time(first)),
        Some((first, last)) => write!(out, "{} <br>{}", clock.time(first), clock.time(last)),
    }
}

/// By technique.
pub fn techniques(out: &mut String, tally: &Tally<'_>) -> fmt::Result {
    out.write_str(
        "<section id=\"techniques\" aria-labelledby=\"h-techniques\"><h2 id=\"h-techniques\">By technique</h2>",
    )?;
    let tactics = tally.tactics();
    if tactics.is_empty() {
        return out.write_str("<p>No rule that matched names a technique of MITRE ATT&amp;CK.</p></section>\n");
    }
    out.write_str(
        "<p>Tactics and techniques of MITRE ATT&amp;CK as the rules name them, in the order of an intrusion. A match counts under \
         each tactic and technique of its rule. Links lead to attack.mitre.org.</p>",
    )?;
    heads(out, "Matches of each technique, by tactic", &["Technique", "Highest level", "matches", "hosts", "Rules"])?;
    let mut room = ROWS_MAX;
    for tactic in &tactics {
        writeln!(
            out,
            "<tbody><tr class=\"group\"><th scope=\"rowgroup\">{}</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            tactic.name,
            tactic.all.levels.highest().map_or("", level),
            Number(tactic.all.levels.total()),
            Number(tactic.all.hosts.len() as u64),
            Count(tactic.all.rules.len() as u64, "rule", "rules")
        )?;
        let mut rows: Vec<_> = tactic.techniques.iter().collect();
        rows.sort_by_key(|(id, one)| (id.is_empty(), std::cmp::Reverse(one.levels.total())));
        for (id, one) in rows.into_iter().take(room) {
            technique_row(out, id, one, tally)?;
        }
        room = room.saturating_sub(tactic.techniques.len());
        out.write_str("</tbody>")?;
    }
    out.write_str("</table></div>")?;
    left_out(out, tactics.iter().map(|tactic| tactic.techniques.len()).sum(), "rows of techniques")?;
    out.write_str("</section>\n")
}

fn technique_row(out: &mut String, id: &str, one: &Technique<'_>, tally: &Tally<'_>) -> fmt::Result {
    out.write_str("<tr><th scope=\"row\">")?;
    match technique_path(id) {
        Some(path) => {
            write!(out, "<a href=\"https://attack.mitre.org/techniques/{path}/\" rel=\"noopener noreferrer\">{id}</a>")?
        }
        None if id.is_empty() => out.write_str("no technique named")?,
        None => write!(out, "<bdi>{}</bdi>", Text::line(id))?,
    }
    write!(
        out,
        "</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>",
        one.levels.highest().map_or("", level),
        Number(one.levels.total()),
        Number(one.hosts.iter().filter(|host| !host.is_empty()).count() as u64)
    )?;
    let titles = one.rules.iter().filter_map(|index| tally.rules.get(*index)).map(|rule| rule.meta.title.as_str());
    names(out, titles, one.rules.len())?;
    out.write_str("</td></tr>\n")
}

/// Where ATT&CK has a technique, if it is written as one: `T1059/001`.
fn technique_path(id: &str) -> Option<String> {
    let digits = |text: &str, number: usize| text.len() == number && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = id.strip_prefix('T')?;
    match number.split_once('.') {
        None => digits(number, 4).then(|| id.to_owned()),
        Some((whole, part)) => (digits(whole, 4) && digits(part, 3)).then(|| format!("T{whole}/{part}")),
    }
}

/// By rule.
pub fn rules(out: &mut String, tally: &Tally<'_>, detection: &Detection, clock: &Clock<'_>) -> fmt::Result {
    out.write_str("<section id=\"rules\" aria-labelledby=\"h-rules\"><h2 id=\"h-rules\">By rule</h2>")?;
    for rule in tally.rules.iter().take(ROWS_MAX) {
        article(out, rule, detection, clock)?;
    }
    left_out(out, tally.rules.len(), "rules")?;
    out.write_str("</section>\n")
}

fn article(out: &mut String, rule: &Rule<'_>, detection: &Detection, clock: &Clock<'_>) -> fmt::Result {
    let meta = rule.meta;
    let title = Text::line(if meta.title.is_empty() { "(no title)" } else { &meta.title });
    write!(
        out,
        "<article class=\"rule {0}\" id=\"rule-{1}\" tabindex=\"-1\"><h3>{2} <bdi>{title}</bdi></h3><p class=\"sum\"><a href=\"#matches\" data-rule=\"{1}\">{3}</a>",
        rule.level.as_str(),
        rule.number,
        level(rule.level),
        Count(rule.count, "match", "matches"),
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
        out.write_str("<dt>May be harmless</dt><dd>")?;
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
    origin(out, rule, detection)?;
    out.write_str("</dl></article>\n")
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
            write!(out, "<dt>{name}</dt><dd dir=\"auto\">{}</dd>", Text::line(text))?;
        }
    }
    Ok(())
}

/// Levels and their numbers, the highest first.
pub fn figures(out: &mut String, tally: &Tally<'_>) -> fmt::Result {
    out.write_str(
        "<section id=\"levels\" aria-labelledby=\"h-levels\"><h2 id=\"h-levels\">By level</h2><dl class=\"figures\">",
    )?;
    for of in Level::ALL.into_iter().rev() {
        let with = |levels: &Levels| levels.of(of) > 0;
        let rules = tally.rules.iter().filter(|rule| rule.level == of).count() as u64;
        let hosts = tally.hosts.iter().filter(|host| with(&host.levels) && !host.name.is_empty()).count() as u64;
        write!(
            out,
            "<div class=\"{}\"><dt>{}</dt><dd><b>{}</b> <span>{}, {}</span></dd></div>",
            of.as_str(),
            level(of),
            Number(tally.levels.of(of)),
            Count(rules, "rule", "rules"),
            Count(hosts, "host", "hosts")
        )?;
    }
    out.write_str("</dl></section>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_techniques_are_links() {
        for (id, path) in [
            ("T1059", Some("T1059")),
            ("T1059.001", Some("T1059/001")),
            ("T1059.1", None),
            ("T1059.001/..", None),
            ("T10", None),
            ("", None),
        ] {
            assert_eq!(technique_path(id).as_deref(), path, "{id}");
        }
    }
}
