//! cvm-verify proves that a confidential VM that answers at an address runs exactly the code that was
//! released, on genuine Intel TDX hardware, right now.
//!
//! The folders are floors; a lower one never imports a higher one:
//!
//! 1. [`evidence`], [`report`] and [`net`]: what a CVM hands over, how results look, HTTP;
//! 2. [`mod@reference`]: what images, scripts and services are known to be; [`prove`], [`config`], [`collateral`], [`source`]: untrusted in, proven out; what the user expects;
//! 3. [`checks`]: one file per check, from proven facts and policy to a result;
//! 4. [`requirements`] and [`appraise`]: verdict and assurance; [`compare`]: what changed; [`merge`]: several reports as one;
//! 5. [`render`][]: words, and [`alert`]: telling people;
//! 6. [`cli`][]: commands, and [`watch`]: what the monitoring loop decides and says.
//!
//! Trust is a type: bytes that a CVM sent have no accessors that a check could read. They become facts only
//! by passing through [`prove`].

pub mod alert;
pub mod appraise;
pub mod checks;
pub mod cli;
pub mod collateral;
pub mod compare;
pub mod config;
pub mod evidence;
pub mod inspect;
pub mod merge;
pub mod net;
pub mod prove;
pub mod reference;
pub mod render;
pub mod report;
pub mod requirements;
pub mod source;
pub mod watch;
