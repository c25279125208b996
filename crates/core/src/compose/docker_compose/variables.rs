//! What Docker Compose substitutes before anything else reads a value: `$NAME`, `${NAME:-default}` and the like.

use std::collections::BTreeSet;

/// How deeply substitutions may nest. Real ones reach 2.
const MAX_DEPTH: usize = 16;

/// A value of a docker compose file as Docker Compose reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(Variable),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Variable {
    name: String,
    /// What happens where the variable is not set.
    otherwise: Otherwise,
    argument: Template,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Otherwise {
    /// `${NAME}`: nothing, `${NAME:?text}`: an error, `${NAME:+text}`: nothing.
    Nothing,
    /// `${NAME:-text}`: the text.
    Argument,
}

/// A value in which a variable is set from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OpenText {
    /// Each such variable as `${NAME}`; every other is as its default says.
    pub(super) text: String,
    /// The same without what is open.
    pub(super) fixed: String,
    /// Whether there is one.
    pub(super) is_open: bool,
    /// Whether a dollar stands beside them, which a shell may read.
    pub(super) has_dollar: bool,
}

/// A substitution that Docker Compose does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl Template {
    /// Reads a value. A doubled dollar is one dollar; a dollar before anything that is not a name is itself.
    pub(super) fn read(text: &str) -> Result<Self, Malformed> {
        let mut rest = text;
        let template = read_parts(&mut rest, false, 0)?;
        if rest.is_empty() {
            Ok(template)
        } else {
            Err(Malformed)
        }
    }

    /// Every name that is substituted, those in defaults included.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.collect(&mut names);
        names
    }

    fn collect<'t>(&'t self, names: &mut BTreeSet<&'t str>) {
        for part in &self.0 {
            if let Part::Variable(variable) = part {
                names.insert(&variable.name);
                variable.argument.collect(names);
            }
        }
    }

    /// The value where `value_of` gives a variable's value, and nothing where the variable is not set.
    pub(super) fn evaluate(&self, value_of: &impl Fn(&str) -> Option<String>) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Variable(variable) => match (value_of(&variable.name), variable.otherwise) {
                    (Some(value), _) => text.push_str(&value),
                    (None, Otherwise::Argument) => text.push_str(&variable.argument.evaluate(value_of)),
                    (None, Otherwise::Nothing) => {}
                },
            }
        }
        text
    }

    /// The value where the variables for which `is_set` holds stay open, and every other is as in [`Template::evaluate`].
    pub(super) fn open(
        &self,
        is_set: &impl Fn(&str) -> bool,
        value_of: &impl Fn(&str) -> Option<String>,
    ) -> OpenText {
        let mut open = OpenText::default();
        self.fill(is_set, value_of, &mut open);
        open
    }

    fn fill(
        &self,
        is_set: &impl Fn(&str) -> bool,
        value_of: &impl Fn(&str) -> Option<String>,
        open: &mut OpenText,
    ) {
        let fixed = |text: &str, open: &mut OpenText| {
            open.has_dollar |= text.contains('$');
            open.text.push_str(text);
            open.fixed.push_str(text);
        };
        for part in &self.0 {
            match part {
                Part::Text(literal) => fixed(literal, open),
                Part::Variable(variable) if is_set(&variable.name) => {
                    open.is_open = true;
                    // What it is by default may hold one, too.
                    let default = variable.argument.open(is_set, value_of);
                    open.has_dollar |= default.has_dollar;
                    open.text.push_str(&format!("${{{}}}", variable.name));
                }
                Part::Variable(variable) => match (value_of(&variable.name), variable.otherwise) {
                    (Some(value), _) => fixed(&value, open),
                    (None, Otherwise::Argument) => variable.argument.fill(is_set, value_of, open),
                    (None, Otherwise::Nothing) => {}
                },
            }
        }
    }
}

