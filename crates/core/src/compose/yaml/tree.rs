//! A document as a tree whose shared parts are shared, and what it would take to write them out.

use std::rc::Rc;

use serde_json::{Map, Value};

/// A part of a document, with the size that it has when every alias in it is written out.
#[derive(Debug, PartialEq)]
pub(super) struct Tree {
    node: Node,
    pub(super) size: Size,
}

/// What a part takes when every alias in it is written out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Size {
    /// Scalars, keys, lists and mappings.
    pub(super) nodes: usize,
    /// Bytes of scalars and keys.
    pub(super) bytes: usize,
    /// How deeply lists and mappings nest.
    pub(super) depth: usize,
}

#[derive(Debug, PartialEq)]
enum Node {
    Scalar { text: String, plain: bool },
    Sequence(Vec<Rc<Tree>>),
    Mapping(YamlMembers),
}

/// The members of a mapping, in the order of the document.
pub(super) type YamlMembers = Vec<(Rc<str>, Rc<Tree>)>;

impl Size {
    /// What two parts take.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(other.nodes),
            bytes: self.bytes.saturating_add(other.bytes),
            depth: self.depth.max(other.depth),
        }
    }

    fn inside(self) -> Self {
        Self {
            nodes: self.nodes.saturating_add(1),
            bytes: self.bytes,
            depth: self.depth.saturating_add(1),
        }
    }
}

impl Tree {
    /// A scalar. `plain` is one without quotation marks.
    pub(super) fn scalar(text: String, plain: bool) -> Self {
        let size = Size {
            nodes: 1,
            bytes: text.len(),
            depth: 0,
        };
        Self {
            node: Node::Scalar { text, plain },
            size,
        }
    }

    pub(super) fn sequence(items: Vec<Rc<Self>>) -> Self {
        let size = items
            .iter()
            .fold(Size::default(), |size, item| size.and(item.size));
        Self {
            node: Node::Sequence(items),
            size: size.inside(),
        }
    }

    pub(super) fn mapping(members: YamlMembers) -> Self {
        let size = members.iter().fold(Size::default(), |size, (name, value)| {
            size.and(value.size).and(Size {
                nodes: 1,
                bytes: name.len(),
                depth: 0,
            })
        });
        Self {
            node: Node::Mapping(members),
            size: size.inside(),
        }
    }

    /// The members of a mapping.
    pub(super) fn members(&self) -> Option<&[(Rc<str>, Rc<Self>)]> {
        match &self.node {
            Node::Mapping(members) => Some(members),
            _ => None,
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<&[Rc<Self>]> {
        match &self.node {
            Node::Sequence(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(&self.node, Node::Scalar { text, plain: true } if is_null(text))
    }

    /// The tree in one canonical text, for comparisons with other readers: `S`, the length in bytes and the text of a
    /// scalar, `N` for a plain one that says nothing, `[…]`, and `{…}` with its keys in order.
    pub(super) fn write_canonical(&self, into: &mut String) {
        let text = |text: &str, into: &mut String| {
            into.push_str(&format!("S{}:{text}", text.len()));
        };
        match &self.node {
            Node::Scalar { .. } if self.is_null() => into.push('N'),
            Node::Scalar { text: value, .. } => text(value, into),
            Node::Sequence(items) => {
                into.push('[');
                items.iter().for_each(|item| item.write_canonical(into));
                into.push(']');
            }
            Node::Mapping(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                into.push('{');
                for (name, value) in members {
                    text(name, into);
                    value.write_canonical(into);
                }
                into.push('}');
            }
        }
    }

    /// The value, with every alias written out. What nothing else shares is moved.
    pub(super) fn into_value(self: Rc<Self>) -> Value {
        match Rc::try_unwrap(self) {
            Ok(tree) => match tree.node {
                Node::Scalar { text, plain } => value_of(text, plain),
                Node::Sequence(items) => items.into_iter().map(Self::into_value).collect(),
                Node::Mapping(members) => members
                    .into_iter()
                    .map(|(name, value)| (name.as_ref().to_owned(), value.into_value()))
                    .collect::<Map<_, _>>()
                    .into(),
            },
            Err(shared) => shared.to_value(),
        }
    }

    fn to_value(&self) -> Value {
        match &self.node {
            Node::Scalar { text, plain } => value_of(text.clone(), *plain),
            Node::Sequence(items) => items.iter().map(|item| item.to_value()).collect(),
            Node::Mapping(members) => members
                .iter()
                .map(|(name, value)| (name.as_ref().to_owned(), value.to_value()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

/// Null, booleans and text. Numbers stay text: nothing that is judged depends on them.
fn value_of(text: String, plain: bool) -> Value {
    match text.as_str() {
        text if plain && is_null(text) => Value::Null,
        "true" | "True" | "TRUE" if plain => Value::Bool(true),
        "false" | "False" | "FALSE" if plain => Value::Bool(false),
        _ => Value::String(text),
    }
}

/// What a plain scalar says when it says nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}
