//! What a program brings from elsewhere into a file, and which variables decide from where. A direction must be proven: what is not
//! surely sent, or surely brings nothing, is brought.

use std::collections::BTreeSet;

use super::requests::{RequestOption, keeps_its_answer};
use super::transfers::{brings_by_its_verb, is_upload};
use super::word::Word;

/// The variables that say from where a program brings a file, or to where. Nothing where it brings none, or keeps none.
/// `local` are the same arguments, where what is surely a path of the container is written as one.
pub(super) fn names_of_what_it_brings(
    name: &str,
    arguments: &[Word],
    local: &[Word],
    outputs: &[Word],
) -> BTreeSet<String> {
    let brings = match name {
        "curl" | "wget" => keeps_its_answer(name, arguments, outputs),
        "aria2c" => true,
        "rsync" | "scp" => !is_upload(local),
        _ => brings_by_its_verb(name, local, outputs),
    };
    if !brings {
        return BTreeSet::new();
    }
    let mut names = BTreeSet::new();
    let mut sends_next = false;
    for word in arguments {
        let is_argument = std::mem::take(&mut sends_next);
        let option = RequestOption::of(name, &word.text);
        sends_next = option == RequestOption::SendsNext;
        // What is sent says nothing of where the answer comes from.
        if !is_argument && option != RequestOption::Sends {
            names.extend(word.held());
        }
    }
    names.extend(outputs.iter().flat_map(Word::held));
    names
}

/// Variables of the environment that say from where a program brings what its arguments name.
pub(super) fn endpoints_of(program: &str) -> &'static [&'static str] {
    match program {
        "aws" => &["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"],
        "rclone" => &["RCLONE_CONFIG"],
        _ => &[],
    }
}
