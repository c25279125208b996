//! Walks a docker compose file along the table and sorts its places.

use serde_json::{Map, Value};

use super::ComposeFile;
use super::absent_value::is_absent;
use super::config_addresses::ConfigAddresses;
use super::config_language::ConfigReaders;
use super::container_names::ContainerNames;
use super::environment::Environment;
use super::interactive::is_interactive;
use super::names_in_reach::before_it_starts;
use super::open_names::OpenNames;
use super::place::{ComposePlace, item, shown, step};
use super::settable::{Settable, Setter};
use super::table::{self, ComposeRow, Rule};
use super::variables::Template;

/// What is known while a file is walked.
pub(super) struct Judge<'s> {
    pub(super) settable: &'s Settable,
    pub(super) file: ComposeFile,
    /// Labels with a variable: what they are depends on whether any container holds the Docker socket.
    labels: Vec<ComposePlace>,
    /// Names with a variable that cannot become those of other containers, and their places: a container with the Docker socket may know
    /// others by their names.
    names: Vec<ComposePlace>,
    open_names: OpenNames,
    pub(super) holds_docker_socket: bool,
    /// What the environments of all containers hold.
    everything: Environment,
    config_addresses: ConfigAddresses,
    /// Where containers mount the configs, and what reads them.
    pub(super) config_readers: ConfigReaders,
    /// How much text of configs was read in every language, bytes.
    pub(super) read_in_all_languages: usize,
    /// How many words of lists were judged beside open ones.
    pub(super) judged_in_lists: usize,
}

/// Judges a whole file. `services` and `jobs` are mappings of mappings.
pub(super) fn judge(root: &Map<String, Value>, settable: &Settable) -> ComposeFile {
    let names = ContainerNames::of(root, settable);
    let mut judge = Judge {
        settable,
        file: ComposeFile::default(),
        labels: Vec::new(),
        names: Vec::new(),
        open_names: OpenNames::of(root, settable),
        holds_docker_socket: false,
        everything: Environment::default(),
        config_addresses: ConfigAddresses::default(),
        config_readers: ConfigReaders::of(root),
        read_in_all_languages: 0,
        judged_in_lists: 0,
    };
    let mut at = 0;
    for section in ["services", "jobs"] {
        for (name, container) in root.get(section).and_then(Value::as_object).into_iter().flatten() {
            let path = step(section, name);
            let key = if section == "jobs" {
                path.clone()
            } else {
                name.clone()
            };
            if let Some(container) = container.as_object() {
                names.within(at, container, || judge.container(&path, &key, container, None));
                at += 1;
            }
        }
    }
    for (key, value) in root {
        match key.as_str() {
            "services" | "jobs" => {}
            "networks" | "volumes" | "configs" | "secrets" => judge.named(key, value, &names),
            _ => judge.key("", key, key, value, &Environment::default()),
        }
    }
    judge.finish()
}

