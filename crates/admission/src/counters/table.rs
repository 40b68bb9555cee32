//! Counters by key, with a bound.
//!
//! A key has two buckets of eight slots. It lies in its first one, unless fewer than three slots were free there and more in the
//! second when it came. A bucket's tags fill one cache line before its slots, so that a look-up mostly visits one line of tags and
//! then the slot: what costs time at a million keys is visits to memory, nothing else. A slot whose state no longer says anything gives way to a new key. When all 16 slots of a new
//! key still say something, the key is refused: nothing that still counts is ever forgotten.
//!
//! There are two slots for each planned key; with the choice of the roomier bucket the first refusals come well after the planned
//! number. Buckets are made 64 at a time, when one of them is first needed.
//!
//! A tag is a keyed hash of 64 bits. Two keys of one tag share a slot, and so count together: that is stricter, never milder.
//!
//! Saved as the slots with their places, so that a restored table goes on as the first would have.

use serde::{Deserialize, Serialize};

/// Slots of a bucket.
const SLOTS: usize = 8;
/// Planned keys of a bucket: half of the slots.
const PLANNED: u32 = 4;
/// With fewer free slots than this in its first bucket, a key goes where there are more.
const SPARE: usize = 3;
/// Buckets that are made at once.
const CHUNK: usize = 64;

/// What a slot holds.
pub(super) trait State: Default + Clone {
    /// Whether it says nothing any more at this tick.
    fn spent(&self, now: u32) -> bool;
    /// The newest tick in it.
    fn newest(&self) -> u32;
    /// Moves its ticks back, those before the new origin to the origin.
    fn rebase(&mut self, by: u32);
    /// Reads something of each of its lines.
    fn touch(&self) -> u32;
}

#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct Bucket<S> {
    /// 0 where the slot was never used.
    tags: [u64; SLOTS],
    slots: [S; SLOTS],
}

#[derive(Clone, Debug)]
pub(super) struct Table<S> {
    chunks: Vec<Option<Box<[Bucket<S>]>>>,
    buckets: u32,
    used: usize,
}

/// Where a key lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    bucket: u32,
    slot: u8,
}

/// A slot as it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved<S> {
    place: Place,
    tag: u64,
    state: S,
}

impl<S: State> Table<S> {
    /// Room for this many keys.
    pub fn new(planned: u32) -> Self {
        let buckets = planned.div_ceil(PLANNED).max(1);
        let chunks = (buckets as usize).div_ceil(CHUNK);
        Self { chunks: std::iter::repeat_with(|| None).take(chunks).collect(), buckets, used: 0 }
    }

    /// Slots that were ever used.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Reads the first line of the key's tags and gives something of it. Called for all keys of a request before any is looked for,
    /// it lets the processor fetch the lines at the same time.
    pub fn fetch(&self, tag: u64) -> u64 {
        let [home, _] = self.homes(tag);
        self.bucket(home).map_or(0, |bucket| bucket.tags[0])
    }

    /// The same for the slot that the key has, if it has one.
    pub fn touch(&self, tag: u64) -> u32 {
        let slot = self.find(tag).and_then(|place| self.bucket(place.bucket)?.slots.get(usize::from(place.slot)));
        slot.map_or(0, State::touch)
    }

    /// Where a key lies.
    pub fn find(&self, tag: u64) -> Option<Place> {
        self.homes(tag).into_iter().find_map(|home| {
            // All are compared, with no branch that depends on the place: a wrong guess costs more than the comparisons.
            let tags = self.bucket(home)?.tags.iter().rev();
            let equal = tags.fold(0_u32, |equal, other| equal << 1 | u32::from(*other == tag));
            (equal != 0).then(|| Place { bucket: home, slot: equal.trailing_zeros() as u8 })
        })
    }

    /// Where a key lies, a new slot where it has none, `None` where there is no room.
    pub fn place(&mut self, tag: u64, now: u32) -> Option<Place> {
        self.find(tag).or_else(|| self.enter(tag, now))
    }

