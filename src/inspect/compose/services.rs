//! The docker compose file: which images run, and what reaches beyond its container (docs/compose-places.md).

use serde_json::{Map, Value};

use crate::inspect::page::Page;
use cvm_verify_core::compose::{ComposePlaces, UnprovenDocument};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::verify::digest::sha256;

/// Lines of one list that are shown.
const MAX_LINES: usize = 60;

/// Which release of dstack's KMS an image is, where it is one.
fn release_of(image: &str) -> String {
    match ReferenceValues::built_in().kms_image(image) {
        Some(row) => format!(" ({})", row.name),
        None => String::new(),
    }
}

/// Shows the file of a document, whose members these are: they say what can be set from outside.
pub(super) fn show(page: &mut Page, document: &str, members: &Map<String, Value>) {
    let text = match members.get("docker_compose_file") {
        None | Some(Value::Null) => {
            page.field("docker_compose_file", "none")
                .note("As it should be for the runner bash alone.");
            return;
        }
        Some(Value::String(text)) => text,
        Some(_) => {
            page.field("docker_compose_file", "not text")
                .mark("It must be YAML in a string.");
            return;
        }
    };
    page.field(
        "docker_compose_file",
        format!(
            "{} bytes, SHA-256 {}",
            text.len(),
            hex::encode(sha256(text.as_bytes()))
        ),
    )
    .note("The containers of the app.");
    let document = match UnprovenDocument::read(document) {
        Ok(document) => document,
        Err(error) => {
            page.mark(error.to_string());
            return;
        }
    };
    let Some(file) = document.file() else {
        page.note("The runner bash starts no container from it.");
        return;
    };
    page.field("Images", file.images.len())
        .note("By service. An image is pinned where it ends in @sha256: and its digest.");
    page.items(
        file.images
            .iter()
            .map(|(service, image)| format!("{service}: {image}{}", release_of(image))),
        MAX_LINES,
    );
    lines(
        page,
        "Not pinned",
        &file.unpinned,
        "In these places something other than the measured text decides which image runs.",
        "Every image is pinned by digest.",
    );
    lines(
        page,
        "Decides code",
        &file.unmeasured,
        "In these places a variable or a file that is not measured can decide what runs. Variables that nothing can set are \
         left out.",
        "No other place can decide what runs.",
    );
    lines(
        page,
        "Host access",
        &file.host_access,
        "In these places a container has access to the VM. The Docker socket or a privileged container can replace \
         every other one.",
        "No container has access to the VM. The socket of the guest agent does not count.",
    );
}

fn lines(page: &mut Page, name: &str, found: &ComposePlaces, some: &str, none: &str) {
    if found.is_empty() {
        page.field(name, "nothing").note(none);
    } else {
        page.field(name, found.count()).mark(some);
        let said = found
            .iter()
            .map(|place| format!("{}: {}", place.path, place.says));
        page.items(said, MAX_LINES);
    }
}
