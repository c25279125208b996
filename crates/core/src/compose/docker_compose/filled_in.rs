//! Configs into which the program that reads them fills in variables of its environment itself.

use std::collections::BTreeSet;

use super::advice::EXECUTES_HOST_DATA;
use super::config_commands::{SettingsOf, executed_by_settings, referenced};
use super::config_language::ConfigLanguage;
use super::environment::Environment;
use super::judge::Judge;
use super::place::{ComposePlace, shown};
use super::shell;
use super::supervisord;

/// Programs that fill in the text before they read it, and whose settings can start programs: words of images, programs and paths, and
/// what to write instead.
const START_PROGRAMS: [(&[&str], &str, &str); 4] = [
    (
        &["telegraf", "telegraf.conf"],
        "telegraf",
        "a secret store of telegraf (`@{STORE:KEY}`)",
    ),
    (
        &["vector", "vector.yaml", "vector.yml", "vector.toml"],
        "Vector",
        "a backend of Vector (`SECRET[BACKEND.KEY]`)",
    ),
    (
        &[
            "benthos",
            "benthos.yaml",
            "redpanda-connect",
            "redpandadata/connect",
            "rpk-connect",
        ],
        "Redpanda Connect",
        "a file that is looked up (`--secrets`)",
    ),
    (
        &["apisix"],
        "APISIX",
        "a secret manager of APISIX (`$secret://…`)",
    ),
];

impl Judge<'_> {
    /// What the settings of a config start or load, and what may add settings to it.
    pub(super) fn settings(
        &mut self,
        path: &str,
        text: &str,
        script: &str,
        kind: ConfigLanguage,
        environment: &Environment,
    ) {
        let name = path
            .strip_prefix("configs.")
            .and_then(|rest| rest.strip_suffix(".content"));
        let is_outside = |name: &str| environment.is_from_outside(name);
        let of = match kind {
            ConfigLanguage::Other(_) => SettingsOf::Program,
            ConfigLanguage::OtherOrShell(_) => SettingsOf::Loader,
            ConfigLanguage::Shell | ConfigLanguage::NotRead => SettingsOf::Any,
        };
        let mut says = Vec::new();
        for (name, setting) in executed_by_settings(script, of, &is_outside) {
            if name == shell::HOST_DATA {
                says.push(format!("its setting `{}`: {EXECUTES_HOST_DATA}", shown(&setting)));
                continue;
            }
            let name = shown(&name);
            says.push(format!(
                "its setting `{}` may start or load what `{name}` holds, and the container's `{name}` is set from outside: write the value, \
                 or have the program that it starts read {name} from its environment",
                shown(&setting)
            ));
        }
        for (name, setting) in supervisord::names_in_settings(script) {
            if is_outside(&name) {
                let name = shown(&name);
                says.push(format!(
                    "supervisord puts what `{name}` holds into its setting `{}` before it reads that, and the container's `{name}` is set \
                     from outside: leave it out, since the programs that it starts have {name} in their environment, or write the value",
                    shown(&setting)
                ));
            }
        }
        if let Some((program, instead)) = self.starts_programs(name) {
            let named: BTreeSet<String> = referenced(script, &is_outside);
            for name in named {
                let name = shown(&name);
                says.push(format!(
                    "{program} puts what `{name}` holds into the text before it reads that, so that the value may add settings that start \
                     programs, and the container's `{name}` is set from outside: write the value, or use {instead}"
                ));
            }
        }
        let replaced = self.replaced_by_servers(name, script, &is_outside);
        if let Some(says) = replaced {
            self.file.outside.add(ComposePlace::new(path, text, says));
        }
        for says in says {
            self.file.unmeasured.add(ComposePlace::new(path, text, says));
        }
    }

    /// What is said of variables that a server puts into a text before it reads that. The directives that a value may add start nothing.
    fn replaced_by_servers(
        &self,
        config: Option<&str>,
        text: &str,
        is_outside: &dyn Fn(&str) -> bool,
    ) -> Option<String> {
        let name = referenced(text, is_outside).into_iter().next()?;
        let name = shown(&name);
        let mut paths = self.config_readers.paths(config);
        paths.find_map(|path| {
            if path.ends_with("Caddyfile") && text.contains(&format!("{{${name}")) {
                Some(format!(
                    "`{{$${name}}}` in a Caddyfile is replaced before the text is read, so that the value may add directives, which answer requests or \
                     send them elsewhere: `{{env.{name}}}` is one value, whatever it holds; write an address of a site out"
                ))
            } else if path.contains("/nginx/templates/") {
                Some(format!(
                    "`$${name}` in a template of nginx is replaced before the text is read, so that the value may add directives, which answer requests \
                     or send them elsewhere: write the value if that matters"
                ))
            } else {
                None
            }
        })
    }

    /// The program that fills in a config and can start programs by its settings, with what to write instead of a variable.
    fn starts_programs(&self, config: Option<&str>) -> Option<(&'static str, &'static str)> {
        let readers = &self.config_readers;
        let is_of = |words: &[&str]| {
            let base = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
            let mut images = readers.images(config).map(|image| {
                let name = image.split('@').next().unwrap_or_default();
                let last = base(name);
                let tag = last.find(':').map_or(0, |at| last.len() - at);
                name.get(..name.len() - tag).unwrap_or_default().to_owned()
            });
            images.any(|image| {
                words
                    .iter()
                    .any(|word| image.ends_with(word) && (word.contains('/') || base(&image) == *word))
            }) || readers
                .words_beside(config)
                .any(|word| words.contains(&base(word).as_str()))
                || readers
                    .paths(config)
                    .any(|path| path.split('/').any(|step| words.contains(&step)))
        };
        let found = START_PROGRAMS.iter().find(|(words, ..)| is_of(words));
        found.map(|(_, program, instead)| (*program, *instead))
    }
}
