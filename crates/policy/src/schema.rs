//! The schema, parsed once for each set, with what a request is built from.

use std::str::FromStr;

use cedar_policy::{Entity, EntityId, EntityTypeName, EntityUid, Schema};

use crate::vocabulary::{PrincipalKind, TargetKind, VERBS};

/// The schema in Cedar's own notation.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// Names that every request needs, made once.
#[derive(Clone, Debug)]
pub(crate) struct Vocabulary {
    pub schema: Schema,
    /// The entity of each verb with the groups that it is in; places as in [`VERBS`].
    verbs: Vec<(EntityUid, Entity)>,
    principals: Vec<EntityTypeName>,
    targets: Vec<EntityTypeName>,
    role: EntityTypeName,
    tenant: EntityTypeName,
}

impl Vocabulary {
    /// The vocabulary of this build.
    pub fn new() -> Result<Self, String> {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| error.to_string())?;
        let actions = schema.action_entities().map_err(|error| error.to_string())?;
        let action = type_name("Action")?;
        let mut verbs = Vec::with_capacity(VERBS.len());
        for verb in VERBS {
            let uid = EntityUid::from_type_name_and_id(action.clone(), EntityId::new(verb.name));
            let Some(entity) = actions.get(&uid) else {
                return Err(format!("the schema has no action {}", verb.name));
            };
            verbs.push((uid, entity.clone()));
        }
        Ok(Self {
            schema,
            verbs,
            principals: PrincipalKind::ALL.iter().map(|kind| type_name(kind.name())).collect::<Result<_, _>>()?,
            targets: TargetKind::ALL.iter().map(|kind| type_name(kind.name())).collect::<Result<_, _>>()?,
            role: type_name("Role")?,
            tenant: type_name("Tenant")?,
        })
    }

    /// A verb by its place in [`VERBS`].
    pub fn verb(&self, place: usize) -> Option<&(EntityUid, Entity)> {
        self.verbs.get(place)
    }

    /// A principal's id.
    pub fn principal(&self, kind: PrincipalKind, id: &str) -> Option<EntityUid> {
        self.principals.get(kind as usize).map(|name| named(name, id))
    }

    /// A target's id.
    pub fn target(&self, kind: TargetKind, id: &str) -> Option<EntityUid> {
        self.targets.get(kind as usize).map(|name| named(name, id))
    }

    /// A role.
    pub fn role(&self, id: &str) -> EntityUid {
        named(&self.role, id)
    }

    /// A tenant.
    pub fn tenant(&self, id: &str) -> EntityUid {
        named(&self.tenant, id)
    }
}

fn named(name: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}

fn type_name(name: &str) -> Result<EntityTypeName, String> {
    EntityTypeName::from_str(name).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::vocabulary::GROUPS;

    /// Every verb, its groups and its kinds stand alike in the schema and in the vocabulary.
    #[test]
    fn schema_and_vocabulary_are_alike() {
        let words = Vocabulary::new().unwrap();
        let mut ours = BTreeSet::new();
        for verb in VERBS {
            for principal in PrincipalKind::ALL {
                for kind in verb.kinds {
                    ours.insert((principal.name().to_owned(), verb.name.to_owned(), kind.name().to_owned()));
                }
            }
        }
        let theirs: BTreeSet<_> = words
            .schema
            .request_envs()
            .map(|env| {
                let action = env.action().id().unescaped().to_owned();
                (env.principal().to_string(), action, env.resource().to_string())
            })
            .collect();
        assert_eq!(ours, theirs);
        assert_eq!(VERBS.len(), 26);
    }

    #[test]
    fn groups_are_alike() {
        let words = Vocabulary::new().unwrap();
        let actions = words.schema.action_entities().unwrap();
        for verb in VERBS {
            let uid = EntityUid::from_str(&format!("Action::\"{}\"", verb.name)).unwrap();
            let theirs: BTreeSet<String> =
                actions.ancestors(&uid).unwrap().map(|group| group.id().unescaped().to_owned()).collect();
            let mut ours: BTreeSet<String> = verb.groups.iter().map(|group| (*group).to_owned()).collect();
            for (group, parent) in GROUPS {
                if ours.contains(*group) {
                    ours.extend(parent.map(str::to_owned));
                }
            }
            assert_eq!(ours, theirs, "{}", verb.name);
        }
    }
}
