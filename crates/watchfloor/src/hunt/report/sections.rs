//! Levels, hosts and techniques.

use std::fmt::{self, Write};
use watchfloor_detect::Detection;

use watchfloor_sigma::Level;

use super::tally::{Host, Levels, Span, Tally, Technique, most};
use super::text::{Count, Number, Text};
use super::{Clock, level};

/// Most hosts, techniques and rules on the page.
pub const ROWS_MAX: usize = 1_000;
/// Most names in a cell.
pub const NAMES_MAX: usize = 3;

/// Says how many rows are not there.
pub fn left_out(out: &mut String, all: usize, what: &str) -> fmt::Result {
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

/// A table up to its body.
pub fn heads(out: &mut String, caption: &str, heads: &[&str]) -> fmt::Result {
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
pub fn techniques(out: &mut String, tally: &Tally<'_>, detection: &Detection) -> fmt::Result {
    out.write_str(
        "<section id=\"techniques\" aria-labelledby=\"h-techniques\"><h2 id=\"h-techniques\">By technique</h2>",
    )?;
    let tactics = tally.tactics(detection);
    if tactics.is_empty() {
        return out.write_str("<p>No rule that matched names a technique of MITRE ATT&amp;CK.</p></section>\n");
    }
    out.write_str(
        "<p>Tactics and techniques of MITRE ATT&amp;CK as the rules name them, in the order of an intrusion. A match counts under \
         each tactic and technique of its rule. Where a rule names several tactics, a technique stands under those that most \
         rules name with it. Links lead to attack.mitre.org.</p>",
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
    if let Some(name) = crate::attack::name(id) {
        write!(out, " {}", Text::line(&name))?;
    }
    write!(
        out,
        "</th><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>",
        one.levels.highest().map_or("", level),
        Number(one.levels.total()),
        Number(one.hosts.len() as u64)
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
