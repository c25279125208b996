//! Why `kms` does not simply pass. Who is accused is the KMS or its operator, never the app that it serves.

use crate::checks::Reason;

/// Every reason of its own.
pub(super) const ALL: [&Reason; 37] = [
    &OTHER_ROOT,
    &OTHER_EPOCH,
    &NO_EVIDENCE,
    &REFUSED,
    &OUTSIDE_VALIDITY,
    &NOT_BOUND,
    &USAGE,
    &QUOTE,
    &PLATFORM,
    &OS_IMAGE,
    &OTHER_BUILD,
    &MR_UNKNOWN,
    &DEVELOPMENT,
    &META_CA,
    &CONTRACT_DIFFERS,
    &VM_KEYS,
    &HOST,
    &BOOTSTRAP,
    &NO_KMS,
    &KEY_CHANGED,
    &UNREACHABLE,
    &META,
    &QUOTE_UNDETERMINED,
    &OS_IMAGE_UNKNOWN,
    &VM_KEYS_UNKNOWN,
    &UNPINNED,
    &CODE_OPEN,
    &OTHER_SERVER,
    &NOT_ASKED,
    &NO_HOST,
    &IMAGES_UNVERIFIED,
    &LAUNCH_INPUTS,
    &OLD_RELEASE,
    &BOOTSTRAP_UNDETERMINED,
    &BOOTSTRAP_UNPROVEN,
    &NOT_CONFIGURED,
    &UNCHECKED,
];

