//! Assembles Linux audit events from their lines.
//!
//! ```text
//! node=web1 type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=2 …
//! node=web1 type=PATH msg=audit(1364481363.243:24287): item=0 name="/etc/ssh/sshd_config" …
//! Oct 11 22:14:15 web1 audispd: type=EOE msg=audit(1364481363.243:24287):
//! Oct 11 22:14:15 web1 kernel: audit: type=1400 audit(1364481363.243:24288): apparmor="DENIED" …
//! ```
//!
//! Lines with the same time, serial number and node are one event, however they are mixed. An event is complete
//!
//! - with `EOE` or `PROCTITLE`, the last records the kernel writes (an `EOE` that comes later is dropped, it says nothing);
//! - at once, if it is one of user space, which has one record (types 1100 to 1299, `USER_AUTH`, `CRED_ACQ`, …);
//! - when a line is more than [`AGE_SECONDS`] younger, when [`PENDING_MAX`] other events have begun, when it is longer than
//!   [`EVENT_BYTES_MAX`], or at the end of input.

use std::collections::VecDeque;
use std::ops::Range;

use memchr::memmem;

use super::Framer;
use crate::frame::{Batch, Framed, Shape};

/// Events that are being assembled at the same time.
const PENDING_MAX: usize = 64;
/// Longest event.
const EVENT_BYTES_MAX: usize = 256 * 1024;
/// Seconds after which nothing more of an event comes.
const AGE_SECONDS: u64 = 2;
/// Bytes of a line in which the time and serial number must stand.
const LOOK_BYTES: usize = 512;
/// Types of user space that are not told by their beginning.
const USER_TYPES: [&[u8]; 9] = [
    b"LOGIN_",
    b"USYS_CONFIG",
    b"TRUSTED_APP",
    b"TEST",
    b"CHUSER_ID",
    b"CHGRP_ID",
    b"SOFTWARE_UPDATE",
    b"LABEL_",
    b"AVC_USER",
];
/// How types of user space begin.
const USER_PREFIXES: [&[u8]; 13] = [
    b"USER",
    b"CRED_",
    b"SERVICE_",
    b"DAEMON_",
    b"SYSTEM_",
    b"ADD_",
    b"DEL_",
    b"GRP_",
    b"ACCT_",
    b"CRYPTO_",
    b"VIRT_",
    b"ROLE_",
    b"MAC_CHECK",
];

/// The events that are not complete.
#[derive(Default)]
pub(super) struct Assembly {
    pending: VecDeque<Event>,
    /// Keys of events that were complete a short while ago.
    done: VecDeque<Vec<u8>>,
}

struct Event {
    /// Time, serial number and node.
    key: Vec<u8>,
    seconds: u64,
    bytes: Vec<u8>,
    offset: u64,
    line: u64,
    original_len: u64,
}

/// What a line says of the event it belongs to.
struct Mark {
    /// `1364481363.243:24287`.
    stamp: Range<usize>,
    node: Range<usize>,
    kind: Range<usize>,
}

impl Framer {
    /// Takes the line of `len` bytes at the beginning of the buffer, if it is part of an audit event.
    pub(super) fn audit_line(&mut self, len: usize, out: &mut Batch) -> bool {
        let line = self.buffer.rest().get(..len).unwrap_or_default();
        let Some(mark) = mark(line) else { return false };
        let part = |range: &Range<usize>| line.get(range.clone()).unwrap_or_default();
        let stamp = part(&mark.stamp);
        let mut key = stamp.to_vec();
        key.push(b' ');
        key.extend_from_slice(part(&mark.node));
        let seconds = stamp.iter().take_while(|byte| byte.is_ascii_digit()).take(12);
        let seconds = seconds.fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        let kind = part(&mark.kind).to_vec();
        let line = line.to_vec();
        let place = self.buffer.place(0);
        self.flush_audit_before(seconds, out);
        self.add_audit_line(key, seconds, &kind, &line, place, out);
        true
    }

