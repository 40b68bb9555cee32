//! Matches over time, as bars of an SVG and as a table.

use std::fmt::{self, Write};
use watchfloor_detect::Detection;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use watchfloor_sigma::Level;

use super::tally::{Levels, time_of};
use super::text::{Count, Number, Text};
use crate::hunt::Found;
use crate::hunt::show::{level_of, rule_of};

/// Most bars, and least: fewer would be as broad as a wall.
const BARS_MAX: i64 = 60;
const BARS_MIN: i64 = 12;
/// Most labels below them.
const LABELS_MAX: i64 = 7;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Where counting begins: a Monday, so that weeks do too.
const ORIGIN: i64 = 4 * DAY;

/// How long a bar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Millis(i64),
    Months(i64),
}

/// All lengths, with what they are called.
const STEPS: [(Step, &str); 32] = [
    (Step::Millis(100), "100 milliseconds"),
    (Step::Millis(200), "200 milliseconds"),
    (Step::Millis(500), "500 milliseconds"),
    (Step::Millis(SECOND), "a second"),
    (Step::Millis(2 * SECOND), "2 seconds"),
    (Step::Millis(5 * SECOND), "5 seconds"),
    (Step::Millis(10 * SECOND), "10 seconds"),
    (Step::Millis(30 * SECOND), "30 seconds"),
    (Step::Millis(MINUTE), "a minute"),
    (Step::Millis(2 * MINUTE), "2 minutes"),
    (Step::Millis(5 * MINUTE), "5 minutes"),
    (Step::Millis(10 * MINUTE), "10 minutes"),
    (Step::Millis(15 * MINUTE), "15 minutes"),
    (Step::Millis(30 * MINUTE), "30 minutes"),
    (Step::Millis(HOUR), "an hour"),
    (Step::Millis(2 * HOUR), "2 hours"),
    (Step::Millis(3 * HOUR), "3 hours"),
    (Step::Millis(6 * HOUR), "6 hours"),
    (Step::Millis(12 * HOUR), "12 hours"),
    (Step::Millis(DAY), "a day"),
    (Step::Millis(2 * DAY), "2 days"),
    (Step::Millis(7 * DAY), "a week"),
    (Step::Millis(14 * DAY), "2 weeks"),
    (Step::Months(1), "a month"),
    (Step::Months(3), "3 months"),
    (Step::Months(6), "6 months"),
    (Step::Months(12), "a year"),
    (Step::Months(24), "2 years"),
    (Step::Months(60), "5 years"),
    (Step::Months(120), "10 years"),
    (Step::Months(1_200), "100 years"),
    (Step::Months(12_000), "1,000 years"),
];

/// Wall clock time in the zone of the report, as if it were UTC.
fn wall(time: Timestamp, zone: &TimeZone) -> i64 {
    time.as_millisecond() + i64::from(zone.to_offset(time).seconds()) * SECOND
}

fn civil(wall: i64) -> DateTime {
    let end = if wall < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Offset::UTC.to_datetime(Timestamp::from_millisecond(wall).unwrap_or(end))
}

impl Step {
    /// The number of the bar that a time is in.
    fn key(self, wall: i64) -> i64 {
        match self {
            Self::Millis(length) => (wall - ORIGIN).div_euclid(length),
            Self::Months(length) => {
                let date = civil(wall);
                (i64::from(date.year()) * 12 + i64::from(date.month()) - 1).div_euclid(length)
            }
        }
    }

    fn times(self, number: i64) -> Self {
        match self {
            Self::Millis(length) => Self::Millis(length * number),
            Self::Months(length) => Self::Months(length * number),
        }
    }

    /// Where a bar begins: the time of day, if it matters, and the day.
    fn label(self, key: i64) -> (Option<String>, String) {
        let (length, date) = match self {
            Self::Millis(length) => (length, civil(key * length + ORIGIN)),
            Self::Months(length) => {
                let month = key * length;
                let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
                return (None, if length % 12 == 0 { format!("{year:04}") } else { format!("{year:04}-{month:02}") });
            }
        };
        let day = date.strftime("%Y-%m-%d").to_string();
        let time = match length {
            ..SECOND => "%H:%M:%S%.3f",
            SECOND..MINUTE => "%H:%M:%S",
            MINUTE..DAY => "%H:%M",
            _ => return (None, day),
        };
        (Some(date.strftime(time).to_string()), day)
    }

    /// The same in a sentence.
    fn begin(self, key: i64) -> String {
        match self.label(key) {
            (Some(time), day) => format!("{day} {time}"),
            (None, day) => day,
        }
    }
}

/// Matches by bar.
#[derive(Debug)]
struct Bars {
    step: Step,
    name: &'static str,
    first: i64,
    bars: Vec<Levels>,
}

