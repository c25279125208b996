//! Every input that is kept in `fuzz/corpora`, given to its target by `cargo test`.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

/// Compiles each target as a module, and makes a test of each.
macro_rules! targets {
    ($($name:ident $path:literal)*) => {
        $(
            #[path = $path]
            mod $name;
        )*

        const TARGETS: &[&str] = &[$(stringify!($name)),*];

        mod kept {
            $(
                #[test]
                fn $name() {
                    super::give(stringify!($name), super::$name::target);
                }
            )*
        }
    };
}

targets! {
    alert_state "../fuzz_targets/alert_state.rs"
    answer "../fuzz_targets/answer.rs"
    attestation "../fuzz_targets/attestation.rs"
    bundle "../fuzz_targets/bundle.rs"
    chain "../fuzz_targets/chain.rs"
    collateral_file "../fuzz_targets/collateral_file.rs"
    compose "../fuzz_targets/compose.rs"
    escapes "../fuzz_targets/escapes.rs"
    event_log "../fuzz_targets/event_log.rs"
    github_page "../fuzz_targets/github_page.rs"
    gpu "../fuzz_targets/gpu.rs"
    host_label "../fuzz_targets/host_label.rs"
    image_archive "../fuzz_targets/image_archive.rs"
    image_files "../fuzz_targets/image_files.rs"
    info "../fuzz_targets/info.rs"
    ingress_manifest "../fuzz_targets/ingress_manifest.rs"
    inspect "../fuzz_targets/inspect.rs"
    key_provider "../fuzz_targets/key_provider.rs"
    kms "../fuzz_targets/kms.rs"
    lock "../fuzz_targets/lock.rs"
    lock_file "../fuzz_targets/lock_file.rs"
    measured "../fuzz_targets/measured.rs"
    measurement_document "../fuzz_targets/measurement_document.rs"
    merge "../fuzz_targets/merge.rs"
    option_values "../fuzz_targets/option_values.rs"
    os_image "../fuzz_targets/os_image.rs"
    phala "../fuzz_targets/phala.rs"
    policy_file "../fuzz_targets/policy_file.rs"
    prove "../fuzz_targets/prove.rs"
    prove_gpu "../fuzz_targets/prove_gpu.rs"
    prove_kms "../fuzz_targets/prove_kms.rs"
    prove_nras "../fuzz_targets/prove_nras.rs"
    prove_statement "../fuzz_targets/prove_statement.rs"
    prove_tls "../fuzz_targets/prove_tls.rs"
    quote "../fuzz_targets/quote.rs"
    reference_values "../fuzz_targets/reference_values.rs"
    registry "../fuzz_targets/registry.rs"
    report "../fuzz_targets/report.rs"
    second_hash "../fuzz_targets/second_hash.rs"
    sigstore_bundle "../fuzz_targets/sigstore_bundle.rs"
    splice "../fuzz_targets/splice.rs"
    statement_file "../fuzz_targets/statement_file.rs"
    tcb_exception "../fuzz_targets/tcb_exception.rs"
    text_diff "../fuzz_targets/text_diff.rs"
    tls_certificate "../fuzz_targets/tls_certificate.rs"
    trust_root "../fuzz_targets/trust_root.rs"
    versioned "../fuzz_targets/versioned.rs"
    yaml "../fuzz_targets/yaml.rs"
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    std::fs::read_to_string(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Gives a target what is kept for it. A finding panics, after the name of the input.
fn give(name: &str, target: fn(&[u8])) {
    let path = folder().join(format!("corpora/{name}.tar.gz"));
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut count = 0_usize;
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let input = entry.path().expect("a path").display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("the bytes of an entry");
        println!("{name}: {input}");
        target(&bytes);
        count += 1;
    }
    assert!(count > 0, "{}: no input", path.display());
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

/// A target that is forgotten in one place is not fuzzed, not shown, or not tried here.
#[test]
fn each_target_is_in_every_list() {
    let files: Vec<String> = std::fs::read_dir(folder().join("fuzz_targets"))
        .expect("the targets")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    let files = set(files
        .iter()
        .map(|file| file.strip_suffix(".rs").expect("a Rust file")));
    assert_eq!(set(TARGETS.iter().copied()), files, "fuzz/src/corpora.rs");

    let manifest = text("Cargo.toml");
    let programs = manifest.split("[[bin]]").skip(1);
    let programs = programs.map(|program| program.split('"').nth(1).expect("a name"));
    assert_eq!(set(programs), files, "fuzz/Cargo.toml");

    let shares = text("targets.toml");
    let shares = shares.lines().filter_map(|line| line.split_once(" = "));
    assert_eq!(set(shares.map(|(name, _)| name)), files, "fuzz/targets.toml");

    let readme = text("README.md");
    let table = readme
        .split("\n## Targets\n")
        .nth(1)
        .expect("the targets' section");
    let table = table.split("\n## ").next().expect("the section's text");
    let rows = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(set(rows), files, "fuzz/README.md");
}
