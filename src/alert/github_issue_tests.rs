//! Against a GitHub on loopback that keeps its issues.

#[path = "github_issue_fault_tests.rs"]
mod faults;
#[path = "github_issue_run_tests.rs"]
mod runs;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::alert::deliver_changes::deliver_changes;
use crate::alert::delivery::RetryPolicy;
use crate::alert::incident::{Observation, Rules, State};
use crate::alert::message::RunContext;
use crate::alert::samples::{self, set};
use crate::alert::services::{said, service};
use crate::alert::{Channels, IncidentInputs};
use crate::net::loopback;
use crate::net::retry::Schedule;
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{AlertRecord, CheckId, Status, TargetReport, Verdict};

const TOKEN: &str = "ghp_hunter2";

const ME: &str = "github-actions[bot]";

/// What a repository holds.
#[derive(Default)]
struct Repository {
    issues: Vec<Value>,
    comments: Vec<(u64, String)>,
    asked: Vec<String>,
    /// Answers this instead of anything else.
    refuses: Option<(u16, &'static str)>,
    /// Answers this to what writes.
    refuses_writes: Option<u16>,
    /// How many of the next requests that write are answered with a status, and whether they are carried out all the same.
    disturbed: Option<Disturbed>,
}

/// A disturbance between us and what holds the issues.
#[derive(Clone, Copy)]
struct Disturbed {
    requests: usize,
    status: u16,
    carried_out: bool,
    /// Whether requests that read are disturbed instead.
    reads: bool,
}

#[derive(Clone, Default)]
struct Forge(Arc<Mutex<Repository>>);

impl Forge {
    /// Serves it below `prefix`, with GraphQL where GitHub has it.
    async fn serve(&self, prefix: &'static str, graphql: &'static str) -> Url {
        let forge = self.clone();
        let (url, _) = service(move |head, body, _| (forge.answer(head, body, prefix, graphql), false)).await;
        url.join(prefix).unwrap()
    }

    fn answer(&self, head: &str, body: &Value, prefix: &str, graphql: &str) -> Vec<u8> {
        let is_write = !head.starts_with("GET ") && !head.contains("graphql");
        let disturbed = {
            let mut inside = self.0.lock().unwrap();
            let now = inside
                .disturbed
                .filter(|now| now.requests > 0 && now.reads != is_write);
            if let Some(now) = now {
                let requests = now.requests - 1;
                inside.disturbed = Some(Disturbed { requests, ..now });
                if !now.carried_out {
                    inside.asked.push(head.split(" HTTP").next().unwrap().to_owned());
                }
            }
            now
        };
        let answered = match disturbed {
            Some(now) if !now.carried_out => Vec::new(),
            _ => self.undisturbed(head, body, prefix, graphql),
        };
        match disturbed {
            None => answered,
            Some(now) if now.status == 0 => Vec::new(),
            Some(now) => loopback::answer(now.status, &[("retry-after", "0")], b"{}"),
        }
    }

    fn undisturbed(&self, head: &str, body: &Value, prefix: &str, graphql: &str) -> Vec<u8> {
        let mut inside = self.0.lock().unwrap();
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        inside.asked.push(format!("{method} {target}"));
        if !head
            .to_ascii_lowercase()
            .contains(&format!("authorization: bearer {TOKEN}\r\n"))
        {
            return said(401, &json!({ "message": "Bad credentials" }));
        }
        if let Some((status, text)) = inside.refuses {
            return said(status, &json!({ "message": text }));
        }
        if target == graphql {
            return said(200, &json!({ "data": { "viewer": { "login": ME } } }));
        }
        if let Some(status) = inside.refuses_writes.filter(|_| method != "GET") {
            return said(
                status,
                &json!({ "message": "Resource not accessible by integration" }),
            );
        }
        let path = target.strip_prefix(prefix).unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let number = |text: &str| text.parse::<usize>().unwrap();
        match (
            method.as_str(),
            path.split('/').skip(1).collect::<Vec<_>>().as_slice(),
        ) {
            ("GET", ["repos", "acme", "shop", "issues"]) => {
                let state = if query.contains("state=open") {
                    "open"
                } else {
                    "closed"
                };
                assert!(
                    query.contains(&format!("state={state}&")) && query.contains("labels=cvm-verify"),
                    "{query}"
                );
                assert_eq!(query.contains("&since="), state == "closed", "{query}");
                let page = number(query.rsplit("page=").next().unwrap());
                let rows = inside.issues.iter().filter(|issue| issue["state"] == state);
                let rows: Vec<&Value> = rows.skip((page - 1) * PAGE).take(PAGE).collect();
                said(200, &json!(rows))
            }
            ("POST", ["repos", "acme", "shop", "issues"]) => {
                let made = inside.issues.len() + 1;
                inside.add(
                    made as u64,
                    ME,
                    "Bot",
                    body["title"].as_str().unwrap(),
                    body["body"].as_str().unwrap(),
                );
                assert_eq!(body["labels"], json!([LABEL]));
                said(201, &inside.issues[made - 1])
            }
            ("POST", ["repos", "acme", "shop", "issues", one, "comments"]) => {
                let text = body["body"].as_str().unwrap().to_owned();
                inside.comments.push((number(one) as u64, text));
                said(201, &json!({ "id": 1 }))
            }
            ("PATCH", ["repos", "acme", "shop", "issues", one]) => {
                let issue = &mut inside.issues[number(one) - 1];
                for (name, value) in body.as_object().unwrap() {
                    issue[name] = value.clone();
                }
                said(200, issue)
            }
            _ => said(404, &json!({ "message": "Not Found" })),
        }
    }

