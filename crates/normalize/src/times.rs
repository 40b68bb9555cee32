//! Times by their look.
//!
//! | look | read as |
//! |---|---|
//! | `1700000000`, `1700000000.25`, 13, 16 or 19 digits | epoch seconds, milli-, micro-, nanoseconds by magnitude |
//! | `2025-10-11T22:14:15.123Z`, with blank, `/`, `,`, offset, `UTC` | ISO 8601 and its cousins |
//! | `10/Oct/2025:13:55:36 +0200` | web servers |
//! | `Oct 11 22:14:15`, `Oct 11 2025 22:14:15`, `Sat Oct 11 22:14:15 2025` | syslog, C |
//! | `Sat, 11 Oct 2025 22:14:15 +0000`, `11-Oct-2025 22:14:15.123` | mail, BIND |
//! | `10/11/2025 1:02:03 PM` | month first, unless the first number is over 12 |
//! | `/Date(1700000000000)/` | .NET |
//!
//! A time without a zone is read in the zone the caller names, and [`Reading::zone_known`] is false. A time without a year gets
//! the year that puts it closest before the receipt time.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use watchfloor_model::limits::{TIME_FUTURE_MS_MAX, TIME_PAST_YEARS_MAX};

/// What a reading depends on besides the text.
#[derive(Clone, Debug)]
pub struct Clock {
    /// When the record was received, in epoch milliseconds.
    pub received: i64,
    /// Zone of times that name none.
    pub zone: TimeZone,
}

/// A time that could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Epoch milliseconds.
    pub millis: i64,
    /// Whether the text named its zone.
    pub zone_known: bool,
}

/// Whether a time can be a record's time at all: no more than 50 years before its receipt and not a year after it.
#[must_use]
pub fn plausible(millis: i64, received: i64) -> bool {
    let past = TIME_PAST_YEARS_MAX * 366 * 24 * 3_600 * 1_000;
    millis > received.saturating_sub(past) && millis <= received.saturating_add(TIME_FUTURE_MS_MAX) && millis != 0
}

/// Epoch number to milliseconds, by magnitude.
#[must_use]
pub fn from_number(number: f64) -> i64 {
    let millis = match number.abs() {
        n if n < 1e11 => number * 1e3,
        n if n < 1e14 => number,
        n if n < 1e17 => number / 1e3,
        _ => number / 1e6,
    };
    millis.floor() as i64
}

/// Whole epoch number to milliseconds, by magnitude.
#[must_use]
pub fn from_int(number: i64) -> i64 {
    match number.unsigned_abs() {
        n if n < 100_000_000_000 => number.saturating_mul(1_000),
        n if n < 100_000_000_000_000 => number,
        n if n < 100_000_000_000_000_000 => number.div_euclid(1_000),
        _ => number.div_euclid(1_000_000),
    }
}

/// Windows FILETIME (100 ns since 1601) to epoch milliseconds.
#[must_use]
pub fn from_filetime(ticks: i64) -> i64 {
    ticks.div_euclid(10_000).saturating_sub(11_644_473_600_000)
}

