//! Where collateral is kept between runs.

use std::path::PathBuf;

use super::args::{CacheArgs, CollateralAgeArgs};
use crate::collateral::{CollateralCache, Disk};
use crate::env::Env;

/// The store that the options ask for; without any, the user's own cache folder. If there is no home either, as in
/// an emptied environment, nothing is kept.
pub(super) fn collateral_cache(args: &CacheArgs, age: &CollateralAgeArgs, env: &Env) -> CollateralCache {
    kept(args, env).refetching_after(age.collateral_max_age)
}

fn kept(args: &CacheArgs, env: &Env) -> CollateralCache {
    if args.no_cache {
        return CollateralCache::in_memory();
    }
    match args.cache_dir.clone().or_else(|| users_folder(env)) {
        Some(folder) => CollateralCache::on_disk(Disk::new(folder)),
        None => CollateralCache::in_memory(),
    }
}

/// `cvm-verify/collateral` in the user's cache folder: `$XDG_CACHE_HOME`, else `$HOME/.cache`; `%LOCALAPPDATA%` on
/// Windows.
fn users_folder(env: &Env) -> Option<PathBuf> {
    let folder = |name: &str| {
        let path = PathBuf::from(env.variables.get(name)?);
        // The base-directory standard: a relative path is ignored.
        path.is_absolute().then_some(path)
    };
    let cache = folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .or_else(|| folder("LOCALAPPDATA"))?;
    Some(cache.join("cvm-verify").join("collateral"))
}
