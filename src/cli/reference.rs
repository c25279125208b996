//! `cvm-verify reference`: the reference values, with their dates and where to compare them.

use super::args::{ReferenceArgs, ReferenceTable};
use crate::env::Env;
use crate::plan::named_files;
use crate::render;

pub(super) fn run(args: &ReferenceArgs, env: &mut Env) -> anyhow::Result<u8> {
    let values = named_files::reference_of_file(args.reference_values.as_deref())?;
    let width = env.width();
    env.print(&match args.table {
        ReferenceTable::OsImages => render::reference_os_images(&values, width),
        ReferenceTable::Kms => render::reference_kms(&values, width),
        ReferenceTable::Scripts => render::reference_scripts(&values, width),
    });
    Ok(0)
}
