//! Words of a script, and what is substituted in them.

use std::collections::BTreeSet;

use super::super::arithmetic::arithmetic_part;
use super::super::host_data;
use super::super::host_files::{HOST_FILES, names_host_file};
use super::super::machines::is_unprotected;
use super::super::names::{identifiers, names_in};
use super::super::script::{Script, ShellCommand};
use super::super::shown_environment::WHOLE_ENVIRONMENT;
use super::super::unfinished_script::prints_numbers;
use super::super::word::Word;
use super::{MAX_DEPTH, ShellReader};

impl ShellReader {
    /// What a shell substitutes in the text of a here-document: the commands in it are added to `script`.
    pub(super) fn substituted_in(
        &mut self,
        text: &str,
        depth: usize,
        script: &mut Script,
    ) -> BTreeSet<String> {
        let mut reader = Self::of(text, std::mem::take(&mut self.addresses));
        reader.folder.clone_from(&self.folder);
        let mut word = Word::default();
        while let Some(c) = reader.next() {
            match c {
                '\\' => {
                    reader.next();
                }
                '`' => reader.substitution('`', depth, &mut word, script),
                '$' => reader.dollar(depth, &mut word, script),
                _ => {}
            }
        }
        self.addresses = reader.addresses;
        word.held().collect()
    }

