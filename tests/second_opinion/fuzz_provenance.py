"""Kind `provenance` of fuzz.py: statements about the images of a deployment, of which some things are changed, signed anew."""

import datetime
import functools
import json

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from opinion import der
from opinion.source_provenance import Rule, matches
from sigstore_machine import CLAIMS, Sigstore, Statement, b64

IMAGES = [("ghcr.io/example/web", "5d2f1f9d3c8a7b6e4f0a1b2c3d4e5f60718293a4b5c6d7e8f9010203040506aa"),
          ("docker.io/example/worker", "9a0b1c2d3e4f5061728394a5b6c7d8e9f0010203040506070809aabbccddeeff")]
DAY = datetime.timedelta(days=1)


@functools.cache
def instances(now):
    return Sigstore("sigstore.dev", now), Sigstore("GitHub, Inc.", now)


VALUES = {
    8: ["https://token.actions.githubusercontent.com/acme", "https://gitlab.com", "", "https://token.actions.githubusercontent.com/"],
    9: ["https://github.com/example/shop/.github/workflows/other.yml@refs/tags/v1.2.0", "https://github.com/evil/shop/.github/workflows/release.yml@refs/tags/v1.2.0",
        "https://github.com/example/shop/.github/workflows/release.yml@refs/heads/main", "https://github.com/example/shop/.github/workflows/release.yml",
        "https://github.com/Example/Shop/.github/workflows/release.yml@refs/tags/v1.2.0", "https://dotcom.releases.github.com", "a@example.com",
        "https://github.com/example/shop/.github/workflows/../workflows/release.yml@refs/tags/v1.2.0", "http://github.com/example/shop/.github/workflows/release.yml@x",
        "https://github.com/example/shop.evil/.github/workflows/release.yml@refs/tags/v1.2.0", "https://github.com/example/shop/.github/workflows/release.yml@evil@refs/tags/v1.2.0"],
    11: ["self-hosted", "", "GitHub-hosted"],
    12: ["https://github.com/example/shop2", "https://github.com/Example/SHOP", "https://github.com/evil/shop", "https://gitlab.com/example/shop", "http://github.com/example/shop",
         "https://github.com/example/shop/", "https://github.com.evil.com/example/shop", "example/shop", "https://github.com/example/shop/x"],
    13: ["d" * 40, "C" * 40, ""], 14: ["refs/heads/main", "refs/pull/7/merge", "refs/tags/v1.2.1", "refs/tags/", "refs/tagsx/v1", "v1.2.0", "refs/tags/v1.2.0/x", "", "refs/heads/"],
    15: ["1", "0804070735", ""], 18: ["https://github.com/example/shop/.github/workflows/other.yml@refs/tags/v1.2.0"],
    20: ["pull_request", "pull_request_target", "workflow_dispatch", "", "schedule", "issue_comment"], 21: ["https://github.com/example/shop/actions/runs/2/attempts/1"],
    23: ["production", "staging"],
}


def change_claims(rng, made):
    number = rng.choice(list(VALUES))
    if rng.random() < 0.15:
        made.claims.pop(number, None)
    elif rng.random() < 0.1:
        made.claims[number] = rng.choice([b"raw", der.item(0x16, b"x"), der.item(0x0C, b"\xff"), der.item(0x0C, b"x") + b"\0", b""])
    else:
        made.claims[number] = rng.choice(VALUES[number])
    if number == 9 and rng.random() < 0.7 and isinstance(made.claims.get(9), str):
        made.san = made.claims[9]
    if rng.random() < 0.08:
        made.san = rng.choice([None, x509.RFC822Name("a@example.com"), x509.DNSName("github.com"), "https://github.com/example/shop/.github/workflows/release.yml@refs/tags/v1.2.1"])


