"""Check `source-provenance`: who built the images (docs/provenance.md; docs/checks/source-provenance.md)."""

import hashlib
import re
from dataclasses import dataclass, field

import yaml
from cryptography import x509

from . import der, docker_compose, policy as policies, sigstore, strict_json
from .sigstore import Refused
from .unsupported import NotImplementedHere

PROVENANCE, SIGNATURE = "https://slsa.dev/provenance/v1", "https://sigstore.dev/cosign/sign/v1"
BUILD_TYPES = {"https://actions.github.io/buildtypes/workflow/v1", "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"}
GITHUB = "https://token.actions.githubusercontent.com"
# The claims of the certificate: the last number of the OID below 1.3.6.1.4.1.57264.1.
CLAIMS = {8: "issuer", 9: "signer", 10: "signer-commit", 11: "runner", 12: "repository", 13: "commit", 14: "ref", 15: "repository-id", 16: "owner",
          17: "owner-id", 18: "config", 19: "config-commit", 20: "trigger", 21: "run", 22: "visibility", 23: "environment", 24: "subject"}


@dataclass
class Rule:
    image: str
    repository: str | None = None
    repository_id: str | None = None
    workflow: str | None = None
    workflow_ref: str | None = None
    refs: list = field(default_factory=list)
    commits: list = field(default_factory=list)
    runner: str = "github-hosted"
    environment: str | None = None
    issuer: str = GITHUB
    accept: tuple = ("provenance",)
    optional: bool = False


def rule_of(block):
    known = {"image", "repository", "repository-id", "workflow", "workflow-ref", "ref", "commit", "runner", "environment", "issuer", "accept",
             "provenance", "from", "optional"}
    if set(block) - known:
        raise NotImplementedHere(f"rule {sorted(set(block) - known)}")

    def several(name):
        value = block.get(name, [])
        return [value] if isinstance(value, str) else value

    identity = block.get("repository-id")
    return Rule(block["image"], block.get("repository"), None if identity is None else str(identity), block.get("workflow"),
                block.get("workflow-ref"), several("ref"), several("commit"), block.get("runner", "github-hosted"),
                block.get("environment"), block.get("issuer", GITHUB), tuple(block.get("accept", ["provenance"])), block.get("optional", False))


def rules_of(policy):
    """The rules in their order; those of options replace workflow, ref and commit of blocks of the same repository."""
    rules = [rule_of(block) for block in policy.images]
    names = [rule.image if rule.image == "*" else full_name(rule.image) for rule in rules]
    if policy.source_repository:
        names.append("*")
    if len(set(names)) < len(names):
        raise policies.Usage("two rules name one image")
    for rule in rules:
        same = policy.source_repository is None or (rule.repository or "").lower() == policy.source_repository.lower()
        if rule.repository and same:
            rule.workflow = policy.source_workflow or rule.workflow
            rule.refs = policy.source_refs or rule.refs
            rule.commits = [policy.source_commit] if policy.source_commit else rule.commits
    if policy.source_repository:
        rules.append(Rule("*", policy.source_repository, None, policy.source_workflow, None, policy.source_refs,
                          [policy.source_commit] if policy.source_commit else []))
    return rules


def full_name(name):
    """A name as Docker reads it."""
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", name
    first = {"index.docker.io": "docker.io"}.get(first.lower(), first.lower())
    if first == "docker.io" and "/" not in rest:
        rest = "library/" + rest
    return f"{first}/{rest}"


def matches(rule, name):
    if rule.image == "*":
        return True
    if rule.image.endswith("/*"):
        return full_name(name).startswith(full_name(rule.image[:-1] + "x")[:-1])
    return full_name(rule.image) == full_name(name)


