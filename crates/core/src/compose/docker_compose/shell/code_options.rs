//! Programs that are no interpreters and load or start what one of their options or operands names.

use super::code_options_table::{CODE_OPTIONS, OBEYING};
use super::word::Word;

/// Settings of Postgres whose value is a command or a library.
const POSTGRES: [&str; 13] = [
    "archive_cleanup_command",
    "archive_command",
    "archive_library",
    "config_file",
    "data_directory",
    "dynamic_library_path",
    "jit_provider",
    "local_preload_libraries",
    "oauth_validator_libraries",
    "recovery_end_command",
    "restore_command",
    "session_preload_libraries",
    "shared_preload_libraries",
];

/// Whether a variable names code that a program loads or starts; nothing where the program is not in the tables.
pub(super) fn names_code_by_option(name: &str, arguments: &[Word]) -> Option<bool> {
    if matches!(name, "postgres" | "postmaster") {
        return Some(sets_code_of_postgres(arguments));
    }
    let (_, options, operand) = CODE_OPTIONS
        .iter()
        .find(|(programs, ..)| programs.contains(&name))?;
    let is_code = names_code(arguments, options, *operand)
        || !options.is_empty() && brings_options(name, arguments)
        || is_operand_an_option(name, arguments);
    Some(is_code)
}

/// Whether a value without quotes may bring one of the options that name code. Of a program that executes what such an option names, or
/// what another machine sends, without a file in the container, in every word; else where it stands for itself, and is no option's argument.
fn brings_options(name: &str, arguments: &[Word]) -> bool {
    // What these bring is judged as such.
    if matches!(name, "curl" | "wget") {
        return false;
    }
    let mut before = "";
    let mut has_operand = false;
    arguments.iter().any(|word| {
        let is_argument = before.starts_with('-') && !before.contains('=');
        // `gunicorn -w $E app:app`: the value may bring another application, of which `gunicorn` executes a call.
        let is_before_operand = name == "gunicorn" && !has_operand;
        let is_alone = word.text.starts_with('$') && !is_argument;
        has_operand |= !word.text.starts_with('-') && !is_argument;
        before = word.text.as_str();
        word.is_split && (OBEYING.contains(&name) || is_alone || is_before_operand)
    })
}

/// Whether an operand may be an option by which a program executes its value: `tar -c "$E"` where it is `-Icommand`. What stands behind an
/// option of one letter may be its argument.
fn is_operand_an_option(name: &str, arguments: &[Word]) -> bool {
    let is_of_user = |word: &Word| word.text.starts_with("user.");
    let may_be = match name {
        "bsdtar" | "chrome" | "chromium" | "chromium-browser" | "google-chrome" | "tar" => true,
        "git" => !arguments.iter().any(is_of_user),
        "rsync" | "scp" | "sftp" => true,
        _ => false,
    };
    if !may_be {
        return false;
    }
    // Without another machine these start nothing: `rsync /d "$E:/b"` has none if the value is an option.
    let is_remote = |pair: &[Word]| match pair {
        [before, word] => {
            let text = word.text.as_str();
            let is_pattern = before.text.starts_with("--") && !text.contains(":/");
            !text.starts_with(['-', '$']) && !text.starts_with("http") && text.contains(':') && !is_pattern
        }
        _ => false,
    };
    let needs_machine = matches!(name, "rsync" | "scp" | "sftp");
    if needs_machine && !arguments.windows(2).any(is_remote) {
        return false;
    }
    let mut before = "";
    let own = arguments.iter().take_while(|word| word.text != "--");
    own.enumerate().any(|(at, word)| {
        let is_cluster = at == 1 && !before.starts_with('-') && name.ends_with("tar");
        let takes = |option: &str| match name {
            name if name.ends_with("tar") => option.ends_with(['C', 'K', 'N', 'T', 'V', 'X', 'b', 'f', 'g']),
            "git" => matches!(
                option,
                "-C" | "-F" | "-b" | "-m" | "-n" | "--message" | "--author"
            ),
            "rsync" => option == "-f" || option == "-B",
            "scp" | "sftp" => matches!(option, "-P" | "-c" | "-i" | "-l"),
            _ => false,
        };
        let is_argument = before.len() > 1 && (before.starts_with('-') || is_cluster) && takes(before);
        before = word.text.as_str();
        !word.names.is_empty() && word.text.starts_with('$') && !is_argument
    })
}

/// Whether a value without quotes may bring an option of npm, which takes its own anywhere before `--`: `--script-shell` above all.
pub(super) fn brings_options_of_npm(name: &str, arguments: &[Word]) -> bool {
    let mut own = arguments.iter().take_while(|word| word.text != "--");
    name == "npm" && own.any(|word| word.is_split)
}

/// Whether words set a setting of Postgres that is a command or a library, or one that a variable names.
fn sets_code_of_postgres(arguments: &[Word]) -> bool {
    let mut is_setting = false;
    arguments.iter().any(|word| {
        let text = word.text.as_str();
        let is_named = std::mem::replace(&mut is_setting, text == "-c");
        // Without quotes another setting may follow.
        if word.is_split {
            return true;
        }
        let setting = match text.strip_prefix("--").or_else(|| text.strip_prefix("-c")) {
            Some(setting) => setting,
            None if is_named => text,
            None => return false,
        };
        let name = setting.split('=').next().unwrap_or_default();
        let name = name.replace('-', "_").to_ascii_lowercase();
        let is_code = name.contains('$') || POSTGRES.contains(&name.as_str()) || name.ends_with("_command");
        is_code && !word.names.is_empty()
    })
}

/// Whether a variable stands in the argument of one of these options, or in the first operand. A verb before it is not the operand.
pub(super) fn names_code(arguments: &[Word], options: &[&str], operand: bool) -> bool {
    const VERBS: [&str; 12] = [
        "dev", "launch", "pool", "prefork", "run", "runner", "s", "serve", "server", "start", "up", "worker",
    ];
    let mut before = "";
    let mut has_operand = false;
    for word in arguments {
        let text = word.text.as_str();
        let is_option = text.starts_with('-');
        // `--config` and `--config-file`.
        let is_named = |option: &&str| {
            before == *option || option.len() > 2 && before.starts_with(option) && !before.contains('=')
        };
        let of_option = options.iter().any(is_named)
            || is_last_of_cluster(before, options)
            || is_option && options.iter().any(|option| text.starts_with(option));
        let is_operand = !is_option && !has_operand && (!before.starts_with('-') || before.contains('='));
        has_operand |= is_operand && !VERBS.contains(&text);
        if !word.names.is_empty() && (of_option || operand && is_operand) {
            return true;
        }
        before = text;
    }
    false
}

/// `-sK` of curl.
fn is_last_of_cluster(option: &str, options: &[&str]) -> bool {
    options == ["-K", "--config"]
        && option.len() > 2
        && !option.starts_with("--")
        && option.starts_with('-')
        && option.ends_with('K')
}

#[cfg(test)]
mod tests {
    use super::super::data_options::OF_CLIENTS;
    use super::*;

    #[test]
    fn no_option_is_data_in_one_table_and_code_in_the_other() {
        for takes in OF_CLIENTS {
            for program in takes.programs {
                let rows = CODE_OPTIONS
                    .iter()
                    .filter(|(programs, ..)| programs.contains(program));
                for option in rows.flat_map(|(_, options, _)| options.iter()) {
                    assert!(!takes.options.contains(option), "{program} {option}");
                }
            }
        }
    }
}
