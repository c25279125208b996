//! Who built the images, from the images' own registry: servers that imitate GHCR, Docker Hub and ECR.

use cvm_verify_core::report::CheckId::SourceProvenance;
use cvm_verify_core::report::Status::{Error, Fail, Pass};
use serde_json::{Value, json};
use simulator::server::RegistryAccess;
use simulator::{Cvm, ImageRegistry, RegistryWays, Scripted, ScriptedServer, Sigstore, Workflow, World};

use super::deployment::Deployment;
use super::run::{Ran, run, run_in};

const BUILT: u64 = 1_700_000_000;
pub const NAME: &str = "example/web";
const ALL: [RegistryWays; 4] = [
    RegistryWays::Specified,
    RegistryWays::Ghcr,
    RegistryWays::DockerHub,
    RegistryWays::Ecr,
];

fn sigstore() -> Sigstore {
    Sigstore::new(7, BUILT)
}

fn hex_of(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}

/// Provenance of a digest, signed by the workflow.
pub fn provenance(workflow: &Workflow, digest: &str) -> Value {
    sigstore().sign(workflow, &workflow.provenance("image", hex_of(digest)))
}

/// What cosign states of a digest.
fn signature(workflow: &Workflow, digest: &str) -> Value {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": hex_of(digest) } }],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    });
    sigstore().sign(workflow, &statement)
}

/// A deployment of images (NAME@sha256:HEX), and the rules that are verified.
pub struct Release {
    pub deployment: Deployment,
    compose_hash: String,
}

impl Release {
    pub fn of(images: &[String]) -> Self {
        let services = images.iter().enumerate();
        let services = services.map(|(number, image)| format!("  s{number}:\n    image: {image}\n"));
        Self::of_services(&services.collect::<String>())
    }

    fn of_services(services: &str) -> Self {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.app_compose = simulator::app_compose::app_compose(&format!("services:\n{services}"));
        let cvm = super::provenance::without_script(cvm);
        let compose_hash = hex::encode(cvm.compose_hash());
        let deployment = Deployment::of(cvm);
        std::fs::write(
            deployment.path("trusted_root.json"),
            sigstore().trusted_root().to_string(),
        )
        .unwrap();
        Self {
            deployment,
            compose_hash,
        }
    }

    fn verify(&self, rule: &str, more: &[&str]) -> Ran {
        self.verify_in(rule, more, &[])
    }

    pub fn verify_in(&self, rule: &str, more: &[&str], env: &[(&str, &str)]) -> Ran {
        let file = self.deployment.path("cvm-verify.toml");
        let url = self.deployment.app.url();
        let text = format!(
            "[[target]]\nname = \"shop\"\nurl = \"{url}\"\n[[target.images]]\nimage = \"*\"\nrepository = \"example/shop\"\n{rule}\n"
        );
        std::fs::write(&file, text).unwrap();
        let mut args = self.deployment.network_args(&[
            "verify",
            &format!("--config={file}"),
            "--format=json",
            &format!("--compose-hash={}", self.compose_hash),
        ]);
        args.extend(self.judged(more));
        run_in(&args, env, |_| {})
    }

    fn judged(&self, more: &[&str]) -> Vec<String> {
        let mut args = vec![format!(
            "--sigstore-root={}",
            self.deployment.path("trusted_root.json")
        )];
        args.extend(self.deployment.expect()[1..].iter().cloned());
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        args
    }
}

pub fn image(registry: &ImageRegistry, digest: &str) -> String {
    format!("{}/{NAME}@{digest}", registry.host())
}

pub const REGISTRY: &str = "from = \"registry\"";

#[test]
fn each_registry_shows_its_bundles_in_its_own_way() {
    for ways in ALL {
        let registry = ImageRegistry::start(ways);
        let digest = registry.push_image("web");
        registry.attach(&digest, &provenance(&Workflow::default(), &digest));
        let release = Release::of(&[image(&registry, &digest)]);
        let ran = release.verify(REGISTRY, &[]);
        ran.assert(SourceProvenance, Pass, None);
        // A token goes to the registry alone, and GHCR's page is not visited.
        for request in registry.blob_requests() {
            assert_eq!(request.header("authorization"), None, "{ways:?}");
        }
        let elsewhere = matches!(ways, RegistryWays::Ghcr | RegistryWays::DockerHub);
        assert_eq!(!registry.blob_requests().is_empty(), elsewhere, "{ways:?}");
    }
}

