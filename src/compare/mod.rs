//! What changed between two deployments: locks, and what evidence proves, in any pairing. Pure.
//!
//! Of evidence only the claims count, as for `pin`; what one side does not say is not compared, and noted.

mod side;
mod words;

pub use side::{NoSide, Side, SideKind};

use cvm_verify_core::compose::TextDiff;
use cvm_verify_core::lock::{Change, Lock, LockedOs, difference, field_words};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::verify::digest::sha256;

/// What changed between two sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The changes, in the order of a lock file.
    pub changes: Vec<Explained>,
    /// What was not compared, and what speaks against a side; a sentence each, which may hold an untrusted party's text.
    pub notes: Vec<String>,
}

/// A change, and the lines that changed where both texts are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The change.
    pub change: Change,
    /// The lines of a unified diff, printable ASCII, at most
    /// [`MAX_DIFF_LINES`](cvm_verify_core::compose::MAX_DIFF_LINES) and one; empty if there is none.
    pub diff: Vec<String>,
}

/// Compares two sides.
#[must_use]
pub fn compare(before: &Side, after: &Side) -> Comparison {
    let mut notes = Vec::new();
    let (mut old, mut new) = (before.lock.clone(), after.lock.clone());
    // Which program wrote a lock says nothing of the deployment.
    (old.tool, new.tool) = (None, None);
    // Nor does the address: `diff` compares what runs.
    (old.origin, new.origin) = (None, None);
    if before.kind != SideKind::Lock || after.kind != SideKind::Lock {
        // What is accepted, and until when, is a decision of people; how an image was known, their word.
        for lock in [&mut old, &mut new] {
            lock.accepted.clear();
            if let Some(os) = &mut lock.os_image {
                os.vulnerable_until = None;
                os.known_by = None;
            }
        }
        // Of what a lock names several of, a deployment has one.
        if before.kind == SideKind::Lock {
            new.keep_alternatives(&old);
        } else if after.kind == SideKind::Lock {
            old.keep_alternatives(&new);
        }
        let unsaid = leave_out_unsaid(&old, &mut new);
        notes.extend(note(before, after, &unsaid));
        let unsaid = leave_out_unsaid(&new, &mut old);
        notes.extend(note(after, before, &unsaid));
    }
    let mut changes: Vec<Explained> = difference(&old, &new)
        .into_iter()
        .map(|change| explained(change, &old, &new, before, after))
        .collect();
    if let Some(file) = docker_compose_file(before, after) {
        let behind_hash = changes
            .iter()
            .take_while(|one| one.change.key == "compose_hash")
            .count();
        changes.insert(behind_hash, file);
    }
    if let Some(image) = os_image(&old, &new) {
        let is_register = |one: &Explained| one.change.key.starts_with("os_image.");
        let at = changes.iter().position(is_register).unwrap_or(changes.len());
        changes.insert(at, image);
    }
    for side in [before, after] {
        notes.extend(side.notes.iter().map(|note| format!("{}: {note}", side.name)));
    }
    Comparison { changes, notes }
}

