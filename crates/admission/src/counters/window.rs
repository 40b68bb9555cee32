//! A sliding window: the last `N` times, oldest first.
//!
//! Exact up to `N`: a count stops there. Times never go backwards (the store sees to it), so the newest are at the end. Saved as a
//! list of times, oldest first.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Copy, Debug)]
pub(super) struct Window<const N: usize> {
    times: [i64; N],
    /// Where the next time goes.
    next: u8,
    kept: u8,
}

impl<const N: usize> Default for Window<N> {
    fn default() -> Self {
        Self { times: [0; N], next: 0, kept: 0 }
    }
}

impl<const N: usize> Window<N> {
    pub fn push(&mut self, time: i64) {
        if let Some(place) = self.times.get_mut(usize::from(self.next)) {
            *place = time;
        }
        self.next = (self.next + 1) % N as u8;
        self.kept = (self.kept + 1).min(N as u8);
    }

    /// How many times lie at the cutoff or after it.
    pub fn since(&self, cutoff: i64) -> u16 {
        self.newest_first().take_while(|time| *time >= cutoff).count() as u16
    }

    /// The newest time.
    pub fn last(&self) -> Option<i64> {
        self.newest_first().next()
    }

    fn newest_first(&self) -> impl Iterator<Item = i64> {
        let next = usize::from(self.next);
        let (newer, older) = self.times.split_at(next.min(N));
        newer.iter().rev().chain(older.iter().rev()).copied().take(usize::from(self.kept))
    }
}

impl<const N: usize> PartialEq for Window<N> {
    fn eq(&self, other: &Self) -> bool {
        self.newest_first().eq(other.newest_first())
    }
}

impl<const N: usize> Serialize for Window<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut times: Vec<i64> = self.newest_first().collect();
        times.reverse();
        times.serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Window<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let times = Vec::<i64>::deserialize(deserializer)?;
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

    fn window(times: &[i64]) -> Window<4> {
        let mut window = Window::default();
        times.iter().for_each(|time| window.push(*time));
        window
    }

    #[test]
    fn counts_are_inclusive_and_stop_at_what_is_kept() {
        let table: [(&[i64], i64, u16); 8] = [
            (&[], 0, 0),
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
            assert_eq!(window(times).last(), times.last().copied(), "{times:?}");
        }
    }

    #[test]
    fn a_window_is_saved_oldest_first_and_restored_the_same() {
        for length in 0..9 {
            let times: Vec<i64> = (0..length).collect();
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
    fn a_damaged_window_is_refused() {
        for (text, sound) in
            [("[1,2,3,4]", true), ("[1,2,3,4,5]", false), ("[2,1]", false), ("[1,1]", true), ("3", false)]
        {
            assert_eq!(serde_json::from_str::<Window<4>>(text).is_ok(), sound, "{text}");
        }
    }
}
