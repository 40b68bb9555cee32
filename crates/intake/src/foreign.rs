//! Files that are no logs, by their first bytes: they get one diagnostic that names them, not an event for every piece of them.
//!
//! Only what no text can begin with is recognised: where the first bytes are letters (`MZ`, `BM`), bytes behind them must be zero.

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// With its article: `a packet capture (pcap)`.
    pub name: &'static str,
    /// What to do with it.
    pub advice: &'static str,
}

/// Bytes that tell all of them: those of a tar archive stand at 257.
pub(crate) const LOOK_BYTES: usize = 512;

const NO_EVENTS: &str = "there are no log records in it";
const UNPACK: &str = "unpack it first";
const CAPTURE: &str = "give the logs that Zeek or Suricata make of it";

/// First bytes, what they are, what to do.
const STARTS: [(&[u8], &str, &str); 35] = [
    (&[0xA1, 0xB2, 0xC3, 0xD4], "a packet capture (pcap)", CAPTURE),
    (&[0xD4, 0xC3, 0xB2, 0xA1], "a packet capture (pcap)", CAPTURE),
    (&[0xA1, 0xB2, 0x3C, 0x4D], "a packet capture (pcap)", CAPTURE),
    (&[0x4D, 0x3C, 0xB2, 0xA1], "a packet capture (pcap)", CAPTURE),
    (b"\x7FELF", "a program (ELF)", NO_EVENTS),
    (&[0xCF, 0xFA, 0xED, 0xFE], "a program (Mach-O)", NO_EVENTS),
    (&[0xCE, 0xFA, 0xED, 0xFE], "a program (Mach-O)", NO_EVENTS),
    (&[0xCA, 0xFE, 0xBA, 0xBE], "a program (Mach-O or Java class)", NO_EVENTS),
    (b"\0asm", "a program (WebAssembly)", NO_EVENTS),
    (b"%PDF-", "a PDF document", NO_EVENTS),
    (b"\x89PNG\r\n\x1A\n", "an image (PNG)", NO_EVENTS),
    (&[0xFF, 0xD8, 0xFF], "an image (JPEG)", NO_EVENTS),
    (b"GIF87a", "an image (GIF)", NO_EVENTS),
    (b"GIF89a", "an image (GIF)", NO_EVENTS),
    (b"II*\0", "an image (TIFF)", NO_EVENTS),
    (b"MM\0*", "an image (TIFF)", NO_EVENTS),
    (&[0xFD, b'7', b'z', b'X', b'Z', 0], "an xz archive", UNPACK),
    (&[b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive", UNPACK),
    (b"BZh91AY&SY", "a bzip2 archive", UNPACK),
    (&[0x04, 0x22, 0x4D, 0x18], "an lz4 archive", UNPACK),
    (b"Rar!\x1A\x07", "a RAR archive", UNPACK),
    (b"MSCF\0\0\0\0", "a cabinet archive", UNPACK),
    (b"!<arch>\n", "an ar archive or Debian package", UNPACK),
    (&[0xED, 0xAB, 0xEE, 0xDB], "an RPM package", UNPACK),
    (b"LPKSHHRH", "a journal of systemd", "give what `journalctl --file FILE -o json` prints"),
    (b"\x30\0\0\0LfLe", "an event log of Windows XP (EVT)", "convert it to EVTX with `wevtutil epl`"),
    (b"SQLite format 3\0", "an SQLite database", "export its tables as JSON lines or CSV"),
    (b"PAR1", "a Parquet file", "export it as JSON lines or CSV"),
    (b"Obj\x01", "an Avro file", "export it as JSON lines"),
    (b"regf", "a registry hive", NO_EVENTS),
    (b"MDMP", "a memory dump", NO_EVENTS),
    (b"PAGEDU", "a memory dump", NO_EVENTS),
    (b"MAM\x04", "a prefetch file", NO_EVENTS),
    (&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], "an old Office document or MSI package", NO_EVENTS),
    (b"\x1F\x9D", "a compress archive (.Z)", UNPACK),
];

impl Foreign {
    /// What the first bytes say; nothing if they may be a log.
    pub fn of(head: &[u8]) -> Option<Self> {
        let is_text = !head.iter().any(|byte| matches!(byte, 0 | 0x80..));
        for (start, name, advice) in STARTS {
            // What consists of letters is only taken before bytes that are no text.
            let needs_more = start.iter().all(u8::is_ascii_alphanumeric);
            if head.starts_with(start) && !(needs_more && is_text) {
                return Some(Self { name, advice });
            }
        }
        let at = |from: usize, bytes: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(bytes));
        let zeros = |from, to| {
            head.get(from..to)
                .is_some_and(|part: &[u8]| part.iter().filter(|byte| **byte == 0).count() * 4 >= part.len())
        };
        let (name, advice) = match head {
            [0x0A, 0x0D, 0x0D, 0x0A, ..] if at(8, &[0x1A, 0x2B, 0x3C, 0x4D]) || at(8, &[0x4D, 0x3C, 0x2B, 0x1A]) => {
                ("a packet capture (pcapng)", CAPTURE)
            }
            [b'M', b'Z', ..] if zeros(2, 64) => ("a program (PE)", NO_EVENTS),
            [b'B', b'M', ..] if at(6, &[0; 4]) => ("an image (BMP)", NO_EVENTS),
            [b'R', b'I', b'F', b'F', ..] if at(8, b"WEBP") => ("an image (WebP)", NO_EVENTS),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => ("a bzip2 archive", UNPACK),
            _ if at(257, b"ustar") => ("a tar archive", UNPACK),
            _ => return None,
        };
        Some(Self { name, advice })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &[u8], expected: Option<&str>) {
        assert_eq!(Foreign::of(head).map(|foreign| foreign.name), expected, "{head:?}");
    }

    #[test]
    fn files_are_named() {
        for (start, name, _) in STARTS {
            let mut head = start.to_vec();
            head.extend([0; 60]);
            check(&head, Some(name));
        }
        let mut pe = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF\xFF\0\0\xB8".to_vec();
        pe.resize(64, 0);
        check(&pe, Some("a program (PE)"));
        check(b"BM\x36\0\x0C\0\0\0\0\0\x36", Some("an image (BMP)"));
        check(b"RIFF\x10\0\0\0WEBPVP8 ", Some("an image (WebP)"));
        check(b"\n\r\r\n\x1C\0\0\0\x4D\x3C\x2B\x1A", Some("a packet capture (pcapng)"));
        let mut tar = b"dir/file.log".to_vec();
        tar.resize(257, 0);
        tar.extend(b"ustar\x0000");
        check(&tar, Some("a tar archive"));
    }

    #[test]
    fn texts_are_logs() {
        let words = [
            "MZ is not a program here, and neither",
            "BMW 1 was seen",
            "regf=1 a=2",
            "PAR1 finished",
            "MDMP: x",
            "PAGEDUPLICATE",
            "RIFF of the day",
            "Obj 1",
        ];
        for text in words {
            check(format!("{text}{}", " and more".repeat(60)).as_bytes(), None);
        }
        check(b"\n\r\r\n\r\ntext", None);
        check("Grüße von MDMP".as_bytes(), None);
        check(b"ElfFile\0\0\0", None);
        check(b"", None);
    }
}
