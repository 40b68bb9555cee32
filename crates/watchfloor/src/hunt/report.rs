//! A hunt as one page, with everything in it: to read, to print, to hand on.
//!
//! Texts of records, rules and file names are hostile. They come into the page through [`text::Text`] only, and never into its style or script. The page loads
//! nothing, and its policy lets no other script run than the one whose hash it names.

mod matches;
mod rules;
mod sections;
mod tally;
mod text;
mod timeline;

use std::cmp::Reverse;
use std::fmt::{self, Write};
use watchfloor_detect::Detection;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use watchfloor_sigma::Level;

use self::tally::Tally;
use self::text::{Count, Number, Text};
use watchfloor_intake::Input;

use super::Found;
use super::options::Options;

const STYLE: &str = include_str!("report/page.css");
const SCRIPT: &str = include_str!("report/page.js");
/// SHA-256 of [`STYLE`] and [`SCRIPT`] in base64. A test compares them, and says the right ones.
const STYLE_HASH: &str = "esnmzhsu9rngOBUS6PLr9N5v1Dtjo9y6wqScZcycxKY=";
const SCRIPT_HASH: &str = "xosuBaVVsgZTXI/kteJ7CS7Ozz7goxZCQCwerghyjTc=";
/// Most inputs, or kinds of records, that are listed.
const KINDS_MAX: usize = 50;

/// The page.
pub fn html(found: &Found, detection: &Detection, options: &Options) -> String {
    let mut out = String::new();
    // Writing into a string does not fail.
    let _ = page(&mut out, found, detection, options);
    out
}

/// How times are shown.
pub struct Clock<'z> {
    zone: &'z TimeZone,
}

impl Clock<'_> {
    /// A time as an element.
    fn time(&self, time: Timestamp) -> String {
        let zoned = time.to_zoned(self.zone.clone());
        let offset = if self.is_utc() { String::new() } else { zoned.strftime(" %:z").to_string() };
        format!("<time datetime=\"{time}\">{}{offset}</time>", zoned.strftime("%Y-%m-%d %H:%M:%S%.3f"))
    }

    fn is_utc(&self) -> bool {
        *self.zone == TimeZone::UTC
    }

    /// What the zone is called.
    fn zone(&self) -> Text<'_> {
        Text::line(self.zone.iana_name().unwrap_or("local"))
    }
}

/// A level: its word in its colour.
fn level(level: Level) -> &'static str {
    match level {
        Level::Informational => "<b class=\"l informational\">informational</b>",
        Level::Low => "<b class=\"l low\">low</b>",
        Level::Medium => "<b class=\"l medium\">medium</b>",
        Level::High => "<b class=\"l high\">high</b>",
        Level::Critical => "<b class=\"l critical\">critical</b>",
    }
}

fn page(out: &mut String, found: &Found, detection: &Detection, options: &Options) -> fmt::Result {
    let clock = &Clock { zone: &options.zone };
    let tally = Tally::new(found, detection);
    let all = found.matches;
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; \
         script-src 'sha256-{SCRIPT_HASH}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"referrer\" content=\"no-referrer\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Hunt report: {}</title>\n<style>{STYLE}</style></head>\n<body>\
         <a class=\"skip\" href=\"#main\">To the content</a>",
        Count(all, "match", "matches")
    )?;
    head(out, found, &tally, options, clock)?;
    if found.sights.is_empty() {
        nothing(out, found)?;
    } else {
        sections::figures(out, &tally)?;
        timeline::timeline(out, found, detection, clock.zone)?;
        sections::hosts(out, &tally, detection, clock)?;
        sections::techniques(out, &tally, detection)?;
        rules::rules(out, &tally, detection, clock)?;
        matches::matches(out, found, &tally, detection, clock)?;
    }
    write!(
        out,
        "</main><footer><p>Made by Watchfloor {}. Characters that cannot be seen are shown as ⟨U+202E⟩; … stands where a text was cut.</p></footer>\n\
         <script>{SCRIPT}</script></body></html>\n",
        env!("CARGO_PKG_VERSION")
    )
}

fn head(out: &mut String, found: &Found, tally: &Tally<'_>, options: &Options, clock: &Clock<'_>) -> fmt::Result {
    write!(
        out,
        "<header><p class=\"made\">Watchfloor · made {}</p><h1>Hunt report</h1><p class=\"lead\">",
        clock.made()
    )?;
    summary(out, found, tally, clock)?;
    out.write_str("</p>")?;
    if !found.sights.is_empty() {
        out.write_str("<nav aria-label=\"Sections\"><ul>")?;
        for (id, name) in [
            ("levels", "Levels"),
            ("timeline", "Timeline"),
            ("hosts", "Hosts"),
            ("techniques", "Techniques"),
            ("rules", "Rules"),
            ("matches", "All matches"),
        ] {
            write!(out, "<li><a href=\"#{id}\">{name}</a></li>")?;
        }
        out.write_str("</ul></nav>")?;
    }
    out.write_str("</header>\n<main id=\"main\" tabindex=\"-1\">")?;
    read(out, found, tally, options, clock)
}

/// All in one sentence.
fn summary(out: &mut String, found: &Found, tally: &Tally<'_>, clock: &Clock<'_>) -> fmt::Result {
    let all = found.matches;
    if all == 0 {
        return write!(out, "No rule matched any of {}.", Count(found.records, "record", "records"));
    }
    write!(
        out,
        "<strong>{}</strong> of {} on {}",
        Count(all, "match", "matches"),
        Count(tally.rules.len() as u64, "rule", "rules"),
        Count(tally.named_hosts(), "host", "hosts")
    )?;
    match tally.span.ends() {
        Some((first, last)) if first == last => write!(out, ", all at {}", clock.time(first))?,
        Some((first, last)) => write!(out, " between {} and {}", clock.time(first), clock.time(last))?,
        None => out.write_str(", none of them with a time")?,
    }
    if tally.span.ends().is_some() && clock.is_utc() {
        out.write_str(" UTC")?;
    }
    match tally.levels.highest() {
        Some(highest) => write!(out, "; the highest level is {}.", level(highest)),
        None => out.write_str("."),
    }
}

