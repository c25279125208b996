//! Every case of the conformance corpus ends as it must, by this program.

use std::path::Path;

#[test]
fn every_case_of_the_corpus_ends_as_expected() {
    let cases = conformance::corpus::read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases"),
        "",
    );
    let folder = tempfile::tempdir().unwrap();
    conformance::make::all(&cases.unwrap(), folder.path()).unwrap();
    let verifier = [env!("CARGO_BIN_EXE_cvm-verify"), "replay", "--format", "json"].map(str::to_owned);
    assert!(conformance::run::all(folder.path(), "", &verifier, false, 2).unwrap());
}
