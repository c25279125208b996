"""The measurement document of an OS image that a guest of dstack 0.6 shows: the registers that follow from it (dstack 0.6, `dstack-mr`,
variant `lite`; docs/reference-values.md, An image by its published hash)."""

import base64
import binascii
import hashlib
import re

from . import strict_json
from .event_log import replayed, sha384
from .strict_json import Members

PAGE, LOW_END, HIGH, SPLIT_FROM = 4096, 0x80000000, 0x100000000, 0xB0000000
CFV = bytes.fromhex("344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790")
BOOT_0000 = bytes.fromhex("23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298")
GLOBAL = bytes.fromhex("61dfe48bca93d211aa0d00e098032b8c")
DATABASE = bytes.fromhex("cbb219d73a3d9645a3bcdad00e67656f")
# What is measured of every kernel behind the image itself: the events of the firmware's calls.
AFTER_KERNEL = [b"Calling EFI Application from Boot Option", bytes(4), b"Exit Boot Services Invocation", b"Exit Boot Services Returned with Success"]


class Unusable(Exception):
    """It cannot be read unambiguously, or is not bound to its checksum file."""


class NotComputable(Exception):
    """RTMR0 of this VM, or RTMR1, does not follow from it."""


class Reader:
    """CBOR of definite lengths with text keys (RFC 8949)."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Unusable("it ends early")
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self):
        first = self.take(1)[0]
        kind, value = first >> 5, first & 31
        if value >= 24:
            if value > 27:
                raise Unusable("an indefinite length")
            size = 1 << value - 24
            value = int.from_bytes(self.take(size), "big")
        return kind, value, first

    def value(self):
        kind, value, first = self.head()
        if kind == 0:
            return value
        if kind == 2:
            return self.take(value)
        if kind == 3:
            try:
                return self.take(value).decode()
            except UnicodeDecodeError as error:
                raise Unusable("no UTF-8") from error
        if kind == 5:
            found = {}
            for _ in range(value):
                key = self.value()
                if not isinstance(key, str) or key in found:
                    raise Unusable("a key twice, or no text")
                found[key] = self.value()
            return found
        if first in (0xF4, 0xF5):
            return first == 0xF5
        raise Unusable("a value of another kind")


def members(value, required, optional=()):
    if not isinstance(value, dict) or set(required) - set(value) or set(value) - {*required, *optional}:
        raise Unusable("other members")
    return value


def digest(value):
    if not isinstance(value, bytes) or len(value) != 48:
        raise Unusable("48 bytes expected")
    return value


class Document:
    def __init__(self, checksum_file, text):
        self.os_image_hash = hashlib.sha256(checksum_file).digest()
        try:
            lines = [line for line in checksum_file.decode().split("\n") if line]
        except UnicodeDecodeError as error:
            raise Unusable("the checksum file is no text") from error
        rows = [re.fullmatch(r"([0-9a-fA-F]{64}) [ *](\S.*)", line) for line in lines]
        named = [row.group(1) for row in rows if row and row.group(2) == "measurement.tdx.cbor"]
        if len(named) != 1 or named[0].lower() != hashlib.sha256(text).hexdigest():
            raise Unusable("it is not the listed one")
        reader = Reader(text)
        value = members(reader.value(), ("version", "image", "tdvf"))
        if reader.at != len(text) or value["version"] not in (3, 4) or isinstance(value["version"], bool):
            raise Unusable("another version, or bytes behind it")
        command = "cmdline_sha384" if value["version"] == 3 else "cmdline"
        image = members(value["image"], (command, "kernel_authenticode", "initrd_sha384"), ("kernel_header_normalized",))
        firmware = members(value["tdvf"], ("ovmf", "mrtd", "td_hob"))
        passes = members(firmware["mrtd"], ("single_pass", "two_pass"))
        if firmware["ovmf"] != "pre202505" or not isinstance(firmware["td_hob"], bytes):
            raise Unusable("another firmware")
        self.mrtd = {digest(passes["single_pass"]), digest(passes["two_pass"])}
        self.header_is_normalized = image.get("kernel_header_normalized", False)
        if not isinstance(self.header_is_normalized, bool):
            raise Unusable("a truth value expected")
        if command == "cmdline":
            line = image[command]
            if not isinstance(line, str) or not 1 <= len(line.encode()) <= 2048 or " initrd=initrd" in line or " dstack.rootfs_hash=" not in line:
                raise Unusable("the command line")
            first = sha384((line + " initrd=initrd").encode("utf-16-le") + bytes(2))
        else:
            first = digest(image[command])
        self.rtmr1 = replayed([digest(image["kernel_authenticode"]), *map(sha384, AFTER_KERNEL)])
        self.rtmr2 = replayed([first, digest(image["initrd_sha384"])])
        self.witness = witness(firmware["td_hob"])

    def rtmr0(self, memory, acpi):
        def variable(guid, name):
            return sha384(guid + len(name).to_bytes(8, "little") + bytes(8) + name.encode("utf-16-le"))

        variables = [variable(GLOBAL, name) for name in ("SecureBoot", "PK", "KEK")] + [variable(DATABASE, name) for name in ("db", "dbx")]
        return replayed([hand_off_block(self.witness, memory), CFV, *variables, sha384(bytes(4)), *acpi, sha384(bytes(2)), BOOT_0000])


def witness(data):
    """Where the hand-off block is, and the accepted ranges: numbers in LEB128."""
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if shift > 70:
            raise Unusable("a number is too long")
        if byte < 128:
            numbers.append(value)
            value = shift = 0
    if shift or len(numbers) < 3 or len(numbers) != 3 + 2 * numbers[2] or numbers[2] > 64:
        raise Unusable("the witness of the hand-off block")
    base, block, _, *pairs = numbers
    ranges = sorted(((base + start) * PAGE, pages * PAGE) for start, pages in zip(pairs[::2], pairs[1::2]))
    if any(start + size > following for (start, size), (following, _) in zip(ranges, ranges[1:])):
        raise Unusable("ranges overlap")
    return (base + block) * PAGE, ranges


def hand_off_block(where, memory):
    block, accepted = where
    if memory != 2 << 30 and memory < SPLIT_FROM:
        raise NotComputable("the layout of the memory is not defined")
    found, at = [], 0
    for start, size in accepted:
        if at < start:
            found.append((7, at, start - at))
        found.append((0, start, size))
        at = start + size
    if memory >= SPLIT_FROM:
        if at < LOW_END:
            found.append((7, at, LOW_END - at))
        found.append((7, HIGH, memory - LOW_END))
    elif at < memory:
        found.append((7, at, memory - at))
    little = lambda number, size: number.to_bytes(size, "little")  # noqa: E731
    resources = b"".join(little(3, 2) + little(48, 2) + bytes(4) + bytes(16) + little(kind, 4) + little(7, 4) + little(start, 8) + little(size, 8)
                         for kind, start, size in found)
    total = 56 + len(resources)
    return sha384(little(1, 2) + little(56, 2) + bytes(4) + little(9, 4) + bytes(4) + bytes(32) + little(block + total + 8, 8) + resources)


def config_of(run):
    config = run.evidence.vm_config if run.evidence is not None else None
    if isinstance(config, str):
        try:
            config = strict_json.parse(config)
        except strict_json.Malformed:
            return None
    return config if isinstance(config, Members) else None


def compared(run):
    """What became of the document that is shown: (what, os_image_hash); `what` is absent, unusable, other (image), open-kernel (another
    RTMR1 alone, which may be QEMU's), not-computable, other-shape or reproduces."""
    config = config_of(run)
    material = config.get("tdx_measurement") if config is not None else None
    if not isinstance(material, Members):
        return "absent", None
    try:
        parts = [base64.b64decode(material.get(name), validate=True) for name in ("checksum_file", "measurement")]
        document = Document(*parts)
    except (Unusable, TypeError, binascii.Error, ValueError):
        return "unusable", None
    claimed = config.get("os_image_hash")
    if claimed not in (None, "") and claimed.lower() != document.os_image_hash.hex():
        return "unusable", None
    have = run.registers
    if have["mrtd"] not in document.mrtd or have["rtmr2"] != document.rtmr2:
        return "other", document.os_image_hash
    if have["rtmr1"] != document.rtmr1:
        # QEMU up to 10.1 edits the header of a kernel that is not normalized.
        return "other" if document.header_is_normalized else "open-kernel", document.os_image_hash
    acpi = [event.digest for event in run.evidence.events or [] if event.imr == 0 and event.event_type == 0xA and event.payload == b"ACPI DATA"]
    memory = config.get("memory_size")
    try:
        if len(acpi) != 3 or not strict_json.is_integer(memory):
            raise NotComputable("three digests of ACPI tables, and the memory")
        rtmr0 = document.rtmr0(memory, acpi)
    except NotComputable:
        return "not-computable", document.os_image_hash
    return "reproduces" if rtmr0 == have["rtmr0"] else "other-shape", document.os_image_hash
