//! How the root keys of a KMS were made: its own evidence, that in its contract, and that which the user keeps.

use super::reasons::{BOOTSTRAP, BOOTSTRAP_UNDETERMINED, BOOTSTRAP_UNPROVEN};
use super::{own, shows_another_named_root};
use crate::checks::judgement::Judgement;
use crate::checks::os_image::ProvenImage;
use crate::checks::{os_image, td_attributes};
use crate::evidence::BootstrapSource;
use crate::policy::Policy;
use crate::report::Status;
use crate::verify::kms::{Bootstrap, BootstrapRefusal, BootstrapState, KmsAnswer};
use crate::verify::{BootClaims, Claims};

/// Judges each piece of evidence; a sentence about what made the keys, if that is proven.
pub(super) fn judge(
    judgement: &mut Judgement,
    answer: &KmsAnswer<Claims>,
    boot: &BootClaims,
    claims: &Claims,
    policy: &Policy,
) -> String {
    let host = answer.host();
    let id = &boot.key_provider().id;
    let mut made: Option<PieceResult> = None;
    if let Ok((kms, _)) = answer.attested()
        && let Ok(meta) = kms.meta()
        // Without a certificate that can be read, nothing says which root the evidence should be about.
        && meta.root_key().is_some()
    {
        let whose = format!("of the KMS at {host}");
        let is_of_other_root = matches!(
            meta.bootstrap(),
            BootstrapState::Refused(BootstrapRefusal::OtherRoot)
        );
        if is_of_other_root && shows_another_named_root(answer, meta, policy) {
            judgement.warn(
                &BOOTSTRAP_UNDETERMINED,
                format!(
                    "The bootstrap evidence {whose} is not about the root key whose certificate it shows."
                ),
            );
        } else {
            made = judge_one(judgement, &whose, meta.bootstrap(), policy).proven();
        }
    }
    let mut named = None;
    for one in answer.bootstraps() {
        let whose = format!("{} for the KMS at {host}", one.source().words());
        let judged = match is_about_another_root(one, id) {
            true => judge_another_root(judgement, &whose, one, claims, policy),
            false => judge_one(judgement, &whose, one.state(), policy),
        };
        made = made.or(judged.proven());
        let is_named = one.source() == BootstrapSource::File
            && (policy.kms.bootstrap.as_ref()).is_some_and(|pinned| one.evidence() == pinned.value);
        if is_named {
            named.get_or_insert(judged);
        }
    }
    if let Some(pinned) = &policy.kms.bootstrap {
        let why = match named {
            Some(PieceResult::Proven { .. } | PieceResult::Convicted) => None,
            Some(PieceResult::Absent) | None => Some("it was not looked at when the evidence was recorded"),
            Some(PieceResult::Open) => {
                Some("it could not be verified, or the OS image of the VM is not known")
            }
        };
        if let Some(why) = why {
            judgement.error(
                &BOOTSTRAP_UNPROVEN,
                format!(
                    "The bootstrap evidence that {} names does not count: {why}.",
                    pinned.origin
                ),
            );
        }
    }
    made.map(PieceResult::sentence).unwrap_or_default()
}

/// What became of one piece of evidence.
#[derive(Clone, Copy)]
enum PieceResult {
    Absent,
    /// Not determined; said as a warning.
    Open,
    /// Said as a failure.
    Convicted,
    /// The compose document that made the keys, and whether RTMR0 of its VM is known.
    Proven {
        compose_hash: [u8; 32],
        is_known_shape: bool,
    },
}

impl PieceResult {
    fn proven(self) -> Option<Self> {
        matches!(self, Self::Proven { .. }).then_some(self)
    }

