//! Clients whose input is a language in which a shell may be started: `\!` of psql, `.shell` of sqlite3, `!` of ftp.

use super::paths::file_key;
use super::script::ShellCommand;
use super::word::Word;

const CLIENTS: [&str; 35] = [
    "at",
    "batch",
    "clickhouse",
    "clickhouse-client",
    "cqlsh",
    "cypher-shell",
    "dc",
    "duckdb",
    "ed",
    "ex",
    "expect",
    "ftp",
    "gdb",
    "gnuplot",
    "isql",
    "lftp",
    "mail",
    "mailx",
    "mariadb",
    "mongo",
    "mongosh",
    "mycli",
    "mysql",
    "ncftp",
    "pgcli",
    "psql",
    "sftp",
    "smbclient",
    "sqlcmd",
    "sqlite3",
    "sqlplus",
    "usql",
    "vi",
    "vim",
    "yasql",
];
/// Starts of options of theirs whose argument is executed.
const OF_COMMANDS: [&str; 9] = ["--command", "--e", "--query", "-E", "-Q", "-c", "-e", "-q", "-x"];

/// Whether a program executes what its input says.
pub(super) fn executes_input(name: &str) -> bool {
    CLIENTS.contains(&name)
}

/// Whether a variable stands in a command that an option hands to a client.
pub(super) fn hands_a_command(name: &str, arguments: &[Word]) -> bool {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let is_command = OF_COMMANDS.iter().any(|option| word.text.starts_with(option));
        if executes_input(name)
            && is_command
            && (!word.names.is_empty() || words.next().is_some_and(|word| !word.names.is_empty()))
        {
            return true;
        }
    }
    false
}

/// The files that a client may read commands from: its operands, the arguments of its options, and the paths in its commands.
pub(super) fn files(command: &ShellCommand, arguments: &[Word]) -> Vec<String> {
    let texts = arguments.iter().map(|word| &word.text).chain(&command.documents);
    let words = texts.flat_map(|text| text.split(|c: char| c.is_whitespace() || "\"';=()".contains(c)));
    // `-f/tmp/a.sql`
    let paths = words.map(|word| match word.starts_with("--") {
        true => word,
        false => word
            .strip_prefix('-')
            .and_then(|rest| rest.get(1..))
            .unwrap_or(word),
    });
    let paths = paths.filter(|path| !path.is_empty());
    paths
        .map(|path| file_key(path, command.folder.as_deref()))
        .collect()
}
