"""VersionedAttestation (dstack, `dstack-attest/src/{attestation,v1}.rs`): SCALE (V0) or MessagePack (V1).

Only what the comparison needs: the quote, the log and the runtime events. Every byte must be used up."""


class Malformed(Exception):
    pass


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise Malformed("ends early")
        part = self.data[self.at:self.at + count]
        self.at += count
        return part

    def little(self, count):
        return int.from_bytes(self.take(count), "little")

    def big(self, count):
        return int.from_bytes(self.take(count), "big")

    def end(self):
        if self.at != len(self.data):
            raise Malformed("bytes are left")


def compact(reader):
    first = reader.little(1)
    mode = first & 3
    if mode == 0:
        return first >> 2
    if mode == 1:
        return (first | reader.little(1) << 8) >> 2
    if mode == 2:
        return (first | reader.little(3) << 8) >> 2
    raise Malformed("a length beyond 2^30")


def scale_bytes(reader):
    return reader.take(compact(reader))


def scale_text(reader):
    try:
        return scale_bytes(reader).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from error


def scale(data):
    reader = Reader(data)
    if reader.little(1) != 0:
        raise Malformed("not version 0")
    if reader.little(1) != 0:
        raise Malformed("another platform than TDX")
    quote = scale_bytes(reader)
    events = []
    for _ in range(compact(reader)):
        events.append({
            "imr": reader.little(4), "event_type": reader.little(4), "digest": scale_bytes(reader),
            "event": scale_text(reader), "event_payload": scale_bytes(reader), "version": 1,
        })
    runtime = [(scale_text(reader), scale_bytes(reader), 1) for _ in range(compact(reader))]
    report_data = reader.take(64)
    config = scale_text(reader)
    reader.end()
    return {"quote": quote, "events": events, "runtime": runtime, "report_data": report_data, "config": config}


def msgpack_value(reader, depth=0):
    if depth > 32:
        raise Malformed("too deep")
    kind = reader.big(1)
    if kind < 0x80:
        return kind
    if kind < 0x90:
        return msgpack_map(reader, kind & 0x0F, depth)
    if kind < 0xA0:
        return [msgpack_value(reader, depth + 1) for _ in range(kind & 0x0F)]
    if kind < 0xC0:
        return msgpack_text(reader, kind & 0x1F)
    if kind >= 0xE0:
        return kind - 0x100
    if kind == 0xC0:
        return None
    if kind in (0xC2, 0xC3):
        return kind == 0xC3
    if kind in (0xC4, 0xC5, 0xC6):
        return reader.take(reader.big(1 << (kind - 0xC4)))
    if kind in (0xCC, 0xCD, 0xCE, 0xCF):
        return reader.big(1 << (kind - 0xCC))
    if kind in (0xD0, 0xD1, 0xD2, 0xD3):
        size = 1 << (kind - 0xD0)
        return int.from_bytes(reader.take(size), "big", signed=True)
    if kind in (0xD9, 0xDA, 0xDB):
        return msgpack_text(reader, reader.big(1 << (kind - 0xD9)))
    if kind in (0xDC, 0xDD):
        return [msgpack_value(reader, depth + 1) for _ in range(reader.big(2 << (kind - 0xDC)))]
    if kind in (0xDE, 0xDF):
        return msgpack_map(reader, reader.big(2 << (kind - 0xDE)), depth)
    raise Malformed(f"type {kind:#x}")


def msgpack_text(reader, length):
    try:
        return reader.take(length).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from error


def msgpack_map(reader, length, depth):
    result = {}
    for _ in range(length):
        name = msgpack_value(reader, depth + 1)
        if not isinstance(name, str) or name in result:
            raise Malformed("a name that is no text or stands twice")
        result[name] = msgpack_value(reader, depth + 1)
    return result


def octets(value):
    """Byte fields are `bin`, or arrays of integers."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list) and all(type(each) is int and 0 <= each < 256 for each in value):
        return bytes(value)
    raise Malformed("not bytes")


def msgpack(data):
    reader = Reader(data)
    value = msgpack_value(reader)
    reader.end()
    try:
        if value["version"] != 1 or value["platform"]["kind"] != "tdx":
            raise Malformed("another version or platform")
        platform, stack = value["platform"]["data"], value["stack"]["data"]
        events = [{
            "imr": each["imr"], "event_type": each["event_type"], "digest": octets(each["digest"]),
            "event": each["event"], "event_payload": octets(each["event_payload"]), "version": each.get("version", 1),
        } for each in platform["event_log"]]
        runtime = [(each["event"], octets(each["payload"]), each.get("version", 1)) for each in stack["runtime_events"]]
        return {
            "quote": octets(platform["quote"]), "events": events, "runtime": runtime,
            "report_data": octets(stack["report_data"]), "config": stack["config"],
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise Malformed(str(error)) from error


def decode(data):
    if not data or len(data) > 10 << 20:
        raise Malformed("empty or too long")
    if data[0] == 0:
        return scale(data)
    if 0x80 <= data[0] <= 0x8F or data[0] in (0xDE, 0xDF):
        return msgpack(data)
    raise Malformed("neither form")
