//! What an alert state remembers from run to run.

use super::*;

#[test]
fn with_a_memory_a_failure_is_told_once_also_by_two_runs_at_a_time() {
    let (sink, deployment) = (sink(), failing());
    let hook = format!("{}/hook", sink.url());
    let state = format!(
        "--state={}",
        deployment.folder.path().join("state.json").display()
    );
    let run = || verify(&deployment, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], &[&state]);
    let codes = std::thread::scope(|scope| {
        let runs = [scope.spawn(run), scope.spawn(run)];
        runs.map(|run| run.join().unwrap().code)
    });
    assert_eq!(codes, [1, 1], "the verdict is the same whoever told");
    assert_eq!(sink.count("/hook"), 1);
}

/// The state may be older than what the run that holds it has found since.
#[test]
fn a_run_that_cannot_lock_the_memory_leaves_it_and_tells_no_recovery() {
    let (sink, deployment) = (sink(), failing());
    let hook = format!("{}/hook", sink.url());
    let path = deployment.path("state.json");
    let (state, lock) = (format!("--state={path}"), format!("{path}.lock"));
    let run = || verify(&deployment, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], &[&state]);
    assert_eq!((run().code, sink.count("/hook")), (1, 1));
    let before = std::fs::read(&path).unwrap();
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    deployment.app.replace(Cvm::healthy(&World::default()));
    let ran = run();
    assert_eq!((ran.code, sink.count("/hook")), (0, 1), "{ran:#?}");
    assert!(
        ran.stderr
            .contains("it is not written, and no pass is reported as a recovery"),
        "{ran:#?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::remove_dir(&lock).unwrap();
    assert_eq!((run().code, sink.count("/hook")), (0, 2));
}

/// An app that Phala Cloud lists, and alerts with a memory.
struct ListedApp {
    deployment: Deployment,
    sink: AppServer,
    id: Vec<u8>,
}

impl ListedApp {
    fn new(cvm: &Cvm) -> Self {
        Self {
            deployment: Deployment::healthy(),
            sink: sink(),
            id: cvm.app_id_bytes(),
        }
    }

    fn name(&self) -> String {
        format!("phala-cloud/{}", hex::encode(&self.id))
    }

    fn list(&self, instances: &[Option<Cvm>]) {
        self.deployment.app.serve_file(
            &phala_cloud::path(&self.id),
            "application/json",
            phala_cloud::answer(&self.id, InstanceShape::New, instances),
        );
    }

    /// The events of a run, each with what it is of.
    fn run(&self) -> Vec<(String, String)> {
        let deployment = &self.deployment;
        let args = deployment.strict_args(&[
            "verify",
            &hex::encode(&self.id),
            "--source=phala-cloud",
            &format!("--phala-api-url={}", deployment.app.url()),
            "--freshness=unchecked",
            "--format=json",
            &format!("--state={}", deployment.path("state.json")),
        ]);
        let hook = format!("{}/hook", self.sink.url());
        let ran = run_in(&args, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], |_| {});
        let told = ran.report().alerts.into_iter().map(|alert| {
            let name = alert.detail.split(": ").next().unwrap_or_default().to_owned();
            (alert.event, name)
        });
        told.collect()
    }
}

fn said(event: &str, name: &str) -> Vec<(String, String)> {
    vec![(event.to_owned(), name.to_owned())]
}

/// Without collateral no instance proves its id: that is told of the app, and so is its end.
#[test]
fn what_is_told_while_no_instance_proves_its_id_ends_when_they_do() {
    let cvm = Cvm::healthy(&World::default());
    let mut other = cvm.clone();
    other.instance_id = vec![2; 20];
    let listed = ListedApp::new(&cvm);
    listed.list(&[Some(cvm), Some(other)]);
    listed.deployment.pccs.behave_everywhere(&Behaviour::Status(404));
    assert_eq!(listed.run(), said("inconclusive", &listed.name()));
    listed.deployment.pccs.behave_everywhere(&Behaviour::Delay(0));
    assert_eq!(listed.run(), said("recovered", &listed.name()));
    assert_eq!(listed.run(), []);
}

/// The list of an app's instances is a target of its own name: an alert that it could not be had must end with it.
#[test]
fn an_outage_of_phala_clouds_list_is_told_to_end_when_every_instance_passes() {
    let cvm = Cvm::healthy(&World::default());
    let listed = ListedApp::new(&cvm);
    let (list, run) = (
        |instances: &[Option<Cvm>]| listed.list(instances),
        || listed.run(),
    );
    let app = listed.name();
    list(&[]);
    assert_eq!(run(), said("inconclusive", &app), "evidence / no-quote");
    // One that fails is told by its own name, and the app has not recovered.
    let mut other = cvm.clone();
    other.instance_id = vec![2; 20];
    let mut lying = other.clone();
    Lie::SwappedImage.apply(&mut lying);
    list(&[Some(cvm.clone()), Some(lying.clone())]);
    let second = format!("{app} instance {}", "02".repeat(20));
    assert_eq!(run(), said("failed", &second));
    // Who lists them chooses the order: that ends nothing and is nothing new.
    list(&[Some(lying), Some(cvm.clone())]);
    assert_eq!(run(), []);
    list(&[Some(cvm.clone()), Some(other)]);
    let mut told = run();
    told.sort();
    assert_eq!(
        told,
        [said("recovered", &app), said("recovered", &second)].concat()
    );
    // And a single outage after that is no news.
    list(&[]);
    assert_eq!(run(), []);
}

