//! The matches themselves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use watchfloor_detect::Detection;
use watchfloor_sigma::Level;

use super::sections::{self, host_name};
use super::tally::{Tally, time_of};
use super::text::{Count, Number, Text};
use super::{Clock, level};
use crate::hunt::show::{level_of, rule_of};
use crate::hunt::work::{NAMES, Place, Sight};
use crate::hunt::{Found, PLACES_MAX};

/// Most matches on the page.
const MATCHES_MAX: usize = 5_000;
/// Most matches on paper; the style says the same.
const PRINTED_MAX: usize = 300;
/// Longest value and longest part of a record, in characters.
const VALUE_CHARS_MAX: usize = 500;
const RECORD_CHARS_MAX: usize = 1_500;
/// Most bytes of values and records: a page that no browser opens helps nobody.
const DETAILS_BYTES_MAX: usize = 24 << 20;

/// What rows need to know. Roles are written out: the style lays rows out as grids, and a browser may forget what they were.
struct Table<'t> {
    detection: &'t Detection,
    clock: &'t Clock<'t>,
    /// Rules that have their place on the page.
    rules: BTreeSet<u32>,
    /// Hosts by their place on the page.
    hosts: BTreeMap<&'t str, usize>,
    /// What all inputs begin with.
    folder: &'t str,
}

/// The section of the page.
pub fn matches(
    out: &mut String,
    found: &Found,
    tally: &Tally<'_>,
    detection: &Detection,
    clock: &Clock<'_>,
) -> fmt::Result {
    out.write_str(
        "<section id=\"matches\" aria-labelledby=\"h-matches\"><h2 id=\"h-matches\" tabindex=\"-1\">All matches</h2>",
    )?;
    let shown = chosen(found, detection);
    let more = (found.sights.len() - shown.len()) as u64 + found.dropped;
    if shown.len() > PRINTED_MAX {
        write!(
            out,
            "<p class=\"note paper\">On paper stand the first {PRINTED_MAX} of the matches that are shown; the page has {}. \
             Narrow them down before printing to see others.</p>",
            Number(shown.len() as u64)
        )?;
    }
    if more > 0 {
        write!(
            out,
            "<p class=\"note\"><strong>{} left out:</strong> the page has the {} matches of the highest levels. \
             <code>--format csv</code> and <code>--format jsonl</code> write all{}.</p>",
            Count(more, "match is", "matches are"),
            Number(shown.len() as u64),
            if found.dropped > 0 { " that were kept" } else { "" }
        )?;
    }
    let known = tally.rules.iter().take(sections::ROWS_MAX).map(|rule| rule.number);
    let hosts = tally.hosts.iter().take(sections::ROWS_MAX).enumerate();
    let table = Table {
        detection,
        clock,
        rules: known.collect(),
        hosts: hosts.map(|(index, host)| (host.name, index)).collect(),
        folder: folder(&shown),
    };
    if !table.folder.is_empty() {
        write!(out, "<p>All inputs are in <code><bdi>{}</bdi></code>.</p>", Text::line(table.folder))?;
    }
    filter(out, tally)?;
    writeln!(
        out,
        "<table class=\"matches\" role=\"table\"><caption class=\"unseen\">Matches in the order of their times</caption><thead role=\"rowgroup\"><tr role=\"row\">\
         <th role=\"columnheader\" scope=\"col\">Time ({})</th><th role=\"columnheader\" scope=\"col\">Level</th>\
         <th role=\"columnheader\" scope=\"col\">Host</th><th role=\"columnheader\" scope=\"col\">User</th>\
         <th role=\"columnheader\" scope=\"col\">Rule</th><th role=\"columnheader\" scope=\"col\">Where</th></tr></thead><tbody id=\"rows\" role=\"rowgroup\">",
        clock.zone()
    )?;
    let before = out.len();
    for sight in shown {
        table.row(out, sight, out.len() - before < DETAILS_BYTES_MAX)?;
    }
    out.write_str("</tbody></table></section>\n")
}

/// The matches on the page: the worst, in their order.
fn chosen<'f>(found: &'f Found, detection: &Detection) -> Vec<&'f Sight> {
    let mut places: Vec<(Reverse<Level>, usize)> =
        found.sights.iter().enumerate().map(|(at, sight)| (Reverse(level_of(rule_of(sight, detection))), at)).collect();
    if places.len() > MATCHES_MAX {
        places.sort_unstable();
        places.truncate(MATCHES_MAX);
        places.sort_unstable_by_key(|(_, at)| *at);
    }
    places.into_iter().filter_map(|(_, at)| found.sights.get(at)).collect()
}

/// The folder that all inputs are in.
fn folder<'s>(sights: &[&'s Sight]) -> &'s str {
    let mut inputs = sights.iter().map(|sight| &*sight.input);
    let Some(first) = inputs.next() else { return "" };
    let shared = inputs.fold(first, |shared, input| {
        let same = shared.char_indices().zip(input.chars()).find(|((_, a), b)| a != b);
        let end = same.map_or(shared.len().min(input.len()), |((at, _), _)| at);
        shared.get(..end).unwrap_or_default()
    });
    shared.rfind(['/', '\\']).and_then(|end| shared.get(..=end)).unwrap_or_default()
}

