//! Where an argument is data: the value of an option that is known to take data, or what a program is known to take so.

use super::data_options::{
    AGENTS, OF_ADDRESS, OF_CLIENTS, OF_CODE, OF_DATA, OF_LISTENERS, OF_OTHERS, OF_POSTGRES, Operands, Takes,
};
use super::interpreters::JAVA_NUMBERS;
use super::paths::base_name;
use super::programs::{DOWNLOADERS, UNPACKERS};
use super::script::ShellCommand;
use super::started::{StartedProgram, surely_started};
use super::word::Word;

/// Whether the word at an index is data, whatever a variable in it holds.
pub(super) fn is_data(command: &ShellCommand, programs: &[StartedProgram<'_>], at: usize) -> bool {
    let Some(word) = command.words.get(at) else {
        return false;
    };
    if let Some(option) = option_behind_npm(command, at) {
        return !word.names.is_empty() && is_of_data(option, &word.text, Models::MayBeCode);
    }
    // Of a command of which it is not sure what it starts nothing is known.
    let Some(program) = only_program(command, programs) else {
        return false;
    };
    let start = command.words.len() - program.arguments.len();
    // A variable behind `env` is one of the program's environment, in which every name may be read.
    let Some(at) = at.checked_sub(start) else {
        return false;
    };
    let before = at.checked_sub(1).and_then(|at| program.arguments.get(at));
    let option = before.map_or("", |word| match word.names.is_empty() {
        true => word.text.as_str(),
        false => "",
    });
    let name = base_name(&program.word.text);
    if matches!(name, "postgres" | "postmaster") {
        return is_setting_of_postgres(option, &word.text);
    }
    let takes = OF_CLIENTS.iter().find(|takes| takes.programs.contains(&name));
    takes.is_some_and(|takes| takes.is_data(program.arguments, at, option, word))
        || name == "java" && is_size_of_java(&word.text)
        || !obeys_others(command) && is_of_data(option, &word.text, models_of(name, program.arguments))
}

/// The one program that a command surely starts. The user that stands in the list behind `gosu` is none.
fn only_program<'p, 'a>(
    command: &ShellCommand,
    programs: &'p [StartedProgram<'a>],
) -> Option<&'p StartedProgram<'a>> {
    let is_user = |program: &StartedProgram<'_>| {
        let at = command.words.len().checked_sub(program.arguments.len() + 2);
        let before = at.and_then(|at| command.words.get(at));
        before.is_some_and(|word| matches!(base_name(&word.text), "gosu" | "s6-setuidgid" | "su-exec"))
    };
    // `uv run app`: the next word is the program, which the folder of the image has.
    let runs = |tool: &StartedProgram<'_>, program: &StartedProgram<'_>| {
        const TOOLS: [&str; 6] = ["bundle", "hatch", "pdm", "pipenv", "poetry", "uv"];
        let is_verb = |verb: &Word| matches!(verb.text.as_str(), "exec" | "run");
        matches!(tool.arguments, [verb, word, ..] if is_verb(verb) && std::ptr::eq(word, program.word))
            && TOOLS.contains(&base_name(&tool.word.text))
            && !program.word.text.starts_with('-')
    };
    match programs {
        [user, program] if is_user(user) && user.word.names.is_empty() => Some(program),
        [tool, program] if runs(tool, program) => Some(program),
        programs => surely_started(programs),
    }
}

/// The word before a word behind `npm run NAME --`, where it is an option of the script of that name.
fn option_behind_npm(command: &ShellCommand, at: usize) -> Option<&str> {
    let [npm, verb, name, dashes, ..] = command.words.as_slice() else {
        return None;
    };
    let is_fixed = |word: &Word| word.names.is_empty() && !word.text.starts_with('-');
    let is_run = npm.text == "npm" && matches!(verb.text.as_str(), "run" | "run-script") && is_fixed(name);
    let before = command.words.get(at.checked_sub(1)?)?;
    (is_run && dashes.text == "--" && at > 4 && before.names.is_empty()).then_some(before.text.as_str())
}

