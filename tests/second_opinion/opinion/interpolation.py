"""Variables in the text of a compose file, as Docker Compose fills them in (compose-spec.io, Interpolation)."""

import re

NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")


class Bad(Exception):
    """Docker Compose refuses the text."""


def fill(text, settable):
    """The text with every variable that nothing can set replaced, and whether one is left that something sets.

    Returns (text, from outside). `$$` becomes `$`."""
    out, at, outside = [], 0, False
    while at < len(text):
        if text[at] != "$":
            out.append(text[at])
            at += 1
            continue
        following = text[at + 1:at + 2]
        if following == "$":
            out.append("$")
            at += 2
            continue
        if following == "{":
            end = closing(text, at + 1)
            value, set_ = expression(text[at + 2:end], settable)
            at = end + 1
        else:
            match = NAME.match(text, at + 1)
            if not match:
                raise Bad(text)
            value, set_ = "", settable(match.group())
            at = match.end()
        outside |= set_
        out.append(value)
    return "".join(out), outside


def fixed_parts(text, settable):
    """The texts before, between and behind the variables that something sets; the others are filled in."""
    parts, at = [""], 0
    while at < len(text):
        braced = text[at:at + 2] == "${"
        match = NAME.match(text, at + 1) if text[at] == "$" else None
        end = closing(text, at + 1) + 1 if braced else match.end() if match else at + (2 if text[at:at + 2] == "$$" else 1)
        value, outside = fill(text[at:end], settable)
        if outside:
            parts.append("")
        else:
            parts[-1] += value
        at = end
    return parts


def closing(text, at):
    depth = 0
    for index in range(at, len(text)):
        if text[index] == "{" and text[index - 1] == "$":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
    raise Bad(text)


def expression(inside, settable):
    match = NAME.match(inside)
    if not match:
        raise Bad(inside)
    name, rest = match.group(), inside[match.end():]
    mine = settable(name)
    if not rest:
        return "", mine
    operator = re.match(r":?[-?+]", rest)
    if not operator:
        raise Bad(inside)
    word, nested = fill(rest[operator.end():], settable)
    kind = operator.group()[-1]
    if kind == "-":
        return word, mine or nested
    if kind == "+":
        return (word if mine else ""), mine
    return "", mine
