//! Why `kms` does not simply pass. Who is accused is the KMS or its operator, never the app that it serves.

use crate::checks::{BOOT_ORDER_NOT_PROVEN, EVENT_LOG_NOT_PROVEN, QUOTE_NOT_PROVEN, reasons};

reasons! {
    pub(super) REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN]:
    OTHER_ROOT "other-root"
        "The certificate of the KMS that you named is not signed by the root key that the app's keys come from: it is not \
         the KMS that made them."
        "Name the host of the app's own KMS (`kms-host`, or host in [kms] of the lock). If it was its host before, the operator \
         of the KMS changed its root, or another server answers there.";
    OTHER_EPOCH "other-epoch"
        "The KMS answers under another root key than the one that the app's keys come from, or shows the certificate of another one. \
         You named both roots; that this KMS holds the app's root now is not proven."
        "Restart the app, so that it gets keys of the new root. Or name a replica that answers under the app's root (`kms-host`).";
    NO_EVIDENCE "no-evidence"
        "The certificate of the KMS carries no evidence of a VM."
        "Name the KMS's own address, where no proxy ends TLS. If it is that, ask its operator why it does not attest.";
    REFUSED "malformed"
        "The certificate of the KMS, or the evidence in it, cannot be read or contradicts itself."
        "No KMS of dstack issues that: ask its operator. If it is one, report it as a bug of cvm-verify with the certificate.";
    OUTSIDE_VALIDITY "outside-validity"
        "The certificate of the KMS, or one that signed it, has expired, or is not valid yet by the clock of this machine."
        "If it has expired, ask the operator of the KMS to renew it. If it is not valid yet, compare the clock of this machine; \
         then verify again.";
    NOT_BOUND "not-bound"
        "The quote in the certificate of the KMS was made for another key: a server with a key of its own shows the evidence \
         of a KMS."
        "Only a server that copied the evidence has such a certificate: treat the server at this host as hostile. It says nothing about the \
         app.";
    USAGE "usage"
        "The root key of the app's keys signed the certificate of the server for another use than that of a KMS that answers: it is that of \
         an app's CA, whose key others hold, or of something else. The server is not proven to be the KMS."
        "Name the address of the KMS itself (`kms-host`), and check its DNS record. This finding says nothing about the app.";
    QUOTE "quote"
        "The quote of the KMS, or what its VM recorded of its boot, is refused."
        "Ask the operator of the KMS what its VM runs, and verify again when that is mended. Until then nothing shows which code has the \
         app's keys.";
    PLATFORM "platform"
        "The KMS was started on a platform that the policy does not accept."
        "Ask the operator of the KMS to patch its machine and to restart it, or accept the status, if the finding names \
         one, with an end date (--accept-tcb).";
    OS_IMAGE "os-image"
        "The KMS runs on an OS image that is not accepted."
        "Ask the operator of the KMS to redeploy it on a production image without known vulnerabilities, or name the image \
         (`kms-os-image`).";
    OTHER_BUILD "other-build"
        "The KMS runs other code than you named. Its code decides who gets the app's keys."
        "Compare what you named with the version that the operator of the KMS published. If what runs is a version that you have reviewed, \
         write it down (`kms-compose-hash`, `kms-build`, or compose_hash in [kms] of the lock). Otherwise ask the operator what runs; until \
         you have reviewed it, nothing shows what that code does with the app's keys.";
    MR_UNKNOWN "mr-unknown"
        "The VM recorded at its boot that its keys came from a KMS of another build than you named (`mr-kms`)."
        "Compare what you named with the builds that the operator of the KMS published. If what gave the keys is a build that you have \
         reviewed, write it down (`kms-build`). Otherwise ask the operator which code that was; until you have reviewed it, nothing shows \
         what that code did with the app's keys.";
    DEVELOPMENT "development"
        "The KMS says that it runs with rules for development: it gives keys to any code."
        "Move the app to a production KMS, and replace every secret that it holds. Nothing is wrong with the app itself.";
    META_CA "meta-ca"
        "The KMS answers with the certificate of another root than the one that signed its own."
        "Ask the operator of the KMS. A KMS in the middle of a change of roots may do that: verify again when it is done.";
    CONTRACT_DIFFERS "contract-differs"
        "The KMS follows other rules than you named: those of another contract, or those of its operator."
        "Name the contract of the app's own KMS (`governance-kms-contract`, or kms_contract in the lock).";
    VM_KEYS "vm-keys"
        "The KMS's own VM gets its keys from another provider than you named. A party that knows these keys can read the \
         root keys from the disk of the KMS."
        "Ask the operator of the KMS, or correct `kms-key-provider`.";
    HOST "host-name"
        "The certificate of the KMS is for another host name."
        "Name the KMS by the host that its certificate is for (`kms-host`).";
    BOOTSTRAP "bootstrap"
        "There is evidence of how the root keys of the KMS were made, and it is refused, is about other keys, or shows that \
         others could read the keys."
        "Ask the operator of the KMS how its root keys were made. Until that is known, nothing shows who could read them.";
    NO_KMS "no-kms"
        "The app's keys do not come from a KMS."
        "If that is right, leave the requirement out (--require-kms, `kms-host`); otherwise deploy with a KMS.";
    KEY_CHANGED "key-changed"
        "More than one TLS key answered at the host of the KMS, so its answer may have come from another server than the \
         attested one."
        "Name the host of one replica (`kms-host` takes several), or verify again.";
    UNREACHABLE "unreachable"
        "The KMS did not answer."
        "Check the name of its host and whether this machine may reach it. Verify again.";
    META "meta"
        "The KMS is attested, and its answer about itself (GetMeta) is missing or cannot be read."
        "Verify again. If this stays, ask its operator whether GetMeta is open.";
    QUOTE_UNDETERMINED "quote-undetermined"
        "The quote of the KMS could not be verified, because collateral or an event log is missing."
        "Verify again. If this stays, Intel's collateral for the machine of the KMS is not available, or has expired.";
    OS_IMAGE_UNKNOWN "os-image-unknown"
        "The OS image of the KMS is not in the reference values, or the shape of its VM is not."
        "Name its image (`kms-os-image`), or add it to your reference values.";
    VM_KEYS_UNKNOWN "vm-keys-unknown"
        "The KMS's own VM gets its keys from a provider that is neither known nor named."
        "Find out who that is, and name it: `kms-key-provider = \"NAME:HEXID\"`.";
    UNPINNED "unpinned"
        "The KMS is attested, and the policy does not name the code that it must run."
        "Review the code and write it down: `kms-compose-hash`, or pin it with `cvm-verify pin`.";
    CODE_OPEN "code-open"
        "The KMS runs the compose document that you named, and this document does not say which code runs: an image without a \
         digest, a file or a variable that is not measured."
        "Ask the operator of the KMS to pin every image by digest. Until then the hash of the document does not name the code that gives \
         the app's keys.";
    OTHER_SERVER "other-server"
        "The server that answers at the host of the KMS has no certificate that the root key of the app's keys signed: another \
         server answers there, or something between this machine and the KMS ends TLS."
        "Check the DNS record of the host and any proxy before it. A proxy must not end TLS for this host. If the KMS moved, name its \
         new host (`kms-host`, or host in [kms] of the lock). This finding says nothing about the app.";
    NOT_ASKED "not-asked"
        "The KMS is named and was not asked: the evidence is a recording without an answer of it."
        "Verify the live deployment, or replay a bundle that was recorded with the same `kms-host`.";
    NO_HOST "no-host"
        "The host of the KMS is not named, so it was not asked. A host that the app names could be the attacker's."
        "Name it: `kms-host` in the policy file, or host in [kms] of the lock.";
    IMAGES_UNVERIFIED "images-unverified"
        "The KMS does not say that it compares the OS image of a guest with the published one, as KMSs from 0.6.3 on do."
        "Ask the operator of the KMS to upgrade it to dstack 0.6.3 or later.";
    CONTRACT_UNSAID "contract-unsaid"
        "You named the contract that the KMS must follow, and the KMS does not say whose rules it follows, as older ones do not."
        "Read in the compose document of the KMS which contract its auth service asks, or ask its operator to upgrade it.";
    LAUNCH_INPUTS "launch-inputs"
        "The compose document of the KMS takes values from outside, runs a script before the KMS starts, or gives a \
         container access beyond itself."
        "Review these places: the party that starts the KMS sets the values. See the check `launch-inputs` for what each of \
         them means.";
    OLD_RELEASE "old-release"
        "The KMS runs an image of a release with a known weakness."
        "Ask the operator of the KMS to upgrade it.";
    BOOTSTRAP_UNDETERMINED "bootstrap-undetermined"
        "There is evidence of how the root keys of the KMS were made, and it could not be verified."
        "Verify again. If this stays, Intel may no longer serve collateral for the machine that made the keys, or rates it at no \
         level. Ignore this warning if you do not rely on where the root keys were made.";
    BOOTSTRAP_UNPROVEN "bootstrap-unproven"
        "You named evidence of how the root keys of the KMS were made, and it was not looked at or could not be verified."
        "Verify again. If this stays, Intel no longer serves collateral for the machine that made the keys, or rates it at no level: \
         remove `kms-bootstrap-file` if you do not rely on where they were made.";
    NOT_CONFIGURED "not-configured"
        "No KMS was named, so none was asked."
        "Name the KMS of the app in the policy file (`kms-host`, `kms-compose-hash`), or pin it: see docs/governance.md.";
    UNCHECKED "unchecked"
        "Waived with `kms = \"unchecked\"`."
        "Name the KMS instead of `unchecked`.";
}
