//! Values to the type of the attribute they go to.

use watchfloor_model::{Diagnostic, Value};
use watchfloor_ocsf::{EnumId, Type};

use super::{Machine, TimeState};
use crate::event::Val;
use crate::paths::Leaf;
use crate::times;

/// What became of a value.
pub(super) enum Fits {
    /// It fits.
    Yes(Val),
    /// It is no member: Other, and the source's own word.
    Other(i64, Val),
    /// It does not fit.
    No,
}

impl Machine<'_> {
    /// A value as the type of an attribute.
    pub(super) fn convert(&mut self, value: Val, leaf: Leaf, is_event_time: bool) -> Fits {
        if leaf.ty == Type::Json {
            return Fits::Yes(value);
        }
        let Some(value) = self.scalar(value) else { return Fits::No };
        if let Some(id) = leaf.enumeration {
            return self.member(value, id, leaf.ty);
        }
        let fits = match leaf.ty {
            Type::Integer | Type::Long => self.whole(value),
            Type::Port => self.whole(value).filter(|port| matches!(port, Val::Int(0..=65_535))),
            Type::Float => self.number(value).map(Val::Float),
            Type::Boolean => self.truth(value).map(Val::Bool),
            Type::Timestamp => return self.time(value, is_event_time),
            Type::Json | Type::Object => None,
            _ => self.text(value, leaf.ty),
        };
        fits.map_or(Fits::No, Fits::Yes)
    }

    /// Whole numbers of 64 bits.
    fn whole(&mut self, value: Val) -> Option<Val> {
        match value {
            Val::Int(number) | Val::Time(number) | Val::Member(number) => Some(Val::Int(number)),
            Val::Bool(value) => Some(Val::Int(i64::from(value))),
            Val::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Some(Val::Int(number as i64)),
            // It would not validate: the exact digits stay in `unmapped`.
            Val::Number(_) => None,
            Val::Text(_) | Val::Const(_) => int(self.text_of(value)?.trim()).map(Val::Int),
            _ => None,
        }
    }

    pub(super) fn truth(&self, value: Val) -> Option<bool> {
        match value {
            Val::Bool(value) => Some(value),
            Val::Int(0) => Some(false),
            Val::Int(1) => Some(true),
            _ => match self.text_of(value)?.trim() {
                t if t.eq_ignore_ascii_case("true")
                    || t.eq_ignore_ascii_case("yes")
                    || t == "1"
                    || t.eq_ignore_ascii_case("t") =>
                {
                    Some(true)
                }
                t if t.eq_ignore_ascii_case("false")
                    || t.eq_ignore_ascii_case("no")
                    || t == "0"
                    || t.eq_ignore_ascii_case("f") =>
                {
                    Some(false)
                }
                _ => None,
            },
        }
    }

    fn time(&mut self, value: Val, is_event_time: bool) -> Fits {
        let millis = match value {
            Val::Time(millis) => Some(millis),
            Val::Int(number) => Some(times::from_int(number)),
            Val::Float(number) => Some(times::from_number(number)),
            other => {
                let reading = self.text_of(other).and_then(|text| times::read(text, &self.clock));
                if is_event_time && reading.is_some_and(|reading| !reading.zone_known) {
                    self.note_no_zone();
                }
                reading.map(|reading| reading.millis)
            }
        };
        let state = match millis {
            None => TimeState::Unreadable,
            Some(millis) if times::plausible(millis, self.clock.received) => TimeState::Known,
            Some(_) => TimeState::Absurd,
        };
        if is_event_time {
            self.time_state = state;
            // What cannot be the record's time is not its time; the text stays as `metadata.original_time`.
            return match (state, millis) {
                (TimeState::Known, Some(millis)) => Fits::Yes(Val::Time(millis)),
                _ => Fits::No,
            };
        }
        millis.map_or(Fits::No, |millis| Fits::Yes(Val::Time(millis)))
    }

    pub(super) fn note_no_zone(&mut self) {
        if !self.diagnostics.iter().any(|known| known.code == "time.no_zone") {
            self.diagnostics.push(Diagnostic::note(
                "time.no_zone",
                "the time names no zone; it is read in the zone of `--tz`, UTC unless said",
            ));
        }
    }

    fn text(&mut self, value: Val, ty: Type) -> Option<Val> {
        let value = match value {
            Val::Text(_) | Val::Const(_) => value,
            Val::Node(id) if self.doc.node(id)?.value == Value::Object && ty != Type::String => return None,
            other => Val::Text(self.text_span(other)?),
        };
        match ty {
            Type::String
            | Type::Hostname
            | Type::Url
            | Type::FileName
            | Type::FilePath
            | Type::FileHash
            | Type::ProcessName
            | Type::Username
            | Type::ResourceUid
            | Type::RegKeyPath => Some(value),
            Type::Ip => {
                let text = self.text_of(value)?;
                let mut bare = text.trim().trim_start_matches('[').trim_end_matches(']');
                // An IPv4 address in IPv6 clothes is that IPv4 address.
                let mapped = bare.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("::ffff:"));
                if mapped && bare.contains('.') {
                    bare = bare.get(7..)?;
                }
                if !crate::patterns::is_ip(bare) || watchfloor_ocsf::check_text(ty, bare).is_err() {
                    return None;
                }
                if bare.len() == text.len() {
                    return Some(value);
                }
                let bare = bare.to_owned();
                Some(Val::Text(self.doc.compose(|out| out.push_str(&bare))))
            }
            Type::Mac => {
                let text = self.text_of(value)?;
                if watchfloor_ocsf::check_text(ty, text).is_ok() {
                    return Some(value);
                }
                let mac = mac(text)?;
                Some(Val::Text(self.doc.compose(|out| out.push_str(&mac))))
            }
            _ => watchfloor_ocsf::check_text(ty, self.text_of(value)?).is_ok().then_some(value),
        }
    }

    /// A value as a member of an enumeration.
    fn member(&mut self, value: Val, id: EnumId, ty: Type) -> Fits {
        let enumeration = self.library.schema.enumeration(id);
        if enumeration.is_text() {
            let Some(text) = self.text_span(value).map(|span| self.doc.text(span).to_owned()) else { return Fits::No };
            if enumeration.has_text(&text) {
                return self.text(value, ty).map_or(Fits::No, Fits::Yes);
            }
            let Some(member) = enumeration.text_by_caption(&text) else { return Fits::No };
            return Fits::Yes(Val::Text(self.doc.compose(|out| out.push_str(member))));
        }
        let number = match value {
            Val::Member(member) => return Fits::Yes(Val::Member(member)),
            Val::Int(number) => Some(number),
            other => self.text_of(other).and_then(|text| int(text.trim())),
        };
        if let Some(number) = number
            && enumeration.has(number)
        {
            return Fits::Yes(Val::Member(number));
        }
        if let Some(text) = self.text_of(value)
            && let Some(member) = enumeration.by_caption(text.trim())
        {
            return Fits::Yes(Val::Member(member));
        }
        if !enumeration.has(99) {
            return Fits::No;
        }
        match self.text_span(value) {
            Some(span) => Fits::Other(99, Val::Text(span)),
            None => Fits::No,
        }
    }
}