/// What was read, and what could not be.
fn read(out: &mut String, found: &Found, tally: &Tally<'_>, options: &Options, clock: &Clock<'_>) -> fmt::Result {
    let rules = found.rules;
    write!(
        out,
        "<section id=\"read\" aria-labelledby=\"h-read\"><h2 id=\"h-read\">What was read</h2><dl class=\"read\">"
    )?;
    let inputs: Vec<String> = options.inputs.iter().map(input_name).collect();
    listed(out, "Inputs", &inputs)?;
    listed(out, "Narrowed to", &options.asked())?;
    write!(out, "<dt>Records</dt><dd>{}</dd>", Number(found.records))?;
    let mut kinds: Vec<_> = found.kinds.iter().collect();
    kinds.sort_by_key(|(kind, count)| (Reverse(**count), kind.as_str()));
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, count)| {
            let kind = if kind == "unknown" { "no known source" } else { kind };
            format!("{kind} ({})", Number(*count))
        })
        .collect();
    listed(out, "Sources", &kinds)?;
    write!(
        out,
        "<dt>Rules run</dt><dd>{} ({} matched)</dd><dt>Time of the matches</dt><dd>",
        Number(rules),
        Number(tally.rules.len() as u64)
    )?;
    match tally.span.ends() {
        Some((first, last)) => write!(out, "{} to {}", clock.time(first), clock.time(last))?,
        None => out.write_str("none")?,
    }
    write!(out, "</dd><dt>Time zone of this report</dt><dd>{}</dd></dl>", clock.zone())?;
    caveats(out, found, tally)?;
    out.write_str("</section>\n")
}

/// What an input is called.
fn input_name(input: &Input) -> String {
    match input {
        Input::Path(path) => path.display().to_string(),
        Input::Stdin => "standard input".to_owned(),
    }
}

/// Names beside what they are of, if there are any.
fn listed(out: &mut String, what: &str, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    write!(out, "<dt>{what}</dt><dd class=\"kinds\">")?;
    for name in names.iter().take(KINDS_MAX) {
        write!(out, "<span class=\"name\"><bdi>{}</bdi></span>", Text::line(name))?;
    }
    if names.len() > KINDS_MAX {
        write!(out, "<span class=\"more\">and {} more</span>", Number((names.len() - KINDS_MAX) as u64))?;
    }
    out.write_str("</dd>")
}

/// What a reader must know to trust the numbers.
fn caveats(out: &mut String, found: &Found, tally: &Tally<'_>) -> fmt::Result {
    let unknown = found.kinds.get("unknown").copied().unwrap_or(0);
    let excepted = found.excepted.iter().sum();
    let suspended = found.suspended_rules();
    let notes: [(u64, &str, &str, &str); 13] = [
        (unknown, "record is", "records are", "of no known source: rules for a certain source did not look at them."),
        (found.unreadable, "record", "records", "could not be read as what they should be, at least in part."),
        (found.troubled, "input", "inputs", "could not be read, at least in part."),
        (
            found.dropped,
            "match",
            "matches",
            "did not fit into memory: only the number is known, and no figure below has them.",
        ),
        (
            found.cut,
            "record has",
            "records have",
            "a list that is too long: behind its first elements it was looked at as one text only.",
        ),
        (found.unseen, "match was", "matches were", "not seen by correlations, as there was no room."),
        (found.evicted, "match was", "matches were", "given up by correlations for room: something may be missed."),
        (found.untimed, "match has", "matches have", "no time and was not seen by correlations."),
        (
            suspended,
            "rule",
            "rules",
            "took too long and ran over a part of the records only: what it would have found is missing.",
        ),
        (found.outside, "record", "records", "that matched: not of the time that was asked for, and left out."),
        (found.unusable, "correlation", "correlations", "could not be used: a rule that it is about is missing."),
        (excepted, "match is", "matches are", "covered by the exceptions of this hunt."),
        (tally.timeless, "match has", "matches have", "no time."),
    ];
    if notes.iter().all(|(number, ..)| *number == 0) {
        return Ok(());
    }
    out.write_str("<ul class=\"note\">")?;
    for (number, one, many, rest) in notes.into_iter().filter(|(number, ..)| *number > 0) {
        write!(out, "<li>{} {rest}</li>", Count(number, one, many))?;
    }
    out.write_str("</ul>")
}

fn nothing(out: &mut String, found: &Found) -> fmt::Result {
    out.write_str("<section id=\"nothing\" aria-labelledby=\"h-nothing\"><h2 id=\"h-nothing\">No matches</h2>")?;
    out.write_str(if found.records == 0 {
        "<p>Nothing was read, so nothing could match. Look at the inputs of this hunt.</p>"
    } else {
        "<p>This says that none of the rules above found what it looks for in these records, as far as they are of the time that was asked for. It does not say that nothing happened: \
         it depends on which rules were run, and on what the records cover.</p>"
    })?;
    out.write_str("</section>\n")
}

impl Clock<'_> {
    /// Now.
    fn made(&self) -> String {
        let now = Timestamp::now();
        let shown = now.to_zoned(self.zone.clone());
        let zone = if self.is_utc() { "UTC".to_owned() } else { shown.strftime("%:z").to_string() };
        format!("<time datetime=\"{now:.0}\">{} {zone}</time>", shown.strftime("%Y-%m-%d %H:%M"))
    }
}
