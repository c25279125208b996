//! Addresses that users write: which are refused, and what of them may be shown.
//!
//! An address often holds a secret: a password before the host, a token in the query. A password is refused, for an address
//! is in command lines, logs and reports. A query is sent with the request and shown nowhere. What this module refuses
//! is not repeated where it could hold either.

use std::net::Ipv4Addr;

use url::{Host, Url};

use crate::usage_error::UsageError;

/// Why a text cannot be used as an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressProblem {
    /// It is empty, as a variable is that is not set.
    Empty,
    /// It holds white space: two addresses, or a text that was broken.
    WhiteSpace,
    /// It has no scheme: the usual mistake.
    NoScheme,
    /// It is not a URL, for this reason.
    NotAUrl(url::ParseError),
    /// It is neither https nor http, or has no host.
    NotHttps,
    /// It holds a user name or a password.
    Credentials,
    /// It is http, and not to loopback: anybody on the way could answer.
    PlainHttp,
}

/// Reads an address: https, or http to loopback, without a user name.
///
/// # Errors
/// [`AddressProblem`], which holds nothing of the text.
pub fn parse_address(text: &str) -> Result<Url, AddressProblem> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AddressProblem::Empty);
    }
    if text.contains(char::is_whitespace) {
        return Err(AddressProblem::WhiteSpace);
    }
    if !text.contains("://") {
        return Err(AddressProblem::NoScheme);
    }
    let url = Url::parse(text).map_err(AddressProblem::NotAUrl)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressProblem::Credentials);
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" if url.has_host() => Err(AddressProblem::PlainHttp),
        _ => Err(AddressProblem::NotHttps),
    }
}

/// Parses an address. What is refused is repeated without its query, and not at all where it may hold a password.
pub(crate) fn parse_url(option: &str, text: &str) -> Result<Url, UsageError> {
    parse_address(text).map_err(|problem| {
        let shown = shown_text(text);
        let said = match problem {
            AddressProblem::Empty => "the address is empty; is a variable unset?".to_owned(),
            AddressProblem::WhiteSpace => "the value holds white space; give each address as an argument of its own, or on a line of \
                                           its own in the variable"
                .to_owned(),
            AddressProblem::NoScheme if shown.starts_with('(') => {
                "the value is not a URL (it is not shown: it may hold a password); write https://HOST[:PORT][/PATH]".to_owned()
            }
            AddressProblem::NoScheme if shown.ends_with(".lock") => {
                format!("{shown:?} is a file, not an address; a lock is given with --lock FILE, and the address beside it")
            }
            AddressProblem::NoScheme => format!("{shown:?} is not a URL; write https://{}", without_scheme(shown)),
            AddressProblem::NotAUrl(error) => format!("{shown:?} is not a URL: {error}"),
            AddressProblem::NotHttps => format!("{shown:?} is not an https URL"),
            AddressProblem::PlainHttp => format!(
                "{shown:?} is plain http, so that any host on the way could answer; write https:// (http is for loopback \
                 alone, with --allow-private-network)"
            ),
            AddressProblem::Credentials => "the URL holds a user name or a password, and URLs appear in logs and reports; \
                                            remove them"
                .to_owned(),
        };
        UsageError::option(option, said)
    })
}

/// What was meant behind a scheme that lacks a colon or a slash.
fn without_scheme(text: &str) -> &str {
    let behind = ["https", "http"].iter().find_map(|scheme| {
        let rest = text.strip_prefix(scheme)?;
        let bare = rest.trim_start_matches([':', '/']);
        (bare.len() < rest.len() && !bare.is_empty()).then_some(bare)
    });
    behind.unwrap_or(text)
}

/// Scheme, host and port of an address, the port if it is not the scheme's own: `https://app.example:8443`.
#[must_use]
pub fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether an address leads to this machine itself: `localhost` and names below it (RFC 6761), 127.0.0.0/8, `::1`.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback()
                || address
                    .to_ipv4_mapped()
                    .as_ref()
                    .is_some_and(Ipv4Addr::is_loopback)
        }
        None => false,
    }
}

/// An address as logs, reports, bundles and messages show it: scheme, host, port and path.
#[must_use]
pub fn shown_address(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // Neither can be set if there is no host, and then there is none to show.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// The start of a text that was given as an address, as far as it may be shown: without a query, and nothing at all where it
/// may hold a password.
#[must_use]
pub fn shown_text(text: &str) -> &str {
    let text = text.trim();
    let plain = text
        .find(['?', '#'])
        .map_or(text, |end| text.get(..end).unwrap_or_default());
    if plain.contains('@') && parse_address(plain).is_err() {
        return "(not shown: it may hold a password)";
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_refused_is_told_apart() {
        use AddressProblem::*;
        for (text, problem) in [
            ("app.example", NoScheme),
            ("user:hunter2@app.example", NoScheme),
            ("https://", NotAUrl(url::ParseError::EmptyHost)),
            ("ftp://app.example", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("https://hunter2@app.example", Credentials),
            ("https://user:hunter2@app.example/", Credentials),
            ("http://user:hunter2@localhost/", Credentials),
            ("http://app.example", PlainHttp),
            ("http://10.0.0.1", PlainHttp),
            ("http://notlocalhost", PlainHttp),
        ] {
            assert_eq!(parse_address(text), Err(problem), "{text}");
            assert!(!shown_text(text).contains("hunter2"), "{text}");
        }
        for text in [
            "https://app.example/@path?key=1",
            " http://127.0.0.1:8080 ",
            "http://[::1]/",
            "http://a.localhost./",
        ] {
            assert!(parse_address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_was_meant_is_named() {
        for (text, says) in [
            ("app.example", "write https://app.example"),
            ("https:/app.example/x", "write https://app.example/x"),
            ("https//app.example", "write https://app.example"),
            ("httpsapp.example", "write https://httpsapp.example"),
            ("https:", "write https://https:"),
            ("cvm.lock", "a lock is given with --lock FILE"),
        ] {
            let said = parse_url("URL", text).unwrap_err().to_string();
            assert!(
                said.ends_with(says) || said.contains(&format!("{says},")),
                "{said}"
            );
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, origin) in [
            ("https://App.Example/path?a#b", "https://app.example"),
            (" https://app.example:443/ ", "https://app.example"),
            ("https://app.example:8443", "https://app.example:8443"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
        ] {
            assert_eq!(
                parse_address(text).map(|url| origin_of(&url)),
                Ok(origin.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_query_is_never_shown() {
        let url =
            Url::parse("https://user:hunter2@app.example:8443/a/@b?api_key=hunter3#hunter4").expect("a URL");
        assert_eq!(shown_address(&url), "https://app.example:8443/a/@b");
        assert_eq!(
            shown_text("https://app.example/@b?api_key=hunter3"),
            "https://app.example/@b"
        );
        assert_eq!(shown_text("app.example/?api_key=hunter3"), "app.example/");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_secret_is_shown(start in ".{0,20}", secret in "[A-Z]{12}", end in ".{0,20}") {
            let _ = parse_address(&start);
            let _ = shown_text(&start);
            let with_query = format!("{start}?{secret}{end}");
            prop_assert!(!shown_text(&with_query).contains(&secret));
            let with_password = format!("https://u:{secret}@{end}");
            prop_assert!(!shown_text(&with_password).contains(&secret));
        }
    }
}
