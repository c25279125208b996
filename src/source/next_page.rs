//! The next page of a list: the header `Link` with `rel="next"` (RFC 8288).

use url::Url;

use crate::net::Response;

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextPage {
    /// Nothing.
    None,
    /// This page of the same list.
    At(Url),
    /// Something that is not a page of the same list, and that is not asked for.
    Elsewhere,
}

/// The page that follows the one at `asked`, by the header of its answer. A header that cannot be read may hide one.
pub(super) fn next_page(answer: &Response, asked: &Url) -> NextPage {
    match answer.list("link") {
        Some(links) => next_of(&links, asked),
        None => NextPage::Elsewhere,
    }
}

fn next_of(links: &str, asked: &Url) -> NextPage {
    let mut rest = links;
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else {
            return NextPage::Elsewhere;
        };
        let (parameters, others) = after.split_at(after.find('<').unwrap_or(after.len()));
        rest = others;
        if !parameters.split(';').any(is_next) {
            continue;
        }
        let target = asked.join(target).ok();
        let same_list = |url: &Url| url.origin() == asked.origin() && url.path() == asked.path();
        return target
            .filter(|url| same_list(url) && url.username().is_empty() && url.password().is_none())
            .map_or(NextPage::Elsewhere, NextPage::At);
    }
    NextPage::None
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
    let mut relations = value.split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|one| one.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ASKED: &str = "https://registry.example/v2/web/referrers/sha256:00?n=1";

    fn next(link: &str) -> NextPage {
        next_of(link, &Url::parse(ASKED).unwrap())
    }

    #[test]
    fn the_next_page_of_the_same_list_is_found() {
        let at = |query: &str| {
            let url = format!("https://registry.example/v2/web/referrers/sha256:00?{query}");
            NextPage::At(Url::parse(&url).unwrap())
        };
        assert_eq!(
            next("</v2/web/referrers/sha256:00?last=a>; rel=\"next\""),
            at("last=a")
        );
        assert_eq!(next("<?last=b>;rel=next"), at("last=b"));
        assert_eq!(
            next("<?first>; rel=\"first\", <?last=c,d>; title=\"x\"; REL=\"prev next\", <?z>; rel=\"last\""),
            at("last=c,d")
        );
        for none in ["", "<?a>; rel=\"prev\"", "<?a>", "<?a>; xrel=\"next\"", "next"] {
            assert_eq!(next(none), NextPage::None, "{none}");
        }
    }

    #[test]
    fn a_list_in_several_headers_is_one_list() {
        let of = |links: &[&str]| {
            let headers: Vec<_> = links.iter().map(|link| ("link", *link)).collect();
            next_page(&Response::with(200, &headers, b""), &Url::parse(ASKED).unwrap())
        };
        assert_eq!(of(&[]), NextPage::None);
        assert_eq!(
            of(&["<?a>; rel=\"first\"", "<?b>; rel=\"next\""]),
            next("<?b>; rel=next")
        );
        assert_eq!(of(&["<?a>; rel=\"first\"", "<?b>; rel=\"last\""]), NextPage::None);
        assert_eq!(
            of(&["<?a>; rel=\"first\"", "<?\u{e9}>; rel=\"next\""]),
            NextPage::Elsewhere
        );
    }

    #[test]
    fn another_list_is_not_a_page_of_this_one() {
        for elsewhere in [
            "<https://evil.example/v2/web/referrers/sha256:00?x>; rel=next",
            "<http://registry.example/v2/web/referrers/sha256:00?x>; rel=next",
            "<//evil.example/v2/web/referrers/sha256:00>; rel=next",
            "<https://a:b@registry.example/v2/web/referrers/sha256:00>; rel=next",
            "</v2/other/referrers/sha256:00?x>; rel=next",
            "<../x>; rel=next",
            "<?a",
        ] {
            assert_eq!(next(elsewhere), NextPage::Elsewhere, "{elsewhere}");
        }
    }

    proptest! {
        #[test]
        fn no_header_leads_to_another_list(target in "\\PC{0,40}", header in "\\PC{0,80}") {
            for link in [format!("<{target}>; rel=next"), header] {
                if let NextPage::At(url) = next(&link) {
                    prop_assert!(url.as_str().starts_with("https://registry.example/v2/web/referrers/sha256:00"));
                }
            }
        }
    }
}
