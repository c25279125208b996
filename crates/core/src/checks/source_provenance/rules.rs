//! Which rule names an image, and which rules name none.

use std::collections::BTreeSet;

use crate::policy::{ExpectedSource, ImagePattern, SourcePolicy, SourceRule, normal_name};

pub(super) fn rule_of<'p>(name: &str, policy: &'p SourcePolicy) -> Option<&'p SourceRule> {
    let name = normal_name(name);
    policy.rules.iter().find(|rule| rule.image.names(&name))
}

/// The name of an image that is not pinned, without its tag.
pub(super) fn name_of(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or(image);
    let path = name.rfind('/').map_or(0, |at| at + 1);
    let tag = name.get(path..).and_then(|last| last.find(':'));
    tag.and_then(|at| name.get(..path + at)).unwrap_or(name)
}

/// The rules that demand a source and name no image: what they demand is not judged, for example after an image was renamed. A rule
/// for all images names whatever runs, a waiver demands nothing, and an `optional` rule may have no image. Several targets may share
/// rules: one that no image can have escaped from is that of another target.
pub(super) fn unused_rules<'p>(images: &BTreeSet<String>, policy: &'p SourcePolicy) -> Vec<&'p SourceRule> {
    let names: Vec<String> = images.iter().map(|image| normal_name(name_of(image))).collect();
    let is_unused = |rule: &&SourceRule| {
        let demands = matches!(rule.expected, ExpectedSource::Built(_)) && rule.image != ImagePattern::Rest;
        demands && !rule.is_optional && !names.iter().any(|name| rule.image.names(name))
    };
    policy.rules.iter().filter(is_unused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_image_is_what_stands_before_tag_and_digest() {
        for (image, name) in [
            ("web", "web"),
            ("web:1", "web"),
            ("r.example:5000/a/web", "r.example:5000/a/web"),
            ("r.example:5000/a/web:1", "r.example:5000/a/web"),
            ("web:1@sha256:00", "web"),
            ("/web:1", "/web"),
            ("r.example:/web", "r.example:/web"),
        ] {
            assert_eq!(name_of(image), name);
        }
    }
}
