//! Counters by key, with a bound.
//!
//! Slots lie in one vector, and an index of 4 bytes a key finds them: the index stays in the processor's cache, so that a look-up
//! costs one visit to memory. A slot whose state no longer says anything is freed when a new key needs room. When there is none,
//! the new key is refused: nothing that still counts is ever forgotten.
//!
//! Saved as the slots in their order with the free ones empty, so that a restored table goes on as the first would have.

use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

/// Slots that are looked at, for one to free, whenever a new key comes.
const SWEPT_PER_KEY: usize = 2;
/// Slots that are looked at when the table is full.
const SWEPT_WHEN_FULL: usize = 64;

/// What a slot holds.
pub(super) trait State: Default + Clone + PartialEq {
    /// Whether it says nothing any more at this time.
    fn spent(&self, now: i64) -> bool;
    /// The newest time in it.
    fn newest(&self) -> Option<i64>;
}

#[derive(Clone, Debug)]
pub(super) struct Table<S> {
    index: HashTable<u32>,
    slots: Vec<Slot<S>>,
    free: Vec<u32>,
    hand: u32,
    capacity: u32,
}

/// The key as two halves: JSON has no numbers of 128 bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Slot<S> {
    key: [u64; 2],
    state: S,
}

/// A table as it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved<S> {
    slots: Vec<Option<Slot<S>>>,
    free: Vec<u32>,
    hand: u32,
}

impl<S: State> Table<S> {
    pub fn new(capacity: u32) -> Self {
        // Reserved at once: growing would copy everything in the middle of a decision. Pages are only taken when they are used.
        let slots = Vec::with_capacity(capacity as usize);
        Self { index: HashTable::with_capacity(capacity as usize), slots, free: Vec::new(), hand: 0, capacity }
    }

