//! What to write in a script instead of what executes a variable: by what evaluates it, or by the command in which it stands.

use super::shell::{self, MAX_SCRIPT_BYTES};
use super::unquoted::split_unquoted;

/// What to write where nothing more is known.
pub(super) fn in_general(name: &str) -> String {
    format!("have a script hand it to a program, in quotes (`sh -c 'exec app --port \"$${name}\"'`)")
}

/// What a whole script names. It is looked for once, and not for each command again.
#[derive(Debug, Default, Clone, Copy)]
struct NamedFiles {
    npmrc: bool,
    wireguard: bool,
    settings: bool,
}

impl NamedFiles {
    fn of(script: &str) -> Self {
        Self {
            npmrc: script.contains(".npmrc"),
            wireguard: script.contains("wg-quick"),
            settings: ["aws", "my.cnf", "cron"].iter().any(|part| script.contains(part)),
        }
    }
}

/// What to write instead of what executes a variable as the input of a program, as a setting, or as code: by the words of the script.
fn instead_of_input(script: &str, name: &str) -> Option<String> {
    let words = script.split(|c: char| c.is_whitespace() || "\"'`(;|&/".contains(c));
    let has = |each: &[&str]| words.clone().any(|word| each.contains(&word));
    if has(&["psql", "mysql", "mariadb", "mongosh"]) && is_bare(script, name) {
        return Some(format!(
            "write `\"$${name}\"` in quotes: without, the value may be further words, and one of them an option by which the client starts a program"
        ));
    }
    if !has(&[
        "psql", "mysql", "mariadb", "mongosh", "mongo", "xargs", "parallel", "declare", "typeset",
        "gunicorn", "npm",
    ]) {
        let is_code = !script.contains(&format!("${name}")) && !script.contains(&format!("${{{name}"));
        return is_code.then(|| {
            "put the code into the image: in a language that is not read here, what names a variable of the environment may execute it".to_owned()
        });
    }
    let text = if has(&["psql"]) {
        format!(
            "hand it to psql as a variable, `psql -v v=\"$${name}\"`, and write `:'v'` in the SQL, which psql quotes"
        )
    } else if has(&["mysql", "mariadb"]) {
        "have the image make the user (`MYSQL_USER`, `MYSQL_PASSWORD`): the client executes `\\!` in its input".to_owned()
    } else if has(&["mongosh", "mongo"]) {
        format!("have the script read `process.env.{name}`: the client executes the text of its input")
    } else if has(&["xargs", "parallel"]) {
        format!(
            "hand it to the program in quotes (`app \"$${name}\"`), and not as input of `xargs` or `parallel`"
        )
    } else if has(&["gunicorn", "npm"]) {
        format!(
            "write `\"$${name}\"` in quotes: without, the value may be further words, by which the program executes code"
        )
    } else {
        return None;
    };
    Some(text)
}

/// Whether a variable stands outside of double quotes, so that its value may be several words.
fn is_bare(script: &str, name: &str) -> bool {
    let script = script.replace("$$", "$");
    let starts = [format!("${name}"), format!("${{{name}}}")];
    starts.iter().any(|start| {
        script.match_indices(start.as_str()).any(|(at, _)| {
            let behind = script.get(at + start.len()..).unwrap_or_default();
            let is_whole =
                start.ends_with('}') || !behind.starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric());
            let line = script
                .get(..at)
                .unwrap_or_default()
                .rsplit('\n')
                .next()
                .unwrap_or_default();
            is_whole && line.matches('"').count() % 2 == 0 && line.matches('\'').count() % 2 == 0
        })
    })
}