impl Bars {
    fn new(times: &[(i64, Level)]) -> Option<Self> {
        let first = times.iter().map(|(time, _)| *time).min()?;
        let last = times.iter().map(|(time, _)| *time).max()?;
        let fits = |(step, _): &&(Step, &str)| step.key(last) - step.key(first) < BARS_MAX;
        let (step, name) = *STEPS.iter().find(fits).or(STEPS.last())?;
        let number = step.key(last) - step.key(first) + 1;
        let lacking = (BARS_MIN - number).max(0);
        let first = step.key(first) - lacking / 2;
        let mut bars = vec![Levels::default(); usize::try_from(number + lacking).ok()?];
        for (time, level) in times {
            let at = usize::try_from(step.key(*time) - first).ok();
            if let Some(bar) = at.and_then(|at| bars.get_mut(at)) {
                bar.add(*level, 1);
            }
        }
        Some(Self { step, name, first, bars })
    }

    /// Bars by the number of where they begin.
    fn keyed(&self) -> impl Iterator<Item = (i64, &Levels)> {
        (self.first..).zip(&self.bars)
    }

    /// Every which bar has a label: so many that they begin at round times.
    fn label_every(&self) -> i64 {
        let least = (self.bars.len() as i64 + LABELS_MAX - 1) / LABELS_MAX;
        let is_round = |every: &i64| STEPS.iter().any(|(step, _)| *step == self.step.times(*every));
        (least..4 * least).find(is_round).filter(|every| every * 2 < self.bars.len() as i64).unwrap_or(least)
    }
}

/// Geometry of the drawing, in its own units.
const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 12.0;
const HEIGHT: f64 = 210.0;
/// Room for labels: one line, or two.
const BELOW: [f64; 2] = [28.0, 46.0];

/// The section of the page.
pub fn timeline(out: &mut String, found: &Found, detection: &Detection, zone: &TimeZone) -> fmt::Result {
    out.write_str("<section id=\"timeline\" aria-labelledby=\"h-timeline\"><h2 id=\"h-timeline\">Timeline</h2>")?;
    let times: Vec<(i64, Level)> = found
        .sights
        .iter()
        .filter_map(|sight| Some((wall(time_of(sight.time)?, zone), level_of(rule_of(sight, detection)))))
        .collect();
    let timeless = (found.sights.len() - times.len()) as u64;
    if let Some(bars) = Bars::new(&times) {
        let zone = zone.iana_name().unwrap_or("local time");
        write!(
            out,
            "<p>A bar is {}. Times are {}.</p><ul class=\"legend\" aria-hidden=\"true\">",
            bars.name,
            Text::line(zone)
        )?;
        for level in Level::ALL.into_iter().rev().filter(|level| times.iter().any(|(_, of)| of == level)) {
            write!(out, "<li><i class=\"k {0}\"></i>{0}</li>", level.as_str())?;
        }
        out.write_str("</ul>")?;
        drawing(out, &bars)?;
        table(out, &bars, zone)?;
    }
    if timeless > 0 {
        write!(
            out,
            "<p class=\"note\">{} no time and cannot be drawn.</p>",
            Count(timeless, "match has", "matches have")
        )?;
    }
    out.write_str("</section>\n")
}

fn drawing(out: &mut String, bars: &Bars) -> fmt::Result {
    let highest = bars.bars.iter().map(Levels::total).max().unwrap_or(0).max(1);
    let line = line_every(highest);
    let top = highest.div_ceil(line) * line;
    let y_of = |count: u64| TOP + HEIGHT * (1.0 - count as f64 / top as f64);
    let bar_width = (WIDTH - LEFT - RIGHT) / bars.bars.len().max(1) as f64;
    write!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"Timeline chart\" tabindex=\"0\"><svg class=\"chart\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-labelledby=\"chart-title chart-desc\">\
         <title id=\"chart-title\">Matches over time, by level</title><desc id=\"chart-desc\">The table below the chart has the same numbers.</desc>",
        TOP + HEIGHT + if bars.step.label(bars.first).0.is_some() { BELOW[1] } else { BELOW[0] }
    )?;
    let mut count = 0;
    while count <= top {
        let y = y_of(count);
        write!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"count\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            Number(count)
        )?;
        count += line;
    }
    for (at, (key, levels)) in bars.keyed().enumerate().filter(|(_, (_, levels))| levels.total() > 0) {
        write!(out, "<g><title>{}: {}</title>", bars.step.begin(key), in_words(levels))?;
        let (x, mut below) = (LEFT + at as f64 * bar_width, 0);
        for level in Level::ALL.into_iter().rev().filter(|level| levels.of(*level) > 0) {
            let (foot, head) = (y_of(below), y_of(below + levels.of(level)));
            // One match among thousands is seen too.
            let height = (foot - head).max(1.5);
            write!(
                out,
                "<rect class=\"{}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
                level.as_str(),
                x + bar_width * 0.08,
                foot - height,
                bar_width * 0.84
            )?;
            below += levels.of(level);
        }
        out.write_str("</g>")?;
    }
    labels(out, bars, bar_width)?;
    out.write_str("</svg></div>")
}

