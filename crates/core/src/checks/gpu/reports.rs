//! What the reports of GPUs and switches prove.

use std::collections::BTreeMap;

use super::look::Look;
use super::nras;
use super::reasons::*;
use crate::checks::freshness::{self, Binding};
use crate::evidence::GpuProblem;
use crate::policy::{GpuPin, LockedGpus, Policy};
use crate::report::{DeviceRootKind, Status};
use crate::verify::gpu::{GpuDevices, GpuNonce, GpuRefusal, NrasVerdict, Topology, VerifiedDevice};
use crate::verify::{Claims, NotProven};

/// Switches in a sentence, at most.
const SHOWN: usize = 4;

pub(super) fn looks(claims: &Claims, policy: &Policy) -> Vec<Look> {
    let devices = match &claims.gpu.devices {
        Err(NotProven::Absent | NotProven::NotReached) => return Vec::new(),
        Err(NotProven::Refused(refusal)) => return vec![refused(refusal, policy)],
        Ok(devices) => devices,
    };
    let mut found = Vec::new();
    let quote_signs = freshness::binding(claims, policy);
    let binding = match claims.gpu.nonce {
        GpuNonce::ThisRun | GpuNonce::Derived => match quote_signs {
            Binding::Accepted(_) => None,
            Binding::OtherLayout(layout) => Some(format!(
                "Not determined: the GPUs signed this run's nonce, and the quote holds it in the layout `{layout}`, which the policy does not \
                 accept (see `freshness`)."
            )),
            Binding::Absent => Some(
                "The GPUs signed this run's nonce, but the quote does not: nothing ties them to this CVM."
                    .to_owned(),
            ),
        },
        GpuNonce::Other(nonce) => Some(format!(
            "Not proven: the GPUs are genuine, and signed another nonce than this run's ({}).",
            hex::encode(nonce)
        )),
        GpuNonce::NoNonce | GpuNonce::NotReached => Some(
            "Not proven: the GPUs are genuine, and the evidence was asked for without a nonce.".to_owned(),
        ),
    };
    match binding {
        // No deployment answers a nonce that it was not sent; what a layout means is the policy's to say.
        Some(problem) if claims.nonce.is_none() || matches!(quote_signs, Binding::OtherLayout(_)) => {
            found.push(Look::undetermined(policy, &NONCE_MISMATCH, problem));
        }
        Some(problem) => found.push(Look::short(policy, &NONCE_MISMATCH, problem)),
        None => {
            found.push(Look::Proven(proven(devices, claims)));
            found.extend(nras::look(&claims.gpu.nras, policy));
        }
    }
    found.extend(count(devices, policy));
    found.extend(models(devices, policy));
    found.extend(topology(devices, policy));
    if devices.has_unread() {
        let detail = "A device describes itself in a format that this version does not read: driver, modes and switches are not known.";
        found.push(match policy.gpu.switches_required {
            true => Look::fail(&OPAQUE_UNREAD, detail),
            false => Look::warn(&OPAQUE_UNREAD, detail),
        });
    }
    if let Some(locked) = &policy.gpu.pins {
        found.extend(pins(devices, locked, policy));
    }
    found
}

fn refused(refusal: &GpuRefusal, policy: &Policy) -> Look {
    let detail = match refusal {
        GpuRefusal::Problem(GpuProblem::Unreachable(problem)) => {
            let detail = format!("Not determined: {problem}.");
            return Look::Open(Status::Error, &UNREACHABLE, detail, None);
        }
        GpuRefusal::Problem(problem) => format!("Not proven: {problem}."),
        other => format!("The GPU evidence is refused: {other}."),
    };
    let reason = match refusal.reason() {
        "gpu-chain" => &CHAIN,
        "gpu-signature" => &SIGNATURE,
        "gpu-fwid-mismatch" => &FWID_MISMATCH,
        "gpu-duplicate" => &DUPLICATE,
        _ => &MALFORMED,
    };
    if refusal.convicts() {
        Look::fail(reason, detail)
    } else {
        Look::short(policy, reason, detail)
    }
}

