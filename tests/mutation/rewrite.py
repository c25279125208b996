"""Writes many changes into one source file, each behind `active(NUMBER)`.

A change is what `cargo mutants --list --json` says: a kind, a span and what to write there. Each becomes code that does
the same as before unless its number is switched on. A place where several changes meet is one site, and sites nest.
"""

import tree_sitter
import tree_sitter_rust

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

# Contexts that are evaluated by the compiler: nothing can be switched there at run time.
CONSTANT = {"const_item", "static_item", "enum_variant", "array_type", "const_block"}


class Change:
    """One change: a number, and where it is."""

    def __init__(self, number, listed, source):
        self.number = number
        self.kind = listed["genre"]
        self.name = listed["name"]
        self.replacement = listed["replacement"]
        self.start = source.offset(listed["span"]["start"])
        self.end = source.offset(listed["span"]["end"])


class Source:
    def __init__(self, text):
        self.bytes = text.encode()
        self.lines, at = [], 0
        for line in text.split("\n"):
            self.lines.append((at, line))
            at += len(line.encode()) + 1
        self.root = PARSER.parse(self.bytes).root_node

    def offset(self, place):
        """The byte at a line and a column, which count from 1; columns count characters."""
        at, line = self.lines[place["line"] - 1]
        return at + len(line[: place["column"] - 1].encode())

    def node(self, start, end, kinds):
        """The smallest node of one of these kinds that holds a span."""
        node = self.root.descendant_for_byte_range(start, end)
        while node and node.type not in kinds:
            node = node.parent
        return node


def function_of(node):
    while node and node.type not in CONSTANT and node.type != "function_item":
        node = node.parent
    return node


def is_const(function):
    words = [child for child in function.children if child.type == "function_modifiers"]
    return any(word.type == "const" for child in words for word in child.children)


class Site:
    """A place of the source that is written anew. `write` is called with a function that writes what is inside."""

    def __init__(self, key, start, end, write):
        self.key, self.start, self.end, self.write = key, start, end, write
        self.changes = []


def marked(number, text):
    """Text of one change, so that a compiler's error there is known to be of this change."""
    return f"/*[{number}*/{text}/*]{number}*/"