/// What to write instead of what executes a variable in one command.
fn instead_in_command(command: &str, files: NamedFiles, name: &str) -> Option<String> {
    let has = |word: &str| {
        let mut words = command.split(|c: char| c.is_whitespace() || "\"'`(".contains(c));
        words.any(|each| each == word)
    };
    let writes = command.contains('>');
    if command.contains("authorized_keys") {
        return Some(
            "write the public keys: anyone who sets the value can log in and execute anything. To accept that, write the reason into `[[places]]` of \
             the lock (`cvm-verify pin`)"
                .to_owned(),
        );
    }
    if ["chpasswd", "passwd", "useradd", "usermod"]
        .iter()
        .any(|program| has(program))
        || command.contains("sshd_config")
    {
        return Some(
            "write public keys into the document: anyone who sets the value can log in and execute anything. To accept that, write the reason into \
             `[[places]]` of the lock (`cvm-verify pin`)"
                .to_owned(),
        );
    }
    let is_client = || {
        ["psql", "mysql", "mariadb", "mongosh"]
            .iter()
            .any(|program| has(program))
    };
    if has("sed") {
        Some(format!(
            "fill in the template with `envsubst '$${name}' < TEMPLATE > FILE`: `sed` executes the command `e`, which the value may add"
        ))
    } else if has("npm") || files.npmrc && writes {
        Some(format!(
            "write `'//HOST/:_authToken=$${{{name}}}'` in single quotes: npm reads {name} from its environment"
        ))
    } else if files.wireguard && writes {
        Some(format!(
            "write ${name} to a file of its own and `PostUp = wg set %i private-key FILE` into the settings: there a line of the value may be \
             another `PostUp`"
        ))
    } else if files.settings && writes || has("aws") && has("configure") {
        Some(format!(
            "write the file as a fixed text and hand {name} to the program in its environment (AWS_SECRET_ACCESS_KEY, MYSQL_PWD): a line of the \
             value may be another setting, which starts a program"
        ))
    } else if is_client() && is_bare(command, name) {
        Some(format!(
            "write `\"$${name}\"` in quotes: without, the value may be further words, and one of them an option by which the client starts a program"
        ))
    } else if has("psql") && !command.contains(['\'', ';']) && !has("-c") && !has("-f") {
        Some(format!(
            "write `psql -d \"$${name}\"`: as an operand the value may be an option of `psql`, which executes `-o|COMMAND`"
        ))
    } else if has("find") {
        Some(format!(
            "write `\"$${name}\"` in quotes: without, the value may be `-exec` for `find`"
        ))
    } else if ["aws", "curl", "gsutil", "rclone", "wget"]
        .iter()
        .any(|program| has(program))
    {
        Some(
            "write the address: the value says what is brought, and a program starts that may be it"
                .to_owned(),
        )
    } else {
        None
    }
}

/// What to write in a script instead of what executes a variable. Of a text that is too long to be read nothing is known.
pub(super) fn instead_of_executing(script: &str, name: &str) -> String {
    if script.len() > MAX_SCRIPT_BYTES {
        return in_general(name);
    }
    if shell::evaluates_as_number(&script.replace("$$", "$"), name) {
        return format!(
            "do not calculate with it: a shell evaluates what stands in a value that it reads as a number. Compare with `[ \"$${name}\" -gt … ]`, \
             and hand over the number that is needed (`sleep \"$${name}\"`, `sleep \"$${{{name}}}m\"`)"
        );
    }
    // The command in which the variable stands, to where it ends outside quotes: `sed "s|A|$B|"` holds what separates commands.
    let variable = [format!("${name}"), format!("${{{name}")];
    let files = NamedFiles::of(script);
    let mut commands = commands(script).into_iter().filter(|command| {
        variable
            .iter()
            .any(|variable| command.contains(variable.as_str()))
    });
    let fix = commands.find_map(|command| instead_in_command(command, files, name));
    fix.or_else(|| instead_of_input(script, name))
        .unwrap_or_else(|| in_general(name))
}

/// The commands of a script, as far as quotes and what separates commands show them.
fn commands(script: &str) -> Vec<&str> {
    split_unquoted(script, &['"', '\''], &[';', '\n', '|', '&'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is done for each command of a script reads that command alone, so that the work grows with the text.
    #[test]
    fn the_commands_of_a_script_are_read_once() {
        for line in ["echo \"$E\"\n", "app 'a;b' \"$E\" | cat\n", "echo \"$E\n"] {
            let script = line.repeat(2000);
            let bytes: usize = commands(&script).iter().map(|command| command.len()).sum();
            assert!(bytes <= script.len(), "{line}");
        }
        let of_one = instead_in_command("echo \"$E\" > /x", NamedFiles::of("cat .npmrc"), "E");
        assert!(of_one.is_some_and(|text| text.contains("_authToken")));
    }

    #[test]
    fn of_a_text_that_is_not_read_nothing_is_guessed() {
        let long = format!("{}\ncurl \"$E\" > .npmrc", "#".repeat(MAX_SCRIPT_BYTES));
        assert_eq!(instead_of_executing(&long, "E"), in_general("E"));
        assert_ne!(instead_of_executing("curl \"$E\" | sh", "E"), in_general("E"));
    }

    #[test]
    fn what_is_calculated_with_is_told_from_code() {
        for script in [
            "sleep $$((E * 60))",
            "while :; do sleep $$(( $${E:-5} * 60 )); done",
            "[[ $$E -gt 3 ]]",
            "n=E; let x=n+1",
        ] {
            let says = instead_of_executing(script, "E");
            assert!(says.contains("sleep \"$${E}m\""), "{script}: {says}");
        }
        assert!(!instead_of_executing("eval \"$$E\"; sleep $$((60 * 2))", "E").contains("calculate"));
    }
}
