//! What is proven of who built the images, as the rules of a lock.

use std::collections::BTreeMap;

use super::identity;
use super::judge::passing;
use super::records::{images, statements};
use super::rules::rule_of;
use crate::evidence::{MAX_LOOKED_UP, StatementSource};
use crate::policy::{BuildSource, ExpectedSource, GITHUB_ACTIONS, SourcePolicy, WrittenRule};
use crate::verify::provenance::SignedStatement;
use crate::verify::{Claims, name_and_digest};

/// Two digests of one image come from different workflows. A rule goes by an image's name, so no rule holds for both.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "two digests of the image {0} come from different repositories or workflows, and a lock has one rule for its name"
)]
pub struct SeveralSources(pub String);

/// What is proven of the images as the rules that a later verification expects: repository, its number, workflow, ref and commit
/// of each. A waiver stays as it is. Several digests of one name are one rule, which holds their refs and commits.
///
/// # Errors
/// [`SeveralSources`] names an image whose digests differ in more than ref and commit.
pub fn locked_sources(claims: &Claims, policy: &SourcePolicy) -> Result<Vec<WrittenRule>, SeveralSources> {
    let images = images(claims).unwrap_or_default();
    let statements = statements(claims);
    let lock = |image: &String| {
        let (name, digest) = name_and_digest(image)?;
        match &rule_of(name, policy)?.expected {
            ExpectedSource::Unproven(reason) => Some(WrittenRule {
                image: name.to_owned(),
                provenance: Some(format!("none: {reason}")),
                ..WrittenRule::default()
            }),
            ExpectedSource::Built(source) => {
                let key = format!("{name}@sha256:{}", hex::encode(digest));
                let (statement, _) = passing(statements.get(&key)?, source).ok()?;
                locked(name, statement, source)
            }
        }
    };
    merged(images.iter().take(MAX_LOOKED_UP).filter_map(lock))
}

/// What the certificate says, with what the rule accepts beyond it.
fn locked(name: &str, statement: &SignedStatement, source: &BuildSource) -> Option<WrittenRule> {
    let BuildSource {
        repository: _,
        repository_id: _,
        workflow: _,
        workflow_ref,
        refs: _,
        commits: _,
        any_runner,
        environment,
        issuer,
        signature_suffices,
        attestation_repository,
        from,
        via_buildkit,
    } = source;
    let signer = statement.signer();
    let (repository, workflow) = identity::pinned(signer)?;
    Some(WrittenRule {
        image: name.to_owned(),
        repository: Some(repository),
        repository_id: signer.repository_id().and_then(|id| id.parse().ok()),
        workflow: Some(workflow),
        workflow_ref: workflow_ref.clone(),
        refs: signer.git_ref().map(str::to_owned).into_iter().collect(),
        commits: signer.commit().map(str::to_owned).into_iter().collect(),
        runner: any_runner.then(|| "any".to_owned()),
        environment: environment.clone(),
        issuer: (issuer != GITHUB_ACTIONS).then(|| issuer.clone()),
        accept: match signature_suffices {
            true => vec!["provenance".to_owned(), "signature".to_owned()],
            false => Vec::new(),
        },
        attestation_repository: attestation_repository.clone(),
        from: match from.as_slice() {
            [StatementSource::GithubApi] => Vec::new(),
            from => from.iter().map(ToString::to_string).collect(),
        },
        via: via_buildkit.then(|| "buildkit".to_owned()),
        provenance: None,
        optional: false,
    })
}

