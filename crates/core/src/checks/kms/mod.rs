//! `kms`: the KMS that gave the app its keys is attested and runs code that you named.

mod bootstrap;
mod document;
mod own;
mod reasons;

use crate::checks::known;
use reasons::*;

use super::judgement::Judgement;
use super::{Check, Finding, Required, boot_claims};
use crate::compose::UnprovenDocument;
use crate::evidence::KmsRules;
use crate::policy::{KmsMode, KmsPolicy, Policy};
use crate::report::CheckId;
use crate::verify::kms::{KmsAnswer, KmsProblem, Meta};
use crate::verify::{BootClaims, Claims, NotProven, RaTlsRefusal};

pub(super) const CHECK: Check = Check {
    id: CheckId::Kms,
    title: "KMS",
    proves: "The server that answers at the host you named holds a TLS key that a genuine TD quoted when it started, runs code \
             that you named, and has the root key that the app's keys come from. It does not prove who else was given the root.",
    prevents: "A KMS whose operator runs other code than you reviewed, or rules for development, and so gives the app's keys to \
               anybody.",
    reasons: REASONS,
    required: Required::Never,
    is_configured: |policy| policy.kms.is_configured(),
    run,
    of_document: Some(of_document),
    ..Check::BASE
};

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let expected = &policy.kms;
    if expected.mode == KmsMode::Unchecked {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::Kms),
            "Waived: whether the KMS runs code that you know was not asked.",
        );
    }
    if !expected.is_configured() {
        return Finding::skip(&NOT_CONFIGURED, "No KMS was asked.");
    }
    let boot = known!(boot_claims(claims));
    let provider = boot.key_provider();
    if provider.name != "kms" {
        return without_kms(&provider.name);
    }
    let mut judgement = Judgement::default();
    judge_served(&mut judgement, boot, expected);
    let Some(hosts) = &expected.hosts else {
        return without_host(judgement, boot, expected);
    };
    let mut fine = Vec::new();
    for host in &hosts.value {
        let asked = claims.kms.iter().find(|answer| answer.host() == host.as_str());
        match asked {
            None => judgement.error(&NOT_ASKED, format!("The KMS at {host} was not asked.")),
            Some(answer) => fine.extend(judge(&mut judgement, answer, claims, boot, policy)),
        }
    }
    judgement.finding(&fine.join(" "))
}

/// What this check will say of a deployment of this document, if that takes its keys from no KMS.
fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    let provider = document.key_provider_beside_a_kms()?;
    let is_expected = policy.kms.is_configured() && policy.kms.mode != KmsMode::Unchecked;
    is_expected.then(|| without_kms(provider))
}

fn without_kms(provider: &str) -> Finding {
    Finding::fail(
        &NO_KMS,
        format!("The app's keys come from `{provider}`, not from a KMS."),
    )
}

/// What the VM recorded of the KMS that served it, dstack 0.4.2 to 0.5.
fn judge_served(judgement: &mut Judgement, boot: &BootClaims, expected: &KmsPolicy) {
    if let (Some(build), Some(builds)) = (boot.mr_kms(), &expected.builds)
        && !builds.value.contains(build)
    {
        let detail = format!(
            "The VM's keys came from a KMS of the build {} (mr-kms), which is not one that {} names.",
            hex::encode(build),
            builds.origin
        );
        judgement.unexpected(&MR_UNKNOWN, detail, Some(builds.origin.clone()));
    }
}

fn without_host(mut judgement: Judgement, boot: &BootClaims, expected: &KmsPolicy) -> Finding {
    let served = match (boot.mr_kms(), &expected.builds) {
        (Some(_), Some(builds)) => format!(
            " When it booted, its keys came from a build that {} names (mr-kms).",
            builds.origin
        ),
        (None, Some(_)) => " Its event log does not say which build gave it its keys.".to_owned(),
        (_, None) => String::new(),
    };
    judgement.error(
        &NO_HOST,
        format!(
            "No host of the KMS is named, so the KMS was not asked and your expected values for it are not \
            checked.{served}"
        ),
    );
    judgement.finding("")
}

