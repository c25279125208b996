"""A docker compose file that every reader reads alike, as plain values (docs/threats.md, T38, T48; docs/threats.md, Bounds).

libyaml's rules, by the node graph of PyYAML; what YAML 1.1 and 1.2 read differently stays text. Duplicate keys, unknown tags,
aliases within themselves, several documents and depth are refused."""

import yaml


class Unreadable(Exception):
    """There is more than one way to read it, or none."""


LIMIT_NODES, LIMIT_DEPTH, LIMIT_TEXT = 50_000, 32, 4 << 20
TAGS = {"tag:yaml.org,2002:" + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge", "timestamp", "value")}


class Reader:
    def __init__(self):
        self.nodes = 0
        self.open = set()

    def value(self, node, depth):
        self.nodes += 1
        if self.nodes > LIMIT_NODES or depth > LIMIT_DEPTH:
            raise Unreadable("too large or too deep")
        if node.tag not in TAGS:
            raise Unreadable(f"tag {node.tag}")
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if id(node) in self.open:
            raise Unreadable("an alias within its own anchor")
        self.open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(each, depth + 1) for each in node.value]
            return self.mapping(node, depth)
        finally:
            self.open.discard(id(node))

    def scalar(self, node):
        text = node.value
        if not node.style and not node.tag.endswith(":str"):
            if text in ("", "~", "null", "Null", "NULL"):
                return None
            if text.lower() in ("true", "false"):
                return text.lower() == "true"
        elif node.tag.endswith(":null"):
            return None
        return text

    def mapping(self, node, depth):
        result, merged, seen = {}, {}, set()
        for key, member in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag not in TAGS:
                raise Unreadable("a key that is no text")
            if key.value in seen:
                raise Unreadable(f"{key.value} twice")
            seen.add(key.value)
            if key.tag.endswith(":merge"):
                for part in member.value if isinstance(member, yaml.SequenceNode) else [member]:
                    if not isinstance(part, yaml.MappingNode):
                        raise Unreadable("a merge of something else than a mapping")
                    for name, inner in self.value(part, depth + 1).items():
                        merged.setdefault(name, inner)
            else:
                result[key.value] = self.value(member, depth + 1)
        return {**merged, **result}


def read(text):
    if len(text.encode()) > LIMIT_TEXT:
        raise Unreadable("too large")
    try:
        loader = yaml.CSafeLoader(text)
        node = loader.get_single_node()
        value = Reader().value(node, 0) if node is not None else None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Unreadable(str(error)) from error
    if not isinstance(value, dict):
        raise Unreadable("not a mapping")
    return value
