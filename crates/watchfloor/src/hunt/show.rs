//! Matches for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use watchfloor_detect::Detection;

use jiff::Timestamp;
use watchfloor_detect::ruleset::Compiled;
use watchfloor_model::limits::LIST_ELEMENTS_MAX;
use watchfloor_normalize::json::{write_int, write_str};
use watchfloor_sigma::Level;

use super::exceptions::Exceptions;
use super::options::{Format, Options};
use super::output::{Output, Patient};
use super::work::{NAMES, Sight};
use super::{Found, report};
use crate::Ended;

/// Writes what was asked for, and says how it ended.
pub fn show(
    found: &Found,
    detection: &Detection,
    exceptions: &Exceptions,
    options: &Options,
    output: Option<Output>,
) -> anyhow::Result<Ended> {
    match output {
        // They were written while they were found, if not to a file.
        None if options.streams() => {}
        // Everything was looked through: a reader who went away does not change how it ended.
        None => write(&mut BufWriter::new(Patient::new(true)), found, detection, options)?,
        Some(mut output) => {
            let mut out = BufWriter::new(&mut output);
            let written = write(&mut out, found, detection, options);
            drop(out);
            match written {
                Ok(()) => output.finish()?,
                Err(error) => return Err(output.named(error)),
            }
        }
    }
    closing(found, exceptions, options);
    let failed = options.fail_on.is_some_and(|least| found.highest >= Some(least));
    let unread = found.troubled > 0 || found.unreadable > 0;
    Ok(if failed || unread { Ended::Findings } else { Ended::Fine })
}

fn write(out: &mut impl Write, found: &Found, detection: &Detection, options: &Options) -> io::Result<()> {
    if options.stats {
        out.write_all(stats(found, detection).as_bytes())?;
    } else {
        match options.format {
            Format::Table => table(out, found, detection)?,
            Format::Jsonl => lines(out, &found.sights, detection)?,
            Format::Csv => csv(out, found, detection)?,
            Format::Html => out.write_all(report::html(found, detection, options).as_bytes())?,
        }
    }
    out.flush()
}

/// The rule of a match.
pub fn rule_of<'d>(sight: &Sight, detection: &'d Detection) -> Option<&'d Compiled> {
    detection.set.rules.get(sight.rule.0 as usize)
}

/// The level of a rule; one that names none is of the middle.
pub fn level_of(rule: Option<&Compiled>) -> Level {
    rule.and_then(|rule| rule.meta.level).unwrap_or(Level::Medium)
}