/// Judges a KMS that was asked; what is to be said of it if all holds.
fn judge(
    judgement: &mut Judgement,
    answer: &KmsAnswer<Claims>,
    claims: &Claims,
    boot: &BootClaims,
    policy: &Policy,
) -> Option<String> {
    let host = answer.host();
    let (kms, own) = match answer.attested() {
        Ok(attested) => attested,
        Err(problem) => {
            not_attested(judgement, answer, problem, boot, policy);
            return None;
        }
    };
    if !judge_root(judgement, answer, boot, policy) {
        return None;
    }
    if !kms.is_for_host() {
        judgement.fail(
            &HOST,
            format!("The KMS at {host} answered with a certificate that is not for {host}."),
        );
    }
    own::judge(judgement, host, own, policy);
    let named = judge_build(judgement, answer, own, claims, policy);
    match kms.meta() {
        Err(why) => judgement.error(&META, format!("The KMS at {host}: {why}.")),
        Ok(meta) => judge_meta(judgement, answer, meta, policy),
    }
    let born = bootstrap::judge(judgement, answer, boot, claims, policy);
    let runs = own.boot.as_ref().map(|boot| hex::encode(boot.compose_hash()));
    Some(format!(
        "The KMS at {host} has the root key of the app's keys and runs the compose document {}, {}; quoted when it started, \
         answered when it was asked.{born}{}",
        runs.unwrap_or_default(),
        named.unwrap_or_else(|| "which no list names".to_owned()),
        machine(policy)
    ))
}

/// What is said of the KMS's machine, if the user listed machines: the keys of the app come from that one.
const fn machine(policy: &Policy) -> &'static str {
    match policy.platforms {
        Some(_) => {
            " Its machine was not compared with your list (--platform-id), which is of the app's machines."
        }
        None => "",
    }
}

/// Only the holder of the root key can be convicted by what a server shows: any other server is not shown to be the KMS. The root key
/// signs certificates of apps' CAs, too: they are not the KMS's own.
fn not_attested(
    judgement: &mut Judgement,
    answer: &KmsAnswer<Claims>,
    problem: &KmsProblem,
    boot: &BootClaims,
    policy: &Policy,
) {
    let host = answer.host();
    let is_kms = answer.has_root(&boot.key_provider().id) || has_named_root(answer, policy);
    let is_server = match problem {
        KmsProblem::Unreachable(_) | KmsProblem::KeyChanged { .. } => false,
        KmsProblem::NoEvidence | KmsProblem::Refused(_) | KmsProblem::QuoteNotProven => true,
    };
    if is_server && !is_kms {
        judgement.error(
            &OTHER_SERVER,
            format!(
                "The server at {host} has no certificate of the app's KMS, so it is not proven to be that KMS."
            ),
        );
        return;
    }
    let say = |sentence: &dyn std::fmt::Display| format!("The KMS at {host}: {sentence}.");
    if is_server && !answer.is_certified_as_kms() {
        let reason = match problem {
            KmsProblem::Refused(RaTlsRefusal::DuplicateExtension(_) | RaTlsRefusal::Malformed(_)) => &REFUSED,
            _ => &USAGE,
        };
        let sentence = "its certificate is signed by the root key, and is not that of a KMS that answers (usage kms:rpc)";
        judgement.error(reason, format!("The server at {host}: {sentence}."));
        return;
    }
    match problem {
        KmsProblem::Unreachable(why) => judgement.error(&UNREACHABLE, say(why)),
        KmsProblem::KeyChanged { keys } => {
            judgement.error(&KEY_CHANGED, format!("{keys} TLS keys answered at {host}."));
        }
        KmsProblem::NoEvidence => {
            judgement.fail(
                &NO_EVIDENCE,
                say(&"its certificate carries no evidence of a dstack VM"),
            );
        }
        KmsProblem::Refused(refusal @ RaTlsRefusal::NotYetValid { .. }) => {
            judgement.error(
                &OUTSIDE_VALIDITY,
                say(&format!("its certificate is refused: {refusal}")),
            );
        }
        KmsProblem::Refused(refusal) => {
            let reason = match refusal {
                RaTlsRefusal::NotBound => &NOT_BOUND,
                RaTlsRefusal::NoEvidence => &NO_EVIDENCE,
                RaTlsRefusal::Expired { .. } => &OUTSIDE_VALIDITY,
                _ => &REFUSED,
            };
            judgement.fail(reason, say(&format!("its certificate is refused: {refusal}")));
        }
        KmsProblem::QuoteNotProven => not_proven(judgement, host, answer.own()),
    }
}

