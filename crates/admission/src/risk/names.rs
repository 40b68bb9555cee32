//! Closed sets of named members, kept as bits and written as lists of names.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A closed set of names, 32 at most.
pub trait Named: Copy + Eq + 'static {
    /// Every member, in the order of their places, in which lists name them.
    const ALL: &'static [Self];
    /// Its place in `ALL`.
    fn place(self) -> u32;
    /// Its name in records.
    fn name(self) -> &'static str;
}

/// Some members of a closed set.
#[derive(PartialEq, Eq)]
pub struct Names<T> {
    bits: u32,
    of: PhantomData<T>,
}

impl<T> Clone for Names<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Names<T> {}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { bits: 0, of: PhantomData }
    }
}

impl<T: Named> Names<T> {
    /// Adds a member.
    pub fn add(&mut self, member: T) {
        self.bits |= Self::bit(member);
    }

    /// Adds a member where something holds.
    pub fn add_if(&mut self, holds: bool, member: T) {
        if holds {
            self.add(member);
        }
    }

    /// Whether it is one of them.
    pub fn has(self, member: T) -> bool {
        self.bits & Self::bit(member) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The first member.
    pub fn first(self) -> Option<T> {
        T::ALL.get(self.bits.trailing_zeros() as usize).copied()
    }

    /// The members in their order.
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL.iter().copied().filter(move |member| self.has(*member))
    }

    fn bit(member: T) -> u32 {
        1 << member.place()
    }
}

impl<T: Named> fmt::Debug for Names<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.iter().map(Named::name)).finish()
    }
}

impl<T: Named> Serialize for Names<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Named::name))
    }
}

impl<'de, T: Named> Deserialize<'de> for Names<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListOf(PhantomData))
    }
}

struct ListOf<T>(PhantomData<T>);

impl<'de, T: Named> Visitor<'de> for ListOf<T> {
    type Value = Names<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of known names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names<T>, A::Error> {
        let mut names = Names::default();
        while let Some(name) = list.next_element::<String>()? {
            let member = T::ALL.iter().copied().find(|member| member.name() == name);
            names.add(member.ok_or_else(|| serde::de::Error::custom(format!("unknown name `{name}`")))?);
        }
        Ok(names)
    }
}
