//! Functions of the mapping language.

use base64::Engine as _;
use watchfloor_model::{Span, Value};

use super::{Machine, urls};
use crate::event::Val;
use crate::patterns::is_ip;
use crate::plan::{Expr, Function};
use crate::times;

/// Longest text a function writes, in bytes: decoding and joining cannot blow a record up.
const TEXT_BYTES_MAX: usize = 1024 * 1024;

impl<'l> Machine<'l> {
    pub(super) fn call(&mut self, function: &'l Function, arguments: &'l [Expr]) -> Option<Val> {
        match function {
            Function::Split => self.split(arguments),
            Function::Item => self.item(arguments),
            Function::Join => self.join(arguments),
            Function::Count => self.count(arguments),
            Function::Pairs => self.pairs(arguments),
            Function::Lookup => self.lookup(arguments),
            Function::Int => self.argument(arguments, 0).and_then(|value| self.whole_or_time(value)).map(Val::Int),
            Function::Add | Function::Sub | Function::Mul | Function::Div => self.arithmetic(function, arguments),
            Function::Time | Function::Epoch | Function::Filetime => self.time_function(function, arguments),
            Function::Json => {
                let value = self.argument(arguments, 0)?;
                match value {
                    Val::Node(id) => Some(Val::Text(self.json_text(id))),
                    other => {
                        let span = self.text_span(other)?;
                        let mut json = String::new();
                        crate::json::write_str(&mut json, self.doc.text(span));
                        Some(Val::Text(self.doc.compose(|out| out.push_str(&json))))
                    }
                }
            }
            _ => self.text_function(function, arguments),
        }
    }

    fn argument(&mut self, arguments: &'l [Expr], at: usize) -> Option<Val> {
        self.evaluate(arguments.get(at)?)
    }

    fn text_argument(&mut self, arguments: &'l [Expr], at: usize) -> Option<Span> {
        let value = self.argument(arguments, at)?;
        self.text_span(value)
    }

    /// Functions from text to text. Of a list they give the list of results.
    fn text_function(&mut self, function: &'l Function, arguments: &'l [Expr]) -> Option<Val> {
        let value = self.argument(arguments, 0)?;
        let second = match arguments.len() {
            2.. => Some(self.text_argument(arguments, 1)?),
            _ => None,
        };
        let is_list =
            matches!(value, Val::List(..)) || matches!(value, Val::Node(id) if self.doc.node(id)?.value == Value::List);
        if !is_list {
            return self.text_result(function, value, second);
        }
        let values = self.values_of(value)?;
        let results = values.into_iter().filter_map(|value| self.text_result(function, value, second)).collect();
        self.list(results)
    }

    fn text_result(&mut self, function: &'l Function, value: Val, second: Option<Span>) -> Option<Val> {
        let span = self.text_span(value)?;
        match function {
            Function::Ip => self.address(span, true),
            Function::NotIp => self.address(span, false),
            Function::Lower | Function::Upper | Function::Hex | Function::Base64 | Function::XmlText => {
                self.rewrite(function, span)
            }
            _ => self.part(function, span, second),
        }
    }

    /// Functions that give a part of a text.
    fn part(&mut self, function: &'l Function, span: Span, second: Option<Span>) -> Option<Val> {
        let text = self.doc.text(span);
        let mark = second.map_or("", |span| self.doc.text(span));
        let part: &str = match function {
            Function::Trim if second.is_some() => text.trim_matches(|c| mark.contains(c)),
            Function::Trim => text.trim(),
            Function::Basename => text.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next()?,
            Function::Dirname => text.rfind(['/', '\\']).map(|at| text.get(..at.max(1)))??,
            Function::Before => text.split_once(mark).filter(|_| !mark.is_empty())?.0,
            Function::After => text.split_once(mark).filter(|_| !mark.is_empty())?.1,
            Function::AfterLast => text.rsplit_once(mark).filter(|_| !mark.is_empty())?.1,
            Function::BeforeLast => text.rsplit_once(mark).filter(|_| !mark.is_empty())?.0,
            Function::Regex(regex) => {
                let captures = regex.captures(text)?;
                captures.get(1).or(captures.get(0))?.as_str()
            }
            Function::IpOf => {
                let bare = text.trim_matches(['[', ']']);
                if is_ip(bare) { bare } else { urls::host_and_port(text).0.filter(|host| is_ip(host))? }
            }
            Function::PortOf => {
                if is_ip(text) {
                    return None;
                }
                urls::host_and_port(text).1?
            }
            Function::UrlHost => urls::parts(text).host?,
            Function::UrlPath => urls::parts(text).path?,
            Function::UrlQuery => urls::parts(text).query?,
            Function::UrlScheme => urls::parts(text).scheme?,
            Function::UrlPort => urls::parts(text).port?,
            Function::Domain => text
                .split_once('\\')
                .map(|(domain, _)| domain)
                .or_else(|| text.rsplit_once('@').map(|(_, domain)| domain))?,
            Function::Account => text
                .split_once('\\')
                .map(|(_, user)| user)
                .or_else(|| text.rsplit_once('@').map(|(user, _)| user))
                .unwrap_or(text),
            _ => return None,
        };
        if part.is_empty() {
            return None;
        }
        // A part of a text of the document is a span of it.
        let offset = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
        Some(Val::Text(Span { start: span.start + offset as u32, len: part.len() as u32 }))
    }

