"""JSON in which nothing is lost: an object keeps every member, in order, also those of one name (docs/threats.md, T13)."""

import json
import re


class Malformed(Exception):
    """The text is not JSON."""


class Members(list):
    """The members of one object, as (name, value)."""

    def all(self, *names):
        return [value for name, value in self if name in names]

    def get(self, name, default=None):
        """The value of a name that occurs once; the first one where it occurs more often."""
        values = self.all(name)
        return values[0] if values else default

    def repeated(self):
        names = [name for name, _ in self]
        return {name for name in names if names.count(name) > 1}

    def names(self):
        return [name for name, _ in self]


def _refuse(word):
    raise Malformed(f"{word} is not JSON")


def parse(text):
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed(str(error)) from error
    try:
        value = json.loads(text, object_pairs_hook=Members, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
    if re.search(r"\\u[dD][89a-fA-F]", text) or re.search("[\ud800-\udfff]", text):
        _no_lone_surrogates(value)
    return value


def _no_lone_surrogates(value):
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, str):
            try:
                each.encode("utf-8")
            except UnicodeEncodeError as error:
                raise Malformed(str(error)) from error
        elif isinstance(each, Members):
            stack += [part for pair in each for part in pair]
        elif isinstance(each, list):
            stack += each


def any_repeated(value):
    """Whether any object within holds a name twice."""
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, Members):
            if each.repeated():
                return True
            stack += [member for _, member in each]
        elif isinstance(each, list):
            stack += each
    return False


def plain(value):
    """The value with dictionaries; of a repeated name the last one stays."""
    if isinstance(value, Members):
        return {name: plain(member) for name, member in value}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


def hex_bytes(text):
    """Bytes of a text of hex digits, or None."""
    if not isinstance(text, str) or len(text) % 2 or not re.fullmatch("[0-9a-fA-F]*", text):
        return None
    return bytes.fromhex(text)
