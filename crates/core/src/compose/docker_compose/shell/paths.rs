//! Paths of programs and files in a script.

/// What the name of a file begins with among the names of variables, which hold no colon.
pub(super) const FILE: &str = "file:";

/// The last part of the path of a program.
pub(super) fn base_name(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or_default()
}

/// A file among the names of variables. `folder` is where the script stands, as far as that is known.
pub(super) fn file_key(path: &str, folder: Option<&str>) -> String {
    let is_absolute = path.starts_with(['/', '~', '$']);
    let path = path.trim_start_matches("./");
    let path = match folder.filter(|_| !is_absolute) {
        Some(folder) => format!("{}/{path}", folder.trim_end_matches('/')),
        None => path.to_owned(),
    };
    format!("{FILE}{}", path.replace("/./", "/").replace("//", "/"))
}
