//! The compose document: docker compose files as Docker reads them, hashes by the tools that write them, and
//! differences between two texts.

mod clean_settings;
mod docker_compose;
mod hash_forms;
mod prelaunch_script;
mod script_variables;
mod spellings;
mod text_diff;
mod unproven_document;
mod yaml;

pub(crate) use clean_settings::clean_settings_violations;
pub use docker_compose::{
    ComposeFile, ComposeFileError, ComposePlace, ComposePlaces, LaunchScript, Setter, compose_places,
    document_fields, is_risky, is_risky_in_guest,
};
pub(crate) use docker_compose::{FieldProblem, Runner, field_problem, runs_unknown_script, unknown_fields};
pub use hash_forms::{ComposeForm, compose_forms};
pub use prelaunch_script::known_prelaunch_script;
pub use script_variables::launch_script;
pub(crate) use script_variables::launch_script_of;
pub(crate) use spellings::spelling_of;
pub(crate) use text_diff::visible_part;
pub use text_diff::{MAX_DIFF_LINES, TextDiff, UnseenDifference};
pub use unproven_document::UnprovenDocument;
pub use yaml::canonical_yaml;