/// The evidence in the certificate is refused, or could not be verified.
fn not_proven(judgement: &mut Judgement, host: &str, own: Option<&Claims>) {
    if let Some(Err(NotProven::Refused(refusal))) = own.map(|own| &own.quote)
        && refusal.is_of_old_platform()
    {
        let sentence = format!("The KMS at {host}: its quote is refused: {refusal}.");
        judgement.fail(&PLATFORM, sentence);
        return;
    }
    let refusal = own.and_then(|own| match (&own.quote, &own.log, &own.boot) {
        (Err(NotProven::Refused(refusal)), ..) => Some(format!("its quote is refused: {refusal}")),
        (_, Err(NotProven::Refused(refusal)), _) => Some(format!("its event log is refused: {refusal}")),
        (.., Err(NotProven::Refused(refusal))) => Some(format!("its boot events are refused: {refusal}")),
        _ => None,
    });
    if let Some(refusal) = refusal {
        judgement.fail(&QUOTE, format!("The KMS at {host}: {refusal}."));
        return;
    }
    let why = match own.map(|own| &own.collateral) {
        Some(Err(why)) => format!(": {why}"),
        _ => String::new(),
    };
    judgement.error(
        &QUOTE_UNDETERMINED,
        format!("The quote of the KMS at {host} could not be verified{why}."),
    );
}

/// Which KMS it is: its certificate is signed by the root key that the app's keys come from. False for another KMS, for which
/// no other reason is reported.
fn judge_root(
    judgement: &mut Judgement,
    answer: &KmsAnswer<Claims>,
    boot: &BootClaims,
    policy: &Policy,
) -> bool {
    let host = answer.host();
    if answer.has_root(&boot.key_provider().id) {
        return true;
    }
    if has_named_root(answer, policy) {
        judgement.error(
            &OTHER_EPOCH,
            format!("The KMS at {host} answers under another root key than that of the app's keys; you named both."),
        );
        return true;
    }
    judgement.fail(
        &OTHER_ROOT,
        format!("The certificate of the KMS at {host} is not signed by the app's key-provider id."),
    );
    false
}

/// Whether its certificate is signed by the root key of another KMS that the user named.
fn has_named_root(answer: &KmsAnswer<Claims>, policy: &Policy) -> bool {
    policy.key_provider_ids().any(|id| answer.has_root(id))
}

/// Whether it shows the certificate of another root than the one that signed its own, and the user named that one, too: it changes
/// from one to the other.
fn shows_another_named_root(answer: &KmsAnswer<Claims>, meta: &Meta<Claims>, policy: &Policy) -> bool {
    let shown = meta.root_key();
    let is_its_root = shown.is_some_and(|key| answer.has_root(key));
    !is_its_root && policy.key_provider_ids().any(|root| shown == Some(root))
}

