//! The reasons of `source-provenance`, and what to do about each.

use crate::checks::measured_compose::{COMPOSE_NOT_PROVEN, NO_COMPOSE_DOCUMENT};
use crate::checks::{BOOT_ORDER_NOT_PROVEN, EVENT_LOG_NOT_PROVEN, QUOTE_NOT_PROVEN, Reason, reasons};
use crate::evidence::LookupProblemKind;
use crate::verify::provenance::Refusal;

const ATTEST: &str = "Deploy an image that the expected workflow built and attested (actions/attest with the image's digest). If \
                      the release moved, change the rule in [[target.images]] or the lock, and review that change.";
const BUNDLE: &str = "Attest the image again with a current version of actions/attest, or give the right bundle with \
                      --provenance-bundle. If this stays, the bundle was changed on its way.";
const UPDATE: &str = "Update cvm-verify, or give the current roots with --sigstore-root FILE (`gh attestation trusted-root` \
                      prints them).";

reasons! {
    pub(super) REASONS with [
        &NO_COMPOSE_DOCUMENT,
        &COMPOSE_NOT_PROVEN,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ]:
    NOT_CONFIGURED "not-configured"
        "No rule says who must have built the images."
        "To have it proven: --source-repository OWNER/NAME --source-workflow .github/workflows/FILE --source-ref 'refs/tags/*', \
         or [[target.images]] in the policy file.";
    NO_RULE "no-rule"
        "An image has no rule, so it was not asked who built it."
        "Add [[target.images]] for it: a `repository`, or provenance = \"none: REASON\".";
    UNPROVEN "unproven-images"
        "Who built an image is not proven; a rule accepts that and gives the reason."
        "Nothing, while the reason holds. To reach `source`, use images with provenance and remove the rule.";
    NO_PROVENANCE "no-provenance"
        "No statement about an image was found, and a rule expects one."
        "Attest the image in the workflow that builds it (actions/attest, permissions id-token and attestations: write), by the digest that \
         the compose file pins: for an image of several platforms pin the digest of the index, which the push printed. Or \
         waive it in writing: [[target.images]] with provenance = \"none: REASON\". For a private repository, also give a token \
         in CVM_VERIFY_SOURCE_TOKEN.";
    LEGACY_SIGNATURE "legacy-signature"
        "No statement was found, and the image is signed in the old format of cosign (a tag `.sig` or `.att`), which is not read: \
         who built the image is not determined."
        "Sign with cosign 3 or later, which writes Sigstore bundles, or attest the image with actions/attest.";
    UNPINNED_IMAGE "unpinned-image"
        "An image is not named by digest, so no statement can be about it."
        "Pin the image as name@sha256:… and deploy again.";
    TOO_MANY_IMAGES "too-many-images"
        "The deployment runs more images than are looked up."
        "Give the statements of all images with --provenance-bundle, or split the deployment.";
    UNREADABLE_COMPOSE "unreadable-compose"
        "The measured compose document cannot be read unambiguously, so its images are not known."
        "Simplify it: no duplicate keys, no nested aliases, no deep nesting; then deploy again.";
    UNUSED_RULE "unused-rule"
        "A rule that says who must have built an image matches no running image, and a running image may be that image under \
         another name, such as that of another registry: no rule names it, or a rule with `*` matches it and requires less."
        "Compare the name in the rule with the images of the compose document. If the image was renamed on purpose, change the rule \
         ([[target.images]]) or take the lock again (`cvm-verify pin`), and review that. For an image that does \
         not run in every release, write optional = true into its rule. A running image that a rule names in full \
         does not cause this error.";
    UNREVIEWED_SCRIPT "unreviewed-script"
        "Every image of the compose file is proven, and a script that runs before the containers is neither one of Phala's nor in \
         your lock. It could start images that no rule names, so the tier `source` is not reached."
        "Read the script (`cvm-verify inspect`). Then run `cvm-verify pin URL`, which writes its hash into the lock, review that line and \
         give the lock (--lock). That holds for a new script of Phala's, too, until a version of cvm-verify knows it.";
    OTHER_SIGNER "other-signer"
        "The statement was not signed by a workflow of GitHub Actions."
        ATTEST;
    OTHER_ISSUER "other-issuer"
        "The signer's identity comes from another issuer than the expected one."
        "If your enterprise has an issuer of its own, write it as `issuer` in [[target.images]]. Otherwise do not deploy this image.";
    OTHER_REPOSITORY "other-repository"
        "The image was built from another repository than the expected one."
        ATTEST;
    OTHER_REPOSITORY_ID "other-repository-id"
        "The repository has the expected name and another number: another owner registered the name again, or it was moved."
        "Find out who owns the repository now. If you moved it yourself, write its new number as `repository-id`.";
    OTHER_WORKFLOW "other-workflow"
        "Another workflow than the expected one signed the statement."
        ATTEST;
    OTHER_REF "other-ref"
        "The image was built from another branch or tag than the expected one."
        ATTEST;
    OTHER_COMMIT "other-commit"
        "The image was built from another commit than the expected one."
        ATTEST;
    OTHER_RUNNER "other-runner"
        "The image was built on a runner that is not GitHub's: its owner can change what is built."
        "Build on a GitHub-hosted runner, or accept the other with runner = \"any\" in [[target.images]].";
    OTHER_TRIGGER "other-trigger"
        "The image was built by a run for a pull request, which can run code of anyone who opens one."
        "Build and attest releases on push, on a tag or by hand.";
    OTHER_ENVIRONMENT "other-environment"
        "The image was built in another deployment environment than the expected one."
        ATTEST;
    OTHER_PREDICATE "other-predicate"
        "The statement does not say how the image was built."
        "Attest provenance (actions/attest), or accept signatures: accept = [\"provenance\", \"signature\"].";
    PREDICATE_MISMATCH "predicate-mismatch"
        "The provenance contradicts the certificate that signed it."
        "Do not deploy this image until you know why: the workflow that signed wrote something else about the build than its certificate says.";
    OTHER_SUBJECT "other-subject"
        "The statements that were found are about other digests."
        "Attest the digest that is pinned in the compose file: the one that the push printed. If a container (`platform`) or a \
         script (`DOCKER_DEFAULT_PLATFORM`) names another platform than linux/amd64, remove that: what is attested for linux/amd64 \
         alone does not count for it.";
    MALFORMED "malformed"
        "A bundle cannot be read."
        BUNDLE;
    UNSUPPORTED "unsupported"
        "A bundle is of a kind that is not read: only bundles of version 0.3 with an in-toto statement are. Who built the image is \
         not determined."
        "Attest the image with actions/attest or a current cosign (version 3).";
    UNTRUSTED_CHAIN "untrusted-chain"
        "No certificate authority that is trusted issued the signer's certificate."
        "Use Sigstore's public instance or GitHub's. For an instance of your own, give its roots with --sigstore-root FILE.";
    OUTSIDE_VALIDITY "outside-validity"
        "The signature was made outside the validity of a certificate."
        BUNDLE;
    NO_SCT "no-sct"
        "The signer's certificate carries no certificate transparency timestamp."
        BUNDLE;
    SCT_INVALID "sct-invalid"
        "The certificate transparency timestamp does not verify."
        BUNDLE;
    NOT_LOGGED "not-logged"
        "The signature is not in the transparency log."
        BUNDLE;
    NO_INCLUSION_PROOF "no-inclusion-proof"
        "The log entry has no inclusion proof."
        BUNDLE;
    UNKNOWN_LOG "unknown-log"
        "The signature is in a transparency log that is not trusted."
        UPDATE;
    INCLUSION_INVALID "inclusion-invalid"
        "The proof of the log entry does not verify."
        BUNDLE;
    CHECKPOINT_INVALID "checkpoint-invalid"
        "The checkpoint of the log does not verify."
        BUNDLE;
    SET_INVALID "set-invalid"
        "The signed time of the log entry does not verify."
        BUNDLE;
    LOG_ENTRY_MISMATCH "log-entry-mismatch"
        "The log entry is of another signature."
        BUNDLE;
    TIME_INVALID "time-invalid"
        "The signed time is outside the validity of the log's key or of the certificate."
        "Attest the image again.";
    TIME_AHEAD "time-ahead"
        "A statement was signed after the time by this machine's clock, so one of the two clocks is wrong."
        "Check this machine's clock. If it is right, verify again in a few minutes.";
    TIMESTAMP_OTHER_SIGNATURE "timestamp-other-signature"
        "The timestamp is of another signature."
        BUNDLE;
    TIMESTAMP_UNTRUSTED "timestamp-untrusted"
        "The timestamp does not verify under a trusted authority."
        BUNDLE;
    TIMESTAMP_OUTSIDE_VALIDITY "timestamp-outside-validity"
        "The timestamp is outside the validity of its authority."
        BUNDLE;
    NO_AUTHENTICATED_TIME "no-authenticated-time"
        "No signed time says when the signature was made."
        BUNDLE;
    SIGNATURE_INVALID "signature-invalid"
        "The signature over the statement does not verify."
        BUNDLE;
    ROOT_OUTDATED "root-outdated"
        "The certificate is newer than the Sigstore roots in this version of cvm-verify, or than every key in the file of \
         --sigstore-root, and does not verify with them."
        UPDATE;
    ROOTS_GROW_OLD "roots-grow-old"
        "The Sigstore roots in this version of cvm-verify are more than nine months old. GitHub's own instance, for private \
         repositories, changes about twice a year: a certificate that is issued later may not be covered by these roots."
        UPDATE;
    ROOT_UNUSABLE "root-unusable"
        "The Sigstore roots cannot be used."
        UPDATE;
    CANNOT_SEE "cannot-see"
        "GitHub shows no statement without a token, or the registry does not show the image: both give this answer for \
         private repositories and images, whether they exist or not."
        "Give a token that may read the repository's attestations in CVM_VERIFY_SOURCE_TOKEN (in the action: source-token: \
         ${{ github.token }} and permissions: attestations: read). In a public repository, attest the image. For an image in a \
         private registry, give its credentials in CVM_VERIFY_REGISTRY_CREDENTIALS (registry-credentials).";
    API_DENIED "api-denied"
        "GitHub or the registry does not answer without other credentials."
        "GitHub: give the token the permission to read attestations (attestations: read), and authorise it for single sign-on. A \
         registry: give `REGISTRY USERNAME:PASSWORD` of an account that may pull the image in CVM_VERIFY_REGISTRY_CREDENTIALS (in \
         the action: registry-credentials).";
    RATE_LIMITED "rate-limited"
        "GitHub or the registry limits the number of requests and refuses this one."
        "Run again after the time that the finding names, or raise the limit: with a token in \
         CVM_VERIFY_SOURCE_TOKEN, or with credentials in CVM_VERIFY_REGISTRY_CREDENTIALS.";
    UNREACHABLE "unreachable"
        "GitHub or the registry did not answer."
        "Run again. If this stays, look at the network between this machine and it, or give the bundles with --provenance-bundle.";
    MALFORMED_ANSWER "malformed-answer"
        "An answer of GitHub or the registry cannot be read."
        "Update cvm-verify; if the newest version cannot read it either, please report it.";
    TOO_MANY_STATEMENTS "too-many-statements"
        "There are more statements about an image than are read, and none of those that were read is the expected one."
        "Give the right bundle with --provenance-bundle, or remove statements about this digest that are not needed.";
    NOT_RECORDED "not-recorded"
        "The evidence contains no look-up of the image, and a replay sends no request."
        "Record the evidence with the same rules, or give the bundles with --provenance-bundle.";
}

