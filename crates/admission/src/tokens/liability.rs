//! Liability (LIA-1.0): one person or agent answers for every used execution token.

use serde::{Deserialize, Serialize};

/// Who settled an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "resolver_type", content = "resolver_id")]
pub enum Resolver<'a> {
    /// A person.
    Human(&'a str),
    /// Another agent.
    Agent(&'a str),
    /// A rule.
    System(&'a str),
}

/// What is known of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution<'a> {
    /// Who did it.
    pub agent_id: &'a str,
    /// Who answers for the agent.
    pub supervisor: &'a str,
    /// The level that it ran under.
    pub autonomy_level: u8,
    /// Who settled its escalation, where there was one.
    pub resolver: Option<Resolver<'a>>,
}

/// Who answers, and by which rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "rule", content = "assignee")]
pub enum Liable<'a> {
    /// The person who settled the escalation.
    Resolver(&'a str),
    /// The supervisor: the level was below 2.
    Supervisor(&'a str),
    /// The agent that did it.
    Agent(&'a str),
}

/// The assignee: the person who settled the escalation, else the supervisor below level 2, else the agent.
pub fn assign<'a>(execution: &Execution<'a>) -> Liable<'a> {
    match execution.resolver {
        Some(Resolver::Human(person)) => Liable::Resolver(person),
        _ if execution.autonomy_level < 2 => Liable::Supervisor(execution.supervisor),
        _ => Liable::Agent(execution.agent_id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_answers() {
        let table = [
            (None, 0, Liable::Supervisor("boss")),
            (None, 1, Liable::Supervisor("boss")),
            (None, 2, Liable::Agent("bot")),
            (None, 4, Liable::Agent("bot")),
            (Some(Resolver::Human("ann")), 0, Liable::Resolver("ann")),
            (Some(Resolver::Human("ann")), 3, Liable::Resolver("ann")),
            (Some(Resolver::Agent("other")), 1, Liable::Supervisor("boss")),
            (Some(Resolver::System("rule")), 2, Liable::Agent("bot")),
        ];
        for (resolver, autonomy_level, expected) in table {
            let execution = Execution { agent_id: "bot", supervisor: "boss", autonomy_level, resolver };
            assert_eq!(assign(&execution), expected, "{resolver:?} at {autonomy_level}");
        }
    }
}
