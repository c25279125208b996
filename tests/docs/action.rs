//! docs/action.md is made from action.yml.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

use crate::{DO_NOT_EDIT, assert_generated, repository};

/// What the page needs of action.yml.
#[derive(Deserialize)]
pub struct Action {
    pub inputs: Ordered<Input>,
    pub outputs: Ordered<Output>,
}

#[derive(Deserialize)]
pub struct Input {
    description: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    default: String,
}

#[derive(Deserialize)]
pub struct Output {
    description: String,
}

/// A mapping in the order of the file.
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

/// action.yml, or nothing where this tree has none (and so no action to document).
#[expect(clippy::print_stderr, reason = "says why a test checks nothing")]
pub fn action() -> Option<Action> {
    let Ok(text) = std::fs::read_to_string(repository("action.yml")) else {
        eprintln!("skipped: there is no action.yml in this tree");
        return None;
    };
    Some(serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("action.yml: {error}")))
}

const USAGE: &str = r#"
Verifies one or several deployments in a job of their own and writes the result into the job summary, the annotations, files and outputs.
It needs no token and no permissions of its own; with `github-token` it keeps an [issue](alerts.md#github-issue).

```yaml
permissions: { contents: read }      # for the checkout of the lock file; the verification needs none
jobs:
  verify:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
      - uses: <owner>/cvm-verify@<commit>
        with: { url: https://your-app.example, lock: cvm.lock, docker-compose: docker-compose.yml }
```

With a [policy file](policy-file.md) in the repository, the step needs no input: it verifies every target of `cvm-verify.toml`, or of the
file that `config` names.

Without a lock file, `compose-hash` alone is enough only where the VM's shape is in the built-in table: otherwise the check `os-image` says
`acpi-unverified`, and the verdict is inconclusive.

Replace `<commit>` by the 40-digit commit of the release that you reviewed. A tag can be moved; the commit cannot, and it contains
the SHA-256 of the program that will run.

Complete workflows: [after a deploy](../examples/after-deploy.yml), [scheduled monitor](../examples/scheduled-monitor.yml),
[several URLs](../examples/several-urls.yml), [a monitor with an issue](../examples/monitor-with-issue.yml).
"#;

const FILES: &str = r#"
## Files

In `output-dir`, which the outputs name file by file:

| file | what it is |
|---|---|
| `report.json` | the report, [schema](../schemas/report-v1.json) cvm-verify/report/v1 |
| `report.txt` | the same for people, as in the log |
| `summary.md` | the job summary |
| `junit.xml` | one test case per check, for tools that show test results |
| `result.env` | the outputs as `CVM_VERIFY_RESULT_…=VALUE`, for GitLab's dotenv report |
| evidence | the evidence that was verified; `cvm-verify replay` verifies it again offline |

## When the job is red

What to do about the deployment is on the page [when it is red](when-red.md). About the job:

The verdict `fail` ends the step with 1, `inconclusive` with 3, an input that cannot be right with 2. With `fail-on: fail`, only
`fail` and such an input make the job red; the output `verdict` stays what it is. To go on after a failure, use the step's
`continue-on-error` and compare: `if: ${{ steps.ID.outputs.verdict != 'pass' }}`. A run that was killed counts as `inconclusive`.

There are at most ten annotations; more than three targets that are alike share theirs. If a check differs from what a file of the
repository expects, its annotation is at the line of that file: the key of the lock or of the policy file. The report has the same as `location` (`file`, `line`, `key`) of the check, and the JUnit file as `file` of the test case.

With an `output-dir` that is kept between runs, the files of an earlier run say `inconclusive` from the start of the next one. A file of
one of these names that cvm-verify did not write ends the step with 2 and stays unchanged.

## After a deploy

A lock alone names the release that it was taken from: after the next deployment it passes while the old release still answers. So name
the release that must run, in addition to the lock: with `docker-compose`, `app-compose-file` or `compose-hash`.

With `wait` the step tries again until the expected release passes. It does not repeat until one of several instances passes:

- Evidence that is forged or replayed ends the waiting at once, as `fail`: a signature or an event log that does not verify, and, from the
  expected release, a wrong nonce or wrong attributes of the VM. The result of that target is final: it is alerted at once, and the target
  is not asked again. The run continues to wait for the other targets.
- After an attempt that failed, a pass must hold for one more attempt on a new connection. That attempt has the time until the `deadline`,
  also if the time of `wait` is over. If it brings no evidence, the result is inconclusive (`evidence` / `not-confirmed`).
- A target that passes is not asked again while the run waits for others.
- If a signal ends the run (a cancelled job), the results that are final by then are reported and alerted, and decide the exit code; all
  other targets are inconclusive (`evidence` / `interrupted`), and nobody is alerted about those.
- With `--also-compose-hash`, the run also waits while the second release answers. When the time is over, that passes, and the verdict line says
  `the second release, until …`.
- The report (`earlier_attempts`), the text and the summary name the attempts that did not pass: `2 earlier attempts of this run did not
  pass: compose-hash [compose-hash-mismatch].` Alerts are about final results only.

A pass is about the instance that answered. If several instances answer at one address, give the address of each.

## A lock from a pull request

The checkout of a pull request holds the `cvm.lock` of the pull request: its author decides what is expected. A green run of such a
job says that the deployment is as the pull request wants it. It does not say that it is as your main branch wants it.

- Verify the deployment in jobs for `push` to the main branch, `schedule` or `workflow_dispatch` on the main branch.
- For `deployment_status`, GitHub takes the workflow from the commit that was deployed. A person who can create a deployment of a branch
  can change the address, the lock and every other line of the job. Verify on a schedule as well.
- In a job for pull requests, check out the lock of the base branch: `actions/checkout` with `ref: ${{ github.base_ref }}`.
- Protect `cvm.lock` and `cvm-verify.toml` with a code owner.

The step names the lock in `lock`. Without that input and without another expectation it uses the `cvm.lock` of the working folder if
that lock was taken from the one address in `url`, and the first line of the log says so. `--no-lock` in `extra-args` turns this off.

## Try the alert channels

The secrets are in the repository's settings, so the test runs there:

```yaml
on: workflow_dispatch
permissions: {}
jobs:
  alert-test:
    runs-on: ubuntu-latest
    steps:
      - uses: <owner>/cvm-verify@<commit>
        with: { mode: alert-test, slack-webhook-url: '${{ secrets.SLACK_WEBHOOK_URL }}' }
```

The step is red if a channel does not accept it, if a secret that the policy file names is missing, or if none is set. With a
policy file, check the repository out first, and give `config` (default: `cvm-verify.toml`, if there is no `url`) and
[`channel-secrets`](#channels-of-a-policy-file).

## Channels of a policy file

A [policy file](policy-file.md#alerts) can name a variable for each target and channel. `channel-secrets` sets them:

```yaml
          channel-secrets: |
            CVM_VERIFY_SLACK_SHOP_TEAM=${{ secrets.SHOP_SLACK }}
            CVM_VERIFY_SHOP_PAGERDUTY=${{ secrets.SHOP_PAGERDUTY }}
```

## Built from source

A commit that is not a release names no binary. Then the step says so in an annotation and builds the program, which needs Rust 1.90 or
later, a C compiler and crates.io, takes about 5 minutes on 2 cores, and is done again in every run. A release's binary is downloaded
once per machine with a tool cache, and its hash is checked in every run.

A build trusts the earlier steps of the job: Rust is what one of them installed, at `CARGO_HOME` or in the home folder, and `HOME`, `CARGO_HOME`
and `RUSTUP_HOME` are taken from the environment. A step that can write `GITHUB_ENV` so decides which `cargo` builds the program.

With a binary whose hash the release names (`install: download`), no environment variable of an earlier step changes which program runs.
A hostile step can still put another `bash` into the path of the job (`GITHUB_PATH`) or change the files of the action. Verify in a job
of its own.

## Further options

`extra-args` passes any other [option](options.md) of `cvm-verify verify`, one argument per line:

```yaml
          extra-args: |
            --nonce-parameter
            nonce
```
"#;

#[test]
fn the_page_of_the_action_is_what_action_yml_says() {
    let Some(action) = action() else { return };
    let mut page = format!("<!-- Made from action.yml {DO_NOT_EDIT} -->\n\n# The action\n{USAGE}");
    page += "\n## Inputs\n\nAn empty input counts as not given. Write hex in quotes: YAML takes some of it for numbers.\n\n";
    page += "| input | what it says | default |\n|---|---|---|\n";
    for (name, input) in &action.inputs.0 {
        let default = match (input.required, input.default.as_str()) {
            (true, _) => "required".to_owned(),
            (false, "") => String::new(),
            (false, default) => format!("`{default}`"),
        };
        page += &format!("| `{name}` | {} | {default} |\n", cell(&input.description));
    }
    page += "\n## Outputs\n\n| output | what it says |\n|---|---|\n";
    for (name, output) in &action.outputs.0 {
        page += &format!("| `{name}` | {} |\n", cell(&output.description));
    }
    page += FILES;
    assert_generated("docs/action.md", &page);
}

fn cell(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