/// Whether a word of a command may be a program that brings or unpacks files, so that where from and where to decides code, or one that
/// runs what another machine sends: behind a program that is not known it may be started.
fn obeys_others(command: &ShellCommand) -> bool {
    let mut names = command.words.iter().map(|word| base_name(&word.text));
    names.any(|name| {
        DOWNLOADERS.contains(&name)
            || UNPACKERS.contains(&name)
            || AGENTS.contains(&name)
            || OF_OTHERS.contains(&name)
    })
}

/// What an option that names a model hands a program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Models {
    /// Data: it executes nothing that comes with a model.
    Data,
    /// What may be code: a program of which that is not known, or one that trusts the model's code.
    MayBeCode,
}

/// vLLM executes the code of a model with `--trust-remote-code` alone, which may be cut short.
fn models_of(program: &str, arguments: &[Word]) -> Models {
    let is_module = |pair: &[Word]| matches!(pair, [option, module] if option.text == "-m" && module.text.starts_with("vllm."));
    let is_vllm = program == "vllm" || program.starts_with("python") && arguments.windows(2).any(is_module);
    let trusts = |word: &Word| {
        let option = word.text.replace('_', "-");
        let option = option.split('=').next().unwrap_or_default();
        option.len() > 3 && "--trust-remote-code".starts_with(option)
    };
    match is_vllm && !arguments.iter().any(trusts) {
        true => Models::Data,
        false => Models::MayBeCode,
    }
}

/// `--option=value`, or a value behind `--option`.
fn is_of_data(before: &str, text: &str, models: Models) -> bool {
    match text.split_once('=') {
        Some((option, _)) if option.starts_with('-') => {
            takes_data(option.strip_prefix("-D").unwrap_or(option), models)
        }
        // The beginning is the option.
        _ if text.starts_with('-') => false,
        _ => before.starts_with('-') && !before.contains('=') && takes_data(before, models),
    }
}

/// Whether an option takes data, by the parts of its name.
fn takes_data(option: &str, models: Models) -> bool {
    let name = option.trim_start_matches('-').to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let parts = || name.split(['-', '_', '.', ':']);
    let has_any = |words: &[&str]| parts().any(|part| words.contains(&part));
    // Of a data source, all but these may name code.
    let is_login = || matches!(parts().next_back(), Some("password" | "port" | "username"));
    let names_code = || parts().any(|part| OF_CODE.contains(&part) && !(part == "datasource" && is_login()));
    let is_data = |last: &str| {
        OF_DATA.contains(&last)
            && (!OF_ADDRESS.contains(&last) || has_any(&OF_LISTENERS))
            && (models == Models::Data || !has_any(&["model", "models"]))
    };
    // One letter says too little, and a cluster of letters ends with another option.
    name.len() > 1 && name.chars().all(is_name) && parts().next_back().is_some_and(is_data) && !names_code()
}

/// `-Xmx4g`: it begins with its option.
fn is_size_of_java(text: &str) -> bool {
    ["-Xmx", "-Xms", "-Xss"]
        .iter()
        .chain(&JAVA_NUMBERS)
        .any(|start| text.starts_with(start))
}

/// `-c NAME=value` or `--NAME=value`.
fn is_setting_of_postgres(option: &str, text: &str) -> bool {
    let setting = match text.strip_prefix("--") {
        Some(setting) => setting,
        None if option == "-c" => text,
        None => return option == "-p",
    };
    let name = setting
        .split_once('=')
        .map(|(name, _)| name.replace('-', "_").to_ascii_lowercase());
    name.is_some_and(|name| OF_POSTGRES.contains(&name.as_str()))
}

impl Takes {
    fn is_data(&self, arguments: &[Word], at: usize, before: &str, word: &Word) -> bool {
        let text = word.text.as_str();
        let is_value = !text.starts_with('-') && self.options.contains(&before);
        let is_glued = self.options.iter().any(|option| match option.starts_with("--") {
            true => text
                .strip_prefix(option)
                .is_some_and(|rest| rest.starts_with('=')),
            // `-p` of the clients of MySQL takes no other word.
            false => text.starts_with(option),
        }) || text.starts_with("-p") && self.options.contains(&"-P");
        match self.operands {
            Operands::None => is_value || is_glued,
            Operands::ReachedPort => reaches_a_port(arguments, at),
            Operands::OwnAddress => {
                let is_own = text.starts_with("0.0.0.0:")
                    || text.starts_with("127.0.0.1:")
                    || text.starts_with("localhost:");
                is_own
                    && matches!(arguments, [project, verb, _, ..] if project.text.ends_with("manage.py") && verb.text == "runserver")
                    && at == 2
            }
            Operands::Model => at > 0 && before == "serve" && !text.starts_with('-') || is_value || is_glued,
            Operands::Addresses(keeps_nothing) => {
                let is_address = text.starts_with("http://") || text.starts_with("https://");
                (is_value || is_glued || is_address) && keeps_nothing(arguments)
            }
        }
    }
}