    /// Keys that are kept.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn get_mut(&mut self, place: u32) -> Option<&mut S> {
        self.slots.get_mut(place as usize).map(|slot| &mut slot.state)
    }

    /// The slot of a key, a new one where it has none, `None` where there is no room.
    pub fn place(&mut self, key: [u64; 2], now: i64) -> Option<u32> {
        let [hash, _] = key;
        let found = self.index.find(hash, |place| self.slots.get(*place as usize).is_some_and(|slot| slot.key == key));
        if let Some(place) = found {
            return Some(*place);
        }
        self.sweep(now);
        let slot = Slot { key, state: S::default() };
        let place = if let Some(place) = self.free.pop() {
            *self.slots.get_mut(place as usize)? = slot;
            place
        } else if self.slots.len() < self.capacity as usize {
            self.slots.push(slot);
            self.slots.len() as u32 - 1
        } else {
            return None;
        };
        self.enter(place);
        Some(place)
    }

    pub fn save(&self) -> Saved<S> {
        let slots = self.slots.iter().zip(0..).map(|(slot, place)| self.live(place, slot).then(|| slot.clone()));
        Saved { slots: slots.collect(), free: self.free.clone(), hand: self.hand }
    }

    /// A table as it was saved, or why it cannot be one.
    pub fn restore(saved: Saved<S>, capacity: u32, latest: i64) -> Result<Self, &'static str> {
        if saved.slots.len() > capacity as usize {
            return Err("more slots than the limit");
        }
        let empty = saved.slots.iter().filter(|slot| slot.is_none()).count();
        let mut free = saved.free.clone();
        free.sort_unstable();
        free.dedup();
        let vacant = |place: &u32| saved.slots.get(*place as usize).is_some_and(Option::is_none);
        if free.len() != saved.free.len() || free.len() != empty || !free.iter().all(vacant) {
            return Err("the list of free slots is wrong");
        }
        let mut table = Self { free: saved.free, hand: saved.hand, ..Self::new(capacity) };
        for (slot, place) in saved.slots.into_iter().zip(0..) {
            let Some(slot) = slot else {
                table.slots.push(Slot { key: [0; 2], state: S::default() });
                continue;
            };
            let [hash, _] = slot.key;
            if slot.state.newest().is_some_and(|newest| newest > latest) {
                return Err("a time after the latest");
            }
            if table.find(hash, slot.key) {
                return Err("a key has two slots");
            }
            table.slots.push(slot);
            table.enter(place);
        }
        Ok(table)
    }

    fn find(&self, hash: u64, key: [u64; 2]) -> bool {
        self.index.find(hash, |place| self.slots.get(*place as usize).is_some_and(|slot| slot.key == key)).is_some()
    }

    /// Whether the index leads to this slot.
    fn live(&self, place: u32, slot: &Slot<S>) -> bool {
        let [hash, _] = slot.key;
        self.index.find(hash, |other| *other == place).is_some()
    }

    fn enter(&mut self, place: u32) {
        let Self { index, slots, .. } = self;
        let hash = |place: &u32| slots.get(*place as usize).map_or(0, |slot| slot.key[0]);
        index.insert_unique(hash(&place), place, hash);
    }

    /// Frees spent slots among the next few, so that room comes back as fast as it is needed.
    fn sweep(&mut self, now: i64) {
        let full = self.free.is_empty() && self.slots.len() >= self.capacity as usize;
        let steps = if full { SWEPT_WHEN_FULL } else { SWEPT_PER_KEY };
        for _ in 0..steps.min(self.slots.len()) {
            let place = if (self.hand as usize) < self.slots.len() { self.hand } else { 0 };
            self.hand = place + 1;
            let Some(slot) = self.slots.get(place as usize).filter(|slot| slot.state.spent(now)) else { continue };
            let [hash, _] = slot.key;
            if let Ok(entry) = self.index.find_entry(hash, |other| *other == place) {
                entry.remove();
                self.free.push(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spent at its own time.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Until(i64);

    impl State for Until {
        fn spent(&self, now: i64) -> bool {
            now >= self.0
        }

        fn newest(&self) -> Option<i64> {
            Some(self.0)
        }
    }

    fn put(table: &mut Table<Until>, key: u64, now: i64, until: i64) -> Option<u32> {
        let place = table.place([key, 7], now)?;
        table.get_mut(place).unwrap().0 = until;
        Some(place)
    }

    #[test]
    fn a_full_table_refuses_new_keys_and_keeps_the_old() {
        for capacity in [1, 2, 3, 100] {
            let mut table = Table::new(capacity);
            let limit = u64::from(capacity);
            for key in 0..limit {
                assert!(put(&mut table, key, 0, 10).is_some(), "{key} of {capacity}");
            }
            assert_eq!(put(&mut table, limit, 9, 10), None, "limit + 1");
            assert_eq!(table.len(), capacity as usize);
            for key in 0..limit {
                assert_eq!(table.place([key, 7], 9), Some(key as u32));
                assert_eq!(table.get_mut(key as u32), Some(&mut Until(10)));
            }
            assert_eq!(table.get_mut(capacity), None);
            assert!(put(&mut table, limit, 10, 20).is_some(), "room comes back");
        }
    }

    #[test]
    fn keys_with_the_same_hash_are_told_apart() {
        let mut table: Table<Until> = Table::new(4);
        let first = table.place([5, 1], 0);
        let second = table.place([5, 2], -1);
        assert_ne!(first, second);
        assert_eq!(table.place([5, 1], -1), first);
        assert_eq!(table.place([5, 2], -1), second);
    }

    #[test]
    fn a_full_table_looks_at_64_slots_a_key() {
        let mut table = Table::new(200);
        for key in 0..200 {
            put(&mut table, key, 0, if key == 100 { 5 } else { 10 });
        }
        // Filling has moved the hand by two slots a key: it stands where it has gone round.
        table.hand = 0;
        assert_eq!(put(&mut table, 900, 5, 10), None, "slots 0 to 63");
        assert_eq!(table.hand, 64);
        assert_eq!(put(&mut table, 900, 5, 10), Some(100), "slots 64 to 127");
        assert_eq!(table.hand, 128);
    }

    #[test]
    fn room_comes_back_faster_than_it_is_needed() {
        let mut table = Table::new(1000);
        for key in 0..10_000_u64 {
            let now = key as i64;
            assert!(put(&mut table, key, now, now + 300).is_some());
        }
        assert!(table.slots.len() <= 620, "two swept a key hold 300 that count in {} slots", table.slots.len());
    }

    #[test]
    fn a_restored_table_goes_on_as_the_first() {
        let mut first = Table::new(50);
        for key in 0..40 {
            put(&mut first, key, 0, key as i64 % 7);
        }
        for key in 40..60 {
            put(&mut first, key, 3, 9);
        }
        let text = serde_json::to_string(&first.save()).unwrap();
        let mut second = Table::restore(serde_json::from_str(&text).unwrap(), 50, 9).unwrap();
        assert_eq!(first.save(), second.save());
        assert_eq!(first.len(), second.len());
        for key in 30..90 {
            assert_eq!(put(&mut first, key, 5, 9), put(&mut second, key, 5, 9), "{key}");
        }
        assert_eq!(first.save(), second.save());
    }

    #[test]
    fn a_damaged_table_is_refused() {
        let slot = |key: u64| Some(Slot { key: [key, 0], state: Until(0) });
        let table: [(Vec<Option<Slot<Until>>>, &[u32], bool); 8] = [
            (vec![slot(1), None, slot(2)], &[1], true),
            (vec![slot(1), slot(2), slot(3), slot(4)], &[], false),
            (vec![slot(1), slot(1)], &[], false),
            (vec![slot(1), None], &[], false),
            (vec![slot(1), None], &[0], false),
            (vec![slot(1), None, None], &[1, 1], false),
            (vec![slot(1), None], &[1, 1], false),
            (vec![slot(1), None], &[7], false),
        ];
        for (slots, free, sound) in table {
            let saved = Saved { slots: slots.clone(), free: free.to_vec(), hand: 0 };
            assert_eq!(Table::restore(saved, 3, 0).is_ok(), sound, "{slots:?} {free:?}");
        }
        let late = Saved { slots: vec![slot(1)], free: Vec::new(), hand: 0 };
        assert!(Table::restore(late, 3, -1).is_err(), "a time after the latest");
    }
}