/// `8 × GH100, driver 570.172.08`, and what of them is proven.
fn proven(devices: &GpuDevices, claims: &Claims) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for gpu in devices.gpus() {
        *kinds.entry(kind(gpu)).or_default() += 1;
    }
    let mut named: Vec<String> = kinds
        .iter()
        .map(|(kind, number)| format!("{number} × {kind}"))
        .collect();
    if !devices.switches().is_empty() {
        named.push(format!("{} × NVSwitch", devices.switches().len()));
    }
    let whose = match claims.gpu.root {
        DeviceRootKind::Nvidia => "genuine",
        DeviceRootKind::Custom => "signed under the custom root, which is not NVIDIA's",
    };
    let nonce = match claims.gpu.nonce {
        GpuNonce::Derived => "the nonce that is derived from this run's",
        _ => "this run's nonce",
    };
    let unchecked = match claims.gpu.nras {
        NrasVerdict::Approved { .. } => {
            "golden values and revocation are appraised by NVIDIA (NRAS); location is not checked"
        }
        _ => "golden values, revocation and location are not checked",
    };
    format!("{}: {whose}, answered {nonce}; {unchecked}.", named.join(", "))
}

fn kind(gpu: &VerifiedDevice) -> String {
    match gpu
        .opaque()
        .fields()
        .and_then(crate::verify::gpu::OpaqueFields::driver)
    {
        Some(driver) => format!("{}, driver {driver}", gpu.model()),
        None => gpu.model().to_owned(),
    }
}

fn count(devices: &GpuDevices, policy: &Policy) -> Option<Look> {
    let count = policy.gpu.count.as_ref()?;
    let (expected, found) = (count.value, devices.gpus().len());
    (u32::try_from(found) != Ok(expected)).then(|| {
        let detail = format!("Expected GPUs: {expected}; proven: {found}.");
        Look::fail(&COUNT, detail).against(count.origin.clone())
    })
}

fn models(devices: &GpuDevices, policy: &Policy) -> Option<Look> {
    let models = policy.gpu.models.as_ref()?;
    let expected = &models.value;
    let other = devices.gpus().iter().find(|gpu| {
        !expected
            .iter()
            .any(|model| model.as_str().eq_ignore_ascii_case(gpu.model()))
    })?;
    let expected: Vec<&str> = expected.iter().map(crate::policy::GpuModel::as_str).collect();
    let detail = format!(
        "A GPU is of the model {}; {} is expected.",
        other.model(),
        expected.join(" or ")
    );
    Some(Look::fail(&MODEL, detail).against(models.origin.clone()))
}

fn topology(devices: &GpuDevices, policy: &Policy) -> Option<Look> {
    let list = |ids: &[String]| {
        let shown: Vec<&str> = ids.iter().take(SHOWN).map(String::as_str).collect();
        shown.join(", ")
    };
    match devices.topology() {
        Topology::Alone | Topology::Unread => None,
        Topology::Complete => Some(Look::Proven(
            "The switches that the GPUs see are the attested ones.".to_owned(),
        )),
        Topology::SwitchesMissing => {
            let detail =
                "The links between the GPUs are not encrypted (protected PCIe), and no switch is attested.";
            Some(if policy.gpu.switches_required {
                Look::fail(&SWITCHES_MISSING, detail)
            } else {
                Look::warn(&SWITCHES_MISSING, detail)
            })
        }
        Topology::NoGpus => Some(Look::short(
            policy,
            &TOPOLOGY,
            "There is evidence of switches, and of no GPU.",
        )),
        Topology::Mismatch { unattested, unseen } => {
            let mut detail = "The attested switches are not those that the GPUs see".to_owned();
            for (what, ids) in [("not attested", &unattested), ("not seen", &unseen)] {
                if !ids.is_empty() {
                    detail.push_str(&format!("; {what}: {}", list(ids)));
                }
            }
            Some(Look::fail(&TOPOLOGY, format!("{detail}.")))
        }
    }
}

