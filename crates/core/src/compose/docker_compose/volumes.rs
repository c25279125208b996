//! Mounts, named volumes, and the verified volumes of manifest version 3.

use serde_json::{Map, Value};

use super::ComposeFile;
use super::environment::Environment;
use super::judge::{Judge, text_of};
use super::mounts::{self, MountSource};
use super::place::{ComposePlace, item, shown, step};
use super::shell::WrittenFrom;
use super::table::ComposeRow;

impl Judge<'_> {
    pub(super) fn volumes(
        &mut self,
        row: &'static ComposeRow,
        path: &str,
        value: &Value,
        environment: &Environment,
    ) {
        let Some(items) = value.as_array() else {
            return self.other_than(path, value);
        };
        for (index, each) in items.iter().enumerate() {
            let path = item(path, index);
            match each {
                Value::String(text) => self.short_mount(&path, text),
                Value::Object(members) => self.long_mount(row, &path, members, environment),
                other => self.unknown(&path, other),
            }
        }
    }

    /// `SOURCE:TARGET:MODE`, or a target alone, which is an anonymous volume.
    fn short_mount(&mut self, path: &str, text: &str) {
        let Some(mount) = self.fixed(path, text) else {
            return;
        };
        let Some((source, _)) = mount.split_once(':') else {
            return;
        };
        if is_path(source) {
            self.mounted(path, text, source);
        }
    }

    fn long_mount(
        &mut self,
        row: &'static ComposeRow,
        path: &str,
        members: &Map<String, Value>,
        environment: &Environment,
    ) {
        let read = |key: &str| members.get(key).and_then(Value::as_str);
        let (kind, source) = (read("type"), read("source"));
        for (key, member) in members {
            // An image is judged as one.
            if !(key == "source" && kind == Some("image")) {
                self.member(row, path, key, member, environment);
            }
        }
        let at = step(path, "source");
        match (kind, source) {
            (Some("tmpfs"), _) | (Some("volume"), None) => {}
            (Some("image"), Some(image)) => {
                self.add_image(path, image);
                self.pinned(&at, image);
            }
            (Some("bind"), Some(source)) => self.evaluated_mount(&at, source),
            (Some("volume") | None, Some(source)) if is_path(source) => self.evaluated_mount(&at, source),
            (Some("volume"), Some(_)) => {}
            _ => {
                let kind = kind.map_or_else(|| "a mount without a type".to_owned(), shown);
                let says = format!(
                    "`{kind}` is not a mount type that this version of cvm-verify knows: write `type: bind` or `volume`"
                );
                self.file.unmeasured.add(ComposePlace::new(
                    &step(path, "type"),
                    &Value::from(members.clone()).to_string(),
                    says,
                ));
            }
        }
    }

    fn evaluated_mount(&mut self, path: &str, text: &str) {
        // Variables that can be set are named already.
        let template = super::variables::Template::read(text);
        if let Ok(template) = template {
            let source = template.evaluate(&|name| self.settable.value(name));
            self.mounted(path, text, &source);
        }
    }

    /// A path of the guest that a container sees.
    pub(super) fn mounted(&mut self, path: &str, text: &str, source: &str) {
        let leads = mounts::resolve(source);
        let via = if leads == source {
            String::new()
        } else {
            format!(" ({})", shown(&leads))
        };
        match mounts::source(&leads) {
            MountSource::GuestAgent => {}
            MountSource::DockerSocket => {
                self.holds_docker_socket = true;
                self.reaches(path, text, format!("`{}`{via}: the Docker socket", shown(source)));
            }
            MountSource::FromTheHost(what) => {
                // What holds everything holds the socket, too.
                self.holds_docker_socket |= matches!(leads.as_str(), "/" | "/var");
                self.reaches(path, text, format!("`{}`{via} of the VM", shown(source)));
                let says = format!(
                    "`{}`{via} holds {what}: mount another folder, or remove it",
                    shown(source)
                );
                self.file.unmeasured.add(ComposePlace::new(path, text, says));
            }
            MountSource::Guest => self.reaches(path, text, format!("`{}`{via} of the VM", shown(source))),
        }
        let written = self.settable.written_at(&leads);
        let says = written.map(|(file, from)| {
            let file = shown(file);
            match from {
                WrittenFrom::Host => format!(
                    "a script before the containers puts what the host hands in to `{file}`, which the container sees: mount another folder, or \
                     write that text into the docker compose file"
                ),
                WrittenFrom::Unprotected => format!(
                    "a script before the containers writes to `{file}` what it brings over plain HTTP, which the host can change, and the container \
                     may execute it: use `https://`, or give the file a name of data (`.json`, `.env`, `.key`)"
                ),
                WrittenFrom::Variable(name) => format!(
                    "a script before the containers writes what `{0}` holds to `{file}`, which the container may execute: set {0} in \
                     `environment`, or give the file a name of data (`.json`, `.env`, `.key`)",
                    shown(name)
                ),
            }
        });
        if let Some(says) = says {
            self.file.unmeasured.add(ComposePlace::new(path, text, says));
        }
    }

    pub(super) fn volumes_from(&mut self, row: &'static ComposeRow, path: &str, value: &Value) {
        let Some(items) = value.as_array() else {
            return self.other_than(path, value);
        };
        for (index, each) in items.iter().enumerate() {
            let path = item(path, index);
            let Some(text) = each.as_str() else {
                self.unknown(&path, each);
                continue;
            };
            if self
                .fixed(&path, text)
                .is_some_and(|from| from.trim().starts_with("container:"))
            {
                let says = format!(
                    "`{}`: {}, which is not in the document: name a service",
                    shown(text),
                    row.says
                );
                self.file.unmeasured.add(ComposePlace::new(&path, text, says));
            }
        }
    }

    pub(super) fn volume_driver(&mut self, path: &str, value: &Value) {
        let Some(text) = value.as_str() else {
            return self.other_than(path, value);
        };
        if let Some(driver) = self.fixed(path, text)
            && !matches!(driver.as_str(), "" | "local")
        {
            let says = format!(
                "`{}` fills the volume from outside the document: write `local`",
                shown(&driver)
            );
            self.file.unmeasured.add(ComposePlace::new(path, text, says));
        }
    }

    /// Options of the driver `local`: what is mounted where, as for mount(8).
    pub(super) fn volume_options(&mut self, path: &str, value: &Value) {
        let Some(options) = value.as_object() else {
            return self.other_than(path, value);
        };
        let mut evaluated: Vec<(&str, String)> = Vec::new();
        for (key, option) in options {
            if let Value::String(text) = option {
                let Some(text) = self.fixed(&step(path, key), text) else {
                    continue;
                };
                evaluated.push((key, text));
            } else if option.is_object() || option.is_array() {
                self.unknown(&step(path, key), option);
            }
        }
        let read = |wanted: &str| {
            let found = evaluated.iter().find(|(key, _)| *key == wanted);
            found.map(|(_, text)| text.as_str()).unwrap_or_default()
        };
        // mount(2) ignores the type where the options bind a folder.
        let is_memory = matches!(read("type"), "tmpfs" | "ramfs")
            && read("o").split(',').all(is_option_of_memory)
            && evaluated
                .iter()
                .all(|(key, _)| matches!(*key, "type" | "device" | "o" | "size"));
        let device = read("device").to_owned();
        if is_memory || (device.is_empty() && read("type").is_empty()) {
            return;
        }
        let text = text_of(value);
        let is_bind = read("o")
            .split(',')
            .any(|option| matches!(option.trim(), "bind" | "rbind"));
        if is_bind || (is_path(&device) && read("type").is_empty()) {
            self.mounted(&step(path, "device"), &device, &device);
        }
        let says = match is_bind {
            true => format!(
                "the volume is `{}` of the VM: remove `driver_opts`",
                shown(&device)
            ),
            false => format!(
                "the volume is filled from `{}`: remove `driver_opts`",
                shown(&device)
            ),
        };
        self.file.unmeasured.add(ComposePlace::new(path, &text, says));
    }
}

