//! Scripts of Python, Node, Ruby, Perl and PHP that execute what another machine answers, where nothing authenticates the answer.

use std::collections::BTreeSet;

use super::host_data::said;
use super::language::Language;
use super::language_calls::{names_script, writes_file};
use super::language_words::{behind, identifiers};
use super::machines::{is_at_a_machine, is_unprotected};
use super::named_calls::hands_over;
use super::other_language::{add_holders, holds};
use super::script_facts::ScriptFacts;

/// Words by which a statement asks another machine.
const REQUESTS: [&str; 17] = [
    "HTTP",
    "LWP",
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
/// Parts of it that say so, where a word alone does not.
const CALLS: [&str; 4] = ["http.get(", "http.request(", "https.get(", "https.request("];
/// Words by which it opens a file, or what an address names.
const OPEN_FILES: [&str; 7] = [
    "file_get_contents",
    "import",
    "include",
    "include_once",
    "open",
    "open_uri",
    "require_once",
];
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
        if !is_unchecked && !names_address(script) {
            return false;
        }
        let mut addresses = BTreeSet::new();
        add_holders(&mut addresses, statements, &names_address);
        let asks = |statement: &str| {
            let has = |words: &[&str]| identifiers(statement).any(|word| words.contains(&word));
            let is_elsewhere = || !statement.contains("://") || names(statement, is_at_a_machine);
            let requests = has(&REQUESTS)
                || CALLS.iter().any(|call| statement.contains(call))
                || self == Self::Perl && has(&["get"]);
            (requests || has(&OPEN_FILES)) && (names_address(statement) || holds(statement, &addresses))
                || is_unchecked && requests && is_elsewhere()
        };
        let mut holders = BTreeSet::new();
        add_holders(&mut holders, statements, &asks);
        let is_one = |text: &str| asks(text) || holds(text, &holders);
        let facts = ScriptFacts::of(script);
        let executes = |statement: &str| {
            self.executes(statement, &facts)
                || writes_file(statement) && names_script(statement)
                || self == Self::Node && loads_an_address(statement)
        };
        statements.iter().any(|statement| {
            // A pattern is not executed.
            let statement = statement.replace("re.compile(", "(");
            is_one(&statement) && executes(&statement) || hands_over(&statement, &is_one)
        })
    }
}

/// Whether a statement of Node loads what a variable holds, or an address in it: `import a from 'axios'` names a package.
fn loads_an_address(statement: &str) -> bool {
    let names_one = || statement.split(['"', '\'', '`']).any(is_unprotected);
    let is_handed_a_variable = |after: &str| {
        let argument = after.trim_start().strip_prefix('(').map(str::trim_start);
        argument.is_some_and(|argument| !argument.starts_with(['"', '\'']))
    };
    behind(statement, "import").any(|after| is_handed_a_variable(after) || names_one())
}
