//! The reasons of the check `gpu`.

use crate::checks::{BOOT_ORDER_NOT_PROVEN, EVENT_LOG_NOT_PROVEN, QUOTE_NOT_PROVEN, reasons};

reasons! {
    pub(super) REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN]:
    NO_GPU "no-gpu"
        "Nothing indicates that the deployment has GPUs: no evidence of a GPU, no boot event, no claim of the host."
        "Nothing if it has none. If it has, let the app serve their evidence (see docs/gpu.md) and require it with --gpu \
         required.";
    UNCHECKED "unchecked"
        "Waived with --gpu unchecked."
        "Remove `--gpu unchecked` once the app serves evidence of its GPUs.";
    UNVERIFIED "gpu-unverified"
        "The deployment is said to have GPUs, and nothing proves that they are genuine and confidential."
        "Let the app serve evidence of its GPUs over this run's nonce: the member `nvidia_payload` of its attestation, or an \
         endpoint that is named with --gpu-path (see docs/gpu.md).";
    UNREACHABLE "gpu-unreachable"
        "The endpoint that is named with --gpu-path did not answer with GPU evidence."
        "Open it with a nonce, as ?nonce= and 64 hex digits, and compare the answer with docs/gpu.md. Or correct --gpu-path.";
    MALFORMED "gpu-malformed"
        "The GPU evidence has a format that this version does not support."
        "Update cvm-verify. If the newest version does not read it either, compare what the app serves with docs/gpu.md.";
    CHAIN "gpu-chain"
        "The certificate chain of a GPU or switch does not verify, or does not end in NVIDIA's device root."
        "Let the app return the certificates of the GPUs unchanged. If it does, update cvm-verify: NVIDIA may have a new root. If this stays, \
         treat the GPUs as forged. For a simulator give its root with --insecure-trust-root nvidia=FILE.";
    SIGNATURE "gpu-signature"
        "The report of a GPU or switch is not signed by the key in its certificate: it is forged or was changed."
        "Let the app return the reports of its GPUs unchanged, and run again. If this stays, treat the sender of the evidence as hostile.";
    FWID_MISMATCH "gpu-fwid-mismatch"
        "The certificate of a GPU was issued for other firmware than the one in its report."
        "The firmware of the GPU is not the one that its key belongs to: treat the GPU as compromised.";
    DUPLICATE "gpu-duplicate"
        "One GPU is shown as two."
        "Let the app return one report of each GPU. If it does, the evidence hides that a GPU is missing: do not \
         rely on the number of GPUs.";
    NONCE_MISMATCH "gpu-nonce-mismatch"
        "The GPUs did not sign this run's nonce, or the quote does not: the GPU evidence may come from any time and any \
         deployment."
        "Let the app put this run's nonce into the reports of its GPUs and into its quote, and return all of them (see \
         docs/gpu.md).";
    COUNT "gpu-count"
        "There are more or fewer proven GPUs than expected."
        "Look for the GPUs that are missing or were added; if the deployment was resized, give the new --gpu-count.";
    MODEL "gpu-model"
        "A GPU is of another model than expected."
        "If the deployment moved to other GPUs, give their chip with --gpu-model.";
    SWITCHES_MISSING "gpu-switches-missing"
        "The GPUs work in protected-PCIe mode: the links between them are not encrypted, and the switches are not \
         attested."
        "Let the app return the evidence of its switches in the same list. --gpu-switches required makes this a failure.";
    TOPOLOGY "gpu-topology"
        "The switches that the GPUs see are not the attested ones, or there are switches and no GPU."
        "Let the app return the evidence of all GPUs and switches of this VM, and of no others. If it does, treat the host \
         as hostile.";
    PINS "gpu-pins"
        "The GPUs are not as the lock has them: another kind, or other measurements."
        "If the driver, the vBIOS or the GPUs were changed on purpose, pin again and review `[[gpus]]`. Other measurements \
         of the same kind need an explanation by NVIDIA: pin again with --gpu-verifier nras.";
    OPAQUE_UNREAD "gpu-opaque-unread"
        "A GPU describes itself in a newer format than this version reads: its driver and its modes are not known."
        "Update cvm-verify. The signature, the chain and the nonce were verified.";
    EVENT "gpu-event"
        "The boot event `gpu-attestation` does not say that the guest attested its GPUs with confidential computing on, or has a \
         form that this version does not know."
        "If the form is not known, update cvm-verify. Otherwise look at the GPU settings of the host and the app: `requirements.gpu_policy` of the compose document.";
    POLICY "gpu-policy"
        "The measured GPU policy does not attest the GPUs, weakens the requirements on them, has a member that this \
         version does not know, or is not the one of the boot event."
        "Remove `attest_gpu: false` and `allow_…: true` from `requirements.gpu_policy` of the compose document.";
    EVIDENCE_DIGEST "gpu-evidence-digest"
        "The record of the boot that is shown is not the one that the guest measured."
        "Let the app return the exact bytes of `boottime_gpu_evidence`; a changed record proves nothing.";
    CLAIM "gpu-claim"
        "NVIDIA's appraisal of a GPU has a claim with a value that is not accepted, lacks a claim, or has one that this version does not know."
        "Read the claim: `secboot`, `dbgstat` and `measres` are about the GPU's mode and firmware; those about certificates \
         and golden values are NVIDIA's.";
    REFUSED_BY_NRAS "gpu-refused-by-nras"
        "NVIDIA's remote attestation service refuses a GPU."
        "Read its code and message: they name the problem, such as a revoked certificate or a firmware that NVIDIA does not \
         know.";
    TOKEN "gpu-token"
        "The answer of NVIDIA's service is not proven to be NVIDIA's: algorithm, key, signature, time, issuer, nonce or \
         device."
        "Compare this machine's clock. If NVIDIA has a new certificate, update cvm-verify. Otherwise NVIDIA's service \
         answers wrongly, or its answer was changed on the way: verify again later, or with --gpu-verifier local.";
    NRAS_UNREACHABLE "gpu-nras-unreachable"
        "NVIDIA's remote attestation service has no answer about the GPUs."
        "Run again later, or with --gpu-verifier local. A replay sends no request: record the evidence with the same --gpu-verifier.";
}
