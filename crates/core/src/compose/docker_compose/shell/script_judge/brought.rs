//! What a script brings from elsewhere or unpacks.

use std::collections::BTreeSet;

use super::super::archives::archives;
use super::super::downloads::{endpoints_of, names_of_what_it_brings};
use super::super::paths::file_key;
use super::super::programs::{COREUTILS, DOWNLOADERS, UNPACKERS};
use super::super::script::ShellCommand;
use super::super::transfers::brings_by_its_verb;
use super::super::word::Word;
use super::super::written_files::has_option;
use super::ScriptJudge;

impl ScriptJudge<'_> {
    /// What a program brings from elsewhere or unpacks, and whether it may be what was brought.
    pub(super) fn brings(
        &mut self,
        command: &ShellCommand,
        name: &str,
        arguments: &[Word],
        all: &BTreeSet<String>,
    ) {
        let is_downloader = DOWNLOADERS.contains(&name);
        let is_unpacker = UNPACKERS.contains(&name);
        if is_downloader {
            let local: Vec<Word> = arguments.iter().map(|word| self.as_local(word)).collect();
            let names = names_of_what_it_brings(name, arguments, &local, &command.outputs);
            // Where the others put what they bring, their words say.
            if !matches!(name, "aria2c" | "curl" | "rsync" | "scp" | "wget")
                && brings_by_its_verb(name, &local, &command.outputs)
            {
                self.brought
                    .extend(endpoints_of(name).iter().map(|name| (*name).to_owned()));
                self.brought.extend(command.answers.iter().cloned());
            }
            // What such a file says, is brought to where it says.
            let reads_file = match name {
                "curl" => has_option(arguments, 'K', "--config"),
                "aria2c" => has_option(arguments, 'i', "--input-file"),
                _ => false,
            };
            if reads_file {
                let files = arguments.iter().map(|word| word.text.trim_start_matches("-K"));
                let keys = files
                    .clone()
                    .map(|file| file_key(file, command.folder.as_deref()));
                self.brought.extend(keys);
                if files.clone().any(|file| matches!(file, "-" | "/dev/stdin")) {
                    self.brought.extend(all.iter().cloned());
                }
            }
            self.brought.extend(names);
        }
        if matches!(name, "ftp" | "ftpget" | "lftp" | "sftp" | "tftp") {
            self.brought.extend(command.answers.iter().cloned());
        }
        if let Some(archives) = archives(name, arguments) {
            let is_input = command.is_piped || !command.input.is_empty();
            if is_input {
                self.brought.extend(all.iter().cloned());
            }
            for archive in archives {
                self.brought.extend(archive.held());
                self.brought
                    .insert(file_key(&archive.text, command.folder.as_deref()));
            }
        }
        self.starts_others |= !is_downloader && !is_unpacker && !COREUTILS.contains(&name);
    }

    /// A word that begins with a variable to which the script gives paths alone (`f=/backup/$NAME`) is a path, whatever that holds.
    pub(super) fn as_local(&self, word: &Word) -> Word {
        let path = word
            .names
            .first()
            .filter(|_| word.names.len() == 1)
            .and_then(|name| {
                let text = word.text.strip_prefix('$')?;
                let braced = text
                    .strip_prefix('{')
                    .and_then(|text| text.strip_prefix(name.as_str()));
                let rest = match braced {
                    Some(rest) => rest.strip_prefix('}')?,
                    None => text.strip_prefix(name.as_str())?,
                };
                let is_path = self.assigned.get(name.as_str()) == Some(&true) && !(self.is_settable)(name);
                is_path.then(|| format!("/{name}{rest}"))
            });
        match path {
            Some(text) => Word {
                text,
                ..Word::default()
            },
            None => word.clone(),
        }
    }
}