/// The form that narrows the rows down. Without script there is none.
fn filter(out: &mut String, tally: &Tally<'_>) -> fmt::Result {
    out.write_str(
        "<form id=\"filter\" role=\"search\" aria-label=\"Matches\" hidden><label>Text <input type=\"search\" id=\"f-text\" autocomplete=\"off\" spellcheck=\"false\"></label>\
         <label>Level <select id=\"f-level\"><option value=\"0\">all</option>",
    )?;
    for (number, of) in Level::ALL.into_iter().enumerate().skip(1).rev().filter(|(_, of)| tally.levels.of(*of) > 0) {
        let above = if of == Level::Critical { "" } else { " and above" };
        write!(out, "<option value=\"{number}\">{}{above}</option>", of.as_str())?;
    }
    out.write_str("</select></label><label>Host <select id=\"f-host\"><option value=\"\">all</option>")?;
    let mut hosts: Vec<_> = tally.hosts.iter().take(sections::ROWS_MAX).enumerate().collect();
    hosts.sort_by_key(|(_, host)| host.name);
    for (index, host) in hosts {
        write!(out, "<option value=\"{index}\">{}</option>", host_name(host.name))?;
    }
    out.write_str(
        "</select></label><button type=\"reset\">Show all</button></form><p id=\"shown\" role=\"status\" hidden></p>\n",
    )
}

impl Table<'_> {
    fn row(&self, out: &mut String, sight: &Sight, has_details: bool) -> fmt::Result {
        let rule = rule_of(sight, self.detection);
        let of = level_of(rule);
        let title = rule.map_or("", |rule| rule.meta.title.as_str());
        write!(out, "<tr role=\"row\" data-l=\"{}\" data-r=\"{}\"", of as usize, sight.rule.0)?;
        if let Some(host) = self.hosts.get(sight.host.as_str()) {
            write!(out, " data-h=\"{host}\"")?;
        }
        write!(
            out,
            "><td role=\"cell\">{}</td><td role=\"cell\">{}</td><td role=\"cell\" dir=\"auto\">{}</td><td role=\"cell\" dir=\"auto\">{}</td><td role=\"cell\">",
            time_of(sight.time).map_or_else(|| "no time".to_owned(), |time| self.clock.time(time)),
            level(of),
            Text::line(&sight.host),
            Text::line(&sight.user)
        )?;
        if has_details {
            write!(out, "<details><summary><bdi>{}</bdi></summary>", Text::line(title))?;
            self.details(out, sight)?;
            out.write_str("</details>")?;
        } else {
            write!(out, "<bdi>{}</bdi>", Text::line(title))?;
        }
        writeln!(out, "</td><td role=\"cell\">{}</td></tr>", self.place(&sight.input, sight.line))
    }

    /// Where a record stands.
    fn place(&self, input: &str, line: u64) -> String {
        let input = input.strip_prefix(self.folder).unwrap_or(input);
        format!("<bdi>{}</bdi>:{line}", Text::line(input))
    }

    /// The records that a correlation is about; the last one follows whole.
    fn made_of(&self, out: &mut String, places: &[Place]) -> fmt::Result {
        let more = if places.len() == PLACES_MAX { " (the first of them)" } else { "" };
        write!(out, "<p>Records{more}:</p><ol class=\"made-of\">")?;
        for place in places {
            let time = time_of(place.time).map_or_else(|| "no time".to_owned(), |time| self.clock.time(time));
            let (host, place) = (Text::line(&place.host), self.place(&place.input, place.line));
            write!(out, "<li>{time} <bdi>{host}</bdi> {place}</li>")?;
        }
        out.write_str("</ol>")
    }

    fn details(&self, out: &mut String, sight: &Sight) -> fmt::Result {
        out.write_str("<dl>")?;
        for (name, value) in &sight.values {
            write!(
                out,
                "<dt><bdi>{}</bdi></dt><dd dir=\"auto\">{}</dd>",
                Text::line(name),
                Text::block(value, VALUE_CHARS_MAX)
            )?;
        }
        let kind = if sight.kind == "unknown" { "no known source" } else { &sight.kind };
        write!(out, "<dt>Source</dt><dd>{}</dd>", Text::line(kind))?;
        let names = NAMES.iter().zip(&sight.names).filter(|(_, name)| !name.is_empty());
        for ((what, _), name) in names {
            write!(out, "<dt>{}</dt><dd><bdi>{}</bdi></dd>", what.replace('_', " "), Text::line(name))?;
        }
        out.write_str("</dl>")?;
        if !sight.made_of.is_empty() {
            self.made_of(out, &sight.made_of)?;
        }
        if !sight.record.is_empty() {
            let text = Text::block(&sight.record, RECORD_CHARS_MAX);
            write!(out, "<pre dir=\"auto\">{text}</pre>")?;
        }
        if self.rules.contains(&sight.rule.0) {
            write!(out, "<a href=\"#rule-{}\">About this rule</a>", sight.rule.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchfloor_detect::RuleId;

    use super::*;

    #[test]
    fn the_folder_of_all_inputs_is_said_once() {
        let check = |inputs: &[&str], shared: &str| {
            let sights: Vec<Sight> = inputs
                .iter()
                .map(|input| Sight {
                    rule: RuleId(0),
                    time: None,
                    host: String::new(),
                    user: String::new(),
                    kind: String::new(),
                    names: Default::default(),
                    input: Arc::from(*input),
                    line: 0,
                    offset: 0,
                    values: Vec::new(),
                    made_of: Vec::new(),
                    excepting: Vec::new(),
                    record: "".into(),
                })
                .collect();
            assert_eq!(folder(&sights.iter().collect::<Vec<_>>()), shared, "{inputs:?}");
        };
        check(&[], "");
        check(&["a.log"], "");
        check(&["/logs/a.log"], "/logs/");
        check(&["/logs/a.log", "/logs/ab/c.log"], "/logs/");
        check(&["/logs/ä.log", "/logs/ö.log"], "/logs/");
        check(&["/logs/a.log", "b.log"], "");
    }
}
