//! A shell script as commands of words, read as far as is needed here: quotes, substitutions, redirections, here-documents.

mod words;

use std::collections::BTreeSet;

use super::super::work::may_read;
use super::addresses::Addresses;
use super::host_files::{HOST_FILES, takes_from_host};
use super::names::names_in;
use super::paths::{base_name, file_key};
use super::script::Script;
use super::shown_environment::{WHOLE_ENVIRONMENT, substitutes_environment};
use super::unfinished_script::UnfinishedScript;
use super::word::Word;

/// Bytes of a script that is read as one. A longer one counts as executing every variable in it.
pub(in crate::compose::docker_compose) const MAX_SCRIPT_BYTES: usize = 64 * 1024;
/// How deeply scripts may nest in scripts.
pub(super) const MAX_DEPTH: usize = 12;

struct ShellReader {
    rest: Vec<char>,
    at: usize,
    /// Where the arithmetic expression ends that was read last.
    evaluated_to: usize,
    /// Where `cd` led.
    folder: Option<String>,
    addresses: Addresses,
    /// Whether `exec` opened another input, which each command has from there on.
    has_opened_input: bool,
    /// The file that `exec` opened as the output of each command from there on.
    opened_output: Option<Word>,
    /// How many commands are read.
    finished: usize,
}

impl Script {
    /// Reads a text alone.
    pub(super) fn of(text: &str, depth: usize) -> Self {
        Self::read(text, Addresses::default(), depth)
    }

    /// Reads a text, with what is known of the addresses in it.
    pub(super) fn read(text: &str, addresses: Addresses, depth: usize) -> Self {
        let script = Self::read_once(text, addresses.clone(), depth);
        match addresses.behind(&script) {
            Some(addresses) => Self::read_once(text, addresses, depth),
            None => script,
        }
    }

    fn read_once(text: &str, addresses: Addresses, depth: usize) -> Self {
        if !may_read(text.len()) {
            return Self::default();
        }
        let mut reader = ShellReader::of(text, addresses);
        let mut script = reader.script(None, depth);
        script.addresses = reader.addresses;
        script
    }
}

impl ShellReader {
    /// A reader of a text, with what is known of the addresses in it.
    fn of(text: &str, addresses: Addresses) -> Self {
        Self {
            rest: text.chars().collect(),
            at: 0,
            evaluated_to: 0,
            folder: None,
            addresses,
            has_opened_input: false,
            opened_output: None,
            finished: 0,
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at.saturating_add(ahead)).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    /// Reads commands up to `end`, which is consumed.
    fn script(&mut self, end: Option<char>, depth: usize) -> Script {
        let mut reading = UnfinishedScript {
            depth,
            end,
            start: self.finished,
            ..UnfinishedScript::default()
        };
        while let Some(c) = self.peek() {
            if Some(c) == end && !(c == ')' && reading.is_in_pattern()) {
                self.at += 1;
                break;
            }
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                // The line goes on.
                '\\' if self.peek_at(1) == Some('\n') => self.at += 2,
                '<' | '>' if self.peek_at(1) == Some('(') => {
                    self.at += 2;
                    let word = self.process(c == '>', depth, &mut reading.script);
                    reading.command.words.push(word);
                }
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                '\n' | ';' | '&' | '|' | '(' | ')' => self.separator(c, &mut reading),
                '<' if self.peek_at(1) == Some('<') && self.peek_at(2) != Some('<') => {
                    self.begins_heredoc(&mut reading)
                }
                '<' | '>' => self.redirection(c, &mut reading),
                _ => self.next_word(&mut reading),
            }
        }
        self.finish(&mut reading);
        reading.script
    }

    /// What ends a command.
    fn separator(&mut self, c: char, reading: &mut UnfinishedScript) {
        if c == '(' && self.peek_at(1) == Some('(') {
            self.arithmetic(&mut reading.script);
        }
        self.at += 1;
        let pipes = c == '|' && self.peek() != Some('|');
        if matches!(c, '|' | '&' | ';') {
            while self.peek().is_some_and(|next| matches!(next, '|' | '&' | ';')) {
                self.at += 1;
            }
        }
        if c == '\n' {
            for (end, is_quoted) in std::mem::take(&mut reading.heredocs) {
                let (names, text) = self.heredoc(&end);
                if !is_quoted {
                    let substituted = self.substituted_in(&text, reading.depth, &mut reading.script);
                    reading.command.input.extend(substituted);
                }
                reading.command.input.extend(names);
                reading.command.documents.push(text);
            }
        }
        if c == '(' && self.peek() == Some(')') {
            let name = reading.command.words.last().map(|word| word.text.clone());
            reading.script.functions.extend(name);
        }
        let is_empty = reading.command.words.is_empty();
        let was_piped = reading.is_piped;
        reading.groups(self.finished);
        self.finish(reading);
        match c {
            '(' => reading.opens('(', self.finished),
            ')' => reading.closes(true),
            // A pipe goes on over the end of a line.
            _ if pipes || was_piped && is_empty => {}
            _ => reading.start = self.finished,
        }
        reading.is_piped = pipes || reading.piped_group.is_some() || was_piped && is_empty;
    }

    fn begins_heredoc(&mut self, reading: &mut UnfinishedScript) {
        self.at += 2;
        reading.descriptor.clear();
        if self.peek() == Some('-') {
            self.at += 1;
        }
        while self.peek() == Some(' ') {
            self.at += 1;
        }
        let from = self.at;
        let word = self.word(reading.end, reading.depth, &mut reading.script).text;
        let written = self.rest.get(from..self.at).unwrap_or_default();
        let is_quoted = written.iter().any(|c| matches!(c, '"' | '\'' | '\\'));
        reading.heredocs.push((word, is_quoted));
    }

