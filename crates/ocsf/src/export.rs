//! An event as a valid event of an older version, for consumers that are pinned there.
//!
//! What the older version has no place for moves to `unmapped`, under its path: `unmapped["process.file.xattributes"]`. An enumerated number
//! that it does not know becomes 99, Other (or 0, Unknown, where there is no Other), and the caption stays in the attribute beside it.
//! Classes are found by `class_uid`, as some were renamed. A class that is not there, or that cannot be made complete, becomes a base
//! event. An object that cannot be made complete moves to `unmapped` as a whole. Nothing is made up, but numbers of enumerations that are
//! required become 0, Unknown, and a missing `vendor_name` of a product becomes `Unknown`. All of it is said as [`Loss`]es.
//!
//! A profile is listed if the event lists it, or if the older version ties an attribute of the class to it that the event has; but only if
//! the event has what the profile then requires.

use std::fmt;

use watchfloor_model::Document;

use crate::convert::Conversion;
use crate::schema::{Attr, ClassId, Owner, Requirement, Schema, Type};
use crate::validate::{UNKNOWN, at_path, class_of};

/// Something of an event that its export does not have, or has otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where in the event.
    pub path: String,
    /// Why.
    pub why: Why,
}

/// Why something is lost, moved or filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The version does not have the class.
    NoClass,
    /// The version does not have the attribute there.
    NoAttribute,
    /// The version has the attribute only with a profile that the event cannot have.
    NoProfile,
    /// The enumeration does not have the member.
    NotAMember {
        /// The number it became; none if it moved to `unmapped`.
        became: Option<i64>,
    },
    /// The text beside an enumerated number was not its caption, and is now.
    NotTheCaption,
    /// The value is not of the type that the version gives the attribute.
    NotOfType(Type),
    /// What the version requires is missing.
    Incomplete(String),
    /// Required, and filled with Unknown.
    Filled,
}

impl fmt::Display for Loss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.path, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClass => out.write_str("the version does not have the class"),
            Self::NoAttribute => out.write_str("the version does not have the attribute"),
            Self::NoProfile => {
                out.write_str("the version has the attribute only with a profile that the event does not have")
            }
            Self::NotAMember { became: Some(number) } => {
                write!(out, "not a member of the enumeration, became {number}")
            }
            Self::NotAMember { became: None } => out.write_str("not a member of the enumeration"),
            Self::NotTheCaption => out.write_str("not the caption of the number beside it"),
            Self::NotOfType(ty) => write!(out, "not of type {ty}"),
            Self::Incomplete(name) => write!(out, "lacks {name}, which the version requires"),
            Self::Filled => out.write_str("required, and filled with Unknown"),
        }
    }
}

impl std::error::Error for Why {}

/// Writes the event `doc` of version `from` as one of version `to` behind `out`, and what was lost behind `lost`.
///
/// An event that is valid can always be written. Of one that is not, the error says what even a base event lacks; `out` and
/// `lost` are then as before.
pub fn export(from: &Schema, to: &Schema, doc: &Document, out: &mut String, lost: &mut Vec<Loss>) -> Result<(), Why> {
    let from_class = class_of(from, doc);
    let base = to.class_by_uid(0).ok_or(Why::NoClass)?;
    let uid = from_class.map(|class| from.class_info(class).uid);
    let class = uid.and_then(|uid| to.class_by_uid(uid));
    let mut outcome = Err(Why::NoClass);
    if let Some(class) = class {
        outcome = attempts(from, to, doc, from_class, class, out, lost);
    }
    let Err(why) = outcome else { return Ok(()) };
    let before = lost.len();
    if class != Some(base) {
        lost.push(Loss { path: "class_uid".into(), why });
    }
    let outcome = attempts(from, to, doc, from_class, base, out, lost);
    if outcome.is_err() {
        lost.truncate(before);
    }
    outcome
}

/// With the profiles that fit, else without any: one whose attributes turn out incomplete must not cost the class.
fn attempts(
    from: &Schema,
    to: &Schema,
    doc: &Document,
    from_class: Option<ClassId>,
    class: ClassId,
    out: &mut String,
    lost: &mut Vec<Loss>,
) -> Result<(), Why> {
    let (text_mark, lost_mark) = (out.len(), lost.len());
    let chosen = choose_profiles(to, doc, class);
    let mut outcome = Ok(());
    for profiles in [chosen, 0] {
        outcome = Conversion::new(from, to, doc, class, profiles, out, lost).event(from_class);
        if outcome.is_ok() {
            break;
        }
        out.truncate(text_mark);
        lost.truncate(lost_mark);
    }
    outcome
}

fn choose_profiles(to: &Schema, doc: &Document, class: ClassId) -> u32 {
    let owner = Owner::Class(class);
    let listed = at_path(doc, 0, "metadata.profiles").into_iter().flat_map(|list| doc.children(list));
    let mut chosen = listed.filter_map(|id| to.profile_bit(doc.str(id)?)).fold(0, |mask, bit| mask | bit);
    for member in doc.children(0) {
        if let Some(attr) = to.attr(owner, doc.key(member))
            && attr.profiles != 0
            && attr.profiles & chosen == 0
        {
            // The lowest bit: any one of the profiles that bring the attribute will do.
            chosen |= attr.profiles & attr.profiles.wrapping_neg();
        }
    }
    for attr in to.attrs(owner).iter().filter(|attr| attr.requirement == Requirement::Required) {
        if doc.child(0, &attr.name).is_none() && !can_be_unknown(to, attr) {
            chosen &= !attr.profiles;
        }
    }
    chosen
}

