"""The table of places has exactly the keys of the Compose Specification that check-jsonschema ships.

`places.txt` lists the keys of the table (made by `UPDATE_GENERATED=1 cargo test --lib render`). A key of the schema that the
table lacks would be judged as unknown; a key of the table that the schema lacks would be accepted although Docker Compose
does not have it.
"""

import json
from importlib.resources import files
from pathlib import Path

SCHEMA = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
PLACES = Path(__file__).parent.parent / "compose" / "places.txt"
# Where the table looks at any key: mappings whose keys are data, and what decides code whatever is in it.
OPAQUE = {
    "include", "models", "service.build", "service.configs", "service.develop", "service.extends", "service.models",
    "service.provider",
}


def schema_keys():
    schema = json.loads(SCHEMA.read_text())
    found = set()

    def walk(node, path):
        if "$ref" in node:
            walk(schema["$defs"][node["$ref"].rsplit("/", 1)[1]], path)
        for combined in ("allOf", "anyOf", "oneOf"):
            for each in node.get(combined, []):
                walk(each, path)
        if "items" in node and isinstance(node["items"], dict):
            walk(node["items"], path)
        children = dict(node.get("properties", {}))
        for pattern, child in node.get("patternProperties", {}).items():
            if pattern != "^x-" and isinstance(child, dict):
                children["*"] = child
        if isinstance(node.get("additionalProperties"), dict):
            children["*"] = node["additionalProperties"]
        for key, child in children.items():
            below(child, path, key)

    def below(child, path, key):
        where = f"{path}.{key}" if path else key
        if where in ("services.*", "jobs.*"):
            where = "service"
        elif where == "service.pre_start":
            # The same keys again, and one of its own.
            found.add(where)
            found.add("service.per_replica")
            return
        elif where in ("service.post_start", "service.pre_stop"):
            found.add(where)
            where = "hook"
        found.add(where)
        walk(child, where)

    walk(schema, "")
    roots = {"services", "jobs", "networks", "volumes", "configs", "secrets", "service", "hook"}
    return {key for key in found if key not in roots}


def is_data(key, places):
    """Whether a key stands below a row that takes any key, or one that decides code as a whole."""
    steps = key.split(".")
    for length in range(1, len(steps)):
        above = ".".join(steps[:length])
        if f"{above}.*" in places and length == len(steps) - 1:
            return True
        if above in OPAQUE:
            return True
    return False


def places():
    return set(PLACES.read_text().split())


def test_every_key_of_the_schema_is_in_the_table():
    known = places()
    missing = {key for key in schema_keys() if key not in known and not is_data(key, known)}
    # A free key is a row of its own (`service.ulimits.*`), or data of the row above.
    assert not missing, sorted(missing)


def test_every_key_of_the_table_is_in_the_schema():
    schema = schema_keys()
    unknown = {
        key for key in places()
        if key not in schema and not key.endswith(".*") and not any(key.startswith(f"{root}.") for root in OPAQUE)
    }
    assert not unknown, sorted(unknown)
