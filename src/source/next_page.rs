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
        Some(links) => next_of(&links, asked, |url| (url.path() == asked.path()).then_some(url)),
        None => NextPage::Elsewhere,
    }
}

/// The parameters of which GitHub names the next page of a list (GitHub REST API, *Using pagination in the REST API*).
const CURSORS: [&str; 2] = ["after", "page"];
/// Bytes of such a value that are sent back.
const MAX_CURSOR: usize = 1024;

/// The same of a list of GitHub's, which names its next page by the number of the repository, `/repositories/ID/…`, whatever was asked
/// for. Only where to go on is taken from that: the page is one of the list at `asked`, whatever the header says.
pub(super) fn next_page_of_github(answer: &Response, asked: &Url) -> NextPage {
    match answer.list("link") {
        Some(links) => next_of(&links, asked, |url| after_cursor(asked, &url)),
        None => NextPage::Elsewhere,
    }
}

/// The address that was asked for, with the cursors of another one.
fn after_cursor(asked: &Url, named: &Url) -> Option<Url> {
    let is_cursor = |name: &str| CURSORS.contains(&name);
    let cursors: Vec<_> = named.query_pairs().filter(|(name, _)| is_cursor(name)).collect();
    let serves = |value: &str| (1..=MAX_CURSOR).contains(&value.len());
    if cursors.is_empty() || !cursors.iter().all(|(_, value)| serves(value)) {
        return None;
    }
    let mut next = asked.clone();
    next.set_query(None);
    let kept = asked.query_pairs().filter(|(name, _)| !is_cursor(name));
    next.query_pairs_mut().extend_pairs(kept.chain(cursors));
    Some(next)
}

/// `page` makes the next page of the address that is named, which has the origin of the one that was asked for.
fn next_of(links: &str, asked: &Url, page: impl Fn(Url) -> Option<Url>) -> NextPage {
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
        return target
            .filter(|url| url.origin() == asked.origin())
            .filter(|url| url.username().is_empty() && url.password().is_none())
            .and_then(page)
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
        next_page(&answer(link), &Url::parse(ASKED).unwrap())
    }

    fn answer(link: &str) -> Response {
        Response::with(200, &[("link", link)], b"")
    }

    const LIST: &str =
        "https://api.github.com/repos/o/n/attestations/sha256:00?per_page=30&predicate_type=x%2Fy";

    fn next_of_github(link: &str) -> NextPage {
        next_page_of_github(&answer(link), &Url::parse(LIST).unwrap())
    }

    /// As GitHub names the next page of a repository's lists.
    #[test]
    fn a_page_that_is_named_by_the_repositorys_number_is_one_of_the_list_that_was_asked_for() {
        let at = |cursor: &str| NextPage::At(Url::parse(&format!("{LIST}&{cursor}")).unwrap());
        for link in [
            "<https://api.github.com/repositories/212613049/attestations/sha256:00?per_page=30&after=Y3Vyc29y>; rel=\"next\"",
            "<https://api.github.com/repos/o/n/attestations/sha256:00?after=Y3Vyc29y>; rel=\"next\"",
            // Neither another list nor another filter is asked for.
            "<https://api.github.com/repositories/1/attestations/sha256:ff?after=Y3Vyc29y&predicate_type=z>; rel=next",
        ] {
            assert_eq!(next_of_github(link), at("after=Y3Vyc29y"), "{link}");
        }
        assert_eq!(next_of_github("<?page=2>; rel=next"), at("page=2"));
        for elsewhere in [
            "<https://evil.example/repositories/1/attestations/sha256:00?after=a>; rel=next".to_owned(),
            "<http://api.github.com/repositories/1/attestations/sha256:00?after=a>; rel=next".to_owned(),
            "<https://a:b@api.github.com/repositories/1?after=a>; rel=next".to_owned(),
            "<https://api.github.com/repositories/1/attestations/sha256:00>; rel=next".to_owned(),
            "<?after=>; rel=next".to_owned(),
            format!("<?after={}>; rel=next", "a".repeat(1025)),
        ] {
            assert_eq!(next_of_github(&elsewhere), NextPage::Elsewhere, "{elsewhere}");
        }
        assert_eq!(next_of_github("<?after=a>; rel=\"prev\""), NextPage::None);
    }

    #[test]
    fn the_page_after_the_next_one_has_one_cursor() {
        let asked = Url::parse(&format!("{LIST}&after=a")).unwrap();
        let next = next_page_of_github(&answer("<?after=b>; rel=next"), &asked);
        assert_eq!(
            next,
            NextPage::At(Url::parse(&format!("{LIST}&after=b")).unwrap())
        );
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
