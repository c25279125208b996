//! The reasons of the check `gpu`.

use crate::checks::Reason;

pub(super) const NO_GPU: Reason = Reason {
    id: "no-gpu",
    means: "Nothing indicates that the deployment has GPUs: no evidence of a GPU, no boot event, no claim of the host.",
    fix: "Nothing if it has none. If it has, let the app serve their evidence (see docs/gpu.md) and require it with --gpu \
          required.",
};
pub(super) const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with --gpu unchecked.",
    fix: "Remove `--gpu unchecked` once the app serves evidence of its GPUs.",
};
pub(super) const UNVERIFIED: Reason = Reason {
    id: "gpu-unverified",
    means: "The deployment is said to have GPUs, and nothing proves that they are genuine and confidential.",
    fix: "Let the app serve evidence of its GPUs over this run's nonce: the member `nvidia_payload` of its attestation, or an \
          endpoint that is named with --gpu-path (see docs/gpu.md).",
};
pub(super) const UNREACHABLE: Reason = Reason {
    id: "gpu-unreachable",
    means: "The endpoint that is named with --gpu-path did not answer with GPU evidence.",
    fix: "Open it with a nonce, as ?nonce= and 64 hex digits, and compare the answer with docs/gpu.md. Or correct --gpu-path.",
};
pub(super) const MALFORMED: Reason = Reason {
    id: "gpu-malformed",
    means: "The GPU evidence has a format that this version does not support.",
    fix: "Update cvm-verify. If the newest version does not read it either, compare what the app serves with docs/gpu.md.",
};
pub(super) const CHAIN: Reason = Reason {
    id: "gpu-chain",
    means: "The certificate chain of a GPU or switch does not verify, or does not end in NVIDIA's device root.",
    fix: "Treat the GPUs as forged. For a simulator give its root with --insecure-trust-root nvidia=FILE.",
};
pub(super) const SIGNATURE: Reason = Reason {
    id: "gpu-signature",
    means: "The report of a GPU or switch is not signed by the key in its certificate: it is forged or was changed.",
    fix: "Run again. If this stays, treat the sender of the evidence as hostile.",
};
pub(super) const FWID_MISMATCH: Reason = Reason {
    id: "gpu-fwid-mismatch",
    means: "The certificate of a GPU was issued for other firmware than the one in its report.",
    fix: "Treat the GPU as compromised: its firmware is not the one that its key belongs to.",
};
pub(super) const DUPLICATE: Reason = Reason {
    id: "gpu-duplicate",
    means: "One GPU is shown as two.",
    fix: "Let the app return one report of each GPU. If it does, someone hides that GPUs are missing.",
};
pub(super) const NONCE_MISMATCH: Reason = Reason {
    id: "gpu-nonce-mismatch",
    means: "The GPUs did not sign this run's nonce, or the quote does not: the GPU evidence may come from any time and any \
            deployment.",
    fix: "Let the app put this run's nonce into the reports of its GPUs and into its quote, and return all of them (see \
          docs/gpu.md).",
};
pub(super) const COUNT: Reason = Reason {
    id: "gpu-count",
    means: "There are more or fewer proven GPUs than expected.",
    fix: "Look for the GPUs that are missing or were added; if the deployment was resized, give the new --gpu-count.",
};
pub(super) const MODEL: Reason = Reason {
    id: "gpu-model",
    means: "A GPU is of another model than expected.",
    fix: "If the deployment moved to other GPUs, give their chip with --gpu-model.",
};
pub(super) const SWITCHES_MISSING: Reason = Reason {
    id: "gpu-switches-missing",
    means: "The GPUs work in protected-PCIe mode: the links between them are not encrypted, and the switches are not \
            attested.",
    fix: "Let the app return the evidence of its switches in the same list. --gpu-switches required makes this a failure.",
};
pub(super) const TOPOLOGY: Reason = Reason {
    id: "gpu-topology",
    means: "The switches that the GPUs see are not the attested ones, or there are switches and no GPU.",
    fix: "Let the app return the evidence of all GPUs and switches of this VM, and of no others. If it does, treat the host \
          as hostile.",
};
pub(super) const PINS: Reason = Reason {
    id: "gpu-pins",
    means: "The GPUs are not as the lock has them: another kind, or other measurements.",
    fix: "If the driver, the vBIOS or the GPUs were changed on purpose, pin again and review `[[gpus]]`. Other measurements \
          of the same kind need an explanation by NVIDIA: pin again with --gpu-verifier nras.",
};
pub(super) const OPAQUE_UNREAD: Reason = Reason {
    id: "gpu-opaque-unread",
    means: "A GPU describes itself in a newer format than this version reads: its driver and its modes are not known.",
    fix: "Update cvm-verify. The signature, the chain and the nonce were verified.",
};
pub(super) const EVENT: Reason = Reason {
    id: "gpu-event",
    means: "The boot event `gpu-attestation` does not say that the guest attested its GPUs with confidential computing on, or has a \
            form that this version does not know.",
    fix: "If the form is not known, update cvm-verify. Otherwise look at the GPU settings of the host and the app: `requirements.gpu_policy` of the compose document.",
};
pub(super) const POLICY: Reason = Reason {
    id: "gpu-policy",
    means: "The measured GPU policy does not attest the GPUs, weakens the requirements on them, has a member that this \
            version does not know, or is not the one of the boot event.",
    fix: "Remove `attest_gpu: false` and `allow_…: true` from `requirements.gpu_policy` of the compose document.",
};
pub(super) const EVIDENCE_DIGEST: Reason = Reason {
    id: "gpu-evidence-digest",
    means: "The record of the boot that is shown is not the one that the guest measured.",
    fix: "Let the app return the exact bytes of `boottime_gpu_evidence`; a changed record proves nothing.",
};
pub(super) const CLAIM: Reason = Reason {
    id: "gpu-claim",
    means: "NVIDIA's appraisal of a GPU has a claim with a value that is not accepted, lacks a claim, or has one that this version does not know.",
    fix: "Read the claim: `secboot`, `dbgstat` and `measres` are about the GPU's mode and firmware; those about certificates \
          and golden values are NVIDIA's.",
};
pub(super) const REFUSED_BY_NRAS: Reason = Reason {
    id: "gpu-refused-by-nras",
    means: "NVIDIA's remote attestation service refuses a GPU.",
    fix: "Read its code and message: they name the problem, such as a revoked certificate or a firmware that NVIDIA does not \
          know.",
};
pub(super) const TOKEN: Reason = Reason {
    id: "gpu-token",
    means: "The answer of NVIDIA's service is not proven to be NVIDIA's: algorithm, key, signature, time, issuer, nonce or \
            device.",
    fix: "Compare this machine's clock. If NVIDIA has a new certificate, update cvm-verify. Otherwise someone between this machine \
          and NVIDIA changes answers.",
};
pub(super) const NRAS_UNREACHABLE: Reason = Reason {
    id: "gpu-nras-unreachable",
    means: "NVIDIA's remote attestation service has no answer about the GPUs.",
    fix: "Run again later, or with --gpu-verifier local. A replay sends no request: record the evidence with the same --gpu-verifier.",
};