/// Takes out of `other` what `own` says nothing of, and names it.
fn leave_out_unsaid(own: &Lock, other: &mut Lock) -> Vec<&'static str> {
    // Each field by name: a new one does not compile until it is decided on.
    let Lock {
        tool: _,
        origin: _,
        accepted: _,
        places: _,
        compose_hash,
        app_id,
        key_provider,
        os_image,
        td_attributes,
        mr_seam,
        fmspc,
        kms,
        governance,
        tls,
        sources,
        gpus,
        images,
        compose_settings,
    } = own;
    let of_image = left_out(os_image, &mut other.os_image, "the OS image");
    let of_shape = match (os_image, &mut other.os_image) {
        (Some(own), Some(other)) => left_out(&own.rtmr0, &mut other.rtmr0, "RTMR0"),
        _ => None,
    };
    // Only a lock has reasons: they are no difference of deployments.
    other.keep_reasons(own);
    if compose_settings.is_empty() {
        other.places.clear();
    }
    [
        left_out(compose_hash, &mut other.compose_hash, "the compose hash"),
        left_out(app_id, &mut other.app_id, "the app id"),
        left_out(key_provider, &mut other.key_provider, "the key provider"),
        of_image,
        of_shape,
        left_out(td_attributes, &mut other.td_attributes, "the TD attributes"),
        left_out(mr_seam, &mut other.mr_seam, "the TDX module"),
        left_out(fmspc, &mut other.fmspc, "the platform's model"),
        left_out(kms, &mut other.kms, "the KMS"),
        left_out(
            governance,
            &mut other.governance,
            "the contracts that govern the app",
        ),
        left_out(tls, &mut other.tls, "how the TLS key of the address is bound"),
        left_out(sources, &mut other.sources, "who built the images"),
        left_out(gpus, &mut other.gpus, "the GPUs"),
        left_out(images, &mut other.images, "the images"),
        left_out(
            compose_settings,
            &mut other.compose_settings,
            "the fields of the compose document",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Takes a value out that the other side does not have; its name if there was one.
fn left_out<T: Default + PartialEq>(own: &T, other: &mut T, name: &'static str) -> Option<&'static str> {
    let none = T::default();
    if *own != none || *other == none {
        return None;
    }
    *other = none;
    Some(name)
}

fn note(side: &Side, other: &Side, unsaid: &[&str]) -> Option<String> {
    let verb = match side.kind {
        SideKind::Lock => "does not lock",
        SideKind::Bundle | SideKind::Live => "does not show",
    };
    (!unsaid.is_empty()).then(|| {
        format!(
            "{} {verb} {}: not compared with {}.",
            side.name,
            unsaid.join(", "),
            other.name
        )
    })
}

/// With what the change means in this case, and the lines that changed.
fn explained(mut change: Change, old: &Lock, new: &Lock, before: &Side, after: &Side) -> Explained {
    let Some(field) = change.key.strip_prefix("compose.") else {
        return Explained {
            change,
            diff: Vec::new(),
        };
    };
    if let Some(more) = field_words(
        field,
        old.compose_settings.get(field),
        new.compose_settings.get(field),
    ) {
        change.means = format!("{}: {more}", change.means.trim_end_matches(','));
    }
    let diff = match (before.texts.get(field), after.texts.get(field)) {
        (Some(old), Some(new)) => Some(TextDiff::of(old, new)),
        _ => None,
    };
    if let Some(diff) = &diff {
        change.means = format!("{}: {}", change.means, words::lines(diff));
    }
    Explained {
        change,
        diff: diff.map(|diff| diff.lines).unwrap_or_default(),
    }
}

/// The docker compose file, where both sides show theirs.
fn docker_compose_file(before: &Side, after: &Side) -> Option<Explained> {
    const FIELD: &str = "docker_compose_file";
    let (old, new) = (before.texts.get(FIELD)?, after.texts.get(FIELD)?);
    let hash = |text: &str| Some(format!("sha256:{}", hex::encode(sha256(text.as_bytes()))));
    (old != new).then(|| {
        let diff = TextDiff::of(old, new);
        Explained {
            change: Change {
                key: FIELD.to_owned(),
                old: hash(old),
                new: hash(new),
                means: format!("the docker compose file changed: {}", words::lines(&diff)),
            },
            diff: diff.lines,
        }
    })
}

/// The OS image by its name, where it changed and at least one of the two is in the built-in table.
fn os_image(old: &Lock, new: &Lock) -> Option<Explained> {
    let (old, new) = (old.os_image.as_ref()?, new.os_image.as_ref()?);
    let row = |os: &LockedOs| {
        ReferenceValues::built_in()
            .image_of(&os.mrtd, &os.rtmr1, &os.rtmr2)
            .map(|row| row.name.to_string())
    };
    let (old, new) = (row(old), row(new));
    (old != new).then(|| {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "an image in no table".to_owned());
        Explained {
            change: Change {
                key: "os_image".to_owned(),
                means: format!("the OS image changed: {} -> {}", name(&old), name(&new)),
                old,
                new,
            },
            diff: Vec::new(),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use cvm_verify_core::compose::MAX_DIFF_LINES;
    use cvm_verify_core::lock::arbitrary;

    fn side(kind: SideKind, lock: Lock) -> Side {
        Side {
            name: "side".to_owned(),
            kind,
            lock,
            texts: Default::default(),
            notes: Vec::new(),
        }
    }

    fn live(lock: &Lock, texts: &[(&str, &str)]) -> Side {
        let texts = texts
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Side {
            texts: texts.collect(),
            ..side(SideKind::Live, lock.clone())
        }
    }

    fn means(comparison: &Comparison, key: &str) -> String {
        let found = comparison.changes.iter().find(|one| one.change.key == key);
        found
            .unwrap_or_else(|| panic!("{key}: {comparison:#?}"))
            .change
            .means
            .clone()
    }

    /// What a change of one field of the compose settings means.
    fn field(name: &str, old: Value, new: Value) -> String {
        let lock = |value: Value| Lock {
            compose_settings: [(name.to_owned(), value)].into(),
            ..Lock::default()
        };
        let comparison = compare(&side(SideKind::Lock, lock(old)), &side(SideKind::Lock, lock(new)));
        means(&comparison, &format!("compose.{name}"))
    }

    #[test]
    fn a_changed_text_shows_its_lines() {
        let mut old = arbitrary::example();
        old.compose_settings
            .insert("pre_launch_script".to_owned(), json!("sha256:00"));
        let mut new = old.clone();
        new.compose_settings
            .insert("pre_launch_script".to_owned(), json!("sha256:01"));
        let comparison = compare(
            &live(
                &old,
                &[("pre_launch_script", "a\nb\n"), ("docker_compose_file", "x\n")],
            ),
            &live(
                &new,
                &[("pre_launch_script", "a\nc\n"), ("docker_compose_file", "x\r\n")],
            ),
        );
        let script = means(&comparison, "compose.pre_launch_script");
        assert!(script.ends_with(": 1 line"), "{script}");
        assert!(
            comparison
                .changes
                .iter()
                .any(|one| one.diff.contains(&"+c".to_owned()))
        );
        assert!(means(&comparison, "docker_compose_file").ends_with("only in line ends"));
    }

    #[test]
    fn variables_and_exposures_are_named() {
        let envs = field("allowed_envs", json!(["A", "B"]), json!(["B", "LD_PRELOAD"]));
        assert!(
            envs.ends_with("`LD_PRELOAD` was added, which can change what runs; `A` was removed"),
            "{envs}"
        );
        assert!(
            field("public_logs", json!(false), json!(true))
                .contains("everyone can now read the containers' logs")
        );
        assert!(field("public_logs", json!(true), json!(false)).contains("no longer"));
        let script = |hash: &str| json!(format!("sha256:{hash}"));
        let known = ReferenceValues::built_in().scripts();
        let said = field(
            "pre_launch_script",
            script(&known[2].sha256.to_string()),
            script(&known[1].sha256.to_string()),
        );
        assert!(said.ends_with("Phala's 0.0.18 -> Phala's 0.0.19"), "{said}");
        let said = field(
            "pre_launch_script",
            script(&known[1].sha256.to_string()),
            script(&"0".repeat(64)),
        );
        assert!(said.ends_with("Phala's 0.0.19 -> a script in no table"), "{said}");
    }

    #[test]
    fn what_one_side_does_not_say_is_noted_and_not_compared() {
        let full = arbitrary::example();
        let partial = Lock {
            compose_hash: full.compose_hash,
            ..Lock::default()
        };
        let comparison = compare(&side(SideKind::Lock, partial.clone()), &live(&full, &[]));
        assert_eq!(comparison.changes, []);
        assert!(
            comparison.notes[0].contains("does not lock the app id"),
            "{:?}",
            comparison.notes
        );
        assert!(comparison.notes[0].contains("the fields of the compose document"));
        // Of two locks, what is no longer locked is a change.
        let locks = compare(&side(SideKind::Lock, full), &side(SideKind::Lock, partial));
        assert!(!locks.changes.is_empty() && locks.notes.is_empty());
    }

    proptest! {
        #[test]
        fn a_side_is_the_same_as_itself_and_no_difference_is_lost(old in arbitrary::lock(), new in arbitrary::lock()) {
            for kind in [SideKind::Lock, SideKind::Live] {
                prop_assert_eq!(compare(&side(kind, old.clone()), &side(kind, old.clone())).changes, []);
            }
            let changes = compare(&side(SideKind::Lock, old.clone()), &side(SideKind::Lock, new.clone())).changes;
            let tools = |lock: &Lock| Lock { tool: None, ..lock.clone() };
            prop_assert_eq!(changes.is_empty(), tools(&old) == tools(&new));
            prop_assert!(changes.iter().all(|one| one.diff.len() <= MAX_DIFF_LINES + 1));
        }
    }
}
