//! The members of an attribute's enumeration.

/// The members of one enumeration: numbers with captions, or texts with captions. Both sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enumeration {
    numbers: Vec<(i64, String)>,
    texts: Vec<(String, String)>,
}

impl Enumeration {
    /// An enumeration of numbers.
    #[must_use]
    pub fn of_numbers(mut members: Vec<(i64, String)>) -> Self {
        members.sort_unstable();
        Self { numbers: members, texts: Vec::new() }
    }

    /// An enumeration of texts.
    #[must_use]
    pub fn of_texts(mut members: Vec<(String, String)>) -> Self {
        members.sort_unstable();
        Self { numbers: Vec::new(), texts: members }
    }

    /// Whether the members are texts.
    #[must_use]
    pub fn is_text(&self) -> bool {
        !self.texts.is_empty()
    }

    /// The caption of a number.
    #[must_use]
    pub fn caption(&self, value: i64) -> Option<&str> {
        let at = self.numbers.binary_search_by_key(&value, |member| member.0).ok()?;
        self.numbers.get(at).map(|member| member.1.as_str())
    }

    /// Whether a number is a member.
    #[must_use]
    pub fn has(&self, value: i64) -> bool {
        self.numbers.binary_search_by_key(&value, |member| member.0).is_ok()
    }

    /// The number with this caption: exactly so, else with the same letters and digits in either case.
    #[must_use]
    pub fn by_caption(&self, caption: &str) -> Option<i64> {
        let exact = self.numbers.iter().find(|member| member.1 == caption);
        exact.or_else(|| self.numbers.iter().find(|member| same_letters(&member.1, caption))).map(|member| member.0)
    }

    /// Whether a text is a member.
    #[must_use]
    pub fn has_text(&self, value: &str) -> bool {
        self.texts.binary_search_by(|member| member.0.as_str().cmp(value)).is_ok()
    }

    /// The member with this text or caption: exactly so, else with the same letters and digits in either case.
    #[must_use]
    pub fn text_by_caption(&self, caption: &str) -> Option<&str> {
        let exact = self.texts.iter().find(|member| member.0 == caption || member.1 == caption);
        let found = exact.or_else(|| {
            self.texts.iter().find(|member| same_letters(&member.0, caption) || same_letters(&member.1, caption))
        });
        found.map(|member| member.0.as_str())
    }

    /// The numbers and their captions, in order.
    pub fn numbers(&self) -> impl Iterator<Item = (i64, &str)> {
        self.numbers.iter().map(|member| (member.0, member.1.as_str()))
    }

    /// The texts and their captions, in order.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|member| (member.0.as_str(), member.1.as_str()))
    }
}

/// Whether two texts have the same letters and digits, whatever their case. A text without any is like none.
fn same_letters(left: &str, right: &str) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
    }
    letters(left).eq(letters(right)) && letters(left).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found() {
        let members = Enumeration::of_numbers(vec![
            (99, "Other".into()),
            (3, "Service Ticket Request".into()),
            (1, "Logon".into()),
            (0, "Unknown".into()),
        ]);
        let table = [
            ("Logon", Some(1)),
            ("logon", Some(1)),
            ("ServiceTicketRequest", Some(3)),
            ("service-ticket_request", Some(3)),
            ("Log on", Some(1)),
            ("Logo", None),
            ("", None),
            (" ", None),
        ];
        for (caption, expected) in table {
            assert_eq!(members.by_caption(caption), expected, "{caption}");
        }
        assert_eq!(members.caption(99), Some("Other"));
        assert_eq!(members.caption(2), None);
        assert!(members.has(0) && !members.has(-1) && !members.is_text());
    }

    #[test]
    fn members_may_be_texts() {
        let members = Enumeration::of_texts(vec![("AMBER STRICT".into(), "TLP:AMBER+STRICT".into())]);
        assert!(members.is_text() && members.has_text("AMBER STRICT") && !members.has_text("AMBER"));
        assert_eq!(members.text_by_caption("amber strict"), Some("AMBER STRICT"));
        assert_eq!(members.by_caption("AMBER STRICT"), None);
    }
}
