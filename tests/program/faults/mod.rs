//! The network between the program and everything that it asks misbehaves, at every request of every source: there is a
//! verdict, it accuses no honest deployment and passes no other, its alert is out, and no file is left behind.

mod clock;
mod fault;
mod many;
mod shim;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cvm_verify::cli::Env;
use cvm_verify_core::report::Report;
use simulator::guest_agent::INFO_PATHS;
use simulator::phala_cloud::{self, InstanceShape};
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, Lie, PhalaApiServer, World};

use self::fault::Fault;
use self::shim::{Plan, Shim};
use super::deployment::Deployment;
use super::run::{Ran, run_in};

/// No run takes this long: its deadline is 3 or 120 s, and its alerts are taken at once.
const NEVER: Duration = Duration::from_secs(400);

/// Where evidence comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    App,
    GuestAgent,
    PhalaCloud,
    /// The app, and Phala's API, which is asked for its opinion.
    Both,
}

fn lying() -> Cvm {
    let mut cvm = Cvm::healthy(&World::default());
    Lie::SwappedImage.apply(&mut cvm);
    cvm
}

/// A deployment of which every server is behind a proxy, and one that takes alerts.
struct Scene {
    deployment: Arc<Deployment>,
    api: PhalaApiServer,
    sink: AppServer,
    source: Source,
}

/// What a run left behind.
struct Outcome {
    ran: Ran,
    report: Report,
    files: Vec<String>,
    /// Alerts that arrived.
    told: usize,
}

impl Scene {
    fn new(source: Source, cvm: Cvm) -> Self {
        let deployment = Deployment::of(cvm.clone());
        let sink = AppServer::http(Cvm::healthy(&World::default()));
        sink.behave(AppEndpoint::Other, Behaviour::Status(200));
        match source {
            Source::App | Source::Both => {}
            Source::GuestAgent => deployment.app.serve_guest_agent(&cvm, INFO_PATHS[0]),
            Source::PhalaCloud => {
                // A lie may have changed the id; the user asks for the honest one.
                let id = Cvm::healthy(&World::default()).app_id_bytes();
                let answer = phala_cloud::answer(&id, InstanceShape::New, &[Some(cvm)]);
                deployment
                    .app
                    .serve_file(&phala_cloud::path(&id), "application/json", answer);
            }
        }
        let api = PhalaApiServer::http();
        Self {
            deployment: Arc::new(deployment),
            api,
            sink,
            source,
        }
    }

    fn run(&self, plan: &Arc<Plan>) -> Outcome {
        self.run_with(plan, |_| {})
    }

    fn run_with(&self, plan: &Arc<Plan>, change: impl FnOnce(&mut Env)) -> Outcome {
        // Of a source the servers of its own: those that all share are tried with the app.
        let spoilt = |url: String, sources: &[Source]| match sources.contains(&self.source) {
            true => Shim::before(&url, plan),
            false => Shim::before(&url, &Arc::new(Plan::honest())),
        };
        let app = spoilt(
            self.deployment.app.url(),
            &[Source::App, Source::GuestAgent, Source::PhalaCloud],
        );
        let pccs = spoilt(self.deployment.pccs.url(), &[Source::App]);
        let api = spoilt(self.api.url(), &[Source::Both]);
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        // No patience where it would be waited for; what does not last must not be cut short on a busy machine.
        let (deadline, timeout) = if plan.lasts() { (3, 1) } else { (120, 30) };
        let mut args = vec!["verify".to_owned(), "--format=json".to_owned()];
        args.extend([
            format!("--deadline={deadline}s"),
            format!("--timeout={timeout}s"),
            "--allow-private-network".to_owned(),
            format!("--pccs-url={}", pccs.url()),
            format!("--insecure-trust-root={}", self.deployment.path("root.pem")),
            format!("--output-dir={}", out.display()),
        ]);
        args.extend(self.deployment.expect().iter().cloned());
        let unchecked = "--freshness=unchecked".to_owned();
        args.extend(match self.source {
            Source::App => vec![app.url()],
            Source::GuestAgent => vec![app.url(), "--source=guest-agent".to_owned(), unchecked],
            Source::PhalaCloud => vec![
                hex::encode(Cvm::healthy(&World::default()).app_id_bytes()),
                "--source=phala-cloud".to_owned(),
                format!("--phala-api-url={}", app.url()),
                unchecked,
            ],
            Source::Both => vec![
                app.url(),
                "--verifier=both".to_owned(),
                format!("--phala-verifier-url={}", api.url()),
            ],
        });
        let hook = format!("{}/hook", self.sink.url());
        self.sink.forget_requests();
        let ran = run_in(&args, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], change);
        let mut files: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .chain(std::fs::read_dir(&out).unwrap())
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| !["evidence.json", "app-compose.json"].contains(&name.as_str()))
            .collect();
        files.sort();
        Outcome {
            // Not as `merge` reads it: the clock may have jumped.
            report: serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:#?}")),
            ran,
            files,
            told: self.sink.requests().len(),
        }
    }
}