/// Which code it runs; who named that.
fn judge_build(
    judgement: &mut Judgement,
    answer: &KmsAnswer<Claims>,
    own: &Claims,
    claims: &Claims,
    policy: &Policy,
) -> Option<String> {
    let expected = &policy.kms;
    let host = answer.host();
    let compose_hash = own.boot.as_ref().ok().map(|boot| *boot.compose_hash())?;
    let found = hex::encode(compose_hash);
    let mut named_by = None;
    if let Some(hashes) = &expected.compose_hashes {
        if !hashes.value.contains(&compose_hash) {
            let detail = match document::other_form(&compose_hash, own, policy) {
                Some(form) => format!(
                    "The KMS at {host} runs the compose document of a file that you named, in another JSON form: {form}. Expect the hash of what is \
                     deployed (`kms-compose-hash`): {found}."
                ),
                None => format!(
                    "The KMS at {host} runs the compose document {found}, which is not one that you named."
                ),
            };
            judgement.unexpected(&OTHER_BUILD, detail, Some(hashes.origin.clone()));
            return None;
        }
        named_by = Some(hashes.origin.clone());
    }
    if let Some(builds) = &expected.builds {
        let Some(build) = answer.build() else {
            judgement.error(&UNPINNED, format!("The build of the KMS at {host} is not known."));
            return None;
        };
        if !builds.value.contains(&build) {
            let detail = format!(
                "The KMS at {host} is the build {} (compose document {found}), which is not one that you named.",
                hex::encode(build)
            );
            judgement.unexpected(&OTHER_BUILD, detail, Some(builds.origin.clone()));
            return None;
        }
        named_by = named_by.or_else(|| Some(builds.origin.clone()));
    }
    let images = document::judge(judgement, host, &compose_hash, policy);
    let images = images.map_or_else(String::new, |words| format!(" ({words})"));
    if let Some(origin) = named_by {
        return Some(format!("which {origin} names{images}"));
    }
    // A contract answers only for a user who named no code: its owner may change what it allows.
    let allowed = own::allowed_on_chain(answer, claims, policy);
    if allowed.is_none() {
        judgement.error(
            &UNPINNED,
            format!(
                "The KMS at {host} runs the compose document {found}, and no list names which it must be."
            ),
        );
    }
    allowed
}

fn judge_meta(judgement: &mut Judgement, answer: &KmsAnswer<Claims>, meta: &Meta<Claims>, policy: &Policy) {
    let host = answer.host();
    // A KMS of another root has been judged for that.
    let is_its_root = meta.root_key().is_some_and(|key| answer.has_root(key));
    if meta.root_key().is_none() {
        judgement.error(
            &META,
            format!("The KMS at {host} answers with a root certificate (`ca_cert`) that cannot be read."),
        );
    } else if shows_another_named_root(answer, meta, policy) {
        judgement.error(
            &OTHER_EPOCH,
            format!("The KMS at {host} answers with another root certificate than that of the key that signed its own; you named both."),
        );
    } else if !is_its_root {
        judgement.fail(
            &META_CA,
            format!("The KMS at {host} answers with another root certificate than that of the key that signed its own."),
        );
    }
    if meta.is_development() {
        judgement.fail(
            &DEVELOPMENT,
            format!("The KMS at {host} runs with rules for development and gives keys to any code."),
        );
    } else if let Some(member) = meta.unsaid() {
        judgement.error(
            &META,
            format!("The KMS at {host} does not say whether it runs with rules for development: `{member}` is missing."),
        );
    }
    if meta.verifies_os_images() != Some(true) {
        judgement.warn(
            &IMAGES_UNVERIFIED,
            format!("The KMS at {host} does not say that it verifies the OS images of its guests."),
        );
    }
    judge_rules(judgement, host, meta, policy);
}

/// Whether it follows the contract that the user named.
fn judge_rules(judgement: &mut Judgement, host: &str, meta: &Meta<Claims>, policy: &Policy) {
    let governance = &policy.governance;
    let named = governance.chain_id.as_ref().zip(governance.kms_contract.as_ref());
    let Some((chain_id, contract)) = named else {
        return;
    };
    let Some(rules) = meta.rules() else {
        let detail = format!(
            "The KMS at {host} does not say whose rules it follows; whether it follows the contract that you named is not known."
        );
        return judgement.warn(&CONTRACT_UNSAID, detail);
    };
    let says = match rules {
        KmsRules::Operator => "the rules of its operator".to_owned(),
        KmsRules::Contract {
            chain_id: on,
            address,
        } if on == chain_id.value && address == contract.value => return,
        KmsRules::Contract { chain_id, address } => {
            format!("the contract 0x{} on chain {chain_id}", hex::encode(address))
        }
    };
    judgement.fail(
        &CONTRACT_DIFFERS,
        format!("The KMS at {host} follows {says}, not the contract that you named."),
    );
}
