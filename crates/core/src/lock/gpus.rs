//! `[[gpus]]`: the kinds of GPU that a deployment had when the lock was taken, and what each measured.
//!
//! GPUs of one kind measure the same: the members of `KEYS` are all that changes the measurements of a genuine GPU
//! (found by comparing 100 reports of 50 devices).

use super::hex_value::hex;
use super::list::ListOf;
use super::{LockMistake, LockProblem};
use crate::policy::{GPU_KEYS as KEYS, GpuPin};
use crate::toml_text::literal::quoted;
use crate::toml_text::{FoundMistakes, TomlEntry, TomlTable};
use crate::verify::gpu::GpuDevices;

/// How many kinds a lock holds. A deployment has one or two.
pub(crate) const MAX_GPU_PINS: usize = 32;

/// Characters of a value.
const MAX_VALUE: usize = 64;

/// The kinds of GPU of a deployment, each once.
pub(super) fn of_devices(devices: &GpuDevices) -> Vec<GpuPin> {
    let mut pins: Vec<GpuPin> = devices.gpus().iter().filter_map(GpuPin::of).collect();
    sort(&mut pins);
    pins
}

pub(super) fn sort(pins: &mut Vec<GpuPin>) {
    pins.sort_unstable();
    pins.dedup();
}

/// Reads `[[gpus]]`.
pub(super) fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<LockProblem>) -> Vec<GpuPin> {
    let mut read = ListOf {
        expected: "a list of sections: [[gpus]]",
        most: MAX_GPU_PINS,
        many: LockProblem::ManyGpus,
        keys: &[&KEYS, &["measurements"]],
    }
    .read(entry, mistakes, pin);
    sort(&mut read);
    read
}

fn pin(section: &mut TomlTable<'_>) -> Result<GpuPin, LockMistake> {
    let mut kind = [const { String::new() }; KEYS.len()];
    for (key, value) in KEYS.into_iter().zip(&mut kind) {
        let entry = section.need(key, LockProblem::IncompleteGpu)?;
        let text = entry.string()?;
        if text.is_empty() || text.chars().count() > MAX_VALUE {
            return Err(entry.error(LockProblem::IncompleteGpu));
        }
        *value = text.to_owned();
    }
    let measurements = hex(&section.need("measurements", LockProblem::IncompleteGpu)?)?;
    Ok(GpuPin { kind, measurements })
}

/// The text of `[[gpus]]`, empty if there are none.
pub(super) fn write(pins: &[GpuPin]) -> String {
    const COMMENT: &str = "
# The kinds of GPU, and SHA-256 over what each measured. NVIDIA's golden values were not compared unless the lock was taken
# with --gpu-verifier nras: another digest for the same kind fails, another kind warns.
";
    let mut out = String::new();
    if !pins.is_empty() {
        out.push_str(COMMENT);
    }
    for pin in pins {
        out.push_str(HEADER);
        out.push('\n');
        for (key, value) in KEYS.into_iter().zip(&pin.kind) {
            out.push_str(&format!("{key} = {} # observed\n", quoted(value)));
        }
        let measurements = quoted(&hex::encode(pin.measurements));
        out.push_str(&format!("measurements = {measurements} # observed\n"));
    }
    out
}

/// The line that begins a kind of GPU.
pub(super) const HEADER: &str = "[[gpus]]";

#[cfg(test)]
mod tests {
    use super::super::Lock;
    use super::*;

    #[test]
    fn a_kind_that_lacks_something_or_has_more_is_refused() {
        let head = format!(
            "schema = \"cvm-verify/lock/v1\"\napp_id = \"{}\"\n",
            "aa".repeat(20)
        );
        let pin = GpuPin {
            kind: KEYS.map(str::to_owned),
            measurements: [7; 32],
        };
        let whole = write(std::slice::from_ref(&pin));
        assert_eq!(
            Lock::parse(&format!("{head}{whole}"), "cvm.lock").unwrap().gpus,
            [pin]
        );
        for key in [&KEYS[..], &["measurements"]].concat() {
            let without: String = whole
                .lines()
                .filter(|line| !line.starts_with(&format!("{key} =")))
                .map(|line| format!("{line}\n"))
                .collect();
            assert!(
                Lock::parse(&format!("{head}{without}"), "cvm.lock").is_err(),
                "{key}"
            );
        }
        for wrong in ["gpus = 1\n", "gpus = [1]\n", "[[gpus]]\nmodel = 1\n"] {
            assert!(
                Lock::parse(&format!("{head}{wrong}"), "cvm.lock").is_err(),
                "{wrong}"
            );
        }
        assert!(Lock::parse(&format!("{head}{whole}more = \"x\"\n"), "cvm.lock").is_err());
    }
}
