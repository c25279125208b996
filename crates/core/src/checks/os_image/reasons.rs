//! The reasons of `os-image`.

use crate::checks::Reason;

pub(super) const NO_REFERENCE: Reason = Reason {
    id: "no-reference",
    means: "The registers are those of no production image of the reference values. An image that was released later is not \
            in them.",
    fix: "Find out which image runs: ask who deployed it. Then name it by the hash on its release page (--os-image HASH), measure \
          its published files (`cvm-verify os-image FILE`, --os-image-files FILE), pin it (`cvm-verify pin URL`, review, --os-image \
          lock), or update cvm-verify.",
};
pub(super) const DEVELOPMENT_IMAGE: Reason = Reason {
    id: "development-image",
    means: "This is a development image: it allows root login and has a serial console.",
    fix: "Redeploy on a production image (its name has no `dev`): with Phala's CLI, `phala deploy --no-dev-os`. `cvm-verify \
          reference os-images` lists the images.",
};
pub(super) const RESERVATION_ENDS_SOON: Reason = Reason {
    id: "image-exception-ends-soon",
    means: "The image has a published vulnerability, which the lock accepts for less than 14 more days.",
    fix: "Upgrade the OS image to dstack 0.5.13, 0.6.3 or later before that day; after it this check fails.",
};
pub(super) const VULNERABLE_IMAGE: Reason = Reason {
    id: "vulnerable-image",
    means: "This image has a published vulnerability with which the host alone can get secrets or run code.",
    fix: "Upgrade the OS image to dstack 0.5.13, 0.6.3 or later. To continue until then, lock it with `vulnerable_until`, or \
          name it with an end date: --os-image HASH:until=DATE.",
};
pub(super) const ADVISORY: Reason = Reason {
    id: "advisory",
    means: "This image has published vulnerabilities. An attacker needs more than the host to use them, so the requirement is \
            met.",
    fix: "Upgrade the OS image to dstack 0.5.13, 0.6.3 or later.",
};
pub(super) const OLD_REFERENCE_VALUES: Reason = Reason {
    id: "old-reference-values",
    means: "The image is known, but the reference values were last updated more than 180 days before the time of appraisal. \
            Later publications, such as vulnerabilities, are not in them.",
    fix: "Update cvm-verify, or add newer rows with --reference-values FILE.",
};
pub(super) const ACPI_UNVERIFIED: Reason = Reason {
    id: "acpi-unverified",
    means: "The image is known, but RTMR0, which covers the VM's shape and the ACPI tables that the host supplies, is not. ACPI \
            tables hold code (AML) that the guest's kernel runs with access to the VM's memory. Images of dstack \
            up to 0.5 run it without restrictions, so a hostile table can read secrets or change code in the VM. \
            Images of dstack 0.6 restrict it, as \
            their documentation says; it is not known what a hostile table can still do there.",
    fix: "Pin this VM shape: `cvm-verify pin URL`, review, and verify with the lock. Pin a VM that was first started on a \
          host that you trust, or compare RTMR0 with the operator's value: the lock says that it stays the same, not that it \
          was good.",
};
pub(super) const PUBLISHED_HASH: Reason = Reason {
    id: "published-hash",
    means: "The image is the one whose published hash or files you named: the registers that follow from its measurement \
            document or from the files are those of the quote. The hash is not in the reference values, so \
            published vulnerabilities of the image are not known.",
    fix: "Compare the hash with the release page of the image; update cvm-verify when it knows the release.",
};
pub(super) const NO_DOCUMENT: Reason = Reason {
    id: "no-document",
    means: "Only the hash of the named image is known, and nothing in the evidence says which registers belong to it.",
    fix: "Let the app return the answer of the guest agent's v1 `Attest`, or `vm_config` with the quote: guests of dstack 0.6 \
          carry the image's measurement document there. For an older image, measure its published files (--os-image-files \
          FILE), or pin the registers (`cvm-verify pin URL`, review, --os-image lock).",
};
pub(super) const UNUSABLE_DOCUMENT: Reason = Reason {
    id: "unusable-document",
    means: "The guest shows a measurement document of its image that cannot be read unambiguously, or that is not bound to \
            its checksum file. Nothing was read from it.",
    fix: "Redeploy on a release (pre-releases of dstack 0.6 show documents of another form), or pin the registers: `cvm-verify pin \
          URL`, review, --os-image lock.",
};
pub(super) const NOT_COMPUTABLE: Reason = Reason {
    id: "not-computable",
    means: "The measurement document is of the image that booted, but RTMR0 of this VM cannot be computed from it.",
    fix: "Give the VM 2 GiB of memory, or 2816 MiB or more; or pin the registers: `cvm-verify pin URL`, review, --os-image lock.",
};
pub(super) const REGISTER_MISMATCH: Reason = Reason {
    id: "register-mismatch",
    means: "A register is not the expected one: another firmware, VM shape, kernel, command line or initrd.",
    fix: "If the OS image or the VM's size was changed on purpose, run `cvm-verify pin` and review the difference, or correct --os-image \
          where that names the image; otherwise the host booted something else.",
};
pub(super) const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with --os-image unchecked.",
    fix: "Pin the image with `cvm-verify pin` and remove `--os-image unchecked`.",
};
