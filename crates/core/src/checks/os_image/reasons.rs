//! The reasons of `os-image`.

use crate::checks::{QUOTE_NOT_PROVEN, reasons};

reasons! {
    pub(super) REASONS with [&QUOTE_NOT_PROVEN]:
    NO_REFERENCE "no-reference"
        "The registers are those of no production image of the reference values. An image that was released later is not \
         in them."
        "Find out which image runs: ask who deployed it. Then name it by the hash on its release page (--os-image HASH), measure \
         its published files (`cvm-verify os-image FILE`, --os-image-files FILE), pin it (`cvm-verify pin URL`, review, --os-image \
         lock), or update cvm-verify.";
    DEVELOPMENT_IMAGE "development-image"
        "This is a development image: it allows root login and has a serial console."
        "Redeploy on a production image (its name has no `dev`): with Phala's CLI, `phala deploy --no-dev-os`. `cvm-verify \
         reference os-images` lists the images.";
    VULNERABLE_IMAGE "vulnerable-image"
        "This image has a published vulnerability with which the host alone can get secrets or run code. If a lock accepts the image, \
         it does not name this vulnerability, or the acceptance has ended."
        "Upgrade the OS image to dstack 0.5.13, 0.6.3 or later. To continue until then, pin it with `--accept vulnerable-image` and \
         review, or name it with an end date: --os-image HASH:until=DATE.";
    ADVISORY "advisory"
        "This image has published vulnerabilities. An attacker needs more than the host to use them, so the requirement is \
         met."
        "Upgrade the OS image to dstack 0.5.13, 0.6.3 or later.";
    RESERVATION_ENDS_SOON "image-exception-ends-soon"
        "The image has a published vulnerability, which the lock accepts for less than 14 more days."
        "Upgrade the OS image to dstack 0.5.13, 0.6.3 or later before that day; after it this check fails. To accept it for longer: \
         `cvm-verify pin URL --accept vulnerable-image`, or a later date of --os-image HASH:until=DATE.";
    ACPI_UNVERIFIED "acpi-unverified"
        "The image is known, but RTMR0, which covers the VM's shape and the ACPI tables that the host supplies, is not. ACPI \
         tables hold code (AML) that the guest's kernel runs with access to the VM's memory. Images of dstack \
         up to 0.5 run it without restrictions, so a hostile table can read secrets or change code in the VM. \
         Images of dstack 0.6 restrict it, as \
         their documentation says; it is not known what a hostile table can still do there."
        "Pin this VM shape: `cvm-verify pin URL`, review, and verify with the lock. Pin a VM that was first started on a \
         host that you trust, or compare RTMR0 with the operator's value: the lock says that it stays the same, not that it \
         was good.";
    PUBLISHED_HASH "published-hash"
        "The image is the one whose published hash or files you named: the registers that follow from its measurement \
         document or from the files are those of the quote. The hash is not in the reference values, so \
         published vulnerabilities of the image are not known."
        "Compare the hash with the release page of the image; update cvm-verify when it knows the release.";
    NO_DOCUMENT "no-document"
        "Only the hash of the named image is known, and nothing in the evidence says which registers belong to it."
        "Let the app return the answer of the guest agent's v1 `Attest`, or `vm_config` with the quote: guests of dstack 0.6 \
         carry the image's measurement document there. For an older image, measure its published files (--os-image-files \
         FILE), or pin the registers (`cvm-verify pin URL`, review, --os-image lock).";
    UNUSABLE_DOCUMENT "unusable-document"
        "The guest shows a measurement document of its image that cannot be read unambiguously, or that is not bound to \
         its checksum file. Nothing was read from it."
        "Redeploy on a release (pre-releases of dstack 0.6 show documents of another form), or pin the registers: `cvm-verify pin \
         URL`, review, --os-image lock.";
    NOT_COMPUTABLE "not-computable"
        "The other registers are those of the image's measurement document or files, but RTMR0 or RTMR1 of this VM cannot be computed from them."
        "Give the VM 2 GiB of memory, or 2816 MiB or more; or pin the registers: `cvm-verify pin URL`, review, --os-image lock.";
    REGISTER_MISMATCH "register-mismatch"
        "A register is not the expected one: another firmware, VM shape, kernel, command line or initrd."
        "If the OS image or the VM's size was changed on purpose, run `cvm-verify pin` and review the difference, or correct --os-image \
         where that names the image; otherwise the host booted something else: stop sending it secrets, and replace those that \
         it has had.";
    OLD_REFERENCE_VALUES "old-reference-values"
        "The image is known, but the reference values were last updated more than 180 days before the time of appraisal. \
         Later publications, such as vulnerabilities, are not in them."
        "Update cvm-verify, or add newer rows with --reference-values FILE.";
    UNCHECKED "unchecked"
        "Waived with --os-image unchecked."
        "Pin the image with `cvm-verify pin` and remove `--os-image unchecked`.";
}