    pub fn get_mut(&mut self, place: Place) -> Option<&mut S> {
        let bucket = self.chunks.get_mut(place.bucket as usize / CHUNK)?.as_mut()?;
        bucket.get_mut(place.bucket as usize % CHUNK)?.slots.get_mut(usize::from(place.slot))
    }

    /// Moves the ticks of every slot back.
    pub fn rebase(&mut self, by: u32) {
        let buckets = self.chunks.iter_mut().flatten().flat_map(|chunk| chunk.iter_mut());
        buckets.flat_map(|bucket| bucket.slots.iter_mut()).for_each(|state| state.rebase(by));
    }

    pub fn save(&self) -> Vec<Saved<S>> {
        let mut saved = Vec::with_capacity(self.used);
        for home in 0..self.buckets {
            let Some(bucket) = self.bucket(home) else { continue };
            for ((tag, state), slot) in bucket.tags.iter().zip(&bucket.slots).zip(0..) {
                if *tag != 0 {
                    saved.push(Saved { place: Place { bucket: home, slot }, tag: *tag, state: state.clone() });
                }
            }
        }
        saved
    }

    /// A table as it was saved, or why it cannot be one.
    pub fn restore(saved: Vec<Saved<S>>, planned: u32, latest: u32) -> Result<Self, &'static str> {
        let mut table = Self::new(planned);
        for Saved { place, tag, state } in saved {
            if tag == 0 || !table.homes(tag).contains(&place.bucket) || usize::from(place.slot) >= SLOTS {
                return Err("a key lies where it cannot be found");
            }
            if table.find(tag).is_some() {
                return Err("a key has two slots");
            }
            if state.newest() > latest {
                return Err("a time after the latest");
            }
            if !table.put(place, tag, state) {
                return Err("two keys have one slot");
            }
        }
        Ok(table)
    }

    /// The two buckets of a key; they may be the same.
    fn homes(&self, tag: u64) -> [u32; 2] {
        let scale = |hash: u64| ((u128::from(hash) * u128::from(self.buckets)) >> 64) as u32;
        [scale(tag), scale(tag.wrapping_mul(0x9E37_79B9_7F4A_7C15))]
    }

    fn bucket(&self, home: u32) -> Option<&Bucket<S>> {
        self.chunks.get(home as usize / CHUNK)?.as_ref()?.get(home as usize % CHUNK)
    }

    fn bucket_mut(&mut self, home: u32) -> Option<&mut Bucket<S>> {
        let chunk = self.chunks.get_mut(home as usize / CHUNK)?.get_or_insert_with(|| {
            let bucket = || Bucket { tags: [0; SLOTS], slots: std::array::from_fn(|_| S::default()) };
            std::iter::repeat_with(bucket).take(CHUNK).collect()
        });
        chunk.get_mut(home as usize % CHUNK)
    }

    /// Gives a key the first slot with room in the roomier of its buckets.
    fn enter(&mut self, tag: u64, now: u32) -> Option<Place> {
        let [first, second] = self.homes(tag).map(|home| (home, self.room(home, now)));
        let ((_, (room, _)), (_, (other, _))) = (first, second);
        let (home, (_, slot)) = if room < SPARE && other > room { second } else { first };
        let place = Place { bucket: home, slot: slot? };
        let bucket = self.bucket_mut(home)?;
        let old = bucket.tags.get_mut(usize::from(place.slot))?;
        let fresh = *old == 0;
        *old = tag;
        *bucket.slots.get_mut(usize::from(place.slot))? = S::default();
        self.used += usize::from(fresh);
        Some(place)
    }

    /// How many slots of a bucket a new key could have, and the first of them.
    fn room(&self, home: u32, now: u32) -> (usize, Option<u8>) {
        let Some(bucket) = self.bucket(home) else { return (SLOTS, Some(0)) };
        let slots = bucket.tags.iter().zip(&bucket.slots).zip(0..);
        let mut free = slots.filter(|((tag, state), _)| **tag == 0 || state.spent(now)).map(|(_, slot)| slot);
        let first = free.next();
        (free.count() + usize::from(first.is_some()), first)
    }

    /// Fills a slot that was never used.
    fn put(&mut self, place: Place, tag: u64, state: S) -> bool {
        let Some(bucket) = self.bucket_mut(place.bucket) else { return false };
        let slot = usize::from(place.slot);
        let (Some(old), Some(kept)) = (bucket.tags.get_mut(slot), bucket.slots.get_mut(slot)) else { return false };
        if *old != 0 {
            return false;
        }
        (*old, *kept) = (tag, state);
        self.used += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Spent at its own time.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Until(u32);

    impl State for Until {
        fn spent(&self, now: u32) -> bool {
            now >= self.0
        }

        fn newest(&self) -> u32 {
            self.0
        }

        fn rebase(&mut self, by: u32) {
            self.0 = self.0.saturating_sub(by);
        }

        fn touch(&self) -> u32 {
            self.0
        }
    }

    /// A well mixed tag of a number.
    fn tag(number: u64) -> u64 {
        let mixed = (number + 1).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB)
    }

    fn put(table: &mut Table<Until>, number: u64, now: u32, until: u32) -> Option<Place> {
        let place = table.place(tag(number), now)?;
        table.get_mut(place).unwrap().0 = until;
        Some(place)
    }

    #[test]
    fn the_planned_number_of_keys_fits_and_nothing_that_counts_gives_way() {
        for planned in [4_000_u32, 100_000] {
            let mut table = Table::new(planned);
            let mut places = BTreeMap::new();
            for number in 0..u64::from(planned) * 3 {
                let place = put(&mut table, number, 5, 10);
                assert!(place.is_some() || number > u64::from(planned), "{number} of {planned}");
                places.extend(place.map(|place| (place, number)));
            }
            let slots = planned as usize * 2;
            assert!(places.len() <= slots && places.len() > slots * 9 / 10, "{} of {slots} slots", places.len());
            assert_eq!(table.len(), places.len());
            for (place, number) in &places {
                assert_eq!(table.find(tag(*number)), Some(*place), "{number}");
                assert_eq!(table.place(tag(*number), 9), Some(*place), "{number}");
                assert_eq!(table.get_mut(*place), Some(&mut Until(10)));
            }
            let more = u64::from(planned) * 9;
            let entered = (more..more + 1000).filter(|number| put(&mut table, *number, 10, 20).is_some()).count();
            assert_eq!((entered, table.len()), (1000, places.len()), "what is spent gives way");
        }
    }

    #[test]
    fn one_bucket_takes_eight_keys() {
        for planned in [0, 1, 4] {
            let mut table = Table::new(planned);
            for number in 0..8 {
                assert_eq!(put(&mut table, number, 0, 10), Some(Place { bucket: 0, slot: number as u8 }));
            }
            assert_eq!(put(&mut table, 8, 9, 10), None, "limit + 1");
            assert_eq!(table.len(), 8);
            table.get_mut(Place { bucket: 0, slot: 5 }).unwrap().0 = 9;
            assert_eq!(put(&mut table, 8, 9, 10), Some(Place { bucket: 0, slot: 5 }));
            assert_eq!((table.find(tag(5)), table.len()), (None, 8));
        }
        assert_eq!(Table::<Until>::new(5).buckets, 2);
    }

    #[test]
    fn keys_lie_in_the_first_bucket_until_it_is_nearly_full() {
        let mut table = Table::new(4_000);
        let mut in_first = 0;
        for number in 0..4_000 {
            let [first, second] = table.homes(tag(number));
            let (one, other) = (table.room(first, 0).0, table.room(second, 0).0);
            let place = put(&mut table, number, 0, 10).unwrap();
            let expected = if one < 3 && other > one { second } else { first };
            assert_eq!(place.bucket, expected, "{one} and {other} free");
            in_first += usize::from(place.bucket == first);
        }
        assert!(in_first > 3_400, "{in_first} of 4000");
        let fullest = (0..1000).map(|home| table.room(home, 0).0).min().unwrap();
        assert!(fullest >= 1, "half full: no bucket is");
    }

    #[test]
    fn fetching_reads_the_first_line() {
        let mut table = Table::new(4_000);
        assert_eq!(table.fetch(tag(1)), 0);
        let [first, second] = table.homes(tag(1));
        assert_ne!(first, second);
        assert!(table.put(Place { bucket: second, slot: 0 }, 3, Until(0)));
        assert_eq!(table.fetch(tag(1)), 0);
        assert!(table.put(Place { bucket: first, slot: 0 }, 5, Until(0)));
        assert_eq!(table.fetch(tag(1)), 5);
    }

    #[test]
    fn touching_reads_the_slot_of_the_key() {
        let mut table = Table::new(4_000);
        assert_eq!(table.touch(tag(1)), 0);
        for number in 0..1_000 {
            put(&mut table, number, 0, number as u32 + 7);
        }
        for number in 0..1_000 {
            assert_eq!(table.touch(tag(number)), number as u32 + 7);
        }
        assert_eq!(table.touch(tag(1_000)), 0);
    }

    #[test]
    fn rebasing_moves_every_slot() {
        let mut table = Table::new(100);
        let places: Vec<_> = (0..50).map(|number| put(&mut table, number, 0, number as u32).unwrap()).collect();
        table.rebase(20);
        for (place, until) in places.into_iter().zip(0_u32..) {
            assert_eq!(table.get_mut(place), Some(&mut Until(until.saturating_sub(20))));
        }
    }

    #[test]
    fn a_restored_table_goes_on_as_the_first() {
        let mut first = Table::new(50);
        for number in 0..90 {
            put(&mut first, number, 0, number as u32 % 7);
        }
        let text = serde_json::to_string(&first.save()).unwrap();
        let mut second = Table::restore(serde_json::from_str(&text).unwrap(), 50, 6).unwrap();
        assert_eq!(first.save(), second.save());
        assert_eq!((first.len(), first.save().len()), (second.len(), second.len()));
        for number in 60..150 {
            assert_eq!(put(&mut first, number, 5, 9), put(&mut second, number, 5, 9), "{number}");
        }
        assert_eq!(first.save(), second.save());
    }

    #[test]
    fn a_damaged_table_is_refused() {
        let saved = |number: u64, slot: u8, until: u32| Saved {
            place: Place { bucket: Table::<Until>::new(4_000).homes(tag(number))[1], slot },
            tag: tag(number),
            state: Until(until),
        };
        let elsewhere = Saved { place: Place { bucket: 1000, slot: 0 }, ..saved(1, 0, 0) };
        let nameless = Saved { place: Place { bucket: 0, slot: 0 }, tag: 0, state: Until(0) };
        let same_slot = (2..).find(|number| saved(*number, 0, 0).place.bucket == saved(1, 0, 0).place.bucket).unwrap();
        let table = [
            (vec![saved(1, 0, 0), saved(2, 7, 9)], true),
            (vec![saved(1, 8, 0)], false),
            (vec![saved(1, 0, 10)], false),
            (vec![saved(1, 0, 0), saved(1, 1, 0)], false),
            (vec![saved(1, 0, 0), saved(same_slot, 0, 0)], false),
            (vec![saved(1, 0, 0), saved(same_slot, 1, 0)], true),
            (vec![elsewhere], false),
            (vec![nameless], false),
        ];
        for (slots, sound) in table {
            assert_eq!(Table::restore(slots.clone(), 4_000, 9).is_ok(), sound, "{slots:?}");
        }
    }
}