    fn rewrite(&mut self, function: &'l Function, span: Span) -> Option<Val> {
        let text = self.doc.text(span);
        let already = match function {
            Function::Lower => !text.bytes().any(|b| b.is_ascii_uppercase() || b >= 0x80),
            Function::Upper => !text.bytes().any(|b| b.is_ascii_lowercase() || b >= 0x80),
            Function::XmlText => !text.contains('&'),
            _ => false,
        };
        if already {
            return Some(Val::Text(span));
        }
        let rewritten = match function {
            Function::Lower => text.to_lowercase(),
            Function::Upper => text.to_uppercase(),
            Function::Hex => decode_hex(text)?,
            Function::XmlText => decode_xml(text),
            _ => decode_base64(text)?,
        };
        (!rewritten.is_empty()).then(|| Val::Text(self.doc.compose(|out| out.push_str(&rewritten))))
    }

    fn address(&mut self, span: Span, wanted: bool) -> Option<Val> {
        let text = self.doc.text(span);
        (is_ip(text.trim_matches(['[', ']', ' '])) == wanted).then_some(Val::Text(span))
    }

    fn split(&mut self, arguments: &'l [Expr]) -> Option<Val> {
        let span = self.text_argument(arguments, 0)?;
        let mark = self.text_argument(arguments, 1)?;
        let text = self.doc.text(span);
        let mark = self.doc.text(mark);
        if mark.is_empty() {
            return None;
        }
        let base = text.as_ptr() as usize;
        let parts = text.split(mark).map(str::trim).filter(|part| !part.is_empty());
        let values = parts
            .map(|part| {
                let start = span.start + (part.as_ptr() as usize - base) as u32;
                Val::Text(Span { start, len: part.len() as u32 })
            })
            .collect();
        self.list(values)
    }

    fn item(&mut self, arguments: &'l [Expr]) -> Option<Val> {
        let list = self.argument(arguments, 0)?;
        let index = self.argument(arguments, 1).and_then(|value| self.number(value))? as i64;
        match list {
            Val::List(start, len) => {
                let at = super::evaluate::index_of(index, len as usize)?;
                self.lists.get(start as usize + at).copied()
            }
            Val::Node(id) if self.doc.node(id)?.value == Value::List => {
                let len = self.doc.children(id).count();
                let child = self.doc.children(id).nth(super::evaluate::index_of(index, len)?)?;
                // Only the element is read, not the list around it.
                self.touched.pop();
                self.node(child)
            }
            single => (index == 0 || index == -1).then_some(single),
        }
    }

    fn values_of(&mut self, value: Val) -> Option<Vec<Val>> {
        match value {
            Val::List(start, len) => Some(self.lists.get(start as usize..(start + len) as usize)?.to_vec()),
            Val::Node(id) if self.doc.node(id)?.value == Value::List => {
                let children: Vec<_> = self.doc.children(id).collect();
                let mark = self.touched.len();
                let values = children.into_iter().filter_map(|child| self.node(child)).collect();
                self.touched.truncate(mark);
                Some(values)
            }
            single => Some(vec![single]),
        }
    }

