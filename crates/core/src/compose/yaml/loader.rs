//! From the events of the parser to a tree.

use std::collections::HashMap;
use std::rc::Rc;

use libyaml_safer::{Event, EventData, Mark, ScalarStyle};

use super::problem::YamlProblem;
use super::tree::{Tree, YamlMembers, is_null};
use super::{MAX_BYTES, MAX_DEPTH, MAX_NODES};

/// The key that merges another mapping into this one.
const MERGE: &str = "<<";
/// How much of a name a problem shows, in characters.
const MAX_SHOWN: usize = 60;

const FEWER: &str = "make the document smaller, or refer to fewer or smaller anchors";
const ONE_DOCUMENT: &str = "keep one document in the file: remove the `---` and what follows it";
const NO_TAG: &str =
    "remove the tag: only `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!map` and `!!seq` are read";
const KEY_IS_TEXT: &str = "write the key as plain or quoted text";
const CORE: &str = "tag:yaml.org,2002:";

/// The name of an anchor, and which of the nodes of that name it is: the one that begins last is what an alias means,
/// whichever ends last.
struct Anchor {
    name: String,
    number: usize,
}

/// A collection that is not complete yet.
struct Open {
    anchor: Option<Anchor>,
    start: Mark,
    kind: Kind,
}

enum Kind {
    Sequence(Vec<Rc<Tree>>),
    Mapping(Mapping),
}

#[derive(Default)]
struct Mapping {
    members: YamlMembers,
    /// The line of each key, from 1.
    lines: HashMap<Rc<str>, u64>,
    merged: Option<(Rc<Tree>, Mark)>,
    /// A key that waits for its value.
    key: Option<Key>,
}

enum Key {
    Merge,
    Name(Rc<str>),
}

/// Builds a tree from events, within bounds.
#[derive(Default)]
pub(super) struct Loader {
    open: Vec<Open>,
    /// By name, the node that began last, once it is complete.
    anchors: HashMap<String, (usize, Option<Rc<Tree>>)>,
    begun: usize,
    nodes: usize,
    bytes: usize,
    documents: usize,
    root: Option<Rc<Tree>>,
}

impl Loader {
    /// What was read: nothing, for a text without a document.
    pub(super) fn finish(self) -> Option<Rc<Tree>> {
        self.root
    }

