//! `[[sources]]`: who built the images, as it was proven when the lock was taken. Each block is a rule as in
//! `[[target.images]]` of the policy file, with underscores in the names of its keys.

use toml::de::DeValue;

use super::list::ListOf;
use super::{LockMistake, LockProblem};
use crate::policy::{LockOrigin, MAX_SOURCE_RULES, SourcePolicy, SourceRule, WrittenRule};
use crate::toml_text::literal::quoted;
use crate::toml_text::{FoundMistakes, TomlEntry, TomlTable};

const KEYS: [&str; 15] = [
    "image",
    "repository",
    "repository_id",
    "workflow",
    "workflow_ref",
    "ref",
    "commit",
    "runner",
    "environment",
    "issuer",
    "accept",
    "attestation_repository",
    "from",
    "via",
    "provenance",
];

/// The line that begins a rule.
pub(super) const HEADER: &str = "[[sources]]";

/// Reads `[[sources]]`.
pub(super) fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Vec<WrittenRule> {
    ListOf {
        expected: "a list of sections: [[sources]]",
        most: MAX_SOURCE_RULES,
        many: LockProblem::ManySources,
        keys: &[&KEYS],
    }
    .read(entry, mistakes, rule)
}

fn rule(section: &mut TomlTable<'_>) -> Result<WrittenRule, LockMistake> {
    let wrong = |section: &TomlTable<'_>, key: &str, problem: String| {
        section.missing(key, LockProblem::SourceRule(problem))
    };
    let image = section.need("image", LockProblem::Missing)?.string()?.to_owned();
    let id = text(section, "repository_id")?.map(|id| id.parse());
    let rule = WrittenRule {
        image,
        repository: text(section, "repository")?,
        repository_id: id
            .transpose()
            .map_err(|_| wrong(section, "repository_id", "is not a number in quotes".to_owned()))?,
        workflow: text(section, "workflow")?,
        workflow_ref: text(section, "workflow_ref")?,
        refs: list(section, "ref")?,
        commits: list(section, "commit")?,
        runner: text(section, "runner")?,
        environment: text(section, "environment")?,
        issuer: text(section, "issuer")?,
        accept: list(section, "accept")?,
        attestation_repository: text(section, "attestation_repository")?,
        from: list(section, "from")?,
        via: text(section, "via")?,
        provenance: text(section, "provenance")?,
        // What was proven of a deployment runs in it.
        optional: false,
    };
    match rule.rule(LockOrigin::from("").key(&[])) {
        Ok(_) => Ok(rule),
        Err(error) => Err(wrong(section, error.key, error.problem)),
    }
}

fn text(section: &mut TomlTable<'_>, key: &str) -> Result<Option<String>, LockMistake> {
    let entry = section.take(key);
    entry.map(|entry| entry.string().map(str::to_owned)).transpose()
}

/// One text, or a list of them.
fn list(section: &mut TomlTable<'_>, key: &str) -> Result<Vec<String>, LockMistake> {
    let Some(entry) = section.take(key) else {
        return Ok(Vec::new());
    };
    let wrong_type = entry.type_error("a text or a list of texts");
    match entry.value() {
        DeValue::String(text) => Ok(vec![text.to_string()]),
        DeValue::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                _ => Err(wrong_type.clone()),
            })
            .collect(),
        _ => Err(wrong_type),
    }
}

/// The text of `[[sources]]`, empty if there are none.
pub(super) fn write(rules: &[WrittenRule]) -> String {
    const COMMENT: &str = "
# Who built the images, as a signed statement says of each. Review repository, workflow, ref and commit: a monitor expects
# exactly these, and a release gives its own commit with --source-commit, which takes the place of commit and ref.
";
    let mut out = String::new();
    if !rules.is_empty() {
        out.push_str(COMMENT);
    }
    for rule in rules {
        out.push_str(HEADER);
        out.push('\n');
        for (key, values) in lines(rule) {
            let written: Vec<String> = values.iter().map(|value| quoted(value)).collect();
            match written.as_slice() {
                [one] => out.push_str(&format!("{key} = {one}\n")),
                several => out.push_str(&format!("{key} = [{}]\n", several.join(", "))),
            }
        }
    }
    out
}

/// The keys of a rule with their values, in the order of the file.
pub(super) fn lines(rule: &WrittenRule) -> Vec<(&'static str, Vec<String>)> {
    let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
    let id = rule.repository_id.map(|id| id.to_string());
    let values = [
        vec![rule.image.clone()],
        one(&rule.repository),
        one(&id),
        one(&rule.workflow),
        one(&rule.workflow_ref),
        rule.refs.clone(),
        rule.commits.clone(),
        one(&rule.runner),
        one(&rule.environment),
        one(&rule.issuer),
        rule.accept.clone(),
        one(&rule.attestation_repository),
        rule.from.clone(),
        one(&rule.via),
        one(&rule.provenance),
    ];
    let given = KEYS.into_iter().zip(values);
    given.filter(|(_, values)| !values.is_empty()).collect()
}

/// The rules as a policy that nothing else was said for.
pub(super) fn policy(rules: &[WrittenRule], lock: &LockOrigin, before: SourcePolicy) -> SourcePolicy {
    if !before.rules.is_empty() {
        return before;
    }
    let rules: Vec<SourceRule> = rules
        .iter()
        .enumerate()
        .filter_map(|(number, rule)| rule.rule(lock.key(&["sources", &number.to_string()])).ok())
        .collect();
    SourcePolicy {
        rules: rules.into(),
        ..before
    }
}