    fn join(&mut self, arguments: &'l [Expr]) -> Option<Val> {
        let list = self.argument(arguments, 0)?;
        let mark = self.text_argument(arguments, 1)?;
        let mut spans = Vec::new();
        for value in self.values_of(list)? {
            spans.push(self.text_span(value)?);
        }
        if spans.iter().map(|span| span.len as usize).sum::<usize>() > TEXT_BYTES_MAX {
            return None;
        }
        let joined = self.doc.compose(|out| {
            for (i, span) in spans.iter().enumerate() {
                if i > 0 {
                    let start = mark.start as usize;
                    out.extend_from_within(start..start + mark.len as usize);
                }
                let start = span.start as usize;
                out.extend_from_within(start..start + span.len as usize);
            }
        });
        (joined.len > 0).then_some(Val::Text(joined))
    }

    fn count(&mut self, arguments: &'l [Expr]) -> Option<Val> {
        let list = self.argument(arguments, 0)?;
        let count = self.values_of(list)?.len();
        // Counting does not say what was counted: the list stays unused.
        self.touched.clear();
        Some(Val::Int(count as i64))
    }

    /// `k=v,k=v`, or the members of an object, as objects with `key` and `value`, on the tape behind the record.
    fn pairs(&mut self, arguments: &'l [Expr]) -> Option<Val> {
        let source = self.argument(arguments, 0)?;
        if let Val::Node(object) = source {
            return self.pairs_of_object(object);
        }
        let text = self.text_span(source)?;
        let (between, inside) = (self.text_argument(arguments, 1)?, self.text_argument(arguments, 2)?);
        let (between, inside) = (self.doc.text(between).to_owned(), self.doc.text(inside).to_owned());
        let text = self.doc.text(text).to_owned();
        if between.is_empty() || inside.is_empty() {
            return None;
        }
        let mut values = Vec::new();
        for pair in text.split(between.as_str()) {
            let Some((key, value)) = pair.split_once(inside.as_str()) else { continue };
            let object = self.doc.open_object("")?;
            self.doc.push_text("key", key.trim());
            self.doc.push_text("value", value.trim());
            self.doc.close(object);
            values.push(Val::Node(object));
        }
        self.used.resize(self.doc.nodes().len(), false);
        self.list(values)
    }

    fn pairs_of_object(&mut self, object: u32) -> Option<Val> {
        let members: Vec<u32> = match self.doc.node(object)?.value {
            Value::Object => self.doc.children(object).collect(),
            _ => return None,
        };
        let mut values = Vec::new();
        for member in members {
            let (key, value) = self.doc.node(member).map(|node| (node.key, node.value))?;
            let value = match value {
                Value::List | Value::Object => Value::Text(self.json_text(member)),
                plain => plain,
            };
            let pair = self.doc.open_object("")?;
            let (key_name, value_name) = (self.doc.keep("key"), self.doc.keep("value"));
            self.doc.push(key_name, Value::Text(key));
            self.doc.push(value_name, value);
            self.doc.close(pair);
            values.push(Val::Node(pair));
        }
        self.used.resize(self.doc.nodes().len(), false);
        self.list(values)
    }

    fn lookup(&mut self, arguments: &'l [Expr]) -> Option<Val> {
        let mark = self.touched.len();
        let Val::Node(list) = self.argument(arguments, 0)? else { return None };
        self.touched.truncate(mark);
        let key_field = self.text_argument(arguments, 1)?;
        let name = self.text_argument(arguments, 2)?;
        let value_field = self.text_argument(arguments, 3)?;
        let elements: Vec<_> = match self.doc.node(list)?.value {
            Value::List => self.doc.children(list).collect(),
            _ => vec![list],
        };
        for element in elements {
            let Some(key) = self.doc.child(element, self.doc.text(key_field)) else { continue };
            let Some(found) = self.doc.str(key) else { continue };
            if found.eq_ignore_ascii_case(self.doc.text(name)) {
                let value = self.doc.child(element, self.doc.text(value_field))?;
                self.touched.push(super::Touch::Node(key));
                return self.node(value);
            }
        }
        None
    }

    fn whole_or_time(&mut self, value: Val) -> Option<i64> {
        match self.scalar(value)? {
            Val::Int(number) | Val::Time(number) | Val::Member(number) => Some(number),
            Val::Float(number) if number.is_finite() => Some(number.trunc() as i64),
            Val::Bool(value) => Some(i64::from(value)),
            other => {
                let text = self.text_of(other)?.trim();
                super::convert::int(text)
                    .or_else(|| text.parse::<f64>().ok().filter(|n| n.is_finite()).map(|n| n.trunc() as i64))
            }
        }
    }

