//! Settings in, the rules of who must have built the images out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::setting_problem::SettingProblem;
use crate::config::{SettingLevel, Settings, WrittenValue, path_of};
use crate::env::Env;
use crate::files;
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::{MAX_STATEMENT_FILE, StatementFile};
use cvm_verify_core::policy::{
    BuildSource, ExpectedSource, MAX_SOURCE_RULES, Origin, RefPattern, SourcePolicy, SourceRule, WrittenRule,
};
use cvm_verify_core::verify::provenance::SigstoreRoots;

/// The policy, where a lock says `locked`. The blocks of `[[target.images]]` replace those of a lock; `--source-repository` is a
/// rule for every image that no block names. The other short options change what the rules of that repository expect; without
/// a repository, what all rules expect. `[defaults]` change nothing that a block of a target says.
pub(crate) fn source_policy(
    settings: &Settings,
    locked: &SourcePolicy,
    problems: &mut Vec<SettingProblem>,
) -> SourcePolicy {
    let blocks = settings.all("images");
    let mut rules: Vec<SourceRule> = match blocks.is_empty() {
        true => locked.rules.to_vec(),
        false => blocks
            .iter()
            .filter_map(|value| {
                let parsed = block(value);
                parsed
                    .map_err(|problem| problems.push(SettingProblem::of("images", value, problem)))
                    .ok()
            })
            .collect(),
    };
    short_form(settings, &mut rules, problems);
    let written = blocks.first().map(|value| ("images", value));
    let written = written.or_else(|| Some(("source-repository", settings.one("source-repository")?)));
    if let Some((key, value)) = written {
        let mut seen = BTreeSet::new();
        if let Some(rule) = rules.iter().find(|rule| !seen.insert(rule.image.to_string())) {
            let problem = format!("two rules name the image {}; keep one", rule.image);
            problems.push(SettingProblem::of(key, value, problem));
        }
        if rules.len() > MAX_SOURCE_RULES {
            let problem = format!("there are more than {MAX_SOURCE_RULES} rules");
            problems.push(SettingProblem::of(key, value, problem));
        }
    }
    SourcePolicy {
        rules: rules.into(),
        roots: roots(settings, problems),
        roots_origin: settings.one("sigstore-root").map(|value| value.origin.clone()),
        files: statement_files(settings, problems).into(),
    }
}

fn block(value: &WrittenValue) -> Result<SourceRule, String> {
    let written: WrittenRule = serde_json::from_str(&value.text).map_err(|error| error.to_string())?;
    written
        .rule(value.origin.clone())
        .map_err(|error| error.to_string())
}