/// A scene that this thread keeps: what happens on the way changes no server.
fn with_scene<T>(source: Source, honest: bool, use_it: impl FnOnce(&Scene) -> T) -> T {
    thread_local! {
        static SCENES: RefCell<BTreeMap<(Source, bool), Scene>> = const { RefCell::new(BTreeMap::new()) };
    }
    SCENES.with_borrow_mut(|scenes| {
        let cvm = || {
            if honest {
                Cvm::healthy(&World::default())
            } else {
                lying()
            }
        };
        use_it(
            scenes
                .entry((source, honest))
                .or_insert_with(|| Scene::new(source, cvm())),
        )
    })
}

/// What must hold of a run whatever the network does.
fn assert_sound(outcome: &Outcome, what: &str) {
    let Outcome {
        ran,
        report,
        files,
        told,
    } = outcome;
    assert!([0, 1, 3].contains(&ran.code), "{what}: {ran:#?}");
    assert_eq!(ran.code, report.exit_code, "{what}");
    // What says that a deployment passed is there for one that passes alone.
    let passed: &[&str] = &["predicate.json", "statement.json"];
    let (written, of_a_pass): (Vec<&str>, Vec<&str>) = files
        .iter()
        .map(String::as_str)
        .partition(|name| !passed.contains(name));
    let expected = [
        "junit.xml",
        "out",
        "report.json",
        "report.txt",
        "result.env",
        "summary.md",
    ];
    assert_eq!(written, expected, "{what}");
    assert_eq!(of_a_pass, if ran.code == 0 { passed } else { &[] }, "{what}");
    let due = ran.code != 0;
    assert_eq!(*told > 0, due, "{what}: {:?}", report.alerts);
    assert!(report.alerts.iter().all(|alert| alert.delivered), "{what}");
}

/// Runs every trial, several at once; a run that does not end is named.
fn all(trials: Vec<(String, Box<dyn FnOnce() + Send>)>) {
    let count = trials.len();
    let names: Vec<String> = trials.iter().map(|(name, _)| name.clone()).collect();
    let waiting = Arc::new(Mutex::new(trials.into_iter().enumerate()));
    let (ended, ends) = channel();
    for _ in 0..8 {
        let (waiting, ended) = (Arc::clone(&waiting), ended.clone());
        std::thread::spawn(move || {
            loop {
                let next = waiting.lock().unwrap().next();
                let Some((index, (_, trial))) = next else { break };
                let sound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(trial)).is_ok();
                let _ = ended.send((index, sound));
            }
        });
    }
    let (mut left, mut broken): (Vec<usize>, Vec<usize>) = ((0..count).collect(), Vec::new());
    while !left.is_empty() {
        let Ok((index, sound)) = ends.recv_timeout(NEVER) else {
            let named: Vec<&String> = left
                .iter()
                .filter_map(|index| names.get(*index))
                .take(8)
                .collect();
            panic!("these do not end: {named:?}");
        };
        left.retain(|other| *other != index);
        if !sound {
            broken.push(index);
        }
    }
    let broken: Vec<&String> = broken.iter().filter_map(|index| names.get(*index)).collect();
    assert!(broken.is_empty(), "{} of {count}: {broken:?}", broken.len());
}

