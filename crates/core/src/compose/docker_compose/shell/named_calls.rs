//! Functions that load or run what their first argument names, by the words of their names: `torch.hub.load`, `uvicorn.run`.

use super::super::risky_names::is_risky_in_script;
use super::data_options::{OF_ADDRESS, OF_DATA};
use super::language_calls::executes_its_arguments;
use super::language_words::{identifiers, is_part, is_plain_text};
use super::paths::base_name;

/// Words of the names of functions that load or run something.
const LOADING: [&str; 12] = [
    "bootstrap",
    "compile",
    "hub",
    "import",
    "load",
    "module",
    "plugin",
    "require",
    "run",
    "script",
    "shell",
    "spawn",
];
/// Functions whose first argument is a template, which may be code. What fills it in is data.
const TEMPLATES: [&str; 4] = ["Template", "from_string", "render_template_string", "template"];
/// Last words of such names by which it is data that they load: `load_dotenv`, `importKey`.
const OF_VALUES: [&str; 15] = [
    "cert",
    "certificate",
    "certificates",
    "chain",
    "dotenv",
    "env",
    "environ",
    "json",
    "key",
    "keys",
    "locations",
    "pem",
    "polling",
    "text",
    "toml",
];
/// Owners of functions that load data alone (`json.load`), or that run an object and not what a text names (`asyncio.run`).
const HARMLESS_OWNERS: [&str; 13] = [
    "anyio",
    "app",
    "application",
    "asyncio",
    "bot",
    "client",
    "json",
    "loop",
    "orjson",
    "toml",
    "tomllib",
    "trio",
    "ujson",
];
/// Owners of functions whose first argument is the name of an app: `uvicorn.run("app:app")`.
/// That of repositories brings code by its address: `Repo.clone_from(address)`.
const LOADING_OWNERS: [&str; 4] = ["Repo", "granian", "hypercorn", "uvicorn"];
/// By these a value is one of several, of which another may be a text.
const CHOICES: [&str; 8] = [" if ", "?", " or ", " and ", "||", "&&", "[", "+"];
/// Functions whose result is no text: a number, or true or false.
const NUMBERS: [&str; 6] = ["Boolean(", "Number(", "bool(", "float(", "int(", "parseInt("];

/// How often each character of a statement is looked at on average, as one of the arguments of calls in each other. A statement with more
/// calls in each other may hand over anything.
const MAX_READINGS: usize = 16;

/// Whether a statement hands what loads or runs something an argument for which `holds` is true: the first one, or one by a name that is
/// not of data. `url=` and the like are not data here.
pub(super) fn hands_over(statement: &str, holds: &dyn Fn(&str) -> bool) -> bool {
    let mut left = statement.len().saturating_mul(MAX_READINGS);
    statement.match_indices('(').any(|(at, _)| {
        let before = statement.get(..at).unwrap_or_default().trim_end();
        let start = before
            .rfind(|c: char| !(is_part(c) || c == '.'))
            .map_or(0, |at| at + 1);
        let path = before.get(start..).unwrap_or_default();
        let (owner, name) = path.rsplit_once('.').unwrap_or(("", path));
        loads(owner, name)
            && arguments(statement.get(at + 1..).unwrap_or_default()).any(|each| {
                left = left.saturating_sub(each.value.len());
                left == 0 || each.decides(holds)
            })
    })
}

fn loads(owner: &str, name: &str) -> bool {
    let words = words(name);
    let owner = owner.rsplit('.').next().unwrap_or_default();
    (words.iter().any(|word| LOADING.contains(&word.as_str()))
        || TEMPLATES.contains(&name)
        || LOADING_OWNERS.contains(&owner))
        && !words.iter().any(|word| word == "safe")
        && !words
            .last()
            .is_some_and(|last| OF_VALUES.contains(&last.as_str()))
        && !HARMLESS_OWNERS.contains(&owner)
}

/// `loadModule` and `load_module` are two words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' || c.is_ascii_uppercase() && was_lower {
            words.push(String::new());
        }
        was_lower = c.is_ascii_lowercase();
        if let (true, Some(word)) = (is_part(c) && c != '_', words.last_mut()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    words
}

