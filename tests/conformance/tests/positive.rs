//! An honest deployment of each kind passes in the corpus. The kinds are those of the enums of the program, of the simulator and
//! of the cases: a new one is missing here until it has a case.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::case::{Case, Verdict};
use conformance::corpus;
use conformance::gpu::{Devices, Shown};
use conformance::provenance::Instance;
use conformance::tls::Ends;
use cvm_verify_core::policy::{OsImageOption, OsImagePolicy, TlsBinding, parse_os_image};
use cvm_verify_core::verify::{ConfigId, IdentifiedBy, Layout};
use simulator::{EventVersion, Guest, QuoteFormat};

/// A function that gives each variant a name, if an honest deployment has it, and the list of these names: of one list.
macro_rules! kinds {
    ($of:ident, $all:ident, $type:ty, { $($pattern:pat => $name:expr,)+ }) => {
        fn $of(one: &$type) -> Option<&'static str> {
            match one {
                $($pattern => $name,)+
            }
        }

        fn $all() -> Vec<&'static str> {
            [$($name),+].into_iter().flatten().collect()
        }
    };
}

kinds!(os_image, os_images, OsImagePolicy, {
    OsImagePolicy::Known => Some("known"),
    OsImagePolicy::Published(_) => Some("published"),
    OsImagePolicy::Tuple(_) => Some("tuple"),
    OsImagePolicy::Lock { .. } => Some("lock"),
    OsImagePolicy::LockedImage { .. } => Some("locked image"),
    OsImagePolicy::Unchecked => Some("unchecked"),
});

kinds!(identified, identifications, IdentifiedBy, {
    IdentifiedBy::Registers => Some("registers"),
    IdentifiedBy::Document => Some("document"),
});

kinds!(config_id, config_ids, ConfigId, {
    ConfigId::Unbound => Some("unbound"),
    ConfigId::ComposeHash(_) => Some("compose hash"),
    ConfigId::Identity(_) => Some("identity"),
    ConfigId::Document(_) => Some("document"),
    // No host writes these.
    ConfigId::NonZeroTail | ConfigId::Unknown(_) => None,
});

kinds!(end, ends, Ends, {
    Ends::Ratls => Some("ratls"),
    Ends::RatlsVersioned => Some("ratls versioned"),
    Ends::AppKey => Some("app key"),
    Ends::AppKeyBehind => Some("app key behind"),
    Ends::Ingress => Some("ingress"),
    Ends::Ca => Some("ca"),
});

kinds!(gpu_devices, all_gpu_devices, Devices, {
    // No GPU signs anything.
    Devices::None => None,
    Devices::One => Some("one"),
    Devices::Two => Some("two"),
    Devices::Blackwell => Some("blackwell"),
    Devices::ProtectedPcie => Some("protected PCIe"),
});

kinds!(gpu_form, gpu_forms, Shown, {
    Shown::PayloadText => Some("payload text"),
    Shown::PayloadObject => Some("payload object"),
    Shown::Document => Some("document"),
    Shown::List => Some("list"),
    Shown::DocumentWithPayload => Some("document with payload"),
    Shown::Tool => Some("tool"),
    Shown::Bundles => Some("bundles"),
    Shown::Nowhere => Some("nowhere"),
});

kinds!(instance, instances, Instance, {
    Instance::Public => Some("public"),
    Instance::Github => Some("github"),
});

/// How the policy binds a key that ends TLS in this way.
fn binding_of(ends: Ends) -> TlsBinding {
    match ends {
        Ends::Ratls | Ends::RatlsVersioned => TlsBinding::RaTls,
        Ends::AppKey | Ends::AppKeyBehind => TlsBinding::AppKey,
        Ends::Ingress => TlsBinding::Ingress,
        Ends::Ca => TlsBinding::Auto,
    }
}