/// Reads a time by its look.
#[must_use]
pub fn read(text: &str, clock: &Clock) -> Option<Reading> {
    let text = text.trim().trim_matches(['[', ']', '"']);
    if let Some(inner) = text.strip_prefix("/Date(") {
        let digits = inner.split([')', '+', '-']).find(|part| !part.is_empty())?;
        let sign = if inner.starts_with('-') { -1 } else { 1 };
        return Some(Reading { millis: sign * digits.parse::<i64>().ok()?, zone_known: true });
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().filter(|b| *b == b'.').count() <= 1 {
        return epoch(text, clock);
    }
    let mut scan = Scan { text, clock };
    scan.read()
}

/// Reads a time by a `strptime` format.
#[must_use]
pub fn read_with(text: &str, format: &str, clock: &Clock) -> Option<Reading> {
    let parsed = jiff::fmt::strtime::parse(format, text).ok()?;
    if let Ok(stamp) = parsed.to_timestamp() {
        return Some(Reading { millis: stamp.as_millisecond(), zone_known: true });
    }
    if let Ok(civil) = parsed.to_datetime() {
        return zoned(civil, None, clock);
    }
    let date = parsed.to_date().ok()?;
    zoned(date.to_datetime(Time::midnight()), None, clock)
}

fn epoch(text: &str, clock: &Clock) -> Option<Reading> {
    let known = |millis| Some(Reading { millis, zone_known: true });
    match text.split_once('.') {
        // `20251011` and `20251011221415` are dates, not seconds of 1970 or 2611.
        None if text.len() == 14 => compact(text, clock).or_else(|| text.parse().ok().map(from_int).and_then(known)),
        None if text.len() == 8 && (text.starts_with("19") || text.starts_with("20")) => compact(text, clock),
        None => known(from_int(text.parse().ok()?)),
        Some((whole, fraction)) if whole.len() <= 11 => {
            let whole: i64 = whole.parse().ok()?;
            let digits = fraction.get(..fraction.len().min(3))?;
            let part: i64 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
            known(whole.checked_mul(1_000)? + part * 10_i64.pow(3 - digits.len() as u32))
        }
        Some(_) => known(from_number(text.parse().ok()?)),
    }
}

/// `20251011` or `20251011221415`.
fn compact(text: &str, clock: &Clock) -> Option<Reading> {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i16>().ok());
    let date = Date::new(number(0, 4)?, number(4, 6)? as i8, number(6, 8)? as i8).ok()?;
    let time = match text.len() {
        14 => Time::new(number(8, 10)? as i8, number(10, 12)? as i8, number(12, 14)? as i8, 0).ok()?,
        _ => Time::midnight(),
    };
    zoned(date.to_datetime(time), None, clock)
}

fn zoned(civil: DateTime, offset: Option<i32>, clock: &Clock) -> Option<Reading> {
    let stamp = match offset {
        Some(seconds) => Offset::from_seconds(seconds).ok()?.to_timestamp(civil).ok()?,
        None => clock.zone.to_timestamp(civil).ok()?,
    };
    Some(Reading { millis: stamp.as_millisecond(), zone_known: offset.is_some() })
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn month(text: &str) -> Option<i8> {
    let start = text.get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == start).map(|at| at as i8 + 1)
}

struct Scan<'a> {
    text: &'a str,
    clock: &'a Clock,
}

