//! What the scripts in configs are told of addresses: by the entries of the containers that mount them, and by the files of settings
//! that these mount beside them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::config_language::{ConfigReaders, mounted_configs};
use super::environment::Environment;
use super::shell::SettingsFile;

/// Names that are kept for single configs, all of them together: beyond that each config is told what any container says.
const MAX_NAMES: usize = 65_536;

/// What containers say of addresses, by the configs that they mount.
#[derive(Debug)]
pub(super) struct ConfigAddresses {
    of_configs: BTreeMap<String, BTreeSet<String>>,
    of_all: BTreeSet<String>,
    /// How many more names are kept; absent where there were too many.
    names_left: Option<usize>,
    /// What a config says as a file of settings. Many containers may mount it at many paths, and it is read once.
    of_files: BTreeMap<(String, SettingsFile), Vec<String>>,
}

impl Default for ConfigAddresses {
    fn default() -> Self {
        Self {
            of_configs: BTreeMap::new(),
            of_all: BTreeSet::new(),
            names_left: Some(MAX_NAMES),
            of_files: BTreeMap::new(),
        }
    }
}

impl ConfigAddresses {
    /// Takes the configs that a container mounts. Those that are files of settings speak to its scripts, as its entries do.
    pub(super) fn read(
        &mut self,
        container: &Map<String, Value>,
        readers: &ConfigReaders,
        environment: &mut Environment,
    ) {
        for (config, path) in mounted_configs(container) {
            let Some(kind) = SettingsFile::at(path) else {
                continue;
            };
            let said = self.of_files.entry((config.to_owned(), kind)).or_insert_with(|| {
                let text = readers.text(config);
                text.map_or_else(Vec::new, |text| kind.says(text))
            });
            environment.add_addresses(said);
        }
        let configs: BTreeSet<&str> = mounted_configs(container).map(|(config, _)| config).collect();
        self.add(&configs, environment.addresses());
    }

    fn add(&mut self, configs: &BTreeSet<&str>, said: &BTreeSet<String>) {
        if configs.is_empty() {
            return;
        }
        for name in said {
            if !self.of_all.contains(name) {
                self.of_all.insert(name.clone());
            }
        }
        let names = configs.len().saturating_mul(said.len());
        self.names_left = self.names_left.and_then(|left| left.checked_sub(names));
        if self.names_left.is_none() {
            self.of_configs.clear();
            return;
        }
        for config in configs {
            let of_config = self.of_configs.entry((*config).to_owned()).or_default();
            of_config.extend(said.iter().cloned());
        }
    }

    /// Tells an environment what is said to a config. Of too many names all are told, at the first config, and stay.
    pub(super) fn tell(&mut self, config: &str, environment: &mut Environment) {
        if self.names_left.is_some() {
            environment.set_addresses(self.of_configs.remove(config).unwrap_or_default());
        } else if !self.of_all.is_empty() {
            environment.set_addresses(std::mem::take(&mut self.of_all));
        }
    }
}
