//! A report for people: a row for each source, then the alarms as sentences. No line is longer than [`WIDTH`].

use std::fmt::Write as _;

use super::figures::{Basis, Report, SourceFigures};

/// Columns of a terminal that the table fits.
pub const WIDTH: usize = 120;
const NAME: usize = 27;

impl Report {
    /// The table and the alarms.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        row(
            &mut out,
            "",
            &["", "not", "base", "un-", "required", "recomm.", "unknown/", "clock", "dis-", "", "missing", "longest"],
        );
        row(
            &mut out,
            "source",
            &[
                "records", "read", "events", "mapped", "filled", "filled", "other", "offset", "order", "copies",
                "numbers", "silence",
            ],
        );
        for source in &self.figures.sources {
            let cells = cells(source);
            let shown: Vec<&str> = cells.iter().map(String::as_str).collect();
            row(&mut out, &source.source, &shown);
        }
        out.push('\n');
        let sources = self.figures.sources.len();
        match self.alarms.len() {
            0 => out.push_str("no alarms\n"),
            1 => out.push_str("1 alarm\n"),
            count => {
                let _ = writeln!(out, "{count} alarms");
            }
        }
        if sources == 0 {
            out.push_str("no records were read\n");
        }
        for alarm in &self.alarms {
            out.push('\n');
            let class = alarm.class.as_ref().map_or(String::new(), |class| format!(", {class}"));
            let _ = writeln!(out, "{}  {}{class}", alarm.code, alarm.source);
            wrap(&mut out, &alarm.sentence);
        }
        out
    }
}

/// Widths of the cells behind the name; with a blank before each they and the name make [`WIDTH`].
const WIDTHS: [usize; 12] = [9, 6, 6, 6, 8, 7, 8, 6, 5, 6, 7, 7];

fn row(out: &mut String, name: &str, cells: &[&str]) {
    let mut line: String = name.chars().take(NAME).collect();
    for _ in line.chars().count()..NAME {
        line.push(' ');
    }
    for (cell, width) in cells.iter().zip(WIDTHS) {
        let _ = write!(line, " {cell:>width$}");
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn cells(source: &SourceFigures) -> [String; 12] {
    let (required, recommended) = (source.filled(true), source.filled(false));
    let clock = match source.clock.basis {
        Basis::None | Basis::Afterwards => "-".to_owned(),
        Basis::Observer | Basis::Receipt => short(source.clock.p50_ms / 1_000),
    };
    let missing = if source.sequence.series == 0 { "-".to_owned() } else { source.sequence.missing.to_string() };
    [
        source.records.to_string(),
        part(source.failures + source.truncated + source.oversize, source.records),
        part(source.base_events, source.records),
        part(source.total(|class| class.unmapped), source.total(|class| class.values)),
        part(required.0, required.1),
        part(recommended.0, recommended.1),
        part(source.total(|class| class.unknown_or_other), source.total(|class| class.members)),
        clock,
        part(source.disordered, source.records),
        part(source.duplicates, source.records),
        missing,
        if source.silence.moments < 2 { "-".to_owned() } else { short(source.silence.longest_s) },
    ]
}

/// `3.2%`, `<.1%`, `-` of nothing.
fn part(count: u64, all: u64) -> String {
    if all == 0 {
        return "-".to_owned();
    }
    match count as f64 * 100.0 / all as f64 {
        p if count > 0 && p < 0.1 => "<.1%".to_owned(),
        p if count < all && p > 99.9 => "99.9%".to_owned(),
        p if count == 0 || p >= 99.95 => format!("{p:.0}%"),
        p => format!("{p:.1}%"),
    }
}

/// A duration in its largest unit that leaves two digits: `90min`, `36h`.
fn short(seconds: i64) -> String {
    let (size, sign) = (seconds.unsigned_abs(), if seconds < 0 { "-" } else { "" });
    match size {
        0..120 => format!("{sign}{size}s"),
        120..7_200 => format!("{sign}{}min", size / 60),
        7_200..172_800 => format!("{sign}{}h", size / 3_600),
        _ => format!("{sign}{}d", size / 86_400),
    }
}

/// A sentence in lines, indented by two.
fn wrap(out: &mut String, sentence: &str) {
    let mut length = 0;
    for word in sentence.split_whitespace() {
        let wide = word.chars().count();
        if length > 0 && length + 1 + wide > WIDTH {
            out.push('\n');
            length = 0;
        }
        out.push_str(if length == 0 { "  " } else { " " });
        length += wide + if length == 0 { 2 } else { 1 };
        out.push_str(word);
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::Alarm;
    use crate::quality::figures::{Figures, SilenceFigures};

    #[test]
    fn the_widest_row_fits() {
        let source = SourceFigures {
            source: "x".repeat(60),
            records: 999_999_999,
            failures: 999_999_998,
            silence: SilenceFigures { moments: 5, longest_s: 99_999 * 86_400, ..SilenceFigures::default() },
            ..SourceFigures::default()
        };
        let sentence = "a long word and another one ".repeat(20);
        let alarm =
            Alarm { code: "quality.silence", source: "x".into(), class: None, measured: 1.0, expected: 0.0, sentence };
        let report = Report { figures: Figures { records: 1, sources: vec![source] }, alarms: vec![alarm] };
        for line in report.table().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        assert_eq!(NAME + WIDTHS.iter().map(|width| width + 1).sum::<usize>(), WIDTH);
    }

    #[test]
    fn cells_are_short() {
        for (count, all, expected) in
            [(0, 0, "-"), (0, 5, "0%"), (5, 5, "100%"), (1, 5_000, "<.1%"), (4_999, 5_000, "99.9%"), (1, 3, "33.3%")]
        {
            assert_eq!(part(count, all), expected);
        }
        for (seconds, expected) in
            [(0, "0s"), (119, "119s"), (120, "2min"), (7_200, "2h"), (-7_200, "-2h"), (900_000, "10d")]
        {
            assert_eq!(short(seconds), expected);
        }
    }
}
