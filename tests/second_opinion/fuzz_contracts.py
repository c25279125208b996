"""Kinds `contracts` and `kms` of fuzz.py: what nodes and a KMS answered in a case of the corpus, changed, and another policy. No
answer of a node is signed, and GetMeta is not either: the case's own signatures stay."""

import json
import tomllib

import compare

WORDS = ["0x", "0x" + "00" * 32, "0x" + "00" * 31 + "01", "0x" + "00" * 31 + "02", "0x01", "0x" + "66" * 20, "0x" + "00" * 12 + "66" * 20,
         "0x" + "00" * 30 + "0100", "0x" + "00" * 30 + "0101", "0x" + "ff" * 32, None, 5, "01", "0x0", "0xzz", "0x" + "00" * 64]
ERRORS = [{"code": 3, "message": "execution reverted", "has_data": False}, {"code": 3, "message": "x", "has_data": True},
          {"code": -32000, "message": "execution reverted", "has_data": False}, {"code": -32005, "message": "limit", "has_data": False}]
ADDRESSES = ["0x" + "07" * 20, "0x" + "66" * 20, "0x" + "00" * 20, "0x" + "2f" * 20]


def change_answer(rng, chain):
    """Another answer to one question: of both nodes, or of one."""
    exchange = rng.choice(chain["exchanges"])
    answer = {"error": rng.choice(ERRORS)} if rng.random() < 0.3 else {"problem": "status 503"} if rng.random() < 0.1 else {"result": rng.choice(WORDS)}
    if exchange["method"] == "eth_getBlockByNumber":
        block = dict(exchange["answers"][0]["result"])
        name = rng.choice(list(block))
        block[name] = rng.choice(["0x1000001", "0xfffff0", "0x6abe4564", "0x6abe2000", "0x6abe9000", "0x", "0x01", None, "0x" + "b2" * 32])
        answer = rng.choice([answer, {"result": block}, {"result": block}])
    nodes = rng.choice([[0, 1], [0, 1], [0, 1], [0], [1]])
    for node in nodes:
        exchange["answers"][node] = answer


def change_chain(rng, chain):
    match rng.randrange(10):
        case 0:
            chain["exchanges"].remove(rng.choice(chain["exchanges"]))
        case 1:
            name = rng.choice(list(chain["contracts"]))
            chain["contracts"][name] = 1 if name == "chain_id" else "66" * 20
        case _:
            change_answer(rng, chain)


def write(value):
    """TOML of a flat table, or of the one target."""
    lines = []
    for name, member in value.items():
        if isinstance(member, dict):
            lines += [f"[{name}]", write(member)]
        elif isinstance(member, list) and member and isinstance(member[0], dict):
            for each in member:
                lines += [f"[[{name}]]", write(each)]
        else:
            lines.append(f"{name} = {json.dumps(member)}")
    return "\n".join(lines)


def change_policy(rng, target, lock):
    place = rng.choice([target, lock.get("governance", target)])
    names = [name for name in place if name.startswith(("governance-", "app-id", "app_", "kms_"))]
    match rng.randrange(8):
        case 0 | 1 if names:
            place.pop(rng.choice(names))
        case 2:
            target[rng.choice(["governance-app-owner", "governance-kms-owner"])] = rng.choice([[each] for each in ADDRESSES] + [ADDRESSES])
        case 3:
            target["governance-min-signers"] = rng.choice([1, 2, 3, 4])
        case 4:
            target["governance-min-delay"] = rng.choice([1, 86400])
        case 5:
            target["governance-upgrades"] = "disabled"
        case 6:
            target["governance"] = rng.choice(["required", "required", "unchecked"])
        case 7 if "governance" in lock:
            lock["governance"][rng.choice(["app_code", "app_implementation_code", "kms_code", "kms_implementation_code"])] = "ab" * 32


def contracts(rng, bundle, target, lock):
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        change_chain(rng, bundle["chain"])
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        change_policy(rng, target, lock)


VALUES = [None, True, False, 0, 1, "true", "", "0x" + "66" * 20, "8453", 8453, [], {}, "00"]


def kms(rng, bundle, target, lock):
    server = bundle["kms"][0]
    meta = json.loads(server["meta"])
    for _ in range(rng.choice([1, 1, 2])):
        match rng.randrange(9):
            case 0 | 1 | 2:
                name = rng.choice(list(meta))
                meta[name] = rng.choice(VALUES if name != "ca_cert" else [None])
            case 3:
                meta.pop(rng.choice(list(meta)), None)
            case 4 if isinstance(meta.get("bootstrap_info"), dict):
                shown = meta["bootstrap_info"]
                name = rng.choice([name for name in shown if isinstance(shown[name], str)] or ["quote"])
                shown.setdefault(name, "")
                shown[name] = rng.choice([None, "", "00", "zz", shown[name].upper(), "0x" + shown[name], shown[name][:-2]])
            case 5:
                server[rng.choice(["other_keys", "host", "collateral", "bootstrap_collateral"])] = rng.choice([None])
            case 6:
                target["kms-build"] = [rng.choice(["00" * 32, "ab" * 32])]
            case 7:
                target["kms-key-provider"] = rng.choice(["none", "local-sgx", "local-sgx:" + "00" * 32, "kms"])
            case 8:
                name = rng.choice([name for name in target if name.startswith("kms-")] or ["kms-host"])
                target.pop(name, None)
    server["meta"] = rng.choice([json.dumps(meta), json.dumps(meta), json.dumps(meta)[:-1], json.dumps(meta)[:-1] + ',"is_dev":false}'] if rng.random() < 0.1 else [json.dumps(meta)])
    if server.get("other_keys") is None:
        server["other_keys"] = 0
    if server.get("host") is None:
        server["host"] = "other.example"


KINDS = {"contracts": contracts, "kms": kms}
BASES = {"contracts": ["governance-allowed", "governance-timelock", "governance-guest-0.6.0"], "kms": ["kms-attested", "kms-follows-the-named-contract", "kms-certificate-scale"]}


def made(corpus, rng, kind):
    """Bundle, arguments, trusted root and files of one deployment."""
    name = rng.choice(BASES[kind])
    case = next(each for each in json.loads((corpus / "corpus.json").read_text())["cases"] if each["name"] == name)
    bundle, files = json.loads((corpus / case["bundle"]).read_text()), compare.files_of(corpus, case)
    policy, lock = tomllib.loads(files[f"{name}.policy.toml"].decode()), tomllib.loads(files.get(f"{name}.lock", b"").decode())
    KINDS[kind](rng, bundle, policy["target"][0], lock)
    files[f"{name}.policy.toml"] = write(policy).encode()
    if lock:
        files[f"{name}.lock"] = write(lock).encode()
    return json.dumps(bundle).encode(), [each.replace("{folder}/", "") for each in case["arguments"]], (corpus / case["root"]).read_bytes(), files
