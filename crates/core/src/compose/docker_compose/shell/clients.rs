//! Clients whose input is a language in which a shell may be started: `\!` of psql, `.shell` of sqlite3, `!` of ftp.

use super::data_options::{OF_CODE, OF_DATA};
use super::paths::file_key;
use super::script::ShellCommand;
use super::word::Word;

#[rustfmt::skip]
const CLIENTS: [&str; 36] = [
    "at", "batch", "clickhouse", "clickhouse-client", "clickhouse-local", "cqlsh", "cypher-shell", "dc",
    "duckdb", "ed", "ex", "expect", "ftp", "gdb", "gnuplot", "isql", "lftp", "mail", "mailx", "mariadb",
    "mongo", "mongosh", "mycli", "mysql", "ncftp", "pgcli", "psql", "sftp", "smbclient", "sqlcmd", "sqlite3",
    "sqlplus", "usql", "vi", "vim", "yasql",
];

/// What the options of a client take.
struct ClientOptions {
    programs: &'static [&'static str],
    /// Letters whose argument is executed.
    code: &'static str,
    /// Letters whose argument is a file of commands, or one that is opened as a program: code where the value is all of the path.
    files: &'static str,
    /// Letters whose argument is data.
    data: &'static str,
    /// Letters that stand alone.
    alone: &'static str,
    /// Long options whose argument is executed, or is a file of commands. Each may be cut short.
    long_code: &'static [&'static str],
    /// Long options whose argument is data, beside those that are named for data.
    long_data: &'static [&'static str],
    /// Long options that stand alone.
    long_alone: &'static [&'static str],
    /// How many operands are no command, where what is behind them is executed.
    operands: Option<usize>,
    /// Whether an operand may be an option of its own: `psql` executes `-o|COMMAND`.
    obeys_operands: bool,
    /// Whether one dash begins a word.
    has_words_behind_one_dash: bool,
}

