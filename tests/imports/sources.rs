//! Which file imports which, read from the text of the sources: those of the program (`src/`), and those of the core
//! (`crates/core/src/`), whose paths begin with `core/` here.
//!
//! It knows as much of Rust as that takes: `use` with its lists, paths that begin with `crate`, `super` or `self`, and
//! names that a `mod.rs` exports again, which count as imports of the file that defines them. Tests are left out, and so
//! is what a file takes from the `mod.rs` of its own folder or of one above: that file lists it, and the two are one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The files by their path below `src/`, without comments, strings and tests.
pub struct Sources {
    texts: BTreeMap<String, String>,
    exports: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// The folder of a file, or its name where it stands in `src/` itself.
pub fn folder_of(file: &str) -> String {
    let parts = if file.starts_with("core/") { 2 } else { 1 };
    let first: Vec<&str> = file.split('/').take(parts).collect();
    first.join("/").trim_end_matches(".rs").to_owned()
}

/// The names of the types that a file defines.
pub fn types_of(text: &str) -> Vec<&str> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words
        .windows(2)
        .filter(|two| ["struct", "enum", "trait"].contains(&two[0]))
        .map(|two| {
            two[1]
                .split(|letter: char| !letter.is_alphanumeric())
                .next()
                .unwrap_or_default()
        })
        // A macro takes the name as `$name`.
        .filter(|name| !name.is_empty())
        .collect()
}

impl Sources {
    pub fn read() -> Self {
        let texts: BTreeMap<String, String> = sources()
            .into_iter()
            .filter(|(file, _)| !is_test(file))
            .map(|(file, text)| (file, bare(without_tests(&text))))
            .collect();
        let exports = texts
            .iter()
            .map(|(file, text)| (file.clone(), exports(text)))
            .collect();
        Self { texts, exports }
    }

    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts
            .iter()
            .map(|(file, text)| (file.as_str(), text.as_str()))
    }

    /// The file that imports, the file that is imported, and the path that says so.
    pub fn imports(&self) -> BTreeSet<(String, String, String)> {
        let mut imports = BTreeSet::new();
        for (file, text) in &self.texts {
            for (path, exported) in paths(text) {
                let Some(target) = self.file_of(file, &path, 0) else {
                    continue;
                };
                let own_list = target
                    .strip_suffix("mod.rs")
                    .is_some_and(|folder| file.starts_with(folder));
                let lists = exported && (file.ends_with("mod.rs") || is_root(file));
                if target != *file && !is_root(&target) && !own_list && !lists {
                    imports.insert((file.clone(), target, path.join("::")));
                }
            }
        }
        imports
    }

    /// Sets of files that import each other, directly or by way of others of the set.
    pub fn circles(&self) -> Vec<BTreeSet<String>> {
        let mut next: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to, _) in self.imports() {
            next.entry(from).or_default().insert(to);
        }
        let reach = |from: &String| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
            while let Some(at) = open.pop() {
                open.extend(
                    next.get(at)
                        .into_iter()
                        .flatten()
                        .filter(|to| seen.insert((*to).clone())),
                );
            }
            seen
        };
        let reached: BTreeMap<&String, BTreeSet<String>> =
            next.keys().map(|file| (file, reach(file))).collect();
        let circle = |file: &String| -> BTreeSet<String> {
            let back = |other: &&String| reached.get(other).is_some_and(|all| all.contains(file));
            reached[file].iter().filter(back).cloned().collect()
        };
        let circles: BTreeSet<BTreeSet<String>> =
            next.keys().map(circle).filter(|set| set.len() > 1).collect();
        circles.into_iter().collect()
    }

    /// The file that defines what a path names, as written in `file`.
    fn file_of(&self, file: &str, path: &[String], depth: usize) -> Option<String> {
        let mut module = module_of(file);
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" if file.starts_with("core/") => (module, rest) = (vec!["core".to_owned()], &rest[1..]),
            "cvm_verify_core" => (module, rest) = (vec!["core".to_owned()], &rest[1..]),
            "crate" | "cvm_verify" => (module, rest) = (Vec::new(), &rest[1..]),
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    module.pop()?;
                    rest = &rest[1..];
                }
            }
            name => {
                let mut child = module.clone();
                child.push(name.to_owned());
                self.file_of_module(&child)?;
            }
        }
        while let Some((name, after)) = rest.split_first() {
            let mut child = module.clone();
            child.push(name.clone());
            let here = self.file_of_module(&module)?;
            // A name that is exported again hides a module of the same name where it ends a path.
            let again = self.exports[&here].get(name).filter(|_| depth < 8);
            if let (Some(again), true) = (again, after.is_empty() || self.file_of_module(&child).is_none()) {
                return self.file_of(&here, again, depth + 1).or(Some(here));
            }
            if self.file_of_module(&child).is_none() {
                return Some(here);
            }
            (module, rest) = (child, after);
        }
        self.file_of_module(&module)
    }

    fn file_of_module(&self, module: &[String]) -> Option<String> {
        let path = module.join("/");
        let candidates = if module.is_empty() {
            vec!["lib.rs".to_owned()]
        } else if path == "core" {
            vec!["core/lib.rs".to_owned()]
        } else {
            vec![format!("{path}.rs"), format!("{path}/mod.rs")]
        };
        candidates.into_iter().find(|file| self.texts.contains_key(file))
    }
}

