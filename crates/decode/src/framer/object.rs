//! A JSON object of any length, followed byte by byte.
//!
//! The scan knows texts, escapes and nesting, nothing else of JSON; it can stop anywhere and go on. It ends
//!
//! - at the closing brace;
//! - at a wrapper's list: a key of the outermost object that is one of the wrappers, a colon, `[`, and an object behind it;
//! - at **damage**: a line end inside a text, a bracket that closes another, nesting beyond [`NESTING_MAX`], or a line end between
//!   two tokens that cannot follow each other (behind `,` in an object comes a key; behind a value a comma or a bracket), which is
//!   how a cut line and the next record look.

/// Nesting that is followed. Deeper than a document takes, so that the record's own depth is what is complained about.
const NESTING_MAX: usize = 512;
/// Keys that may stand before a wrapper's list. Real envelopes have few; an object with many keys is a record that happens to have
/// a list of that name.
const ENVELOPE_KEYS_MAX: usize = 8;

/// How far an object has been followed. Positions count from the beginning of the buffer.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    /// The object's first byte.
    pub start: usize,
    /// The next byte to look at.
    at: usize,
    /// For every open bracket whether it is a list.
    open: Vec<bool>,
    in_text: bool,
    /// The last text that ended, with its quotes.
    text: (usize, usize),
    text_start: usize,
    /// Keys of the outermost object that are behind.
    keys: usize,
    /// The last byte that is not blank.
    last: u8,
    /// A line end since the last byte that is not blank.
    line_end: Option<usize>,
    /// The first line end of the object.
    pub first_line_end: Option<usize>,
    /// The object's second line is indented, or its first one is a bracket only: it is written over many lines.
    pub pretty: bool,
    /// Behind the closing brace, once it has been found.
    ended: Option<usize>,
    /// Damage was found; its line's end is looked for.
    broken: bool,
}

/// Why a scan stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// At the end of the bytes.
    More,
    /// Behind the closing brace.
    End(usize),
    /// At a wrapper's list: where its key begins, and behind its bracket.
    List { key: usize, inside: usize },
    /// Damaged, and a line end that separates it from what may be sound.
    Damaged(usize),
}

/// The names of the lists whose elements are records.
pub(super) type IsWrapper<'a> = &'a dyn Fn(&[u8]) -> bool;

impl Scan {
    /// An object that begins at a position.
    pub fn object(start: usize) -> Self {
        Self {
            start,
            at: start,
            open: Vec::new(),
            in_text: false,
            text: (0, 0),
            text_start: 0,
            keys: 0,
            last: 0,
            line_end: None,
            first_line_end: None,
            pretty: false,
            ended: None,
            broken: false,
        }
    }

    /// What is left of an object behind one of its lists.
    pub fn tail() -> Self {
        Self { open: vec![false], last: b']', ..Self::object(0) }
    }

    /// Follows the object as far as the bytes go.
    pub fn advance(&mut self, bytes: &[u8], end: bool, is_wrapper: IsWrapper<'_>) -> Stop {
        if let Some(ended) = self.ended {
            return Stop::End(ended);
        }
        loop {
            if self.broken {
                return self.line_end_behind_damage(bytes);
            }
            if self.in_text {
                if let Some(stop) = self.text_end(bytes) {
                    return stop;
                }
                continue;
            }
            let Some(&byte) = bytes.get(self.at) else { return Stop::More };
            if matches!(byte, b' ' | b'\t' | b'\r') {
                self.at += 1;
                continue;
            }
            if byte == b'\n' {
                self.line_end.get_or_insert(self.at);
                if self.first_line_end.is_none() {
                    let Some(next) = bytes.get(self.at + 1) else {
                        // Whether the second line is indented decides what damage costs.
                        if end {
                            self.at += 1;
                        }
                        return Stop::More;
                    };
                    self.pretty = matches!(next, b' ' | b'\t') || self.at <= self.start + 2;
                    self.first_line_end = Some(self.at);
                }
                self.at += 1;
                continue;
            }
            if let Some(line_end) = self.line_end.take()
                && !self.may_follow(byte, bytes.get(self.at - 1) == Some(&b'\n'))
            {
                self.line_end = Some(line_end);
                return Stop::Damaged(line_end);
            }
            if let Some(stop) = self.token(byte, bytes, end, is_wrapper) {
                return stop;
            }
        }
    }