pub(super) const OTHER_ROOT: Reason = Reason {
    id: "other-root",
    means: "The certificate of the KMS that you named is not signed by the root key that the app's keys come from: it is not \
            the KMS that made them.",
    fix: "Name the host of the app's own KMS (`kms-host`, or host in [kms] of the lock). If it was its host before, the operator \
          of the KMS changed its root, or another server answers there.",
};
pub(super) const OTHER_EPOCH: Reason = Reason {
    id: "other-epoch",
    means: "The KMS answers under another root key than the one that the app's keys come from, or shows the certificate of another one. \
            You named both roots; that this KMS holds the app's root now is not proven.",
    fix: "Restart the app, so that it gets keys of the new root. Or name a replica that answers under the app's root (`kms-host`).",
};
pub(super) const NO_EVIDENCE: Reason = Reason {
    id: "no-evidence",
    means: "The certificate of the KMS carries no evidence of a VM.",
    fix: "Name the KMS's own address, where no proxy ends TLS. If it is that, ask its operator why it does not attest.",
};
pub(super) const REFUSED: Reason = Reason {
    id: "malformed",
    means: "The certificate of the KMS, or the evidence in it, cannot be read or contradicts itself.",
    fix: "No KMS of dstack issues that: ask its operator. If it is one, report it as a bug of cvm-verify with the certificate.",
};
pub(super) const OUTSIDE_VALIDITY: Reason = Reason {
    id: "outside-validity",
    means: "The certificate of the KMS, or one that signed it, has expired, or is not valid yet by the clock of this machine.",
    fix: "If it has expired, ask the operator of the KMS to renew it. If it is not valid yet, compare the clock of this machine; \
          then verify again.",
};
pub(super) const NOT_BOUND: Reason = Reason {
    id: "not-bound",
    means: "The quote in the certificate of the KMS was made for another key: a server with a key of its own shows the evidence \
            of a KMS.",
    fix: "Treat the server at this host as hostile. It says nothing about the app.",
};
pub(super) const USAGE: Reason = Reason {
    id: "usage",
    means: "The root key of the app's keys signed the certificate of the server for another use than that of a KMS that answers: it is that of \
            an app's CA, whose key others hold, or of something else. The server is not proven to be the KMS.",
    fix: "Name the address of the KMS itself (`kms-host`), and check its DNS record. This finding says nothing about the app.",
};
pub(super) const QUOTE: Reason = Reason {
    id: "quote",
    means: "The quote of the KMS, or what its VM recorded of its boot, is refused.",
    fix: "Treat the KMS at this host as hostile, and the app's keys as known to its operator.",
};
pub(super) const PLATFORM: Reason = Reason {
    id: "platform",
    means: "The KMS was started on a platform that the policy does not accept.",
    fix: "Ask the operator of the KMS to patch its machine and to restart it, or accept the status with an end date \
          (--accept-tcb).",
};
pub(super) const OS_IMAGE: Reason = Reason {
    id: "os-image",
    means: "The KMS runs on an OS image that is not accepted.",
    fix: "Ask the operator of the KMS to redeploy it on a production image without known vulnerabilities, or name the image \
          (`kms-os-image`).",
};
pub(super) const OTHER_BUILD: Reason = Reason {
    id: "other-build",
    means: "The KMS runs other code than you named. Its code decides who gets the app's keys.",
    fix: "If its operator published a new version, review it and write it down (`kms-compose-hash`, or compose_hash in [kms] of \
          the lock). Otherwise treat the app's keys as known to the operator.",
};
pub(super) const MR_UNKNOWN: Reason = Reason {
    id: "mr-unknown",
    means: "The VM recorded at its boot that its keys came from a KMS of another build than you named (`mr-kms`).",
    fix: "If its operator published a new version, review it and write it down (`kms-build`). Otherwise treat the app's keys as \
          known to the operator.",
};
pub(super) const DEVELOPMENT: Reason = Reason {
    id: "development",
    means: "The KMS says that it runs with rules for development: it gives keys to any code.",
    fix: "Move the app to a production KMS, and replace every secret that it holds. Nothing is wrong with the app itself.",
};
pub(super) const META_CA: Reason = Reason {
    id: "meta-ca",
    means: "The KMS answers with the certificate of another root than the one that signed its own.",
    fix: "Ask the operator of the KMS. A KMS in the middle of a change of roots may do that: verify again when it is done.",
};
pub(super) const CONTRACT_DIFFERS: Reason = Reason {
    id: "contract-differs",
    means: "The KMS follows other rules than you named: those of another contract, or those of its operator.",
    fix: "Name the contract of the app's own KMS (`governance-kms-contract`, or kms_contract in the lock).",
};
pub(super) const VM_KEYS: Reason = Reason {
    id: "vm-keys",
    means: "The KMS's own VM gets its keys from another provider than you named. A party that knows these keys can read the \
            root keys from the disk of the KMS.",
    fix: "Ask the operator of the KMS, or correct `kms-key-provider`.",
};
pub(super) const HOST: Reason = Reason {
    id: "host-name",
    means: "The certificate of the KMS is for another host name.",
    fix: "Name the KMS by the host that its certificate is for (`kms-host`).",
};
pub(super) const BOOTSTRAP: Reason = Reason {
    id: "bootstrap",
    means: "There is evidence of how the root keys of the KMS were made, and it is refused, is about other keys, or shows that \
            others could read the keys.",
    fix: "Ask the operator of the KMS how its root keys were made. Until that is known, treat them as known to the operator.",
};
pub(super) const NO_KMS: Reason = Reason {
    id: "no-kms",
    means: "The app's keys do not come from a KMS.",
    fix: "If that is right, leave the requirement out (--require-kms, `kms-host`); otherwise deploy with a KMS.",
};
pub(super) const KEY_CHANGED: Reason = Reason {
    id: "key-changed",
    means: "More than one TLS key answered at the host of the KMS, so its answer may have come from another server than the \
            attested one.",
    fix: "Name the host of one replica (`kms-host` takes several), or verify again.",
};
pub(super) const UNREACHABLE: Reason = Reason {
    id: "unreachable",
    means: "The KMS did not answer.",
    fix: "Check the name of its host and whether this machine may reach it. Verify again.",
};
pub(super) const META: Reason = Reason {
    id: "meta",
    means: "The KMS is attested, and its answer about itself (GetMeta) is missing or cannot be read.",
    fix: "Verify again. If this stays, ask its operator whether GetMeta is open.",
};
pub(super) const QUOTE_UNDETERMINED: Reason = Reason {
    id: "quote-undetermined",
    means: "The quote of the KMS could not be verified, because collateral or an event log is missing.",
    fix: "Verify again. If this stays, Intel's collateral for the machine of the KMS is not available, or has expired.",
};
pub(super) const OS_IMAGE_UNKNOWN: Reason = Reason {
    id: "os-image-unknown",
    means: "The OS image of the KMS is not in the reference values, or the shape of its VM is not.",
    fix: "Name its image (`kms-os-image`), or add it to your reference values.",
};
pub(super) const VM_KEYS_UNKNOWN: Reason = Reason {
    id: "vm-keys-unknown",
    means: "The KMS's own VM gets its keys from a provider that is neither known nor named.",
    fix: "Find out who that is, and name it: `kms-key-provider = \"NAME:HEXID\"`.",
};
pub(super) const UNPINNED: Reason = Reason {
    id: "unpinned",
    means: "The KMS is attested, and the policy does not name the code that it must run.",
    fix: "Review the code and write it down: `kms-compose-hash`, or pin it with `cvm-verify pin`.",
};
pub(super) const CODE_OPEN: Reason = Reason {
    id: "code-open",
    means: "The KMS runs the compose document that you named, and this document does not say which code runs: an image without a \
            digest, a file or a variable that is not measured.",
    fix: "Ask the operator of the KMS to pin every image by digest. Until then the hash of the document does not name the code that gives \
          the app's keys.",
};
pub(super) const OTHER_SERVER: Reason = Reason {
    id: "other-server",
    means: "The server that answers at the host of the KMS has no certificate that the root key of the app's keys signed: another \
            server answers there, or something between this machine and the KMS ends TLS.",
    fix: "Check the DNS record of the host and any proxy before it. A proxy must not end TLS for this host. If the KMS moved, name its \
          new host (`kms-host`, or host in [kms] of the lock). This finding says nothing about the app.",
};
pub(super) const NOT_ASKED: Reason = Reason {
    id: "not-asked",
    means: "The KMS is named and was not asked: the evidence is a recording without an answer of it.",
    fix: "Verify the live deployment, or replay a bundle that was recorded with the same `kms-host`.",
};
pub(super) const NO_HOST: Reason = Reason {
    id: "no-host",
    means: "The host of the KMS is not named, so it was not asked. A host that the app names could be the attacker's.",
    fix: "Name it: `kms-host` in the policy file, or host in [kms] of the lock.",
};
pub(super) const IMAGES_UNVERIFIED: Reason = Reason {
    id: "images-unverified",
    means: "The KMS does not say that it compares the OS image of a guest with the published one, as KMSs from 0.6.3 on do.",
    fix: "Ask the operator of the KMS to upgrade it to dstack 0.6.3 or later.",
};
pub(super) const LAUNCH_INPUTS: Reason = Reason {
    id: "launch-inputs",
    means: "The compose document of the KMS takes values from outside, runs a script before the KMS starts, or gives a \
            container access beyond itself.",
    fix: "Review these places: the party that starts the KMS sets the values. See the check `launch-inputs` for what each of \
          them means.",
};
pub(super) const OLD_RELEASE: Reason = Reason {
    id: "old-release",
    means: "The KMS runs an image of a release with a known weakness.",
    fix: "Ask the operator of the KMS to upgrade it.",
};
pub(super) const BOOTSTRAP_UNDETERMINED: Reason = Reason {
    id: "bootstrap-undetermined",
    means: "There is evidence of how the root keys of the KMS were made, and it could not be verified.",
    fix: "Verify again. If this stays, Intel may no longer serve collateral for the machine that made the keys. Ignore this warning if \
          you do not rely on where the root keys were made.",
};
pub(super) const BOOTSTRAP_UNPROVEN: Reason = Reason {
    id: "bootstrap-unproven",
    means: "You named evidence of how the root keys of the KMS were made, and it was not looked at or could not be verified.",
    fix: "Verify again. If this stays, Intel no longer serves collateral for the machine that made the keys: remove \
          `kms-bootstrap-file` if you do not rely on where they were made.",
};
pub(super) const NOT_CONFIGURED: Reason = Reason {
    id: "not-configured",
    means: "No KMS was named, so none was asked.",
    fix: "Name the KMS of the app in the policy file (`kms-host`, `kms-compose-hash`), or pin it: see docs/governance.md.",
};
pub(super) const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with `kms = \"unchecked\"`.",
    fix: "Name the KMS instead of `unchecked`.",
};