impl Scan<'_> {
    fn read(&mut self) -> Option<Reading> {
        let starts_with_letter = self.text.starts_with(|c: char| c.is_ascii_alphabetic());
        if starts_with_letter && month(self.text).is_none_or(|_| self.weekday_first()) {
            // `Sat Oct 11 …`, `Sat, 11 Oct …`: the day of the week says nothing.
            let after = self.text.find([' ', ','])?;
            self.skip(after);
            self.skip_any(&[' ', ',']);
        }
        if self.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return self.month_first();
        }
        let first = self.number()?;
        let mark = self.text.chars().next()?;
        match mark {
            '-' | '/' | '.' if first > 31 => self.year_first(first, mark),
            '-' | '/' | '.' | ' '
                if self.text.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())) =>
            {
                self.skip(1);
                self.day_month_year(first)
            }
            '/' | '.' | '-' => self.american(first, mark),
            'T' if first > 9_999_999 => {
                let date = Date::new((first / 10_000) as i16, (first / 100 % 100) as i8, (first % 100) as i8).ok()?;
                self.finish(date)
            }
            _ => None,
        }
    }

    fn weekday_first(&self) -> bool {
        let word = self.text.split([' ', ',']).next().unwrap_or_default();
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            .iter()
            .any(|day| word.get(..3).is_some_and(|w| w.eq_ignore_ascii_case(day)))
            && !(word.eq_ignore_ascii_case("mon") && month(word).is_some())
    }

    fn skip(&mut self, bytes: usize) {
        self.text = self.text.get(bytes..).unwrap_or_default();
    }

    fn skip_any(&mut self, marks: &[char]) {
        self.text = self.text.trim_start_matches(marks);
    }

    fn number(&mut self) -> Option<i64> {
        let len = self.text.bytes().take_while(u8::is_ascii_digit).count();
        let number = self.text.get(..len)?.parse().ok();
        self.skip(len);
        number
    }

    /// `2025-10-11…`
    fn year_first(&mut self, year: i64, mark: char) -> Option<Reading> {
        self.skip(1);
        let month = if self.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.month_name()?
        } else {
            self.number()? as i8
        };
        if !self.text.starts_with(mark) {
            return None;
        }
        self.skip(1);
        let day = self.number()? as i8;
        let date = Date::new(i16::try_from(year).ok()?, month, day).ok()?;
        self.finish(date)
    }

    fn month_name(&mut self) -> Option<i8> {
        let month = month(self.text);
        let len = self.text.bytes().take_while(u8::is_ascii_alphabetic).count();
        self.skip(len);
        month
    }

    /// `11 Oct 2025 …`, `11/Oct/2025:…`, `11-Oct-2025 …`
    fn day_month_year(&mut self, day: i64) -> Option<Reading> {
        let month = self.month_name()?;
        self.skip_any(&['-', '/', ' ', '.', ',']);
        let year = self.year()?;
        let date = Date::new(year, month, i8::try_from(day).ok()?).ok()?;
        self.finish(date)
    }

    fn year(&mut self) -> Option<i16> {
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        let year = self.number()?;
        match digits {
            4 => i16::try_from(year).ok(),
            2 => i16::try_from(if year < 70 { 2_000 + year } else { 1_900 + year }).ok(),
            _ => None,
        }
    }

    /// `10/11/2025 …`, `10/11/25-…`
    fn american(&mut self, first: i64, mark: char) -> Option<Reading> {
        self.skip(1);
        let second = self.number()?;
        if !self.text.starts_with(mark) {
            return None;
        }
        self.skip(1);
        let year = self.year()?;
        let (month, day) = if first > 12 || mark == '.' { (second, first) } else { (first, second) };
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        self.finish(date)
    }

    /// `Oct 11 22:14:15`, `Oct 11 2025 22:14:15`, `Oct 11 22:14:15 2025`, `Oct 11, 2025 …`
    fn month_first(&mut self) -> Option<Reading> {
        let month = self.month_name()?;
        self.skip_any(&[' ', '.', '-', '/']);
        let day = i8::try_from(self.number()?).ok()?;
        self.skip_any(&[' ', ',', '-', '/']);
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 4 {
            let date = Date::new(self.year()?, month, day).ok()?;
            return self.finish(date);
        }
        let (time, _) = self.time()?;
        self.skip_any(&[' ']);
        let trailing = self.text.bytes().take_while(u8::is_ascii_digit).count();
        if trailing == 4 {
            let date = Date::new(self.year()?, month, day).ok()?;
            self.skip_any(&[' ']);
            let offset = self.offset()?;
            return zoned(date.to_datetime(time), offset, self.clock);
        }
        // `Oct 11 22:14:15 UTC 2025`
        if let Some((zone, year)) = self.text.split_once(' ')
            && year.len() == 4
            && let Ok(year) = year.parse()
        {
            let offset = Scan { text: zone, clock: self.clock }.offset()?;
            return zoned(Date::new(year, month, day).ok()?.to_datetime(time), offset, self.clock);
        }
        let offset = self.offset()?;
        self.without_year(month, day, time, offset)
    }

    /// The year that puts the time closest before its receipt; a day ahead is still this year (clocks differ).
    fn without_year(&self, month: i8, day: i8, time: Time, offset: Option<i32>) -> Option<Reading> {
        let received = jiff::Timestamp::from_millisecond(self.clock.received).ok()?;
        let year = self.clock.zone.to_datetime(received).year();
        let tomorrow = self.clock.received.saturating_add(24 * 3_600 * 1_000);
        [year + 1, year, year - 1, year - 2, year - 3, year - 4]
            .into_iter()
            .filter_map(|year| zoned(Date::new(year, month, day).ok()?.to_datetime(time), offset, self.clock))
            .find(|reading| reading.millis <= tomorrow)
    }

    /// What follows a date: nothing, or a time and perhaps a zone.
    fn finish(&mut self, date: Date) -> Option<Reading> {
        if self.text.is_empty() {
            return zoned(date.to_datetime(Time::midnight()), None, self.clock);
        }
        if !self.text.starts_with(['T', 't', ' ', ':', '-', ',', '_']) {
            return None;
        }
        self.skip(1);
        self.skip_any(&[' ', ',']);
        let (time, _) = self.time()?;
        self.skip_any(&[' ', ',']);
        let offset = self.offset()?;
        zoned(date.to_datetime(time), offset, self.clock)
    }

    /// `22:14:15.123`, `1:02:03 PM`, `221415`
    fn time(&mut self) -> Option<(Time, bool)> {
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        let first = self.number()?;
        let (mut hour, minute, second) = if digits == 6 {
            (first / 10_000, first / 100 % 100, first % 100)
        } else {
            if !self.text.starts_with(':') {
                return None;
            }
            self.skip(1);
            let minute = self.number()?;
            let second = if self.text.starts_with(':') {
                self.skip(1);
                self.number()?
            } else {
                0
            };
            (first, minute, second)
        };
        let mut nanos = 0_i64;
        let is_fraction = self.text.starts_with(['.', ',', ':'])
            && self.text.get(1..2).is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()));
        if is_fraction {
            self.skip(1);
            let len = self.text.bytes().take_while(u8::is_ascii_digit).count();
            let digits = self.text.get(..len.min(9))?;
            nanos = digits.parse::<i64>().ok()? * 10_i64.pow(9 - digits.len() as u32);
            self.skip(len);
        }
        let half = self.text.trim_start_matches([' ', '\u{202f}', '\u{a0}']);
        let upper = half.get(..2).unwrap_or_default().to_ascii_uppercase();
        if upper == "AM" || upper == "PM" {
            self.text = half;
            self.skip(2);
            hour = hour % 12 + if upper == "PM" { 12 } else { 0 };
        }
        // A leap second is read as the second before it.
        let time =
            Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, second.min(59) as i8, nanos as i32).ok()?;
        Some((time, upper == "PM"))
    }

    /// What is left must be a zone or nothing. The outer `None` means it is neither.
    #[expect(clippy::option_option, reason = "no zone and an unreadable zone are different things")]
    fn offset(&mut self) -> Option<Option<i32>> {
        let zone = self.text.trim().trim_end_matches(')').trim_start_matches('(');
        if zone.is_empty() {
            return Some(None);
        }
        // Go prints `+0000 UTC`: the number says it all, and so does the name before `m=`.
        let zone = zone.split(' ').next().unwrap_or(zone);
        let zone =
            zone.strip_prefix("GMT").or(zone.strip_prefix("UTC")).filter(|rest| !rest.is_empty()).unwrap_or(zone);
        if matches!(zone, "Z" | "z" | "UTC" | "GMT" | "utc") {
            return Some(Some(0));
        }
        let sign = match zone.chars().next()? {
            '+' => 1,
            '-' | '\u{2212}' => -1,
            _ => return named_zone(zone).map(Some),
        };
        let digits: String = zone.chars().skip(1).filter(|c| *c != ':').collect();
        let number: i32 = digits.parse().ok()?;
        let seconds = match digits.len() {
            1 | 2 => number * 3_600,
            4 => number / 100 * 3_600 + number % 100 * 60,
            _ => return None,
        };
        Some(Some(sign * seconds))
    }
}

