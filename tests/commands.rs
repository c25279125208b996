//! What every command prints and ends with: `tests/cmd/*.trycmd`. `TRYCMD=overwrite cargo test --test commands` rewrites
//! them; `[..]` stands for what differs from run to run: times and the commit.

#[test]
fn every_command_prints_what_is_written_down() {
    let cases = trycmd::TestCases::new();
    // An empty variable is an unset one: what the surroundings set does not reach the program.
    for (name, _) in std::env::vars_os() {
        if let Some(name) = name
            .to_str()
            .filter(|name| name.starts_with("CVM_VERIFY_") || *name == "NO_COLOR")
        {
            cases.env(name, "");
        }
    }
    // The width of help.
    cases.env("COLUMNS", "100");
    cases.insert_var("[VERSION]", env!("CARGO_PKG_VERSION")).unwrap();
    cases.case("tests/cmd/*.trycmd");
}