    fn arithmetic(&mut self, function: &'l Function, arguments: &'l [Expr]) -> Option<Val> {
        let (left, right) = (self.argument(arguments, 0)?, self.argument(arguments, 1)?);
        // Times are read as such, so that a start and a duration can be added.
        let (left_int, right_int) = (self.whole_exactly(left), self.whole_exactly(right));
        if let (Some(left), Some(right)) = (left_int, right_int) {
            let result = match function {
                Function::Add => left.checked_add(right),
                Function::Sub => left.checked_sub(right),
                Function::Mul => left.checked_mul(right),
                _ => left.checked_div(right),
            };
            return result.map(Val::Int);
        }
        let (left, right) = (self.number(left)?, self.number(right)?);
        let result = match function {
            Function::Add => left + right,
            Function::Sub => left - right,
            Function::Mul => left * right,
            _ => left / right,
        };
        result.is_finite().then_some(Val::Float(result))
    }

    fn whole_exactly(&mut self, value: Val) -> Option<i64> {
        match self.scalar(value)? {
            Val::Int(number) | Val::Time(number) | Val::Member(number) => Some(number),
            Val::Float(_) | Val::Bool(_) | Val::Node(_) | Val::List(..) => None,
            other => super::convert::int(self.text_of(other)?.trim()),
        }
    }

    fn time_function(&mut self, function: &'l Function, arguments: &'l [Expr]) -> Option<Val> {
        let value = self.argument(arguments, 0).and_then(|value| self.scalar(value))?;
        self.time_text = self.text_span(value);
        if matches!(function, Function::Filetime) {
            return self
                .whole_or_time(value)
                .filter(|ticks| *ticks > 0)
                .map(|ticks| Val::Time(times::from_filetime(ticks)));
        }
        let Some(second) = arguments.get(1) else {
            return match value {
                Val::Int(number) => Some(Val::Time(times::from_int(number))),
                other => {
                    let span = self.text_span(other)?;
                    times::read(self.doc.text(span), &self.clock).map(|reading| Val::Time(reading.millis))
                }
            };
        };
        let format = self.evaluate(second).and_then(|value| self.text_span(value))?;
        if matches!(function, Function::Epoch) {
            let unit = self.doc.text(format).to_owned();
            let scale = match unit.as_str() {
                "s" => 1e3,
                "ms" => 1.0,
                "us" => 1e-3,
                "ns" => 1e-6,
                _ => return None,
            };
            if let Some(whole) = self.whole_exactly(value) {
                let millis = match unit.as_str() {
                    "s" => whole.checked_mul(1_000)?,
                    "ms" => whole,
                    "us" => whole.div_euclid(1_000),
                    _ => whole.div_euclid(1_000_000),
                };
                return Some(Val::Time(millis));
            }
            return self.number(value).map(|number| Val::Time((number * scale).floor() as i64));
        }
        let text = self.text_span(value)?;
        let reading = times::read_with(self.doc.text(text), self.doc.text(format), &self.clock)?;
        if !reading.zone_known {
            self.note_no_zone();
        }
        Some(Val::Time(reading.millis))
    }
}

/// The five entities of XML and numeric ones; anything else stays as it is.
fn decode_xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').filter(|(name, _)| name.len() <= 8);
        let decoded = entity.and_then(|(name, _)| match name {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let digits = name.strip_prefix('#')?;
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                char::from_u32(code)
            }
        });
        match (decoded, entity) {
            (Some(c), Some((_, behind))) => {
                out.push(c);
                rest = behind;
            }
            _ => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn decode_hex(text: &str) -> Option<String> {
    let digits = text.trim().trim_start_matches("0x");
    if !digits.len().is_multiple_of(2) || digits.len() > 2 * TEXT_BYTES_MAX {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    Some(String::from_utf8_lossy(&bytes?).into_owned())
}

fn decode_base64(text: &str) -> Option<String> {
    if text.len() > 2 * TEXT_BYTES_MAX {
        return None;
    }
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let bytes = engine.decode(text.trim().trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()
}