/// `nc -z ${HOST} 5432`: an open host before a port of digits. With an open port the value could be `-lcCOMMAND`: the `nc` of Debian then
/// waits for a connection from the host and starts the command. With an open host it would wait for one from the address 0.0.21.56, which
/// no kernel accepts.
fn reaches_a_port(arguments: &[Word], at: usize) -> bool {
    let is_flag = |word: &Word| {
        matches!(
            word.text.as_str(),
            "-z" | "-zv" | "-vz" | "-v" | "-w" | "-n" | "-4" | "-6"
        )
    };
    let mut operands = Vec::new();
    let mut reaches = false;
    let mut words = arguments.iter().enumerate();
    while let Some((at, word)) = words.next() {
        if word.text == "-w" {
            let Some((_, seconds)) = words.next() else {
                return false;
            };
            if !seconds.names.is_empty() {
                return false;
            }
        } else if is_flag(word) {
            reaches |= word.text.contains('z');
        } else {
            operands.push((at, word));
        }
    }
    let is_port = |word: &Word| !word.text.is_empty() && word.text.chars().all(|c| c.is_ascii_digit());
    matches!(operands.as_slice(), [(host, _), (_, port)] if reaches && *host == at && is_port(port))
}

#[cfg(test)]
mod tests {
    use super::super::argument_list::{ItemUse, ListItem, uses_of_list};

    fn of(words: &[&str]) -> Vec<ItemUse> {
        let items: Vec<ListItem> = words
            .iter()
            .map(|text| ListItem {
                text: (*text).to_owned(),
                is_open: text.contains("${"),
            })
            .collect();
        uses_of_list(&items, false)
    }

    #[test]
    fn what_is_known_to_be_data_is_data() {
        for words in [
            &["app", "--port", "${E}"][..],
            &["app", "--rpc-port=${E}"],
            &["app", "--web.listen-address", "0.0.0.0:${E}"],
            &["redis-server", "--requirepass", "${E}"],
            &[
                "redis-server",
                "/etc/redis.conf",
                "--requirepass",
                "${E}",
                "--save",
                "60",
            ],
            &[
                "cloudflared",
                "tunnel",
                "--no-autoupdate",
                "run",
                "--token",
                "${E}",
            ],
            &[
                "vllm",
                "serve",
                "Q/Q",
                "--api-key",
                "${E}",
                "--max-model-len",
                "${E}",
            ],
            &["vllm", "serve", "${E}", "--port", "80"],
            &[
                "python3",
                "-m",
                "vllm.entrypoints.openai.api_server",
                "--model",
                "${E}",
            ],
            &["node", "server.js", "--token=${E}"],
            &["java", "-Xmx${E}", "-Dserver.port=${E}", "-jar", "a.jar"],
            &["npm", "start", "--", "--port", "${E}"],
            &["pg_isready", "-h", "db", "-U", "${E}", "-d", "${E}"],
            &["redis-cli", "-a", "${E}", "ping"],
            &["mysqladmin", "ping", "-h", "localhost", "-u", "root", "-p${E}"],
            &["mysqladmin", "ping", "--password=${E}"],
            &["curl", "-fsS", "http://localhost:${E}/health"],
            &[
                "curl",
                "-fsSo",
                "/dev/null",
                "-H",
                "Authorization: Bearer ${E}",
                "http://a",
            ],
            &["wget", "-q", "--spider", "http://localhost:${E}/"],
            &["wget", "-qO-", "http://localhost:${E}/"],
            &["postgres", "-c", "max_connections=${E}", "--shared-buffers=${E}"],
            &["docker-entrypoint.sh", "postgres", "-c", "max_connections=${E}"],
            &["celery", "-A", "app", "worker", "-c", "${E}"],
            &["gunicorn", "-w", "${E}", "--bind=:${E}", "app:app"],
            &["traefik", "--certificatesresolvers.le.acme.email=${E}"],
            &["gosu", "postgres", "app", "--port", "${E}"],
            &["nc", "-z", "${E}", "5432"],
            &["nc", "-w", "2", "-zv", "${E}", "5432"],
            &["npm", "run", "start", "--", "--port", "${E}"],
            &["uv", "run", "uvicorn", "app:app", "--port", "${E}"],
            &["bundle", "exec", "puma", "-p", "${E}"],
            &["python", "manage.py", "runserver", "0.0.0.0:${E}"],
            &["geth", "--networkid=${E}"],
            &[
                "text-generation-launcher",
                "--num-shard",
                "${E}",
                "--dtype",
                "${E}",
            ],
            &["java", "-XX:MaxRAMPercentage=${E}", "-jar", "a.jar"],
            &["lighthouse", "bn", "--execution-endpoint", "${E}"],
            &["traefik", "--entrypoints.web.address=:${E}"],
            &["mongosh", "--quiet", "-u", "root", "-p", "${E}", "--eval", "1"],
            &["bitcoind", "-rpcuser=${E}"],
            &["postgres", "-c", "wal_level=${E}"],
            &["gunicorn", "--max-requests", "${E}", "app:app"],
            &["app", "--spring.datasource.password=${E}"],
            &["app", "--datasource-username", "${E}"],
            &["reth", "node", "--nat", "extip:${E}"],
            &["geth", "--nat", "extip:${E}"],
            &["sh", "-c", "exec \"$@\"", "sh", "app", "--port", "${E}"],
        ] {
            let wrong = of(words).into_iter().any(|how| how != ItemUse::Argument);
            assert!(!wrong, "{words:?} {:?}", of(words));
        }
    }

