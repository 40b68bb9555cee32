//! A sliding window: the last `N` times, oldest first.
//!
//! A time is a tick: milliseconds since an origin that the store moves along. Exact up to `N`: a count stops there. Times never go backwards (the store sees to it), so the newest are at the end. Saved as a
//! list of times, oldest first.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Copy, Debug)]
pub(super) struct Window<const N: usize> {
    /// 0 where none was kept yet.
    times: [u32; N],
    /// Where the next time goes.
    next: u32,
}

impl<const N: usize> Default for Window<N> {
    fn default() -> Self {
        Self { times: [0; N], next: 0 }
    }
}

impl<const N: usize> Window<N> {
    /// Keeps a time; 0 is kept as 1.
    pub fn push(&mut self, time: u32) {
        if let Some(place) = self.times.get_mut(self.next as usize) {
            *place = time.max(1);
        }
        self.next = if self.next as usize + 1 < N { self.next + 1 } else { 0 };
    }

    /// Moves every time back, those before the new origin to its first tick.
    pub fn rebase(&mut self, by: u32) {
        self.times.iter_mut().filter(|time| **time > 0).for_each(|time| *time = time.saturating_sub(by).max(1));
    }

    /// How many times lie at the cutoff or after it. Looks at all of them: that has no branches, and takes a few vector instructions.
    pub fn since(&self, cutoff: u32) -> u16 {
        let cutoff = cutoff.max(1);
        self.times.iter().map(|time| u16::from(*time >= cutoff)).sum()
    }

    /// Its first and its last word together: reading them lets the processor fetch what lies between.
    pub fn touch(&self) -> u32 {
        self.times.first().copied().unwrap_or_default() ^ self.next
    }

    /// The newest time.
    pub fn last(&self) -> Option<u32> {
        self.newest_first().next()
    }

    fn newest_first(&self) -> impl Iterator<Item = u32> {
        let (newer, older) = self.times.split_at((self.next as usize).min(N));
        newer.iter().rev().chain(older.iter().rev()).copied().take_while(|time| *time > 0)
    }
}

impl<const N: usize> PartialEq for Window<N> {
    fn eq(&self, other: &Self) -> bool {
        self.newest_first().eq(other.newest_first())
    }
}

impl<const N: usize> Serialize for Window<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut times: Vec<u32> = self.newest_first().collect();
        times.reverse();
        times.serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Window<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let times = Vec::<u32>::deserialize(deserializer)?;
        if times.len() > N || !times.is_sorted() {
            return Err(D::Error::custom(format!("a window has at most {N} times, oldest first")));
        }
        let mut window = Self::default();
        times.into_iter().for_each(|time| window.push(time));
        Ok(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(times: &[u32]) -> Window<4> {
        let mut window = Window::default();
        times.iter().for_each(|time| window.push(*time));
        window
    }

    #[test]
    fn counts_are_inclusive_and_stop_at_what_is_kept() {
        let table: [(&[u32], u32, u16); 9] = [
            (&[], 0, 0),
            (&[0], 0, 1),
            (&[1], 1, 1),
            (&[1], 2, 0),
            (&[1, 2, 3], 2, 2),
            (&[1, 2, 3, 4], 1, 4),
            (&[1, 2, 3, 4, 5], 1, 4),
            (&[1, 2, 3, 4, 5, 6, 7], 6, 2),
            (&[5, 5, 5, 5, 5], 5, 4),
        ];
        for (times, cutoff, expected) in table {
            assert_eq!(window(times).since(cutoff), expected, "{times:?} since {cutoff}");
            assert_eq!(window(times).last(), times.last().map(|time| (*time).max(1)), "{times:?}");
        }
    }

    #[test]
    fn a_window_is_saved_oldest_first_and_restored_the_same() {
        for length in 0..9_u32 {
            let times: Vec<u32> = (1..=length).collect();
            let saved = serde_json::to_string(&window(&times)).unwrap();
            let kept = &times[times.len().saturating_sub(4)..];
            assert_eq!(saved, serde_json::to_string(kept).unwrap());
            let mut restored: Window<4> = serde_json::from_str(&saved).unwrap();
            let mut first = window(&times);
            assert_eq!(restored, first);
            for time in 20..26 {
                restored.push(time);
                first.push(time);
                assert_eq!(restored, first);
            }
        }
        assert_ne!(window(&[1]), window(&[2]));
        assert_ne!(window(&[1]), window(&[1, 1]));
    }

    #[test]
    fn rebasing_keeps_the_distances_after_the_new_origin() {
        let mut moved = window(&[1, 5, 9]);
        moved.rebase(5);
        assert_eq!(moved, window(&[1, 1, 4]));
        assert_eq!((moved.since(0), moved.since(2)), (3, 1));
    }

    #[test]
    fn touching_reads_both_ends() {
        for (times, expected) in [(&[][..], 0), (&[8], 8 ^ 1), (&[8, 9], 8 ^ 2), (&[8, 9, 10, 11, 12], 12 ^ 1)] {
            assert_eq!(window(times).touch(), expected, "{times:?}");
        }
    }

    #[test]
    fn a_damaged_window_is_refused() {
        for (text, sound) in
            [("[1,2,3,4]", true), ("[1,2,3,4,5]", false), ("[2,1]", false), ("[1,1]", true), ("3", false)]
        {
            assert_eq!(serde_json::from_str::<Window<4>>(text).is_ok(), sound, "{text}");
        }
    }
}