/// The four short options.
fn short_form(settings: &Settings, rules: &mut Vec<SourceRule>, problems: &mut Vec<SettingProblem>) {
    let one = |key: &str| settings.one(key).map(|value| value.text.clone());
    let written = WrittenRule {
        image: "*".to_owned(),
        repository: one("source-repository"),
        workflow: one("source-workflow"),
        refs: settings
            .all("source-ref")
            .iter()
            .map(|value| value.text.clone())
            .collect(),
        commits: one("source-commit").into_iter().collect(),
        ..WrittenRule::default()
    };
    let keys = [
        "source-repository",
        "source-workflow",
        "source-ref",
        "source-commit",
    ];
    let Some((key, value)) = keys.iter().find_map(|key| Some((*key, settings.one(key)?))) else {
        return;
    };
    let is_whole = written.repository.is_some();
    if !is_whole && rules.is_empty() {
        let problem = "it needs --source-repository OWNER/NAME, or rules in [[target.images]] or the lock";
        problems.push(SettingProblem::of(key, value, problem));
        return;
    }
    // Without a repository of its own, the values are judged as those of any.
    let judged = WrittenRule {
        repository: Some(written.repository.clone().unwrap_or_else(|| "any/any".to_owned())),
        ..written
    };
    // The rule is that of the option where the commit is: some image must then be judged by it, also if the policy file names the
    // repository.
    let asked = settings
        .one("source-commit")
        .filter(|value| value.level == SettingLevel::Option);
    let origin = asked.unwrap_or(value).origin.clone();
    let rule = match judged.rule(origin) {
        Ok(rule) => rule,
        Err(error) => {
            let key = keys
                .into_iter()
                .find(|key| key.strip_prefix("source-") == Some(error.key))
                .unwrap_or(key);
            let value = settings.one(key).unwrap_or(value);
            problems.push(SettingProblem::of(
                key,
                value,
                format!("the value {}", error.problem),
            ));
            return;
        }
    };
    let ExpectedSource::Built(short) = &rule.expected else {
        return;
    };
    // Over a block stand a value of its own level and one of a higher one; a lower one says what the block leaves open.
    let blocks = settings.one("images").map(|block| block.level);
    let stands = |key: &str| settings.one(key).is_some_and(|value| Some(value.level) >= blocks);
    let mut demands_any = is_whole;
    for earlier in rules.iter_mut() {
        let ExpectedSource::Built(source) = &mut earlier.expected else {
            continue;
        };
        demands_any = true;
        if is_whole && !source.repository.eq_ignore_ascii_case(&short.repository) {
            continue;
        }
        if short.workflow.is_some() && (source.workflow.is_none() || stands("source-workflow")) {
            if source.workflow != short.workflow {
                // It is a ref of the other workflow's repository.
                source.workflow_ref = None;
            }
            source.workflow.clone_from(&short.workflow);
        }
        if !short.commits.is_empty() && (source.commits.is_empty() || stands("source-commit")) {
            if matches!(earlier.origin, Origin::Lock(_)) {
                forget_observed_refs(source);
            }
            source.commits.clone_from(&short.commits);
        }
        if !short.refs.is_empty() && (source.refs.is_empty() || stands("source-ref")) {
            source.refs.clone_from(&short.refs);
        }
    }
    let by_hand = keys.iter().find_map(|key| {
        let value = settings
            .one(key)
            .filter(|value| value.level > SettingLevel::Defaults)?;
        Some((*key, value))
    });
    if let (false, Some((key, value))) = (demands_any, by_hand) {
        let problem = "it is expected of no image: every rule says that its image has no provenance";
        problems.push(SettingProblem::of(key, value, problem));
    }
    if is_whole {
        rules.push(rule);
    }
}

/// Takes out of the rule of a lock the refs that were observed with its commits, because other commits take their place: a later release
/// has another tag. The commit pins the code, and every branch and tag that holds it may be built; never a pull request. A pattern was
/// written by a person, as is a ref without a commit: those stay.
fn forget_observed_refs(source: &mut BuildSource) {
    if !source.commits.is_empty() {
        source
            .refs
            .retain(|pattern| matches!(pattern, RefPattern::Prefix(_)));
    }
}

fn roots(settings: &Settings, problems: &mut Vec<SettingProblem>) -> Arc<SigstoreRoots> {
    let Some(value) = settings.one("sigstore-root") else {
        return SigstoreRoots::built_in();
    };
    let path = path_of(value);
    let read = files::read(&path, files::CERTIFICATE_LIMIT).map_err(|error| error.to_string());
    let parsed = read.and_then(|bytes| {
        SigstoreRoots::of_file(&bytes).map_err(|error| format!("{}: {error}", path.display()))
    });
    match parsed {
        Ok(roots) => Arc::new(roots),
        Err(error) => {
            problems.push(SettingProblem::of_named_file("sigstore-root", value, error));
            SigstoreRoots::built_in()
        }
    }
}

fn statement_files(settings: &Settings, problems: &mut Vec<SettingProblem>) -> Vec<StatementFile> {
    let read = |value: &WrittenValue| {
        let path = path_of(value);
        let bytes = files::read(&path, MAX_STATEMENT_FILE as u64).map_err(|error| error.to_string())?;
        let shown = path.display().to_string();
        StatementFile::parse(&shown, &bytes).map_err(|error| format!("{shown}: {error}"))
    };
    let mut found = Vec::new();
    for value in settings.all("provenance-bundle") {
        match read(value) {
            Ok(file) => found.push(file),
            Err(error) => problems.push(SettingProblem::of_named_file("provenance-bundle", value, error)),
        }
    }
    found
}

/// A scheduled run verifies what was deployed earlier: the head of its branch is not that.
pub(crate) fn refuse_commit_on_schedule(options: &Settings, env: &Env) -> Result<(), UsageError> {
    match options.one("source-commit") {
        Some(_) if env.is_scheduled() => Err(UsageError::option(
            "--source-commit",
            "this run is scheduled, and the current commit of its branch is not the one that was deployed; a monitor takes \
             the commit from the lock (cvm-verify pin writes it)",
        )),
        _ => Ok(()),
    }
}