def images_of(text):
    """The images of the measured compose document, as (name, digest)."""
    document = yaml.safe_load(strict_json.parse(text).get("docker_compose_file"))
    found = []
    for service in [*document["services"].values(), *(document.get("jobs") or {}).values()]:
        name, _, digest = service["image"].partition("@")
        if not re.fullmatch("sha256:[0-9a-f]{64}", digest):
            raise Refused("unpinned-image", status="error")
        name = re.sub(r":[^/:]+$", "", name)
        if (name, digest[7:]) not in found:
            found.append((name, digest[7:]))
    return found


def unused(rules, names):
    """Whether a rule with a source matches no running image, and one of them may be its image under another name (docs/provenance.md, Rules)."""
    def requires_less(rule, than):
        if rule.repository is None:
            return True
        same = ("repository", "repository_id", "workflow", "workflow_ref", "environment", "issuer")
        if any(getattr(than, name) not in (None, getattr(rule, name)) for name in same):
            return True
        narrower = [(than.refs, rule.refs), (than.commits, rule.commits)]
        return (any(wide and not (narrow and set(narrow) <= set(wide)) for wide, narrow in narrower)
                or rule.runner == "any" != than.runner or not set(rule.accept) <= set(than.accept))

    def may_be(rule, name):
        first = next((each for each in rules if matches(each, name)), None)
        return first is None or first.image.endswith("*") and requires_less(first, rule)

    for rule in rules:
        wanted = rule.repository is not None and rule.image != "*" and not rule.optional
        official = rule.image.endswith("/*") and full_name(rule.image[:-1] + "x").startswith("docker.io/library/")
        if wanted and not official and not any(matches(rule, name) for name in names) and any(may_be(rule, name) for name in names):
            return True
    return False


# ------------------------------------------------------------------------------------------------ one statement
def claims_of(leaf):
    claims = {}
    for number, name in CLAIMS.items():
        try:
            extension = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}"))
        except x509.ExtensionNotFound:
            continue
        try:
            claims[name] = der.one(extension.value.value, 0x0C).decode()
        except (der.Malformed, UnicodeDecodeError) as error:
            raise sigstore.malformed(name) from error
    return claims


def subject_of(leaf):
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    names = list(names)
    return names[0].value if len(names) == 1 and isinstance(names[0], x509.UniformResourceIdentifier) else None


def fits(pattern, value):
    return value.startswith(pattern[:-1]) if pattern.endswith("/*") else value == pattern


def any_branch(rule):
    return not rule.commits and (not rule.refs or "refs/heads/*" in rule.refs)


def any_workflow_ref(rule):
    """Whether callers choose the ref of a workflow of another repository."""
    own = (".github/", f"{rule.repository}/.github/".lower())
    return bool(rule.workflow) and not rule.workflow.lower().startswith(own) and rule.workflow_ref is None and not rule.commits


def identity(rule, leaf):
    """The signer is the one of the rule; the first thing that differs is told."""
    claims, subject = claims_of(leaf), subject_of(leaf)
    if "issuer" not in claims or "signer" not in claims or subject is None:
        raise Refused("other-signer")
    if claims["issuer"] != rule.issuer:
        raise Refused("other-issuer")
    if claims["signer"] != subject:
        raise sigstore.malformed("two signers")
    web = "https://github.com/"
    if not subject.startswith(web):
        raise Refused("other-signer")
    source = claims.get("repository", "")
    if not source.startswith(web) or source[len(web):].lower() != rule.repository.lower():
        raise Refused("other-repository")
    if rule.repository_id is not None and claims.get("repository-id") != rule.repository_id:
        raise Refused("other-repository-id")
    workflow(rule, subject, web)
    if claims.get("trigger") in (None, "pull_request", "pull_request_target"):
        raise Refused("other-trigger")
    ref = claims.get("ref", "")
    if rule.refs and not any(fits(pattern, ref) for pattern in rule.refs) or not rule.refs and not ref.startswith(("refs/heads/", "refs/tags/")):
        raise Refused("other-ref")
    if rule.commits and claims.get("commit") not in rule.commits:
        raise Refused("other-commit")
    if rule.runner != "any" and claims.get("runner") != "github-hosted":
        raise Refused("other-runner")
    if rule.environment is not None and claims.get("environment") != rule.environment:
        raise Refused("other-environment")
    return claims