    fn add_audit_line(
        &mut self,
        key: Vec<u8>,
        seconds: u64,
        kind: &[u8],
        line: &[u8],
        place: (u64, u64),
        out: &mut Batch,
    ) {
        let found = self.audit.pending.iter().position(|event| event.key == key);
        if found.is_none() && is(kind, b"EOE", b"1320") && self.audit.done.contains(&key) {
            return;
        }
        let at = found.unwrap_or_else(|| {
            let (offset, line) = place;
            self.audit.pending.push_back(Event { key, seconds, bytes: Vec::new(), offset, line, original_len: 0 });
            self.audit.pending.len() - 1
        });
        let Some(event) = self.audit.pending.get_mut(at) else { return };
        if !event.bytes.is_empty() {
            event.bytes.push(b'\n');
        }
        event.bytes.extend_from_slice(line);
        event.original_len += line.len() as u64 + 1;
        let last = is(kind, b"EOE", b"1320") || is(kind, b"PROCTITLE", b"1327");
        if last || is_user_space(kind) || event.bytes.len() > EVENT_BYTES_MAX {
            self.flush_audit_event(at, out);
        } else if self.audit.pending.len() > PENDING_MAX {
            self.flush_audit_event(0, out);
        }
    }

    /// Hands over the events that are too old to get another line.
    fn flush_audit_before(&mut self, seconds: u64, out: &mut Batch) {
        let mut at = 0;
        while let Some(event) = self.audit.pending.get(at) {
            if event.seconds + AGE_SECONDS < seconds {
                self.flush_audit_event(at, out);
            } else {
                at += 1;
            }
        }
    }

    /// Hands over all events.
    pub(super) fn flush_audit(&mut self, out: &mut Batch) {
        while !self.audit.pending.is_empty() {
            self.flush_audit_event(0, out);
        }
    }

    fn flush_audit_event(&mut self, at: usize, out: &mut Batch) {
        let Some(event) = self.audit.pending.remove(at) else { return };
        let start = out.bytes.len() as u32;
        out.bytes.extend_from_slice(&event.bytes);
        out.records.push(Framed {
            start,
            len: event.bytes.len() as u32,
            offset: event.offset,
            line: event.line,
            shape: Shape::Auditd,
            context: None,
            trouble: self.trouble(),
            lossy: false,
            original_sha256: None,
            original_len: event.original_len.saturating_sub(1),
        });
        self.audit.done.push_back(event.key);
        if self.audit.done.len() > PENDING_MAX {
            self.audit.done.pop_front();
        }
    }
}

fn is(kind: &[u8], name: &[u8], number: &[u8]) -> bool {
    kind == name || kind == number
}

/// Whether events of this type have one record.
fn is_user_space(kind: &[u8]) -> bool {
    let number = std::str::from_utf8(kind).ok().and_then(|kind| kind.parse::<u32>().ok());
    if let Some(number) = number {
        return (1100..1300).contains(&number) || (2100..3000).contains(&number);
    }
    USER_PREFIXES.iter().chain(&USER_TYPES).any(|prefix| kind.starts_with(prefix))
}

/// Finds `type=KIND` and `audit(time:serial)` in a line.
fn mark(line: &[u8]) -> Option<Mark> {
    let look = line.get(..line.len().min(LOOK_BYTES))?;
    let open = memmem::find(look, b"audit(")? + 6;
    let stamp_len = line.get(open..)?.iter().take(48).position(|byte| *byte == b')')?;
    let stamp = open..open + stamp_len;
    let valid = line.get(stamp.clone())?.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':'));
    if !valid || !line.get(stamp.clone())?.contains(&b':') {
        return None;
    }
    let before = line.get(..open)?;
    let kind = memmem::find(before, b"type=").map(|at| word(line, at + 5))?;
    let node = memmem::find(before, b"node=").map_or(0..0, |at| word(line, at + 5));
    Some(Mark { stamp, node, kind })
}

fn word(line: &[u8], start: usize) -> Range<usize> {
    let rest = line.get(start..).unwrap_or_default();
    start..start + rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len())
}