def change_predicate(rng, made):
    match rng.randrange(9):
        case 0:
            made.statement["predicateType"] = rng.choice(["https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document", "https://slsa.dev/provenance/v0.2", "", None])
        case 1:
            made.statement["_type"] = rng.choice(["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v2", None, ""])
        case 2:
            digest = made.statement["subject"][0]["digest"]["sha256"]
            made.statement["subject"] = rng.choice([
                [], None, {}, [{"name": "x", "digest": {"sha256": digest.upper()}}], [{"digest": {"sha512": digest}}], [{"digest": {"sha256": "sha256:" + digest}}],
                [{"name": "a", "digest": {"sha256": "00" * 32}}, {"name": "b", "digest": {"sha256": digest}}], [{"name": "x", "digest": {"sha256": digest[:-2] + "00"}}],
                [None], [{"digest": None}], [{"name": "x", "digest": {"sha256": digest + " "}}]])
        case 3:
            made.build_type = rng.choice(["https://mobyproject.org/buildkit@v1", "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1", "x", None])
        case 4:
            def edit(value):
                flow = value["buildDefinition"]["externalParameters"]["workflow"]
                flow[rng.choice(list(flow))] = rng.choice(["x", None, "refs/heads/main", "https://github.com/evil/shop"])
            made.predicate_edit = edit
        case 5:
            def edit(value):
                definition = value["buildDefinition"]
                definition["resolvedDependencies"] = rng.choice([
                    None, [], [{"uri": "git+https://github.com/example/shop@refs/tags/v1.2.0", "digest": {"gitCommit": "e" * 40}}],
                    [{"uri": "git+https://github.com/example/shop@refs/tags/v1.2.0"}], [*definition["resolvedDependencies"] * 2],
                    [{"uri": "git+https://github.com/other/dep@refs/tags/v1", "digest": {"gitCommit": "e" * 40}}],
                    [*definition["resolvedDependencies"], {"uri": "git+https://github.com/example/shop@refs/tags/v1.2.0", "digest": {"gitCommit": "e" * 40}}]])
            made.predicate_edit = edit
        case 6:
            def edit(value):
                value["runDetails"]["metadata"] = rng.choice([None, {}, {"invocationId": "https://github.com/example/shop/actions/runs/2/attempts/1"}])
            made.predicate_edit = edit
        case 7:
            def edit(value):
                value.pop(rng.choice(list(value)))
            made.predicate_edit = edit
        case 8:
            made.payload_edit = lambda text: rng.choice([text[:-1] + b',"subject":[]}', text + b" ", b"\xef\xbb\xbf" + text, text[:-1], b"[]", text.replace(b'"_type"', b'"_Type"')])


