//! What the claims in NVIDIA's tokens mean (claims of versions 2.0 to 4.0; NVIDIA Attestation Service API, `/v4/attest`).

/// The claim's name without what says of which kind of device it is, and its meaning.
const CLAIMS: &[(&str, &str)] = &[
    ("iss", "who issued the token"),
    ("iat", "when it was issued, Unix seconds"),
    ("nbf", "valid from, Unix seconds"),
    ("exp", "valid until, Unix seconds"),
    ("jti", "the token's own number"),
    ("sub", "what the token is about"),
    ("submods", "the tokens of the devices, by SHA-256"),
    ("eat_nonce", "the nonce that the devices signed"),
    ("hwmodel", "the chip"),
    ("oemid", "the maker: 5703 is NVIDIA"),
    (
        "ueid",
        "the device: the serial number of its certificate, decimal",
    ),
    ("measres", "whether the measurements equal the golden values"),
    ("secboot", "whether it booted securely"),
    ("dbgstat", "whether debugging is disabled"),
    ("x-nvidia-ver", "version of the overall claims"),
    ("x-nvidia-overall-att-result", "the verdict over all devices"),
    ("x-nvidia-error-details", "why an appraisal was refused"),
    ("x-nvidia-attestation-warning", "what NVIDIA warns of"),
    ("claims-version", "version of these claims"),
    ("driver-version", "the driver in the report"),
    ("vbios-version", "the firmware in the report"),
    (
        "arch-check",
        "whether the chip is of the architecture that was asked about",
    ),
    ("attestation-report-parsed", "whether the report could be read"),
    (
        "attestation-report-nonce-match",
        "whether the report has the nonce",
    ),
    (
        "attestation-report-signature-verified",
        "whether the report is signed by the device",
    ),
    (
        "attestation-report-cert-chain",
        "status and revocation of the device's certificates",
    ),
    (
        "attestation-report-cert-chain-validated",
        "whether the device's certificates verify",
    ),
    (
        "attestation-report-cert-chain-fwid-match",
        "whether the certificate is for the firmware in the report",
    ),
    (
        "driver-rim-fetched",
        "whether there are golden values of the driver",
    ),
    (
        "driver-rim-schema-validated",
        "whether they have the right format",
    ),
    ("driver-rim-signature-verified", "whether NVIDIA signed them"),
    (
        "driver-rim-cert-validated",
        "whether the certificates of their signer verify",
    ),
    (
        "driver-rim-cert-chain",
        "status and revocation of those certificates",
    ),
    (
        "driver-rim-version-match",
        "whether they are of this version of the driver",
    ),
    (
        "driver-rim-measurements-available",
        "whether they hold measurements",
    ),
    (
        "vbios-rim-fetched",
        "whether there are golden values of the firmware",
    ),
    ("vbios-rim-schema-validated", "whether they have the right format"),
    ("vbios-rim-signature-verified", "whether NVIDIA signed them"),
    (
        "vbios-rim-cert-validated",
        "whether the certificates of their signer verify",
    ),
    (
        "vbios-rim-cert-chain",
        "status and revocation of those certificates",
    ),
    (
        "vbios-rim-version-match",
        "whether they are of this version of the firmware",
    ),
    (
        "vbios-rim-measurements-available",
        "whether they hold measurements",
    ),
    (
        "vbios-index-no-conflict",
        "whether driver and firmware agree which measurement is whose",
    ),
];

/// What a claim means. Switches call their firmware BIOS where GPUs call it vBIOS.
pub(super) fn meaning(name: &str) -> Option<&'static str> {
    let general = ["x-nvidia-gpu-", "x-nvidia-switch-"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name);
    let of_a_gpu = general.strip_prefix("bios-").map(|rest| format!("vbios-{rest}"));
    CLAIMS
        .iter()
        .find(|(claim, _)| *claim == general || of_a_gpu.as_deref() == Some(*claim))
        .map(|(_, meaning)| *meaning)
}
