//! A request is asked of the policies.

use std::collections::{BTreeSet, HashMap, HashSet};

use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision, Effect, Entities, Entity, PolicySet, Request as CedarRequest,
    RestrictedExpression, Schema,
};
use serde::{Deserialize, Serialize};

use crate::read::Policies;
use crate::request::Request;
use crate::schema::Vocabulary;

/// What the policies say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A permit matched and no forbid.
    Allow,
    /// A forbid matched.
    Forbid,
    /// Nothing matched: what is not permitted is denied.
    NoPermit,
    /// A policy could not be evaluated, or the request is none: denied.
    Error,
}

/// The answer, with what decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What the policies say.
    pub verdict: Verdict,
    /// The ids of the policies that decided, in order: all permits that matched, or all forbids.
    pub policies: Vec<String>,
    /// What went wrong, in order: the policy (empty: the request) and the error.
    pub errors: Vec<(String, String)>,
}

impl Answer {
    /// Whether it may be done, as far as policy goes.
    #[must_use]
    pub const fn allows(&self) -> bool {
        matches!(self.verdict, Verdict::Allow)
    }

    fn refused(error: String) -> Self {
        Self { verdict: Verdict::Error, policies: Vec::new(), errors: vec![(String::new(), error)] }
    }
}

impl Verdict {
    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Forbid => "forbid",
            Self::NoPermit => "no_permit",
            Self::Error => "error",
        }
    }
}

impl Policies {
    /// Asks the policies that can match.
    ///
    /// Cedar skips a policy that it cannot evaluate, also a `forbid`. Here any error denies.
    #[must_use]
    pub fn ask(&self, request: &Request) -> Answer {
        match request.check() {
            Ok(verb) => self.ask_sets(request, verb, self.slices.of(request, verb)),
            Err(error) => Answer::refused(error.to_string()),
        }
    }

    /// Asks every policy of the set: the same answer, slower. Tests and measurements compare the two.
    #[must_use]
    pub fn ask_whole(&self, request: &Request) -> Answer {
        match request.check() {
            Ok(verb) => self.ask_sets(request, verb, std::iter::once(&self.whole)),
            Err(error) => Answer::refused(error.to_string()),
        }
    }

    fn ask_sets<'a>(&self, request: &Request, verb: usize, sets: impl Iterator<Item = &'a PolicySet>) -> Answer {
        let (question, entities) = match cedar(&self.vocabulary, request, verb, None) {
            Ok(built) => built,
            Err(error) => return Answer::refused(error),
        };
        let mut heard = Heard::default();
        let authorizer = Authorizer::new();
        for set in sets.filter(|set| !set.is_empty()) {
            heard.set(&authorizer, &question, set, &entities);
        }
        heard.answer()
    }
}

/// Asks one set of Cedar's, such as the forbids of a set beside a permit of everything.
pub(crate) fn ask_set(vocabulary: &Vocabulary, request: &Request, set: &PolicySet) -> Answer {
    let built = request.check().map_err(|error| error.to_string());
    match built.and_then(|verb| cedar(vocabulary, request, verb, None)) {
        Ok((question, entities)) => {
            let mut heard = Heard::default();
            heard.set(&Authorizer::new(), &question, set, &entities);
            heard.answer()
        }
        Err(error) => Answer::refused(error),
    }
}

/// What several sets answered.
#[derive(Default)]
struct Heard {
    permits: BTreeSet<String>,
    forbids: BTreeSet<String>,
    errors: BTreeSet<(String, String)>,
}

impl Heard {
    fn set(&mut self, authorizer: &Authorizer, question: &CedarRequest, set: &PolicySet, entities: &Entities) {
        let response = authorizer.is_authorized(question, set, entities);
        for id in response.diagnostics().reason() {
            // Cedar names permits if it allows, and forbids if one of them is why it does not.
            let forbids = set.policy(id).is_none_or(|policy| policy.effect() == Effect::Forbid);
            debug_assert_eq!(forbids, response.decision() == Decision::Deny, "reasons are of one kind");
            let ids = if forbids { &mut self.forbids } else { &mut self.permits };
            ids.insert(id.to_string());
        }
        for AuthorizationError::PolicyEvaluationError(error) in response.diagnostics().errors() {
            self.errors.insert((error.policy_id().to_string(), error.inner().to_string()));
        }
    }

    fn answer(self) -> Answer {
        let (verdict, policies) = if !self.errors.is_empty() {
            (Verdict::Error, self.forbids)
        } else if !self.forbids.is_empty() {
            (Verdict::Forbid, self.forbids)
        } else if self.permits.is_empty() {
            (Verdict::NoPermit, self.permits)
        } else {
            (Verdict::Allow, self.permits)
        };
        Answer { verdict, policies: policies.into_iter().collect(), errors: self.errors.into_iter().collect() }
    }
}

/// Cedar's request, and the three entities that a policy can look at: who asks, the verb, the target.
pub(crate) fn cedar(
    vocabulary: &Vocabulary,
    request: &Request,
    verb: usize,
    schema: Option<&Schema>,
) -> Result<(CedarRequest, Entities), String> {
    let missing = || "a name is missing from the vocabulary".to_owned();
    let (principal, target, asked) = (&request.principal, &request.target, &request.circumstances);
    let who = vocabulary.principal(principal.kind, &principal.id).ok_or_else(missing)?;
    let (action, action_entity) = vocabulary.verb(verb).ok_or_else(missing)?;
    let what = vocabulary.target(target.kind, &target.id).ok_or_else(missing)?;

    let serves = principal.tenants.iter().map(|id| RestrictedExpression::new_entity_uid(vocabulary.tenant(id)));
    let who_entity = Entity::new(
        who.clone(),
        HashMap::from([("tenants".to_owned(), RestrictedExpression::new_set(serves))]),
        principal.roles.iter().map(|role| vocabulary.role(role)).collect(),
    )
    .map_err(|error| error.to_string())?;
    let tags = target.tags.iter().map(|tag| text(tag));
    let what_entity = Entity::new(
        what.clone(),
        HashMap::from([
            ("tier".to_owned(), RestrictedExpression::new_long(target.tier)),
            ("tags".to_owned(), RestrictedExpression::new_set(tags)),
            ("owner".to_owned(), text(&target.owner)),
            ("site".to_owned(), text(&target.site)),
        ]),
        HashSet::from([vocabulary.tenant(&target.tenant)]),
    )
    .map_err(|error| error.to_string())?;
    let context = Context::from_pairs([
        ("level".to_owned(), RestrictedExpression::new_long(asked.level)),
        ("risk".to_owned(), RestrictedExpression::new_long(asked.risk)),
        ("alert_class".to_owned(), text(&asked.alert_class)),
        ("trust".to_owned(), RestrictedExpression::new_long(asked.trust)),
        ("hour".to_owned(), RestrictedExpression::new_long(asked.hour)),
        ("targets".to_owned(), RestrictedExpression::new_long(asked.targets)),
        ("lease_minutes".to_owned(), RestrictedExpression::new_long(asked.lease_minutes)),
        ("tag".to_owned(), text(&asked.tag)),
    ])
    .map_err(|error| error.to_string())?;

    let entities = Entities::from_entities([who_entity, what_entity, action_entity.clone()], schema);
    let question = CedarRequest::new(who, action.clone(), what, context, schema);
    Ok((question.map_err(|error| error.to_string())?, entities.map_err(|error| error.to_string())?))
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}