def workflow(rule, subject, web):
    # A tag and a file's name may hold an `@`, too.
    split = re.fullmatch(r"(.*?)@(refs/.*|[0-9a-fA-F]{40})", subject.removeprefix(web), re.S)
    if not subject.startswith(web) or not split:
        raise Refused("other-signer")
    path, ref = split.groups()
    owner, name, *rest = path.split("/")
    if rule.workflow is None:
        wanted = (*rule.repository.lower().split("/"), None)
    elif rule.workflow.startswith(".github/"):
        wanted = (*rule.repository.lower().split("/"), rule.workflow)
    else:
        first, second, *tail = rule.workflow.split("/")
        wanted = (first.lower(), second.lower(), "/".join(tail))
    have = (owner.lower(), name.lower(), "/".join(rest))
    if have[:2] != wanted[:2] or wanted[2] not in (None, have[2]):
        raise Refused("other-workflow")
    if rule.workflow_ref is not None and ref != rule.workflow_ref:
        raise Refused("other-workflow")


def predicate(rule, statement, claims):
    kind = statement.get("predicateType")
    if kind == SIGNATURE and "signature" in rule.accept:
        return
    if kind != PROVENANCE:
        raise Refused("other-predicate")
    value = statement.get("predicate")
    definition = value.get("buildDefinition") if isinstance(value, dict) else None
    if not isinstance(definition, dict) or definition.get("buildType") not in BUILD_TYPES:
        return
    if not contradictions(value, definition, claims):
        return
    raise Refused("predicate-mismatch")


def contradictions(value, definition, claims):
    """What the provenance says otherwise than the certificate; what it does not say is no contradiction."""
    def inner(value, *names):
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    flow = inner(definition, "externalParameters", "workflow")
    said = [(inner(flow, "repository"), claims.get("repository")), (inner(value, "runDetails", "metadata", "invocationId"), claims.get("run"))]
    # actions/attest cuts PATH@REF: both parts at each `@`, the path at the first one, or neither.
    config, ref = claims.get("config"), claims.get("ref")
    first, *others = (config or "").split("@")
    refs = {ref, *others[:1]}
    if inner(flow, "ref") is not None and ref is not None and inner(flow, "ref") not in refs:
        said.append((inner(flow, "ref"), ref))
    if inner(flow, "path") is not None and config is not None:
        place = (f"{inner(flow, 'repository')}/{inner(flow, 'path')}", inner(flow, "ref"))
        if place not in {(first, each) for each in refs} | {(config.removesuffix(f"@{ref}"), ref)}:
            said.append((place, config))
    for each in definition.get("resolvedDependencies") or []:
        if inner(each, "uri") == f"git+{claims.get('repository')}@{claims.get('ref')}":
            said.append((inner(each, "digest", "gitCommit") or "", claims.get("commit")))
    return [(have, claim) for have, claim in said if have is not None and claim is not None and have != claim]


def judge_bundle(value, digest, rule, roots, now):
    instances, complete_until = roots
    bundle = sigstore.Bundle(value)
    try:
        statement = sigstore.verify(bundle, instances, now)
    except Refused as error:
        if error.reason in sigstore.OF_ROOTS and bundle.leaf.not_valid_before_utc > complete_until:
            raise Refused("root-outdated", status="error") from error
        raise
    if statement.get("_type") not in ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"):
        raise sigstore.malformed("the statement's type")
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or len(subjects) > 1024:
        raise sigstore.malformed("subjects")
    if not any(isinstance(each, dict) and isinstance(each.get("digest"), dict) and each["digest"].get("sha256") == digest for each in subjects):
        raise Refused("other-subject")
    predicate(rule, statement, identity(rule, bundle.leaf))


