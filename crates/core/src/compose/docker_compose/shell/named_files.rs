//! By what a file is executed that a docker compose file brings: the interpreter of its language alone, or something else that names it.

use std::collections::BTreeSet;

use super::interpreters::{Execution, is_interpreter};
use super::language::Language;
use super::paths::base_name;
use super::programs::EXECUTORS;
use super::reader::{MAX_DEPTH, MAX_SCRIPT_BYTES};
use super::script::{Script, ShellCommand};
use super::started::{StartedProgram, surely_started};
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
        let is_named = self.is_named_in(text);
        if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
            return NamedBy::Other;
        }
        let script = Script::of(text, depth);
        let named = script
            .commands
            .iter()
            .map(|command| self.named_in_command(command, depth));
        match named.max().unwrap_or(NamedBy::Nothing) {
            // In a here-document or behind `<`.
            NamedBy::Nothing if is_named => NamedBy::Other,
            named => named,
        }
    }

    /// A text names the file if its name stands there, or a pattern that may be it.
    fn is_named_in(&self, text: &str) -> bool {
        let name = base_name(self.path);
        let mut words = text.split(|c: char| c.is_whitespace() || "\"';|&()".contains(c));
        name.is_empty()
            || text.contains(name)
            || words.any(|word| self.is_pattern(word, &['*', '?', '[', '{']))
    }

    /// Whether a word with one of these signs may be the path, or the name where it stands in the folder of the file.
    fn is_pattern(&self, word: &str, signs: &[char]) -> bool {
        let is_sign = |(at, c): (usize, char)| {
            let is_expansion = word.get(..at).is_some_and(|before| before.ends_with('$'));
            signs.contains(&c) && !is_expansion && (c != '{' || word.contains(',') || word.contains(".."))
        };
        let Some(at) = word.char_indices().find(|sign| is_sign(*sign)).map(|(at, _)| at) else {
            return false;
        };
        let start = word.get(..at).unwrap_or_default();
        let end = match word.rfind(['*', '?', ']', '}']) {
            Some(last) => word.get(last + 1..).unwrap_or_default(),
            // A variable without braces, whose name goes on to what cannot be a part of one.
            None => word
                .rsplit('$')
                .next()
                .unwrap_or_default()
                .trim_start_matches(|c: char| c == '_' || c.is_ascii_alphanumeric()),
        };
        let is_start = match start.starts_with('/') {
            true => self.path.starts_with(start),
            false => base_name(self.path).starts_with(start.rsplit('/').next().unwrap_or_default()),
        };
        word.len() > 1 && !matches!(word, "[[" | "[") && is_start && self.path.ends_with(end)
    }

    /// Whether a command starts a file that it does not write out: `sh ma*`, `. $f`, `ls | xargs sh`, `find -exec sh {} +`.
    fn may_be_started(&self, program: &str, arguments: &[Word]) -> bool {
        let is_shell = |word: &Word| {
            is_interpreter(base_name(&word.text)) && Language::of_interpreter(base_name(&word.text)).is_none()
        };
        let is_open = |word: &&Word| {
            let text = word.text.as_str();
            let alone = text.starts_with('$') && !text.contains('/') || text == "*";
            !word.is_literal && (alone || self.is_pattern(text, &['*', '?', '[', '{', '$']))
        };
        match program {
            "find" | "parallel" | "xargs" => arguments.iter().any(is_shell),
            "run-parts" => true,
            "." | "source" => arguments.iter().any(|word| is_open(&word)),
            _ if is_interpreter(program) && Language::of_interpreter(program).is_none() => {
                Execution::of(program, arguments).files.iter().any(is_open)
            }
            _ => false,
        }
    }

    fn named_in_command(&self, command: &ShellCommand, depth: usize) -> NamedBy {
        let names_it = |word: &&Word| self.is_named_in(&word.text);
        let is_named = command
            .words
            .iter()
            .chain(&command.outputs)
            .any(|word| names_it(&word));
        let programs = command.programs(&mut BTreeSet::new());
        let starts_it = |program: &StartedProgram<'_>| {
            let text = program.word.text.as_str();
            self.may_be_started(base_name(text), program.arguments)
                || text.contains('/') && self.is_pattern(text, &['*', '?', '[', '{', '$'])
        };
        if programs.iter().any(starts_it) {
            return NamedBy::Other;
        }
        let runs_scripts = |program: &StartedProgram<'_>| is_interpreter(base_name(&program.word.text));
        if !is_named && !programs.iter().any(runs_scripts) {
            return NamedBy::Nothing;
        }
        let Some(program) = surely_started(&programs) else {
            return match is_named {
                true => NamedBy::Other,
                false => NamedBy::Nothing,
            };
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
        let is_nested = |word: &&Word| {
            let scripts = execution.iter().flat_map(|execution| &execution.scripts);
            Language::of_interpreter(name).is_none()
                && scripts.into_iter().any(|script| std::ptr::eq(*script, *word))
        };
        for word in command
            .words
            .iter()
            .filter(|word| names_it(word) || is_nested(word))
        {
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

/// Whether a shell may read the file at a path as a script, by the words of a list: a shell is handed it, or it is a program itself.
pub(in crate::compose::docker_compose) fn is_started_in_list(path: &str, words: &[String]) -> bool {
    is_started_in(path, &[ShellCommand::of_list(words)], 0)
}

/// The same, by a script.
pub(in crate::compose::docker_compose) fn is_started_in_script(path: &str, text: &str) -> bool {
    is_started_at(path, text, 0)
}

fn is_started_at(path: &str, text: &str, depth: usize) -> bool {
    if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
        return true;
    }
    is_started_in(path, &Script::of(text, depth).commands, depth)
}

fn is_started_in(path: &str, commands: &[ShellCommand], depth: usize) -> bool {
    let file = NamedFile {
        path,
        language: Language::Python,
        names_interpreter: false,
    };
    let names_it = |word: &Word| file.is_named_in(&word.text);
    let base = base_name(path);
    let is_named_somewhere = || {
        let words = commands.iter().flat_map(|command| &command.words);
        let inputs = commands.iter().flat_map(|command| &command.input);
        words.into_iter().any(names_it) || inputs.into_iter().any(|input| input.ends_with(base))
    };
    commands.iter().any(|command| {
        command.programs(&mut BTreeSet::new()).iter().any(|program| {
            let name = base_name(&program.word.text);
            let is_shell = is_interpreter(name) && Language::of_interpreter(name).is_none();
            let of_shell = || {
                let execution = Execution::of(name, program.arguments);
                let nested = || {
                    let mut scripts = execution.scripts.iter();
                    scripts.any(|script| is_started_at(path, &script.text, depth + 1))
                };
                execution.files.iter().any(|word| names_it(word))
                    || execution.executes_input && is_named_somewhere()
                    || nested()
            };
            names_it(program.word)
                || file.may_be_started(name, program.arguments)
                || EXECUTORS.contains(&name) && program.arguments.iter().any(names_it)
                || is_shell && of_shell()
        })
    })
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
            "python /app/main.py; cd /app; sh ma*",
            "python /app/main.py; cd /app; sh *",
            "cd /app; . ma?n.py",
            "sh /app/{main,x}.py",
            "f=main; sh /app/$f.py",
            "for f in a b; do sh $f; done",
            "f=main; /app/$f.py",
            "ls /app | xargs sh",
            "find /app -exec sh {} +",
            "find /app -name 'ma*' -exec sh {} +",
            "run-parts /app",
            "sh -c 'cd /app; sh [m]ain.py'",
        ] {
            assert_eq!(FILE.named_in_script(script), NamedBy::Other, "{script}");
        }
        for script in [
            "exec app",
            "ls /srv/*",
            "echo main",
            "exec app \"$@\"",
            "sh /srv/x.sh",
            "sh -c 'exec app $X'",
            "[ -n \"$X\" ] && /opt/$X/run",
        ] {
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
