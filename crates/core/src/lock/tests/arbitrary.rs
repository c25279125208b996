//! Locks for tests: any, and one that is an example.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "for tests, of other crates too"
)]

mod example_lock;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use proptest::array::{uniform6, uniform8, uniform20, uniform32};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Value;

pub use example_lock::example;
#[cfg(test)]
pub(crate) use example_lock::{all_changed, changed_in_each_field};

use super::{
    AcceptName, Lock, LockedContract, LockedGovernance, LockedKms, LockedOs, LockedTls, gpus, places,
};
use crate::policy::{FilesIdentity, GpuPin, KmsHost, KnownBy, LockedPlace, TlsBinding, WrittenRule};
use crate::reference::ReferenceValues;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_]{0,12}",
        any::<String>(),
        Just("json".to_owned()),
        Just("\u{202e}<<<<<<< \"\n'''\\".to_owned()),
    ]
}

fn bytes48() -> impl Strategy<Value = [u8; 48]> {
    vec(any::<u8>(), 48).prop_map(|bytes| bytes.try_into().unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(24, 48, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn files() -> impl Strategy<Value = FilesIdentity> {
    let version = prop_oneof![Just("0.5.2"), Just("0.6.0-rc1"), Just("1.20.300.4")];
    (uniform32(any::<u8>()), of(version)).prop_map(|(os_image_hash, version)| FilesIdentity {
        os_image_hash,
        version: version.map(|version| version.parse().unwrap()),
    })
}

fn os_image() -> impl Strategy<Value = LockedOs> {
    let day =
        (0u64..2_900_000).prop_map(|day| NaiveDate::default().checked_add_days(Days::new(day)).unwrap());
    let registers = (bytes48(), of(bytes48()), bytes48(), bytes48());
    let known_by = prop_oneof![
        Just(KnownBy::Row),
        Just(KnownBy::Unknown),
        uniform32(any::<u8>()).prop_map(KnownBy::PublishedHash),
        files().prop_map(KnownBy::Files),
        files().prop_map(KnownBy::DevelopmentFiles),
    ];
    (registers, of(known_by), of(day)).prop_map(
        |((mrtd, rtmr0, rtmr1, rtmr2), known_by, vulnerable_until)| LockedOs {
            mrtd,
            rtmr0,
            rtmr1,
            rtmr2,
            known_by,
            vulnerable_until,
        },
    )
}

fn governed() -> impl Strategy<Value = LockedContract> {
    let owners = btree_set(uniform20(any::<u8>()), 0..3);
    let hash = || of(uniform32(any::<u8>()));
    (owners, hash(), of(uniform20(any::<u8>())), hash()).prop_map(
        |(owners, code, implementation, implementation_code)| LockedContract {
            owners: owners.into_iter().collect(),
            code,
            implementation,
            implementation_code,
        },
    )
}

fn governance() -> impl Strategy<Value = LockedGovernance> {
    let chain_id = of(1u64..=u64::from(u32::MAX));
    let found = (chain_id, governed(), of(uniform20(any::<u8>())), governed()).prop_map(
        |(chain_id, app, kms_contract, kms)| LockedGovernance {
            chain_id,
            app,
            kms_contract,
            kms,
        },
    );
    prop_oneof![Just(LockedGovernance::default()), found]
}

fn kms() -> impl Strategy<Value = LockedKms> {
    let hosts = btree_set("[a-z]{1,8}\\.example(:[1-9][0-9]{0,3})?", 0..3);
    let hashes = btree_set(uniform32(any::<u8>()), 0..3);
    (hosts, hashes).prop_map(|(hosts, hashes)| {
        // The port of https is not written.
        let hosts: BTreeSet<KmsHost> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        LockedKms {
            hosts: hosts.into_iter().collect(),
            compose_hashes: hashes.into_iter().collect(),
        }
    })
}

fn tls() -> impl Strategy<Value = LockedTls> {
    let of_mode = |binding| LockedTls {
        binding: Some(binding),
        kms: None,
    };
    prop_oneof![
        Just(LockedTls::default()),
        Just(of_mode(TlsBinding::AppKey)),
        Just(of_mode(TlsBinding::Ingress)),
        of("([0-9a-f]{2}){1,91}").prop_map(move |kms| LockedTls {
            kms,
            ..of_mode(TlsBinding::RaTls)
        }),
    ]
}

fn origin() -> impl Strategy<Value = String> {
    "https://[a-z]{1,12}\\.example(:8443)?"
}

fn source() -> impl Strategy<Value = WrittenRule> {
    let refs = vec("refs/(heads|tags)/[a-z]{1,6}", 0..3);
    let commits = vec("[0-9a-f]{40}", 0..3);
    let names = ("[a-z]{1,8}(/[a-z]{1,8}){0,2}", "[a-z]{1,5}/[a-z]{1,5}");
    (names, of(any::<u64>()), refs, commits).prop_map(|((image, repository), id, refs, commits)| {
        WrittenRule {
            image,
            repository: Some(repository),
            repository_id: id,
            refs,
            commits,
            ..WrittenRule::default()
        }
    })
}

/// Any lock, the empty one included.
pub fn lock() -> impl Strategy<Value = Lock> {
    let provider = prop_oneof![
        Just("none".to_owned()),
        Just(format!("kms:{}", ReferenceValues::built_in().kms()[0].id)),
        "(kms|local-sgx|tpm):([0-9a-f]{2}){1,40}",
    ]
    .prop_map(|text| text.parse().unwrap());
    let app = (
        (of(text()), of(origin())),
        of(uniform32(any::<u8>())),
        of(uniform20(any::<u8>())),
        of(provider),
    );
    let place = (text(), uniform32(any::<u8>()), text()).prop_map(|(path, sha256, reason)| LockedPlace {
        path,
        sha256,
        reason,
        line: None,
    });
    let maps = (
        btree_map(text(), text(), 0..4),
        btree_map(text(), value(), 0..5),
        vec(place, 0..3),
        vec(source(), 0..3),
    );
    let gpu = (vec("[ -~]{1,64}", 9), uniform32(any::<u8>())).prop_map(|(kind, measurements)| GpuPin {
        kind: kind.try_into().unwrap(),
        measurements,
    });
    let platform = (
        of(uniform8(any::<u8>())),
        of(bytes48()),
        of(uniform6(any::<u8>())),
        vec(gpu, 0..3),
    );
    // What every lock holds, whatever else is in it.
    let name = prop_oneof![
        Just(AcceptName::Tcb),
        Just(AcceptName::NoNonce),
        Just(AcceptName::UnreadCompose),
    ];
    let accepted = btree_map(name, "[a-z]\\PC{0,60}", 0..3);
    let keys = (kms(), governance(), tls());
    let parts = (app, maps, of(os_image()), platform, accepted, keys);
    parts.prop_map(
        |(app, maps, os_image, platform, accepted, (kms, governance, tls))| {
            let ((tool, origin), compose_hash, app_id, key_provider) = app;
            let (images, compose_settings, mut places, sources): (
                BTreeMap<_, _>,
                BTreeMap<_, _>,
                Vec<_>,
                Vec<_>,
            ) = maps;
            places::sort(&mut places);
            let (td_attributes, mr_seam, fmspc, mut gpus) = platform;
            gpus::sort(&mut gpus);
            Lock {
                tool,
                origin,
                compose_hash,
                app_id,
                key_provider,
                accepted,
                images,
                compose_settings,
                places,
                sources,
                os_image,
                td_attributes,
                mr_seam,
                fmspc,
                gpus,
                kms,
                governance,
                tls,
            }
        },
    )
}

#[cfg(test)]
/// Any notes.
pub(crate) fn notes() -> impl Strategy<Value = super::Notes> {
    let said = |(kms_host, kms_contract)| super::Said {
        kms_host,
        kms_contract,
    };
    let said = any::<(bool, bool)>().prop_map(said);
    let kms_images = proptest::collection::vec(text(), 0..3);
    let parts = (of(text()), any::<bool>(), said, kms_images);
    // The registers are in no table: only a file of the user's can name them.
    parts.prop_map(|(os_image, simulated, said, kms_images)| super::Notes {
        own_rows: os_image.as_ref().map(|_| "ref.toml".to_owned()),
        os_image,
        simulated,
        said,
        kms_images,
        ..super::Notes::default()
    })
}
