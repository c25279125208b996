#!/usr/bin/env python3
"""Makes a synthetic OS image of a few kilobytes and measures it, independently of the program.

    synthetic_image.py FOLDER      writes the files of an image and expected.json beside them

Everything is computed here from the formats alone: TDVF metadata and MRTD, the PE Authenticode digest of the kernel with and
without QEMU's edits, the command line, the TD HOB. Standard library only.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

PAGE = 4096


def sha384(*parts):
    return hashlib.sha384(b"".join(parts)).digest()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def guid(text):
    a, b, c, d, e = text.split("-")
    return struct.pack("<IHH", int(a, 16), int(b, 16), int(c, 16)) + bytes.fromhex(d + e)


def replay(digests):
    register = bytes(48)
    for digest in digests:
        register = sha384(register, digest)
    return register


# -- the firmware ---------------------------------------------------------------------------------------------------

BFV, CFV, TD_HOB, TEMP_MEM = range(4)


def make_firmware():
    """Two measured volumes of 4 pages and 1 page in a file, and memory sections as dstack's firmware has them."""
    size = 6 * PAGE
    image = bytearray((index * 7 + index // 251) % 256 for index in range(size))
    sections = [
        # offset in the file, bytes in the file, address, bytes of memory, type, attributes
        (PAGE, 4 * PAGE, 0xFFFFC000, 4 * PAGE, BFV, 1),
        (0, PAGE, 0xFFFFB000, PAGE, CFV, 0),
        (0, 0, 0x810000, 0x10000, TEMP_MEM, 0),
        (0, 0, 0x80B000, 0x2000, TEMP_MEM, 0),
        (0, 0, 0x809000, 0x2000, TD_HOB, 0),
        (0, 0, 0x800000, 0x6000, TEMP_MEM, 0),
    ]
    descriptor = b"TDVF" + struct.pack("<III", 16 + 32 * len(sections), 1, len(sections))
    for section in sections:
        descriptor += struct.pack("<IIQQII", *section)
    offset = size - PAGE
    image[offset:offset + len(descriptor)] = descriptor
    # The table of GUIDs ends 0x20 bytes before the end: an unrelated entry, the TDX entry, the footer.
    entries = b"\x01\x02\x03" + struct.pack("<H", 21) + guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
    entries += struct.pack("<I", size - offset) + struct.pack("<H", 22) + guid("e47a6535-984a-4798-865e-4685a7bf8ec2")
    footer = struct.pack("<H", len(entries) + 18) + guid("96b582de-1fb2-45f7-baea-a366c55a082d")
    table = entries + footer
    image[size - 0x20 - len(table):size - 0x20] = table
    return bytes(image), sections


def mrtd(firmware, sections, two_pass):
    stream = hashlib.sha384()

    def add(address):
        stream.update((b"MEM.PAGE.ADD".ljust(16, b"\0") + struct.pack("<Q", address)).ljust(128, b"\0"))

    def extend(address, content):
        stream.update((b"MR.EXTEND".ljust(16, b"\0") + struct.pack("<Q", address)).ljust(128, b"\0"))
        stream.update(content)

    for offset, _, address, memory, _, attributes in sections:
        pages = range(memory // PAGE)
        measured = attributes & 1

        def extend_page(page):
            for chunk in range(0, PAGE, 256):
                at = page * PAGE + chunk
                extend(address + at, firmware[offset + at:offset + at + 256])

        for page in pages:
            add(address + page * PAGE)
            if measured and not two_pass:
                extend_page(page)
        if measured and two_pass:
            for page in pages:
                extend_page(page)
    return stream.digest()


# -- the kernel -----------------------------------------------------------------------------------------------------

def make_kernel():
    """A PE32+ file with a Linux setup header: headers of 4096 bytes, two sections, no certificates."""
    kernel = bytearray((index * 13 + index // 97) % 256 for index in range(4096 + 2048 + 1003))
    kernel[0:2] = b"MZ"
    struct.pack_into("<I", kernel, 0x3C, 0x280)
    # the setup header of boot protocol 2.15
    kernel[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", kernel, 0x206, 0x20F)
    kernel[0x210] = 0
    kernel[0x211] = 1
    struct.pack_into("<II", kernel, 0x218, 0, 0)
    struct.pack_into("<I", kernel, 0x224, 0)
    struct.pack_into("<I", kernel, 0x228, 0)
    struct.pack_into("<I", kernel, 0x22C, 0x7FFFFFFF)
    struct.pack_into("<H", kernel, 0x236, 0x7F)
    # PE header, optional header with 6 directories, two sections of which the second stands first in the table
    pe = 0x280
    kernel[pe:pe + 4] = b"PE\0\0"
    optional_size = 112 + 6 * 8
    struct.pack_into("<HHIIIHH", kernel, pe + 4, 0x8664, 2, 0, 0, 0, optional_size, 0x206)
    optional = pe + 24
    kernel[optional:optional + optional_size] = bytes(optional_size)
    struct.pack_into("<H", kernel, optional, 0x20B)
    struct.pack_into("<I", kernel, optional + 60, 4096)
    struct.pack_into("<I", kernel, optional + 64, 0xC0FFEE)
    struct.pack_into("<I", kernel, optional + 108, 6)
    table = optional + optional_size
    for index, (size, start) in enumerate([(1003, 4096 + 2048), (2048, 4096)]):
        header = table + 40 * index
        kernel[header:header + 40] = bytes(40)
        struct.pack_into("<II", kernel, header + 16, size, start)
    return bytes(kernel)


def authenticode(kernel):
    pe = struct.unpack_from("<I", kernel, 0x3C)[0]
    count, optional_size = struct.unpack_from("<H", kernel, pe + 6)[0], struct.unpack_from("<H", kernel, pe + 20)[0]
    optional = pe + 24
    certificates = optional + 112 + 4 * 8
    headers = struct.unpack_from("<I", kernel, optional + 60)[0]
    parts = [kernel[:optional + 64], kernel[optional + 68:certificates], kernel[certificates + 8:headers]]
    sections = []
    for index in range(count):
        size, start = struct.unpack_from("<II", kernel, optional + optional_size + 40 * index + 16)
        sections.append((start, size))
    parts += [kernel[start:start + size] for start, size in sorted(sections)]
    return sha384(*parts, bytes(-len(kernel) % 8))


def edited_by_qemu(kernel, initrd_size, memory):
    edited = bytearray(kernel)
    edited[0x210] = 0xB0
    edited[0x211] |= 0x80
    struct.pack_into("<I", edited, 0x224, 0xFE00)
    struct.pack_into("<I", edited, 0x228, 0x20000)
    below = memory if memory < 0xB0000000 else 0x80000000
    highest = min(0xFFFFFFFF, below - 0x28000 - 1)
    struct.pack_into("<II", edited, 0x218, (highest - initrd_size) & ~0xFFF, initrd_size)
    return bytes(edited)


# -- registers --------------------------------------------------------------------------------------------------------

def rtmr1(kernel_digest):
    return replay([kernel_digest, sha384(b"Calling EFI Application from Boot Option"), sha384(bytes(4)),
                   sha384(b"Exit Boot Services Invocation"), sha384(b"Exit Boot Services Returned with Success")])


def rtmr2(command_line, initrd):
    return replay([sha384((command_line + " initrd=initrd").encode("utf-16-le"), bytes(2)), sha384(initrd)])


def td_hob(sections, memory):
    accepted = sorted((address, size) for _, _, address, size, kind, _ in sections if kind in (TD_HOB, TEMP_MEM))
    base = next(address for _, _, address, _, kind, _ in sections if kind == TD_HOB)
    resources, free = [], 0
    for start, size in accepted:
        if start > free:
            resources.append((7, free, start - free))
        resources.append((0, start, size))
        free = start + size
    if memory >= 0xB0000000:
        resources += [(7, free, 0x80000000 - free), (7, 0x100000000, memory - 0x80000000)]
    else:
        resources.append((7, free, memory - free))
    body = b"".join(struct.pack("<HHI16xIIQQ", 3, 48, 0, kind, 7, start, size) for kind, start, size in resources)
    end = base + 56 + len(body) + 8
    return struct.pack("<HHIIIQQQQQ", 1, 56, 0, 9, 0, 0, 0, 0, 0, end) + body


def rtmr0(hob, volume, acpi):
    def empty(vendor, name):
        return sha384(guid(vendor), struct.pack("<QQ", len(name), 0), name.encode("utf-16-le"))

    efi, security = "8be4df61-93ca-11d2-aa0d-00e098032b8c", "d719b2cb-3d3a-4596-a3bc-dad00e67656f"
    boot_0000 = bytes.fromhex("23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28e"
                              "acf7047ae6e967c58fd2a98bfa74c298")
    return replay([sha384(hob), sha384(volume), empty(efi, "SecureBoot"), empty(efi, "PK"), empty(efi, "KEK"),
                   empty(security, "db"), empty(security, "dbx"), sha384(bytes(4)), *acpi, sha384(bytes(2)), boot_0000])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    firmware, sections = make_firmware()
    kernel = make_kernel()
    initrd = bytes((index * 31) % 256 for index in range(3001))
    metadata = {
        "bios": "ovmf.fd", "kernel": "bzImage", "initrd": "initramfs.cpio.gz", "rootfs": "rootfs.img.verity",
        "cmdline": "console=ttyS0 init=/init dstack.rootfs_hash=" + "ab" * 32 + " dstack.rootfs_size=4096",
        "version": "0.5.99", "is_dev": False,
    }
    files = {
        "ovmf.fd": firmware, "bzImage": kernel, "initramfs.cpio.gz": initrd,
        "metadata.json": (json.dumps(metadata, indent=2) + "\n").encode(),
    }
    checksums = "".join(f"{sha256(content)}  {name}\n" for name, content in files.items()).encode()
    for name, content in {**files, "sha256sum.txt": checksums, "digest.txt": (sha256(checksums) + "\n").encode()}.items():
        (folder / name).write_bytes(content)
    acpi = [sha384(text) for text in (b"loader", b"rsdp", b"tables")]
    volume = firmware[:PAGE]
    expected = {
        "os_image_hash": sha256(checksums),
        "mrtd": {"single_pass": mrtd(firmware, sections, False).hex(), "two_pass": mrtd(firmware, sections, True).hex()},
        "rtmr1": {
            "plain": rtmr1(authenticode(kernel)).hex(),
            "patched": rtmr1(authenticode(edited_by_qemu(kernel, len(initrd), 4 << 30))).hex(),
        },
        "rtmr2": rtmr2(metadata["cmdline"], initrd).hex(),
        "events": {
            "kernel_plain": authenticode(kernel).hex(),
            "kernel_patched": authenticode(edited_by_qemu(kernel, len(initrd), 4 << 30)).hex(),
            "command_line": sha384((metadata["cmdline"] + " initrd=initrd").encode("utf-16-le"), bytes(2)).hex(),
            "initrd": sha384(initrd).hex(),
        },
        "acpi": [digest.hex() for digest in acpi],
        "rtmr0": {str(memory): rtmr0(td_hob(sections, memory), volume, acpi).hex() for memory in (2 << 30, 11 << 28, 64 << 30)},
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


if __name__ == "__main__":
    main()