/// A target that leaves the policy while it fails, or gets another name there, must not get lost by falling silent.
#[test]
fn t61_a_target_that_leaves_the_policy_while_it_fails_is_told_once() {
    let failing = failing();
    let fine = AppServer::http(Cvm::healthy(&World::default()));
    let sink = sink();
    let url = format!("{}/hook", sink.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let config = failing.path("cvm-verify.toml");
    let state = format!("--state={}", failing.path("state.json"));
    let verify = |targets: &[(&str, &str)], more: &[&str]| {
        let target = |(name, url): &(&str, &str)| format!("[[target]]\nname = \"{name}\"\nurl = \"{url}\"\n");
        std::fs::write(&config, targets.iter().map(target).collect::<String>()).unwrap();
        let args = failing.strict_args_with(
            &["verify", "--format=json", &format!("--config={config}"), &state],
            more,
        );
        sink.forget_requests();
        let ran = run_in(&args, &env, |_| {});
        let bodies: Vec<serde_json::Value> = sink
            .requests()
            .iter()
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect();
        (ran, bodies)
    };
    let (bad, good) = (failing.app.url(), fine.url());
    let both = [("shop", bad.as_str()), ("blog", good.as_str())];
    let (ran, told) = verify(&both, &[]);
    assert_eq!((ran.code, told.len()), (1, 1), "{ran:#?}");
    assert_eq!(told[0]["event"], "failed");
    // A run over some of the targets, and one over a part of them, say nothing of the others.
    assert_eq!(verify(&both, &["--target=blog"]).1.len(), 0);
    assert_eq!(verify(&both[1..], &["--shard=1/1"]).1.len(), 0);
    let (ran, told) = verify(&[("shop-2", good.as_str()), both[1]], &[]);
    assert_eq!((ran.code, told.len()), (0, 1), "{ran:#?}");
    assert_eq!(
        (told[0]["event"].as_str(), told[0]["verdict"].as_str()),
        (Some("changed"), Some("fail"))
    );
    assert_eq!(told[0]["target"]["name"], "shop");
    assert!(
        told[0]["fix"]
            .as_str()
            .unwrap()
            .contains("It is no longer verified"),
        "{told:#?}"
    );
    let (ran, told) = verify(&both[1..], &[]);
    assert_eq!((ran.code, told.len()), (0, 0), "{ran:#?}");
    // It comes back: the incident is a new one.
    assert_eq!(verify(&both, &[]).1[0]["event"], "failed");
}

/// The address changed: nothing verifies the old one, and its incident must not stay open for ever.
#[test]
fn an_address_that_nothing_verifies_any_more_is_told_once() {
    let (failing, fine, sink) = (failing(), Deployment::healthy(), sink());
    let hook = format!("{}/hook", sink.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", hook.as_str())];
    let path = failing.path("state.json");
    let state = format!("--state={path}");
    assert_eq!(verify(&failing, &env, &[&state]).code, 1);
    let told = |more: &[&str]| {
        sink.forget_requests();
        let ran = verify(&fine, &env, &[&[state.as_str()], more].concat());
        let bodies = sink.requests().into_iter().map(|request| request.body);
        let bodies: Vec<serde_json::Value> = bodies
            .map(|body| serde_json::from_slice(&body).unwrap())
            .collect();
        assert!(
            bodies.iter().all(|body| body["event"] == "changed"),
            "{ran:#?} {bodies:#?}"
        );
        bodies.len()
    };
    assert_eq!(told(&[]), 0);
    let mut known: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for target in known["targets"].as_object_mut().unwrap().values_mut() {
        target["seen"] = (target["seen"].as_u64().unwrap() - 15 * 24 * 3600).into();
    }
    std::fs::write(&path, known.to_string()).unwrap();
    assert_eq!(told(&["--shard=1/1"]), 0, "another shard may verify it");
    assert_eq!([told(&[]), told(&[])], [1, 0]);
}

/// The runners of a CI check a repository out in folders of their own.
#[test]
fn a_target_is_the_same_in_every_checkout_of_its_policy_file() {
    let failing = failing();
    let sink = sink();
    let url = format!("{}/hook", sink.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let state = format!("--state={}", failing.path("state.json"));
    for (checkout, told) in [("runner-1", 1), ("runner-2", 0)] {
        let root = failing.folder.path().join(checkout);
        std::fs::create_dir_all(root.join(".git")).unwrap();
        let config = root.join("fleet.toml");
        let text = format!("[[target]]\nname = \"shop\"\nurl = \"{}\"\n", failing.app.url());
        std::fs::write(&config, text).unwrap();
        let args = failing.strict_args(&["verify", &format!("--config={}", config.display()), &state]);
        sink.forget_requests();
        let ran = run_in(&args, &env, |_| {});
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert_eq!(sink.count("/hook"), told, "{checkout}: {ran:#?}");
    }
}