    /// What made the keys, in a sentence with a space before it.
    fn sentence(self) -> String {
        let Self::Proven {
            compose_hash,
            is_known_shape,
        } = self
        else {
            return String::new();
        };
        let hash = hex::encode(compose_hash);
        match is_known_shape {
            true => format!(" The root keys were made by the compose document {hash}."),
            // As `acpi-unverified` of the app's VM (T33).
            false => format!(
                " By the log of a VM with a known image, the root keys were made by the compose document {hash}. RTMR0 of that VM is not \
                 known: its ACPI tables are unverified, and a hostile host could have read the keys or changed the code with them."
            ),
        }
    }
}

fn is_about_another_root(one: &Bootstrap<Claims>, id: &str) -> bool {
    let is_read = match one.state() {
        BootstrapState::Refused(_) | BootstrapState::Undetermined(_) => false,
        BootstrapState::Absent | BootstrapState::Proven(_) => true,
    };
    is_read && !one.is_about(id)
}

/// A contract with epochs holds the root of epoch 0; the app may have keys of a later one. So may it where the user named both roots.
fn judge_another_root(
    judgement: &mut Judgement,
    whose: &str,
    one: &Bootstrap<Claims>,
    claims: &Claims,
    policy: &Policy,
) -> PieceResult {
    let is_of_contract = one.source() == BootstrapSource::Contract;
    if is_of_contract && policy.key_provider_ids().any(|root| one.is_about(root)) {
        judgement.warn(
            &BOOTSTRAP_UNDETERMINED,
            format!("The bootstrap evidence {whose} is about another root key that you named, not that of the app's keys."),
        );
        return PieceResult::Open;
    }
    if is_of_contract && may_have_epochs(claims) {
        judgement.warn(
            &BOOTSTRAP_UNDETERMINED,
            format!("The bootstrap evidence {whose} is about the root key of epoch 0, and the app's keys are of another."),
        );
        return PieceResult::Open;
    }
    judgement.fail(
        &BOOTSTRAP,
        format!("The bootstrap evidence {whose} is about another root key than that of the app's keys."),
    );
    PieceResult::Convicted
}

/// Whether the KMS's contract has epochs, or does not say.
fn may_have_epochs(claims: &Claims) -> bool {
    let Some(Ok(found)) = &claims.chain else {
        return false;
    };
    matches!(found.kms(), Some(Ok(Some(kms))) if kms.has_epochs != Ok(false))
}

fn judge_one(
    judgement: &mut Judgement,
    whose: &str,
    state: &BootstrapState<Claims>,
    policy: &Policy,
) -> PieceResult {
    let own = match state {
        BootstrapState::Absent => return PieceResult::Absent,
        BootstrapState::Undetermined(why) => {
            judgement.warn(
                &BOOTSTRAP_UNDETERMINED,
                format!("The bootstrap evidence {whose}: {why}."),
            );
            return PieceResult::Open;
        }
        BootstrapState::Refused(refusal) => {
            judgement.fail(
                &BOOTSTRAP,
                format!("The bootstrap evidence {whose} is refused: {refusal}."),
            );
            return PieceResult::Convicted;
        }
        BootstrapState::Proven(own) => own,
    };
    if let Some(why) = readable_by_the_host(own, policy) {
        judgement.fail(
            &BOOTSTRAP,
            format!("The root keys {whose} were made where others could read them. {why}"),
        );
        return PieceResult::Convicted;
    }
    // The OS writes the event log: an unknown OS image can write any compose hash into it.
    match (&own.boot, known_image(own, policy)) {
        (Ok(boot), Some(known)) => {
            let is_known_shape = matches!(known, ProvenImage::WithShape(_));
            if let ProvenImage::WithShape(accepted) = known {
                judgement.accept(accepted);
            }
            PieceResult::Proven {
                compose_hash: *boot.compose_hash(),
                is_known_shape,
            }
        }
        _ => {
            judgement.warn(
                &BOOTSTRAP_UNDETERMINED,
                format!(
                    "The bootstrap evidence {whose}: the OS image of the VM that made the root keys is not known, so what it recorded \
                     proves nothing."
                ),
            );
            PieceResult::Open
        }
    }
}