def change_signatures(rng, made):
    world, now = made.sigstore, made.now
    match rng.randrange(22):
        case 0:
            made.signing_key = world.stranger
        case 1:
            made.issuer_key = world.stranger
        case 2:
            made.usage = rng.choice([None, "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.8"])
        case 3:
            made.begin, made.end = rng.choice([(made.time + DAY, made.time + 2 * DAY), (made.time - 2 * DAY, made.time - DAY), (made.time, made.time), (made.begin, now + 9 * DAY)])
        case 4:
            made.time = rng.choice([now + DAY, now - 399 * DAY, now - 401 * DAY, now, now + datetime.timedelta(seconds=30), now + datetime.timedelta(seconds=90)])
            made.begin, made.end, made.ct_time = made.time - datetime.timedelta(minutes=1), made.time + datetime.timedelta(minutes=9), made.time
        case 5:
            made.with_sct = not made.with_sct
        case 6:
            made.ct_key = world.stranger
        case 7:
            made.ct_time = rng.choice([now - 401 * DAY, now + 9 * DAY])
        case 8 | 9:
            made.logs = rng.choice([[], ["v1"], ["v2"], ["v1", "v2"], ["v1", "v1"]])
            made.stamps = rng.choice([0, 1, 2])
        case 10:
            made.stamps = max(made.stamps, 1)
            made.stamp_edit = rng.choice([{"key": world.stranger}, {"key": world.issuer_key}, {"signed": b"other"}, {"status": 1}, {"status": 2}, {"info": b"other"},
                                          {"content": "1.2.840.113549.1.7.1"}, {"time": made.time + DAY}, {"time": now - 401 * DAY}, {"time": made.time}])
        case 11:
            def edit(body):
                spec = body["spec"]
                if "signatures" in spec:
                    rng.choice([lambda: spec.update(payloadHash={"algorithm": "sha256", "value": "00" * 32}), lambda: spec["signatures"].append(spec["signatures"][0]),
                                lambda: spec["signatures"][0].update(signature=b64(b"x")), lambda: spec["signatures"][0].update(verifier=b64(b"x")),
                                lambda: body.update(kind="intoto"), lambda: body.update(apiVersion="0.0.2"), lambda: spec.update(x=1),
                                lambda: spec["payloadHash"].update(algorithm="sha512"), lambda: spec.pop("payloadHash")])()
                else:
                    inner = spec["hashedRekordV002"]
                    rng.choice([lambda: inner["data"].update(digest=b64(bytes(32))), lambda: inner["data"].update(algorithm="SHA2_512"),
                                lambda: inner["signature"].update(content=b64(b"x")), lambda: inner["signature"]["verifier"].pop("x509Certificate")])()
            made.body_edit = edit
        case 12 | 13:
            def edit(entry):
                proof = entry["inclusionProof"]
                rng.choice([lambda: proof.pop("checkpoint"), lambda: entry.pop("inclusionProof"), lambda: entry.pop("inclusionPromise", None),
                            lambda: proof.update(logIndex="6"), lambda: proof.update(logIndex="13"), lambda: proof.update(treeSize="9"), lambda: proof.update(treeSize="5"),
                            lambda: proof.update(hashes=proof["hashes"][:-1]), lambda: proof.update(hashes=[*proof["hashes"], proof["hashes"][0]]),
                            lambda: proof.update(rootHash=b64(bytes(32))), lambda: proof.pop("rootHash"), lambda: entry.update(logIndex="7"),
                            lambda: entry.update(integratedTime="1"), lambda: entry["logId"].update(keyId=b64(bytes(32))),
                            lambda: entry["kindVersion"].update(kind="intoto"), lambda: entry["kindVersion"].update(version="0.0.3"), lambda: entry.pop("kindVersion"),
                            lambda: entry.update(canonicalizedBody=b64(b"{}")), lambda: entry.update(logIndex=1005), lambda: entry.pop("logIndex"),
                            lambda: proof.update(hashes=[]), lambda: proof.update(treeSize="1", logIndex="0", hashes=[])])()
            made.entry_edit = edit
        case 14 | 15:
            def edit(note):
                line = note["lines"][0]
                rng.choice([lambda: note.update(lines=[]), lambda: note.update(lines=[line, line]), lambda: note.update(lines=["\u2014 witness AAAAAAAA", line]),
                            lambda: note.update(lines=[line.replace("\u2014", "-")]), lambda: note.update(lines=[line[:-8] + "AAAAAAA="]),
                            lambda: note.update(text=note["text"].replace("\n8\n", "\n08\n")), lambda: note.update(text="other.example" + note["text"][note["text"].index("\n"):]),
                            lambda: note.update(text=note["text"] + "extra\n"), lambda: note.update(lines=["\u2014 other " + line.split(" ")[2]]),
                            lambda: note.update(lines=["\u2014 w AAAA"] * 40 + [line]), lambda: note.update(lines=["nonsense", line]),
                            lambda: note.update(text=note["text"] + "\n")])()
            made.note_edit = edit
        case 16:
            made.key = rng.choice([ec.generate_private_key(ec.SECP384R1()), made.key])
            made.signing_key = made.key
        case 17 | 18:
            def edit(value):
                material, envelope = value["verificationMaterial"], value["dsseEnvelope"]
                rng.choice([lambda: value.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.3"), lambda: value.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"),
                            lambda: value.pop("mediaType"), lambda: value.update(messageSignature={}), lambda: material.update(publicKey={"hint": "x"}),
                            lambda: material.update(x509CertificateChain={"certificates": [material.pop("certificate")]}), lambda: envelope.update(signatures=[]),
                            lambda: envelope.update(signatures=envelope["signatures"] * 2), lambda: envelope.update(payloadType="application/json"),
                            lambda: envelope.update(payload=envelope["payload"] + "="), lambda: value.pop("dsseEnvelope"), lambda: material.pop("certificate"),
                            lambda: material.update(certificate={"rawBytes": b64(b"x")}), lambda: envelope["signatures"][0].update(keyid="x"), lambda: material.update(tlogEntries=None),
                            lambda: material.update(timestampVerificationData=None), lambda: envelope["signatures"][0].update(sig=b64(b"x")), lambda: value.update(x=1)])()
            made.bundle_edit = edit
        case 19:
            made.payload_type = rng.choice(["application/json", "application/vnd.in-toto+json ", ""])
        case 20:
            made.index = rng.choice([0, 5, 7])
        case 21:
            made.siblings = made.siblings[:-1]


