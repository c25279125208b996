//! A script while it is read: which command is being read, and in which pipelines and groups it stands.

use super::script::{Script, ShellCommand};

/// Whether a script is `seq` alone, with a number first, so that nothing behind it is an option.
pub(super) fn prints_numbers(script: &Script) -> bool {
    let mut commands = script.commands.iter().filter(|command| !command.words.is_empty());
    let (Some(command), None) = (commands.next(), commands.next()) else {
        return false;
    };
    match command.words.as_slice() {
        [program, first, ..] => {
            program.text == "seq" && first.is_number() && command.words.iter().all(|word| !word.is_split)
        }
        _ => false,
    }
}

/// A script while it is read.
#[derive(Default)]
pub(super) struct UnfinishedScript {
    pub(super) script: Script,
    pub(super) command: ShellCommand,
    pub(super) depth: usize,
    pub(super) end: Option<char>,
    /// Of here-documents that begin behind the line: their last line, and whether it is in quotes.
    pub(super) heredocs: Vec<(String, bool)>,
    /// The number in front of a redirection that is read.
    pub(super) descriptor: String,
    pub(super) is_piped: bool,
    /// Where the pipeline began that is read.
    pub(super) start: usize,
    /// Each `{`, `(`, `while` and the like that is open, by its first character, and where the pipeline began that it stands in.
    pub(super) open: Vec<(char, usize)>,
    /// How many of them are open where a pipe leads into one, and where that pipeline began: each command in it reads the pipe.
    pub(super) piped_group: Option<(usize, usize)>,
}

impl UnfinishedScript {
    /// A group opens: the pipeline in it begins at a command.
    pub(super) fn opens(&mut self, kind: char, at: usize) {
        if self.is_piped && self.piped_group.is_none() {
            self.piped_group = Some((self.open.len(), self.start));
        }
        let outer = std::mem::replace(&mut self.start, at);
        self.open.push((kind, outer));
    }

    /// A group closes, and the pipeline goes on that it stands in. A parenthesis that closes none ends a pattern of `case`.
    pub(super) fn closes(&mut self, is_parenthesis: bool) {
        if let Some((_, start)) = self.open.pop_if(|(kind, _)| (*kind == '(') == is_parenthesis) {
            self.start = start;
        }
        self.piped_group = self.piped_group.filter(|(open, _)| *open < self.open.len());
    }

    /// Whether a parenthesis that closes ends a pattern of `case`.
    pub(super) fn is_in_pattern(&self) -> bool {
        match self.command.words.first().map(|word| word.text.as_str()) {
            Some("case") => true,
            Some("esac") => false,
            _ => matches!(self.open.last(), Some(('c', _))),
        }
    }

    /// What the words open and close with which the command begins.
    pub(super) fn groups(&mut self, at: usize) {
        let command = std::mem::take(&mut self.command);
        for word in &command.words {
            match word.text.as_str() {
                "case" => self.opens('c', at),
                "for" | "if" | "select" | "until" | "while" => self.opens('{', at),
                "done" | "esac" | "fi" | "}" => self.closes(false),
                "!" | "do" | "elif" | "else" | "then" | "{" => {}
                _ => break,
            }
        }
        self.command = command;
    }
}
