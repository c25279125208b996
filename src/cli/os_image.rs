//! `cvm-verify os-image`: the published files of an OS image, measured.

use super::args::{OsImageArgs, OsImageFormat};
use crate::env::Env;
use crate::image_source;
use crate::plan::named_files::reference_of_file;
use crate::render::{ShownImage, escape};
use crate::usage_error::UsageError;
use cvm_verify_core::report::day;

pub(super) fn run(args: &OsImageArgs, env: &mut Env) -> anyhow::Result<u8> {
    let reference = reference_of_file(args.reference_values.as_deref())?;
    let image = match image_source::measure(&args.path) {
        Ok(image) => image,
        Err(error) if error.is_contradiction() => {
            let said = escape::terminal(&format!("{}: {error}", args.path.display())).into_owned();
            env.complain(&format!(
                "Nothing was measured: {said}.\nDownload the archive again, and compare its hash with the release page."
            ));
            return Ok(super::FAIL);
        }
        Err(error) => return Err(UsageError::file(&args.path, error).into()),
    };
    let shown = ShownImage {
        image: &image,
        reference: &reference,
        today: &day((env.now)()).unwrap_or_default().to_string(),
    };
    env.print(&match args.format {
        OsImageFormat::Text => shown.text(),
        OsImageFormat::Json => format!("{:#}\n", shown.json()),
    });
    Ok(0)
}