#[test]
fn what_is_signed_by_others_and_what_is_missing_fails_for_its_reason() {
    for ways in ALL {
        let registry = ImageRegistry::start(ways);
        let bare = registry.push_image("bare");
        let ran = Release::of(&[image(&registry, &bare)]).verify(REGISTRY, &[]);
        ran.assert(SourceProvenance, Fail, Some("no-provenance"));

        let digest = registry.push_image("web");
        let evil = Workflow {
            repository: "evil/shop".to_owned(),
            ..Workflow::default()
        };
        registry.attach(&digest, &provenance(&evil, &digest));
        let ran = Release::of(&[image(&registry, &digest)]).verify(REGISTRY, &[]);
        ran.assert(SourceProvenance, Fail, Some("other-repository"));

        let other = registry.push_image("other");
        registry.attach(&other, &provenance(&Workflow::default(), &digest));
        let ran = Release::of(&[image(&registry, &other)]).verify(REGISTRY, &[]);
        ran.assert(SourceProvenance, Fail, Some("other-subject"));
    }
}

#[test]
fn the_statement_of_an_index_or_of_its_one_manifest_counts_and_never_that_of_a_parent() {
    let registry = ImageRegistry::start(RegistryWays::Ghcr);
    let (amd, arm) = (registry.push_image("amd64"), registry.push_image("arm64"));
    let index = registry.push_index(&[(&amd, "linux", "amd64"), (&arm, "linux", "arm64")]);
    registry.attach(&amd, &provenance(&Workflow::default(), &amd));
    let ran = Release::of(&[image(&registry, &index)]).verify(REGISTRY, &[]);
    ran.assert(SourceProvenance, Pass, None);
    // The one for another platform does not run.
    let other = registry.push_index(&[(&arm, "linux", "amd64"), (&amd, "linux", "arm64")]);
    let ran = Release::of(&[image(&registry, &other)]).verify(REGISTRY, &[]);
    ran.assert(SourceProvenance, Fail, Some("no-provenance"));
    // Two for the same platform: which of them runs is not known.
    let two = registry.push_index(&[(&amd, "linux", "amd64"), (&arm, "linux", "amd64")]);
    let ran = Release::of(&[image(&registry, &two)]).verify(REGISTRY, &[]);
    ran.assert(SourceProvenance, Fail, Some("no-provenance"));

    let registry = ImageRegistry::start(RegistryWays::Specified);
    let child = registry.push_image("child");
    let signed = registry.push_index(&[(&child, "linux", "amd64")]);
    registry.attach(&signed, &provenance(&Workflow::default(), &signed));
    Release::of(&[image(&registry, &signed)])
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Pass, None);
    Release::of(&[image(&registry, &child)])
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Fail, Some("no-provenance"));
}

/// What `platform` chooses from an index may hold programs of any platform.
#[test]
fn a_container_of_another_platform_runs_what_is_attested_of_the_whole_index_alone() {
    let registry = ImageRegistry::start(RegistryWays::Specified);
    let (amd, arm) = (registry.push_image("amd64"), registry.push_image("arm64"));
    let index = registry.push_index(&[(&amd, "linux", "amd64"), (&arm, "linux", "arm64")]);
    registry.attach(&amd, &provenance(&Workflow::default(), &amd));
    let whole = registry.push_index(&[(&arm, "linux", "arm64"), (&amd, "linux", "amd64")]);
    registry.attach(&whole, &provenance(&Workflow::default(), &whole));
    for (digest, platform, reason) in [
        (&index, "linux/amd64", None),
        (&index, "linux/x86_64", None),
        (&index, "linux/arm64", Some("other-subject")),
        (&whole, "linux/arm64", None),
    ] {
        let image = format!("    image: {}\n", image(&registry, digest));
        let status = if reason.is_some() { Fail } else { Pass };
        Release::of_services(&format!("  web:\n{image}    platform: {platform}\n"))
            .verify(REGISTRY, &[])
            .assert(SourceProvenance, status, reason);
    }
}

