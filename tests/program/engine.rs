//! The engine, as another Rust program uses it.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use super::governed;
use cvm_verify::collateral::Sources;
use cvm_verify::engine::{
    AskedNodes, Cancelled, Computation, Deployment, Progress, Run, Session, TrustRoots, verify,
};
use cvm_verify::net::{Client, Transport};
use cvm_verify::source::chain::Nodes;
use cvm_verify_core::policy::{Expected, OsImagePolicy};
use cvm_verify_core::{CheckId, Origin, Policy, Status, TargetReport, TrustRoot, Verdict};
use simulator::{AppServer, ChainServer, Cvm, PccsServer, World};
use tokio::time::Instant;
use url::Url;

struct Simulated {
    app: AppServer,
    pccs: PccsServer,
    compose_hash: [u8; 32],
}

impl Simulated {
    fn healthy() -> Self {
        let cvm = Cvm::healthy(&World::default());
        Self {
            pccs: PccsServer::http(cvm.world.clone()),
            compose_hash: cvm.compose_hash(),
            app: AppServer::http(cvm),
        }
    }

    fn session(&self) -> Arc<Session> {
        let client = Client::new(&Transport {
            allow_private_network: true,
            ..Transport::default()
        });
        Arc::new(Session {
            sources: Sources::only(&Url::parse(&self.pccs.url().to_string()).unwrap()),
            roots: TrustRoots {
                quote: TrustRoot::custom(World::default().root_pem().as_bytes()).unwrap(),
                ..TrustRoots::default()
            },
            now: || simulator::DEFAULT_NOW,
            clock_floor: 0,
            ..Session::new(client.unwrap())
        })
    }

    fn deployment(&self, name: &str, compose_hash: [u8; 32]) -> Deployment {
        let policy = Policy {
            compose_hash: Some(Expected {
                value: compose_hash,
                origin: Origin::Option("the test"),
            }),
            os_image: OsImagePolicy::Unchecked,
            ..Policy::default()
        };
        Deployment::app(name, &self.app.url().to_string(), policy).unwrap()
    }
}

#[track_caller]
fn assert(report: &TargetReport, id: CheckId, status: Status, reason: Option<&str>) {
    let check = report.checks.iter().find(|check| check.id == id).unwrap();
    assert_eq!(
        (check.status, check.reason.as_deref()),
        (status, reason),
        "{check:?}"
    );
}

#[tokio::test]
async fn each_deployment_has_its_report_in_the_order_that_was_asked_for() {
    let simulated = Simulated::healthy();
    let session = simulated.session();
    let deployments = vec![
        simulated.deployment("right", simulated.compose_hash),
        simulated.deployment("wrong", [7; 32]),
    ];
    let mut told = Vec::new();
    let reports = verify(
        &session,
        deployments,
        &Run::default(),
        |progress| told.push(progress),
        std::future::pending(),
    )
    .await
    .unwrap();
    let names: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
    assert_eq!(names, ["right", "wrong"]);
    assert(&reports[0], CheckId::QuoteSignature, Status::Pass, None);
    assert(&reports[0], CheckId::ComposeHash, Status::Pass, None);
    assert(&reports[1], CheckId::QuoteSignature, Status::Pass, None);
    assert(
        &reports[1],
        CheckId::ComposeHash,
        Status::Fail,
        Some("compose-hash-mismatch"),
    );
    let Progress { done, total, .. } = told.pop().unwrap();
    assert_eq!((done, total), (2, 2));
}

/// Holds the first judging until another target has its report and a timer has fired.
struct Gate {
    state: Mutex<GateState>,
    opens: Condvar,
}

struct GateState {
    /// The thread of the runtime, which must never wait.
    runtime: Option<ThreadId>,
    is_taken: bool,
    open_reasons: u32,
    was_opened: bool,
}

static GATE: Gate = Gate {
    state: Mutex::new(GateState {
        runtime: None,
        is_taken: false,
        open_reasons: 0,
        was_opened: false,
    }),
    opens: Condvar::new(),
};

impl Gate {
    fn open(&self) {
        self.state.lock().unwrap().open_reasons += 1;
        self.opens.notify_all();
    }

    /// The clock of the session, which is also read when a target is judged.
    fn now() -> u64 {
        let mut state = GATE.state.lock().unwrap();
        if state.runtime == Some(std::thread::current().id()) || state.is_taken {
            return simulator::DEFAULT_NOW;
        }
        state.is_taken = true;
        let is_shut = |state: &mut GateState| state.open_reasons < 2;
        let long = Duration::from_secs(120);
        let (mut state, waited) = GATE.opens.wait_timeout_while(state, long, is_shut).unwrap();
        state.was_opened = !waited.timed_out();
        simulator::DEFAULT_NOW
    }
}