/// Whether an attribute can be filled with 0, Unknown.
pub(crate) fn can_be_unknown(to: &Schema, attr: &Attr) -> bool {
    !attr.is_array && attr.enumeration.is_some_and(|id| to.enumeration(id).has(UNKNOWN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::read;
    use crate::schema::Version;
    use crate::specimen::specimen;
    use crate::validate::validate;

    fn exported(to: Version, text: &str) -> (String, Vec<String>) {
        let (mut out, mut lost) = (String::new(), Vec::new());
        export(Schema::v1_8(), Schema::version(to), &read(text).unwrap(), &mut out, &mut lost).unwrap();
        (out, lost.iter().map(Loss::to_string).collect())
    }

    /// Every export is valid, and every value of the event is still in it.
    #[test]
    fn specimens_of_every_class_are_exported() {
        let from = Schema::v1_8();
        let mut kept = 0;
        for version in Version::ALL {
            let to = Schema::version(version);
            for (id, class) in from.classes() {
                for seed in 0..60 {
                    let text = specimen(from, id, seed);
                    let doc = read(&text).unwrap();
                    let (mut out, mut lost) = (String::new(), Vec::new());
                    export(from, to, &doc, &mut out, &mut lost).unwrap();
                    let copy = read(&out).unwrap();
                    assert_eq!(validate(to, &copy), [], "{} {seed}\n{text}\n{out}", class.name);
                    let same = int_at(&copy, "class_uid") == int_at(&doc, "class_uid");
                    assert!(same || lost.iter().any(|loss| loss.path == "class_uid"));
                    kept += usize::from(same);
                    for word in text.split('"').filter(|word| word.starts_with("text-") || word.starts_with("host-")) {
                        assert!(out.contains(&format!("\"{word}\"")), "{} {seed} {word}\n{text}\n{out}", class.name);
                    }
                    assert!(version != Version::V1_8 || lost.is_empty(), "{} {seed} {lost:?}", class.name);
                }
            }
        }
        assert!(kept > 5_000, "{kept} exports kept their class");
    }

    fn int_at(doc: &Document, key: &str) -> Option<i64> {
        crate::validate::int(doc, doc.child(0, key)?)
    }

    const LOGON: &str = r#"{"activity_id":1,"category_uid":3,"class_uid":3002,"metadata":{"product":{"name":"x","vendor_name":"y"},"version":"1.8.0"},"service":{"name":"sshd"},"severity_id":1,"time":1,"type_name":"Authentication: Logon","type_uid":300201,"user":{"name":"ada"}}"#;

    #[test]
    fn what_has_no_place_moves() {
        let table: [(Version, &str, &str, &str, &[&str]); 7] = [
            (Version::V1_8, "", "", LOGON, &[]),
            (
                Version::V1_1,
                r#""name":"ada""#,
                r#""name":"ada","display_name":"Ada""#,
                r#""unmapped":{"user.display_name":"Ada"}"#,
                &["user.display_name: the version does not have the attribute"],
            ),
            (
                Version::V1_1,
                r#""activity_id":1,"#,
                r#""activity_id":7,"#,
                r#""time":1,"type_name":"Authentication: Other","type_uid":300299,"user":{"name":"ada"},"activity_name":"Account Switch"}"#,
                &["activity_id: not a member of the enumeration, became 99"],
            ),
            (
                Version::V1_3,
                r#","vendor_name":"y""#,
                "",
                r#"{"product":{"name":"x","vendor_name":"Unknown"},"version":"1.3.0"}"#,
                &["metadata.product.vendor_name: required, and filled with Unknown"],
            ),
            (
                Version::V1_3,
                r#""time":1"#,
                r#""time":1,"device":{"type_id":1,"name":"d","hostname":"under_score"}"#,
                r#""unmapped":{"device.hostname":"under_score"}"#,
                &["device.hostname: not of type hostname_t"],
            ),
            (
                Version::V1_3,
                "Authentication: Logon",
                "Anmeldung",
                r#""type_name":"Authentication: Logon","type_uid":300201,"user":{"name":"ada"},"unmapped":{"type_name":"Anmeldung"}}"#,
                &["type_name: not the caption of the number beside it"],
            ),
            (
                Version::V1_3,
                r#""severity_id":1,"#,
                r#""severity_id":1,"device":{"hostname":"under_score","type_id":1},"#,
                r#""unmapped":{"device":{"hostname":"under_score","type_id":1}}"#,
                &[
                    "device: lacks ip or uid or name or hostname or instance_uid or interface_uid or interface_name, which the version requires",
                ],
            ),
        ];
        for (version, from, to, expected, losses) in table {
            let (out, lost) = exported(version, &LOGON.replacen(from, to, 1));
            assert!(out.contains(expected), "{out}");
            assert_eq!(lost, losses, "{out}");
        }
    }

    #[test]
    fn an_event_that_is_not_even_a_base_event_is_refused() {
        let (mut out, mut lost) = ("before".to_owned(), Vec::new());
        let doc = read(r#"{"class_uid":3002}"#).unwrap();
        let outcome = export(Schema::v1_8(), Schema::version(Version::V1_1), &doc, &mut out, &mut lost);
        assert_eq!(outcome, Err(Why::Incomplete("metadata".into())));
        assert_eq!((out.as_str(), lost.len()), ("before", 0));
    }
}
