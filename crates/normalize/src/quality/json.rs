//! A report as JSON: stable, because it is also what a later run reads as its baseline.

use jiff::Timestamp;

use super::alarms::Alarm;
use super::figures::{ClassFigures, Codes, Figures, Report, SourceFigures};
use crate::json::{write_float, write_int, write_str};

/// The version of the format.
pub const VERSION: i64 = 1;

impl Report {
    /// `{"quality":1,"records":…,"sources":[…],"alarms":[…]}` and a line end.
    #[must_use]
    pub fn json(&self) -> String {
        let mut out = Json::default();
        out.object(|out| {
            out.int("quality", VERSION);
            out.count("records", self.figures.records);
            out.list("sources", &self.figures.sources, |out, source| out.object(|out| out.source(source)));
            out.list("alarms", &self.alarms, |out, alarm| out.object(|out| out.alarm(alarm)));
        });
        out.text.push('\n');
        out.text
    }
}

impl Figures {
    /// The same without alarms.
    #[must_use]
    pub fn json(&self) -> String {
        Report { figures: self.clone(), alarms: Vec::new() }.json()
    }
}

#[derive(Default)]
struct Json {
    text: String,
}

impl Json {
    fn comma(&mut self) {
        if !self.text.ends_with(['{', '[', ':']) && !self.text.is_empty() {
            self.text.push(',');
        }
    }

    fn key(&mut self, key: &str) {
        self.comma();
        write_str(&mut self.text, key);
        self.text.push(':');
    }

    fn object(&mut self, inside: impl FnOnce(&mut Self)) {
        self.comma();
        self.text.push('{');
        inside(self);
        self.text.push('}');
    }

    fn member(&mut self, key: &str, inside: impl FnOnce(&mut Self)) {
        self.key(key);
        self.object(inside);
    }

    fn list<T>(&mut self, key: &str, items: &[T], each: impl Fn(&mut Self, &T)) {
        self.key(key);
        self.text.push('[');
        items.iter().for_each(|item| each(self, item));
        self.text.push(']');
    }

    fn int(&mut self, key: &str, number: i64) {
        self.key(key);
        write_int(&mut self.text, number);
    }

    fn count(&mut self, key: &str, number: u64) {
        self.int(key, i64::try_from(number).unwrap_or(i64::MAX));
    }

    fn string(&mut self, key: &str, text: &str) {
        self.key(key);
        write_str(&mut self.text, text);
    }

    fn truth(&mut self, key: &str, value: bool) {
        self.key(key);
        self.text.push_str(if value { "true" } else { "false" });
    }

    fn source(&mut self, source: &SourceFigures) {
        self.string("source", &source.source);
        self.count("records", source.records);
        self.count("failures", source.failures);
        self.codes("failed_codes", &source.failed_codes);
        self.codes("codes", &source.codes);
        self.count("base_events", source.base_events);
        self.count("fallbacks", source.fallbacks);
        self.count("without_time", source.without_time);
        self.member("clock", |out| {
            out.string("basis", source.clock.basis.as_str());
            out.count("records", source.clock.records);
            out.int("p50_ms", source.clock.p50_ms);
            out.int("p99_ms", source.clock.p99_ms);
            out.count("negative", source.clock.negative);
            out.count("whole_hours", source.clock.whole_hours);
            out.int("usual_hours", source.clock.usual_hours);
        });
        self.count("disordered", source.disordered);
        self.int("worst_disorder_ms", source.worst_disorder_ms);
        self.count("duplicates", source.duplicates);
        self.truth("duplicates_exact", source.duplicates_exact);
        self.member("sequence", |out| {
            out.count("series", source.sequence.series);
            out.count("numbers", source.sequence.numbers);
            out.count("missing", source.sequence.missing);
        });
        self.count("duplicate_keys", source.duplicate_keys);
        self.count("oversize", source.oversize);
        self.count("truncated", source.truncated);
        self.member("silence", |out| out.silence(source));
        self.list("late_fields", &source.late_fields, |out, name| {
            out.comma();
            write_str(&mut out.text, name);
        });
        self.list("classes", &source.classes, |out, class| out.object(|out| out.class(class)));
    }

    fn silence(&mut self, source: &SourceFigures) {
        let silence = &source.silence;
        self.count("moments", silence.moments);
        self.int("span_s", silence.span_s);
        self.int("longest_s", silence.longest_s);
        self.int("longest_from", silence.longest_from);
        self.int("usual_s", silence.usual_s);
        if let Some(last) = silence.last {
            self.int("last", last);
        }
        if let Some(declared) = silence.declared_s {
            self.int("declared_s", declared);
        }
        self.truth("means_nothing", silence.means_nothing);
        self.string("meaning", &silence.meaning);
    }

    fn codes(&mut self, key: &str, codes: &Codes) {
        self.member(key, |out| {
            for (code, (count, signatures)) in codes {
                out.member(code, |out| {
                    out.count("count", *count);
                    out.member("signatures", |out| signatures.iter().for_each(|(text, count)| out.count(text, *count)));
                });
            }
        });
    }

    fn class(&mut self, class: &ClassFigures) {
        self.string("class", &class.class);
        self.count("records", class.records);
        self.count("values", class.values);
        self.count("unmapped", class.unmapped);
        self.count("members", class.members);
        self.count("unknown_or_other", class.unknown_or_other);
        self.member("fill", |out| {
            for (word, required) in [("required", true), ("recommended", false)] {
                let wanted = class.fill.iter().filter(|(_, fill)| fill.0 == required);
                out.member(word, |out| wanted.for_each(|(name, (_, count))| out.count(name, *count)));
            }
        });
        self.member("fields", |out| {
            for (name, field) in &class.fields {
                out.member(name, |out| {
                    out.count("records", field.records);
                    field.kinds.iter().for_each(|(kind, count)| out.count(kind, *count));
                });
            }
        });
        self.truth("fields_complete", class.fields_complete);
        self.member("hours", |out| {
            for (start, hour) in &class.hours {
                let name = Timestamp::from_millisecond(start.saturating_mul(super::gather::HOUR_MS))
                    .map_or_else(|_| start.to_string(), |time| time.to_string());
                out.member(&name, |out| {
                    out.count("records", hour.records);
                    out.count("failures", hour.failures);
                    out.count("base_events", hour.base_events);
                    out.count("values", hour.values);
                    out.count("unmapped", hour.unmapped);
                });
            }
        });
    }

    fn alarm(&mut self, alarm: &Alarm) {
        self.string("alarm", alarm.code);
        self.string("source", &alarm.source);
        if let Some(class) = &alarm.class {
            self.string("class", class);
        }
        self.key("measured");
        write_float(&mut self.text, alarm.measured);
        self.key("expected");
        write_float(&mut self.text, alarm.expected);
        self.string("sentence", &alarm.sentence);
    }
}
