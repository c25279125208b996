//! One token of NVIDIA's remote attestation service: a JWT (RFC 7519) in compact form, signed with ES384 (RFC 7518 §3.4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use serde_json::Value;

use crate::evidence::{Object, json_problem};
use crate::verify::age::CLOCK_SKEW;

/// Characters of a token: 16 KiB. Real ones have up to 3 KB.
const MAX_TOKEN: usize = 16 * 1024;

/// The only algorithm that is accepted.
const ALGORITHM: &str = "ES384";

/// How long after it was issued a token counts, seconds: NVIDIA writes `exp` so. An answer is made for this run, and the
/// certificate of the key that signed it, which holds for 48 hours, is judged at that time.
const LIFETIME: u64 = 60 * 60;

/// The issuer of every token.
const ISSUER: &str = "https://nras.attestation.nvidia.com";

/// A token, parsed. Nothing in it is proven before [`NrasToken::verify`].
#[derive(Debug)]
pub(super) struct NrasToken<'a> {
    /// The id of the key that it names.
    pub(super) kid: String,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> NrasToken<'a> {
    /// Reads a token.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        if text.len() > MAX_TOKEN {
            return Err(format!(
                "a token has {} characters; at most {MAX_TOKEN} are read",
                text.len()
            ));
        }
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            return Err("a token does not have three parts".to_owned());
        };
        let decode = |part: &str| {
            URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| "a token is not base64url".to_owned())
        };
        let text_of =
            |part: &str| String::from_utf8(decode(part)?).map_err(|_| "a token is not UTF-8".to_owned());
        let header = text_of(header)?;
        let header = Object::document("the header of a token", &header).map_err(|error| error.to_string())?;
        let string = |name: &str| header.string(name).map_err(|error| error.to_string());
        let algorithm = string("alg")?.unwrap_or_default();
        if algorithm != ALGORITHM {
            let algorithm: String = algorithm.chars().take(32).collect();
            return Err(format!(
                "a token has the algorithm {algorithm:?}; {ALGORITHM} is expected"
            ));
        }
        let kid = string("kid")?.ok_or_else(|| "a token names no key".to_owned())?;
        let payload = text_of(payload)?;
        // Names that occur twice are refused.
        let object =
            Object::document("the claims of a token", &payload).map_err(|error| error.to_string())?;
        for (name, _) in object.members() {
            object.get(name).map_err(|error| error.to_string())?;
        }
        let claims = serde_json::from_str(&payload)
            .map_err(|error| format!("the claims of a token cannot be read: {}", json_problem(&error)))?;
        Ok(Self {
            kid,
            claims,
            signed: text.rsplit_once('.').map_or("", |(signed, _)| signed),
            signature: decode(signature)?,
        })
    }

    /// When it was issued, Unix seconds: a claim until it is verified.
    pub(super) fn issued_at(&self) -> Option<u64> {
        self.claims.get("iat").and_then(Value::as_u64)
    }

    /// The claims, if the key (a point, uncompressed SEC1, 97 bytes) signed them, and issuer and times are good at a time,
    /// Unix seconds.
    pub(super) fn verify(&self, key: &[u8], at: u64) -> Result<&Value, String> {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key)
            .verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| "a token is not signed by the key that it names".to_owned())?;
        if self.claims.get("iss").and_then(Value::as_str) != Some(ISSUER) {
            return Err(format!("a token has another issuer than {ISSUER}"));
        }
        let seconds = |name: &str| {
            let value = self.claims.get(name).and_then(Value::as_u64);
            value.ok_or_else(|| format!("a token has no time `{name}`"))
        };
        let (issued, begins, ends) = (seconds("iat")?, seconds("nbf")?, seconds("exp")?);
        let begins = begins.max(issued);
        if begins > at.saturating_add(CLOCK_SKEW) {
            return Err(format!(
                "a token begins at {}, and this machine's clock says {}: one of the two clocks is wrong",
                crate::report::rfc3339(begins),
                crate::report::rfc3339(at)
            ));
        }
        let ends = ends.min(issued.saturating_add(LIFETIME));
        if at >= ends {
            return Err(format!("a token ended at {}", crate::report::rfc3339(ends)));
        }
        Ok(&self.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_up_to_its_limit() {
        let of = |size: usize| NrasToken::parse(&"a".repeat(size)).map(drop).unwrap_err();
        assert_eq!(of(MAX_TOKEN), "a token does not have three parts");
        assert_eq!(
            of(MAX_TOKEN + 1),
            "a token has 16385 characters; at most 16384 are read"
        );
    }
}
