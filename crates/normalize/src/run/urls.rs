//! Parts of URLs as logs write them: nothing is normalised, and what is no URL gives no parts.

/// A URL or request target taken apart: `scheme://user@host:port/path?query#fragment`, or `/path?query`, or `host:port`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) port: Option<&'a str>,
    pub(super) path: Option<&'a str>,
    pub(super) query: Option<&'a str>,
}

pub(super) fn parts(url: &str) -> Parts<'_> {
    let mut parts = Parts::default();
    let mut rest = url.split('#').next().unwrap_or(url);
    if let Some((before, query)) = rest.split_once('?') {
        parts.query = Some(query).filter(|query| !query.is_empty());
        rest = before;
    }
    if let Some((scheme, after)) = rest.split_once("://") {
        parts.scheme = Some(scheme).filter(|scheme| !scheme.is_empty());
        rest = after;
    } else if rest.starts_with('/') {
        parts.path = Some(rest);
        return parts;
    } else if let Some(after) = rest.strip_prefix("//") {
        rest = after;
    }
    let (authority, path) = rest.find('/').map_or((rest, None), |at| (rest.get(..at).unwrap_or(rest), rest.get(at..)));
    parts.path = path;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = host_and_port(authority);
    parts.host = host;
    parts.port = port;
    parts
}

/// `1.2.3.4:80`, `[::1]:80`, `::1`, `host:80`, `host`
pub(super) fn host_and_port(text: &str) -> (Option<&str>, Option<&str>) {
    let some = |text: &'_ str| -> bool { !text.is_empty() };
    if let Some(inner) = text.strip_prefix('[')
        && let Some((host, after)) = inner.split_once(']')
    {
        return (Some(host).filter(|h| some(h)), after.strip_prefix([':', '.']).filter(|p| some(p)));
    }
    match text.bytes().filter(|b| *b == b':').count() {
        1 => {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            (Some(host).filter(|h| some(h)), Some(port).filter(|p| some(p)))
        }
        // Several colons without brackets: an IPv6 address and no port.
        _ => (Some(text).filter(|h| some(h)), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_as_they_are() {
        for (url, expected) in [
            ("https://u@example.com:8443/a/b?q=1#f", "https example.com 8443 /a/b q=1"),
            ("/a?b", "- - - /a b"),
            ("example.com:443", "- example.com 443 - -"),
            ("http://[2001:db8::1]:80/", "http 2001:db8::1 80 / -"),
            ("example.com/x", "- example.com - /x -"),
            ("", "- - - - -"),
        ] {
            let p = parts(url);
            let shown = [p.scheme, p.host, p.port, p.path, p.query].map(|part| part.unwrap_or("-")).join(" ");
            assert_eq!(shown, expected, "{url}");
        }
    }

    #[test]
    fn addresses_and_ports() {
        for (text, expected) in [
            ("192.0.2.1:80", (Some("192.0.2.1"), Some("80"))),
            ("[::1]:80", (Some("::1"), Some("80"))),
            ("::1", (Some("::1"), None)),
            ("192.0.2.1", (Some("192.0.2.1"), None)),
        ] {
            assert_eq!(host_and_port(text), expected, "{text}");
        }
    }
}
