//! Names of ATT&CK techniques.

use std::collections::HashMap;
use std::sync::OnceLock;

/// The name of a technique (`T1059.001`): of a part with that of the whole before it. None if it is not known.
pub fn name(id: &str) -> Option<String> {
    static NAMES: OnceLock<HashMap<&str, &str>> = OnceLock::new();
    let names =
        NAMES.get_or_init(|| crate::packs::TECHNIQUES.lines().filter_map(|line| line.split_once('\t')).collect());
    let own = names.get(id)?;
    Some(match id.split_once('.').and_then(|(whole, _)| names.get(whole)) {
        Some(whole) => format!("{whole}: {own}"),
        None => (*own).to_owned(),
    })
}

/// A technique with its name, if it is known.
pub fn with_name(id: &str) -> String {
    name(id).map_or_else(|| id.to_owned(), |name| format!("{id} {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_have_names() {
        assert_eq!(name("T1003").as_deref(), Some("OS Credential Dumping"));
        assert_eq!(name("T1003.001").as_deref(), Some("OS Credential Dumping: LSASS Memory"));
        assert_eq!(with_name("T0000"), "T0000");
        let lines = crate::packs::TECHNIQUES.lines().filter(|line| !line.starts_with('#'));
        assert!(lines.clone().count() > 600);
        lines.for_each(|line| assert!(line.starts_with('T') && line.split('\t').count() == 2, "{line}"));
    }
}