    #[test]
    fn what_is_not_known_to_be_data_decides_code() {
        for words in [
            &["app", "${E}"][..],
            &["sh", "-c", "exec \"$@\"", "sh", "${E}", "--port", "1"],
            &["sh", "-c", "exec \"$@\"", "${E}", "app", "--port", "1"],
            &["sh", "-c", "exec \"$@\"", "sh", "sh", "-c", "${E}"],
            &["sh", "-c", "exec \"$@\"", "sh", "app", "${E}"],
            &["sh", "-c", "set a; exec \"$@\"", "sh", "app", "--port", "${E}"],
            &[
                "anything",
                "sh",
                "-c",
                "exec \"$@\"",
                "sh",
                "app",
                "--port",
                "${E}",
            ],
            &["app", "--spring.datasource.url=${E}"],
            &["app", "--spring.datasource.driver.username=${E}"],
            &["app", "--registry-port=${E}"],
            &["nc", "${E}", "5432"],
            &["nc", "-z", "${E}", "${E}"],
            &["nc", "-z", "db", "${E}"],
            &["nc", "-z", "${E}", "postgres"],
            &["nc", "-z", "db", "5432", "${E}"],
            &["nc", "-z", "${E}"],
            &["nc", "-z", "-w", "${E}", "db", "80"],
            &["nc", "-z", "-e", "${E}", "80"],
            &["nc", "-zle", "${E}", "80"],
            &["ncat", "-z", "${E}", "80"],
            &["npm", "run", "${E}", "--", "--port", "1"],
            &["npm", "run", "start", "--port", "${E}"],
            &["npm", "run", "start", "--", "${E}"],
            &["npm", "run", "start", "--", "--config", "${E}"],
            &["npm", "exec", "start", "--", "--port", "${E}"],
            &["uv", "run", "--with", "${E}", "app"],
            &["uv", "run", "${E}", "--port", "1"],
            &["uv", "run", "--port", "${E}", "app"],
            &["uv", "run", "sh", "-c", "x", "--port", "${E}"],
            &["uv", "run", "curl", "--user", "${E}", "-o", "/app/x"],
            &["bundle", "exec", "puma", "-C", "${E}"],
            &["python", "manage.py", "runserver", "${E}"],
            &["python", "manage.py", "shell", "0.0.0.0:${E}"],
            &["python", "-c", "runserver", "0.0.0.0:${E}"],
            &["python", "app.py", "runserver", "0.0.0.0:${E}"],
            &["java", "-XX:OnError=${E}", "-jar", "a.jar"],
            &["java", "-XX:Flags=${E}", "-jar", "a.jar"],
            &["app", "--execution-endpoint", "${E}"],
            &["traefik", "--providers.http.endpoint=:${E}"],
            &["mongosh", "--eval", "${E}"],
            &["bitcoind", "-walletnotify=${E}"],
            &["bitcoind", "-rpcuser", "${E}"],
            &["postgres", "-c", "ssl_passphrase_command=${E}"],
            &["app", "--", "${E}"],
            &["app", "--flag=x", "${E}"],
            &["app", "-x", "${E}"],
            &["app", "--tomorrow", "${E}"],
            &["app", "--tomorrow=${E}"],
            &["app", "--plugin-url=${E}"],
            &["app", "--config-name", "${E}"],
            &["app", "LEVEL=${E}"],
            &["app", "--port=1", "${E}"],
            &["app", "--${E}-port", "1"],
            &["app", "--po${E}=1"],
            &["app", "--port ${E}"],
            &["${E}", "--port", "1"],
            &["sh", "-c", "exec app --port \"$1\"", "--port", "${E}"],
            &["bash", "-o", "pipefail", "-ec", "true", "--port", "${E}"],
            &["python3", "-c", "import app", "--port", "${E}"],
            &["node", "-e", "1", "a", "--port", "${E}"],
            &["sh", "-s", "--port", "${E}"],
            &["pg_isready", "${E}"],
            &["psql", "${E}"],
            &["psql", "-c${E}"],
            &["psql", "-f", "${E}"],
            &["mysql", "-p", "${E}"],
            &["mysql", "-e", "${E}"],
            &["redis-cli", "--eval", "${E}"],
            &["curl", "${E}"],
            &["curl", "-o", "/app/x", "http://a/${E}"],
            &["curl", "-sO", "http://a/${E}"],
            &["curl", "-K", "/x", "http://a/${E}"],
            &["curl", "--url", "${E}", "-o", "/app/x"],
            &["wget", "http://a/${E}"],
            &["wget", "-q", "http://a/${E}"],
            &["wget", "-qO", "/app/x", "http://a/${E}"],
            &["wget", "-qO-", "--post-file=/x", "http://a/${E}"],
            &["postgres", "-c", "archive_command=${E}"],
            &["postgres", "-c", "tomorrow=${E}"],
            &["postgres", "--session-preload-libraries=${E}"],
            &["postgres", "--name=${E}"],
            &["env", "PATH=${E}", "app"],
            &["env", "LEVEL=${E}", "app"],
            &["app", "--url", "${E}"],
            &["app", "--db-url=${E}"],
            &["app", "--model-id", "${E}"],
            &["ansible-pull", "--port", "${E}"],
            &["buildkite-agent", "start", "--token", "${E}"],
            &["tailscale", "up", "--ssh", "--auth-key=${E}"],
            &["numactl", "-N", "0", "curl", "-o", "/app/x", "--user", "${E}"],
            &["python3", "-m", "awscli", "s3", "cp", "--region", "${E}"],
            &["vllm", "serve", "Q/Q", "--trust", "--speculative-model", "${E}"],
            &["python3", "-m", "sglang.launch_server", "--model", "${E}"],
            &["env", "ENV=${E}", "sh"],
            &["env", "-S", "A=${E}", "app"],
            &["gosu", "${E}", "app"],
            &["timeout", "${E}", "app"],
            &["java", "-Dspring.config.location=${E}", "-jar", "a.jar"],
            &["java", "-Dtomorrow=${E}", "-jar", "a.jar"],
            &["make", "--port", "${E}"],
            &["docker", "run", "--name", "${E}"],
            &["vllm", "serve", "--model", "${E}", "--trust-remote-code"],
            &["vllm", "serve", "Q/Q", "${E}"],
            &["traefik", "--providers.http.endpoint=${E}"],
            &["aws", "s3", "cp", "--endpoint-url", "${E}", "s3://a", "/app"],
        ] {
            assert!(
                of(words).into_iter().any(|how| how != ItemUse::Argument),
                "{words:?}"
            );
        }
    }
}
