//! The questions that are asked one by one.

use std::net::IpAddr;

use watchfloor_model::Document;
use watchfloor_sigma::logic::{FieldReference, TimePart};
use watchfloor_sigma::pattern::lower;

use crate::facts::{Fact, Facts, FieldId};

/// A value as a number.
#[must_use]
pub fn number(fact: Fact, doc: &Document) -> Option<f64> {
    match fact {
        Fact::Int(number) => Some(number as f64),
        Fact::Float(number) => Some(number),
        Fact::Text(span) => doc.text(span).trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Fact::Bool(_) | Fact::Null | Fact::Other => None,
    }
}

/// A value as an address.
#[must_use]
pub fn address(fact: Fact, doc: &Document) -> Option<IpAddr> {
    match fact {
        Fact::Text(span) => doc.text(span).trim().parse().ok(),
        _ => None,
    }
}

/// Whether one of a field's values stands to one of another field's as a reference says.
#[must_use]
pub fn refers(facts: &Facts, doc: &Document, field: FieldId, other: FieldId, reference: &FieldReference) -> bool {
    let fold = |text: &str| if reference.cased { text.to_owned() } else { lower(text) };
    facts.of(field).filter_map(|fact| fact.text(doc)).any(|value| {
        let value = fold(&value);
        facts.of(other).filter_map(|fact| fact.text(doc)).any(|other| {
            let other = fold(&other);
            match (reference.open_start, reference.open_end) {
                (false, false) => value == other,
                (false, true) => value.starts_with(&other),
                (true, false) => value.ends_with(&other),
                (true, true) => value.contains(&other),
            }
        })
    })
}

/// A part of a value that is a time: as it is written there, whatever its zone; a number is seconds or milliseconds since 1970, UTC.
#[must_use]
pub fn part_of_time(fact: Fact, doc: &Document, part: TimePart) -> Option<i64> {
    let time = match fact {
        Fact::Text(span) => written_time(doc.text(span).trim())?,
        Fact::Int(number) => {
            let millis = if number.unsigned_abs() < 100_000_000_000 { number.checked_mul(1_000)? } else { number };
            jiff::Timestamp::from_millisecond(millis).ok()?.to_zoned(jiff::tz::TimeZone::UTC).datetime()
        }
        _ => return None,
    };
    Some(match part {
        TimePart::Minute => i64::from(time.minute()),
        TimePart::Hour => i64::from(time.hour()),
        TimePart::Day => i64::from(time.day()),
        TimePart::Week => i64::from(time.date().iso_week_date().week()),
        TimePart::Month => i64::from(time.month()),
        TimePart::Year => i64::from(time.year()),
    })
}

/// `2026-03-02T10:15:02.123Z`, `2026-03-02 10:15`, `2026-03-02`, with `/` for `-`: the date and time as they stand there.
fn written_time(text: &str) -> Option<jiff::civil::DateTime> {
    let digits = |from: usize, len: usize| -> Option<i16> {
        let digits = text.get(from..from + len)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let small = |from: usize| digits(from, 2).and_then(|number| i8::try_from(number).ok());
    let (year, month, day) = (digits(0, 4)?, small(5)?, small(8)?);
    let (hour, minute) = (small(11).unwrap_or(0), small(14).unwrap_or(0));
    jiff::civil::DateTime::new(year, month, day, hour, minute, 0, 0).ok()
}
