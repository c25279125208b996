//! Where more is said about a result: the command that explains it, and its page.

use super::words::reason_of;
use cvm_verify_core::report::{CheckResult, Status};

/// Where the project is published. It has no address before that.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// The command that explains why a check did not pass. A reason that this program does not know, as in a report of a later one,
/// is left out.
pub(super) fn command(check: &CheckResult) -> Option<String> {
    if check.status == Status::Pass {
        return None;
    }
    Some(match reason(check) {
        Some(reason) => format!("cvm-verify explain {}/{reason}", check.id),
        None => format!("cvm-verify explain {}", check.id),
    })
}

/// The same as Markdown: a link to the page where the project has an address, else the command.
pub(super) fn markdown(check: &CheckResult) -> Option<String> {
    markdown_at(check, REPOSITORY)
}

fn markdown_at(check: &CheckResult, repository: &str) -> Option<String> {
    let command = command(check)?;
    if repository.contains(['<', ' ']) {
        return Some(format!("`{command}`"));
    }
    let anchor = reason(check)
        .map(|reason| format!("#{reason}"))
        .unwrap_or_default();
    Some(format!(
        "[`{command}`]({repository}/blob/main/docs/checks/{}.md{anchor})",
        check.id
    ))
}

/// The reason, where it is one of the check's own.
fn reason(check: &CheckResult) -> Option<&'static str> {
    reason_of(check).map(|reason| reason.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn a_result_names_its_page_and_a_strange_reason_does_not_reach_it() {
        let fail = samples::fail();
        let check = fail
            .checks
            .iter()
            .find(|check| check.status == Status::Fail)
            .unwrap();
        let reason = check.reason.as_deref().unwrap();
        let explains = format!("cvm-verify explain {}/{reason}", check.id);
        assert_eq!(command(check).as_deref(), Some(explains.as_str()));
        let link = markdown_at(check, "https://forge.example/cvm-verify").unwrap();
        let page = format!(
            "(https://forge.example/cvm-verify/blob/main/docs/checks/{}.md#{reason})",
            check.id
        );
        assert!(link.ends_with(&page), "{link}");
        assert_eq!(
            markdown_at(check, "https://forge.example/<owner>/x"),
            Some(format!("`{explains}`"))
        );
        let mut strange = check.clone();
        strange.reason = Some("](https://evil.example)".to_owned());
        assert_eq!(
            command(&strange),
            Some(format!("cvm-verify explain {}", check.id))
        );
        let mut pass = check.clone();
        pass.status = Status::Pass;
        assert_eq!(command(&pass), None);
    }
}
