//! The four ways in which TLS ends, as the simulator's `--tls` serves them, and a relay in front of each.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{SideTier, TlsRoute};
use simulator::server::TlsWay;
use simulator::{Cvm, Guest, World};

use super::deployment::Deployment;
use super::run::{Ran, run};
use super::tls::{grants_nothing, now};

fn verified(guest: Guest, way: TlsWay, relayed: bool, more: &[&str]) -> Ran {
    let cvm = Cvm::of_generation(&World::default(), guest);
    let deployment = Deployment::of(cvm.clone());
    let mut args = deployment.network_args_with(&["verify", "--format=json"], more);
    args.extend(cvm.expectations());
    let served = way.serve(cvm, now(), relayed);
    if let Some(pem) = &served.ca_pem {
        std::fs::write(deployment.folder.path().join("ca.pem"), pem).unwrap();
        args.push(format!("--ca-file={}", deployment.path("ca.pem")));
    }
    args.push(served.server.localhost_url());
    run(&args)
}

/// What a user asks for who knows how TLS ends.
fn asked(way: TlsWay) -> Vec<String> {
    let tier = match way {
        TlsWay::Ingress => "code+endpoint-replayable",
        TlsWay::Gateway | TlsWay::RaTls | TlsWay::AppKey => "code+endpoint",
    };
    let mut args = vec![format!("--require-assurance={tier}")];
    if way != TlsWay::Gateway {
        args.push(format!("--tls-binding={}", way.name()));
    }
    args
}

#[test]
fn the_simulator_ends_tls_in_four_ways_and_each_grants_what_it_can() {
    for (way, guest, granted, route) in [
        (TlsWay::Gateway, Guest::V0_5_5, None, TlsRoute::Unknown),
        (
            TlsWay::RaTls,
            Guest::V0_5_5,
            Some(SideTier::Endpoint),
            TlsRoute::AppRatls,
        ),
        (
            TlsWay::RaTls,
            Guest::V0_6_0,
            Some(SideTier::Endpoint),
            TlsRoute::AppRatls,
        ),
        (
            TlsWay::AppKey,
            Guest::V0_5_5,
            Some(SideTier::Endpoint),
            TlsRoute::AppKey,
        ),
        (
            TlsWay::Ingress,
            Guest::V0_5_5,
            Some(SideTier::EndpointReplayable),
            TlsRoute::Ingress,
        ),
    ] {
        let args = asked(way);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = verified(guest, way, false, &args);
        assert_eq!(ran.report().targets[0].tls_route, Some(route), "{way:?}");
        match granted {
            Some(_) => {
                assert_eq!(ran.code, 0, "{way:?}: {ran:#?}");
                ran.assert(TlsBinding, Pass, None);
                assert_eq!(ran.check(TlsBinding).grants, granted, "{way:?}");
            }
            None => {
                assert_eq!(ran.code, 3, "{way:?}: {ran:#?}");
                ran.assert(TlsBinding, Error, Some("unbound"));
                // Ingress never grants `endpoint`, which was required.
                let fix = ran.check(TlsBinding).fix.clone().unwrap_or_default();
                assert!(
                    fix.contains("mode `ratls`") && !fix.contains("mode `ingress`"),
                    "{fix}"
                );
                grants_nothing(&ran);
            }
        }
        // Nobody asks for a tier: found out, and never failed.
        let ran = verified(guest, way, false, &[]);
        assert_eq!(ran.code, 0, "{way:?}: {ran:#?}");
        assert_eq!(ran.check(TlsBinding).grants, granted, "{way:?}");
    }
}

#[test]
fn t26_a_relay_before_each_way_never_binds() {
    for (way, status, reason) in [
        (TlsWay::Gateway, Error, "unbound"),
        (TlsWay::RaTls, Fail, "ratls-no-evidence"),
        (TlsWay::AppKey, Fail, "key-mismatch"),
        (TlsWay::Ingress, Fail, "ingress-key-differs"),
    ] {
        let args = asked(way);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = verified(Guest::V0_5_5, way, true, &args);
        ran.assert(TlsBinding, status, Some(reason));
        assert_eq!(ran.code, if status == Fail { 1 } else { 3 }, "{way:?}");
        grants_nothing(&ran);
    }
}
