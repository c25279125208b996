//! Languages of scripts that are not those of shells.

use super::interpreters::{is_interpreter, is_shell};
use super::paths::base_name;

/// A language that is not that of a shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compose::docker_compose) enum Language {
    Node,
    Perl,
    Php,
    Python,
    Ruby,
}

/// The languages that are read.
pub(in crate::compose::docker_compose) const LANGUAGES: [Language; 5] = [
    Language::Node,
    Language::Perl,
    Language::Php,
    Language::Python,
    Language::Ruby,
];

impl Language {
    /// The language of an interpreter of this name.
    pub(in crate::compose::docker_compose) fn of_interpreter(name: &str) -> Option<Self> {
        match name {
            "bun" | "deno" | "node" | "nodejs" | "ts-node" | "tsx" => Some(Self::Node),
            "perl" => Some(Self::Perl),
            "php" => Some(Self::Php),
            "irb" | "ruby" => Some(Self::Ruby),
            name if name.starts_with("python") || name.starts_with("pypy") => Some(Self::Python),
            _ => None,
        }
    }

    /// Whether a program of this name executes a script of a language that is not read here, a shell's aside.
    pub(in crate::compose::docker_compose) fn is_not_read(program: &str) -> bool {
        const OTHERS: [&str; 12] = [
            "elvish",
            "escript",
            "go",
            "guile",
            "just",
            "make",
            "nu",
            "openresty",
            "pwsh",
            "racket",
            "scheme",
            "xonsh",
        ];
        let is_shell = is_shell(program);
        OTHERS.contains(&program)
            || is_interpreter(program) && !is_shell && Self::of_interpreter(program).is_none()
    }

    /// Whether a file of this name, or of this text, is a script of such a language.
    pub(in crate::compose::docker_compose) fn is_file_not_read(path: &str, text: &str) -> bool {
        const ENDS: [&str; 27] = [
            "awk", "clj", "ex", "exs", "fnl", "go", "gradle", "groovy", "java", "jl", "kts", "lisp", "lua",
            "mk", "nim", "nu", "ps1", "r", "rkt", "rs", "scala", "scm", "tcl", "vim", "wasm", "xsh", "zig",
        ];
        const NAMES: [&str; 9] = [
            "BSDmakefile",
            "GNUmakefile",
            "Gemfile",
            "Jenkinsfile",
            "Makefile",
            "Procfile",
            "Rakefile",
            "justfile",
            "makefile",
        ];
        let name = base_name(path);
        let end = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
        NAMES.contains(&name)
            || end.is_some_and(|end| ENDS.contains(&end.as_str()))
            // Settings of nginx with Lua or Perl in them.
            || ["_by_lua", "perl_set", "perl_require"].iter().any(|part| text.contains(part))
    }

    /// The language of a file of this name.
    pub(in crate::compose::docker_compose) fn of_file(path: &str) -> Option<Self> {
        let name = base_name(path);
        match name {
            "Berksfile" | "Brewfile" | "Capfile" | "Dangerfile" | "Fastfile" | "Guardfile" | "Podfile"
            | "Thorfile" | "Vagrantfile" => return Some(Self::Ruby),
            "SConscript" | "SConstruct" | "wscript" => return Some(Self::Python),
            "Jakefile" => return Some(Self::Node),
            _ => {}
        }
        let (_, extension) = name.rsplit_once('.')?;
        match extension {
            "cjs" | "cts" | "es6" | "js" | "jsx" | "mjs" | "mts" | "svelte" | "ts" | "tsx" | "vue" => {
                Some(Self::Node)
            }
            "PL" | "cgi" | "pl" | "pm" | "psgi" | "t" => Some(Self::Perl),
            "inc" | "module" | "phar" | "php" | "php5" | "php7" | "php8" | "phtml" => Some(Self::Php),
            "ipynb" | "py" | "pyi" | "pyw" | "wsgi" => Some(Self::Python),
            "builder" | "erb" | "gemspec" | "rake" | "rb" | "ru" => Some(Self::Ruby),
            _ => None,
        }
    }
}