/// The labels of the time axis. A day is written where it begins to be true.
fn labels(out: &mut String, bars: &Bars, bar_width: f64) -> fmt::Result {
    let every = bars.label_every();
    let mut last_day = String::new();
    for (at, (key, _)) in bars.keyed().enumerate().filter(|(_, (key, _))| key.rem_euclid(every) == 0) {
        let (x, y) = (LEFT + at as f64 * bar_width, TOP + HEIGHT);
        write!(
            out,
            "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y}\" y2=\"{}\"/><text x=\"{x:.1}\" y=\"{}\">",
            y + 5.0,
            y + 20.0
        )?;
        match bars.step.label(key) {
            (Some(time), day) if day != last_day => {
                write!(out, "{time}</text><text x=\"{x:.1}\" y=\"{}\">{day}</text>", y + 37.0)?;
                last_day = day;
            }
            (Some(time), _) => write!(out, "{time}</text>")?,
            (None, day) => write!(out, "{day}</text>")?,
        }
    }
    Ok(())
}

/// How many matches the lines of the drawing are apart: 1, 2, 5, 10, 20 and so on, at most five lines.
fn line_every(highest: u64) -> u64 {
    let mut power: u64 = 1;
    loop {
        for step in [power, power.saturating_mul(2), power.saturating_mul(5)] {
            if highest.div_ceil(step) <= 5 {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// The numbers of the bars for those who cannot see them.
fn table(out: &mut String, bars: &Bars, zone: &str) -> fmt::Result {
    let levels: Vec<Level> =
        Level::ALL.into_iter().rev().filter(|level| bars.bars.iter().any(|bar| bar.of(*level) > 0)).collect();
    write!(
        out,
        "<details class=\"same\"><summary>The same as a table</summary><div class=\"scroll\" role=\"region\" aria-label=\"Timeline table\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">From ({})</th>",
        Text::line(zone)
    )?;
    for level in &levels {
        write!(out, "<th scope=\"col\" class=\"n\">{}</th>", level.as_str())?;
    }
    out.write_str("<th scope=\"col\" class=\"n\">all</th></tr></thead><tbody>")?;
    for (key, bar) in bars.keyed().filter(|(_, bar)| bar.total() > 0) {
        write!(out, "<tr><th scope=\"row\">{}</th>", bars.step.begin(key))?;
        for level in &levels {
            write!(out, "<td class=\"n\">{}</td>", Number(bar.of(*level)))?;
        }
        write!(out, "<td class=\"n\">{}</td></tr>", Number(bar.total()))?;
    }
    out.write_str("</tbody></table></div></details>")
}

/// Such as `3 critical, 12 low`.
fn in_words(levels: &Levels) -> String {
    let words = Level::ALL.into_iter().rev().filter(|level| levels.of(*level) > 0);
    words.map(|level| format!("{} {}", Number(levels.of(level)), level.as_str())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn bars_fit_the_span() {
        let check = |times: &[&str], name: &str, number: usize, labels: usize, first: &str| {
            let times: Vec<(i64, Level)> = times.iter().map(|time| (at(time), Level::Low)).collect();
            let bars = Bars::new(&times).unwrap();
            let every = bars.label_every();
            let labelled = bars.keyed().filter(|(key, _)| key.rem_euclid(every) == 0).count();
            assert_eq!(bars.bars.iter().map(Levels::total).sum::<u64>(), times.len() as u64);
            assert_eq!((bars.name, bars.bars.len(), labelled), (name, number, labels), "{times:?}");
            assert_eq!(bars.step.begin(bars.first), first);
        };
        check(&["2026-03-02T10:15:02.123Z"], "100 milliseconds", 12, 6, "2026-03-02 10:15:01.600");
        check(
            &["2026-03-02T10:15:02Z", "2026-03-02T10:15:02.999Z"],
            "100 milliseconds",
            12,
            6,
            "2026-03-02 10:15:01.900",
        );
        check(&["2026-03-02T10:15:02Z", "2026-03-02T10:58:00Z"], "a minute", 44, 4, "2026-03-02 10:15");
        check(&["2026-03-02T10:15:02Z", "2026-03-05T09:00:00Z"], "2 hours", 36, 6, "2026-03-02 10:00");
        check(&["2026-01-02T00:00:00Z", "2026-12-31T23:59:59.999Z"], "a week", 53, 6, "2025-12-29");
        check(&["2019-03-02T00:00:00Z", "2026-12-31T00:00:00Z"], "3 months", 32, 4, "2019-01");
        check(&["-009000-01-01T00:00:00Z", "9999-12-30T00:00:00Z"], "1,000 years", 19, 7, "-9000");
        assert!(Bars::new(&[]).is_none());
    }

    #[test]
    fn bars_stand_on_the_clock_of_the_zone() {
        let zone = TimeZone::get("America/New_York").unwrap();
        assert_eq!(civil(wall("2026-03-02T03:00:00Z".parse().unwrap(), &zone)).to_string(), "2026-03-01T22:00:00");
    }

    #[test]
    fn lines_are_round() {
        for (highest, line) in
            [(1, 1), (5, 1), (6, 2), (11, 5), (26, 10), (1_234, 500), (u64::MAX, 5_000_000_000_000_000_000)]
        {
            assert_eq!(line_every(highest), line, "{highest}");
        }
    }
}
