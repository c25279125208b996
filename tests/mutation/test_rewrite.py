"""Each kind of change, written into a small program behind its switch: off it is the program as it was, on it is changed.

Usage: test_rewrite.py     (needs rustc)
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from rewrite import File

SWITCH = """
fn active(number: u32) -> bool {
    std::env::var("CVM_MUTANT").ok().and_then(|text| text.parse().ok()) == Some(number)
}
"""
# What is changed stands between « and »; the comment behind it is the kind and what to write there.
PROGRAM = """
#[derive(Default)]
struct Pair { left: u32, right: u32 }
fn value() -> u32 { «7»/*FnValue 0*/ }
fn equal(a: u32, b: u32) -> bool { a «==»/*BinaryOperator !=*/ b }
fn both(a: bool, b: bool) -> bool { a «&&»/*BinaryOperator ||*/ b }
fn either(a: bool, b: bool) -> bool { a «||»/*BinaryOperator &&*/ b && !b }
fn less(a: u32, b: u32) -> bool { a «<»/*BinaryOperator <=*//*BinaryOperator >*/ b }
fn nested(a: u32, b: u32) -> bool { (a «==»/*BinaryOperator !=*/ b) «&&»/*BinaryOperator ||*/ «!»/*UnaryOperator */(a «+»/*BinaryOperator -*/ b < 3) }
fn bits(a: u8) -> u8 { «!»/*UnaryOperator */a }
fn added(mut a: u32) -> u32 { a «+=»/*BinaryOperator -=*/ 2; a }
fn matched(a: u32) -> u32 {
    match a {
        «1 => 10,»/*MatchArm */
        n if «n > 5»/*MatchArmGuard true*//*MatchArmGuard false*/ => 20,
        _ => 30,
    }
}
fn lets(a: Option<u32>) -> bool { if let Some(n) = a «&&»/*BinaryOperator ||*/ n > 1 { true } else { false } }
fn pair() -> Pair { Pair { «right: 4,»/*StructField */ ..Pair::default() } }
const LIMIT: u32 = 3 «+»/*BinaryOperator -*/ 1;
const fn fixed(a: u32) -> u32 { a «*»/*BinaryOperator +*/ 5 }
fn main() {
    println!("value {}", value());
    println!("equal {} {}", equal(1, 1), equal(1, 2));
    println!("both {}", both(true, false));
    println!("either {}", either(true, false));
    println!("less {} {}", less(1, 1), less(2, 1));
    println!("nested {} {} {}", nested(2, 2), nested(1, 1), nested(1, 5));
    println!("bits {}", bits(1));
    println!("added {}", added(5));
    println!("matched {} {} {}", matched(1), matched(3), matched(9));
    println!("lets {}", lets(Some(1)));
    println!("pair {} {}", pair().left, pair().right);
    println!("limit {LIMIT} {}", fixed(2));
}
"""
AS_IT_WAS = {
    "value": "7", "equal": "true false", "both": "false", "either": "true", "less": "false false",
    "nested": "true false false", "bits": "254", "added": "7", "matched": "10 30 20", "lets": "false", "pair": "0 4",
    "limit": "4 10",
}
# What each change does, in their order; None: it cannot be switched, or does not compile.
CHANGED = [
    ("value", "0"), ("equal", "false true"), ("both", "true"), ("either", "false"), ("less", "true false"),
    ("less", "false true"), ("nested", "false false true"), ("nested", "true true true"), ("nested", "false true false"),
    ("nested", "false false false"), ("bits", "1"), ("added", "3"), ("matched", "30 30 20"), ("matched", "10 20 20"),
    ("matched", "10 30 30"), None, ("pair", "0 0"), None, ("limit", "4 7"),
]
# The change in `bits`.
BITS = 11


def listed():
    """The program without its marks, and its changes as cargo-mutants would list them."""
    text, changes, at = "", [], 0
    for match in re.finditer(r"«(.*?)»((?:/\*.*?\*/)+)", PROGRAM, re.S):
        text += PROGRAM[at : match.start()]
        start = place(text)
        text += match[1]
        for kind, replacement in re.findall(r"/\*(\w+) (.*?)\*/", match[2]):
            changes.append({
                "genre": kind, "name": f"{kind} {replacement} in line {start['line']}", "replacement": replacement,
                "span": {"start": start, "end": place(text)},
            })
        at = match.end()
    return text + PROGRAM[at:], changes


def place(text):
    line = text.rpartition("\n")[2]
    return {"line": text.count("\n") + 1, "column": len(line) + 1}


class Rewrite(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        text, cls.changes = listed()
        cls.file = File("main.rs", text, list(enumerate(cls.changes, 1)), "active")
        cls.file.text(set(), set(), set())
        operators = [site for site in cls.file.sites.values() if site.key[0] == "op"]
        # Where an operand is not `bool`, the compiler refuses the short way, and the operands are written twice.
        numeric = {site.key for site in operators if site.changes[0].number == BITS}
        cls.program = cls.build("once", numeric)
        cls.twice = cls.build("twice", {site.key for site in operators})

    @classmethod
    def build(cls, name, copied):
        source, program = Path(cls.folder.name) / f"{name}.rs", Path(cls.folder.name) / name
        source.write_text(cls.file.text(set(), copied, set()) + SWITCH)
        subprocess.run(["rustc", "--edition=2024", "-A", "warnings", source, "-o", program], check=True)
        return program

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def said(self, program, number):
        environment = os.environ | {"CVM_MUTANT": str(number)}
        text = subprocess.run([program], env=environment, capture_output=True, text=True, check=True).stdout
        return dict(line.split(" ", 1) for line in text.splitlines())

    def test_without_a_change_it_is_the_program_as_it_was(self):
        for program in (self.program, self.twice):
            self.assertEqual(self.said(program, 0), AS_IT_WAS)

    def test_each_change_does_what_it_says_and_nothing_else(self):
        self.assertEqual(len(self.changes), len(CHANGED))
        for number, expected in enumerate(CHANGED, 1):
            for program in (self.program, self.twice):
                with self.subTest(self.changes[number - 1]["name"], program=program.name):
                    self.assertEqual(self.said(program, number), AS_IT_WAS | ({expected[0]: expected[1]} if expected else {}))

    def test_what_cannot_be_switched_is_said(self):
        self.assertEqual(self.file.unswitchable, {16: "condition with let", 18: "constant"})


if __name__ == "__main__":
    sys.exit(unittest.main())