fn read_parts(rest: &mut &str, inside: bool, depth: usize) -> Result<Template, Malformed> {
    if depth > MAX_DEPTH {
        return Err(Malformed);
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    while let Some(c) = rest.chars().next() {
        if inside && c == '}' {
            break;
        }
        *rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if c != '$' {
            literal.push(c);
            continue;
        }
        if let Some(after) = rest.strip_prefix('$') {
            *rest = after;
            literal.push('$');
        } else if let Some(after) = rest.strip_prefix('{') {
            *rest = after;
            push_literal(&mut parts, &mut literal);
            parts.push(Part::Variable(read_braced(rest, depth)?));
        } else {
            match take_name(rest) {
                Some(name) => {
                    push_literal(&mut parts, &mut literal);
                    parts.push(Part::Variable(Variable {
                        name,
                        otherwise: Otherwise::Nothing,
                        argument: Template(Vec::new()),
                    }));
                }
                None => literal.push('$'),
            }
        }
    }
    push_literal(&mut parts, &mut literal);
    Ok(Template(parts))
}

fn push_literal(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

/// What follows `${`, its closing brace included.
fn read_braced(rest: &mut &str, depth: usize) -> Result<Variable, Malformed> {
    let name = take_name(rest).ok_or(Malformed)?;
    let operator = [":-", ":?", ":+", "-", "?", "+"]
        .into_iter()
        .find(|operator| rest.starts_with(operator));
    let (otherwise, argument) = match operator {
        None => (Otherwise::Nothing, Template(Vec::new())),
        Some(operator) => {
            *rest = rest.get(operator.len()..).unwrap_or_default();
            let argument = read_parts(rest, true, depth + 1)?;
            match operator.ends_with('-') {
                true => (Otherwise::Argument, argument),
                false => (Otherwise::Nothing, argument),
            }
        }
    };
    *rest = rest.strip_prefix('}').ok_or(Malformed)?;
    Ok(Variable {
        name,
        otherwise,
        argument,
    })
}

fn take_name(rest: &mut &str) -> Option<String> {
    if !rest.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic()) {
        return None;
    }
    let end = rest
        .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        Template::read(text)
            .unwrap()
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_form_of_a_substitution_is_found() {
        for text in [
            "$A", "${A}", "${A-x}", "${A:-x}", "${A?x}", "${A:?x}", "${A+x}", "${A:+x}", "x$A.y",
        ] {
            assert_eq!(names(text), ["A"], "{text}");
        }
        assert_eq!(names("${A:-${B}}"), ["A", "B"]);
        assert_eq!(names("${A:-${B:-$C}}d$E"), ["A", "B", "C", "E"]);
    }

    #[test]
    fn a_doubled_dollar_is_literal_and_so_is_one_before_no_name() {
        for text in ["$$A", "5$", "$1", "$$${", "$$$$A", "a $ b", "$(date)"] {
            let read = Template::read(text);
            assert!(
                read.is_ok_and(|template| template.names().is_empty()) || text == "$$${",
                "{text}"
            );
        }
        assert_eq!(names("$$$A"), ["A"]);
        assert_eq!(names("${A:-$$B}"), ["A"]);
    }

    #[test]
    fn what_docker_compose_does_not_have_is_malformed() {
        for text in ["${", "${}", "${A", "${A/x/y}", "${1}", "${A:}", "${A:-${B}"] {
            assert_eq!(Template::read(text), Err(Malformed), "{text}");
        }
        let deep = format!("{}x{}", "${A:-".repeat(40), "}".repeat(40));
        assert_eq!(Template::read(&deep), Err(Malformed));
    }

    #[test]
    fn what_is_not_set_is_its_default() {
        let value = |text: &str| Template::read(text).unwrap().evaluate(&|_| None);
        assert_eq!(value("a${B:-c}d"), "acd");
        assert_eq!(value("a${B:-${C-e}}d"), "aed");
        assert_eq!(value("a${B}$C${D:+x}${E:?y}d$$f"), "ad$f");
    }

    #[test]
    fn what_is_set_stays_open_and_what_is_not_is_its_default() {
        let open = |text: &str| {
            let open = Template::read(text).unwrap().open(&|name| name == "X", &|_| None);
            (open.text, open.is_open, open.has_dollar)
        };
        for (text, filled, is_open, has_dollar) in [
            ("--port=${X:-80}", "--port=${X}", true, false),
            ("a$X.b", "a${X}.b", true, false),
            ("${A:-b${X}}", "b${X}", true, false),
            ("${A:-b}", "b", false, false),
            ("${A:-$$B}${X}", "$B${X}", true, true),
            ("${X:-$$B}", "${X}", true, true),
            ("${X}$$B", "${X}$B", true, true),
        ] {
            assert_eq!(open(text), (filled.to_owned(), is_open, has_dollar), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[${}:a-z_+?\\-]{0,60}") {
            if let Ok(template) = Template::read(&text) {
                let open = template.open(&|name| name.len() < 3, &|_| None);
                let _ = (template.names().len(), template.evaluate(&|_| None), open);
            }
        }
    }
}
