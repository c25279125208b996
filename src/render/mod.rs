//! Words for people, and the versioned JSON. Each format is one pure function from a report to text; nothing here
//! prints.
//!
//! A report holds text that a CVM chose. Every format passes it through its own rule in [`escape`].

pub(crate) mod accepted;
mod alert;
mod alike;
mod annotations;
mod attempts;
mod banner;
pub(crate) mod cause;
mod compose_forms;
mod deploy_plan;
mod diff_lines;
mod difference;
mod dotenv;
pub mod escape;
mod explain;
mod github_output;
mod json;
mod junit;
mod marks;
mod measured;
mod more;
pub(crate) mod older_attempts;
mod os_image_files;
mod outputs;
mod own_words;
pub(crate) mod page;
mod phala_hint;
pub(crate) mod progress;
mod reached;
mod reference;
pub mod statement;
mod still_different;
mod summary;
mod table;
mod text;
mod unjudged;
mod words;

#[cfg(test)]
#[path = "tests/compose_places.rs"]
mod compose_places;
#[cfg(test)]
#[path = "tests/docs.rs"]
mod docs;
#[cfg(test)]
#[path = "tests/generated.rs"]
mod generated;
#[cfg(test)]
#[path = "tests/hostile.rs"]
mod hostile;
#[cfg(test)]
#[path = "tests/samples.rs"]
pub(crate) mod samples;
#[cfg(test)]
#[path = "tests/verdict_line.rs"]
mod verdict_line;

pub use alert::NO_SECRET;
pub use annotations::{alert_annotations, annotations, empty_channels, lost_results};
pub use compose_forms::{ANSWERED_HASH, compose_forms_json, compose_forms_text};
pub use deploy_plan::{deploy_plan_json, deploy_plan_text};
pub use difference::{difference_json, difference_markdown, difference_text};
pub use dotenv::{DOTENV_PREFIX, dotenv};
pub use explain::{explain, explain_list, explain_reasons};
pub use github_output::{Delimiter, github_output};
pub use json::json;
pub(crate) use json::{safe as safe_json, safe_line as safe_json_line};
pub use junit::junit;
pub use os_image_files::ShownImage;
pub use outputs::{Output, Paths, outputs};
pub use phala_hint::phala_hint;
pub use reference::{reference_kms, reference_os_images, reference_scripts};
pub use still_different::{asked_once_more, final_result, still_different};
pub use summary::{alerts as alerts_markdown, summary, summary as markdown};
pub use text::{TEXT_MARK, TextStyle, alerts as alerts_text, text, text_file, undelivered_alerts};
pub use unjudged::Unjudged;
pub(crate) use words::on_trust;
