//! Signed objects of ACP: capability tokens, handshakes, delegations, execution tokens, provenance, policy snapshots, the ledger's
//! export view, reputation snapshots.
//!
//! Every verifier takes a parsed JSON value from anybody, runs every check that its input allows, and returns either what the
//! object says or [`Refused`] with every fault; the first is the one that the published vectors name. Nothing is accepted while one
//! check fails, so their order decides only which code comes first.
//!
//! Times of signed objects are epoch **seconds**, as the specification's are.

pub mod capability;
pub mod delegation;
pub mod execution;
pub mod handshake;
pub mod json;
pub mod ledger_view;
pub mod liability;
pub mod policy_context;
pub mod provenance;
pub mod reputation;
pub mod signature;

use std::fmt;

/// A fault with a stable code.
pub trait Coded: Copy + Eq + fmt::Debug {
    /// The code of the specification.
    fn code(self) -> &'static str;
    /// What is wrong, as a sentence's part.
    fn sentence(self) -> &'static str;
}

/// Every fault of an object, the first one first; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused<C> {
    first: C,
    further: Vec<C>,
}

impl<C: Coded> Refused<C> {
    /// One fault.
    pub fn one(fault: C) -> Self {
        Self { first: fault, further: Vec::new() }
    }

    /// The faults that were found, or the value where there are none.
    pub(crate) fn unless<T>(value: T, faults: Vec<C>) -> Result<T, Self> {
        let mut faults = faults.into_iter();
        match faults.next() {
            None => Ok(value),
            Some(first) => Err(Self { first, further: faults.filter(|fault| *fault != first).collect() }),
        }
    }

    /// The first fault.
    pub fn first(&self) -> C {
        self.first
    }

    /// All faults.
    pub fn faults(&self) -> impl Iterator<Item = C> {
        std::iter::once(self.first).chain(self.further.iter().copied())
    }

    /// Whether a fault is among them.
    pub fn has(&self, fault: C) -> bool {
        self.faults().any(|other| other == fault)
    }
}

impl<C: Coded> fmt::Display for Refused<C> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.faults().enumerate() {
            let comma = if place == 0 { "" } else { "; " };
            write!(out, "{comma}{}: {}", fault.code(), fault.sentence())?;
        }
        Ok(())
    }
}

impl<C: Coded> std::error::Error for Refused<C> {}

/// An enum of faults with their codes and sentences.
macro_rules! faults {
    ($(#[$of:meta])* $name:ident { $($fault:ident = $code:literal, $sentence:literal;)+ }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $sentence] $fault,)+
        }

        impl $crate::tokens::Coded for $name {
            fn code(self) -> &'static str {
                match self { $(Self::$fault => $code,)+ }
            }

            fn sentence(self) -> &'static str {
                match self { $(Self::$fault => $sentence,)+ }
            }
        }
    };
}
pub(crate) use faults;
