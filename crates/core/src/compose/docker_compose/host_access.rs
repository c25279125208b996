//! Where a container reaches beyond itself.

use serde_json::{Map, Value};

use super::absent_value::is_absent;
use super::environment::Environment;
use super::judge::{Judge, text_of};
use super::mounts;
use super::place::{ComposePlace, item, shown, step};
use super::table::ComposeRow;

/// Runtimes that a dstack guest has.
const RUNTIMES: [&str; 4] = ["nvidia", "runc", "sysbox-runc", "io.containerd.runc.v2"];
/// Networks that reach nothing but their own containers and, through address translation, the outside.
const NETWORK_DRIVERS: [&str; 4] = ["bridge", "default", "nat", "none"];
/// How the Container Device Interface names NVIDIA's GPUs.
const GPU_OF_CDI: &str = "nvidia.com/gpu=";
/// Options that take rights away.
const STRENGTHENING: [&str; 3] = [
    "no-new-privileges",
    "no-new-privileges:true",
    "no-new-privileges=true",
];

/// The texts of a member that is a text, a list of texts, or a list of such lists.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = value.into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        value => vec![value],
    });
    let items = items.flat_map(|item| match item {
        Value::Array(inner) => inner.iter().collect(),
        item => vec![item],
    });
    items.filter_map(Value::as_str)
}

/// Whether a request by the Container Device Interface is for GPUs alone: it can name any device that the VM describes.
fn names_gpus(members: &Map<String, Value>) -> bool {
    let mut ids = texts(members.get("device_ids")).peekable();
    ids.peek().is_some() && ids.all(|id| id.starts_with(GPU_OF_CDI))
}