    fn redirection(&mut self, c: char, reading: &mut UnfinishedScript) {
        let descriptor = std::mem::take(&mut reading.descriptor);
        self.at += 1;
        let (mut last, mut is_number) = (c, false);
        let is_here_string = self.peek() == Some('<');
        while let Some(next) = self.peek().filter(|c| matches!(c, '<' | '>' | '&' | '|' | ' ')) {
            last = next;
            is_number |= next == '&';
            self.at += 1;
        }
        let word = if matches!(last, '<' | '>') && self.peek() == Some('(') {
            self.at += 1;
            self.process(last == '>', reading.depth, &mut reading.script)
        } else {
            self.word(reading.end, reading.depth, &mut reading.script)
        };
        // `<&$FD`: any command before may have written it.
        if c == '<' && is_number && !word.names.is_empty() {
            (reading.start, reading.is_piped) = (0, true);
        }
        let command = &mut reading.command;
        let is_exec = command.words.last().is_some_and(|word| word.text == "exec");
        if c == '>' {
            let is_file = !is_number && !word.text.starts_with("/dev/") && !word.text.contains('$');
            if is_exec && is_file && matches!(descriptor.as_str(), "" | "1") {
                self.opened_output = Some(word.clone());
            }
            return command.writes(&descriptor, word, is_number);
        }
        // `exec 3< FILE` writes what is `/dev/fd/3` from here on, and `{ …; } 3< FILE` for the commands before it.
        if is_exec || !descriptor.is_empty() {
            let opened = if descriptor.is_empty() { "0" } else { &descriptor };
            self.has_opened_input |= is_exec && opened == "0";
            command.outputs.push(Word::of_descriptor(opened));
        }
        if is_number {
            command
                .input
                .insert(file_key(&Word::of_descriptor(&word.text).text, None));
        } else if !is_here_string && !word.text.is_empty() && !word.text.starts_with("$(") {
            command.input.insert(file_key(&word.text, self.folder.as_deref()));
        }
        command.input.extend(word.held());
        if is_here_string {
            command.documents.push(word.text);
        }
    }

    fn next_word(&mut self, reading: &mut UnfinishedScript) {
        let at = self.at;
        let mut word = self.word(reading.end, reading.depth, &mut reading.script);
        let is_bare = self.at == at + word.text.len() && word.is_number();
        if is_bare && matches!(self.peek(), Some('<' | '>')) {
            reading.descriptor = word.text;
            return;
        }
        let command = &mut reading.command;
        // `printenv NAME` is `$NAME`.
        if command.prints_names {
            word.names.insert(word.text.clone());
            if !word.names.is_empty() && word.text.contains('$') {
                word.names.insert(WHOLE_ENVIRONMENT.to_owned());
            }
        }
        command.prints_names |= base_name(&word.text) == "printenv";
        if command
            .words
            .last()
            .is_some_and(|before| before.text == "function")
        {
            reading.script.functions.insert(word.text.clone());
        }
        let opens = word.text == "{";
        command.words.push(word);
        if opens {
            self.finish(reading);
            reading.opens('{', self.finished);
        }
    }

    /// Adds a command that ends, and follows where it leads.
    fn finish(&mut self, reading: &mut UnfinishedScript) {
        let mut command = std::mem::take(&mut reading.command);
        command.depth = reading.depth;
        command.is_piped = reading.is_piped;
        command.at = self.finished;
        command.pipe_start = reading.piped_group.map_or(reading.start, |(_, start)| start);
        self.finished += 1;
        let first = command.words.first().map(|word| word.text.as_str());
        let ends_a_group = matches!(first, None | Some("}" | "done" | "esac" | "fi"));
        if ends_a_group && !command.outputs.is_empty() {
            command.gathers = Some(reading.start);
        }
        command.folder.clone_from(&self.folder);
        if takes_from_host(&command.words) {
            command.input.insert(HOST_FILES.to_owned());
        }
        if self.has_opened_input {
            command
                .input
                .insert(file_key(&Word::of_descriptor("0").text, None));
        }
        if command.outputs.is_empty() {
            command.outputs.extend(self.opened_output.clone());
        }
        let is_piped_on =
            self.at > 0 && self.rest.get(self.at - 1) == Some(&'|') || !command.outputs.is_empty();
        self.addresses.set_by_command(&command, is_piped_on);
        let taken = self.addresses.taken_by(&mut command);
        command.answers.extend(taken.map(str::to_owned));
        if let [program, folder, ..] = command.words.as_slice()
            && matches!(program.text.as_str(), "cd" | "pushd")
        {
            let key = file_key(&folder.text, self.folder.as_deref());
            self.folder = key.split_once(':').map(|(_, path)| path.to_owned());
        }
        // `retry curl …`: a function may start what it is handed.
        let called = command.handed_to_function(&reading.script.functions);
        reading.script.commands.push(command);
        if let Some(mut called) = called {
            let taken = self.addresses.taken_by(&mut called);
            called.answers.extend(taken.map(str::to_owned));
            reading.script.commands.push(called);
        }
    }

    /// The variables of a here-document, whose last line is `end`, and its text.
    fn heredoc(&mut self, end: &str) -> (BTreeSet<String>, String) {
        let mut names = BTreeSet::new();
        let mut text = String::new();
        while self.at < self.rest.len() {
            let mut line = String::new();
            while let Some(c) = self.next() {
                if c == '\n' {
                    break;
                }
                line.push(c);
            }
            if line.trim() == end {
                break;
            }
            names.extend(names_in(&line));
            if substitutes_environment(&line) {
                names.insert(WHOLE_ENVIRONMENT.to_owned());
            }
            text.push_str(&line);
            text.push('\n');
        }
        (names, text)
    }
}