/// A host chooses how long its document takes to be judged.
#[tokio::test]
async fn a_target_that_takes_long_to_judge_holds_up_no_other_and_no_timer() {
    GATE.state.lock().unwrap().runtime = Some(std::thread::current().id());
    let simulated = Simulated::healthy();
    let session = Arc::into_inner(simulated.session()).unwrap();
    let session = Arc::new(Session {
        now: Gate::now,
        computation: Computation::at_once(NonZeroUsize::new(2).unwrap()),
        ..session
    });
    let deployments = ["one", "other"].map(|name| simulated.deployment(name, [7; 32]));
    let timer = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        GATE.open();
        std::future::pending::<()>().await;
    };
    let mut is_first = true;
    let told = |progress: Progress| {
        if progress.done == 1 && std::mem::take(&mut is_first) {
            GATE.open();
        }
    };
    let reports = verify(&session, deployments.into(), &Run::default(), told, timer).await;
    for report in reports.unwrap() {
        assert(
            &report,
            CheckId::ComposeHash,
            Status::Fail,
            Some("compose-hash-mismatch"),
        );
    }
    let state = GATE.state.lock().unwrap();
    assert!(state.is_taken && state.was_opened);
}

#[tokio::test]
async fn a_run_that_is_cancelled_decides_nothing() {
    let simulated = Simulated::healthy();
    let session = simulated.session();
    let deployments = vec![simulated.deployment("app", simulated.compose_hash)];
    let how = Run::default();
    let ended = verify(&session, deployments, &how, |_| {}, std::future::ready(()));
    assert_eq!(ended.await.unwrap_err(), Cancelled);
}

#[tokio::test]
async fn what_has_no_result_at_the_deadline_is_inconclusive() {
    let simulated = Simulated::healthy();
    let session = simulated.session();
    let deployments = vec![simulated.deployment("app", simulated.compose_hash)];
    let how = Run {
        deadline: Some(Instant::now()),
        ..Run::default()
    };
    let reports = verify(&session, deployments, &how, |_| {}, std::future::pending())
        .await
        .unwrap();
    assert_eq!(reports[0].verdict, Verdict::Inconclusive);
    assert(
        &reports[0],
        CheckId::Evidence,
        Status::Error,
        Some("deadline-reached"),
    );
}

/// One answer does not show how many run, and nothing that passes hides that.
#[tokio::test]
async fn a_number_of_instances_is_not_determined_where_the_source_lists_none() {
    let simulated = Simulated::healthy();
    let mut app = simulated.deployment("app", simulated.compose_hash);
    Arc::make_mut(&mut app.policy).min_instances = NonZeroU32::new(3);
    let session = simulated.session();
    let how = Run::default();
    let reports = verify(&session, vec![app], &how, |_| {}, std::future::pending());
    let reports = reports.await.unwrap();
    assert_eq!(reports.len(), 2);
    assert(&reports[0], CheckId::ComposeHash, Status::Pass, None);
    let unnamed = Some("unnamed-instances");
    assert(&reports[1], CheckId::Evidence, Status::Error, unnamed);
    let worst = Verdict::worst(reports.iter().map(|report| report.verdict));
    assert_eq!(worst, Verdict::Inconclusive);
}

/// Whoever gives two nodes to a session and names a contract wants it to be asked about.
#[tokio::test]
async fn nodes_are_asked_about_the_contracts_that_a_policy_names() {
    let simulated = Simulated::healthy();
    let cvm = Cvm::healthy(&World::default());
    let nodes = [(); 2].map(|()| ChainServer::http(governed::chain()));
    let asked = || nodes.each_ref().map(|node| !node.requests().is_empty());
    let urls = nodes.each_ref().map(|node| node.url().to_string());
    let session = Arc::new(Session {
        nodes: Some(Nodes::parse(urls.iter().map(String::as_str)).unwrap()),
        ..Arc::into_inner(simulated.session()).unwrap()
    });
    let mut app = simulated.deployment("app", simulated.compose_hash);
    let policy = Arc::make_mut(&mut app.policy);
    let origin = Origin::Option("the test");
    policy.governance.chain_id = Some(Expected { value: 8453, origin });
    let origin = Origin::Option("the test");
    let value = cvm.app_id_bytes().try_into().unwrap();
    policy.app_id = Some(Expected { value, origin });
    let none = Deployment {
        nodes: AskedNodes::None,
        ..app.clone()
    };
    for (deployment, is_asked) in [(none, false), (app, true)] {
        let how = Run::default();
        let run = verify(&session, vec![deployment], &how, |_| {}, std::future::pending());
        assert_eq!(run.await.unwrap().len(), 1);
        assert_eq!(asked(), [is_asked; 2]);
    }
}

#[test]
fn an_address_that_anybody_on_the_way_could_answer_for_is_refused() {
    for address in [
        "http://app.example",
        "https://user:secret@app.example",
        "app.example",
    ] {
        let error = Deployment::app("app", address, Policy::default())
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("not an https URL") && !error.contains("secret"),
            "{error}"
        );
    }
}