/// The same kind must measure the same; another kind is for a person to look at.
fn pins(devices: &GpuDevices, locked: &LockedGpus, policy: &Policy) -> Option<Look> {
    let lock = &locked.lock;
    let (mut unknown, mut has_unread) = (None, false);
    // All of them: the host chooses their order, and one that is not read must hide no other.
    for device in devices.gpus() {
        let Some(found) = GpuPin::of(device) else {
            has_unread = true;
            continue;
        };
        if locked.pins.contains(&found) {
            continue;
        }
        let mut pins = locked.pins.iter().enumerate();
        if let Some((number, pin)) = pins.find(|(_, pin)| pin.kind == found.kind) {
            let detail = format!(
                "A GPU of a kind that is in {lock} measures {} instead of {}.",
                hex::encode(found.measurements),
                hex::encode(pin.measurements)
            );
            let key = ["gpus", &number.to_string(), "measurements"];
            return Some(Look::fail(&PINS, detail).against(lock.key(&key)));
        }
        unknown.get_or_insert(found);
    }
    let other_kind = unknown.map(|found| {
        let nearest = locked.pins.iter().min_by_key(|pin| pin.differing(&found).len());
        let differs = nearest
            .map(|pin| pin.differing(&found).join(", "))
            .unwrap_or_default();
        format!("A GPU is of a kind that is not in {lock}; it differs in: {differs}.")
    });
    if has_unread {
        let other_kind = other_kind.map(|said| format!(" {said}")).unwrap_or_default();
        return Some(Look::undetermined(
            policy,
            &PINS,
            format!(
                "Not determined: a GPU cannot be compared with {lock}, because it describes itself in a format that is not \
                 read.{other_kind}"
            ),
        ));
    }
    other_kind.map(|detail| Look::warn(&PINS, detail).against(lock.key(&["gpus"])))
}

#[cfg(test)]
mod tests {
    use simulator::gpu::device_root_der;
    use simulator::{Cvm, Gpu, Gpus, World};

    use super::*;
    use crate::checks::claims_for_tests;
    use crate::verify::gpu::DeviceRoot;

    const SEED: u64 = 1;

    fn of(gpus: Gpus) -> Claims {
        let mut cvm = Cvm::healthy(&World::default());
        cvm.gpus = Some(gpus);
        claims_for_tests::of_root(&cvm, &DeviceRoot::Custom(device_root_der(SEED)))
    }

    /// What NVIDIA appraised is not said to be unchecked, and what it did not is.
    #[test]
    fn the_words_about_golden_values_are_by_what_nvidia_was_asked() {
        let mut claims = of(Gpus::alone(SEED, 2));
        let own = "golden values, revocation and location are not checked.";
        let approved =
            "golden values and revocation are appraised by NVIDIA (NRAS); location is not checked.";
        for (nras, says) in [
            (NrasVerdict::NotAsked, own),
            (NrasVerdict::Refused("no".to_owned()), own),
            (NrasVerdict::Approved { warnings: Vec::new() }, approved),
        ] {
            claims.gpu.nras = nras;
            let found = proven(claims.gpu.devices.as_ref().unwrap(), &claims);
            assert!(found.ends_with(says), "{found}");
        }
    }

    #[test]
    fn of_switches_that_differ_those_are_named_that_do() {
        let start = "The attested switches are not those that the GPUs see";
        for (change, has_unattested, has_unseen) in [
            ((|gpus| drop(gpus.devices.pop())) as fn(&mut Gpus), true, false),
            (
                |gpus| gpus.devices.push(Gpu::switch(SEED, "fifth", [0x66; 8])),
                false,
                true,
            ),
            (
                |gpus| gpus.devices[11] = Gpu::switch(SEED, "foreign", [0x66; 8]),
                true,
                true,
            ),
        ] {
            let mut gpus = Gpus::protected_pcie(SEED);
            change(&mut gpus);
            let claims = of(gpus);
            let found = topology(claims.gpu.devices.as_ref().unwrap(), &Policy::default()).unwrap();
            let text = found.text();
            assert!(text.starts_with(start), "{text}");
            let said = (text.contains("; not attested: "), text.contains("; not seen: "));
            assert_eq!(said, (has_unattested, has_unseen), "{text}");
        }
    }
}
