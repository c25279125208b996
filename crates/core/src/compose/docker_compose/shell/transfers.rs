//! Clients that copy files between here and elsewhere: which way, as far as the words prove it.

use std::collections::BTreeSet;

use super::word::Word;

/// Verbs of clients that write no file of what they read from elsewhere.
#[rustfmt::skip]
const BRINGS_NOTHING: [&str; 50] = [
    "account", "add", "admin", "alias", "anonymous", "auth", "config", "configure", "daemon", "del",
    "delete", "delete-object", "digest", "du", "head-bucket", "head-object", "help", "id", "info", "init",
    "kill", "la", "list", "list-objects", "list-objects-v2", "listremotes", "login", "logout", "ls", "lsd",
    "lsf", "lsjson", "lsl", "mb", "mkdir", "obscure", "ping", "presign", "purge", "push", "rb", "rcat", "rm",
    "set", "stat", "tag", "tree", "upload", "upload-batch", "version",
];
/// Services of AWS, Azure and Google that answer and write no file.
#[rustfmt::skip]
const ANSWERS: [&str; 23] = [
    "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "eks", "elbv2", "events", "iam", "keyvault", "kms",
    "logs", "projects", "rds", "route53", "secrets", "secretsmanager", "services", "ses", "sns", "sqs",
    "ssm", "sts",
];
/// Verbs that copy files.
const TRANSFERS: [&str; 12] = [
    "backup",
    "copy",
    "copyto",
    "cp",
    "mirror",
    "move",
    "moveto",
    "mv",
    "put",
    "put-object",
    "rsync",
    "sync",
];
/// Groups of verbs of these services.
const GROUPS: [&str; 10] = [
    "blob",
    "buckets",
    "container",
    "directory",
    "file",
    "fs",
    "objects",
    "s3",
    "s3api",
    "storage",
];

/// Whether a client with verbs brings files to the file system or to its redirected output.
pub(super) fn brings_by_its_verb(name: &str, arguments: &[Word], outputs: &[Word]) -> bool {
    let operands: Vec<(usize, &str)> = operands(arguments).collect();
    let first = operands.first().map(|(_, text)| *text);
    let has_services = matches!(name, "aws" | "az" | "gcloud");
    if has_services && first.is_some_and(|service| ANSWERS.contains(&service)) {
        return false;
    }
    let is_group = |word: &&str| has_services && GROUPS.contains(word);
    let mut verbs = operands
        .iter()
        .take(4)
        .map(|(_, text)| *text)
        .skip_while(is_group);
    let verb = verbs.next().unwrap_or_default();
    if BRINGS_NOTHING.contains(&verb) || verb.is_empty() && outputs.is_empty() {
        return false;
    }
    let at = operands
        .iter()
        .find(|(_, text)| *text == verb)
        .map_or(0, |(at, _)| at + 1);
    let transfers = TRANSFERS.contains(&verb) && arguments.get(..at).is_some();
    !(transfers && is_upload(arguments.get(at..).unwrap_or_default()))
}

/// The words that are surely no options and no argument of one, with their positions.
fn operands(arguments: &[Word]) -> impl Iterator<Item = (usize, &str)> {
    let mut before = "";
    arguments.iter().enumerate().filter_map(move |(at, word)| {
        let text = word.text.as_str();
        let is_argument = takes_next(before);
        before = if is_argument { "" } else { text };
        (!is_argument && (!text.starts_with('-') || text == "-")).then_some((at, text))
    })
}

/// Whether an option of these clients takes the next word.
fn takes_next(option: &str) -> bool {
    #[rustfmt::skip]
    const TAKES: [&str; 62] = [
        "--account-key", "--account-name", "--acl", "--addr", "--backup-dir", "--bucket", "--bwlimit",
        "--ca-bundle", "--cache-control", "--checkers", "--chmod", "--chown", "--cli-connect-timeout",
        "--cli-read-timeout", "--compare-dest", "--config", "--config-dir", "--content-type", "--copy-dest",
        "--endpoint", "--endpoint-url", "--exclude", "--exclude-from", "--expires", "--files-from",
        "--filter", "--grants", "--include", "--include-from", "--key", "--link-dest", "--log-file",
        "--log-level", "--max-age", "--max-size", "--metadata", "--min-age", "--min-size", "--name",
        "--newer-than", "--older-than", "--output", "--password-file", "--port", "--profile", "--project",
        "--query", "--rc-addr", "--region", "--retries", "--rsh", "--s3-endpoint", "--sse",
        "--sse-kms-key-id", "--storage-class", "--temp-dir", "--timeout", "--tpslimit", "--transfers",
        "--user-agent", "-e", "-x",
    ];
    TAKES.contains(&option)
}

/// Whether files go from here to elsewhere: the target is elsewhere, and no word with a variable stands before a file of here. Where an
/// option is not known its next word may be a file.
pub(super) fn is_upload(arguments: &[Word]) -> bool {
    let is_elsewhere = |text: &str| text.contains(':');
    // Whatever its variables hold: in quotes it is one word, and it begins as a path.
    let is_surely_here = |word: &Word| word.text.starts_with(['/', '.']) && !word.is_split;
    let is_option = |text: &str| text.starts_with('-') && text != "-";
    let known: BTreeSet<usize> = operands(arguments).map(|(at, _)| at).collect();
    let files: Vec<&Word> = arguments
        .iter()
        .enumerate()
        .filter(|(at, word)| known.contains(at) && !is_option(&word.text))
        .map(|(_, word)| word)
        .collect();
    let Some(target) = files.last() else {
        return false;
    };
    let last_here = files.iter().rposition(|word| !is_elsewhere(&word.text));
    let comes_from_a_variable = files.iter().enumerate().any(|(at, word)| {
        !word.names.is_empty()
            && !is_surely_here(word)
            && (!is_elsewhere(&word.text) || last_here.is_some_and(|last| at < last))
    });
    is_elsewhere(&target.text) && !comes_from_a_variable
}