class File:
    """One source file with its changes. `dropped` are changes that do not compile, `copied` sites that are written twice."""

    def __init__(self, path, text, listed, active):
        self.path, self.active = path, active
        self.source = Source(text)
        self.changes = [Change(number, one, self.source) for number, one in listed]
        # Why a change cannot be switched.
        self.unswitchable = {}

    def text(self, dropped, copied, kept_const):
        self.unswitchable = {}
        self.sites = {}
        self.copied = copied
        for change in self.changes:
            if change.number not in dropped:
                self.add(change, kept_const)
        self.order = sorted(self.sites.values(), key=lambda site: (site.start, site.end > site.start, -site.end))
        # A site of no width stands before what begins at the same place.
        return self.write(0, len(self.source.bytes)).decode()

    def add(self, change, kept_const):
        node = self.source.root.descendant_for_byte_range(change.start, max(change.start, change.end - 1))
        function = function_of(node)
        if function is None or function.type != "function_item":
            self.unswitchable[change.number] = "constant"
            return
        if is_const(function):
            name = function.child_by_field_name("name").text.decode()
            if name in kept_const:
                self.unswitchable[change.number] = "constant function"
                return
            word = next(w for c in function.children if c.type == "function_modifiers" for w in c.children if w.type == "const")
            self.site(("const", word.start_byte), word.start_byte, word.end_byte, lambda inner: b"")
        problem = getattr(self, change.kind)(change)
        if problem:
            self.unswitchable[change.number] = problem

    def site(self, key, start, end, write):
        if key not in self.sites:
            self.sites[key] = Site(key, start, end, write)
        return self.sites[key]

    def on(self, number):
        return f"{self.active}({number})"

    def FnValue(self, change):
        if change.start == change.end:
            return "empty body"
        function = function_of(self.source.root.descendant_for_byte_range(change.start, change.start))
        type_of = function.child_by_field_name("return_type")
        if type_of is not None and "impl" in type_of.text.decode().split():
            return "a type without a name"
        site = self.site(("fn", change.start), change.start, change.start, None)
        site.changes.append(change)

        def write(_):
            each = [
                marked(one.number, f"if {self.on(one.number)} {{ return {one.replacement}; }}") for one in site.changes
            ]
            return (" ".join(each) + " ").encode()

        site.write = write
        return None

    def BinaryOperator(self, change):
        node = self.source.node(change.start, change.end, {"binary_expression", "compound_assignment_expr", "let_chain"})
        if node is None or node.type == "let_chain":
            return "condition with let"
        operator = node.child_by_field_name("operator") or next(c for c in node.children if not c.is_named)
        if operator.start_byte != change.start:
            return "no such operator"
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        site = self.site(("op", node.start_byte, node.end_byte), node.start_byte, node.end_byte, None)
        site.changes.append(change)
        was = operator.text.decode()

        def write(inner):
            l, r = inner(left).decode(), inner(right).decode()
            key = site.key
            first = site.changes[0]
            if len(site.changes) == 1 and key not in self.copied:
                on = self.on(first.number)
                if was in ("&&", "||"):
                    # By De Morgan, with each side evaluated as before, and written once.
                    text = f"((({on}) ^ ({l})) {was} (({on}) ^ ({r}))) ^ ({on})"
                    return f"/*{{{first.number}*/({text})/*}}{first.number}*/".encode()
                if was in ("==", "!="):
                    return f"/*{{{first.number}*/(({on}) ^ (({l}) {was} ({r})))/*}}{first.number}*/".encode()
            branches = "".join(
                f"if {self.on(one.number)} {{ {marked(one.number, f'({l}) {one.replacement} ({r})')} }} else "
                for one in site.changes
            )
            if node.type == "compound_assignment_expr":
                branches = "".join(
                    f"if {self.on(one.number)} {{ {marked(one.number, f'{l} {one.replacement} {r}')}; }} else "
                    for one in site.changes
                )
                return f"/*{{{first.number}*/({branches}{{ {l} {was} {r}; }})/*}}{first.number}*/".encode()
            return f"/*{{{first.number}*/({branches}{{ ({l}) {was} ({r}) }})/*}}{first.number}*/".encode()

        site.write = write
        return None

    def UnaryOperator(self, change):
        node = self.source.node(change.start, change.end, {"unary_expression"})
        if node is None or node.start_byte != change.start:
            return "no such operator"
        operand = node.children[-1]
        was = node.children[0].text.decode()
        site = self.site(("op", node.start_byte, node.end_byte), node.start_byte, node.end_byte, None)
        site.changes.append(change)

        def write(inner):
            x, number = inner(operand).decode(), change.number
            if was == "!" and site.key not in self.copied:
                text = f"(({self.on(number)}) ^ (!{x}))"
            else:
                text = f"(if {self.on(number)} {{ {marked(number, x)} }} else {{ {was}{x} }})"
            return f"/*{{{number}*/{text}/*}}{number}*/".encode()

        site.write = write
        return None

    def pattern(self, node):
        """The site of an arm's pattern with its guard."""
        condition = node.child_by_field_name("condition")
        site = self.site(("arm", node.start_byte), node.start_byte, node.end_byte, None)

        def write(inner):
            number = site.changes[0].number
            guards = {one.replacement: one.number for one in site.changes if one.kind == "MatchArmGuard"}
            deleted = [one.number for one in site.changes if one.kind == "MatchArm"]
            if condition is None:
                pattern, guard = self.write(node.start_byte, node.end_byte, skip=site).decode(), None
            else:
                word = next(child for child in node.children if child.type == "if")
                pattern = self.source.bytes[node.start_byte : word.start_byte].decode()
                guard = f"({inner(condition).decode()})"
                if "false" in guards:
                    guard = f"(!{self.on(guards['false'])} && {guard})"
                if "true" in guards:
                    guard = f"({self.on(guards['true'])} || {guard})"
            if deleted:
                guard = f"(!{self.on(deleted[0])} && {guard})" if guard else f"!{self.on(deleted[0])}"
            return f"/*{{{number}*/{pattern.rstrip()} if {guard}/*}}{number}*/".encode()

        site.write = write
        return site

    def MatchArmGuard(self, change):
        node = self.source.node(change.start, change.end - 1, {"match_pattern"})
        condition = node and node.child_by_field_name("condition")
        if condition is None or condition.start_byte != change.start:
            return "no such guard"
        if condition.type in ("let_condition", "let_chain"):
            return "condition with let"
        self.pattern(node).changes.append(change)
        return None

    def MatchArm(self, change):
        node = self.source.node(change.start, change.end - 1, {"match_arm"})
        if node is None or not change.start <= node.start_byte <= change.end:
            return "no such arm"
        self.pattern(node.child_by_field_name("pattern")).changes.append(change)
        return None

    def StructField(self, change):
        node = self.source.node(change.start, change.end - 1, {"field_initializer", "shorthand_field_initializer"})
        if node is None:
            return "no such field"
        fields = node.parent
        base = next((child for child in fields.children if child.type == "base_field_initializer"), None)
        if base is None:
            return "no base"
        rest = base.children[-1].text.decode()
        is_short = node.type == "shorthand_field_initializer"
        value = node if is_short else node.child_by_field_name("value")
        name = (node if is_short else node.child_by_field_name("field")).text.decode()
        site = self.site(("field", value.start_byte), value.start_byte, value.end_byte, None)
        site.changes.append(change)

        def write(_):
            own, number = self.write(value.start_byte, value.end_byte, skip=site).decode(), change.number
            head = f"{name}: " if is_short else ""
            return f"/*{{{number}*/{head}if {self.on(number)} {{ {marked(number, f'({rest}).{name}')} }} else {{ {own} }}/*}}{number}*/".encode()

        site.write = write
        return None

    def write(self, start, end, skip=None):
        """The source between two places, with its sites written anew."""
        out, at = [], start
        # What is inside of a site comes after it.
        inside = self.order[self.order.index(skip) + 1 :] if skip else self.order
        for site in inside:
            if site.start < at or site.end > end or site.start == site.end >= end:
                continue
            out.append(self.source.bytes[at : site.start])
            out.append(site.write(lambda node, own=site: self.write(node.start_byte, node.end_byte, skip=own)))
            at = site.end
        out.append(self.source.bytes[at:end])
        return b"".join(out)
