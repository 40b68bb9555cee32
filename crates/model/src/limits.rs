//! Every bound that input is held to, with its unit. Each has an error code and a test at limit − 1, limit, limit + 1.

/// Longest record, in bytes. A longer one is cut into a diagnostic (`record.oversize`) and skipped to its end.
pub const RECORD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Deepest nesting of lists and objects in one record (`record.too_deep`).
pub const DEPTH_MAX: usize = 128;
/// Most values in one record (`record.too_many_values`).
pub const NODES_MAX: usize = 1_000_000;
/// Most bytes that one compressed input may expand to, in bytes (`archive.too_large`).
pub const UNPACKED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Highest ratio of unpacked to packed bytes, once more than [`UNPACKED_FREE_BYTES`] are out (`archive.bomb`).
pub const UNPACK_RATIO_MAX: u64 = 400;
/// Bytes a compressed input may expand to before its ratio is looked at (`archive.bomb`).
pub const UNPACKED_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// Most members read from one archive (`archive.too_many_members`).
pub const ARCHIVE_MEMBERS_MAX: usize = 100_000;
/// Deepest nesting of archives in archives (`archive.nested`).
pub const ARCHIVE_DEPTH_MAX: usize = 3;
/// Deepest nesting of directories walked (`input.too_deep`).
pub const DIRECTORY_DEPTH_MAX: usize = 64;
/// Most elements that one list of an event may hold; the rest stays in `unmapped` (`map.list_too_long`).
pub const LIST_ELEMENTS_MAX: usize = 4_096;
/// Largest mapping file, in bytes; a larger one is an error at start.
pub const MAPPING_BYTES_MAX: usize = 1024 * 1024;
/// Years before the receipt time that an event time may lie without being called absurd (`time.absurd`).
pub const TIME_PAST_YEARS_MAX: i64 = 50;
/// Milliseconds after the receipt time that an event time may lie without being called absurd (`time.absurd`).
pub const TIME_FUTURE_MS_MAX: i64 = 366 * 24 * 3_600 * 1_000;
