//! What is looked up of who built the images of one deployment.

use cvm_verify::engine::{Computation, LookupLimits, StatementLookups, TimeLimits};
use cvm_verify::net::{Client, Transport};
use cvm_verify::source::registry::RegistryCredentials;
use cvm_verify_core::checks::Sought;
use cvm_verify_core::evidence::{LookupProblemKind, StatementSource};
use cvm_verify_core::policy::SourcePolicy;
use serde_json::json;
use simulator::{ImageRegistry, RegistryWays};

use crate::{MIB, takes_at_most};

/// The images of one deployment, and the statements about each, as many and as large as are read.
const IMAGES: usize = 64;
const STATEMENTS: usize = 30;

fn registry_that_pads() -> (ImageRegistry, String) {
    let registry = ImageRegistry::start(RegistryWays::Specified);
    let digest = registry.push_image("web");
    for number in 0..STATEMENTS {
        let padding = "x".repeat(MIB - 100);
        registry.attach(&digest, &json!({ "number": number, "padding": padding }));
    }
    (registry, digest)
}

/// 64 images with 30 statements of 1 MiB each: 1,920 MiB.
#[test]
fn t85_the_statements_about_all_images_of_a_deployment_are_held_in_64_mib() {
    let _alone = crate::alone();
    let (registry, digest) = registry_that_pads();
    let hex = digest.trim_start_matches("sha256:");
    let sought: Vec<Sought> = (0..IMAGES)
        .map(|number| Sought {
            image: format!("{}/example/web{number}@{digest}", registry.host()),
            digest: <[u8; 32]>::try_from(hex::decode(hex).unwrap()).unwrap(),
            repository: "example/web".to_owned(),
            signature_suffices: false,
            from: vec![StatementSource::Registry],
            via_buildkit: false,
        })
        .collect();
    let client = Client::new(&Transport {
        allow_private_network: true,
        ..Transport::default()
    });
    let client = client.unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    // The server is a part of this process: what it sends counts, too.
    takes_at_most(160, [("statements of 1 MiB", sought)], |sought| {
        let lookups = StatementLookups::new(None, None, RegistryCredentials::default());
        let policy = SourcePolicy::default();
        let limits = LookupLimits::of(TimeLimits::default());
        let computation = Computation::default();
        let found = lookups.look_up(
            &client,
            &computation,
            sought.clone(),
            &policy,
            simulator::DEFAULT_NOW,
            limits,
        );
        let found = runtime.block_on(found);
        assert_eq!(found.len(), IMAGES);
        let bundles = found.iter().flat_map(|one| &one.bundles);
        let bytes: usize = bundles.map(|bundle| bundle.get().len()).sum();
        assert!((56 * MIB..=64 * MIB).contains(&bytes), "{bytes} bytes are held");
        let cut = |kind| kind == LookupProblemKind::TooManyStatements;
        let kinds = found
            .iter()
            .filter_map(|one| one.problem.as_ref())
            .map(|problem| problem.kind);
        assert!(kinds.filter(|kind| cut(*kind)).count() >= IMAGES - 3);
    });
}
