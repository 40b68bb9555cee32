//! Valid events with one thing made wrong (or just otherwise), to see whether two validators say the same of them.

use serde_json::{Map, Value, json};

/// A xorshift generator: the same mutants on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % bound.max(1) as u64) as usize
    }
}

/// Changes one thing somewhere in the event.
pub fn mutate(event: &mut Value, dice: &mut Dice) {
    let count = places(event);
    let at = dice.below(count);
    let mut left = at;
    change_at(event, &mut left, dice);
}

/// The number of members and elements everywhere in a value.
fn places(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(|member| 1 + places(member)).sum(),
        Value::Array(elements) => elements.iter().map(|element| 1 + places(element)).sum(),
        _ => 0,
    }
}

/// Steps `left` places on in preorder and changes what is there; whether it was reached.
fn change_at(value: &mut Value, left: &mut usize, dice: &mut Dice) -> bool {
    match value {
        Value::Object(members) => {
            let keys: Vec<String> = members.keys().cloned().collect();
            for key in keys {
                if *left == 0 {
                    change_member(members, &key, dice);
                    return true;
                }
                *left -= 1;
                if members.get_mut(&key).is_some_and(|member| change_at(member, left, dice)) {
                    return true;
                }
            }
            false
        }
        Value::Array(elements) => {
            for element in elements.iter_mut() {
                if *left == 0 {
                    change_value(element, dice);
                    return true;
                }
                *left -= 1;
                if change_at(element, left, dice) {
                    return true;
                }
            }
            false
        }
        _ => false,
    }
}

fn change_member(members: &mut Map<String, Value>, key: &str, dice: &mut Dice) {
    match dice.below(6) {
        0 => {
            members.remove(key);
        }
        1 => {
            if let Some(value) = members.remove(key) {
                members.insert(format!("{key}s"), value);
            }
        }
        2 => {
            // Attributes that many classes and objects have, and many have not.
            let (name, value) = [
                ("name", json!("x")),
                ("uid", json!("x")),
                ("cloud", json!({"provider": "x"})),
                ("action_id", json!(1)),
                ("time_dt", json!("2026-01-01T00:00:00Z")),
                ("container", json!({"name": "x"})),
            ]
            .into_iter()
            .nth(dice.below(6))
            .unwrap_or_default();
            members.insert(name.to_owned(), value);
        }
        _ => {
            if let Some(value) = members.get_mut(key) {
                change_value(value, dice);
            }
        }
    }
}

fn change_value(value: &mut Value, dice: &mut Dice) {
    if dice.below(2) == 0
        && let Some(other) = similar(value, dice)
    {
        *value = other;
        return;
    }
    let old = value.take();
    *value = match dice.below(9) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(77),
        3 => json!(1.5),
        4 => json!("x"),
        5 => json!({}),
        6 => json!([]),
        7 => json!([old]),
        _ => json!({ "name": old }),
    };
}

/// Another value of the same JSON type.
fn similar(value: &Value, dice: &mut Dice) -> Option<Value> {
    let numbers = [0, 1, 2, 5, 99, -1, 100_i64, 65_535, 65_536, 4_294_967_296];
    let texts = [
        "",
        "cloud",
        "host",
        "Unknown",
        "10.0.0.256",
        "fe80::1%eth0",
        "user@example",
        "a.b@example.com",
        "2026-01-01T00:00:00+01:00",
        "2026-01-01 00:00:00",
        "QUI",
        "under_score.example.com",
        "00000000-0000-0000-0000-00000000000g",
        "ein sehr langer Text, der länger als vierundsechzig Zeichen ist, damit er nicht passt",
    ];
    match value {
        Value::Number(_) => numbers.get(dice.below(numbers.len())).map(|&number| json!(number)),
        Value::String(_) => texts.get(dice.below(texts.len())).map(|&text| json!(text)),
        Value::Bool(value) => Some(json!(!*value)),
        Value::Array(elements) => {
            let mut elements = elements.clone();
            elements.extend(elements.first().cloned());
            Some(Value::Array(elements))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_differs_and_is_the_same_again() {
        let event = json!({"a": {"b": [1, 2, {"c": "x"}]}, "d": true});
        assert_eq!(places(&event), 7);
        let changed = (0..100).filter(|&seed| {
            let mut mutant = event.clone();
            mutate(&mut mutant, &mut Dice::new(seed));
            let mut again = event.clone();
            mutate(&mut again, &mut Dice::new(seed));
            assert_eq!(mutant, again);
            mutant != event
        });
        assert!(changed.count() > 90);
    }
}
