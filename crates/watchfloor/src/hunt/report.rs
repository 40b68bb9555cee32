//! A hunt as one page, with everything in it.

use jiff::tz::TimeZone;

use super::Found;
use crate::detection::Detection;

/// The page.
pub fn html(_found: &Found, _detection: &Detection, _zone: &TimeZone) -> String {
    String::new()
}