    fn open(&self) -> Vec<u64> {
        let inside = self.0.lock().unwrap();
        let open = inside.issues.iter().filter(|issue| issue["state"] == "open");
        open.map(|issue| issue["number"].as_u64().unwrap()).collect()
    }

    fn body(&self, number: usize) -> String {
        self.0.lock().unwrap().issues[number - 1]["body"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    fn comments(&self) -> Vec<String> {
        let inside = self.0.lock().unwrap();
        let first = |(number, text): &(u64, String)| format!("{number} {}", text.lines().next().unwrap());
        inside.comments.iter().map(first).collect()
    }

    /// What was written since it was last asked.
    fn writes(&self) -> Vec<String> {
        let mut inside = self.0.lock().unwrap();
        let asked = std::mem::take(&mut inside.asked);
        let is_write = |line: &String| !line.starts_with("GET ") && !line.contains("graphql");
        asked.into_iter().filter(is_write).collect()
    }
}

impl Repository {
    fn add(&mut self, number: u64, login: &str, kind: &str, title: &str, body: &str) {
        self.issues.push(json!({
            "number": number, "title": title, "body": body, "state": "open", "user": { "login": login, "type": kind },
        }));
    }
}

fn fast() -> RetryPolicy {
    RetryPolicy {
        schedule: Schedule {
            first_pause: Duration::from_millis(10),
            total: Duration::from_secs(10),
            ..RetryPolicy::default().schedule
        },
        one_try: Duration::from_secs(1),
    }
}

fn issues(api: &Url) -> Option<GithubIssues> {
    let token = Secret::new(format!("{TOKEN}\n"));
    Some(GithubIssues::new(Some(api.as_str()), "acme/shop", token).unwrap())
}

/// A run on a runner that remembers nothing, `minutes` after the first.
async fn run(api: &Url, target: &TargetReport, minutes: u64) -> Vec<String> {
    let channels = Channels::default().with_issues(issues(api));
    short(&delivered(&channels, &mut State::default(), target, minutes).await)
}

async fn delivered(
    channels: &Channels,
    state: &mut State,
    target: &TargetReport,
    minutes: u64,
) -> Vec<AlertRecord> {
    let context = RunContext {
        now: samples::context().now + minutes * 60,
        ..samples::context()
    };
    let policy = Policy::default().fingerprint();
    let inputs = IncidentInputs {
        state,
        observations: &[vec![Observation::of(target, policy, context.now)]],
        rules: Rules::default(),
    };
    let sender = AlertSender {
        client: &loopback::client(),
        retry_policy: fast(),
        entropy: &|| [1; 16],
        until: None,
    };
    deliver_changes(&sender, channels, std::slice::from_ref(target), inputs, &context).await
}

fn short(records: &[AlertRecord]) -> Vec<String> {
    let word = |record: &AlertRecord| format!("{} {} {}", record.event, record.delivered, record.detail);
    records.iter().map(word).collect()
}

fn other_fail() -> TargetReport {
    let mut report = samples::pass();
    report.verdict = Verdict::Fail;
    set(&mut report, CheckId::AppId, Status::Fail, "app-id-mismatch");
    report
}

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn an_issue_is_opened_kept_commented_and_closed_without_any_other_memory() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    assert_eq!(run(&api, &samples::pass(), 0).await, NOTHING);
    assert_eq!(forge.writes(), NOTHING);
    assert_eq!(
        run(&api, &samples::fail(), 1).await,
        ["failed true api.example.com: accepted"]
    );
    assert_eq!(forge.writes(), ["POST /repos/acme/shop/issues"]);
    assert_eq!(forge.open(), [1]);
    // The same again: not a word, and nothing to note.
    assert_eq!(run(&api, &samples::fail(), 2).await, NOTHING);
    assert_eq!(forge.writes(), NOTHING);
    assert_eq!(
        run(&api, &other_fail(), 3).await,
        ["changed true api.example.com: accepted"]
    );
    assert!(forge.body(1).contains("app-id-mismatch") && !forge.body(1).contains("| compose-hash |"));
    assert_eq!(
        run(&api, &other_fail(), 3 + 25 * 60).await,
        ["reminder true api.example.com: accepted"]
    );
    assert_eq!(
        run(&api, &samples::pass(), 4 + 25 * 60).await,
        ["recovered true api.example.com: accepted"]
    );
    assert_eq!(forge.open(), Vec::<u64>::new());
    assert_eq!(
        forge.comments(),
        ["1 **It changed.**", "1 **It goes on.**", "1 **It recovered.**"]
    );
    assert_eq!(run(&api, &samples::pass(), 5 + 25 * 60).await, NOTHING);
    assert_eq!(
        run(&api, &samples::fail(), 9 + 25 * 60).await,
        ["failed true api.example.com: accepted"]
    );
    // A relapse is told in the same issue.
    assert_eq!(forge.open(), [1]);
}

/// A host that manipulates every other run must not get a `recovered` each time, nor an issue.
#[tokio::test]
async fn a_target_that_relapses_has_the_same_issue_again_and_passes_more_often_before_it_has_recovered() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    let (fail, pass, open) = (samples::fail(), samples::pass(), samples::unreachable());
    let after_that = 11 * 10 + 6 * 60 + 1;
    for (minutes, target, told, issue) in [
        (0, &fail, Some("failed"), Some(1)),
        (10, &pass, Some("recovered"), None),
        (20, &fail, Some("failed"), Some(1)),
        (30, &pass, None, Some(1)),
        (40, &fail, None, Some(1)),
        (50, &pass, None, Some(1)),
        (60, &pass, Some("recovered"), None),
        // As without a memory, what cannot be determined is told at once.
        (70, &open, Some("inconclusive"), Some(1)),
        (80, &pass, None, Some(1)),
        (90, &pass, None, Some(1)),
        (100, &pass, None, Some(1)),
        (110, &pass, Some("recovered"), None),
        (120, &pass, None, None),
        (after_that, &fail, Some("failed"), Some(2)),
    ] {
        let told: Vec<String> = told
            .map(|event| format!("{event} true api.example.com: accepted"))
            .into_iter()
            .collect();
        assert_eq!(run(&api, target, minutes).await, told, "{minutes}");
        assert_eq!(forge.open(), issue.into_iter().collect::<Vec<_>>(), "{minutes}");
    }
}

#[tokio::test]
async fn enterprise_server_has_its_apis_elsewhere() {
    let forge = Forge::default();
    let api = forge.serve("/api/v3", "/api/graphql").await;
    assert_eq!(
        run(&api, &samples::fail(), 0).await,
        ["failed true api.example.com: accepted"]
    );
    assert_eq!(forge.open(), [1]);
}

#[tokio::test]
async fn the_issue_remembers_for_the_other_channels_too() {
    let forge = Forge::default();
    let (teams, cards) = crate::alert::services::teams().await;
    let channels = Channels::default()
        .with_issues(issues(&forge.serve("", "/graphql").await))
        .with("teams-webhook-url", Some(Secret::new(teams.to_string())));
    for minutes in 0..3 {
        delivered(&channels, &mut State::default(), &samples::fail(), minutes).await;
    }
    assert_eq!(cards.lock().unwrap().len(), 1);
    delivered(&channels, &mut State::default(), &samples::pass(), 3).await;
    assert_eq!(cards.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn t61_an_issue_whose_memory_is_damaged_is_told_again() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    run(&api, &samples::fail(), 0).await;
    let damaged = forge.body(1).replace("\"seen\"", "\"sown\"");
    forge.0.lock().unwrap().issues[0]["body"] = damaged.into();
    assert_eq!(
        run(&api, &samples::fail(), 1).await,
        ["failed true api.example.com: accepted"]
    );
    assert_eq!(forge.open(), [1], "in the same issue");
    assert_eq!(forge.comments(), ["1 **It fails.**"]);
    assert_eq!(run(&api, &samples::fail(), 2).await, NOTHING);
}

#[tokio::test]
async fn t61_a_mark_in_somebody_elses_issue_or_further_down_silences_nothing() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    run(&api, &samples::fail(), 0).await;
    let planted = forge.body(1);
    {
        let mut inside = forge.0.lock().unwrap();
        inside.issues.clear();
        inside.add(1, "mallory", "User", "planted", &planted);
        inside.add(
            2,
            "github-actions",
            "User",
            "planted by a person of that name",
            &planted,
        );
        inside.add(
            3,
            ME,
            "Bot",
            "ours, but about something else",
            &format!("See:\n{planted}"),
        );
        inside.add(4, ME, "Bot", "ours, a pull request", &planted);
        inside.issues[3]["pull_request"] = json!({ "url": "x" });
    }
    assert_eq!(
        run(&api, &samples::fail(), 1).await,
        ["failed true api.example.com: accepted"]
    );
    assert_eq!(forge.open(), [1, 2, 3, 4, 5]);
    assert_eq!(forge.comments(), NOTHING);
}

#[tokio::test]
async fn an_issue_is_found_behind_many_others() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    for number in 1..=PAGE as u64 + 3 {
        forge.0.lock().unwrap().add(number, "somebody", "User", "x", "x");
    }
    run(&api, &samples::fail(), 0).await;
    assert_eq!(run(&api, &samples::fail(), 1).await, NOTHING);
    let endless = (PAGE * (MAX_PAGES + 2)) as u64;
    for number in PAGE as u64 + 5..endless {
        forge.0.lock().unwrap().add(number, "somebody", "User", "x", "x");
    }
    forge.writes();
    run(&api, &samples::fail(), 2).await;
    let asked = forge.0.lock().unwrap().asked.len();
    assert!(asked <= MAX_PAGES + 3, "{asked}");
}

