//! Canonical entities of an event: who and what it is about, with ids that stay the same from event to event, and roles.
//!
//! | kind | from | id |
//! |---|---|---|
//! | `host` | device and endpoint objects | name in lower case, or the source's uid |
//! | `address` | their IP addresses | the address |
//! | `user` | user objects | SID or uid; else `domain\name` in lower case |
//! | `process` | process objects | host and the source's own process id (Sysmon's GUID); else host, pid and start time |
//! | `file`, `hash` | file objects | host and path in lower case; algorithm and value |
//! | `domain`, `url` | DNS queries, URL objects | in lower case; as written |
//! | `resource` | cloud resources | uid, or account and name |
//! | `session`, `email` | session and e-mail objects | uid or message id |
//!
//! Roles: `actor` did it (`actor`, `src_endpoint`), `observer` saw it (`device`, loggers), everything else is what it was done to:
//! `target`. A process id alone names different processes over time: without a start time the entity says `stable: false`.

use watchfloor_ocsf::{Owner, Schema};

use crate::event::Val;
use crate::json::{Sink, write_str};
use crate::paths::{Indices, PathId, Paths};
use crate::run::Machine;

/// What an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the kind of its name in the module's table")]
pub enum Kind {
    Host,
    Address,
    User,
    Process,
    File,
    Hash,
    Domain,
    Url,
    Resource,
    Session,
    Email,
}

impl Kind {
    /// The word in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Address => "address",
            Self::User => "user",
            Self::Process => "process",
            Self::File => "file",
            Self::Hash => "hash",
            Self::Domain => "domain",
            Self::Url => "url",
            Self::Resource => "resource",
            Self::Session => "session",
            Self::Email => "email",
        }
    }
}

/// What an entity has to do with the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Did it.
    Actor,
    /// It was done to it.
    Target,
    /// Saw it.
    Observer,
}

impl Role {
    /// The word in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Target => "target",
            Self::Observer => "observer",
        }
    }
}

/// One entity of an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// Its role.
    pub role: Role,
    /// Canonical id within its kind.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether the id names the same thing in other events.
    pub stable: bool,
}

/// An object of the event as far as entities need it.
#[derive(Debug, Default)]
struct Thing {
    at: (String, Indices),
    object: String,
    attrs: Vec<(String, String)>,
}

