//! A Sigstore instance: a certificate authority, a certificate transparency log and a transparency log, and what a workflow of
//! GitHub Actions signs with them. Each log has one entry. An instance may lack the logs, and have a timestamp authority.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    asn1,
    keys::Key,
    timestamps::Authority,
    x509::{self, Contents, Party, USAGE_CA, extension},
};

/// A day, in seconds.
const DAY: u64 = 86_400;
const CA: &str = "Simulated Fulcio";
const CT_LOG: &str = "Simulated CT log";
const LOG: &str = "Simulated Rekor";
/// Host of the transparency log: the origin of its checkpoints.
const LOG_HOST: &str = "rekor.simulator.example";
/// Fulcio's extensions.
const FULCIO: &str = "1.3.6.1.4.1.57264.1";
/// Embedded signed certificate timestamps (RFC 6962 §3.3).
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";
/// The type of an envelope's payload.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A Sigstore instance.
#[derive(Debug, Clone)]
pub struct Sigstore {
    /// Every key comes from it.
    pub seed: u64,
    /// When everything is signed, Unix seconds.
    pub at: u64,
    /// The organisation of its certificate authority.
    pub organization: &'static str,
    /// Whether signatures are in its transparency log.
    pub is_logged: bool,
    /// Whether certificates carry a timestamp of its certificate transparency log.
    pub has_sct: bool,
    /// When its transparency log takes the entry, Unix seconds.
    pub logged_at: u64,
    /// When its timestamp authority signs, Unix seconds, if it has one.
    pub stamped_at: Option<u64>,
}

/// A run of a workflow, as its identity token describes it.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// `OWNER/NAME` of the source.
    pub repository: String,
    /// Its number.
    pub repository_id: u64,
    /// `OWNER/NAME` of the repository that holds the workflow.
    pub workflow_repository: String,
    /// The workflow's file.
    pub path: String,
    /// The ref that is built.
    pub git_ref: String,
    /// The commit that is built.
    pub commit: String,
    /// `github-hosted` or `self-hosted`.
    pub runner: String,
    /// The event.
    pub trigger: String,
    /// The OpenID Connect issuer.
    pub issuer: String,
    /// The web address of its GitHub, with a final slash.
    pub github: String,
}

impl Default for Workflow {
    fn default() -> Self {
        Self {
            repository: "example/shop".to_owned(),
            repository_id: 804_070_735,
            workflow_repository: "example/shop".to_owned(),
            path: ".github/workflows/release.yml".to_owned(),
            git_ref: "refs/tags/v1.4.0".to_owned(),
            commit: "95baf2766ce4c0cb4a4a2bd7b0ee4ce61f0ba012".to_owned(),
            runner: "github-hosted".to_owned(),
            trigger: "push".to_owned(),
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            github: "https://github.com/".to_owned(),
        }
    }
}

impl Workflow {
    /// The workflow with its ref, as the certificate names it.
    pub fn uri(&self) -> String {
        format!(
            "{}{}/{}@{}",
            self.github, self.workflow_repository, self.path, self.git_ref
        )
    }

    fn run(&self) -> String {
        format!("{}{}/actions/runs/1/attempts/1", self.github, self.repository)
    }

    /// SLSA provenance of an image, as `actions/attest` writes it.
    pub fn provenance(&self, name: &str, sha256: &str) -> Value {
        let repository = format!("{}{}", self.github, self.repository);
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "name": name, "digest": { "sha256": sha256 } }],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
                    "externalParameters": {
                        "workflow": { "ref": self.git_ref, "repository": repository, "path": self.path },
                    },
                    "resolvedDependencies": [{
                        "uri": format!("git+{repository}@{}", self.git_ref),
                        "digest": { "gitCommit": self.commit },
                    }],
                },
                "runDetails": {
                    "builder": { "id": self.uri() },
                    "metadata": { "invocationId": self.run() },
                },
            },
        })
    }
}

impl Sigstore {
    /// The instance of a seed; everything is signed at this time, Unix seconds.
    pub fn new(seed: u64, at: u64) -> Self {
        Self {
            seed,
            at,
            organization: x509::ORGANIZATION,
            is_logged: true,
            has_sct: true,
            logged_at: at,
            stamped_at: None,
        }
    }

