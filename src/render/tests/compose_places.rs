//! The table of `docs/compose-places.md`, made of the table that `image-pins` and `launch-inputs` judge by. The text before it is
//! written by hand.

use cvm_verify_core::compose::compose_places;

use super::generated::assert_generated;
use super::own_words::own;

const PAGE: &str = "docs/compose-places.md";
const HEAD_OF_THE_TABLE: &str = "| place | class | what it is |\n|---|---|---|\n";

#[test]
fn the_page_and_the_list_of_keys_are_those_of_the_table() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = std::fs::read_to_string(page).expect("the page");
    let (text, _) = page.split_once(HEAD_OF_THE_TABLE).expect("the head of the table");
    let row = |(path, class, says): (String, &str, &str)| {
        let path = path
            .replacen("service.", "SERVICE.", 1)
            .replacen("hook.", "HOOK.", 1);
        format!("| `{path}` | {} | {} |\n", own(class), own(says))
    };
    let rows: String = compose_places().map(row).collect();
    assert_generated(PAGE, &format!("{text}{HEAD_OF_THE_TABLE}{rows}"));
    let keys: String = compose_places().map(|(path, _, _)| format!("{path}\n")).collect();
    assert_generated("tests/compose/places.txt", &keys);
}