type Kind = (&'static str, String);

/// Every kind that the enums have.
fn demanded() -> BTreeSet<Kind> {
    let mut kinds = BTreeSet::from([("layout", "auto".to_owned()), ("guest", "lite".to_owned())]);
    kinds.extend(Layout::ALL.map(|layout| ("layout", layout.to_string())));
    kinds.extend(TlsBinding::ALL.map(|mode| ("TLS mode", mode.to_string())));
    kinds.extend(Guest::ALL.map(|guest| ("guest", format!("{guest:?}"))));
    kinds.extend(EventVersion::ALL.map(|version| ("event version", format!("{version:?}"))));
    kinds.extend(QuoteFormat::ALL.map(|format| ("quote", format!("{format:?}"))));
    for (dimension, names) in [
        ("MRCONFIGID", config_ids()),
        ("OS image", os_images()),
        ("OS image, known by", identifications()),
        ("end of TLS", ends()),
        ("GPUs", all_gpu_devices()),
        ("GPU evidence", gpu_forms()),
        ("instance of Sigstore", instances()),
    ] {
        kinds.extend(names.into_iter().map(|name| (dimension, name.to_owned())));
    }
    kinds
}

/// The kinds that a case shows.
fn shown(case: &Case) -> BTreeSet<Kind> {
    let cvm = case.honest.build().unwrap();
    let mut kinds = BTreeSet::from([
        ("guest", format!("{:?}", cvm.guest)),
        ("event version", format!("{:?}", cvm.event_version)),
        ("quote", format!("{:?}", cvm.quote.format)),
        (
            "layout",
            argument(case, "--report-data").unwrap_or("auto").to_owned(),
        ),
    ]);
    if cvm.boot.lite {
        kinds.insert(("guest", "lite".to_owned()));
    }
    let mut add = |dimension, name: Option<&str>| {
        kinds.extend(name.map(|name| (dimension, name.to_owned())));
    };
    add(
        "MRCONFIGID",
        config_id(&ConfigId::of(&cvm.td_report([0; 64]).mr_config_id)),
    );
    add("OS image", expected_os_image(case));
    // A guest whose image is in no table shows its measurement document.
    let is_unlisted = case.policy.as_ref().is_some_and(|policy| policy.unlisted);
    let by = match is_unlisted {
        true => IdentifiedBy::Document,
        false => IdentifiedBy::Registers,
    };
    add("OS image, known by", identified(&by));
    if let Some(tls) = &case.tls {
        add("end of TLS", end(&tls.ends));
        add("TLS mode", Some(binding_of(tls.ends).as_str()));
    }
    if let Some(gpu) = &case.gpu {
        add("GPUs", gpu_devices(&gpu.devices));
        add("GPU evidence", gpu_form(&gpu.shown));
    }
    if let Some(provenance) = &case.provenance {
        add("instance of Sigstore", instance(&provenance.instance));
    }
    kinds
}

fn argument<'a>(case: &'a Case, name: &str) -> Option<&'a str> {
    let arguments = || case.arguments.iter().flatten().chain(&case.more_arguments);
    let at = arguments().position(|argument| argument == name)?;
    arguments().nth(at + 1).map(String::as_str)
}

/// How the policy of a case names the OS image.
fn expected_os_image(case: &Case) -> Option<&'static str> {
    let lock = case.policy.as_ref().and_then(|policy| policy.lock.as_deref());
    let locked = lock.filter(|lock| lock.contains("[os_image]")).map(|lock| {
        let name = match lock.contains("rtmr0") {
            true => "lock",
            false => "locked image",
        };
        assert!(os_images().contains(&name));
        name
    });
    match argument(case, "--os-image") {
        None if case.arguments.is_some() => locked.or(os_image(&OsImagePolicy::Known)),
        // The registers of the honest CVM.
        None | Some("{os-image}") => Some("tuple"),
        Some(text) => match parse_os_image(text) {
            Ok(OsImageOption::Lock) => locked,
            Ok(OsImageOption::Policy(policy)) => os_image(&policy),
            // A name or a hash of the reference values of the case.
            Err(_) => Some("published"),
        },
    }
}

#[test]
fn an_honest_deployment_of_each_kind_passes() {
    let cases = corpus::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"), "").unwrap();
    let passes = |case: &&Case| case.expected.verdict == Verdict::Pass && case.threats.is_empty();
    let found: BTreeSet<Kind> = cases.iter().filter(passes).flat_map(shown).collect();
    let missing: Vec<Kind> = demanded().difference(&found).cloned().collect();
    assert!(
        missing.is_empty(),
        "no case without a threat passes for {missing:?}"
    );
}