fn is_root(file: &str) -> bool {
    matches!(file, "lib.rs" | "core/lib.rs")
}

/// The text of every file, tests included.
pub fn sources() -> BTreeMap<String, String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = BTreeMap::new();
    for (prefix, folder) in [("", "src"), ("core/", "crates/core/src")] {
        let root = repository.join(folder);
        collect(prefix, &root, &root, &mut all);
    }
    all
}

fn collect(prefix: &str, root: &Path, folder: &Path, all: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(prefix, root, &path, all);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            all.insert(format!("{prefix}{name}"), fs::read_to_string(&path).unwrap());
        }
    }
}

fn module_of(file: &str) -> Vec<String> {
    let mut parts: Vec<String> = file
        .trim_end_matches(".rs")
        .split('/')
        .map(str::to_owned)
        .collect();
    if parts.last().is_some_and(|last| last == "mod") || is_root(file) || file == "main.rs" {
        parts.pop();
    }
    parts
}

/// Whether a file is for tests alone, as its name says.
fn is_test(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

/// The modules of tests whose names, or the paths above them, do not say so: by file and name.
pub fn unnamed_test_modules() -> Vec<(String, String)> {
    let modules = |(file, text): (String, String)| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let marked = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
        let names = marked.filter_map(|pair| pair[1].split_once("mod ")?.1.strip_suffix(';'));
        let unnamed = names.filter(|name| !name.ends_with("tests"));
        unnamed
            .map(|name| (file.clone(), name.to_owned()))
            .collect::<Vec<_>>()
    };
    sources()
        .into_iter()
        .filter(|(file, _)| !is_test(file))
        .flat_map(modules)
        .collect()
}

/// Tests come last in a file.
fn without_tests(text: &str) -> &str {
    let start = text
        .match_indices("\n#[cfg(test)]\n")
        .map(|(at, _)| at)
        .find(|at| {
            let item = text[at + 1..]
                .lines()
                .find(|line| !line.starts_with('#') && !line.starts_with([' ', ')']));
            item.is_some_and(|line| line.ends_with("mod tests {"))
        });
    &text[..start.unwrap_or(text.len())]
}

