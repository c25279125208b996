//! Scripts of Python, Node, Ruby, Perl and PHP that execute what another machine answers, where nothing authenticates the answer.

use std::collections::BTreeSet;

use super::asked_machines::is_host_of_a_socket;
use super::host_data::{HOST_DATA, may_take, said};
use super::language::Language;
use super::language_calls::{names_script, writes_file};
use super::language_words::{behind, has_word, identifiers, statements};
use super::machines::{is_at_a_machine, is_machine, is_unprotected};
use super::named_calls::hands_over;
use super::other_language::{add_holders, holds};
use super::script_facts::ScriptFacts;
use super::uses;
use super::variable_use::Use;

/// Words by which a statement asks another machine.
const REQUESTS: [&str; 18] = [
    "HTTP",
    "LWP",
    "ServerProxy",
    "aiohttp",
    "axios",
    "curl_exec",
    "curl_init",
    "fetch",
    "getstore",
    "got",
    "httpx",
    "ky",
    "needle",
    "requests",
    "superagent",
    "undici",
    "urlopen",
    "urlretrieve",
];
/// Parts of it, without quotes and parentheses, that say so where a word alone does not: `require('http').get(`.
const CALLS: [&str; 4] = ["http.get", "http.request", "https.get", "https.request"];
/// Parts of statements that read the input of the script.
const INPUT: [&str; 8] = [
    "$_",
    "<>",
    "ARGF",
    "STDIN",
    "gets",
    "input(",
    "readFileSync(0",
    "stdin",
];
/// Words by which a statement opens a file, or what an address names.
const OPEN_FILES: [&str; 7] = [
    "file_get_contents",
    "import",
    "include",
    "include_once",
    "open",
    "open_uri",
    "require_once",
];
/// Parts of scripts whose sockets look at who answers, unless they say that they do not.
const TLS_SOCKETS: [&str; 4] = ["OpenSSL", "Socket::SSL", "tls", "wrap_socket"];
/// Texts without spaces by which a script does not look at who answers; lower case.
const UNCHECKED: [&str; 11] = [
    "_create_unverified_context",
    "cert_none",
    "check_hostname=false",
    "curlopt_ssl_verifypeer,0",
    "curlopt_ssl_verifypeer,false",
    "node_tls_reject_unauthorized",
    "rejectunauthorized:false",
    "ssl=false",
    "verify=false",
    "verify_hostname=>0",
    "verify_none",
];

impl Language {
    /// Whether a script executes such an answer.
    pub(super) fn executes_answers(
        self,
        script: &str,
        statements: &[&str],
        is_settable: &dyn Fn(&str) -> bool,
    ) -> bool {
        let is_said = |name: &str| is_settable(&said(name));
        let text: String = script.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.to_ascii_lowercase();
        let is_unchecked =
            UNCHECKED.iter().any(|part| text.contains(part)) || self == Self::Node && is_said("npm");
        // `f"http://{HOST}"`
        let names = |statement: &str, is_one: fn(&str) -> bool| {
            let statement = statement.replace("://{", "://$");
            statement.split(['"', '\'', '`']).any(is_one)
        };
        let names_address =
            |statement: &str| names(statement, is_unprotected) || identifiers(statement).any(is_said);
        if self == Self::Node && statements.iter().any(|statement| imports_an_address(statement))
            || self.starts_what_executes_answers(script, statements, is_settable)
        {
            return true;
        }
        // The host answers there.
        let is_of_host = |statement: &str| statement.to_ascii_lowercase().contains("vsock");
        let has_tls = !is_unchecked && TLS_SOCKETS.iter().any(|part| script.contains(part));
        let connects = |statement: &str| !has_tls && connects_to_a_machine(statement);
        if !is_unchecked && !names_address(script) && !is_of_host(script) && !connects(script) {
            return false;
        }
        let mut addresses = BTreeSet::new();
        add_holders(&mut addresses, statements, &names_address);
        // `s.connect(…)`: what `s` reads behind that is an answer.
        let connected = statements.iter().filter(|statement| connects(statement));
        let connected: BTreeSet<&str> = connected
            .filter_map(|statement| identifiers(statement.trim_start().split_once('.')?.0).last())
            .collect();
        let asks = |statement: &str| {
            let has = |words: &[&str]| identifiers(statement).any(|word| words.contains(&word));
            let is_elsewhere = || !statement.contains("://") || names(statement, is_at_a_machine);
            let requests = has(&REQUESTS)
                || CALLS.iter().any(|call| without_quotes(statement).contains(call))
                || self == Self::Perl && has(&["get"]);
            (requests || has(&OPEN_FILES)) && (names_address(statement) || holds(statement, &addresses))
                || is_unchecked && requests && is_elsewhere()
                || is_of_host(statement)
                || connects(statement)
                || holds(statement, &connected)
        };
        self.executes_what(script, statements, &asks)
    }

