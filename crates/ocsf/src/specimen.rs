//! Events made out of the schema alone: valid, and as rich as asked for. For tests, fuzzing and measurements.

use crate::enumeration::Enumeration;
use crate::json_text::{separate, write_int, write_key, write_text};
use crate::schema::{Attr, ClassId, Constraint, Owner, Requirement, Schema, Type};
use crate::validate::due_caption;

/// Deepest objects that are not required; those behind it hold only what they must.
const DEPTH: u32 = 4;

/// A valid event of a class as JSON text. The same seed makes the same event.
#[must_use]
pub fn specimen(schema: &Schema, class: ClassId, seed: u64) -> String {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut profiles = 0;
    for bit in 0..schema.profile_names().len() {
        if schema.class_info(class).profiles & (1 << bit) != 0 && dice.one_in(4) {
            profiles |= 1 << bit;
        }
    }
    let mut maker = Maker { schema, class, profiles, dice, out: String::new(), serial: 0 };
    maker.object(Owner::Class(class), 0, "");
    maker.out
}

/// A xorshift generator: even enough for tests, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

struct Maker<'m> {
    schema: &'m Schema,
    class: ClassId,
    profiles: u32,
    dice: Dice,
    out: String,
    serial: u32,
}

/// An attribute that the object gets, and its number if it is enumerated.
struct Chosen<'m> {
    attr: &'m Attr,
    number: Option<i64>,
}

impl<'m> Maker<'m> {
    /// Writes an object; `due` is the path of an attribute that it must have.
    fn object(&mut self, owner: Owner, depth: u32, due: &str) {
        let schema = self.schema;
        if schema.attrs(owner).is_empty() {
            self.out.push_str("{\"free\":[1,{\"form\":null}]}");
            return;
        }
        let chosen = self.choose(owner, depth, due);
        self.out.push('{');
        for Chosen { attr, number } in &chosen {
            write_key(&mut self.out, &attr.name);
            if let Some(word) = sibling_word(schema, &chosen, attr) {
                write_text(&mut self.out, word);
                continue;
            }
            if self.decided(owner, attr) {
                continue;
            }
            let rest = self.constraint_path(owner, attr, due);
            if attr.is_array {
                self.out.push('[');
                for _ in 0..=self.dice.below(2) {
                    separate(&mut self.out);
                    let number = self.number_of(owner, attr);
                    self.value(attr, number, depth, &rest);
                }
                self.out.push(']');
            } else {
                self.value(attr, *number, depth, &rest);
            }
        }
        self.out.push('}');
    }