    /// Looks for the end of a text.
    fn text_end(&mut self, bytes: &[u8]) -> Option<Stop> {
        let rest = bytes.get(self.at..).unwrap_or_default();
        let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
            self.at = bytes.len();
            return Some(Stop::More);
        };
        self.at += found;
        match bytes.get(self.at) {
            Some(b'\\') if self.at + 1 >= bytes.len() => return Some(Stop::More),
            Some(b'\\') if bytes.get(self.at + 1) == Some(&b'\n') => {
                self.at += 1;
                return Some(Stop::Damaged(self.at));
            }
            Some(b'\\') => self.at += 2,
            Some(b'\n') => return Some(Stop::Damaged(self.at)),
            _ => {
                self.at += 1;
                self.text = (self.text_start, self.at);
                self.in_text = false;
                self.last = b'"';
            }
        }
        None
    }

    fn line_end_behind_damage(&mut self, bytes: &[u8]) -> Stop {
        let rest = bytes.get(self.at..).unwrap_or_default();
        match memchr::memchr(b'\n', rest) {
            Some(found) => Stop::Damaged(self.at + found),
            None => {
                self.at = bytes.len();
                Stop::More
            }
        }
    }

    fn token(&mut self, byte: u8, bytes: &[u8], end: bool, is_wrapper: IsWrapper<'_>) -> Option<Stop> {
        match byte {
            b'"' => {
                self.text_start = self.at;
                self.in_text = true;
            }
            b'{' | b'[' => {
                if byte == b'['
                    && self.open.len() == 1
                    && self.last == b':'
                    && self.keys <= ENVELOPE_KEYS_MAX
                    && self.is_wrapper_key(bytes, is_wrapper)
                {
                    match first_of_list(bytes, self.at + 1) {
                        Some(b'{') => return Some(Stop::List { key: self.text.0, inside: self.at + 1 }),
                        None if !end => return Some(Stop::More),
                        _ => {}
                    }
                }
                self.open.push(byte == b'[');
                self.broken = self.open.len() > NESTING_MAX;
            }
            b'}' | b']' => {
                self.broken = self.open.pop() != Some(byte == b']');
                if self.open.is_empty() && !self.broken {
                    self.ended = Some(self.at + 1);
                    return self.ended.map(Stop::End);
                }
            }
            b',' if self.open.len() == 1 => self.keys += 1,
            _ => {}
        }
        self.last = byte;
        self.at += 1;
        None
    }

    fn is_wrapper_key(&self, bytes: &[u8], is_wrapper: IsWrapper<'_>) -> bool {
        let (start, end) = self.text;
        end > start + 1 && bytes.get(start + 1..end - 1).is_some_and(is_wrapper)
    }

    /// Whether a byte can follow the last one across a line end.
    fn may_follow(&self, next: u8, at_line_start: bool) -> bool {
        let in_list = self.open.last() == Some(&true);
        match self.last {
            0 => true,
            b'{' => matches!(next, b'"' | b'}'),
            b'[' => !matches!(next, b',' | b':' | b'}'),
            b',' if in_list => !matches!(next, b',' | b':' | b'}'),
            b',' => next == b'"',
            // A cut line may end in a colon, and the next record then begins at the line's beginning.
            b':' => !(matches!(next, b',' | b':' | b'}' | b']') || at_line_start && next == b'{' && !self.pretty),
            _ => matches!(next, b',' | b':' | b'}' | b']'),
        }
    }
}

/// The first byte of a list's first element.
fn first_of_list(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at..)?.iter().find(|byte| !byte.is_ascii_whitespace()).copied()
}

/// What the brackets of a line say without looking at its texts. Sure enough to let the decoder judge, where they are plain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Brackets {
    /// As many braces open as close, and the last byte closes one.
    pub balanced: bool,
    /// `}{`: perhaps two objects.
    pub two_objects: bool,
    /// `},{`: perhaps two elements of a list.
    pub two_elements: bool,
    /// A list under a wrapper's key, at any depth.
    pub wrapped: bool,
}

impl Brackets {
    /// Looks at the brackets of a line.
    pub fn of(line: &[u8], is_wrapper: IsWrapper<'_>) -> Self {
        let mut found = Self::default();
        let (mut open, mut closed) = (0_usize, 0_usize);
        for at in memchr::memchr3_iter(b'{', b'}', b'[', line) {
            match line.get(at) {
                Some(b'}') => closed += 1,
                Some(b'{') => {
                    open += 1;
                    match line.get(..at).unwrap_or_default() {
                        [.., b'}'] | [.., b'}', b' '] => found.two_objects = true,
                        [.., b'}', b','] | [.., b'}', b',', b' '] => found.two_elements = true,
                        _ => {}
                    }
                }
                _ => found.wrapped |= is_wrapper_list(line, at, is_wrapper),
            }
        }
        found.balanced = open == closed && line.ends_with(b"}");
        found
    }
}

/// Whether the bracket at a position stands behind a wrapper's key.
fn is_wrapper_list(line: &[u8], at: usize, is_wrapper: IsWrapper<'_>) -> bool {
    let before = line.get(..at).unwrap_or_default().trim_ascii_end();
    let Some(before) = before.strip_suffix(b":") else { return false };
    let Some(before) = before.trim_ascii_end().strip_suffix(b"\"") else { return false };
    memchr::memrchr(b'"', before).and_then(|quote| before.get(quote + 1..)).is_some_and(is_wrapper)
}