/// An image with BuildKit's attestation: the index, the attestation's manifest, the image.
fn with_attestation(registry: &ImageRegistry, about: Option<&str>) -> (String, String, String) {
    let child = registry.push_image("built");
    let mut provenance = Workflow::default().provenance("image", hex_of(about.unwrap_or(&child)));
    provenance["predicate"]["buildDefinition"]["buildType"] = json!("https://mobyproject.org/buildkit@v1");
    let layer = registry.push_blob(&provenance.to_string());
    let attestation = registry.push(&json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "layers": [{
            "mediaType": "application/vnd.in-toto+json", "digest": layer, "size": 2,
            "annotations": { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v1" },
        }],
    }));
    let entry = |digest: &str, os: &str, architecture: &str| {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 2,
            "platform": { "os": os, "architecture": architecture },
        })
    };
    let mut attests = entry(&attestation, "unknown", "unknown");
    attests["annotations"] = json!({
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": child,
    });
    let index = registry.push(&json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry(&child, "linux", "amd64"), attests],
    }));
    (index, attestation, child)
}

#[test]
fn buildkits_attestation_counts_where_the_workflow_signed_it_and_the_rule_says_so() {
    let via = "from = \"registry\"\nvia = \"buildkit\"";
    let registry = ImageRegistry::start(RegistryWays::DockerHub);
    let (index, attestation, child) = with_attestation(&registry, None);
    let release = Release::of(&[image(&registry, &index)]);
    let unsigned = release.verify(via, &[]);
    unsigned.assert(SourceProvenance, Fail, Some("no-provenance"));
    let detail = unsigned.check(SourceProvenance).detail;
    assert!(detail.contains("provenance that nobody signed"), "{detail}");

    registry.attach(&attestation, &signature(&Workflow::default(), &attestation));
    let evidence = release.deployment.path("evidence.json");
    let live = release.verify(via, &[&format!("--evidence={evidence}")]);
    live.assert(SourceProvenance, Pass, None);
    // What was fetched decides again, without the registry.
    let asked = registry.requests().len();
    let rules = release.deployment.path("cvm-verify.toml");
    let mut args = vec![
        "replay".to_owned(),
        evidence,
        "--format=json".to_owned(),
        format!("--config={rules}"),
        format!("--compose-hash={}", release.compose_hash),
        format!("--insecure-trust-root={}", release.deployment.path("root.pem")),
    ];
    args.extend(release.judged(&[]));
    let replayed = run(&args);
    assert_eq!(replayed.check(SourceProvenance), live.check(SourceProvenance));
    assert_eq!(registry.requests().len(), asked);

    // Without the rule's word it is about something else.
    release
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Fail, Some("no-provenance"));
    // Pinned by the manifest itself, nothing leads to the attestation.
    Release::of(&[image(&registry, &child)]).verify(via, &[]).assert(
        SourceProvenance,
        Fail,
        Some("no-provenance"),
    );

    // Provenance of another image in a signed attestation.
    let registry = ImageRegistry::start(RegistryWays::Specified);
    let other = registry.push_image("other");
    let (index, attestation, _) = with_attestation(&registry, Some(&other));
    registry.attach(&attestation, &signature(&Workflow::default(), &attestation));
    Release::of(&[image(&registry, &index)]).verify(via, &[]).assert(
        SourceProvenance,
        Fail,
        Some("other-subject"),
    );
}

#[test]
fn a_registry_that_lies_is_no_answer() {
    let registry = ImageRegistry::start(RegistryWays::Specified);
    // A list with the manifest of another digest's bundle.
    let (web, other) = (registry.push_image("web"), registry.push_image("other"));
    registry.attach_to(&web, &other, &provenance(&Workflow::default(), &other));
    let ran = Release::of(&[image(&registry, &web)]).verify(REGISTRY, &[]);
    ran.assert(SourceProvenance, Error, Some("malformed-answer"));
    // Other bytes under a bundle's digest.
    let swapped = registry.push_image("swapped");
    let right = provenance(&Workflow::default(), &swapped);
    registry.attach(&swapped, &right);
    registry.swap_blob(&registry.push_blob(&right.to_string()), "{}");
    let ran = Release::of(&[image(&registry, &swapped)]).verify(REGISTRY, &[]);
    ran.assert(SourceProvenance, Error, Some("malformed-answer"));
    // A right bundle beside a wrong one counts.
    registry.attach(&web, &provenance(&Workflow::default(), &web));
    Release::of(&[image(&registry, &web)])
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Pass, None);
    // An image that it does not show.
    let missing = format!("{}/{NAME}@sha256:{}", registry.host(), "11".repeat(32));
    Release::of(&[missing])
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Error, Some("cannot-see"));
    // More than is read.
    let many = registry.push_image("many");
    for number in 0..31 {
        let workflow = Workflow {
            commit: format!("{number:040}"),
            repository: "evil/shop".to_owned(),
            ..Workflow::default()
        };
        registry.attach(&many, &provenance(&workflow, &many));
    }
    Release::of(&[image(&registry, &many)])
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Error, Some("too-many-statements"));
}