/// Clients whose options are known, letter by letter: one that is not in its row is taken for one whose argument is executed.
const OPTIONS: [ClientOptions; 6] = [
    ClientOptions {
        programs: &["psql"],
        code: "c",
        files: "fo",
        data: "dFhLpPRTUv",
        alone: "?0aAbeEHlnqsStVwWxXz1",
        long_code: &["command", "file", "output"],
        long_data: &[
            "dbname",
            "field-separator",
            "log-file",
            "pset",
            "record-separator",
            "set",
            "table-attr",
            "variable",
        ],
        long_alone: &[
            "csv",
            "echo-all",
            "echo-errors",
            "echo-hidden",
            "echo-queries",
            "expanded",
            "field-separator-zero",
            "help",
            "html",
            "list",
            "no-align",
            "no-password",
            "no-psqlrc",
            "no-readline",
            "quiet",
            "record-separator-zero",
            "single-line",
            "single-step",
            "single-transaction",
            "tuples-only",
            "version",
        ],
        operands: None,
        obeys_operands: true,
        has_words_behind_one_dash: false,
    },
    ClientOptions {
        programs: &["mariadb", "mysql"],
        code: "e",
        files: "",
        data: "DOPShpu",
        alone: "ABCEGHILNTUVWXbcfginoqrstvw",
        long_code: &[
            "defaults-extra-file",
            "defaults-file",
            "execute",
            "init-command",
            "init-command-add",
            "pager",
            "plugin-dir",
        ],
        long_data: &[
            "character-sets-dir",
            "comments",
            "compression-algorithms",
            "default-auth",
            "default-character-set",
            "delimiter",
            "max-allowed-packet",
            "net-buffer-length",
            "prompt",
            "protocol",
            "socket",
            "ssl-ca",
            "ssl-cert",
            "ssl-mode",
            "tls-version",
        ],
        long_alone: &[
            "auto-rehash",
            "batch",
            "binary-mode",
            "column-names",
            "compress",
            "disable-ssl",
            "enable-cleartext-plugin",
            "force",
            "get-server-public-key",
            "html",
            "line-numbers",
            "no-auto-rehash",
            "no-beep",
            "no-defaults",
            "one-database",
            "quick",
            "raw",
            "reconnect",
            "safe-updates",
            "show-warnings",
            "silent",
            "skip-auto-rehash",
            "skip-column-names",
            "skip-line-numbers",
            "skip-ssl",
            "ssl",
            "ssl-verify-server-cert",
            "table",
            "unbuffered",
            "verbose",
            "vertical",
            "wait",
            "xml",
        ],
        operands: None,
        obeys_operands: true,
        has_words_behind_one_dash: false,
    },
    ClientOptions {
        programs: &["mongo", "mongosh"],
        code: "",
        files: "f",
        data: "hup",
        alone: "?",
        long_code: &["eval", "file"],
        long_data: &[
            "authenticationDatabase",
            "authenticationMechanism",
            "gssapiServiceName",
            "json",
            "tlsCAFile",
            "tlsCertificateKeyFile",
            "tlsCertificateKeyFilePassword",
        ],
        long_alone: &[
            "ipv6",
            "nodb",
            "norc",
            "quiet",
            "retryWrites",
            "ssl",
            "tls",
            "tlsAllowInvalidCertificates",
            "tlsAllowInvalidHostnames",
            "verbose",
        ],
        operands: None,
        obeys_operands: true,
        has_words_behind_one_dash: false,
    },
    ClientOptions {
        programs: &["clickhouse", "clickhouse-client", "clickhouse-local"],
        code: "q",
        files: "C",
        data: "dfhu",
        alone: "EVmnt",
        long_code: &["config", "config-file", "queries-file", "query"],
        long_data: &["format", "input-format", "output-format", "param_"],
        long_alone: &[
            "ask-password",
            "client",
            "echo",
            "ignore-error",
            "multiline",
            "multiquery",
            "secure",
            "stacktrace",
            "verbose",
            "vertical",
        ],
        operands: None,
        obeys_operands: false,
        has_words_behind_one_dash: false,
    },
    ClientOptions {
        programs: &["sqlcmd"],
        code: "Qqi",
        files: "",
        data: "FHKPSUYZadfhlmostvwyz",
        alone: "ACEGILMNRWXbegjknprux",
        long_code: &["input-file", "query", "initial-query"],
        long_data: &["server", "variables"],
        long_alone: &["exit-on-error", "trust-server-certificate"],
        operands: None,
        obeys_operands: false,
        has_words_behind_one_dash: false,
    },
    ClientOptions {
        programs: &["duckdb", "sqlite3"],
        code: "",
        files: "",
        data: "",
        alone: "",
        long_code: &["c", "cmd", "f", "init", "s"],
        long_data: &["newline", "nullvalue", "separator", "storage-version"],
        long_alone: &[
            "ascii",
            "bail",
            "batch",
            "box",
            "column",
            "csv",
            "echo",
            "header",
            "html",
            "interactive",
            "json",
            "jsonlines",
            "line",
            "list",
            "markdown",
            "no-stdin",
            "noheader",
            "quote",
            "readonly",
            "safe",
            "table",
            "ui",
            "unsigned",
            "unredacted",
            "version",
        ],
        operands: Some(1),
        obeys_operands: false,
        has_words_behind_one_dash: true,
    },
];
/// Letters of other clients whose argument is executed.
const CODE_LETTERS: &str = "EQceqx";
/// Starts of long options of theirs whose argument is.
const LONG_CODE: [&str; 4] = ["--command", "--cmd", "--e", "--query"];

/// Whether a program executes what its input says.
pub(super) fn executes_input(name: &str) -> bool {
    CLIENTS.contains(&name)
}

/// What an option does with its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientTakes {
    Code,
    File,
    Data,
    Nothing,
    /// Not known: its argument may be executed, and the next word may be another option.
    NotKnown,
}

impl ClientOptions {
    fn letter(&self, letter: char) -> ClientTakes {
        if self.alone.contains(letter) || letter.is_ascii_digit() {
            ClientTakes::Nothing
        } else if self.data.contains(letter) {
            ClientTakes::Data
        } else if self.files.contains(letter) {
            ClientTakes::File
        } else if self.code.contains(letter) {
            ClientTakes::Code
        } else {
            ClientTakes::NotKnown
        }
    }

    /// A long option, without its dashes. One that is cut short may be any that begins so.
    fn long(&self, name: &str) -> ClientTakes {
        let begins = |options: &[&str]| options.iter().any(|option| option.starts_with(name));
        if self.long_alone.contains(&name) {
            return ClientTakes::Nothing;
        }
        if self.long_code.contains(&name) {
            return ClientTakes::Code;
        }
        let parts = || name.split(['-', '_']).map(str::to_ascii_lowercase);
        let is_named_for_data = parts()
            .next_back()
            .is_some_and(|last| OF_DATA.contains(&last.as_str()))
            && !parts().any(|part| OF_CODE.contains(&part.as_str()));
        let is_parameter = name.starts_with("param_") && self.long_data.contains(&"param_");
        if self.long_data.contains(&name) || is_named_for_data || is_parameter {
            return ClientTakes::Data;
        }
        match begins(self.long_alone) && !begins(self.long_code) && !begins(self.long_data) {
            true => ClientTakes::Nothing,
            false => ClientTakes::NotKnown,
        }
    }