/// Whether an option of mount(8) is one of a file system in memory, and changes nothing else.
fn is_option_of_memory(option: &str) -> bool {
    const WITH_A_VALUE: [&str; 8] = [
        "gid",
        "huge",
        "mode",
        "mpol",
        "nr_blocks",
        "nr_inodes",
        "size",
        "uid",
    ];
    const FLAGS: [&str; 19] = [
        "",
        "async",
        "defaults",
        "dev",
        "dirsync",
        "exec",
        "noatime",
        "nodev",
        "nodiratime",
        "noexec",
        "norelatime",
        "nostrictatime",
        "nosuid",
        "relatime",
        "ro",
        "rw",
        "strictatime",
        "suid",
        "sync",
    ];
    match option.split_once('=') {
        Some((name, _)) => WITH_A_VALUE.contains(&name),
        None => FLAGS.contains(&option),
    }
}

/// Docker Compose takes a source for a path where it begins like one; otherwise it is the name of a volume.
fn is_path(source: &str) -> bool {
    source.starts_with(['/', '.', '~', '\\']) || source.contains('/')
}

/// `verity_volumes` of manifest version 3. The guest mounts each over its `target`, any folder of the VM, before Docker starts. The root
/// hash binds what a volume holds, and no document says what that is.
pub(super) fn verity(members: &Map<String, Value>, file: &mut ComposeFile) {
    const FIELD: &str = "verity_volumes";
    let volumes = match members.get(FIELD) {
        None | Some(Value::Null) => return,
        Some(Value::Array(volumes)) => volumes,
        Some(other) => {
            return file.unmeasured.add(ComposePlace::new(
                FIELD,
                &other.to_string(),
                "is not a list: remove it",
            ));
        }
    };
    for (index, volume) in volumes.iter().enumerate() {
        let root = volume.get("verity_root").and_then(Value::as_str);
        let is_hash = root.is_some_and(|root| {
            root.len() == 64
                && root
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        });
        let target = volume.get("target").and_then(Value::as_str);
        let unbound = match is_hash {
            true => "",
            false => {
                "; its `verity_root` is not a SHA-256 in 64 lower-case hex digits, so nothing binds what the volume holds"
            }
        };
        let says = format!(
            "`{}` in the VM holds, by this volume, content that is not in the document and may be code: put it into an image{unbound}",
            target.map_or_else(|| "no target".to_owned(), shown)
        );
        file.unmeasured
            .add(ComposePlace::new(&item(FIELD, index), &volume.to_string(), says));
    }
}
