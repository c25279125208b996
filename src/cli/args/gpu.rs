//! Options about GPUs.

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "GPUs")]
pub struct GpuArgs {
    /// Whether there must be GPUs: `auto` by default. A GPU is proven by a report that it signed over this run's nonce. That
    /// it is in this machine is not proven.
    #[arg(long, value_enum)]
    pub gpu: Option<Gpu>,
    /// How many GPUs there must be, no more and no less: 0 to 16.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=16))]
    pub gpu_count: Option<u32>,
    /// A model that the GPUs may be, by the chip's name in their certificates, such as GH100 for H100 and H200, or GB100.
    /// Repeatable.
    #[arg(long, value_name = "CHIP")]
    pub gpu_model: Vec<String>,
    /// Whether switches must be attested if the GPUs work in protected-PCIe mode, in which the links between them are in
    /// clear: `auto` by default.
    #[arg(long, value_enum)]
    pub gpu_switches: Option<GpuSwitches>,
    /// Who verifies GPUs: `local` by default. The others also send the reports of the GPUs to NVIDIA's remote attestation
    /// service (NRAS), which compares them with golden values and revocation lists: they name the GPUs, their firmware and
    /// driver, and NVIDIA limits what it may be used for. A replay takes the answers from the bundle.
    #[arg(long, value_enum)]
    pub gpu_verifier: Option<GpuVerifier>,
    /// Ask this server instead of NVIDIA's: a mirror, or a test's. Its tokens must be NVIDIA's nonetheless.
    #[arg(long, value_name = "URL")]
    pub gpu_verifier_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GpuVerifier {
    /// This program.
    Local,
    /// This program and NVIDIA's service: both must approve.
    Nras,
    /// This program; a refusal by NVIDIA's service fails, and a service that does not answer is a warning.
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Gpu {
    /// Forged GPU evidence fails; what is not proven is a warning.
    Auto,
    /// There must be GPUs, and they must be proven.
    Required,
    /// Nobody looks: a waiver, which the verdict names.
    Unchecked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GpuSwitches {
    /// Switches that are not attested are a warning.
    Auto,
    /// They are a failure.
    Required,
}