impl Judge<'_> {
    /// A key that reaches beyond the container unless it is false or empty.
    pub(super) fn host_access(&mut self, row: &'static ComposeRow, path: &str, value: &Value) {
        if is_absent(value) {
            return;
        }
        let mut reaches = !matches!(value, Value::String(_));
        self.each_scalar(path, value, &mut |judge, path, text| {
            reaches |= judge
                .fixed(path, text)
                .is_none_or(|text| !matches!(text.trim(), "" | "false"));
        });
        if !reaches {
            return;
        }
        if row.path == "service.use_api_socket" {
            self.holds_docker_socket = true;
        }
        self.reaches(
            path,
            &text_of(value),
            format!("`{}`: {}", shown(&text_of(value)), row.says),
        );
    }

    pub(super) fn reaches(&mut self, path: &str, text: &str, says: String) {
        self.file.host_access.add(ComposePlace::new(path, text, says));
    }

    pub(super) fn namespace(&mut self, path: &str, value: &Value) {
        let Some(text) = value.as_str() else {
            return self.other_than(path, value);
        };
        let name = self.fixed(path, text);
        let says = match name.as_deref().map(str::trim) {
            // The deployer may write `host` into it.
            None => format!("`{}` may be `host`", shown(text)),
            Some("host") => "`host`: the VM's own".to_owned(),
            Some(name) if name.starts_with("container:") => {
                format!(
                    "`{}`: another container's, which is not in the document",
                    shown(name)
                )
            }
            Some(_) => return,
        };
        self.reaches(path, text, says);
    }

    pub(super) fn devices(&mut self, row: &'static ComposeRow, path: &str, value: &Value) {
        let Some(items) = value.as_array() else {
            return self.other_than(path, value);
        };
        for (index, each) in items.iter().enumerate() {
            let path = item(path, index);
            match each {
                Value::String(text) => match self.fixed(&path, text) {
                    Some(device) => {
                        self.device(&path, text, device.split(':').next().unwrap_or_default(), &device)
                    }
                    None => self.reaches(&path, text, format!("`{}` may be any device", shown(text))),
                },
                Value::Object(members) => {
                    for (key, member) in members {
                        self.member(row, &path, key, member, &Environment::default());
                    }
                    let source = members.get("source").and_then(Value::as_str).unwrap_or_default();
                    self.device(&step(&path, "source"), source, source, source);
                }
                other => self.unknown(&path, other),
            }
        }
    }

    fn device(&mut self, path: &str, text: &str, source: &str, whole: &str) {
        let device = mounts::resolve(source);
        let is_gpu =
            device.starts_with("/dev/nvidia") || device == "/dev/dri" || device.starts_with("/dev/dri/");
        if is_gpu || whole.starts_with(GPU_OF_CDI) {
            return self.file.gpus.add(ComposePlace::new(path, text, "a GPU"));
        }
        self.reaches(path, text, format!("`{}`: a device of the VM", shown(source)));
        if mounts::is_supplied_device(&device) || device == "/dev" {
            let says = format!(
                "`{}` may be a device that the host supplies: remove it",
                shown(source)
            );
            self.file.unmeasured.add(ComposePlace::new(path, text, says));
        }
    }

    /// GPUs, and reservations of other devices.
    pub(super) fn gpus(
        &mut self,
        row: &'static ComposeRow,
        path: &str,
        value: &Value,
        environment: &Environment,
    ) {
        if matches!(value, Value::String(_) | Value::Object(_)) && !is_absent(value) {
            self.file
                .gpus
                .add(ComposePlace::new(path, &text_of(value), "a GPU"));
        }
        match value {
            Value::String(text) => {
                if let Some(place) = self.substituted(path, text, "") {
                    self.file.outside.add(place);
                }
            }
            Value::Array(items) => {
                for (index, each) in items.iter().enumerate() {
                    self.gpus(row, &item(path, index), each, environment);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    match (key.as_str(), member) {
                        ("count" | "capabilities" | "device_ids", member) => {
                            self.each_scalar(&step(path, key), member, &mut |judge, path, text| {
                                if let Some(place) = judge.substituted(path, text, "") {
                                    judge.file.outside.add(place);
                                }
                            });
                        }
                        ("driver", Value::String(driver)) => {
                            let path = step(path, key);
                            let name = self.fixed(&path, driver);
                            let is_gpu = match name.as_deref() {
                                Some("nvidia" | "") => true,
                                Some("cdi") => names_gpus(members),
                                _ => false,
                            };
                            if !is_gpu {
                                self.reaches(
                                    &path,
                                    driver,
                                    format!("`{}`: devices of the VM", shown(driver)),
                                );
                            }
                        }
                        (key, member) => self.member(row, path, key, member, environment),
                    }
                }
                let has_driver = texts(members.get("driver")).any(|driver| !driver.is_empty());
                let wanted = members.get("capabilities");
                if !has_driver && wanted.is_some() && !texts(wanted).any(|what| what == "gpu") {
                    let says = "devices of the VM that are not said to be GPUs".to_owned();
                    self.reaches(path, &text_of(value), says);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    pub(super) fn security_opt(&mut self, path: &str, value: &Value) {
        if is_absent(value) {
            return;
        }
        self.each_scalar(path, value, &mut |judge, path, text| {
            let option = judge.fixed(path, text);
            if !option.is_some_and(|option| STRENGTHENING.contains(&option.replace(' ', "").as_str())) {
                judge.reaches(
                    path,
                    text,
                    format!("`{}` can weaken the container's isolation", shown(text)),
                );
            }
        });
    }

    pub(super) fn runtime(&mut self, path: &str, value: &Value) {
        let Some(text) = value.as_str() else {
            return self.other_than(path, value);
        };
        if let Some(name) = self.fixed(path, text)
            && !name.is_empty()
            && !RUNTIMES.contains(&name.as_str())
        {
            let says = format!("`{}` is not a runtime of a dstack guest: remove it", shown(&name));
            self.file.unmeasured.add(ComposePlace::new(path, text, says));
        }
    }

    pub(super) fn network_driver(&mut self, path: &str, value: &Value) {
        let Some(text) = value.as_str() else {
            return self.other_than(path, value);
        };
        let name = self.fixed(path, text);
        if name.is_none_or(|name| !name.is_empty() && !NETWORK_DRIVERS.contains(&name.as_str())) {
            self.reaches(
                path,
                text,
                format!("`{}` attaches to the VM's own network", shown(text)),
            );
        }
    }
}
