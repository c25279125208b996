//! Why `launch-inputs` does not simply pass.

use crate::checks::measured_compose::{COMPOSE_NOT_PROVEN, NO_COMPOSE_DOCUMENT};
use crate::checks::{BOOT_ORDER_NOT_PROVEN, EVENT_LOG_NOT_PROVEN, QUOTE_NOT_PROVEN, reasons};

reasons! {
    pub(super) REASONS with [
        &NO_COMPOSE_DOCUMENT,
        &COMPOSE_NOT_PROVEN,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ]:
    RISKY_VARIABLES "risky-variables"
        "`allowed_envs` lists variables that can change what runs, where traffic goes or who logs in as root. The names \
         are measured, the values are not."
        "Take the names out of `allowed_envs`, or bind the values with a `launch_token_hash`.";
    UNKNOWN_PRE_LAUNCH_SCRIPT "unknown-pre-launch-script"
        "A script of an unknown text runs as root before the containers. It is measured, but it is not Phala's. Not all \
         containers wait for it: those that restart by themselves may run before it."
        "Read the script (`cvm-verify inspect`). If it is yours, run `cvm-verify pin` and review its hash in the lock.";
    INIT_SCRIPT "init-script"
        "A script of the app's own runs as root before Docker starts. It is measured, and it is not in a reviewed lock."
        "Read the script (`cvm-verify inspect`). If it is yours, run `cvm-verify pin` and review its hash in the lock.";
    VERITY_VOLUME "verity-volume"
        "The guest mounts a volume before the containers. Its root hash is measured, and the content is not in the compose \
         document: it may hold programs, or replace those of the VM or of an image."
        "Put the content into an image and remove the entry. Or compare the content with the root hash, run \
         `cvm-verify pin`, and review the entry in the lock.";
    HOST_ACCESS "host-access"
        "A container has access beyond itself: privileged mode, the Docker socket, host mounts, devices or host \
         namespaces."
        "Make sure that this is intended: such a container can replace every other one. If it is, run `cvm-verify pin` and \
         commit the lock after the review.";
    WEAK_GPU_POLICY "weak-gpu-policy"
        "The app accepts GPUs whose state does not protect its data: not attested, with developer tools, with debugging or \
         without secure boot."
        "Take the option out of `requirements.gpu_policy` and deploy again; or, if that is intended, run `cvm-verify pin` \
         and review [compose] in the lock.";
    UNKNOWN_FIELD "unknown-field"
        "The compose document has a field that this version does not know, or a known one with another kind of value: the \
         guest, or a later version of it, may read it differently than this program."
        "Take the field out and deploy again, or update cvm-verify; or, if it is intended, run `cvm-verify pin` and review \
         [compose] in the lock.";
    EXPOSED "exposed"
        "The VM shows its logs or its system information to everybody."
        "Set `public_logs` and `public_sysinfo` to false and deploy again; or, if that is intended, run `cvm-verify pin` and \
         review [compose] in the lock.";
    NO_SECURE_TIME "no-secure-time"
        "The VM does not wait for authenticated time when it boots, so the host chooses its clock."
        "Set `secure_time` to true and deploy again, if the app relies on the time (certificates, tokens, expiries); or \
         run `cvm-verify pin` and review [compose] in the lock.";
    NO_INSTANCE_ID "no-instance-id"
        "The app asks for no instance id, so its replicas cannot be distinguished."
        "Set `no_instance_id` to false and deploy again; or, if that is intended, run `cvm-verify pin` and review [compose] \
         in the lock.";
    UNREADABLE_COMPOSE "unreadable-compose"
        "The measured compose document cannot be read unambiguously."
        "Simplify it: no duplicate keys, no deep nesting; then deploy again.";
    UNCHECKED "unchecked"
        "Waived with --launch-inputs unchecked."
        "Remove `--launch-inputs unchecked`, and review what it hides.";
}
