//! What simulated worlds went through.

/// What a world went through, and what was wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survived {
    /// Plans that were carried out.
    pub plans: u64,
    /// Plans that the gate refused.
    pub refused: u64,
    /// Calls to connectors.
    pub calls: u64,
    /// Looks at effects.
    pub looks: u64,
    /// Effects that happened.
    pub effects: u64,
    /// Effects that were undone.
    pub undone: u64,
    /// Records that were written, or tried to.
    pub records: u64,
    /// Crashes of the house.
    pub crashes: u64,
    /// Answers that never came.
    pub lost: u64,
    /// Answers that were not true.
    pub lies: u64,
    /// Jumps of the clock.
    pub jumps: u64,
    /// Halts.
    pub halts: u64,
    /// Acts of which a person had to say how they stood.
    pub people: u64,
    /// What was wrong.
    pub findings: Vec<String>,
}

impl Survived {
    /// Figures with their names.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 13] {
        [
            ("plans carried out", self.plans),
            ("plans refused", self.refused),
            ("records", self.records),
            ("calls", self.calls),
            ("looks", self.looks),
            ("effects", self.effects),
            ("undone", self.undone),
            ("crashes", self.crashes),
            ("answers lost", self.lost),
            ("answers untrue", self.lies),
            ("jumps of the clock", self.jumps),
            ("halts", self.halts),
            ("left to people", self.people),
        ]
    }

    /// The same; what was wrong was so at something of this name.
    pub(super) fn named(mut self, name: &str) -> Self {
        self.findings.iter_mut().for_each(|found| *found = format!("{name}: {found}"));
        self
    }

    /// Adds what another world went through.
    pub fn add(&mut self, other: &Self) {
        let Self {
            plans,
            refused,
            calls,
            looks,
            effects,
            undone,
            records,
            crashes,
            lost,
            lies,
            jumps,
            halts,
            people,
            findings,
        } = self;
        *plans += other.plans;
        *refused += other.refused;
        *calls += other.calls;
        *looks += other.looks;
        *effects += other.effects;
        *undone += other.undone;
        *records += other.records;
        *crashes += other.crashes;
        *lost += other.lost;
        *lies += other.lies;
        *jumps += other.jumps;
        *halts += other.halts;
        *people += other.people;
        findings.extend(other.findings.iter().cloned());
    }
}