#[tokio::test]
async fn an_issue_that_a_person_closed_is_left_closed_until_the_reminder() {
    let forge = Forge::default();
    let channels = Channels::default().with_issues(issues(&forge.serve("", "/graphql").await));
    let mut state = State::default();
    delivered(&channels, &mut state, &samples::fail(), 0).await;
    forge.0.lock().unwrap().issues[0]["state"] = "closed".into();
    assert_eq!(delivered(&channels, &mut state, &samples::fail(), 1).await, []);
    assert_eq!(
        short(&delivered(&channels, &mut state, &samples::fail(), 25 * 60).await).len(),
        1
    );
    assert_eq!(forge.open(), [2]);
}

#[test]
fn a_repository_is_owner_and_name() {
    let of = |text: &str| GithubIssues::new(None, text, Secret::new(String::new())).map(|_| ());
    assert_eq!(of("acme/shop.js"), Ok(()));
    for odd in [
        "",
        "acme",
        "acme/",
        "/shop",
        "acme/shop/x",
        "acme/..",
        "a b/c",
        "acme/shop?x",
        "https://github.com/a/b",
    ] {
        assert_eq!(of(odd), Err(SettingsError::NoRepository(odd.to_owned())), "{odd}");
    }
    let api = |text| GithubIssues::new(Some(text), "a/b", Secret::new(String::new())).map(|_| ());
    assert_eq!(api("ghes"), Err(SettingsError::NoApi("ghes".to_owned())));
}

#[tokio::test]
async fn a_test_reads_and_writes_nothing() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    let channels = Channels::default().with_issues(issues(&api));
    let client = loopback::client();
    let sender = AlertSender::new(&client, &|| [7; 16]);
    let records = super::super::test(&sender, &channels, &samples::context()).await;
    assert_eq!(
        short(&records),
        ["test true /repos/acme/shop/issues can be read, 0 open issues of ours; nothing was written"]
    );
    assert!(forge.writes().is_empty());
    let nowhere = Channels::default().with_issues(issues(&"http://127.0.0.1:9/".parse().unwrap()));
    let records = super::super::test(&sender, &nowhere, &samples::context()).await;
    assert!(!records[0].delivered, "{records:?}");
}