def used(blocks):
    """The rules that are the first one for an image."""
    rules = [Rule(block["image"]) for block in blocks]
    first = {next((at for at, rule in enumerate(rules) if matches(rule, name)), None) for name, _ in IMAGES}
    return [block for at, block in enumerate(blocks) if at in first] or [{**blocks[0], "image": "*"}]


def policy(rng, made, arguments):
    """Rules: by options, by blocks, or by both."""
    if rng.random() < 0.6:
        arguments += ["--source-repository", rng.choice(["example/shop"] * 5 + ["Example/Shop", "example/other"])]
        if rng.random() < 0.5:
            arguments += ["--source-workflow", rng.choice([".github/workflows/release.yml"] * 3 + ["example/shop/.github/workflows/release.yml", ".github/workflows/other.yml", "evil/shop/.github/workflows/release.yml"])]
        for _ in range(rng.choice([0, 0, 1, 2])):
            arguments += ["--source-ref", rng.choice(["refs/tags/*", "refs/tags/v1.2.0", "refs/heads/main", "refs/heads/*"])]
        if rng.random() < 0.2:
            arguments += ["--source-commit", rng.choice(["c" * 40, "d" * 40, "C" * 40])]
    if "--source-repository" not in arguments:
        blocks = []
        for name in rng.sample(["*", "ghcr.io/example/*", "ghcr.io/example/web", "example/worker", "docker.io/example/*", "GHCR.io/example/web", "redis", "ghcr.io/*",
                                "ghcr.io/exam/*", "index.docker.io/example/worker"], rng.choice([1, 1, 2, 3])):
            block = {"image": name}
            if rng.random() < 0.2:
                block["provenance"] = "none: official images carry no signature"
            else:
                block["repository"] = rng.choice(["example/shop"] * 4 + ["evil/shop"])
                for name, values in {"repository-id": [804070735, 1], "workflow": [".github/workflows/release.yml", "example/shop/.github/workflows/release.yml", ".github/workflows/other.yml"],
                                     "workflow-ref": ["refs/tags/v1.2.0", "refs/heads/main"], "ref": [["refs/tags/*"], "refs/tags/v1.2.0", ["refs/heads/main", "refs/tags/*"], "refs/heads/main"],
                                     "commit": ["c" * 40, ["d" * 40, "c" * 40], "d" * 40], "runner": ["any", "github-hosted"], "environment": ["production"],
                                     "accept": [["provenance", "signature"], ["signature"], ["provenance"]]}.items():
                    if rng.random() < 0.15:
                        block[name] = rng.choice(values)
            blocks.append(block)
        blocks = used(blocks)
        lines = ["[[target]]", 'name = "shop"', 'url = "https://app.example"']
        for block in blocks:
            lines += ["[[target.images]]", *(f"{name} = {json.dumps(value)}" for name, value in block.items())]
        made.files["cvm-verify.toml"] = "\n".join(lines).encode() + b"\n"
        arguments += ["--config", "cvm-verify.toml", "--target", "shop"]
    if rng.random() < 0.15:
        arguments += ["--require-assurance", "code+source"]


def provenance(rng, made, arguments):
    now = made.machine.now
    worlds = instances(now)
    rows = []
    changes = rng.choice([0, 1, 1, 1, 1, 1])
    for number, (name, digest) in enumerate(IMAGES):
        statements = []
        for _ in range(rng.choice([1, 1, 1, 1, 2])):
            statement = Statement(worlds[rng.random() < 0.3], digest, now)
            if number == 0 or rng.random() < 0.2:
                for change in rng.sample([change_claims, change_claims, change_predicate, change_signatures, change_signatures], changes):
                    change(rng, statement)
            statements.append(statement.bundle())
        if rng.random() < 0.04:
            statements = []
        if rng.random() < 0.97:
            rows.append({"image": rng.choice([f"{name}@sha256:{digest}"]), "from": "github-api", "fetched_at": "2026-10-01T12:00:00Z", "bundles": statements})
    made.extra["provenance"] = rows
    made.files["trusted_root.jsonl"] = "\n".join(json.dumps(world.trusted_root()) for world in worlds).encode()
    arguments += ["--sigstore-root", "trusted_root.jsonl"]
    policy(rng, made, arguments)


KINDS = {"provenance": provenance}