#[test]
fn a_list_of_several_pages_is_read_to_its_end_and_not_further_than_its_limit() {
    let paged = |page| {
        let door = RegistryAccess {
            page,
            ..RegistryAccess::OPEN
        };
        ImageRegistry::behind(door, RegistryWays::Specified)
    };
    let evil = |number: usize| Workflow {
        commit: format!("{number:040}"),
        repository: "evil/shop".to_owned(),
        ..Workflow::default()
    };
    // The right one is on the third page.
    let registry = paged(2);
    let web = registry.push_image("web");
    for number in 0..4 {
        registry.attach(&web, &provenance(&evil(number), &web));
    }
    registry.attach(&web, &provenance(&Workflow::default(), &web));
    Release::of(&[image(&registry, &web)])
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Pass, None);
    let pages = registry.requests().into_iter();
    let pages = pages
        .filter(|request| request.path().contains("/referrers/"))
        .count();
    assert_eq!(pages, 3);
    // More pages than are read, and none of what was read is the expected one.
    let registry = paged(1);
    let web = registry.push_image("web");
    for number in 0..9 {
        registry.attach(&web, &provenance(&evil(number), &web));
    }
    Release::of(&[image(&registry, &web)])
        .verify(REGISTRY, &[])
        .assert(SourceProvenance, Error, Some("too-many-statements"));
    // A next page of another list is not followed and not forgotten.
    for link in [
        "</v2/evil/referrers/x>; rel=\"next\"",
        "<http://127.0.0.1:9/>; rel=\"next\"",
    ] {
        let list = "{\"manifests\":[]}";
        let server = ScriptedServer::http(move |request| match request.path().contains("/referrers/") {
            true => Scripted::json(list).header("Link", link),
            false => Scripted::json("{}"),
        });
        let host = server.url().trim_start_matches("http://").to_owned();
        let digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        let ran = Release::of(&[format!("{host}/{NAME}@sha256:{digest}")]).verify(REGISTRY, &[]);
        ran.assert(SourceProvenance, Error, Some("malformed-answer"));
        let detail = ran.check(SourceProvenance).detail;
        assert!(
            detail.contains("as the next page of its list of referrers"),
            "{detail}"
        );
    }
}

#[test]
fn a_registry_that_refuses_says_why() {
    for (status, header, reason) in [
        (401, Some(("WWW-Authenticate", "Basic realm=\"x\"")), "api-denied"),
        (
            401,
            Some(("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:9/token\"")),
            "api-denied",
        ),
        (401, None, "api-denied"),
        (403, None, "api-denied"),
        (429, Some(("Retry-After", "77")), "rate-limited"),
        (503, None, "unreachable"),
        (302, Some(("Location", "http://127.0.0.1:9/")), "malformed-answer"),
    ] {
        let server = ScriptedServer::http(move |_| {
            let answer = Scripted::of(status, "application/json", b"{}".to_vec());
            match header {
                Some((name, value)) => answer.header(name, value),
                None => answer,
            }
        });
        let host = server.url().trim_start_matches("http://").to_owned();
        let release = Release::of(&[format!("{host}/{NAME}@sha256:{}", "11".repeat(32))]);
        let ran = release.verify(REGISTRY, &[]);
        ran.assert(SourceProvenance, Error, Some(reason));
        let detail = ran.check(SourceProvenance).detail;
        assert!(status != 429 || detail.contains("77 seconds"), "{detail}");
    }
}

#[test]
fn old_signatures_of_cosign_are_named() {
    let registry = ImageRegistry::start(RegistryWays::DockerHub);
    let digest = registry.push_image("old");
    registry.tag(&format!("{}.sig", digest.replace(':', "-")));
    let ran = Release::of(&[image(&registry, &digest)]).verify(REGISTRY, &[]);
    ran.assert(SourceProvenance, Error, Some("legacy-signature"));
}