impl Judge<'_> {
    fn finish(mut self) -> ComposeFile {
        for place in std::mem::take(&mut self.names) {
            if self.holds_docker_socket {
                let says = format!("{}; a container with the Docker socket reads names", place.says);
                self.file.unmeasured.add(ComposePlace { says, ..place });
            } else {
                self.file.outside.add(place);
            }
        }
        for place in std::mem::take(&mut self.labels) {
            if self.holds_docker_socket {
                let says = format!("{}; a container with the Docker socket reads labels", place.says);
                self.file.unmeasured.add(ComposePlace { says, ..place });
            } else {
                self.file.outside.add(place);
            }
        }
        self.file
    }

    /// A service, a job, or a container that runs before a service: then `service` is that one's environment.
    pub(super) fn container(
        &mut self,
        path: &str,
        name: &str,
        container: &Map<String, Value>,
        service: Option<&Environment>,
    ) {
        let mut environment = service.cloned().unwrap_or_default();
        if let Some(entries) = container.get("environment") {
            environment.read(entries, self.settable);
        }
        environment.read_host_name(container, self.settable);
        environment.is_interactive |= is_interactive(container);
        self.everything.extend(&environment);
        self.config_addresses
            .read(container, &self.config_readers, &mut environment);
        match container.get("image").and_then(Value::as_str) {
            Some(image) => self.add_image(name, image),
            // What runs before a service is the service's own image.
            None if service.is_some() => {}
            None => {
                self.add_image(name, "(none)");
                let says = "has no image: write `image: name@sha256:…`";
                self.file.unpinned.add(ComposePlace::new(path, "", says));
            }
        }
        self.file.names_other_platform |= container
            .get("platform")
            .is_some_and(|platform| self.is_other_platform(platform));
        let others_hold = std::mem::take(&mut self.holds_docker_socket);
        for (key, value) in container {
            self.key("service", path, key, value, &environment);
        }
        if self.holds_docker_socket {
            self.engine_of_container(path, container);
        }
        self.holds_docker_socket |= others_hold;
        self.entrypoint_with_command(path, container, &environment);
        self.command_line(path, container);
    }

    /// The networks, volumes, configs or secrets of a file.
    fn named(&mut self, section: &str, value: &Value, names: &ContainerNames<'_>) {
        let Some(entries) = value.as_object() else {
            if !value.is_null() {
                self.unknown(section, value);
            }
            return;
        };
        let mut everything = self.everything.clone();
        for (name, entry) in entries {
            if section == "configs" {
                self.config_addresses.tell(name, &mut everything);
            }
            let path = step(section, name);
            let Some(row) = table::find(&format!("{section}.*")) else {
                continue;
            };
            names.within_config(name, || self.value(row, &path, entry, &everything));
        }
    }

    /// A key below a row of the table. At the top of a file `parent` is empty.
    fn key(&mut self, parent: &str, path: &str, key: &str, value: &Value, environment: &Environment) {
        let row_path = if parent.is_empty() {
            key.to_owned()
        } else {
            format!("{parent}.{key}")
        };
        let path = if parent.is_empty() {
            step("", key)
        } else {
            step(path, key)
        };
        match table::find(&row_path) {
            Some(row) => self.rule(row, &path, value, environment),
            None if key.starts_with("x-") => {}
            None => self.unknown(&path, value),
        }
    }

    /// Judges what stands at a row by its rule.
    fn rule(&mut self, row: &'static ComposeRow, path: &str, value: &Value, environment: &Environment) {
        match row.rule {
            Rule::Fixed | Rule::Name | Rule::Outside => self.value(row, path, value, environment),
            Rule::Decides => self.decides(row, path, value),
            Rule::HostAccess => self.host_access(row, path, value),
            Rule::Environment => self.environment(path, value, environment),
            Rule::Image => self.image(path, value),
            Rule::PullPolicy => self.pull_policy(path, value),
            Rule::Command => self.command(row, path, value, environment),
            Rule::HealthTest => self.health_test(path, value, environment),
            Rule::Content => self.content(path, value, environment),
            Rule::Hooks => self.hooks(path, value, environment),
            Rule::PreStart => self.pre_start(path, value, environment),
            Rule::Volumes => self.volumes(row, path, value, environment),
            Rule::VolumesFrom => self.volumes_from(row, path, value),
            Rule::Namespace => self.namespace(path, value),
            Rule::Devices => self.devices(row, path, value),
            Rule::Gpus => self.gpus(row, path, value, environment),
            Rule::SecurityOpt => self.security_opt(path, value),
            Rule::Runtime => self.runtime(path, value),
            Rule::Labels => self.each_scalar(path, value, &mut |judge, path, text| judge.label(path, text)),
            Rule::VolumeDriver => self.volume_driver(path, value),
            Rule::VolumeOptions => self.volume_options(path, value),
            Rule::NetworkDriver => self.network_driver(path, value),
            Rule::External => self.external(row, path, value),
        }
    }

    /// Scalars, lists of them, and mappings with the keys that the table has for this row.
    pub(super) fn value(
        &mut self,
        row: &'static ComposeRow,
        path: &str,
        value: &Value,
        environment: &Environment,
    ) {
        match value {
            Value::Array(items) => {
                for (index, each) in items.iter().enumerate() {
                    self.value(row, &item(path, index), each, environment);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    self.member(row, path, key, member, environment);
                }
            }
            Value::String(text) => self.scalar(row.rule, path, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A key of a mapping that stands at a row.
    pub(super) fn member(
        &mut self,
        row: &'static ComposeRow,
        path: &str,
        key: &str,
        value: &Value,
        environment: &Environment,
    ) {
        let path = step(path, key);
        let below = |key: &str| table::find(&format!("{}.{key}", row.path));
        if let Some(child) = below(key) {
            self.rule(child, &path, value, environment);
        } else if row.keys.contains(&key) || row.keys.contains(&"*") && !value.is_object() {
            self.leaf(row.rule, &path, value);
        } else if let Some(child) = below("*") {
            self.rule(child, &path, value, environment);
        } else if !key.starts_with("x-") {
            self.unknown(&path, value);
        }
    }

    /// A scalar or a list of scalars.
    fn leaf(&mut self, rule: Rule, path: &str, value: &Value) {
        match value {
            Value::String(text) => self.scalar(rule, path, text),
            Value::Array(items) => {
                for (index, each) in items.iter().enumerate() {
                    match each {
                        Value::String(text) => self.scalar(rule, &item(path, index), text),
                        Value::Object(_) | Value::Array(_) => self.unknown(&item(path, index), each),
                        Value::Null | Value::Bool(_) | Value::Number(_) => {}
                    }
                }
            }
            Value::Object(_) => self.unknown(path, value),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn scalar(&mut self, rule: Rule, path: &str, text: &str) {
        match rule {
            Rule::Outside => {
                if let Some(place) = self.substituted(path, text, "") {
                    self.file.outside.add(place);
                }
            }
            Rule::Labels => self.label(path, text),
            Rule::Name if self.open_names.are_harmless_at(path) => {
                if let Some(place) = self.substituted(path, text, "") {
                    self.names.push(place);
                }
            }
            _ => {
                self.fixed(path, text);
            }
        }
    }

    fn label(&mut self, path: &str, text: &str) {
        if let Some(place) = self.substituted(path, text, "") {
            self.labels.push(place);
        }
    }

    /// A text that must be fixed by the document. Gives the text that it is where nothing can set its variables.
    pub(super) fn fixed(&mut self, path: &str, text: &str) -> Option<String> {
        self.fixed_or(path, text, "write the value")
    }

    /// As [`Judge::fixed`]; `instead` says what to write instead of a variable.
    pub(super) fn fixed_or(&mut self, path: &str, text: &str, instead: &str) -> Option<String> {
        if let Some(place) = self.substituted(path, text, instead) {
            self.file.unmeasured.add(place);
            return None;
        }
        let template = Template::read(text).ok()?;
        Some(template.evaluate(&|name| self.settable.value(name)))
    }

    /// What is said of a text with variables that can be set; nothing where it has none.
    pub(super) fn substituted(&mut self, path: &str, text: &str, instead: &str) -> Option<ComposePlace> {
        let Ok(template) = Template::read(text) else {
            let says = format!("`{}` is not a substitution of Docker Compose", shown(text));
            return Some(ComposePlace::new(path, text, says));
        };
        let names = template.names();
        for name in &names {
            if self.file.references.len() < super::MAX_PLACES {
                self.file.references.insert((*name).to_owned());
            }
        }
        let set: Vec<(&str, Setter)> = names
            .iter()
            .filter_map(|name| Some((*name, self.settable.setter(name)?)))
            .collect();
        if set.is_empty() {
            if !names.is_empty() {
                let names: Vec<&str> = names.into_iter().take(4).collect();
                let says = format!("nothing can set {}", names.join(", "));
                self.file.unset.add(ComposePlace::new(path, text, says));
            }
            return None;
        }
        let why: Vec<String> = set
            .iter()
            .take(4)
            .map(|(name, setter)| format!("{} {setter}", shown(name)))
            .collect();
        let instead = match instead {
            "" => String::new(),
            instead => format!("; {instead}"),
        };
        let says = format!("`{}`: {}{instead}", shown(text), why.join(", "));
        Some(ComposePlace::new(path, text, says))
    }

    /// Every scalar of a value that may have any shape.
    pub(super) fn each_scalar(
        &mut self,
        path: &str,
        value: &Value,
        then: &mut dyn FnMut(&mut Self, &str, &str),
    ) {
        match value {
            Value::String(text) => then(self, path, text),
            Value::Array(items) => {
                for (index, each) in items.iter().enumerate() {
                    self.each_scalar(&item(path, index), each, then);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    self.each_scalar(&step(path, key), member, then);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Names what a place refers to without judging it.
    fn note_references(&mut self, value: &Value) {
        self.each_scalar("", value, &mut |judge, _, text| {
            if let Ok(template) = Template::read(text) {
                for name in template.names() {
                    if judge.file.references.len() < super::MAX_PLACES {
                        judge.file.references.insert(name.to_owned());
                    }
                }
            }
        });
    }

    fn decides(&mut self, row: &'static ComposeRow, path: &str, value: &Value) {
        if is_absent(value) {
            return;
        }
        self.note_references(value);
        if let ("configs.*.environment" | "secrets.*.environment", Some(name)) = (row.path, value.as_str()) {
            self.file.references.insert(name.to_owned());
        }
        let says = match (row.path, value.as_str()) {
            ("secrets.*.environment", Some(name)) => format!(
                "{}, and the container may execute the file: put `{1}: ${{{1}}}` into `environment` of the service, or review what it does and \
                 write the reason into `[[places]]` of the lock (`cvm-verify pin`)",
                row.says,
                shown(name)
            ),
            _ => row.says.to_owned(),
        };
        let place = ComposePlace::new(path, &text_of(value), says);
        match row.path {
            "service.build" | "service.extends" | "service.provider" | "include" => {
                self.file.unpinned.add(place)
            }
            _ => self.file.unmeasured.add(place),
        }
    }

    /// What the table does not know, or knows in another shape.
    pub(super) fn unknown(&mut self, path: &str, value: &Value) {
        self.note_references(value);
        let says = "is a key or a shape that this version of cvm-verify does not know: remove it";
        self.file
            .unmeasured
            .add(ComposePlace::new(path, &text_of(value), says));
    }

    /// A value of another shape than the table has: nothing, such as `null`, or something that is not known.
    pub(super) fn other_than(&mut self, path: &str, value: &Value) {
        if !is_absent(value) {
            self.unknown(path, value);
        }
    }

    fn pre_start(&mut self, path: &str, value: &Value, environment: &Environment) {
        let Some(items) = value.as_array() else {
            return self.other_than(path, value);
        };
        for (index, each) in items.iter().enumerate() {
            let path = item(path, index);
            match each.as_object() {
                Some(container) => {
                    before_it_starts(|| self.container(&path, &path, container, Some(environment)));
                }
                None => self.unknown(&path, each),
            }
        }
    }

    fn hooks(&mut self, path: &str, value: &Value, environment: &Environment) {
        let Some(items) = value.as_array() else {
            return self.other_than(path, value);
        };
        for (index, each) in items.iter().enumerate() {
            let path = item(path, index);
            let Some(hook) = each.as_object() else {
                self.unknown(&path, each);
                continue;
            };
            let mut environment = environment.clone();
            if let Some(entries) = hook.get("environment") {
                environment.read(entries, self.settable);
            }
            for (key, value) in hook {
                self.key("hook", &path, key, value, &environment);
            }
        }
    }

    fn external(&mut self, row: &'static ComposeRow, path: &str, value: &Value) {
        if is_absent(value) {
            return;
        }
        let place = ComposePlace::new(path, &text_of(value), row.says);
        self.file.unmeasured.add(place);
    }
}

/// The text of a place, whose hash is reviewed.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