/// The entities of the machine's last event, sorted, each once.
#[must_use]
pub fn entities(machine: &Machine<'_>) -> Vec<Entity> {
    let things = things(machine);
    let host = things.iter().find(|thing| thing.at.0 == "device").and_then(host_id).unwrap_or_default();
    let account = value_of(&things, "cloud.account", "uid").unwrap_or_default();
    let mut found = Vec::new();
    for thing in &things {
        let role = role_of(&thing.at.0);
        add_entities(thing, role, &host, &account, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

/// Appends entities as a JSON list.
pub fn write_entities(out: &mut impl Sink, entities: &[Entity]) {
    out.push('[');
    for (i, entity) in entities.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("{\"kind\":");
        write_str(out, entity.kind.as_str());
        out.push_str(",\"role\":");
        write_str(out, entity.role.as_str());
        out.push_str(",\"id\":");
        write_str(out, &entity.id);
        out.push_str(",\"name\":");
        write_str(out, &entity.name);
        if !entity.stable {
            out.push_str(",\"stable\":false");
        }
        out.push('}');
    }
    out.push(']');
}

fn role_of(at: &str) -> Role {
    match at.split('.').next().unwrap_or_default() {
        "actor" | "src_endpoint" => Role::Actor,
        "device" | "metadata" | "observer" => Role::Observer,
        _ => Role::Target,
    }
}

/// The event's attributes grouped by the object they stand in.
fn things(machine: &Machine<'_>) -> Vec<Thing> {
    let paths = &machine.library.paths;
    let mut things: Vec<Thing> = Vec::new();
    for entry in &machine.entries {
        let Some(text) = machine.plain_text(entry.value) else { continue };
        let Some((parent, object, name, depth)) =
            place(paths, machine.library.schema, machine.class_or_base(), entry.path)
        else {
            continue;
        };
        let indices = entry.indices.above(depth);
        let at = (parent, indices);
        let thing = match things.iter_mut().find(|thing| thing.at == at) {
            Some(thing) => thing,
            None => {
                things.push(Thing { at, object, attrs: Vec::new() });
                let Some(new) = things.last_mut() else { continue };
                new
            }
        };
        thing.attrs.push((name, text));
    }
    things
}

/// The object a path ends in: its path, its name in the schema, the attribute, and how many arrays lead to it.
fn place(
    paths: &Paths,
    schema: &Schema,
    class: watchfloor_ocsf::ClassId,
    id: PathId,
) -> Option<(String, String, String, u8)> {
    let path = paths.get(id)?;
    let ((name, _), parents) = path.steps.split_last()?;
    let mut owner = Owner::Class(class);
    for (step, _) in parents {
        owner = Owner::Object(schema.attr(owner, step)?.object?);
    }
    let object = match owner {
        Owner::Class(_) => String::new(),
        Owner::Object(id) => schema.object_info(id).name.clone(),
    };
    let parent = parents.iter().map(|(step, _)| step.as_str()).collect::<Vec<_>>().join(".");
    let depth = parents.iter().filter(|(_, is_array)| *is_array).count() as u8;
    Some((parent, object, name.clone(), depth))
}

fn value_of(things: &[Thing], at: &str, name: &str) -> Option<String> {
    things.iter().find(|thing| thing.at.0 == at)?.get(name).map(str::to_owned)
}

impl Thing {
    fn get(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn host_id(thing: &Thing) -> Option<String> {
    let name = thing.get("hostname").or(thing.get("name"));
    name.map(str::to_lowercase).or_else(|| thing.get("uid").or(thing.get("instance_uid")).map(str::to_owned))
}

fn add_entities(thing: &Thing, role: Role, host: &str, account: &str, found: &mut Vec<Entity>) {
    let mut add = |kind, id: String, name: &str, stable| {
        if !id.is_empty() {
            found.push(Entity { kind, role, id, name: name.to_owned(), stable });
        }
    };
    match thing.object.as_str() {
        "device" | "endpoint" | "network_endpoint" | "network_proxy" | "load_balancer" => {
            if let Some(id) = host_id(thing) {
                add(Kind::Host, id, thing.get("hostname").or(thing.get("name")).unwrap_or_default(), true);
            }
            if let Some(ip) = thing.get("ip") {
                add(Kind::Address, ip.to_lowercase(), ip, true);
            }
            if let Some(domain) = thing.get("domain") {
                add(Kind::Domain, domain.to_lowercase(), domain, true);
            }
        }
        "user" => add_user(thing, &mut add),
        "process" => add_process(thing, host, &mut add),
        "file" => {
            let name = thing.get("path").or(thing.get("name")).unwrap_or_default();
            add(Kind::File, format!("{host}|{}", name.to_lowercase()), name, thing.get("path").is_some());
        }
        "fingerprint" => {
            let value = thing.get("value").unwrap_or_default();
            let algorithm = thing.get("algorithm_id").unwrap_or("0");
            add(
                Kind::Hash,
                if value.is_empty() { String::new() } else { format!("{algorithm}:{}", value.to_lowercase()) },
                value,
                true,
            );
        }
        "dns_query" => {
            let name = thing.get("hostname").unwrap_or_default();
            add(Kind::Domain, name.trim_end_matches('.').to_lowercase(), name, true);
        }
        "url" => {
            let url = thing.get("url_string").unwrap_or_default();
            add(Kind::Url, url.to_owned(), url, true);
            let name = thing.get("hostname").unwrap_or_default();
            add(Kind::Domain, name.to_lowercase(), name, true);
        }
        "resource_details" => {
            let name = thing.get("name").or(thing.get("uid")).unwrap_or_default();
            let id = thing.get("uid").map_or_else(|| format!("{account}|{name}"), str::to_owned);
            add(Kind::Resource, if name.is_empty() { String::new() } else { id }, name, true);
        }
        "session" => add(Kind::Session, session_id(thing, host), thing.get("uid").unwrap_or_default(), true),
        "email" => {
            let id = thing.get("message_uid").or(thing.get("uid")).unwrap_or_default();
            add(Kind::Email, id.to_owned(), thing.get("subject").unwrap_or(id), true);
        }
        _ => {}
    }
}

fn session_id(thing: &Thing, host: &str) -> String {
    match thing.get("uid") {
        Some(uid) if host.is_empty() => uid.to_owned(),
        Some(uid) => format!("{host}|{uid}"),
        None => String::new(),
    }
}

fn add_user(thing: &Thing, add: &mut impl FnMut(Kind, String, &str, bool)) {
    let name = thing.get("name").or(thing.get("email_addr")).or(thing.get("uid")).unwrap_or_default();
    let id = match (thing.get("uid"), thing.get("domain")) {
        (Some(uid), _) => uid.to_owned(),
        (None, Some(domain)) if !name.contains(['\\', '@']) => {
            format!("{}\\{}", domain.to_lowercase(), name.to_lowercase())
        }
        (None, _) => name.to_lowercase(),
    };
    add(Kind::User, id, name, true);
}

fn add_process(thing: &Thing, host: &str, add: &mut impl FnMut(Kind, String, &str, bool)) {
    let name = thing.get("name").or(thing.get("pid")).unwrap_or_default();
    if let Some(uid) = thing.get("uid") {
        return add(Kind::Process, format!("{host}|{}", uid.to_lowercase()), name, true);
    }
    let Some(pid) = thing.get("pid") else { return };
    match thing.get("created_time") {
        Some(created) => add(Kind::Process, format!("{host}|{pid}|{created}"), name, true),
        None => add(Kind::Process, format!("{host}|{pid}"), name, false),
    }
}

impl Machine<'_> {
    /// A single value as text; nothing for lists and objects.
    fn plain_text(&self, value: Val) -> Option<String> {
        match value {
            Val::Text(span) | Val::Number(span) => Some(self.doc.text(span).to_owned()),
            Val::Const(id) => Some(self.library.consts.text(id).to_owned()),
            Val::Int(number) | Val::Time(number) | Val::Member(number) => Some(number.to_string()),
            Val::Float(_) | Val::Bool(_) | Val::Node(_) | Val::List(..) => None,
        }
    }

    fn class_or_base(&self) -> watchfloor_ocsf::ClassId {
        self.class.or_else(|| self.library.schema.class("base_event")).unwrap_or_default()
    }
}