/// How the VM's image is known: as a production image, or as the one that is expected of the KMS now. Its shape (RTMR0) may be any,
/// which is then said: the machine of then is not there to be named.
fn known_image(own: &Claims, policy: &Policy) -> Option<ProvenImage> {
    let policies = [known_images(policy), own::policy_of_kms(policy)];
    let known = policies.map(|policy| os_image::known_image(own, &policy));
    let is_whole = |one: &Option<ProvenImage>| matches!(one, Some(ProvenImage::WithShape(_)));
    match known {
        [first, second] if !is_whole(&first) && is_whole(&second) => second,
        [first, second] => first.or(second),
    }
}

/// Where nothing is asked for, the image is a production image of the table.
fn known_images(policy: &Policy) -> Policy {
    Policy {
        reference: std::sync::Arc::clone(&policy.reference),
        ..Policy::default()
    }
}

/// Why others than the code that made the keys could read them: the VM could be debugged, or its image lets people in. How the
/// platform is rated today says nothing about then.
fn readable_by_the_host(own: &Claims, policy: &Policy) -> Option<String> {
    let policy = known_images(policy);
    let attributes = (td_attributes::CHECK.run)(own, &policy);
    if attributes.status == Status::Fail {
        return Some(attributes.detail);
    }
    let image = (os_image::CHECK.run)(own, &policy);
    let is_development = image
        .reason
        .is_some_and(|reason| reason.id == "development-image");
    (image.status == Status::Fail && is_development).then_some(image.detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::claims_for_tests::{chain, healthy, kms, unanswered};
    use crate::verify::chain::{ChainProblem, Unanswered};

    /// The evidence in a contract with epochs is about the root of epoch 0: another root convicts only where there are none.
    #[test]
    fn a_contract_may_have_epochs_unless_it_says_that_it_has_none() {
        let mut claims = healthy();
        assert!(!may_have_epochs(&claims), "no contract was asked");
        for (has_epochs, may) in [(Ok(false), false), (Ok(true), true), (unanswered(), true)] {
            let mut contract = kms(&claims);
            contract.has_epochs = has_epochs;
            claims.chain = Some(Ok(chain(&claims, 0, contract)));
            assert_eq!(may_have_epochs(&claims), may);
        }
        claims.chain = Some(Err(ChainProblem::Unanswered(Unanswered::NotRecorded)));
        assert!(!may_have_epochs(&claims));
    }

    #[test]
    fn wrong_attributes_let_the_host_read_the_keys_and_what_is_unknown_does_not() {
        use crate::checks::claims_for_tests::of;
        use simulator::{Cvm, Lie, World};

        let read = |lie: Lie| {
            let mut cvm = Cvm::healthy(&World::default());
            lie.apply(&mut cvm);
            readable_by_the_host(&of(&cvm), &Policy::default())
        };
        assert_eq!(read(Lie::None), None);
        let attributes = read(Lie::OwnedTd).unwrap();
        assert!(attributes.contains("MROWNER"), "{attributes}");
        // Of an image or of ACPI tables that nobody knows nobody says that they let the host in.
        assert_eq!(read(Lie::DevelopmentImage), None);
        assert_eq!(read(Lie::AlteredAcpiTables), None);
    }

    /// A hole in a production image is found later; a development image lets people in from the beginning.
    #[test]
    fn of_the_listed_images_those_for_development_let_the_host_read_the_keys() {
        use crate::checks::claims_for_tests::{listed_image, listed_shape, of_image};
        use crate::reference::OsClass;

        for (class, has_hole, is_read) in [
            (OsClass::Development, false, true),
            (OsClass::Production, false, false),
            (OsClass::Production, true, false),
        ] {
            let row = listed_image(class, has_hole);
            let read = readable_by_the_host(&of_image(row, listed_shape()), &Policy::default());
            assert_eq!(read.is_some(), is_read, "{}: {read:?}", row.name);
        }
    }
}
