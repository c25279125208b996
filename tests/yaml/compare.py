"""Compares what three readers make of mutated docker compose files: cvm-verify, go-yaml (Docker Compose's) and libyaml.

    compare.py OURS GO_YAML [--documents N] [--cpu-seconds N] [--seed N] [--inputs FOLDER] FOLDER...

OURS and GO_YAML are programs that read documents from standard input and write their trees (read.rs, go_yaml.go).
Fails when two readers accept a document and do not read the same keys, kinds and scalar text in it, one of the two
being cvm-verify. What cvm-verify refuses cannot deceive it; how often it refuses what go-yaml reads is counted.

Every file of FOLDER is a compose file that all read. `--inputs` names a folder of any texts, such as what a fuzzer kept:
they are compared as they are, and changed too.
"""

import argparse
import collections
import os
import pathlib
import random
import re
import resource
import struct
import subprocess
import sys

import yaml

BATCH = 500
MAX_DEPTH = 100
LOADER = yaml.CSafeLoader

PIECES = [
    "? ", "- ", ": ", ":", "&a ", "*a", "&b ", "*b ", "<<: *a\n", "<<: [*a, *b]", "!!str ", "!!int ", "!!map ", "!reset ",
    "!override ", "!", "!!", "!x,", "|", ">", "|-", ">-", "|+", ">+", "|2", "|1-", ">2+", '"', "'", "''", "#", " #", "# x\n",
    "---", "---\n", "\n---\n", "...\n", "\n...\n", "--- ", "{", "}", "[", "]", ",", "{}", "[]", "{a: b}", "[a, b]", "[a: b]",
    "{a, b: c}", "{? a : b}", "{?a: b}", "{a:b}", '{"a":b}', "\r", "\r\n", "\t", "\t\n", " \t", "\n\t", " ", "  ", "    ", "\n",
    "\n\n", "\n \n", "\u00a0", "\u0085", "\u2028", "\ufeff", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "%TAG !e! tag:x,2000:\n---\n",
    "%", "@", "`", "\\", "\\\n", '"\\x41"', '"\\\n  b"', '"a\\tb"', "~", "null", "true", "yes", "1", "0x1F", "1_000", ".inf",
    "2001-01-01", "=", "<<", "a", "b", "x", "image: ", "build: .\n", "privileged: true", "services:\n", "\u00e9", "\u65e5\u672c", "\U0001f600",
    "k" * 1030, "\u00e9" * 600, "$", "${A:-b}", "\x00", "\x07", "\x7f", "\ud7ff", "\ufffe",
]


def mutate(rng, text, others):
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        text = mutate_once(rng, text, others)
    return text


def mutate_once(rng, text, others):
    at = rng.randrange(len(text) + 1)
    kind = rng.randrange(14)
    if kind <= 3:
        return text[:at] + rng.choice(PIECES) + text[at:]
    if kind == 4:
        return text[:at] + text[at + rng.choice((1, 1, 1, 2, 3, 8)):]
    if kind == 5:
        return text[:at] + rng.choice(PIECES) + text[at + rng.choice((1, 1, 2, 4)):]
    if kind == 6:
        return text[:at]
    if kind == 7:
        return text.rstrip("\n") + rng.choice(("", "", " ", "  ", "    ", "\t", "\n\n", "\n  ", "\r", "#", "\\"))
    if kind == 8:
        return text.replace("\n", "\r\n") if rng.random() < 0.5 else "\ufeff" + text
    lines = text.split("\n")
    line = rng.randrange(len(lines))
    if kind == 9:
        lines.insert(rng.randrange(len(lines) + 1), lines[line])
    elif kind == 10:
        del lines[line]
    elif kind == 11:
        indented = lines[line]
        lines[line] = rng.choice((" " + indented, "  " + indented, indented[1:], indented[2:], "\t" + indented.lstrip(" "), indented.lstrip(" ")))
    elif kind == 12:
        other = rng.choice(others).split("\n")
        first = rng.randrange(len(other))
        lines[line:line] = other[first:first + rng.choice((1, 2, 4))]
    else:
        # A value in the flow style, or a text in another style of quotation.
        head, colon, tail = lines[line].partition(": ")
        if colon:
            lines[line] = head + rng.choice((": [" + tail, ": {" + tail + "}", ': "' + tail + '"', ": '" + tail, ":" + tail, ":\t" + tail, ": &a " + tail, ": |\n" + tail, " :" + tail))
    return "\n".join(lines)


class Refused(Exception):
    pass


def canonical_of_libyaml(text):
    """The same canonical text as the other readers write, from the nodes of libyaml."""
    loader = LOADER(text)
    try:
        first = None
        count = 0
        while loader.check_node():
            node = loader.get_node()
            if count == 0:
                first = node
            elif not is_null(node):
                raise Refused("a second document")
            count += 1
        out = []
        write(loader, first, out, 0)
        return "".join(out)
    finally:
        loader.dispose()


def is_null(node):
    return node is None or node.tag == "tag:yaml.org,2002:null" and isinstance(node, yaml.ScalarNode)


def write(loader, node, out, depth):
    if depth > MAX_DEPTH:
        raise Refused("nests too deeply")
    if is_null(node):
        out.append("N")
    elif isinstance(node, yaml.ScalarNode):
        out.append(scalar(node.value))
    elif isinstance(node, yaml.SequenceNode):
        out.append("[")
        for item in node.value:
            write(loader, item, out, depth + 1)
        out.append("]")
    else:
        loader.flatten_mapping(node)
        members = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise Refused("a key that is not text")
            members[key.value.encode("utf-8", "surrogatepass")] = (key.value, value)
        out.append("{")
        for _, (key, value) in sorted(members.items()):
            out.append(scalar(key))
            write(loader, value, out, depth + 1)
        out.append("}")