/// How many requests a run of this source makes that nothing is done to, and what it ends with.
fn requests(source: Source) -> usize {
    for (honest, code) in [(true, 0), (false, 1)] {
        let plan = Arc::new(Plan::honest());
        let outcome = with_scene(source, honest, |scene| scene.run(&plan));
        assert_sound(&outcome, &format!("{source:?}"));
        assert_eq!(outcome.ran.code, code, "{source:?}: {:#?}", outcome.ran);
        if code == 1 {
            return plan.seen();
        }
    }
    unreachable!()
}

fn at_every_request(source: Source) {
    let count = requests(source);
    assert!(count >= 1, "{source:?}: no request");
    let mut trials: Vec<(String, Box<dyn FnOnce() + Send>)> = Vec::new();
    // A third of all, so that each fault meets each source and each request some fault; the scheduled run takes all.
    let takes_all = std::env::var_os("CVM_VERIFY_TEST_EVERY_FAULT").is_some();
    for number in 1..=count {
        for (index, fault) in Fault::ALL.into_iter().enumerate() {
            if !takes_all && count >= 3 && (number + index) % 3 != 0 {
                continue;
            }
            let name = format!("{source:?}, request {number}, {fault:?}");
            // A fault that passes: an honest deployment is not accused, and a harmless one changes nothing.
            let what = format!("{name}, honest");
            trials.push((
                what.clone(),
                Box::new(move || {
                    let plan = Arc::new(Plan::once(fault, number));
                    let outcome = with_scene(source, true, |scene| scene.run(&plan));
                    assert_sound(&outcome, &what);
                    assert_ne!(outcome.ran.code, 1, "{what}: {:#?}", outcome.ran);
                    if fault.is_harmless() {
                        assert_eq!(outcome.ran.code, 0, "{what}: {:#?}", outcome.ran);
                    }
                }),
            ));
            // One that stays: a deployment that lies does not pass.
            let what = format!("{name} and from there on, lying");
            trials.push((
                what.clone(),
                Box::new(move || {
                    let plan = Arc::new(Plan::from(fault, number));
                    let outcome = with_scene(source, false, |scene| scene.run(&plan));
                    assert_sound(&outcome, &what);
                    assert_ne!(outcome.ran.code, 0, "{what}: {:#?}", outcome.ran);
                }),
            ));
        }
    }
    all(trials);
}

#[test]
fn at_every_request_to_an_app_and_its_pccs() {
    at_every_request(Source::App);
}

#[test]
fn at_every_request_to_a_guest_agent() {
    at_every_request(Source::GuestAgent);
}

#[test]
fn at_every_request_to_phala_cloud() {
    at_every_request(Source::PhalaCloud);
}

#[test]
fn at_every_request_of_a_second_opinion() {
    at_every_request(Source::Both);
}

/// Another instance answers from the n-th request on: the same app, and one that lies.
#[test]
fn an_instance_that_changes_in_mid_run_is_passed_for_no_other() {
    let count = requests(Source::App);
    let expected = hex::encode(Cvm::healthy(&World::default()).compose_hash());
    for number in 1..=count {
        for (before, after) in [
            (lying(), Cvm::healthy(&World::default())),
            (Cvm::healthy(&World::default()), lying()),
        ] {
            let mut after = after;
            after.instance_id = vec![0x77; 20];
            let scene = Scene::new(Source::App, before);
            let deployment = Arc::clone(&scene.deployment);
            let plan = Plan::call(number, move || deployment.app.replace(after.clone()));
            let outcome = scene.run(&Arc::new(plan));
            let what = format!("request {number}");
            assert_sound(&outcome, &what);
            let measured = outcome.report.targets[0].measurements.compose_hash.as_deref();
            assert!(
                outcome.ran.code != 0 || measured == Some(&expected),
                "{what}: {measured:?}"
            );
        }
    }
}
