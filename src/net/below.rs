//! Addresses below a server's own.

use url::Url;

/// The address with a path below its own. Its query stays as it is.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let above = base.path().trim_end_matches('/');
    url.set_path(&format!("{above}/{}", path.trim_start_matches('/')));
    url
}
