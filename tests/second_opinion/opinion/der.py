"""DER, as far as a time-stamp token needs it."""


class Malformed(Exception):
    pass


def items(data):
    """The items of a content, as (tag, content, whole)."""
    found, at = [], 0
    while at < len(data):
        if at + 2 > len(data):
            raise Malformed
        tag, length, start = data[at], data[at + 1], at + 2
        if tag & 0x1F == 0x1F or length == 0x80 or length > 0x84:
            raise Malformed
        if length > 0x80:
            count = length - 0x80
            length, start = int.from_bytes(data[start:start + count], "big"), start + count
        if start + length > len(data):
            raise Malformed
        found.append((tag, data[start:start + length], data[at:start + length]))
        at = start + length
    return found


def one(data, tag):
    """The content of the only item of `data`."""
    found = items(data)
    if len(found) != 1 or found[0][0] != tag:
        raise Malformed
    return found[0][1]


def item(tag, content):
    length = len(content)
    head = bytes([length]) if length < 0x80 else bytes([0x80 + (length.bit_length() + 7) // 8]) + length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag]) + head + content


def oid(text):
    first, second, *rest = map(int, text.split("."))
    data = bytearray([40 * first + second])
    for number in rest:
        part = [number & 0x7F]
        while number := number >> 7:
            part.insert(0, number & 0x7F | 0x80)
        data += bytes(part)
    return item(0x06, bytes(data))
