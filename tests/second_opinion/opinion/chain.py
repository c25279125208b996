"""What two nodes answered about contracts, at one block (dstack, `kms/auth-eth/contracts`;
docs/governance.md, "What is asked")."""

import datetime
import json
import re

from . import strict_json

IMPLEMENTATION = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"  # ERC-1967
BEHIND = datetime.timedelta(minutes=15)
OLD = datetime.timedelta(hours=2)
REVERTED = object()


class Undetermined(Exception):
    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def quantity(value):
    if not isinstance(value, str) or not re.fullmatch("0x(0|[1-9a-f][0-9a-f]{0,15})", value):
        raise Undetermined("rpc")
    return int(value, 16)


def data(value):
    if not isinstance(value, str) or not value.startswith("0x"):
        raise Undetermined("rpc")
    found = strict_json.hex_bytes(value[2:])
    if found is None:
        raise Undetermined("rpc")
    return found


def key(method, params):
    return method, json.dumps(params, sort_keys=True)


class Chain:
    """The recorded answers. Both nodes must give the same one."""

    def __init__(self, recorded):
        value = strict_json.plain(recorded)
        self.contracts = value["contracts"]
        self.exchanges = {key(each["method"], each["params"]): each["answers"] for each in value["exchanges"]}
        self.block = None

    def outcomes(self, method, params):
        answers = self.exchanges.get(key(method, params))
        if answers is None or len(answers) != 2:
            raise Undetermined("not-asked")
        found = []
        for answer in answers:
            error = answer.get("error")
            if method == "eth_call" and error is not None and (error.get("code") == 3 or error.get("code") == -32000 and str(error.get("message")).startswith("execution reverted")):
                found.append(REVERTED)
            elif "result" not in answer or error is not None or answer.get("problem") is not None:
                raise Undetermined("rpc")
            else:
                found.append(answer["result"])
        return found

    def ask(self, method, params):
        first, second = (each if each is REVERTED else data(each) for each in self.outcomes(method, params))
        if first is not second and first != second:
            raise Undetermined("rpc-disagree")
        return first

    def open(self, chain_id, now):
        """Chooses the block: the older one of the two newest final ones."""
        if any(quantity(each) != chain_id for each in self.outcomes("eth_chainId", [])):
            raise Undetermined("chain")
        newest = [self.header(each) for each in self.outcomes("eth_getBlockByNumber", ["finalized", False])]
        self.block = hex(min(number for number, _, _ in newest))
        chosen = [self.header(each) for each in self.outcomes("eth_getBlockByNumber", [self.block, False])]
        if chosen[0] != chosen[1]:
            raise Undetermined("rpc-disagree")
        if any(hex(number) != self.block for number, _, _ in chosen):
            raise Undetermined("rpc")
        times = [chosen[0][2] if hex(number) == self.block else time for number, _, time in newest]
        if max(times) - min(times) > BEHIND.total_seconds():
            raise Undetermined("chain")
        age = now.timestamp() - chosen[0][2]
        if age > OLD.total_seconds() or age < -60:
            raise Undetermined("chain")

    @staticmethod
    def header(value):
        if not isinstance(value, dict) or len(data(value.get("hash"))) != 32:
            raise Undetermined("rpc")
        return quantity(value.get("number")), value["hash"], quantity(value.get("timestamp"))

    def code(self, address, latest=False):
        found = self.ask("eth_getCode", ["0x" + address, "latest" if latest else self.block])
        if found is REVERTED:
            raise Undetermined("rpc")
        return found

    def slot(self, address, slot):
        found = self.ask("eth_getStorageAt", ["0x" + address, slot, self.block])
        if found is REVERTED or len(found) != 32:
            raise Undetermined("abi" if found is not REVERTED else "rpc")
        return found

    def call(self, address, call, latest=False):
        return self.ask("eth_call", [{"to": "0x" + address, "data": "0x" + call}, "latest" if latest else self.block])

    def boolean(self, address, call, latest=False, absent=None):
        """A boolean; `absent` where the contract has no such function (unsupported without one)."""
        found = self.call(address, call, latest)
        if found is REVERTED or found == b"":
            if absent is None:
                raise Undetermined("unsupported")
            return absent
        if len(found) != 32 or int.from_bytes(found, "big") > 1:
            raise Undetermined("abi")
        return bool(found[31])

    def implements(self, address, call):
        """ERC-165: exactly 1 says yes; whatever else a contract answers says no."""
        return self.call(address, call) == bytes(31) + b"\x01"

    def number(self, address, call):
        """A number; None where the contract has no such function."""
        found = self.call(address, call)
        if found is REVERTED or found == b"":
            return None
        if len(found) != 32:
            raise Undetermined("abi")
        return int.from_bytes(found, "big")

    def address(self, address, call):
        found = self.call(address, call)
        if found is REVERTED or found == b"":
            raise Undetermined("unsupported")
        if len(found) != 32 or any(found[:12]):
            raise Undetermined("abi")
        return found[12:].hex()


def texts(found, count):
    """The ABI form of `count` texts of bytes: without gaps, padded with zeros."""
    if len(found) % 32 or len(found) < 32 * count:
        raise Undetermined("abi")
    result, at = [], 32 * count
    for number in range(count):
        if int.from_bytes(found[32 * number:32 * number + 32], "big") != at or at + 32 > len(found):
            raise Undetermined("abi")
        length = int.from_bytes(found[at:at + 32], "big")
        end = at + 32 + -(-length // 32) * 32
        if length > len(found) or end > len(found) or any(found[at + 32 + length:end]):
            raise Undetermined("abi")
        result.append(found[at + 32:at + 32 + length])
        at = end
    if at != len(found):
        raise Undetermined("abi")
    return result
