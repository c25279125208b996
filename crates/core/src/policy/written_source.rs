//! A rule of who must have built images as a person or a lock writes it, and what is wrong with it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::expected::Origin;
use super::github_issuer::{GITHUB_ACTIONS, github_of};
use super::source::{BuildSource, ExpectedSource, SourceRule};
use super::source_rule_values::{
    SourceRuleError, commit, image_pattern, ref_pattern, repository_name, workflow, workflow_ref,
};
use crate::evidence::StatementSource;

/// Longest text of a rule, in bytes.
const MAX_TEXT: usize = 500;

/// A rule as it is written: the keys of a block of `[[target.images]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WrittenRule {
    /// `ghcr.io/example/web`, `ghcr.io/example/*` or `*`.
    pub image: String,
    /// `OWNER/NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The repository's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_id: Option<u64>,
    /// `.github/workflows/release.yml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// The ref of a reusable workflow, or the commit that it is called by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_ref: Option<String>,
    /// `refs/tags/*`.
    #[serde(
        default,
        rename = "ref",
        deserialize_with = "listed",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub refs: Vec<String>,
    /// 40 hex digits each.
    #[serde(
        default,
        rename = "commit",
        deserialize_with = "listed",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub commits: Vec<String>,
    /// `github-hosted` or `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// The deployment environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The OpenID Connect issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `provenance`, `signature`.
    #[serde(default, deserialize_with = "listed", skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// `OWNER/NAME` of the repository that GitHub stores the statements of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation_repository: Option<String>,
    /// `github-api`, `registry`.
    #[serde(default, deserialize_with = "listed", skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// `buildkit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// `none: REASON`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<String>,
    /// Whether an image of that name may be absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// An empty list would look like an expectation, and expect nothing.
fn listed<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<String>, D::Error> {
    match Vec::deserialize(reader)? {
        list if list.is_empty() => Err(D::Error::custom(
            "has an empty list, which would expect nothing; remove the key, or write what is expected",
        )),
        list => Ok(list),
    }
}

impl WrittenRule {
    /// Judges a rule.
    ///
    /// # Errors
    /// `SourceRuleError` names the key and what to write.
    pub fn rule(&self, origin: Origin) -> Result<SourceRule, SourceRuleError> {
        self.within_limits()?;
        let image = image_pattern(&self.image)?;
        let expected = match &self.provenance {
            Some(text) => self.unproven(text)?,
            None => ExpectedSource::Built(Box::new(self.built()?)),
        };
        Ok(SourceRule {
            image,
            expected,
            is_optional: self.optional,
            origin,
        })
    }

    fn within_limits(&self) -> Result<(), SourceRuleError> {
        let texts = [
            ("image", Some(&self.image)),
            ("repository", self.repository.as_ref()),
            ("workflow", self.workflow.as_ref()),
            ("workflow-ref", self.workflow_ref.as_ref()),
            ("environment", self.environment.as_ref()),
            ("issuer", self.issuer.as_ref()),
            ("attestation-repository", self.attestation_repository.as_ref()),
            ("via", self.via.as_ref()),
            ("provenance", self.provenance.as_ref()),
        ];
        let lists = [
            ("ref", &self.refs),
            ("commit", &self.commits),
            ("accept", &self.accept),
            ("from", &self.from),
        ];
        let texts = texts.into_iter().filter_map(|(key, text)| Some((key, text?)));
        let listed = lists
            .into_iter()
            .flat_map(|(key, list)| list.iter().map(move |text| (key, text)));
        for (key, text) in texts.chain(listed) {
            if text.trim().is_empty() {
                return Err(SourceRuleError::new(key, "is empty"));
            }
            if text.len() > MAX_TEXT || text.chars().any(char::is_control) {
                return Err(SourceRuleError::new(
                    key,
                    format!("is longer than {MAX_TEXT} bytes or holds a control character"),
                ));
            }
        }
        Ok(())
    }