    /// What an option of these clients does with its argument, and that, where it stands in the same word.
    fn option<'w>(&self, text: &'w str) -> (ClientTakes, Option<&'w str>) {
        // The password of these stands in the same word, or nowhere.
        let alone = |takes, value: Option<&'w str>, is_password: bool| match value {
            None if is_password && self.programs.contains(&"mysql") => ClientTakes::Nothing,
            _ => takes,
        };
        if let Some(long) = text.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            return (alone(self.long(name), value, name == "password"), value);
        }
        let letters = text.strip_prefix('-').unwrap_or(text);
        // `-csv` of DuckDB, `-query` of ClickHouse.
        if self.has_words_behind_one_dash || self.long_code.contains(&letters) {
            return (self.long(letters), None);
        }
        for (at, letter) in letters.char_indices() {
            let takes = self.letter(letter);
            if takes != ClientTakes::Nothing {
                let rest = letters.get(at + letter.len_utf8()..);
                let rest = rest.filter(|rest| !rest.is_empty());
                return (alone(takes, rest, letter == 'p'), rest);
            }
        }
        (ClientTakes::Nothing, None)
    }

    /// Whether a variable stands where one of these clients executes it.
    fn executes(&self, arguments: &[Word]) -> bool {
        let mut operands = 0_usize;
        let mut only_operands = false;
        let mut words = arguments.iter().peekable();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            let is_open = !word.names.is_empty();
            if text == "--" && !only_operands {
                only_operands = true;
            } else if only_operands || !text.starts_with('-') || text == "-" {
                operands += 1;
                let may_be_an_option = self.obeys_operands && text.starts_with('$');
                if is_open && (may_be_an_option || self.operands.is_some_and(|most| operands > most)) {
                    return true;
                }
            } else {
                let (takes, argument) = self.option(text);
                let (argument, is_open) = match (takes, argument) {
                    (ClientTakes::Nothing, _) => continue,
                    (_, Some(argument)) => (argument, is_open),
                    (ClientTakes::NotKnown, None) => {
                        let next = words.peek();
                        let is_next_open = next.is_some_and(|next| !next.names.is_empty());
                        (
                            next.map_or("", |next| next.text.as_str()),
                            is_open || is_next_open,
                        )
                    }
                    // An option whose argument is missing.
                    (_, None) => match words.next_if(|next| !next.text.starts_with('-')) {
                        Some(next) => (next.text.as_str(), is_open || !next.names.is_empty()),
                        None => ("", is_open),
                    },
                };
                let is_executed = match takes {
                    ClientTakes::Code | ClientTakes::NotKnown => true,
                    ClientTakes::File => argument.starts_with('$'),
                    ClientTakes::Data | ClientTakes::Nothing => false,
                };
                if is_open && is_executed {
                    return true;
                }
            }
        }
        // Without quotes the value may bring an option.
        self.obeys_operands && arguments.iter().any(|word| word.is_split)
    }
}

/// Whether a variable stands in a command that an option hands to a client, or in a word that may be such an option.
pub(super) fn hands_a_command(name: &str, arguments: &[Word]) -> bool {
    if !executes_input(name) {
        return false;
    }
    if let Some(options) = OPTIONS.iter().find(|options| options.programs.contains(&name)) {
        return options.executes(arguments);
    }
    let is_command = |text: &str| {
        let letters = text.strip_prefix('-').unwrap_or_default();
        let is_cluster = !letters.is_empty() && letters.chars().all(|c| c.is_ascii_alphabetic());
        LONG_CODE.iter().any(|option| text.starts_with(option))
            || letters.starts_with(|c| CODE_LETTERS.contains(c))
            || is_cluster && letters.ends_with(|c| CODE_LETTERS.contains(c))
    };
    let next = arguments.iter().skip(1).map(Some).chain([None]);
    arguments.iter().zip(next).any(|(word, next)| {
        let has_next = next.is_some_and(|word| !word.names.is_empty());
        is_command(&word.text) && (!word.names.is_empty() || has_next)
    })
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
