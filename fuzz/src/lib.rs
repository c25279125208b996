//! What the fuzz targets share: the program that each becomes, the properties of printed text, and a deployment that is known
//! to be good.

pub mod deployment;
pub mod input;
pub mod printed;
pub mod target;
