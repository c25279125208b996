//! By what a file is executed that a docker compose file brings: the interpreter of its language alone, or something else that names it.

use std::collections::BTreeSet;

use super::interpreters::{Execution, is_interpreter};
use super::language::Language;
use super::paths::base_name;
use super::reader::{MAX_DEPTH, MAX_SCRIPT_BYTES, ShellReader};
use super::script::{Script, ShellCommand};
use super::started::surely_started;
use super::word::Word;

/// A file at a known path, of a language that is not a shell's.
#[derive(Debug, Clone, Copy)]
pub(in crate::compose::docker_compose) struct NamedFile<'f> {
    pub(in crate::compose::docker_compose) path: &'f str,
    pub(in crate::compose::docker_compose) language: Language,
    /// Whether its first line names the interpreter, so that the file may be the program itself.
    pub(in crate::compose::docker_compose) names_interpreter: bool,
}

/// Who names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compose::docker_compose) enum NamedBy {
    /// Nothing.
    Nothing,
    /// The interpreter of its language, and nothing else.
    Interpreter,
    /// Something else.
    Other,
}

impl NamedFile<'_> {
    /// Who names it in the words of a list.
    pub(in crate::compose::docker_compose) fn named_in_list(&self, words: &[String]) -> NamedBy {
        self.named_in_command(&ShellCommand::of_list(words), 0)
    }

    /// Who names it in a script of a shell.
    pub(in crate::compose::docker_compose) fn named_in_script(&self, text: &str) -> NamedBy {
        self.named_at(text, 0)
    }

    fn named_at(&self, text: &str, depth: usize) -> NamedBy {
        if !self.is_named_in(text) {
            return NamedBy::Nothing;
        }
        if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
            return NamedBy::Other;
        }
        let Script { commands } = ShellReader::of(text).script(None, depth);
        let named = commands
            .iter()
            .map(|command| self.named_in_command(command, depth));
        match named.max().unwrap_or(NamedBy::Nothing) {
            // In a here-document or behind `<`.
            NamedBy::Nothing => NamedBy::Other,
            named => named,
        }
    }

    /// A text names the file if its name stands there, or a pattern that may be it.
    fn is_named_in(&self, text: &str) -> bool {
        let name = base_name(self.path);
        let is_pattern = |word: &str| {
            let start = word.split(['*', '?', '[']).next().unwrap_or_default();
            start.len() < word.len()
                && (start.starts_with('/') && self.path.starts_with(start)
                    || start.is_empty() && word.len() > 1
                    || start.starts_with("./"))
        };
        let mut words = text.split(|c: char| c.is_whitespace() || "\"';|&()".contains(c));
        name.is_empty() || text.contains(name) || words.any(is_pattern)
    }

    fn named_in_command(&self, command: &ShellCommand, depth: usize) -> NamedBy {
        let names_it = |word: &&Word| self.is_named_in(&word.text);
        if !command
            .words
            .iter()
            .chain(&command.outputs)
            .any(|word| names_it(&word))
        {
            return NamedBy::Nothing;
        }
        let programs = command.programs(&mut BTreeSet::new());
        let Some(program) = surely_started(&programs) else {
            return NamedBy::Other;
        };
        let name = base_name(&program.word.text);
        if command.outputs.iter().any(|word| names_it(&word)) {
            return NamedBy::Other;
        }
        if matches!(name, "[" | "[[" | "ls" | "test") {
            return NamedBy::Nothing;
        }
        let mut named = NamedBy::Nothing;
        let execution = is_interpreter(name).then(|| Execution::of(name, program.arguments));
        for word in command.words.iter().filter(names_it) {
            let is_among = |words: &[&Word]| words.iter().any(|each| std::ptr::eq(*each, word));
            let how = match &execution {
                _ if std::ptr::eq(word, program.word) => match self.names_interpreter {
                    true => NamedBy::Interpreter,
                    false => NamedBy::Other,
                },
                Some(execution) if Language::of_interpreter(name) == Some(self.language) => {
                    match is_among(&execution.files) && !is_among(&execution.scripts) {
                        true => NamedBy::Interpreter,
                        false => NamedBy::Other,
                    }
                }
                Some(execution)
                    if is_among(&execution.scripts) && Language::of_interpreter(name).is_none() =>
                {
                    self.named_at(&word.text, depth + 1)
                }
                _ => NamedBy::Other,
            };
            named = named.max(how);
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: NamedFile<'_> = NamedFile {
        path: "/app/main.py",
        language: Language::Python,
        names_interpreter: false,
    };

    #[test]
    fn what_the_interpreter_alone_names_is_of_its_language() {
        for script in [
            "python /app/main.py",
            "exec python3 -u /app/main.py --port 80",
            "cd /app && exec python main.py",
            "test -f /app/main.py && python /app/main.py",
            "sh -c 'exec python /app/main.py'",
        ] {
            assert_eq!(FILE.named_in_script(script), NamedBy::Interpreter, "{script}");
        }
        for script in [
            "sh /app/main.py",
            ". /app/main.py",
            "source /app/main.py",
            "/app/main.py",
            "python /app/main.py; sh /app/main.py",
            "python /app/main.py; sh -c 'sh /app/main.py'",
            "python run.py /app/main.py",
            "cat /app/main.py | sh",
            "sh < /app/main.py",
            "cp /app/main.py /run.sh; sh /run.sh",
            "for f in /app/*; do sh $f; done",
            "node /app/main.py",
            "chmod +x /app/main.py",
        ] {
            assert_eq!(FILE.named_in_script(script), NamedBy::Other, "{script}");
        }
        for script in ["exec app", "ls /srv/*", "echo main"] {
            assert_eq!(FILE.named_in_script(script), NamedBy::Nothing, "{script}");
        }
        let list = |words: &[&str]| {
            FILE.named_in_list(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(list(&["python", "/app/main.py"]), NamedBy::Interpreter);
        assert_eq!(list(&["sh", "/app/main.py"]), NamedBy::Other);
        assert_eq!(list(&["/app/main.py"]), NamedBy::Other);
        assert_eq!(list(&["sh", "-c", "python /app/main.py"]), NamedBy::Interpreter);
        let own = NamedFile {
            names_interpreter: true,
            ..FILE
        };
        assert_eq!(own.named_in_script("exec /app/main.py"), NamedBy::Interpreter);
    }
}