/// Zone abbreviations that mean one thing only where logs are written.
fn named_zone(zone: &str) -> Option<i32> {
    let hours = match zone {
        "WET" => 0,
        "CET" | "MEZ" | "BST" => 1,
        "CEST" | "MESZ" | "EET" | "SAST" => 2,
        "EEST" | "MSK" => 3,
        "EDT" => -4,
        "EST" | "CDT" => -5,
        "MDT" => -6,
        "MST" | "PDT" => -7,
        "PST" => -8,
        "JST" | "KST" => 9,
        "AEST" => 10,
        "AEDT" => 11,
        "NZST" => 12,
        "CST" => -6,
        _ => return None,
    };
    Some(hours * 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        // 2025-10-12T00:00:00Z
        let clock = Clock { received: 1_760_227_200_000, zone: TimeZone::UTC };
        match read(text, &clock) {
            None => "unreadable".into(),
            Some(reading) => {
                let stamp = jiff::Timestamp::from_millisecond(reading.millis).unwrap();
                format!("{stamp}{}", if reading.zone_known { "" } else { " no zone" })
            }
        }
    }

    #[test]
    fn times_are_read_by_their_look() {
        for (text, expected) in [
            ("1760220855", "2025-10-11T22:14:15Z"),
            ("1760220855.250", "2025-10-11T22:14:15.25Z"),
            ("1760220855250", "2025-10-11T22:14:15.25Z"),
            ("1760220855250000", "2025-10-11T22:14:15.25Z"),
            ("1760220855250000000", "2025-10-11T22:14:15.25Z"),
            ("2025-10-11T22:14:15.123Z", "2025-10-11T22:14:15.123Z"),
            ("2025-10-11 22:14:15,123", "2025-10-11T22:14:15.123Z no zone"),
            ("2025/10/11 22:14:15.123456789", "2025-10-11T22:14:15.123Z no zone"),
            ("2025-10-11T22:14:15+02:00", "2025-10-11T20:14:15Z"),
            ("2025-10-11T22:14:15.000+0200", "2025-10-11T20:14:15Z"),
            ("2025-10-11 22:14:15 UTC", "2025-10-11T22:14:15Z"),
            ("2025-10-11 22:14:15.5 +0000 UTC", "2025-10-11T22:14:15.5Z"),
            ("20251011T221415Z", "2025-10-11T22:14:15Z"),
            ("20251011221415", "2025-10-11T22:14:15Z no zone"),
            ("10/Oct/2025:13:55:36 +0200", "2025-10-10T11:55:36Z"),
            ("[10/Oct/2025:13:55:36 -0700]", "2025-10-10T20:55:36Z"),
            ("Oct 11 22:14:15", "2025-10-11T22:14:15Z no zone"),
            ("Oct  1 22:14:15.250", "2025-10-01T22:14:15.25Z no zone"),
            ("Dec 31 23:59:59", "2024-12-31T23:59:59Z no zone"),
            ("Feb 29 12:00:00", "2024-02-29T12:00:00Z no zone"),
            ("Oct 11 2025 22:14:15", "2025-10-11T22:14:15Z no zone"),
            ("Sat Oct 11 22:14:15 2025", "2025-10-11T22:14:15Z no zone"),
            ("Sat Oct 11 22:14:15 UTC 2025", "2025-10-11T22:14:15Z"),
            ("Sat, 11 Oct 2025 22:14:15 +0000", "2025-10-11T22:14:15Z"),
            ("11-Oct-2025 22:14:15.123", "2025-10-11T22:14:15.123Z no zone"),
            ("10/11/2025 1:02:03 PM", "2025-10-11T13:02:03Z no zone"),
            ("25/10/2024 1:02:03", "2024-10-25T01:02:03Z no zone"),
            ("10/11/2025 12:02:03 AM", "2025-10-11T00:02:03Z no zone"),
            ("/Date(1760220855250)/", "2025-10-11T22:14:15.25Z"),
            ("2025-10-11", "2025-10-11T00:00:00Z no zone"),
            ("Mon Mar 03 01:02:03 2025", "2025-03-03T01:02:03Z no zone"),
            ("2025-13-11T00:00:00Z", "unreadable"),
            ("2025-10-11T22:14:15 yesterday", "unreadable"),
            ("yesterday", "unreadable"),
            ("", "unreadable"),
            ("12:00", "unreadable"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn absurd_times_are_told() {
        let received = 1_760_227_200_000;
        let past = TIME_PAST_YEARS_MAX * 366 * 24 * 3_600 * 1_000;
        for (millis, expected) in [
            (received, true),
            (0, false),
            (received - past + 1, true),
            (received - past, false),
            (received - past - 1, false),
            (received + TIME_FUTURE_MS_MAX - 1, true),
            (received + TIME_FUTURE_MS_MAX, true),
            (received + TIME_FUTURE_MS_MAX + 1, false),
        ] {
            assert_eq!(plausible(millis, received), expected, "{millis}");
        }
        assert!(!plausible(-11_644_473_600_000, received));
    }
}