# How far a statement got: the reason of the one that got furthest is told.
STEPS = [("malformed",), ("unsupported",), ("untrusted-chain",), ("timestamp-other-signature", "timestamp-untrusted", "timestamp-outside-validity"),
         ("unknown-log", "no-inclusion-proof", "inclusion-invalid", "checkpoint-invalid", "set-invalid", "log-entry-mismatch", "not-logged"),
         ("no-authenticated-time", "time-invalid", "outside-validity"), ("no-sct", "sct-invalid"), ("signature-invalid",), ("other-subject",)]


def step(reason):
    if reason in ("root-outdated", "time-ahead"):
        return len(STEPS) + 1  # The right statement, perhaps.
    return next((number for number, reasons in enumerate(STEPS) if reason in reasons), len(STEPS))


# ------------------------------------------------------------------------------------------------ all images
def recorded(run, name, digest):
    """The look-ups of an image that were recorded."""
    found = []
    for row in run.bundle.get("provenance") or []:
        image, _, pinned = (row.get("image") or "").partition("@")
        if full_name(re.sub(r":[^/:]+$", "", image)) == full_name(name) and pinned == f"sha256:{digest}":
            found.append(row)
    return found


def judge_image(run, name, digest, rules, roots):
    rule = next((rule for rule in rules if matches(rule, name)), None)
    if rule is None:
        return "skip", "no-rule"
    if rule.repository is None:
        return "skip", "unproven-images"
    rows = recorded(run, name, digest)
    if not rows:
        return "error", "not-recorded"
    bundles = [each for row in rows for each in row.get("bundles") or []]
    problems = [row.get("problem").get("kind") for row in rows if row.get("problem") is not None]
    if not bundles and not problems:
        return ("error", "legacy-signature") if any(row.get("legacy_signature") for row in rows) else ("fail", "no-provenance")
    refused = []
    for value in bundles:
        try:
            judge_bundle(value, digest, rule, roots, run.now)
            return "pass", None
        except Refused as error:
            refused.append(error)
    if problems:  # What was not seen may be the right one.
        return "error", problems
    furthest = max(step(each.reason) for each in refused)
    told = [each for each in refused if step(each.reason) == furthest]
    return told[0].status, [each.reason for each in told]


def judge(run, claims):
    policy = run.policy
    rules = rules_of(policy)
    if not rules:
        return "skip", "not-configured"
    if claims is None:
        return "error", run.why_not_proven()
    text = run.info.app_compose
    if text is None:
        return "error", "no-compose-document"
    if hashlib.sha256(text.encode()).digest() != claims.compose_hash:
        return "error", "compose-not-proven"
    try:
        instances = sigstore.roots(policy.sigstore_root)
        roots = instances, sigstore.complete_until(policy.sigstore_root, instances)
        images = images_of(text)
        found = [judge_image(run, name, digest, rules, roots) for name, digest in images]
        if unused(rules, [name for name, _ in images]):
            found.append(("error", "unused-rule"))
    except Refused as error:
        return error.status, error.reason
    for worst in ("fail", "error", "skip"):
        reasons = [each for status, reason in found if status == worst for each in (reason if isinstance(reason, list) else [reason])]
        if reasons:
            return worst, reasons
    document = strict_json.parse(text)
    grants = all(rule.workflow and not any_branch(rule) and not any_workflow_ref(rule) for rule in rules)
    scripts = docker_compose.runs_unknown_script(document)
    return ("warn", "unreviewed-script") if grants and scripts else ("pass", None)


def meets(run):
    """Whether the pass names workflow, and ref or commit, of each image: only then it is `source`."""
    return run.checks["source-provenance"][0] == "pass" and all(
        rule.workflow and not any_branch(rule) and not any_workflow_ref(rule) for rule in rules_of(run.policy))