    /// One like GitHub's own, for private repositories: it has no logs, and timestamps its signatures.
    pub fn github(seed: u64, at: u64) -> Self {
        Self {
            organization: "GitHub, Inc.",
            is_logged: false,
            has_sct: false,
            stamped_at: Some(at),
            ..Self::new(seed, at)
        }
    }

    fn key(&self, label: &str) -> Key {
        Key::derive(self.seed, label)
    }

    fn ca(&self) -> Party {
        Party {
            organization: self.organization,
            ..Party::new(self.seed, CA)
        }
    }

    fn ca_certificate(&self) -> Vec<u8> {
        let ca = self.ca();
        let contents = Contents {
            not_before: self.at - 30 * DAY,
            not_after: self.at + 3000 * DAY,
            ca: Some(0),
            usage: USAGE_CA,
            crl_url: None,
            more: vec![],
        };
        x509::certificate(&ca, &ca, &contents)
    }

    /// `trusted_root.json`.
    pub fn trusted_root(&self) -> Value {
        let start = asn1::rfc3339(self.at - 30 * DAY);
        let log_since = |start: &str, label: &str, url: &str| {
            let spki = self.key(label).spki_der();
            json!({
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(&spki),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": start },
                },
                "logId": { "keyId": STANDARD.encode(Sha256::digest(&spki)) },
            })
        };
        let log = |label: &str, url: &str| log_since(&start, label, url);
        // The file is from after everything that is signed: it knows of a later log.
        let later = log_since(
            &asn1::rfc3339(self.at + DAY),
            "later log",
            "https://later.simulator.example",
        );
        let own = self.has_sct.then(|| log(CT_LOG, "https://ct.simulator.example"));
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": self.is_logged.then(|| log(LOG, &format!("https://{LOG_HOST}"))).as_slice(),
            "certificateAuthorities": [{
                "subject": { "organization": "cvm-verify simulator", "commonName": CA },
                "uri": "https://fulcio.simulator.example",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(self.ca_certificate()) }] },
                "validFor": { "start": start },
            }],
            "ctlogs": own.into_iter().chain([later]).collect::<Vec<_>>(),
            "timestampAuthorities": self.stamped_at.map(|_| self.timestamp_authority(&start)).as_slice(),
        })
    }

    fn timestamp_authority(&self, start: &str) -> Value {
        let chain = Authority::new(self.seed).chain(self.at - 30 * DAY, self.at + 3000 * DAY);
        let certificates = chain.map(|der| json!({ "rawBytes": STANDARD.encode(der) }));
        json!({
            "subject": { "organization": self.organization, "commonName": "Simulated timestamp authority" },
            "certChain": { "certificates": certificates },
            "validFor": { "start": start },
        })
    }

    /// A bundle in which the workflow signed the statement.
    pub fn sign(&self, workflow: &Workflow, statement: &Value) -> Value {
        let leaf_key = self.key(&format!("leaf {}", workflow.uri()));
        let leaf = self.leaf(workflow, &leaf_key);
        let payload = statement.to_string();
        let encoding = format!("DSSEv1 {} {IN_TOTO} {} {payload}", IN_TOTO.len(), payload.len());
        let signature = leaf_key.sign_der(encoding.as_bytes());
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": hex::encode(Sha256::digest(b"unchecked")) },
                "payloadHash": { "algorithm": "sha256", "value": hex::encode(Sha256::digest(&payload)) },
                "signatures": [{
                    "signature": STANDARD.encode(&signature),
                    "verifier": STANDARD.encode(asn1::pem("CERTIFICATE", &leaf)),
                }],
            },
        })
        .to_string();
        let mut material = json!({
            "certificate": { "rawBytes": STANDARD.encode(&leaf) },
            "tlogEntries": self.is_logged.then(|| self.entry(&body)).as_slice(),
        });
        if let Some(at) = self.stamped_at {
            let stamp = STANDARD.encode(Authority::new(self.seed).stamp(&signature, at));
            material["timestampVerificationData"] =
                json!({ "rfc3161Timestamps": [{ "signedTimestamp": stamp }] });
        }
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": IN_TOTO,
                "signatures": [{ "sig": STANDARD.encode(&signature) }],
            },
        })
    }

    /// The entry of a body in a log that has no other.
    fn entry(&self, body: &str) -> Value {
        let key = self.key(LOG);
        let id = Sha256::digest(key.spki_der());
        let encoded = STANDARD.encode(body);
        let promise = format!(
            r#"{{"body":"{encoded}","integratedTime":{},"logID":"{}","logIndex":0}}"#,
            self.logged_at,
            hex::encode(id)
        );
        let root = Sha256::digest([&[0][..], body.as_bytes()].concat());
        let note = format!("{LOG_HOST} - 1\n1\n{}\n", STANDARD.encode(root));
        let signed = [&id[..4], &key.sign_der(note.as_bytes())].concat();
        json!({
            "logIndex": "0",
            "logId": { "keyId": STANDARD.encode(id) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": self.logged_at.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(key.sign_der(promise.as_bytes())) },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": STANDARD.encode(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {
                    "envelope": format!("{note}\n\u{2014} {LOG_HOST} {}\n", STANDARD.encode(signed)),
                },
            },
            "canonicalizedBody": encoded,
        })
    }

    /// The certificate of a run, valid for ten minutes.
    fn leaf(&self, workflow: &Workflow, key: &Key) -> Vec<u8> {
        let ca = self.ca();
        let bare = self.to_be_signed(workflow, key, None);
        let issuer = Sha256::digest(ca.key.spki_der());
        let length = u32::try_from(bare.len())
            .expect("a small certificate")
            .to_be_bytes();
        let milliseconds = (self.at * 1000).to_be_bytes();
        let signed = [
            &[0, 0][..],
            &milliseconds,
            &[0, 1],
            &issuer,
            &length[1..],
            &bare,
            &[0, 0],
        ]
        .concat();
        let log = self.key(CT_LOG);
        let signature = log.sign_der(&signed);
        let signature_length = u16::try_from(signature.len()).expect("short").to_be_bytes();
        let timestamp = [
            &[0][..],
            &Sha256::digest(log.spki_der()),
            &milliseconds,
            &[0, 0],
            &[4, 3],
            &signature_length,
            &signature,
        ]
        .concat();
        let of_list = u16::try_from(timestamp.len()).expect("short").to_be_bytes();
        let list = [&of_list[..], &timestamp].concat();
        let list = [
            &u16::try_from(list.len()).expect("short").to_be_bytes()[..],
            &list,
        ]
        .concat();
        let whole = self.to_be_signed(workflow, key, self.has_sct.then_some(list.as_slice()));
        let signature = asn1::bit_string(&ca.key.sign_der(&whole));
        asn1::sequence(&[whole, x509::ecdsa_with_sha256(), signature])
    }

    fn to_be_signed(&self, workflow: &Workflow, key: &Key, timestamps: Option<&[u8]>) -> Vec<u8> {
        let ca = self.ca();
        let uri = workflow.uri();
        let source = format!("{}{}", workflow.github, workflow.repository);
        let config = format!("{source}/{}@{}", workflow.path, workflow.git_ref);
        let id = workflow.repository_id.to_string();
        let run = workflow.run();
        let claims: [(u32, &str); 13] = [
            (8, &workflow.issuer),
            (9, &uri),
            (10, &workflow.commit),
            (11, &workflow.runner),
            (12, &source),
            (13, &workflow.commit),
            (14, &workflow.git_ref),
            (15, &id),
            (17, "5429470"),
            (18, &config),
            (19, &workflow.commit),
            (20, &workflow.trigger),
            (21, &run),
        ];
        let mut extensions = vec![
            extension("2.5.29.15", true, &asn1::element(0x03, &[0x07, 0x80])),
            extension(
                "2.5.29.37",
                false,
                &asn1::sequence(&[asn1::oid("1.3.6.1.5.5.7.3.3")]),
            ),
            extension(
                "2.5.29.17",
                true,
                &asn1::sequence(&[asn1::implicit(6, uri.as_bytes())]),
            ),
        ];
        extensions.extend(
            claims
                .iter()
                .map(|(arc, text)| extension(&format!("{FULCIO}.{arc}"), false, &asn1::utf8_string(text))),
        );
        extensions.extend(timestamps.map(|list| extension(SCT_LIST, false, &asn1::octet_string(list))));
        asn1::sequence(&[
            asn1::explicit(0, &asn1::integer(2)),
            asn1::unsigned(&Sha256::digest(uri.as_bytes())[..16]),
            x509::ecdsa_with_sha256(),
            ca.distinguished_name(),
            asn1::sequence(&[asn1::time(self.at - 60), asn1::time(self.at + 540)]),
            asn1::sequence(&[]),
            key.spki_der(),
            asn1::explicit(3, &asn1::sequence(&extensions)),
        ])
    }
}