    /// Reads a word; commands inside its substitutions are added to `script`.
    pub(super) fn word(&mut self, end: Option<char>, depth: usize, script: &mut Script) -> Word {
        let mut word = Word::default();
        let mut quoted = false;
        let started = self.at;
        while let Some(c) = self.peek() {
            if !quoted && (c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')' | '<' | '>')) {
                break;
            }
            if !quoted && Some(c) == end {
                break;
            }
            self.at += 1;
            match c {
                '"' => quoted = !quoted,
                '\'' if !quoted => {
                    while let Some(c) = self.next() {
                        if c == '\'' {
                            break;
                        }
                        word.text.push(c);
                    }
                }
                '\\' => {
                    if let Some(c) = self.next()
                        && c != '\n'
                    {
                        word.text.push(c);
                    }
                }
                '`' if end != Some('`') => self.substitution('`', depth, &mut word, script),
                '$' => {
                    self.dollar(depth, &mut word, script);
                    word.is_split |= !quoted && !word.names.is_empty();
                }
                c => word.text.push(c),
            }
        }
        // A character that ends words and begins none must not stop the reader.
        if self.at == started {
            self.at += 1;
        }
        word.is_numbers &= word.text == "$()";
        if names_host_file(&word.text) {
            word.names.insert(HOST_FILES.to_owned());
        }
        word.names.extend(host_data::named(&word.text).map(str::to_owned));
        word
    }

    /// `<(…)` or `>(…)`, behind the parenthesis. What is written to the latter is the input of its commands.
    pub(super) fn process(&mut self, is_written: bool, depth: usize, script: &mut Script) -> Word {
        let mut word = Word::default();
        let first = script.commands.len();
        self.substitution(')', depth, &mut word, script);
        if is_written && let Some(inner) = script.commands.get_mut(first..) {
            ShellCommand::read_any(inner);
        }
        word
    }

    /// Shells evaluate the values of variables in an arithmetic expression, and bash executes what stands in an index there.
    /// Nothing is consumed; no character is read here twice.
    pub(super) fn arithmetic(&mut self, script: &mut Script) {
        if self.at < self.evaluated_to {
            return;
        }
        let mut open = 0_usize;
        let mut expression = String::new();
        self.evaluated_to = self.at;
        // `((…))`, and `$[…]` of bash.
        let is_bracket = self.peek() == Some('[');
        for &c in self.rest.get(self.at..).unwrap_or_default() {
            match (c, is_bracket) {
                ('(', false) | ('[', true) => open += 1,
                (')', false) | (']', true) => open = open.saturating_sub(1),
                _ => {}
            }
            if open == 0 {
                break;
            }
            self.evaluated_to += 1;
            expression.push(c);
        }
        script
            .commands
            .push(ShellCommand::of_number(identifiers(&expression)));
    }

    fn substitution(&mut self, end: char, depth: usize, word: &mut Word, script: &mut Script) {
        word.text.push_str("$()");
        if depth >= MAX_DEPTH {
            // Everything that is left is not read, so it counts as the name of a program.
            let rest: String = self.rest.get(self.at..).unwrap_or_default().iter().collect();
            self.at = self.rest.len();
            let names = names_in(&rest);
            word.names.extend(names.iter().cloned());
            script.commands.push(ShellCommand::of_program(names));
            return;
        }
        let is_whole = word.text == "$()";
        let inner = self.script(Some(end), depth + 1);
        word.is_numbers = is_whole && prints_numbers(&inner);
        self.addresses.mark_printed(word, &inner.commands);
        for command in &inner.commands {
            word.names.extend(command.words_names().cloned());
            word.reads.extend(command.held());
            // What is printed may be a script: `sh -c "$(echo 'eval "$NAME"')"`.
            if command
                .words
                .first()
                .is_some_and(|first| matches!(first.text.as_str(), "echo" | "printf"))
            {
                word.names
                    .extend(command.words.iter().flat_map(|word| names_in(&word.text)));
            }
        }
        script.commands.extend(inner.commands);
        script.functions.extend(inner.functions);
    }

    fn dollar(&mut self, depth: usize, word: &mut Word, script: &mut Script) {
        match self.peek() {
            Some('(') => {
                if self.peek_at(1) == Some('(') {
                    self.arithmetic(script);
                }
                self.at += 1;
                self.substitution(')', depth, word, script);
            }
            Some('[') => {
                self.arithmetic(script);
                word.text.push('$');
            }
            Some('{') => {
                self.at += 1;
                let mut inner = String::from("${");
                let mut open = 1_usize;
                while let Some(c) = self.next() {
                    inner.push(c);
                    match c {
                        '{' => open += 1,
                        '}' => open -= 1,
                        _ => {}
                    }
                    if open == 0 {
                        break;
                    }
                }
                let names = names_in(&inner);
                // `${NAME:=http://…}` sets the variable, and each other one is one place of it.
                if let Some((name, value)) = inner.get(2..).and_then(|inner| inner.split_once('=')) {
                    let is_address = is_unprotected(value);
                    self.addresses.set(name.trim_end_matches(':'), value, is_address);
                }
                // An index and an offset are arithmetic.
                if let Some(expression) = arithmetic_part(&inner) {
                    script
                        .commands
                        .push(ShellCommand::of_number(identifiers(expression)));
                }
                // Bash evaluates the value: as the name of a variable, whose index it executes, or as a prompt.
                if inner.starts_with("${!") || inner.ends_with("@P}") {
                    script.commands.push(ShellCommand::of_program(names.clone()));
                }
                // What it names may be any variable.
                if is_indirect(&inner) {
                    word.names.insert(WHOLE_ENVIRONMENT.to_owned());
                }
                word.names.extend(names);
                word.text.push_str(&inner);
            }
            _ => {
                let mut name = String::new();
                while let Some(c) = self.peek().filter(|c| *c == '_' || c.is_ascii_alphanumeric()) {
                    name.push(c);
                    self.at += 1;
                }
                if name.is_empty() && matches!(self.peek(), Some('@' | '*')) {
                    name.extend(self.next());
                }
                word.text.push('$');
                word.text.push_str(&name);
                if !name.is_empty() {
                    word.names.insert(name);
                }
            }
        }
    }
}

/// `${!NAME}` is what the variable holds that `NAME` names; `${!NAME[@]}` are the indices of an array, `${!NAME*}` are names.
fn is_indirect(expansion: &str) -> bool {
    let name = expansion.strip_prefix("${!").unwrap_or_default();
    let behind = name.trim_start_matches(|c: char| c == '_' || c.is_ascii_alphanumeric());
    behind.len() < name.len() && !behind.starts_with(['[', '*', '@'])
}
