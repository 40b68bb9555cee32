//! Why an input comes to nothing.

use std::{error, fmt};

use super::AssertionError;

macro_rules! refusals {
    ($($variant:ident = $code:literal, $text:literal;)*) => {
        /// Why an input comes to nothing. Nothing has changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Refusal {
            $(#[doc = $text] $variant,)*
            /// The assertion of the passkey does not hold.
            Assertion(AssertionError),
        }

        impl Refusal {
            /// All of them, but for those of assertions.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What programs know it by.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Assertion(error) => error.code(),
                }
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($text),)*
                    Self::Assertion(_) => f.write_str("the passkey's answer does not hold"),
                }
            }
        }
    };
}

refusals! {
    Ask = "approvals.ask", "the request names nobody, too many people, or something that is no name";
    Lifetime = "approvals.lifetime", "a request lives 1 minute to 24 hours";
    Time = "approvals.time", "the time is before 1970 or after 9999";
    ClockBack = "approvals.clock_back", "the clock is behind what was already recorded";
    Expired = "approvals.expired", "the request has expired, ask again";
    NotExpired = "approvals.not_expired", "the request has not expired yet";
    Denied = "approvals.denied", "the request was denied";
    Revoked = "approvals.revoked", "the approval was revoked";
    Edited = "approvals.edited", "the plan was edited, which voids what was approved";
    AlreadyTaken = "approvals.already_taken", "the plan was already taken to be done, undo it or halt instead";
    Decoy = "approvals.decoy", "this is a decoy, it can never be done";
    PlanChanged = "approvals.plan_changed", "this is not the plan that was approved";
    NotEdited = "approvals.not_edited", "this is the same plan";
    Reason = "approvals.reason", "a reason of 10 to 1,000 characters is required";
    Statement = "approvals.statement", "the statement is not about this request as it stands";
    StatementTime = "approvals.statement_time", "the statement is not from the last 5 minutes";
    PersonUnknown = "approvals.person_unknown", "nobody is known by this name";
    PersonInactive = "approvals.person_inactive", "this person is not active";
    Role = "approvals.role", "this person does not hold the role that approving needs";
    Requester = "approvals.requester", "who asks cannot approve";
    Grantor = "approvals.grantor", "who granted the autonomy cannot approve under it";
    Outsider = "approvals.outsider", "this person has no part in the request";
    NotShown = "approvals.not_shown", "this person was not shown the request";
    AlreadyShown = "approvals.already_shown", "this person was already shown the request";
    ShownOther = "approvals.shown_other", "this is not what the request shows";
    ShownFull = "approvals.shown_full", "the request was shown to 1,000 people already";
    AlreadyApproved = "approvals.already_approved", "this person has already approved";
    VotesFull = "approvals.votes_full", "the request has 32 approvals already";
    Throttled = "approvals.throttled", "this person has approved too much in the last hour";
    PasskeyNeeded = "approvals.passkey_needed", "this person has a passkey, nothing else counts";
    KeyUnknown = "approvals.key_unknown", "the key is not one that is enrolled";
    KeyRevoked = "approvals.key_revoked", "the key was withdrawn";
    Signature = "approvals.signature", "the signature does not hold";
    SignInOld = "approvals.sign_in_old", "the sign-in is not from the last 5 minutes";
    Quorum = "approvals.quorum", "too few people who may approve have approved";
    RoleMissing = "approvals.role_missing", "nobody with a role that is needed has approved";
    Unseconded = "approvals.unseconded", "all who approved need a second person, who must be another one";
    StopWaits = "approvals.stop_waits", "somebody is stopping the request";
    RecordOrder = "approvals.record_order", "the record does not follow from those before it";
    Directory = "approvals.directory", "among the people is a name or a key that is malformed or there twice, or there are too many";
    Rules = "approvals.rules", "a rule about rubber stamps is out of its range";
}

impl error::Error for Refusal {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Assertion(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_has_a_code_and_a_sentence_of_its_own() {
        let assertions = AssertionError::ALL.iter().map(|error| (error.code(), error.to_string()));
        let all: Vec<(&str, String)> =
            Refusal::ALL.iter().map(|refusal| (refusal.code(), refusal.to_string())).chain(assertions).collect();
        let codes: BTreeSet<&str> = all.iter().map(|(code, _)| *code).collect();
        let texts: BTreeSet<&String> = all.iter().map(|(_, text)| text).collect();
        assert_eq!((codes.len(), texts.len()), (all.len(), all.len()));
        let docs = include_str!("../../../../docs/approvals.md");
        for (code, text) in &all {
            assert!(code.starts_with("approvals.") || code.starts_with("webauthn."), "{code}");
            assert!(text.starts_with(|c: char| c.is_lowercase()) && !text.ends_with('.'), "{text}");
            assert!(docs.contains(&format!("`{code}`")), "docs/approvals.md does not name {code}");
        }
        let refusal = Refusal::Assertion(AssertionError::Counter);
        assert_eq!(refusal.code(), "webauthn.counter");
        assert_eq!(refusal.to_string(), "the passkey's answer does not hold");
        let source = |refusal: Refusal| error::Error::source(&refusal).map(ToString::to_string);
        assert_eq!(source(refusal), Some(AssertionError::Counter.to_string()));
        assert_eq!(source(Refusal::Quorum), None);
    }
}
