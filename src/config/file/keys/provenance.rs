//! Who must have built the images.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("images", ValueShape::Images)
        .says("Who must have built which images, a block `[[target.images]]` for each rule: see [provenance](provenance.md). \
               The first rule that matches an image applies.")
        .example(r#"[{ image = "ghcr.io/example/web", repository = "example/shop" }]"#),
    PolicyKey::new("source-repository", ValueShape::SourceRepository)
        .says("The GitHub repository, `OWNER/NAME`, from which every image must have been built that neither the lock \
               nor `images` in the policy file names. Images that are not yours need a rule in `[[target.images]]` of \
               the policy file.")
        .example(r#""example/shop""#)
        .option("--source-repository", "OWNER/NAME"),
    PolicyKey::new("source-workflow", ValueShape::SourceWorkflow)
        .says("The workflow that must have built the images: `.github/workflows/FILE` of that repository, or \
               `OWNER/NAME/.github/workflows/FILE` for a reusable one. It also applies to the rules in `images` and in \
               the lock: with `source-repository`, to those of that repository, otherwise to all. The same holds for \
               `source-ref` and `source-commit`.")
        .default("any workflow of the repository")
        .example(r#"".github/workflows/release.yml""#)
        .option("--source-workflow", "PATH"),
    PolicyKey::new("source-ref", ValueShape::SourceRefs)
        .says("The refs that the images may have been built from, such as `refs/tags/v1.2.0`, `refs/tags/*` or \
               `refs/heads/main`.")
        .default("any branch or tag, and no pull request")
        .example(r#"["refs/tags/*"]"#)
        .option("--source-ref", "REF"),
    PolicyKey::new("source-commit", ValueShape::SourceCommit)
        .says("The commit that the images must have been built from, 40 hex digits. In the rules of a lock it also takes the \
               place of the refs that were built from the locked commit: `source-ref` names others.")
        .default("any commit")
        .example(r#""95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012""#)
        .option("--source-commit", "COMMIT"),
    PolicyKey::new("provenance-bundle", ValueShape::Paths)
        .says("Files of Sigstore bundles about the images: each one bundle, a list, JSON lines, or an answer of \
               GitHub's API. GitHub is then asked only about the other images.")
        .example(r#"["web.sigstore.json"]"#)
        .option("--provenance-bundle", "FILE"),
    PolicyKey::new("sigstore-root", ValueShape::Path)
        .says("The Sigstore instances to trust: `trusted_root.json`, or what `gh attestation trusted-root` prints.")
        .default("the built-in ones: the public instance and GitHub's")
        .example(r#""trusted_root.json""#)
        .option("--sigstore-root", "FILE"),
];
