//! Why `launch-inputs` does not simply pass.

use crate::checks::Reason;

pub(super) const RISKY_VARIABLES: Reason = Reason {
    id: "risky-variables",
    means: "`allowed_envs` lists variables that can change what runs, where traffic goes or who logs in as root. The names \
            are measured, the values are not.",
    fix: "Take the names out of `allowed_envs`, or bind the values with a `launch_token_hash`.",
};
pub(super) const UNKNOWN_PRE_LAUNCH_SCRIPT: Reason = Reason {
    id: "unknown-pre-launch-script",
    means: "A script of an unknown text runs as root before the containers. It is measured, but it is not Phala's. Not all \
            containers wait for it: those that restart by themselves may run before it.",
    fix: "Read the script (`cvm-verify inspect`). If it is yours, run `cvm-verify pin` and review its hash in the lock.",
};
pub(super) const INIT_SCRIPT: Reason = Reason {
    id: "init-script",
    means: "A script of the app's own runs as root before Docker starts. It is measured, and it is not in a reviewed lock.",
    fix: "Read the script (`cvm-verify inspect`). If it is yours, run `cvm-verify pin` and review its hash in the lock.",
};
pub(super) const HOST_ACCESS: Reason = Reason {
    id: "host-access",
    means: "A container has access beyond itself: privileged mode, the Docker socket, host mounts, devices or host \
            namespaces.",
    fix: "Make sure that this is intended: such a container can replace every other one. If it is, run `cvm-verify pin` and \
          commit the lock after the review.",
};
pub(super) const WEAK_GPU_POLICY: Reason = Reason {
    id: "weak-gpu-policy",
    means: "The app accepts GPUs whose state does not protect its data: not attested, with developer tools, with debugging or \
            without secure boot.",
    fix: "Take the option out of `requirements.gpu_policy` and deploy again; or, if that is intended, run `cvm-verify pin` \
          and review [compose] in the lock.",
};
pub(super) const UNKNOWN_FIELD: Reason = Reason {
    id: "unknown-field",
    means: "The compose document has a field that this version does not know, or a known one with another kind of value: the \
            guest, or a later version of it, may read it differently than this program.",
    fix: "Take the field out and deploy again, or update cvm-verify; or, if it is intended, run `cvm-verify pin` and review \
          [compose] in the lock.",
};
pub(super) const EXPOSED: Reason = Reason {
    id: "exposed",
    means: "The VM shows its logs or its system information to everybody.",
    fix: "Set `public_logs` and `public_sysinfo` to false and deploy again; or, if that is intended, run `cvm-verify pin` and \
          review [compose] in the lock.",
};
pub(super) const NO_SECURE_TIME: Reason = Reason {
    id: "no-secure-time",
    means: "The VM does not wait for authenticated time when it boots, so the host chooses its clock.",
    fix: "Set `secure_time` to true and deploy again, if the app relies on the time (certificates, tokens, expiries); or \
          run `cvm-verify pin` and review [compose] in the lock.",
};
pub(super) const NO_INSTANCE_ID: Reason = Reason {
    id: "no-instance-id",
    means: "The app asks for no instance id, so its replicas cannot be distinguished.",
    fix: "Set `no_instance_id` to false and deploy again; or, if that is intended, run `cvm-verify pin` and review [compose] \
          in the lock.",
};
pub(super) const UNREADABLE_COMPOSE: Reason = Reason {
    id: "unreadable-compose",
    means: "The measured compose document cannot be read unambiguously.",
    fix: "Simplify it: no duplicate keys, no deep nesting; then deploy again.",
};
pub(super) const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with --launch-inputs unchecked.",
    fix: "Remove `--launch-inputs unchecked`, and review what it hides.",
};