    /// Takes the next event.
    pub(super) fn take(&mut self, event: Event) -> Result<(), YamlProblem> {
        let mark = event.start_mark;
        match event.data {
            EventData::DocumentStart { .. } => {
                self.documents += 1;
                self.anchors.clear();
                Ok(())
            }
            EventData::Scalar {
                anchor,
                tag,
                value,
                style,
                ..
            } => self.scalar(mark, anchor, tag.as_deref(), value, style),
            EventData::SequenceStart { anchor, tag, .. } => {
                refuse_tag(mark, tag.as_deref(), "seq")?;
                self.begin(mark, anchor, Kind::Sequence(Vec::new()))
            }
            EventData::MappingStart { anchor, tag, .. } => {
                refuse_tag(mark, tag.as_deref(), "map")?;
                self.begin(mark, anchor, Kind::Mapping(Mapping::default()))
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.end(mark),
            EventData::Alias { anchor } => self.alias(mark, &anchor),
            EventData::StreamStart { .. } | EventData::StreamEnd | EventData::DocumentEnd { .. } => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        mark: Mark,
        anchor: Option<String>,
        tag: Option<&str>,
        text: String,
        style: ScalarStyle,
    ) -> Result<(), YamlProblem> {
        self.count(mark, 1, text.len())?;
        let plain = style == ScalarStyle::Plain;
        let anchor = self.name(anchor);
        let is_text = !plain || tag.is_some_and(|tag| tag.strip_prefix(CORE) == Some("str"));
        if !self.expects_key() {
            let kind = tag.map(|tag| tag.strip_prefix(CORE).unwrap_or(""));
            return match kind {
                None | Some("str") => self.complete(mark, anchor, Tree::scalar(text, !is_text)),
                Some("int" | "float" | "bool") if !is_null(&text) => {
                    self.complete(mark, anchor, Tree::scalar(text, true))
                }
                Some("null") if is_null(&text) => self.complete(mark, anchor, Tree::scalar(text, true)),
                Some(_) => Err(YamlProblem::at(
                    mark,
                    "a tag that changes what a value is",
                    NO_TAG,
                )),
            };
        }
        if text == MERGE {
            return if plain && tag.is_none() && anchor.is_none() {
                self.set_key(mark, Key::Merge)
            } else {
                Err(YamlProblem::at(
                    mark,
                    "a key `<<` in quotation marks, with a tag or with an anchor, which not every reader merges",
                    "write `<<` plainly",
                ))
            };
        }
        if tag.is_some_and(|tag| tag.strip_prefix(CORE) != Some("str")) {
            return Err(YamlProblem::at(mark, "a tag that changes what a key is", NO_TAG));
        }
        if !is_text && is_null(&text) {
            return Err(YamlProblem::at(mark, "a key that is not text", KEY_IS_TEXT));
        }
        let name: Rc<str> = text.as_str().into();
        if anchor.is_some() {
            self.remember(anchor, &Rc::new(Tree::scalar(text, !is_text)));
        }
        self.set_key(mark, Key::Name(name))
    }

    fn alias(&mut self, mark: Mark, name: &str) -> Result<(), YamlProblem> {
        if self.expects_key() {
            return Err(YamlProblem::at(
                mark,
                "an alias in the place of a key",
                KEY_IS_TEXT,
            ));
        }
        let Some(tree) = self.anchors.get(name).and_then(|(_, tree)| tree.clone()) else {
            return Err(YamlProblem::at(
                mark,
                format!(
                    "the alias `*{}` refers to nothing that is complete before it",
                    shown(name)
                ),
                "write the anchor `&…` before the alias, and not around it",
            ));
        };
        self.count(mark, tree.size.nodes, tree.size.bytes)?;
        if self.open.len().saturating_add(tree.size.depth) > MAX_DEPTH {
            return Err(too_deep(mark));
        }
        self.put(mark, tree)
    }

    /// Counts before anything is made: an alias counts as what it stands for.
    fn count(&mut self, mark: Mark, nodes: usize, bytes: usize) -> Result<(), YamlProblem> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.nodes > MAX_NODES {
            let says = format!(
                "more than {MAX_NODES} keys, values, lists and mappings, with every alias written out"
            );
            return Err(YamlProblem::at(mark, says, FEWER));
        }
        if self.bytes > MAX_BYTES {
            let says = format!("more than {MAX_BYTES} bytes of text, with every alias written out");
            return Err(YamlProblem::at(mark, says, FEWER));
        }
        Ok(())
    }

    /// Whether what comes next is the key of a mapping.
    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: Kind::Mapping(mapping), .. }) if mapping.key.is_none())
    }

    fn begin(&mut self, start: Mark, anchor: Option<String>, kind: Kind) -> Result<(), YamlProblem> {
        self.count(start, 1, 0)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(start));
        }
        if self.expects_key() {
            return Err(YamlProblem::at(start, "a key that is not text", KEY_IS_TEXT));
        }
        let anchor = self.name(anchor);
        self.open.push(Open { anchor, start, kind });
        Ok(())
    }

    fn end(&mut self, mark: Mark) -> Result<(), YamlProblem> {
        let Some(Open { anchor, start, kind }) = self.open.pop() else {
            return Err(YamlProblem::at(mark, "an end without a beginning", FEWER));
        };
        let tree = match kind {
            Kind::Sequence(items) => Tree::sequence(items),
            Kind::Mapping(mapping) => Tree::mapping(mapping.finish()?),
        };
        self.complete(start, anchor, tree)
    }

    fn set_key(&mut self, mark: Mark, key: Key) -> Result<(), YamlProblem> {
        let Some(Open {
            kind: Kind::Mapping(mapping),
            ..
        }) = self.open.last_mut()
        else {
            return Err(YamlProblem::at(mark, "a key outside a mapping", KEY_IS_TEXT));
        };
        let name: Rc<str> = match &key {
            Key::Merge => MERGE.into(),
            Key::Name(name) => Rc::clone(name),
        };
        let line = mark.line.saturating_add(1);
        if let Some(first) = mapping.lines.insert(Rc::clone(&name), line) {
            let says = format!("the key `{}` is given twice, first in line {first}", shown(&name));
            let fix = match key {
                Key::Merge => "merge several mappings with one key: `<<: [*first, *second]`",
                Key::Name(_) => "keep one of the two",
            };
            return Err(YamlProblem::at(mark, says, fix));
        }
        mapping.key = Some(key);
        Ok(())
    }

    /// From here on the name means this node, also inside it.
    fn name(&mut self, anchor: Option<String>) -> Option<Anchor> {
        let name = anchor?;
        self.begun += 1;
        let number = self.begun;
        self.anchors.insert(name.clone(), (number, None));
        Some(Anchor { name, number })
    }

    fn remember(&mut self, anchor: Option<Anchor>, tree: &Rc<Tree>) {
        if let Some(Anchor { name, number }) = anchor
            && let Some((last, slot)) = self.anchors.get_mut(&name)
            && *last == number
        {
            *slot = Some(Rc::clone(tree));
        }
    }

    fn complete(&mut self, mark: Mark, anchor: Option<Anchor>, tree: Tree) -> Result<(), YamlProblem> {
        let tree = Rc::new(tree);
        self.remember(anchor, &tree);
        self.put(mark, tree)
    }

    /// Puts a complete value where it belongs.
    fn put(&mut self, mark: Mark, tree: Rc<Tree>) -> Result<(), YamlProblem> {
        match self.open.last_mut() {
            None if self.documents <= 1 => self.root = Some(tree),
            None if tree.is_null() => {}
            None => return Err(YamlProblem::at(mark, "a second document", ONE_DOCUMENT)),
            Some(Open {
                kind: Kind::Sequence(items),
                ..
            }) => items.push(tree),
            Some(Open {
                kind: Kind::Mapping(mapping),
                ..
            }) => match mapping.key.take() {
                None => return Err(YamlProblem::at(mark, "a key that is not text", KEY_IS_TEXT)),
                Some(Key::Merge) => mapping.merged = Some((tree, mark)),
                Some(Key::Name(name)) => mapping.members.push((name, tree)),
            },
        }
        Ok(())
    }
}