    fn unproven(&self, text: &str) -> Result<ExpectedSource, SourceRuleError> {
        let reason = text
            .strip_prefix("none:")
            .map(str::trim)
            .filter(|reason| !reason.is_empty());
        let wrong = |problem: &str| SourceRuleError::new("provenance", problem);
        let reason =
            reason.ok_or_else(|| wrong("waives the proof, so it needs a reason: write \"none: REASON\""))?;
        let bare = Self {
            image: self.image.clone(),
            provenance: self.provenance.clone(),
            optional: self.optional,
            ..Self::default()
        };
        if *self != bare {
            return Err(wrong(
                "waives the proof of these images, and the rule expects a source, too; remove one of them",
            ));
        }
        Ok(ExpectedSource::Unproven(reason.to_owned()))
    }

    fn built(&self) -> Result<BuildSource, SourceRuleError> {
        let wrong = |key, problem: &str| Err(SourceRuleError::new(key, problem));
        let Some(repository) = &self.repository else {
            return wrong(
                "repository",
                "is missing: write \"OWNER/NAME\", or waive the proof with provenance = \"none: REASON\"",
            );
        };
        let commits = self.commits.iter().map(|text| commit(text));
        let refs = self.refs.iter().map(|text| ref_pattern(text));
        let any_runner = match self.runner.as_deref() {
            None | Some("github-hosted") => false,
            Some("any") => true,
            Some(_) => return wrong("runner", "is neither \"github-hosted\" nor \"any\""),
        };
        let mut signature_suffices = false;
        for word in &self.accept {
            match word.as_str() {
                "provenance" => {}
                "signature" => signature_suffices = true,
                _ => return wrong("accept", "is neither \"provenance\" nor \"signature\""),
            }
        }
        let issuer = self.issuer.as_deref().unwrap_or(GITHUB_ACTIONS);
        if github_of(issuer).is_none() {
            let problem = format!(
                "is not an issuer of GitHub Actions, and no other is read: write \"{GITHUB_ACTIONS}/ENTERPRISE\", \
                 \"https://token.actions.TENANT.ghe.com\", or leave it out"
            );
            return wrong("issuer", &problem);
        }
        let via_buildkit = match self.via.as_deref() {
            None => false,
            Some("buildkit") => true,
            Some(_) => return wrong("via", "is not \"buildkit\""),
        };
        let mut from = Vec::new();
        for word in &self.from {
            match StatementSource::of_word(word) {
                Some(source) if source != StatementSource::File => from.push(source),
                _ => return wrong("from", "is neither \"github-api\" nor \"registry\""),
            }
        }
        if from.is_empty() {
            from.push(StatementSource::GithubApi);
        }
        if via_buildkit && !from.contains(&StatementSource::Registry) {
            return wrong(
                "via",
                "needs the image's registry, which holds BuildKit's attestation: write from = [\"registry\"]",
            );
        }
        let attestations = self.attestation_repository.as_deref();
        Ok(BuildSource {
            repository: repository_name("repository", repository)?,
            repository_id: self.repository_id,
            workflow: self.workflow.as_deref().map(workflow).transpose()?,
            workflow_ref: self.workflow_ref.as_deref().map(workflow_ref).transpose()?,
            refs: refs.collect::<Result<_, _>>()?,
            commits: commits.collect::<Result<_, _>>()?,
            any_runner,
            environment: self.environment.clone(),
            issuer: issuer.to_owned(),
            signature_suffices,
            attestation_repository: attestations
                .map(|text| repository_name("attestation-repository", text))
                .transpose()?,
            from,
            via_buildkit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> WrittenRule {
        WrittenRule {
            image: "ghcr.io/example/web".to_owned(),
            repository: Some("example/shop".to_owned()),
            ..WrittenRule::default()
        }
    }

    fn refused(rule: &WrittenRule) -> &'static str {
        rule.rule(Origin::Option("--test")).unwrap_err().key
    }

    #[test]
    fn what_is_written_in_no_known_form_is_refused_under_its_key() {
        let of = |change: &dyn Fn(&mut WrittenRule)| {
            let mut rule = written();
            change(&mut rule);
            refused(&rule)
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of(&|rule| rule.image = "web:1.0".to_owned()), "image");
        assert_eq!(of(&|rule| rule.image = "web@sha256:00".to_owned()), "image");
        assert_eq!(of(&|rule| rule.image = String::new()), "image");
        assert_eq!(of(&|rule| rule.repository = None), "repository");
        assert_eq!(
            of(&|rule| rule.repository = text("https://github.com/a/b")),
            "repository"
        );
        assert_eq!(of(&|rule| rule.repository = text("a/..")), "repository");
        assert_eq!(of(&|rule| rule.workflow = text("release")), "workflow");
        for workflow in [
            ".github/workflows/release.yml@refs/heads/main",
            ".github/workflows/release.yml@refs/heads/a.yml",
            ".github/workflows/.yml",
            "https://github.com/example/tools/.github/workflows/build.yml",
            "github.com/example/tools/.github/workflows/build.yml",
            "tools/.github/workflows/build.yml",
            "/.github/workflows/build.yml",
            "example/tools/x.github/workflows/build.yml",
        ] {
            assert_eq!(
                of(&|rule| rule.workflow = text(workflow)),
                "workflow",
                "{workflow}"
            );
        }
        assert_eq!(of(&|rule| rule.refs = vec!["main".to_owned()]), "ref");
        assert_eq!(of(&|rule| rule.refs = vec!["refs/*/main".to_owned()]), "ref");
        assert_eq!(of(&|rule| rule.commits = vec!["95baf27".to_owned()]), "commit");
        assert_eq!(of(&|rule| rule.runner = text("self-hosted")), "runner");
        assert_eq!(of(&|rule| rule.accept = vec!["anything".to_owned()]), "accept");
        assert_eq!(of(&|rule| rule.from = vec!["rekor".to_owned()]), "from");
        assert_eq!(of(&|rule| rule.via = text("buildkit")), "via");
        let via = |rule: &mut WrittenRule| {
            rule.from = vec!["registry".to_owned()];
            rule.via = text("anything");
        };
        assert_eq!(of(&via), "via");
        assert_eq!(of(&|rule| rule.issuer = text("https://gitlab.com")), "issuer");
        assert_eq!(
            of(&|rule| rule.issuer = text("https://ghes.example/_services/token")),
            "issuer"
        );
        assert_eq!(of(&|rule| rule.environment = text("a\u{1b}b")), "environment");
        assert_eq!(of(&|rule| rule.workflow = text(&"x".repeat(501))), "workflow");
        // A waiver needs a reason, and stands alone.
        assert_eq!(of(&|rule| rule.provenance = text("none")), "provenance");
        assert_eq!(
            of(&|rule| rule.provenance = text("none: old image")),
            "provenance"
        );
    }

    #[test]
    fn a_workflow_of_the_repository_itself_and_one_of_another_are_read() {
        for workflow in [
            ".github/workflows/release.yml",
            "./.github/workflows/release.yaml",
            "example/tools/.github/workflows/build.yml",
            "my-org/.github/.github/workflows/build.yml",
        ] {
            let mut rule = written();
            rule.workflow = Some(workflow.to_owned());
            assert!(rule.rule(Origin::Option("--test")).is_ok(), "{workflow}");
        }
    }

    #[test]
    fn the_assurance_needs_the_workflow_and_a_ref_or_a_commit() {
        let pins = |change: &dyn Fn(&mut WrittenRule)| {
            let mut rule = written();
            change(&mut rule);
            match rule.rule(Origin::Option("--test")).unwrap().expected {
                ExpectedSource::Built(source) => source.open_parts().is_empty(),
                ExpectedSource::Unproven(_) => unreachable!(),
            }
        };
        let workflow =
            |rule: &mut WrittenRule| rule.workflow = Some(".github/workflows/release.yml".to_owned());
        assert!(!pins(&|_| {}));
        assert!(!pins(&workflow));
        assert!(!pins(&|rule| rule.commits = vec!["0".repeat(40)]));
        assert!(pins(&|rule| {
            workflow(rule);
            rule.commits = vec!["0".repeat(40)];
        }));
        assert!(pins(&|rule| {
            workflow(rule);
            rule.refs = vec!["refs/tags/*".to_owned()];
        }));
    }
}
