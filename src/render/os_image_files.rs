//! What `cvm-verify os-image` prints of the files of an image. Pure.

use serde_json::{Value, json};

use super::escape;
use cvm_verify_core::policy::{FilesIdentity, KnownBy};
use cvm_verify_core::reference::{OsImageRow, ReferenceValues, ReleaseVersion};
use cvm_verify_core::verify::MeasuredImage;

/// The schema of the JSON form.
pub const SCHEMA: &str = "cvm-verify/os-image/v1";

/// An image that was measured from files, and what the reference values say of it.
#[derive(Debug, Clone, Copy)]
pub struct ShownImage<'a> {
    /// The image.
    pub image: &'a MeasuredImage,
    /// What is known of images.
    pub reference: &'a ReferenceValues,
    /// The day, `YYYY-MM-DD`, for the row.
    pub today: &'a str,
}

/// Registers of a VM by the QEMU that runs it.
struct Variant<'a> {
    qemu: &'static str,
    mrtd: &'a [u8; 48],
    rtmr1: &'a [u8; 48],
}

impl ShownImage<'_> {
    fn row(&self) -> Option<&OsImageRow> {
        self.reference
            .image_by_hash(&self.image.os_image_hash)
            .map(AsRef::as_ref)
    }

    /// For people, with what can be copied into a file of reference values or a lock.
    #[must_use]
    pub fn text(&self) -> String {
        let image = self.image;
        let hash = hex::encode(image.os_image_hash);
        let kind = match image.is_development {
            true => "a development image",
            false => "no development image",
        };
        let known = match self.row() {
            Some(row) => format!(
                "It is the hash of {} in the table of {}.",
                row.name,
                self.reference.updated()
            ),
            None => format!(
                "It is not in the table of {}. Compare it with the release page of the image: the author of the files chose it.",
                self.reference.updated()
            ),
        };
        let mut out = format!(
            "The files agree with digest.txt and sha256sum.txt.\n\n\
             version        {} (as metadata.json says: {kind})\n\
             os_image_hash  {hash}\n               {known}\n\
             MRTD           {}  QEMU 9 and later\n               {}  QEMU 8\n",
            escape::terminal(&image.version),
            hex::encode(image.mrtd.single_pass),
            hex::encode(image.mrtd.two_pass),
        );
        let plain = hex::encode(image.rtmr1.plain);
        match image.rtmr1.patched {
            None => out.push_str(&format!(
                "RTMR1          {plain}  every QEMU: the kernel's header is normalized\n"
            )),
            Some(patched) => out.push_str(&format!(
                "RTMR1          {plain}  QEMU 10.2 and later\n               {}  QEMU up to 10.1, with 2 GiB of memory, or 2816 \
                 MiB or more\n",
                hex::encode(patched)
            )),
        }
        out.push_str(&format!("RTMR2          {}\n", hex::encode(image.rtmr2)));
        out.push_str(&match self.reference_row() {
            Some(row) => format!("\nA row for a file of reference values (--reference-values FILE):\n\n{row}"),
            None => "\nThe table lists this image with registers, which a file of reference values can neither replace nor add to. \
                     Where they are not those of your VM, verify with --os-image-files PATH, or pin the image.\n"
                .to_owned(),
        });
        out.push_str(
            "\nA lock entry, by the QEMU of the host. Put one into cvm.lock; `cvm-verify pin URL` adds RTMR0, \
                which depends on the VM's shape and on the ACPI tables of the host. `cvm-verify pin URL \
                --os-image-files PATH` does both.\n",
        );
        for variant in self.variants() {
            out.push_str(&format!("\n# {}\n{}", variant.qemu, self.lock_entry(&variant)));
        }
        out
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let image = self.image;
        json!({
            "schema": SCHEMA,
            "os_image_hash": hex::encode(image.os_image_hash),
            "version": image.version,
            "is_development": image.is_development,
            "known_as": self.row().map(|row| row.name.to_string()),
            "mrtd": {
                "single_pass": hex::encode(image.mrtd.single_pass),
                "two_pass": hex::encode(image.mrtd.two_pass),
            },
            "rtmr1": {
                "plain": hex::encode(image.rtmr1.plain),
                "patched": image.rtmr1.patched.map(hex::encode),
            },
            "rtmr2": hex::encode(image.rtmr2),
            "reference_row": self.reference_row(),
            "lock_entries": self
                .variants()
                .iter()
                .map(|variant| json!({ "qemu": variant.qemu, "entry": self.lock_entry(variant) }))
                .collect::<Vec<_>>(),
        })
    }

    /// `[[firmware]]` and `[[image]]`, as a file of reference values has them. `None` if such a file may not say this of the image.
    fn reference_row(&self) -> Option<String> {
        let row = self.measured_row();
        self.reference
            .with_file("", row.as_bytes())
            .is_ok()
            .then_some(row)
    }

    fn measured_row(&self) -> String {
        let image = self.image;
        let hash = hex::encode(image.os_image_hash);
        let version = image.version.parse::<ReleaseVersion>().ok();
        let (name, class, version, remark) = match (self.row(), version) {
            (Some(row), version) => (
                row.name.to_string(),
                row.class.as_str(),
                row.version.as_ref().or(version.as_ref()).map(ToString::to_string),
                "",
            ),
            (None, Some(version)) if image.is_development => (
                format!("dstack-dev-{version}"),
                "development",
                Some(version.to_string()),
                "",
            ),
            (None, version) => (
                version.as_ref().map_or_else(
                    || format!("image {}", hash.get(..8).unwrap_or_default()),
                    |version| format!("dstack-{version}"),
                ),
                "observed",
                version.map(|version| version.to_string()),
                "# Write `production` if the release page of the image shows this os_image_hash.\n",
            ),
        };
        let tail = format!(
            "source = \"measured from the files of the image\"\ndate = \"{}\"\n",
            self.today
        );
        let firmware = format!("{name} (files)");
        let mut out = format!("updated = \"{}\"\n\n", self.today);
        for (mrtd, note) in [
            (&image.mrtd.single_pass, "QEMU 9 and later"),
            (&image.mrtd.two_pass, "QEMU 8"),
        ] {
            out.push_str(&format!(
                "[[firmware]]\nname = \"{firmware}\"\nmrtd = \"{}\"\nnote = \"{note}\"\n{tail}\n",
                hex::encode(mrtd)
            ));
        }
        out.push_str(&format!("[[image]]\nname = \"{name}\"\n"));
        if let Some(version) = version {
            out.push_str(&format!("version = \"{version}\"\n"));
        }
        let plain = hex::encode(image.rtmr1.plain);
        let rtmr1 = match image.rtmr1.patched.map(hex::encode) {
            None => format!("rtmr1 = \"{plain}\"\nkernel_header_normalized = true\n"),
            Some(patched) => format!(
                "rtmr1 = \"{patched}\"\nrtmr1_qemu_10_2 = \"{plain}\"\nkernel_header_normalized = false\n"
            ),
        };
        out.push_str(&format!(
            "{remark}class = \"{class}\"\nos_image_hash = \"{hash}\"\nfirmware = \"{firmware}\"\n{rtmr1}rtmr2 = \"{}\"\n{tail}",
            hex::encode(image.rtmr2)
        ));
        out
    }

    fn variants(&self) -> Vec<Variant<'_>> {
        let image = self.image;
        let variant = |qemu, mrtd, rtmr1| Variant { qemu, mrtd, rtmr1 };
        let (single, two) = (&image.mrtd.single_pass, &image.mrtd.two_pass);
        let plain = &image.rtmr1.plain;
        match &image.rtmr1.patched {
            None => vec![
                variant("QEMU 9 and later", single, plain),
                variant("QEMU 8", two, plain),
            ],
            Some(patched) => vec![
                variant("QEMU 10.2 and later", single, plain),
                variant("QEMU 9 to 10.1", single, patched),
                variant("QEMU 8", two, patched),
            ],
        }
    }

    /// `[os_image]` without RTMR0.
    fn lock_entry(&self, variant: &Variant<'_>) -> String {
        let files = FilesIdentity::of(self.image);
        let known_by = match self.image.is_development {
            true => KnownBy::DevelopmentFiles(files),
            false => KnownBy::Files(files),
        };
        format!(
            "[os_image]\nmrtd = \"{}\"\nrtmr1 = \"{}\"\nrtmr2 = \"{}\"\nknown_by = \"{known_by}\"\n",
            hex::encode(variant.mrtd),
            hex::encode(variant.rtmr1),
            hex::encode(self.image.rtmr2),
        )
    }
}