impl Mapping {
    /// With what it merges: its own members win, then earlier merges before later ones.
    fn finish(self) -> Result<YamlMembers, YamlProblem> {
        let Self {
            mut members,
            mut lines,
            merged,
            ..
        } = self;
        let Some((merged, mark)) = merged else {
            return Ok(members);
        };
        let alone = std::slice::from_ref(&merged);
        for source in merged.items().unwrap_or(alone) {
            let Some(source) = source.members() else {
                return Err(YamlProblem::at(
                    mark,
                    "`<<` merges something that is not a mapping",
                    "merge a mapping, `<<: *name`, or a list of mappings, `<<: [*first, *second]`",
                ));
            };
            for (name, value) in source {
                if !lines.contains_key(name) {
                    lines.insert(Rc::clone(name), 0);
                    members.push((Rc::clone(name), Rc::clone(value)));
                }
            }
        }
        Ok(members)
    }
}

fn refuse_tag(mark: Mark, tag: Option<&str>, allowed: &str) -> Result<(), YamlProblem> {
    match tag {
        Some(tag) if tag.strip_prefix(CORE) != Some(allowed) => Err(YamlProblem::at(
            mark,
            "a tag that changes what a value is",
            NO_TAG,
        )),
        _ => Ok(()),
    }
}

fn too_deep(mark: Mark) -> YamlProblem {
    YamlProblem::at(
        mark,
        format!("it nests more than {MAX_DEPTH} deep"),
        "nest lists and mappings less deeply",
    )
}

fn shown(name: &str) -> String {
    name.chars().take(MAX_SHOWN).collect()
}
