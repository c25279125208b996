//! Who must have built the images.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("images", ValueShape::Images)
        .says("Who must have built which images, a block `[[target.images]]` for each rule: see [provenance](provenance.md). \
               The first rule that matches an image applies.")
        .example(r#"[{ image = "ghcr.io/example/web", repository = "example/shop" }]"#),
    PolicyKey::new("source-repository", ValueShape::SourceRepository)
        .says("The GitHub repository, `OWNER/NAME`, from which every image must have been built that neither `images` nor the \
               lock names.")
        .example(r#""example/shop""#)
        .option("--source-repository", "OWNER/NAME")
        .help("The GitHub repository, OWNER/NAME, from which every image must have been built that neither the policy \
               file nor the lock names. Images that are not yours need a rule in `[[target.images]]` of the policy file"),
    PolicyKey::new("source-workflow", ValueShape::SourceWorkflow)
        .says("The workflow that must have built the images. It also applies to the rules in `images` and in the lock: with \
               `source-repository`, to those of that repository, otherwise to all. The same holds for `source-ref` and \
               `source-commit`.")
        .default("any workflow of the repository")
        .example(r#"".github/workflows/release.yml""#)
        .option("--source-workflow", "PATH")
        .help("The workflow that must have built the images: .github/workflows/FILE of that repository, or \
               OWNER/NAME/.github/workflows/FILE for a reusable one"),
    PolicyKey::new("source-ref", ValueShape::SourceRefs)
        .says("The refs that the images may have been built from.")
        .default("any branch or tag, and no pull request")
        .example(r#"["refs/tags/*"]"#)
        .option("--source-ref", "REF")
        .help("The ref that the images must have been built from: refs/tags/v1.2.0, refs/tags/*, refs/heads/main. \
               Repeatable: any of them"),
    PolicyKey::new("source-commit", ValueShape::SourceCommit)
        .says("The commit that the images must have been built from.")
        .default("any commit")
        .example(r#""95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012""#)
        .option("--source-commit", "COMMIT")
        .help("The commit that the images must have been built from, 40 hex digits. Like workflow and ref, it also \
               applies to the rules of the policy file and the lock: with --source-repository, to those of that \
               repository, otherwise to all"),
    PolicyKey::new("provenance-bundle", ValueShape::Paths)
        .says("Files of Sigstore bundles about the images. GitHub is then asked only about the other images.")
        .example(r#"["web.sigstore.json"]"#)
        .option("--provenance-bundle", "FILE")
        .help("A file of Sigstore bundles about the images: one, a list, JSON lines, or an answer of GitHub's API. \
               Repeatable. GitHub is then asked only about the other images"),
    PolicyKey::new("sigstore-root", ValueShape::Path)
        .says("The Sigstore instances to trust: `trusted_root.json`, or what `gh attestation trusted-root` prints.")
        .default("the built-in ones: the public instance and GitHub's")
        .example(r#""trusted_root.json""#)
        .option("--sigstore-root", "FILE")
        .help("The Sigstore instances to trust, instead of the built-in ones: trusted_root.json, or what `gh attestation \
               trusted-root` prints"),
];