pub(super) const fn of_refusal(refusal: Refusal) -> &'static Reason {
    match refusal {
        Refusal::Malformed(_) => &MALFORMED,
        Refusal::Unsupported(_) => &UNSUPPORTED,
        Refusal::UntrustedChain => &UNTRUSTED_CHAIN,
        Refusal::OutsideValidity => &OUTSIDE_VALIDITY,
        Refusal::NoSct => &NO_SCT,
        Refusal::SctInvalid => &SCT_INVALID,
        Refusal::NotLogged => &NOT_LOGGED,
        Refusal::NoInclusionProof => &NO_INCLUSION_PROOF,
        Refusal::UnknownLog => &UNKNOWN_LOG,
        Refusal::InclusionInvalid => &INCLUSION_INVALID,
        Refusal::CheckpointInvalid => &CHECKPOINT_INVALID,
        Refusal::SetInvalid => &SET_INVALID,
        Refusal::LogEntryMismatch => &LOG_ENTRY_MISMATCH,
        Refusal::TimeInvalid => &TIME_INVALID,
        Refusal::TimeAhead { .. } | Refusal::ClockBehind { .. } => &TIME_AHEAD,
        Refusal::TimestampOtherSignature => &TIMESTAMP_OTHER_SIGNATURE,
        Refusal::TimestampUntrusted => &TIMESTAMP_UNTRUSTED,
        Refusal::TimestampOutsideValidity => &TIMESTAMP_OUTSIDE_VALIDITY,
        Refusal::NoAuthenticatedTime => &NO_AUTHENTICATED_TIME,
        Refusal::SignatureInvalid => &SIGNATURE_INVALID,
        Refusal::OtherSubject | Refusal::OtherPlatform => &OTHER_SUBJECT,
        Refusal::PredicateMismatch(_) => &PREDICATE_MISMATCH,
        Refusal::RootOutdated => &ROOT_OUTDATED,
        Refusal::RootUnusable => &ROOT_UNUSABLE,
    }
}

pub(super) const fn of_problem(kind: LookupProblemKind) -> &'static Reason {
    match kind {
        LookupProblemKind::CannotSee => &CANNOT_SEE,
        LookupProblemKind::ApiDenied => &API_DENIED,
        LookupProblemKind::RateLimited => &RATE_LIMITED,
        LookupProblemKind::Unreachable => &UNREACHABLE,
        LookupProblemKind::MalformedAnswer => &MALFORMED_ANSWER,
        LookupProblemKind::TooManyStatements => &TOO_MANY_STATEMENTS,
        LookupProblemKind::NotRecorded => &NOT_RECORDED,
    }
}