    fn choose(&mut self, owner: Owner, depth: u32, due: &str) -> Vec<Chosen<'m>> {
        let schema = self.schema;
        let mut wanted = vec![due.split('.').next().unwrap_or_default()];
        let mut refused: Vec<&str> = Vec::new();
        for constraint in schema.constraints(owner) {
            let (Constraint::AtLeastOne(names) | Constraint::JustOne(names)) = constraint;
            let usable: Vec<&String> = names.iter().filter(|name| self.is_usable(owner, name)).collect();
            let pick = self.dice.below(usable.len() as u64) as usize;
            let pick = usable.get(pick).map_or("", |name| name.split('.').next().unwrap_or_default());
            if matches!(constraint, Constraint::JustOne(_)) {
                refused.extend(names.iter().map(String::as_str).filter(|name| *name != pick));
            }
            wanted.push(pick);
        }
        let mut chosen = Vec::new();
        for attr in schema.attrs(owner) {
            let name = attr.name.as_str();
            let is_open = attr.profiles == 0 || attr.profiles & self.profiles != 0;
            let is_extra = depth < DEPTH && self.dice.one_in(2 + u64::from(depth) * 3);
            let is_due = attr.requirement == Requirement::Required || wanted.contains(&name);
            let is_profiles = name == "profiles" && schema.owner_name(owner) == "metadata" && self.profiles != 0;
            if is_open && !refused.contains(&name) && (is_due || is_extra || is_profiles) {
                let number = self.number_of(owner, attr);
                chosen.push(Chosen { attr, number });
            }
        }
        chosen
    }

    fn is_usable(&self, owner: Owner, path: &str) -> bool {
        let name = path.split('.').next().unwrap_or_default();
        let attr = self.schema.attr(owner, name);
        attr.is_some_and(|attr| attr.profiles == 0 || attr.profiles & self.profiles != 0)
    }

    /// What an attribute's own object must have because a constraint names it by a path.
    fn constraint_path(&self, owner: Owner, attr: &Attr, due: &str) -> String {
        let after = |path: &str| path.strip_prefix(attr.name.as_str())?.strip_prefix('.').map(str::to_owned);
        let named = self.schema.constraints(owner).iter().find_map(|constraint| {
            let (Constraint::AtLeastOne(names) | Constraint::JustOne(names)) = constraint;
            names.iter().find_map(|name| after(name))
        });
        named.or_else(|| after(due)).unwrap_or_default()
    }

    fn number_of(&mut self, owner: Owner, attr: &Attr) -> Option<i64> {
        let info = self.schema.class_info(self.class);
        if matches!(owner, Owner::Class(_)) {
            match attr.name.as_str() {
                "class_uid" => return Some(i64::from(info.uid)),
                "category_uid" => return Some(i64::from(info.category_uid)),
                "activity_id" => return self.activity(),
                "type_uid" => return Some(i64::from(info.uid) * 100 + self.activity()?),
                _ => {}
            }
        }
        let members = self.schema.enumeration(attr.enumeration?);
        let at = self.dice.below(members.numbers().count() as u64) as usize;
        members.numbers().nth(at).map(|member| member.0)
    }

    /// One for the whole event: the type follows from it.
    fn activity(&self) -> Option<i64> {
        let attr = self.schema.attr(Owner::Class(self.class), "activity_id")?;
        let members = self.schema.enumeration(attr.enumeration?);
        let at = usize::from(self.profiles as u8) % members.numbers().count().max(1);
        members.numbers().nth(at).map(|member| member.0)
    }

    /// `metadata.version` and `metadata.profiles`.
    fn decided(&mut self, owner: Owner, attr: &Attr) -> bool {
        if self.schema.owner_name(owner) != "metadata" {
            return false;
        }
        match attr.name.as_str() {
            "version" => write_text(&mut self.out, self.schema.version_text()),
            "profiles" => {
                self.out.push('[');
                for name in self.schema.profiles_of(self.profiles) {
                    separate(&mut self.out);
                    write_text(&mut self.out, name);
                }
                self.out.push(']');
            }
            _ => return false,
        }
        true
    }

    fn value(&mut self, attr: &Attr, number: Option<i64>, depth: u32, due: &str) {
        if let Some(number) = number {
            write_int(&mut self.out, number);
            return;
        }
        self.serial += 1;
        let serial = self.serial;
        let text = match attr.ty {
            Type::Object => {
                if let Some(object) = attr.object {
                    self.object(Owner::Object(object), depth + 1, due);
                }
                return;
            }
            Type::Integer | Type::Port | Type::Long | Type::Timestamp => {
                write_int(&mut self.out, i64::from(serial));
                return;
            }
            Type::Float => return self.out.push_str("0.5"),
            Type::Boolean => return self.out.push_str("true"),
            Type::Json => return self.out.push_str("{\"json\":[1,\"x\"]}"),
            Type::Ip => format!("10.0.{}.{}", serial / 200, serial % 200),
            Type::Mac => "18:36:f3:98:4f:9a".to_owned(),
            Type::Email => format!("user{serial}@example.com"),
            Type::Uuid => format!("0f8fad5b-d9cb-469f-a165-7086{serial:08}"),
            Type::Datetime => "2026-01-01T00:00:00.000Z".to_owned(),
            Type::Bytes => "QUI=".to_owned(),
            Type::Hostname => format!("host-{serial}.example.com"),
            _ => match attr.enumeration.map(|id| first_text(self.schema.enumeration(id))) {
                Some(member) => member.to_owned(),
                None => format!("text-{serial}"),
            },
        };
        write_text(&mut self.out, &text);
    }
}

fn first_text(members: &Enumeration) -> &str {
    members.texts().next().map_or("", |member| member.0)
}

/// The caption that an attribute must have because it stands beside a number.
fn sibling_word<'m>(schema: &'m Schema, chosen: &[Chosen<'m>], attr: &Attr) -> Option<&'m str> {
    let beside = chosen.iter().find(|other| other.attr.sibling.as_deref() == Some(attr.name.as_str()))?;
    if !attr.ty.is_text() {
        return None;
    }
    let number = beside.number.filter(|_| !beside.attr.is_array)?;
    due_caption(beside.attr, schema.enumeration(beside.attr.enumeration?), number)
}