struct Argument<'t> {
    name: Option<&'t str>,
    value: &'t str,
    is_first: bool,
}

impl Argument<'_> {
    fn decides(&self, holds: &dyn Fn(&str) -> bool) -> bool {
        let is_number = (NUMBERS.iter().any(|start| self.value.starts_with(start))
            || self.value.contains("=="))
            && !CHOICES.iter().any(|choice| self.value.contains(choice));
        let is_data = self.name.is_some_and(|name| match name {
            "env" => !identifiers(self.value).any(is_risky_in_script),
            "input" => true,
            name => {
                let words = words(name);
                let last = words.last().map_or("", String::as_str);
                OF_DATA.contains(&last) && !OF_ADDRESS.contains(&last) && last != "model"
            }
        });
        // A text of the script itself, in which nothing is substituted.
        if is_plain_text(self.value) {
            return false;
        }
        // A program that is written out, with its arguments.
        let program = self
            .value
            .strip_prefix('[')
            .and_then(|list| list.trim_start().strip_prefix(['"', '\'']));
        let is_program = program
            .and_then(|text| text.split(['"', '\'']).next())
            .is_some_and(|program| !executes_its_arguments(base_name(program)));
        (self.is_first || self.name.is_some()) && !is_program && !is_number && !is_data && holds(self.value)
    }
}

/// The arguments of a call, up to its end; members of an object are arguments by name.
fn arguments(text: &str) -> impl Iterator<Item = Argument<'_>> {
    let mut parts = Vec::new();
    let (mut open, mut quote, mut start) = (0_usize, None, 0);
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (c, Some(mark)) if c == mark => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'' | '`', None) => quote = Some(c),
            (')', None) if open == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = text.len();
                break;
            }
            ('(' | '[', None) => open += 1,
            (')' | ']', None) => open = open.saturating_sub(1),
            (',', None) if open == 0 => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.into_iter().enumerate().map(|(at, part)| {
        let is_member = part.trim_start().starts_with('{');
        let part = part.trim().trim_start_matches('{').trim_start();
        let end = part.find(|c: char| !is_part(c)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let rest = rest.trim_start();
        let value = rest
            .strip_prefix('=')
            .filter(|rest| !rest.starts_with(['=', '>']))
            .or_else(|| rest.strip_prefix(':').filter(|rest| !rest.starts_with(':')));
        match value.filter(|_| !name.is_empty()) {
            Some(value) => Argument {
                name: Some(name),
                value: value.trim(),
                is_first: false,
            },
            None => Argument {
                name: None,
                value: part,
                is_first: at == 0 && !is_member,
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_by_name_is_handed_over() {
        let hands = |statement: &str| hands_over(statement, &|text| text.contains('E'));
        for statement in [
            "uvicorn.run(E)",
            "uvicorn.run('a:app', log_config=E)",
            "torch.hub.load(E, 'm')",
            "torch.hub.load(repo_or_dir=E)",
            "await plugins.loadPlugin(E)",
            "createRequire(E)('x')",
            "np.load(E)",
            "load_module({ path: E })",
            "run(['sh', '-c', E])",
            "runpy.run_module(E if a == b else 'app')",
            "load_module(a == b && E)",
            "load_module(int(a) or E)",
            "load_module(a == b ? E : 'app')",
            "run(['app'], env={'LD_PRELOAD': E})",
            "spawn('app', [], { env: { NODE_OPTIONS: E } })",
        ] {
            assert!(hands(statement), "{statement}");
        }
        for statement in [
            "uvicorn.run('a:app', port=int(E))",
            "uvicorn.run(app, host=E, port=E)",
            "app.run(debug=E == '1')",
            "bot.run(E)",
            "run(['app', E])",
            "run(['app'], env=E, input=E)",
            "asyncio.run(main(E))",
            "json.load(open(E))",
            "yaml.safe_load(E)",
            "load_pem_private_key(E.encode(), None)",
            "requests.post(url, E)",
            "server.listen(E)",
        ] {
            assert!(!hands(statement), "{statement}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-zE_(){}\\[\\]'\":=,. é]{0,60}") {
            let _ = hands_over(&text, &|_| true);
        }
    }
}
