//! What the fuzz targets share: the program that each becomes, the properties of printed text, and deployments that are known
//! to be good.

#[cfg(test)]
mod corpora;
pub mod deployment;
pub mod edits;
pub mod input;
pub mod printed;
pub mod simulated;
pub mod target;

// The tests compile the targets as modules of this crate.
#[cfg(test)]
extern crate self as cvm_verify_fuzz;