def scalar(value):
    return f"S{len(value.encode('utf-8', 'surrogatepass'))}:{value}"


def libyaml(text):
    try:
        return "A" + canonical_of_libyaml(text)
    except (yaml.YAMLError, Refused, RecursionError, ValueError, UnicodeError) as problem:
        return "R" + str(problem)


class Reader:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def send(self, documents):
        sink = self.process.stdin
        for document in documents:
            sink.write(struct.pack(">I", len(document)) + document)
        sink.write(b"\xff\xff\xff\xff")
        sink.flush()

    def answers(self, count):
        for _ in range(count):
            (size,) = struct.unpack(">I", self.exactly(4))
            yield self.exactly(size).decode("utf-8", "replace")

    def processor_seconds(self):
        """Until now, while it runs: the fields `utime` and `stime` of its stat file."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        ticks = stat.rpartition(")")[2].split()[11:13]
        return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def exactly(self, count):
        got = self.process.stdout.read(count)
        if len(got) != count:
            sys.exit(f"a reader stopped: {self.process.args}, status {self.process.wait()}")
        return got


def processor_seconds(running=()):
    """Of this program, of the readers that ended, and of those that run."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ended = sum(each.ru_utime + each.ru_stime for each in used)
    return ended + sum(reader.processor_seconds() for reader in running)


def texts_of(folder):
    """What a fuzzer kept: texts of any form; what is not UTF-8 is no docker compose file."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            yield path.read_bytes().decode()
        except UnicodeDecodeError:
            pass


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("ours")
    arguments.add_argument("go_yaml")
    arguments.add_argument("folders", nargs="+", type=pathlib.Path)
    arguments.add_argument("--documents", type=int, default=5000)
    arguments.add_argument("--cpu-seconds", type=float, help="end after that many seconds of this program's own processor time")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--inputs", action="append", default=[], type=pathlib.Path)
    arguments.add_argument("--show", type=int, default=3)
    options = arguments.parse_args()

    corpus = sorted(path for folder in options.folders for path in folder.rglob("*.y*ml"))
    texts = [path.read_bytes().decode() for path in corpus]
    if not texts:
        sys.exit("no *.yml file in these folders")
    rng = random.Random(options.seed)
    ours, go = Reader(options.ours), Reader(options.go_yaml)
    counts = collections.Counter()
    only_ours, only_go = collections.Counter(), collections.Counter()
    examples = {}
    wrong = 0

    def judge(texts):
        nonlocal wrong
        documents = [text.encode("utf-8", "surrogatepass") for text in texts]
        # A batch is small enough for both pipes: neither side waits for the other without end.
        for at in range(0, len(documents), 20):
            part = documents[at:at + 20]
            ours.send(part)
            go.send(part)
            three = zip(texts[at:at + 20], list(ours.answers(len(part))), list(go.answers(len(part))))
            for text, our, theirs in three:
                libs = libyaml(text)
                counts["documents"] += 1
                counts["read by " + ("".join(name for name, answer in (("o", our), ("g", theirs), ("l", libs)) if answer[0] == "A") or "none")] += 1
                for name, other in (("go-yaml", theirs), ("libyaml", libs)):
                    if our[0] == other[0] == "A" and our != other:
                        wrong += 1
                        counts[f"differs from {name}"] += 1
                        if wrong <= 20:
                            print(f"DIFFERS from {name}: {text!r}\n  ours    {our!r}\n  {name} {other!r}", flush=True)
                if theirs[0] == libs[0] == "A" and theirs != libs:
                    counts["go-yaml and libyaml differ, refused here" if our[0] == "R" else "go-yaml and libyaml differ, read here"] += 1
                if our[0] == "A" and theirs[0] == "R":
                    reason = re.sub(r"line \d+:? ?", "", re.sub(r'"[^"]*"|`[^`]*`|\d+', "…", theirs))[:90]
                    only_ours[reason] += 1
                    examples.setdefault("o" + reason, text)
                if our[0] == "R" and theirs[0] == "A":
                    reason = re.sub(r"`[^`]*`|\d+", "…", our)[:110]
                    only_go[reason] += 1
                    examples.setdefault("g" + reason, text)

    judge(texts)
    # libyaml's Python binding refuses an anchor of the same name as another; go-yaml and cvm-verify take the last.
    if counts["read by ogl"] + counts["read by og"] != len(texts):
        sys.exit(f"a file of the corpus is not read: {counts} {only_ours} {only_go}")
    inputs = [text for folder in options.inputs for text in texts_of(folder)]
    judge(inputs)
    texts += inputs
    left = options.documents
    while left > 0 and (options.cpu_seconds is None or processor_seconds([ours, go]) < options.cpu_seconds):
        size = min(BATCH, left)
        judge([mutate(rng, rng.choice(texts), texts) for _ in range(size)])
        left -= size
    ours.end()
    go.end()
    for name, count in sorted(counts.items()):
        print(f"{count:>9}  {name}")
    for title, kinds, mark in (("read here, refused by go-yaml", only_ours, "o"), ("refused here, read by go-yaml", only_go, "g")):
        print(title)
        for reason, count in kinds.most_common(25):
            print(f"{count:>9}  {reason}")
            if options.show > 3:
                print(f"           {examples[mark + reason][-300:]!r}")
    print(f"{processor_seconds():.0f} s of processor time, the readers' with it")
    print(f"{counts['documents'] - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