/// A time as it is shown.
pub fn shown_time(time: Option<i64>) -> String {
    match time.and_then(|millis| Timestamp::from_millisecond(millis).ok()) {
        Some(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        None => "no time".to_owned(),
    }
}

/// What is said at the end, on standard error.
fn closing(found: &Found, exceptions: &Exceptions, options: &Options) {
    let rules = found.rules;
    let mut text = format!("{} records, {rules} rules, {} matches", found.records, found.matches);
    if found.dropped > 0 {
        let _ =
            write!(text, " ({} of them not kept: narrow the hunt with --level, --rule, --from, --to)", found.dropped);
    }
    let unknown = found.kinds.get("unknown").copied().unwrap_or(0);
    if unknown > 0 {
        let _ = write!(text, "; {unknown} records of no known source");
    }
    if found.unreadable > 0 {
        let _ = write!(text, "; {} that could not be read (`watchfloor normalize` says why)", found.unreadable);
    }
    if found.cut > 0 {
        let _ = write!(
            text,
            "; {} records have a list of more than {LIST_ELEMENTS_MAX} elements: what comes behind them was looked at as one text only",
            found.cut
        );
    }
    if found.unseen > 0 {
        let _ = write!(text, "; correlations did not see {} matches, as there was no room", found.unseen);
    }
    if found.evicted > 0 {
        let _ = write!(text, "; correlations gave up {} matches for room: something may be missed", found.evicted);
    }
    if found.outside > 0 {
        let _ =
            write!(text, "; {} records that matched are not of the time that --from and --to ask for", found.outside);
    }
    if found.untimed > 0 {
        let _ = write!(text, "; correlations did not see {} matches that name no time", found.untimed);
    }
    if !found.suspended.is_empty() {
        let _ = write!(text, "; rules suspended because they took too long: {}", found.suspended_rules());
    }
    text.push('\n');
    for (exception, hidden) in exceptions.all.iter().zip(&found.excepted).filter(|(one, _)| !one.expired) {
        let would = if options.preview { "would hide" } else { "hid" };
        let [rule, owner, reason, expires] =
            [&exception.rule, &exception.owner, &exception.reason, &exception.expires].map(|text| plain(text));
        let _ = writeln!(text, "exception for {rule} ({reason}; {owner}, until {expires}) {would} {hidden} matches");
    }
    crate::terminal::say(&text);
}

/// A text on one line of a terminal.
fn plain(text: &str) -> String {
    crate::terminal::plain(text).replace(['\n', '\t'], "\u{fffd}")
}

fn cell(text: &str, width: usize) -> String {
    let text = plain(text);
    let len = text.chars().count();
    if len > width {
        return text.chars().take(width.saturating_sub(1)).chain(['…']).collect();
    }
    format!("{text}{}", " ".repeat(width - len))
}

fn table(out: &mut impl Write, found: &Found, detection: &Detection) -> io::Result<()> {
    if found.sights.is_empty() {
        return writeln!(out, "no matches");
    }
    let widest = |of: fn(&Sight) -> &str, least: usize, most: usize| {
        found.sights.iter().map(|sight| of(sight).chars().count()).max().unwrap_or(0).clamp(least, most)
    };
    let (host, user) = (widest(|sight| &sight.host, 4, 28), widest(|sight| &sight.user, 4, 24));
    let title = |sight: &Sight| rule_of(sight, detection).map_or("", |rule| rule.meta.title.as_str());
    let rule = found.sights.iter().map(|sight| title(sight).chars().count()).max().unwrap_or(0).clamp(4, 70);
    writeln!(
        out,
        "{}  {}  {}  {}  {}  where",
        cell("time", 24),
        cell("level", 13),
        cell("host", host),
        cell("user", user),
        cell("rule", rule)
    )?;
    for sight in &found.sights {
        writeln!(
            out,
            "{}  {}  {}  {}  {}  {}:{}",
            cell(&shown_time(sight.time), 24),
            cell(level_of(rule_of(sight, detection)).as_str(), 13),
            cell(&sight.host, host),
            cell(&sight.user, user),
            cell(title(sight), rule),
            plain(&sight.input),
            sight.line
        )?;
    }
    Ok(())
}

/// One JSON object a match.
pub fn lines(out: &mut impl Write, sights: &[Sight], detection: &Detection) -> io::Result<()> {
    let mut line = String::new();
    for sight in sights {
        line.clear();
        json(sight, detection, &mut line);
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

/// Another member of a JSON object.
fn member(out: &mut String, key: &str, text: &str) {
    out.push_str(",\"");
    out.push_str(key);
    out.push_str("\":");
    write_str(out, text);
}

/// A match as JSON.
pub fn json(sight: &Sight, detection: &Detection, out: &mut String) {
    let meta = rule_of(sight, detection).map(|rule| &rule.meta);
    out.push_str("{\"time\":");
    match sight.time {
        Some(_) => write_str(out, &shown_time(sight.time)),
        None => out.push_str("null"),
    }
    let level = level_of(rule_of(sight, detection)).as_str();
    for (key, text) in [
        ("level", level),
        ("rule", meta.map_or("", |meta| meta.title.as_str())),
        ("rule_id", meta.and_then(|meta| meta.id.as_deref()).unwrap_or_default()),
        ("host", &sight.host),
        ("user", &sight.user),
        ("source", &sight.kind),
        ("input", &sight.input),
    ] {
        member(out, key, text);
    }
    for ((key, _), name) in NAMES.iter().zip(&sight.names).filter(|(_, name)| !name.is_empty()) {
        member(out, key, name);
    }
    out.push_str(",\"line\":");
    write_int(out, sight.line as i64);
    out.push_str(",\"offset\":");
    write_int(out, sight.offset as i64);
    out.push_str(",\"tags\":[");
    for (at, tag) in meta.map(|meta| meta.tags.as_slice()).unwrap_or_default().iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_str(out, tag);
    }
    out.push_str("],\"values\":[");
    for (at, (name, value)) in sight.values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push('[');
        write_str(out, name);
        out.push(',');
        write_str(out, value);
        out.push(']');
    }
    out.push(']');
    for (at, place) in sight.made_of.iter().enumerate() {
        out.push_str(if at > 0 { ",{\"time\":" } else { ",\"made_of\":[{\"time\":" });
        match place.time {
            Some(_) => write_str(out, &shown_time(place.time)),
            None => out.push_str("null"),
        }
        for (key, text) in [("host", &*place.host), ("input", &*place.input)] {
            member(out, key, text);
        }
        out.push_str(",\"line\":");
        write_int(out, place.line as i64);
        out.push_str(if at + 1 == sight.made_of.len() { "}]" } else { "}" });
    }
    out.push_str(",\"record\":");
    write_str(out, &sight.record);
    out.push('}');
}

/// A cell of CSV. What a spreadsheet would take as a formula is made text.
fn quoted(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = text.replace('"', "\"\"");
    format!("\"{}{text}\"", if formula { "'" } else { "" })
}

fn csv(out: &mut impl Write, found: &Found, detection: &Detection) -> io::Result<()> {
    out.write_all(b"time,level,rule,rule_id,tags,host,user,source,log,event_id,record_id,input,line,values\r\n")?;
    for sight in &found.sights {
        let rule = rule_of(sight, detection);
        let values: Vec<String> = sight.values.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (title, id, tags) = rule.map_or_else(Default::default, |rule| {
            (rule.meta.title.clone(), rule.meta.id.clone().unwrap_or_default(), rule.meta.tags.join(" "))
        });
        let time = sight.time.map_or_else(String::new, |_| shown_time(sight.time));
        let line = sight.line.to_string();
        let [log, event, record] = &sight.names;
        let cells: [&str; 14] = [
            &time,
            level_of(rule).as_str(),
            &title,
            &id,
            &tags,
            &sight.host,
            &sight.user,
            &sight.kind,
            log,
            event,
            record,
            &sight.input,
            &line,
            &values.join("; "),
        ];
        writeln!(out, "{}\r", cells.map(quoted).join(","))?;
    }
    Ok(())
}

/// Counts by level, rule, host and technique.
fn stats(found: &Found, detection: &Detection) -> String {
    let mut out = String::new();
    let mut by_rule: BTreeMap<u32, (u64, BTreeSet<&str>)> = BTreeMap::new();
    let mut by_host: BTreeMap<&str, u64> = BTreeMap::new();
    let mut by_technique: BTreeMap<String, u64> = BTreeMap::new();
    let mut by_level: BTreeMap<Level, u64> = BTreeMap::new();
    for sight in &found.sights {
        let rule = by_rule.entry(sight.rule.0).or_default();
        rule.0 += 1;
        rule.1.insert(&sight.host);
        *by_host.entry(&sight.host).or_insert(0) += 1;
        let compiled = rule_of(sight, detection);
        *by_level.entry(level_of(compiled)).or_insert(0) += 1;
        for technique in compiled.into_iter().flat_map(|rule| rule.meta.techniques()) {
            *by_technique.entry(technique).or_insert(0) += 1;
        }
    }
    let mut part = |title: &str, mut rows: Vec<(u64, String)>| {
        rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let _ = writeln!(out, "{title}");
        for (count, text) in rows {
            let _ = writeln!(out, "{count:>9}  {text}");
        }
        out.push('\n');
    };
    part("matches by level", by_level.iter().map(|(level, count)| (*count, level.as_str().to_owned())).collect());
    let rule = |(id, (count, hosts)): (&u32, &(u64, BTreeSet<&str>))| {
        let compiled = detection.set.rules.get(*id as usize);
        let title = compiled.map_or("", |rule| rule.meta.title.as_str());
        (*count, format!("{}  {}  (hosts: {})", cell(level_of(compiled).as_str(), 13), plain(title), hosts.len()))
    };
    part("matches by rule", by_rule.iter().map(rule).collect());
    part("matches by host", by_host.iter().map(|(host, count)| (*count, plain(host))).collect());
    part(
        "matches by technique",
        by_technique
            .into_iter()
            .map(|(technique, count)| (count, plain(&crate::attack::with_name(&technique))))
            .collect(),
    );
    part("records by source", found.kinds.iter().map(|(kind, count)| (*count, kind.clone())).collect());
    out
}
