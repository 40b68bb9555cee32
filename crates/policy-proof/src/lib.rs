//! Proofs about a set of policies: for every request that there can be, not only for those of a grid.
//!
//! Policies are translated to logic by Cedar's own symbolic compiler and answered by cvc5, a process of its own. For each kind of
//! principal, verb and kind of target, with all numbers within their bounds ([`watchfloor_policy::BOUNDS`]):
//!
//! 1. *guards hold*: the set's real forbids beside a permit of everything allow nothing under a written guard's condition;
//! 2. *guards are the written ones*: the forbids that carry a guard's name match exactly where the condition holds;
//! 3. *nothing fails*: no policy has an evaluation error (Cedar skips a forbid that has one);
//! 4. *nothing is idle*: every permit allows something that no forbid denies, every forbid matches something.
//!
//! What is not proved: what the inventory says of a target, what an agent says of itself, anything outside of Cedar. The solver's targets
//! may belong to several tenants or to none, which a request's cannot: a proof holds for more than there can be.
//!
//! This crate starts a process and therefore stands outside of the core.

mod example;
mod prove;
mod solver;

pub use prove::{DifferenceProof, Proof, prove, prove_differences};
pub use solver::{ProofError, QUESTION_LIMIT_MS, Solver};
