//! Which GitHub an OpenID Connect issuer speaks for.

/// The OpenID Connect issuer of GitHub Actions.
pub(crate) const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";
/// What the issuer of an enterprise with data residency has before and behind the name of its tenant
/// (<https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency>).
const TENANT: (&str, &str) = ("https://token.actions.", ".ghe.com");

/// The web address of the GitHub whose workflows an issuer speaks for, with a final slash: `https://github.com/`, also if an
/// enterprise has an issuer of its own there (`…/SLUG`), or `https://TENANT.ghe.com/`. `None` for every other issuer.
#[must_use]
pub fn github_of(issuer: &str) -> Option<String> {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let (host, enterprise) = match issuer.strip_prefix("https://")?.split_once('/') {
        Some((host, slug)) => (host, Some(slug)),
        None => (issuer.strip_prefix("https://")?, None),
    };
    if !enterprise.is_none_or(is_name) {
        return None;
    }
    let host = format!("https://{host}");
    if host == GITHUB_ACTIONS {
        return Some("https://github.com/".to_owned());
    }
    let (before, behind) = TENANT;
    let tenant = host.strip_prefix(before)?.strip_suffix(behind)?;
    let is_plain = is_name(tenant)
        && !tenant
            .bytes()
            .any(|byte| byte.is_ascii_uppercase() || byte == b'_');
    is_plain.then(|| format!("https://{tenant}{behind}/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_issuer_of_github_names_its_web_address_and_no_other_does() {
        for (issuer, github) in [
            (GITHUB_ACTIONS, "https://github.com/"),
            (
                "https://token.actions.githubusercontent.com/Octo-Corp",
                "https://github.com/",
            ),
            (
                "https://token.actions.octo-corp.ghe.com",
                "https://octo-corp.ghe.com/",
            ),
            ("https://token.actions.octo.ghe.com/octo", "https://octo.ghe.com/"),
        ] {
            assert_eq!(github_of(issuer).as_deref(), Some(github), "{issuer}");
        }
        for other in [
            "",
            "https://gitlab.com",
            "http://token.actions.githubusercontent.com",
            "https://token.actions.githubusercontent.com/",
            "https://token.actions.githubusercontent.com/a/b",
            "https://token.actions.githubusercontent.com.evil.example",
            "https://token.actions.githubusercontent.com@evil.example",
            "https://token.actions.evil.example?.ghe.com",
            "https://token.actions.evil.example#.ghe.com",
            "https://token.actions.a.b.ghe.com",
            "https://token.actions..ghe.com",
            "https://token.actions.ghe.com",
            "https://token.actions.octo.ghe.com.evil.example",
            "https://token.actions.Octo.ghe.com",
        ] {
            assert_eq!(github_of(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_issuer_leads_to_another_site(issuer in "https://token\\.actions\\.[a-z.@/?#:-]{0,30}(\\.ghe\\.com)?") {
            if let Some(github) = github_of(&issuer) {
                let host = github.trim_start_matches("https://").trim_end_matches('/');
                prop_assert!(host == "github.com" || host.ends_with(".ghe.com"), "{}", github);
                prop_assert!(host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)));
            }
        }
    }
}
