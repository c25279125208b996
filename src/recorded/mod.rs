//! Evidence that was recorded: a bundle, or loose files as other tools leave them, recognised by their content.

pub(crate) mod bundle;
pub(crate) mod evidence;
pub(crate) mod loose;