#[test]
fn the_registry_is_asked_after_github_where_that_has_none() {
    let registry = ImageRegistry::start(RegistryWays::Ghcr);
    let digest = registry.push_image("web");
    registry.attach(&digest, &provenance(&Workflow::default(), &digest));
    let release = Release::of(&[image(&registry, &digest)]);
    let both = "from = [\"github-api\", \"registry\"]";
    let empty = ScriptedServer::http(|_| Scripted::json(json!({ "attestations": [] })));
    let unseen = ScriptedServer::http(|_| Scripted::of(404, "application/json", b"{}".to_vec()));
    for api in [empty, unseen] {
        release
            .verify(both, &[&format!("--source-api-url={}", api.url())])
            .assert(SourceProvenance, Pass, None);
    }
    let asked = registry.requests().len();
    let full = digest.clone();
    let has = ScriptedServer::http(move |_| {
        Scripted::json(json!({ "attestations": [{ "bundle": provenance(&Workflow::default(), &full) }] }))
    });
    release
        .verify(both, &[&format!("--source-api-url={}", has.url())])
        .assert(SourceProvenance, Pass, None);
    assert_eq!(registry.requests().len(), asked);
}

#[test]
fn a_statement_of_another_workflow_at_github_does_not_hide_the_right_one_in_the_registry() {
    let registry = ImageRegistry::start(RegistryWays::Ghcr);
    let digest = registry.push_image("web");
    let release = Release::of(&[image(&registry, &digest)]);
    let both = "from = [\"github-api\", \"registry\"]\nworkflow = \".github/workflows/release.yml\"";
    let other = Workflow {
        path: ".github/workflows/mirror.yml".to_owned(),
        ..Workflow::default()
    };
    let full = digest.clone();
    let github = ScriptedServer::http(move |_| {
        Scripted::json(json!({ "attestations": [{ "bundle": provenance(&other, &full) }] }))
    });
    let api = format!("--source-api-url={}", github.url());
    release
        .verify(both, &[&api])
        .assert(SourceProvenance, Fail, Some("other-workflow"));
    registry.attach(&digest, &provenance(&Workflow::default(), &digest));
    release.verify(both, &[&api]).assert(SourceProvenance, Pass, None);
}

/// The rule accepts a signature, and the tier needs provenance.
#[test]
fn a_signature_at_github_does_not_hide_the_provenance_in_the_registry() {
    let registry = ImageRegistry::start(RegistryWays::Ghcr);
    let digest = registry.push_image("web");
    let workflow = Workflow::default();
    registry.attach(&digest, &provenance(&workflow, &digest));
    let signed = signature(&workflow, &digest);
    let api =
        ScriptedServer::http(move |_| Scripted::json(json!({ "attestations": [{ "bundle": signed }] })));
    let release = Release::of(&[image(&registry, &digest)]);
    let rule = "from = [\"github-api\", \"registry\"]\nworkflow = \".github/workflows/release.yml\"\nref = \"refs/tags/*\"\n\
                accept = [\"provenance\", \"signature\"]";
    let ran = release.verify(
        rule,
        &[
            &format!("--source-api-url={}", api.url()),
            "--require-assurance=code+source",
        ],
    );
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(ran.code, 0, "{ran:#?}");
}

#[test]
fn a_rule_for_an_image_without_a_digest_is_not_met() {
    let release = Release::of(&["ghcr.io/example/web:latest".to_owned()]);
    let ran = release.verify(REGISTRY, &["--image-pins=unchecked"]);
    ran.assert(SourceProvenance, Error, Some("unpinned-image"));
    assert_eq!(ran.code, 3, "{ran:#?}");
}

#[test]
fn ten_images_of_one_registry_are_looked_up_in_one_run() {
    let registry = ImageRegistry::start(RegistryWays::Ghcr);
    let images: Vec<String> = (0..10)
        .map(|number| {
            let digest = registry.push_image(&number.to_string());
            registry.attach(&digest, &provenance(&Workflow::default(), &digest));
            format!("{}/example/s{number}@{digest}", registry.host())
        })
        .collect();
    let ran = Release::of(&images).verify(REGISTRY, &[]);
    ran.assert(SourceProvenance, Pass, None);
    assert_eq!(ran.report().targets[0].sources.len(), 10);
}
