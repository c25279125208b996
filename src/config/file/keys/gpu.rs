//! What is expected of GPUs.

use super::{KeyScope, OptionGroup, PolicyKey};
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::{GpuMode, GpuVerifier};

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("gpu", ValueShape::Choice(&GpuMode::WORDS))
        .says("Whether there must be GPUs. A GPU is proven by a report that it signed over this run's nonce. This does \
               not prove that the GPU is in this machine.")
        .default("`auto`")
        .example(r#""required""#)
        .option("--gpu", "GPU")
        .group(OptionGroup::Gpus)
        .values(&[
            "Forged GPU evidence fails; what is not proven is a warning",
            "There must be GPUs, and they must be proven",
            "Not checked. This is a waiver, and the verdict names it",
        ]),
    PolicyKey::new("gpu-count", ValueShape::U32)
        .says("The exact number of GPUs that there must be: 0 to 16.")
        .example("8")
        .option("--gpu-count", "NUMBER")
        .group(OptionGroup::Gpus),
    PolicyKey::new("gpu-model", ValueShape::GpuModels)
        .says("The models that the GPUs may be, by the chip's name in their certificates, such as `GH100` for H100 and \
               H200, or `GB100`.")
        .example(r#"["GH100"]"#)
        .option("--gpu-model", "CHIP")
        .group(OptionGroup::Gpus),
    PolicyKey::new("gpu-switches", ValueShape::Choice(&["auto", "required"]))
        .says("Whether switches must be attested if the GPUs work in protected-PCIe mode, in which the links between the GPUs \
               are not encrypted.")
        .default("`auto`")
        .example(r#""required""#)
        .option("--gpu-switches", "GPU_SWITCHES")
        .group(OptionGroup::Gpus)
        .values(&[
            "Switches that are not attested are a warning",
            "Switches that are not attested are a failure",
        ]),
    PolicyKey::new("gpu-verifier", ValueShape::Choice(&GpuVerifier::WORDS))
        .scope(KeyScope::Defaults)
        .says("Who verifies GPUs. Except with `local`, NVIDIA's remote attestation service (NRAS) is sent the reports of \
               the GPUs, and compares them with golden values and revocation lists. The reports name the GPUs, their \
               firmware and their driver, and NVIDIA's licence limits the use of the service. A replay takes the answers \
               from the bundle.")
        .default("`local`")
        .example(r#""nras""#)
        .option("--gpu-verifier", "GPU_VERIFIER")
        .group(OptionGroup::Gpus)
        .values(&[
            "This program",
            "This program and NVIDIA's service: both must approve",
            "This program; a refusal by NVIDIA's service fails, and a service that does not answer is a warning",
        ]),
];
