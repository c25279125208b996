//! The code that a command hands to an interpreter: a script, a file, an input, or a text in another language.

use std::collections::BTreeSet;

use super::super::super::risky_names::ENV;
use super::super::clients::{self, executes_input};
use super::super::connections::starts_a_shell;
use super::super::evaluated::executes_arguments;
use super::super::inline_code::{names_in_code, takes_code};
use super::super::interpreters::{
    Execution, TERMINALS, code_of_option, hands_on_its_input, is_interpreter, is_interpreter_anywhere,
};
use super::super::language::Language;
use super::super::paths::base_name;
use super::super::programs::{CONNECTIONS, FETCHERS};
use super::super::script::ShellCommand;
use super::super::started::{StartedProgram, handed_over, surely_started};
use super::super::variable_use::Use;
use super::super::word::Word;
use super::super::written_files::sources_of_module;
use super::{Nested, ScriptJudge};

impl<'a> ScriptJudge<'a> {
    /// The interpreters of a command: the programs that it starts, and words that are followed as those of one are. `input` is what it
    /// may read.
    pub(super) fn interpreters(
        &mut self,
        command: &'a ShellCommand,
        programs: &[StartedProgram<'a>],
        input: &BTreeSet<String>,
    ) {
        let is_harmless = programs.iter().any(StartedProgram::is_harmless);
        let anywhere = (1..command.words.len()).filter_map(|at| {
            let (before, after) = command.words.split_at_checked(at)?;
            let (word, arguments) = after.split_first()?;
            let is_one = is_interpreter_anywhere(before.last()?, base_name(&word.text), arguments);
            // The command that `sh -c 'exec "$@"' sh` starts is among the programs.
            let is_handed = |handed: &[Word]| {
                let is_same =
                    |program: &StartedProgram<'_>| handed.iter().any(|each| std::ptr::eq(each, program.word));
                programs.iter().any(is_same)
            };
            let hands_over = handed_over(base_name(&word.text), arguments).is_some_and(is_handed);
            (!is_harmless && is_one && !hands_over).then_some((word, arguments))
        });
        let named = programs.iter().map(|program| (program.word, program.arguments));
        let named = named.filter(|(word, _)| is_interpreter(base_name(&word.text)));
        let sure = surely_started(programs).map(|program| program.word);
        let mut reading_input = BTreeSet::new();
        for (word, arguments) in named.chain(anywhere) {
            let name = base_name(&word.text);
            let execution = Execution::of(name, arguments);
            for word in &execution.executed {
                self.note(&word.held().collect(), Use::Executed);
            }
            let language = Language::of_interpreter(name);
            let is_sure = sure.is_some_and(|sure| std::ptr::eq(sure, word));
            for script in &execution.scripts {
                let text = code_of_option(name, &script.text).unwrap_or(&script.text);
                if language.is_some_and(|language| language.executes_input(text)) {
                    self.executes_input(command, input);
                }
                // Where it is not sure that the interpreter starts, the script may be one of a shell as well.
                let of_shell = (!is_sure || language.is_none()).then_some(None);
                let languages = of_shell.into_iter().chain(language.map(Some));
                self.nested.extend(languages.map(|language| Nested {
                    text,
                    is_script: true,
                    language,
                }));
            }
            self.starts_files(command, execution.files.iter().copied());
            if name.starts_with("py") {
                let module = execution.module.map_or("", |word| word.text.as_str());
                self.note_sources(sources_of_module(module, self.tainted));
            }
            // What another machine sends.
            let sends =
                |output: &&Word| output.text.contains("/dev/tcp/") || output.text.contains("/dev/udp/");
            let machines = command.outputs.iter().filter(sends).flat_map(Word::held);
            self.note(&machines.collect(), Use::Executed);
            if execution.is_interactive {
                self.note(&BTreeSet::from([ENV.to_owned()]), Use::Executed);
            }
            if execution.executes_input {
                if let Some(language) = Language::of_interpreter(name)
                    && reading_input.insert(language)
                {
                    self.in_language(language, &command.documents);
                    self.piped_languages.extend(command.is_piped.then_some(language));
                }
                self.executes_input(command, input);
            }
        }
        // What a variable names may be a shell.
        for program in programs
            .iter()
            .filter(|program| program.word.text.starts_with('$'))
        {
            if Execution::of("sh", program.arguments).executes_input {
                self.executes_input(command, input);
            }
        }
    }

    /// A command executes what it may read.
    fn executes_input(&mut self, command: &ShellCommand, input: &BTreeSet<String>) {
        self.note(input, Use::Executed);
        let pipe = (command.pipe_start, command.at);
        self.executes_pipes.extend(command.is_piped.then_some(pipe));
    }

    /// What a program executes in a language that is not read here: code among its arguments, or its input.
    pub(super) fn code_and_input(
        &mut self,
        command: &ShellCommand,
        program: &StartedProgram<'_>,
        input: &BTreeSet<String>,
    ) {
        let name = base_name(&program.word.text);
        if takes_code(name) {
            self.note(&names_in_code(name, program.arguments), Use::Executed);
        }
        // `make -f -`, `docker load`
        let first = program.arguments.first().map(|word| word.text.as_str());
        let shows =
            name == "kubectl" && matches!(first, Some("delete" | "describe" | "diff" | "get" | "wait"));
        let obeys = executes_arguments(name, program.arguments) && !TERMINALS.contains(&name)
            || FETCHERS.contains(&name)
            || matches!(name, "apt-key" | "gmake" | "helm" | "kubectl" | "make");
        let mut words = program.arguments.iter().map(|word| word.text.as_str());
        let names_input = words.any(|text| matches!(text, "-" | "/dev/stdin" | "load" | "import"));
        if obeys && !shows && names_input || name.ends_with("awk") && hands_on_its_input(program.arguments) {
            self.executes_input(command, input);
        }
        // What another machine sends is the input of what a connection starts.
        if CONNECTIONS.contains(&name) && starts_a_shell(program.arguments) {
            self.note(&command.answers, Use::Executed);
        }
        // `su USER -c sh`
        if matches!(name, "flock" | "runuser" | "script" | "su") && starts_a_shell(program.arguments) {
            self.executes_input(command, input);
        }
        if executes_input(name) {
            self.note(input, Use::Executed);
            let files = clients::files(command, program.arguments);
            self.note(&files.into_iter().collect(), Use::Executed);
        }
        // `parallel` without a program executes its input.
        if name == "parallel"
            && program
                .arguments
                .iter()
                .all(|word| word.text.starts_with('-') || word.text.parse::<u32>().is_ok())
        {
            self.note(input, Use::Executed);
        }
    }
}
