//! The event that says who gives the VM its keys.

use super::refusal::BootRefusal;
use crate::evidence::Object;

/// Who gave the guest its keys (dstack, `dstack-types/src/lib.rs`, `KeyProviderInfo`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProvider {
    /// `kms`, `local-sgx`, `none`, `tpm` …
    pub name: String,
    /// Hex, lower case: public key of the KMS root CA, or measurement of the local provider. May be empty.
    pub id: String,
}

impl std::fmt::Display for KeyProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.id.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}:{}", self.name, self.id)
        }
    }
}

pub(super) fn parse_key_provider(payload: &[u8]) -> Result<KeyProvider, BootRefusal> {
    const EVENT: &str = "key-provider";
    let bad = |problem: String| BootRefusal::BadPayload {
        event: EVENT,
        problem,
    };
    let text = std::str::from_utf8(payload).map_err(|_| bad("is not UTF-8".to_owned()))?;
    let object = Object::document("the key-provider event", text)
        .map_err(|error| bad(format!("is refused: {error}")))?;
    let string = |name: &str| {
        object
            .string(name)
            .map_err(|error| bad(format!("is refused: {error}")))?
            .ok_or_else(|| bad(format!("has no `{name}`")))
    };
    let (name, id) = (string("name")?, string("id")?);
    if name.is_empty()
        || name.len() > 64
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(bad(
            "has a `name` that is not of letters, digits and `-`".to_owned()
        ));
    }
    if id.len() > 1024 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad("has an `id` that is not hex".to_owned()));
    }
    Ok(KeyProvider {
        name,
        id: id.to_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, id: &str) -> Result<String, String> {
        let payload = format!(r#"{{"name":"{name}","id":"{id}"}}"#);
        let read = parse_key_provider(payload.as_bytes());
        read.map(|read| read.to_string())
            .map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn name_and_id_are_read_up_to_their_limits() {
        let (name, id) = ("n".repeat(64), "AB".repeat(512));
        assert_eq!(read(&name, &id), Ok(format!("{name}:{}", id.to_lowercase())));
        assert_eq!(read("none", ""), Ok("none".to_owned()));
        for refused in [&"n".repeat(65), "", "local sgx", "kms:1", "kms\u{fc}"] {
            let problem = read(refused, "").unwrap_err();
            assert!(problem.contains("`name`"), "{refused}: {problem}");
        }
        for refused in [&"ab".repeat(513), "xy"] {
            let problem = read("kms", refused).unwrap_err();
            assert!(problem.contains("`id`"), "{problem}");
        }
    }
}
