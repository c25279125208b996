//! What a configuration of supervisord takes from its environment: `%(ENV_NAME)s`.
//!
//! supervisord puts the value into the text of a setting, and reads that text afterwards: in `environment` a quote and a comma begin
//! another variable, in `command` a space begins another argument, `files` and `directory` say what is read and where.

use std::collections::BTreeSet;

/// Settings of which no value starts or loads anything.
#[rustfmt::skip]
const OF_DATA: [&str; 27] = [
    "autorestart", "autostart", "exitcodes", "loglevel", "logfile_backups", "logfile_maxbytes", "minfds",
    "minprocs", "nodaemon", "numprocs", "numprocs_start", "password", "port", "priority", "redirect_stderr",
    "silent", "startretries", "startsecs", "stderr_logfile_backups", "stderr_logfile_maxbytes",
    "stdout_logfile_backups", "stdout_logfile_maxbytes", "stopsignal", "stopwaitsecs", "umask", "user",
    "username",
];

/// The variables that stand in other settings than those of data, each with the name of its setting.
pub(super) fn names_in_settings(text: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    if !text.contains("%(ENV_") {
        return found;
    }
    let mut setting = "";
    for line in text.lines() {
        // An indented line goes on with the value before it.
        let is_continued = line.starts_with([' ', '\t']);
        if !is_continued && let Some((name, _)) = line.split_once(['=', ':']) {
            setting = name.trim();
        }
        if line.starts_with([';', '#']) || !is_continued && OF_DATA.contains(&setting) {
            continue;
        }
        for part in line.split("%(ENV_").skip(1) {
            let name: String = part
                .chars()
                .take_while(|c| *c == '_' || c.is_ascii_alphanumeric())
                .collect();
            found.insert((name, setting.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_data_alone_take_any_value() {
        let of = |text: &str| {
            names_in_settings(text)
                .into_iter()
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        for text in [
            "environment=A=\"%(ENV_E)s\"",
            "command=app %(ENV_E)r",
            "files = %(ENV_E)s",
            "user=root\n  %(ENV_E)s",
            "  user=%(ENV_E)s",
            "tomorrow: %(ENV_E)s",
        ] {
            assert_eq!(of(text), ["E"], "{text}");
        }
        for text in [
            "user=%(ENV_E)s",
            "numprocs = %(ENV_E)s",
            "; command=%(ENV_E)s",
            "command=app",
        ] {
            assert!(of(text).is_empty(), "{text}");
        }
    }
}
