//! The canonical JSON of a plan (RFC 8785), written straight.
//!
//! The gate makes it for every decision. What makes it of any value sorts keys that are known here, and takes fifteen times as long. A test holds the two
//! against each other: the bytes are the same.

use std::collections::BTreeMap;

use super::{Action, NUMBER_MAX, Plan, Principal, Value};

/// Bytes that most plans do not exceed.
const USUAL: usize = 1_024;

/// Keys stand in the order of their code units; a key whose value says nothing is not there.
pub(super) fn bytes(plan: &Plan) -> Vec<u8> {
    let Plan { id, tenant, requester, alert_class, case, actions, evidence, reason } = plan;
    let mut out = Vec::with_capacity(USUAL);
    out.extend(b"{\"actions\":");
    list(&mut out, actions, action);
    out.extend(b",\"alert_class\":");
    text(&mut out, alert_class.as_str());
    if let Some(case) = case {
        out.extend(b",\"case\":");
        text(&mut out, case.as_str());
    }
    if !evidence.is_empty() {
        out.extend(b",\"evidence\":");
        list(&mut out, evidence, |out, id| text(out, id.as_str()));
    }
    out.extend(b",\"id\":");
    text(&mut out, id.as_str());
    out.extend(b",\"reason\":");
    text(&mut out, reason);
    let (kind, name) = match requester {
        Principal::Person(id) => ("person", id.as_str()),
        Principal::Machine(id) => ("machine", id.as_str()),
    };
    out.extend(b",\"requester\":{");
    text(&mut out, kind);
    out.push(b':');
    text(&mut out, name);
    out.extend(b"},\"tenant\":");
    text(&mut out, tenant.as_str());
    out.push(b'}');
    out
}

fn action(out: &mut Vec<u8>, action: &Action) {
    let Action { verb, target, parameters: given, lease } = action;
    out.push(b'{');
    if let Some(lease) = lease {
        out.extend(b"\"lease\":");
        number(out, i64::from(*lease));
        out.push(b',');
    }
    if !given.is_empty() {
        out.extend(b"\"parameters\":");
        parameters(out, given);
        out.push(b',');
    }
    out.extend(b"\"target\":");
    text(out, target);
    out.extend(b",\"verb\":");
    text(out, verb);
    out.push(b'}');
}

fn parameters(out: &mut Vec<u8>, given: &BTreeMap<String, Value>) {
    let mut sorted: Vec<(&String, &Value)> = given.iter().collect();
    // By code units of UTF-16: another order than that of the map, beyond the first 65,536 characters.
    sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(out, name);
        out.push(b':');
        match value {
            Value::Flag(flag) => out.extend(if *flag { "true" } else { "false" }.as_bytes()),
            Value::Number(value) => number(out, *value),
            Value::Text(value) => text(out, value),
        }
    }
    out.push(b'}');
}

fn list<T>(out: &mut Vec<u8>, all: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, one);
    }
    out.push(b']');
}

fn number(out: &mut Vec<u8>, number: i64) {
    if number.unsigned_abs() <= NUMBER_MAX {
        out.extend(number.to_string().as_bytes());
    } else {
        // No plan that was read has one: rounded as JSON rounds it. A number can always be written.
        out.extend(serde_json_canonicalizer::to_vec(&number).unwrap_or_default());
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\') {
        let (plain, special) = rest.split_at(at);
        out.extend(plain);
        let Some((byte, after)) = special.split_first() else { break };
        match byte {
            0x08 => out.extend(b"\\b"),
            b'\t' => out.extend(b"\\t"),
            b'\n' => out.extend(b"\\n"),
            0x0c => out.extend(b"\\f"),
            b'\r' => out.extend(b"\\r"),
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            _ => out.extend(format!("\\u{byte:04x}").as_bytes()),
        }
        rest = after;
    }
    out.extend(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    /// Texts with all that is written in another way, and characters on both sides of those that UTF-16 sorts otherwise.
    fn texts() -> impl Strategy<Value = String> {
        vec(
            prop_oneof![
                any::<char>(),
                (0_u8..128).prop_map(char::from),
                Just('\u{e000}'),
                Just('\u{ffff}'),
                Just('\u{10000}')
            ],
            0..6,
        )
        .prop_map(|chars| chars.into_iter().collect())
    }

    fn values() -> impl Strategy<Value = Value> {
        let exact = NUMBER_MAX as i64;
        prop_oneof![
            any::<bool>().prop_map(Value::Flag),
            any::<i64>().prop_map(Value::Number),
            (-1_000_i64..1_000).prop_map(Value::Number),
            (exact - 2..exact + 9).prop_map(Value::Number),
            (-exact - 9..2 - exact).prop_map(Value::Number),
            texts().prop_map(Value::Text),
        ]
    }

    fn plans() -> impl Strategy<Value = Plan> {
        let actions = (texts(), texts(), btree_map(texts(), values(), 0..4), option::of(any::<u32>()))
            .prop_map(|(verb, target, parameters, lease)| Action { verb, target, parameters, lease });
        let requester = (any::<bool>(), texts()).prop_map(|(is_person, name)| {
            if is_person { Principal::Person(name.as_str().into()) } else { Principal::Machine(name.as_str().into()) }
        });
        let names = (texts(), texts(), texts(), option::of(texts()), vec(texts(), 0..4), texts());
        (names, requester, vec(actions, 0..4)).prop_map(
            |((id, tenant, class, case, evidence, reason), requester, actions)| Plan {
                id: id.as_str().into(),
                tenant: tenant.as_str().into(),
                requester,
                alert_class: class.as_str().into(),
                case: case.map(|case| case.as_str().into()),
                actions,
                evidence: evidence.iter().map(|id| id.as_str().into()).collect(),
                reason,
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

        #[test]
        fn bytes_are_those_of_any_value(plan in plans()) {
            let any = serde_json_canonicalizer::to_string(&plan).unwrap();
            prop_assert_eq!(String::from_utf8(bytes(&plan)).unwrap(), any);
        }
    }
}