/// A whole number as text: decimal, `0x…`, with a sign.
pub(super) fn int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None if digits.starts_with('+') => return None,
        None => digits.parse().ok()?,
    };
    let signed = i64::try_from(magnitude).ok()?;
    Some(if negative { -signed } else { signed })
}

/// `AABBCCDDEEFF` and `aabb.ccdd.eeff` as the schema wants a MAC address.
fn mac(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|c| !matches!(c, '.' | ':' | '-')).collect();
    if digits.len() != 12 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let pairs: Vec<&str> = (0..6).filter_map(|i| digits.get(2 * i..2 * i + 2)).collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_as_text() {
        for (text, expected) in [
            ("12", Some(12)),
            ("-12", Some(-12)),
            ("0x3e7", Some(999)),
            ("+5", Some(5)),
            ("++5", None),
            ("", None),
            ("1.5", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
        ] {
            assert_eq!(int(text), expected, "{text}");
        }
    }

    #[test]
    fn mac_addresses_in_other_spellings() {
        for (text, expected) in [
            ("aabb.ccdd.eeff", Some("aa:bb:cc:dd:ee:ff")),
            ("AABBCCDDEEFF", Some("AA:BB:CC:DD:EE:FF")),
            ("AABBCCDDEE", None),
            ("not a mac ad", None),
        ] {
            assert_eq!(mac(text).as_deref(), expected, "{text}");
        }
    }
}