/// One rule for each name, in the order of the names.
fn merged(rules: impl Iterator<Item = WrittenRule>) -> Result<Vec<WrittenRule>, SeveralSources> {
    let mut by_name: BTreeMap<String, WrittenRule> = BTreeMap::new();
    for rule in rules {
        let Some(before) = by_name.get_mut(&rule.image) else {
            by_name.insert(rule.image.clone(), rule);
            continue;
        };
        let rest = |rule: &WrittenRule| WrittenRule {
            refs: Vec::new(),
            commits: Vec::new(),
            ..rule.clone()
        };
        if rest(before) != rest(&rule) {
            return Err(SeveralSources(rule.image));
        }
        let add = |to: &mut Vec<String>, from: Vec<String>| {
            let new: Vec<String> = from.into_iter().filter(|text| !to.contains(text)).collect();
            to.extend(new);
        };
        add(&mut before.refs, rule.refs);
        add(&mut before.commits, rule.commits);
    }
    Ok(by_name.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{ImagePattern, Origin, SourceRule};

    fn rule(image: &str, workflow: &str, commit: &str) -> WrittenRule {
        WrittenRule {
            image: image.to_owned(),
            repository: Some("example/shop".to_owned()),
            workflow: Some(workflow.to_owned()),
            refs: vec!["refs/heads/main".to_owned()],
            commits: vec![commit.to_owned()],
            ..WrittenRule::default()
        }
    }

    #[test]
    fn two_digests_of_a_name_are_one_rule_with_both_commits_wherever_they_stand() {
        let rules = [
            rule("a", "x.yml", "1"),
            rule("b", "x.yml", "3"),
            rule("a", "x.yml", "2"),
        ];
        let found = merged(rules.into_iter()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].commits, ["1", "2"]);
        assert_eq!(found[0].refs, ["refs/heads/main"]);
        let rules = [rule("a", "x.yml", "1"), rule("a", "y.yml", "1")];
        assert_eq!(merged(rules.into_iter()), Err(SeveralSources("a".to_owned())));
    }

    #[test]
    fn two_digests_of_a_name_that_were_built_of_two_tags_are_one_rule_with_both() {
        let of = |git_ref: &str| WrittenRule {
            refs: vec![git_ref.to_owned()],
            ..rule("a", "x.yml", "1")
        };
        let found = merged([of("refs/tags/v1"), of("refs/tags/v2")].into_iter()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].refs, ["refs/tags/v1", "refs/tags/v2"]);
        assert_eq!(found[0].commits, ["1"]);
    }

    /// The rule of a lock accepts no other issuer than the one that signed, and says so where it is not GitHub's own.
    #[test]
    fn a_locked_rule_names_an_issuer_that_is_not_the_usual_one() {
        use super::super::identity::tests::rule;
        use crate::verify::provenance::SignerClaims;

        const OWN: &str = "https://token.actions.example.ghe.com";
        for (issuer, github, written) in [
            (GITHUB_ACTIONS, "https://github.com", None),
            (OWN, "https://example.ghe.com", Some(OWN)),
        ] {
            let source = BuildSource {
                issuer: issuer.to_owned(),
                ..rule()
            };
            let repository = format!("{github}/example/shop");
            let subject = format!("{repository}/.github/workflows/release.yml@refs/tags/v1");
            let claims = [(8, issuer), (9, &subject), (12, &repository)];
            let claims = SignerClaims::made_up(Some(&subject), &claims);
            let statement = SignedStatement::made_up(claims, "", serde_json::Value::Null);
            let found = locked("ghcr.io/example/shop", &statement, &source).unwrap();
            assert_eq!(found.image, "ghcr.io/example/shop");
            assert_eq!(found.issuer.as_deref(), written);
            assert_eq!(found.provenance, None);
        }
    }

    /// What was accepted without a proof stays so, with its reason, and no image gets a rule that it had not.
    #[test]
    fn a_waiver_is_written_again_with_its_image_and_its_reason() {
        let claims = crate::checks::claims_for_tests::healthy();
        let waiver = SourceRule {
            image: ImagePattern::Exact("ghcr.io/example/web".to_owned()),
            expected: ExpectedSource::Unproven("built by hand".to_owned()),
            is_optional: false,
            origin: Origin::Option("--provenance"),
        };
        let policy = |rules: Vec<SourceRule>| SourcePolicy {
            rules: rules.into(),
            ..SourcePolicy::default()
        };
        let found = locked_sources(&claims, &policy(vec![waiver])).unwrap();
        let expected = WrittenRule {
            image: "ghcr.io/example/web".to_owned(),
            provenance: Some("none: built by hand".to_owned()),
            ..WrittenRule::default()
        };
        assert_eq!(found, [expected]);
        assert_eq!(locked_sources(&claims, &policy(Vec::new())), Ok(Vec::new()));
    }
}