/// Without comments, and with empty strings.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if let Some((hashes, body)) = raw_string(rest) {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = body.find(&end).map_or(body.len(), |at| at + end.len());
            rest = &body[length..];
        } else if c == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            rest = &rest[end.map_or(rest.len(), |end| end + 2)..];
        } else if rest.starts_with("'\"'") || rest.starts_with("'\\\"'") {
            rest = &rest[rest[1..].find("'").map_or(1, |end| end + 2)..];
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// The number of hashes and the text behind the opening quote of a raw string.
fn raw_string(text: &str) -> Option<(usize, &str)> {
    let after = text.strip_prefix('r').or_else(|| text.strip_prefix("br"))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    Some((hashes, after[hashes..].strip_prefix('"')?))
}

/// Every path that can lead to another file, and whether it is exported again.
fn paths(text: &str) -> Vec<(Vec<String>, bool)> {
    let (mut all, code) = uses(text);
    // Paths in the code: as they are, or below a module that a `use` brought in.
    let imported: BTreeMap<String, Vec<String>> = all
        .iter()
        .filter_map(|(path, _)| Some((path.last()?.clone(), path.clone())))
        .collect();
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for word in code.split(|c| !is_path(c)).filter(|word| word.contains("::")) {
        let segments = names(word);
        match segments.first() {
            Some(first) if first.starts_with(|c: char| c.is_ascii_lowercase()) => {
                let base = imported
                    .get(first)
                    .cloned()
                    .unwrap_or_else(|| vec![first.clone()]);
                all.push(([base.as_slice(), &segments[1..]].concat(), false));
            }
            _ => {}
        }
    }
    all
}

/// The paths of all `use` items, and whether each is exported again; and the text without them.
fn uses(text: &str) -> (Vec<(Vec<String>, bool)>, String) {
    let (mut all, mut code, mut rest) = (Vec::new(), String::new(), text);
    while let Some((before, after)) = next_use(rest) {
        let (tree, behind) = after.split_once(';').unwrap_or((after, ""));
        let line = before.rsplit('\n').next().unwrap_or_default();
        let exported = line.trim_start().starts_with("pub");
        all.extend(leaves(tree, &[]).into_iter().map(|path| (path, exported)));
        code.push_str(before);
        rest = behind;
    }
    code.push_str(rest);
    (all, code)
}

/// What stands before the next `use` and behind it.
fn next_use(text: &str) -> Option<(&str, &str)> {
    let found = text.match_indices("use ").find(|(at, _)| {
        let line = text[..*at].rsplit('\n').next().unwrap_or_default().trim_start();
        line.is_empty() || (line.starts_with("pub") && (line == "pub " || line.ends_with(") ")))
    });
    found.map(|(at, word)| (&text[..at], &text[at + word.len()..]))
}

/// The paths of a tree of imports. `self` in a list is the list's own path; `*` and names behind `as` are left out.
fn leaves(tree: &str, before: &[String]) -> Vec<Vec<String>> {
    let tree = tree.trim();
    if let Some((head, list)) = tree.split_once('{') {
        let list = list.trim_end().strip_suffix('}').unwrap_or(list);
        let prefix: Vec<String> = [before, &names(head)].concat();
        return split_list(list)
            .into_iter()
            .flat_map(|part| leaves(part, &prefix))
            .collect();
    }
    let path = names(tree.split(" as ").next().unwrap_or(tree));
    let path: Vec<String> = match path.as_slice() {
        [only] if only == "self" && !before.is_empty() => before.to_vec(),
        _ => [before, &path].concat(),
    };
    if path.last().is_none_or(|last| last == "*") {
        Vec::new()
    } else {
        vec![path]
    }
}

fn names(path: &str) -> Vec<String> {
    path.split("::")
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The parts between the commas that stand in no inner list.
fn split_list(list: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect()
}

/// What a file exports again: its name and its path there.
fn exports(text: &str) -> BTreeMap<String, Vec<String>> {
    let again = uses(text).0.into_iter().filter(|(_, exported)| *exported);
    again
        .filter_map(|(path, _)| Some((path.last()?.clone(), path)))
        .collect()
}