    /// Whether a script executes what it reads from its input.
    pub(super) fn executes_input(self, script: &str) -> bool {
        let reads = |statement: &str| INPUT.iter().any(|part| statement.contains(part));
        reads(script) && self.executes_what(script, &statements(script), &reads)
    }

    /// Whether a script executes what statements take for which `takes` holds.
    fn executes_what(self, script: &str, statements: &[&str], takes: &dyn Fn(&str) -> bool) -> bool {
        let mut holders = BTreeSet::new();
        add_holders(&mut holders, statements, takes);
        let is_one = |text: &str| takes(text) || holds(text, &holders);
        let facts = ScriptFacts::of(script);
        // A function that is handed on, or called by another name, executes as one that is called.
        let mut renamed = BTreeSet::new();
        let renames = |statement: &str| self.renames(statement);
        add_holders(&mut renamed, statements, &renames);
        let executes = |statement: &str| {
            self.executes(statement, &facts)
                || renames(statement)
                || holds(statement, &renamed)
                || writes_file(statement) && names_script(statement)
                || self == Self::Node && loads_a_variable(statement)
        };
        statements.iter().any(|statement| {
            // A pattern is not executed.
            let statement = statement.replace("re.compile(", "(");
            is_one(&statement) && executes(&statement) || hands_over(&statement, &is_one)
        })
    }

    /// Whether a script starts a shell with a fixed text that executes such an answer: `os.system("curl http://… | sh")`.
    fn starts_what_executes_answers(
        self,
        script: &str,
        statements: &[&str],
        is_settable: &dyn Fn(&str) -> bool,
    ) -> bool {
        let facts = ScriptFacts::of(script);
        let starting = statements
            .iter()
            .filter(|statement| self.starts(statement, &facts));
        let mut texts = starting.flat_map(|statement| statement.split(['"', '\'', '`']));
        texts.any(|text| may_take(text) && uses(text, is_settable).get(HOST_DATA) == Some(&Use::Executed))
    }
}

/// Whether a statement connects to a machine that it names by its host alone: `create_connection(('10.0.2.2', 9))`.
fn connects_to_a_machine(statement: &str) -> bool {
    let connects = identifiers(statement).map(str::to_ascii_lowercase).any(|word| {
        let is_one = ["connect", "sock", "ftp", "telnet"]
            .iter()
            .any(|part| word.contains(part));
        is_one && !word.starts_with("https")
    });
    let is_host = |text: &str| {
        let host = text
            .rsplit_once(':')
            .filter(|(_, port)| port.parse::<u16>().is_ok());
        let host = host.map_or(text, |(host, _)| host);
        host.chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
            && is_machine(host)
    };
    let parts: Vec<&str> = statement.split(['"', '\'', '`']).collect();
    let mut texts = parts.chunks_exact(2);
    connects
        && texts.any(|part| match part {
            [before, text] => is_host(text) || is_called_with(before, text),
            _ => false,
        })
}

/// Whether a text is a name without a dot that stands, behind another text, as an argument of a call that connects:
/// `create_connection(('files', 9))`, `TCPSocket.new('files', 9)`.
fn is_called_with(before: &str, text: &str) -> bool {
    let is_between = |c: char| c.is_whitespace() || c.is_ascii_digit() || "(,".contains(c);
    let called = before.trim_end_matches(is_between);
    let is_called = called.len() < before.len();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.:>-".contains(c);
    let start = called.rfind(|c: char| !is_part(c)).map_or(0, |at| at + 1);
    let path = called.get(start..).unwrap_or_default().to_ascii_lowercase();
    let last = path
        .rsplit(|c: char| c != '_' && !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    let is_one = |name: &str| {
        ["connect", "sock", "ftp", "telnet"]
            .iter()
            .any(|part| name.contains(part))
    };
    is_called
        && !path.contains("https")
        && (is_one(last) || last == "new" && is_one(&path))
        && is_host_of_a_socket(text)
}

fn without_quotes(statement: &str) -> String {
    statement.chars().filter(|c| !"\"'`()".contains(*c)).collect()
}

/// Whether a statement of Node loads what a variable holds: `import a from 'axios'` names a package.
fn loads_a_variable(statement: &str) -> bool {
    behind(statement, "import").any(|after| {
        let argument = after.trim_start().strip_prefix('(').map(str::trim_start);
        argument.is_some_and(|argument| !argument.starts_with(['"', '\'']))
    })
}

/// `import('http://…')`, `} from 'http://…'`
fn imports_an_address(statement: &str) -> bool {
    let imports = ["from", "import"].iter().any(|word| has_word(statement, word));
    imports && statement.split(['"', '\'', '`']).any(is_unprotected)
}
