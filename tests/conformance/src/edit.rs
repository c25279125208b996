//! Changes of what a CVM hands over: of its event log, its quote, the two bodies, the collateral and the bundle.

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use serde_json::Value;
use simulator::{Cvm, Event};

/// One change.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, tag = "of", rename_all = "kebab-case")]
pub enum Edit {
    /// Of the event log, after the quote: the registers keep the honest values.
    Log(LogEdit),
    /// Of the event log, before the quote: the registers follow.
    MeasuredLog(LogEdit),
    /// Of the signed quote.
    Quote(BytesEdit),
    /// Of the body of `/attestation`.
    Attestation(JsonEdit),
    /// Of the body of `/info`.
    Info(JsonEdit),
    /// Of the collateral.
    Collateral(JsonEdit),
    /// Of the bundle around all that.
    Bundle(JsonEdit),
}

/// A change of one event.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogEdit {
    /// The name of the event; of several the first.
    pub event: Option<String>,
    /// Or its place from 0; negative counts from the end.
    pub at: Option<i64>,
    /// Leave it out.
    #[serde(default)]
    pub remove: bool,
    /// Write it twice.
    #[serde(default)]
    pub duplicate: bool,
    /// Exchange it with this event.
    pub swap_with: Option<String>,
    /// Put a runtime event of this name before it.
    pub insert: Option<String>,
    /// Payload of the inserted event, or the new payload, hex. The digest stays.
    pub payload: Option<String>,
    /// The new name. The digest stays.
    pub name: Option<String>,
    /// The new digest, hex.
    pub digest: Option<String>,
    /// The new register.
    pub imr: Option<u32>,
    /// The new type.
    pub event_type: Option<u32>,
    /// The new version.
    pub version: Option<u32>,
    /// The new preimage, hex.
    pub preimage: Option<String>,
}

/// A change of the bytes of a quote or of a report.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BytesEdit {
    /// Offset in bytes; negative counts from the end.
    pub at: Option<i64>,
    /// A value that the byte there is combined with.
    pub xor: Option<u8>,
    /// Bytes that replace those there, hex.
    pub set: Option<String>,
    /// Only the first so many bytes are left.
    pub truncate: Option<usize>,
    /// Bytes that are appended, hex.
    pub append: Option<String>,
}

/// A change of a JSON document.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct JsonEdit {
    /// JSON pointer to what is changed. A string on the way that holds JSON is opened, and written anew.
    pub pointer: Option<String>,
    /// The new value.
    pub set: Option<Value>,
    /// Leave it out.
    #[serde(default)]
    pub remove: bool,
    /// Of a hex string: combine the byte at this place (negative: from the end) with 1.
    pub flip_byte: Option<i64>,
    /// Replace text in the document, or in the string that `pointer` names: from, to.
    pub replace: Option<[String; 2]>,
}

impl Edit {
    /// Prepares the CVM, as far as the change concerns it.
    pub fn prepare(&self, cvm: &mut Cvm) -> anyhow::Result<()> {
        match self.clone() {
            Self::Log(edit) => {
                edit.apply(&mut cvm.emitted_log())?;
                cvm.edit_log_after_quote(move |log| drop(edit.apply(log)));
            }
            Self::MeasuredLog(edit) => {
                edit.apply(&mut cvm.measured_log())?;
                cvm.edit_log_before_quote(move |log| drop(edit.apply(log)));
            }
            Self::Quote(edit) => {
                edit.apply(&mut cvm.quote_bytes(""))?;
                cvm.edit_quote(move |quote| drop(edit.apply(quote)));
            }
            Self::Attestation(_) | Self::Info(_) | Self::Collateral(_) | Self::Bundle(_) => {}
        }
        Ok(())
    }
}

impl LogEdit {
    fn apply(&self, log: &mut Vec<Event>) -> anyhow::Result<()> {
        let at = match (&self.event, self.at) {
            (Some(name), None) => position(log, name)?,
            (None, Some(at)) => place(at, log.len())?,
            _ => bail!("an edit of the log has either `event` or `at`"),
        };
        let payload = self.payload.as_deref().map(hex::decode).transpose()?;
        if self.remove {
            log.remove(at);
        } else if self.duplicate {
            log.insert(at, log[at].clone());
        } else if let Some(other) = &self.swap_with {
            let other = position(log, other)?;
            log.swap(at, other);
        } else if let Some(name) = &self.insert {
            let mut event = Event::runtime(name, &payload.unwrap_or_default());
            event.imr = self.imr.unwrap_or(event.imr);
            log.insert(at, event);
        } else {
            let event = &mut log[at];
            if let Some(payload) = payload {
                event.payload = payload;
            }
            if let Some(name) = &self.name {
                event.event.clone_from(name);
            }
            if let Some(digest) = &self.digest {
                event.digest = hex::decode(digest)?;
            }
            event.imr = self.imr.unwrap_or(event.imr);
            event.event_type = self.event_type.unwrap_or(event.event_type);
            event.version = self.version.or(event.version);
            if let Some(preimage) = &self.preimage {
                event.preimage = Some(hex::decode(preimage)?);
            }
        }
        Ok(())
    }
}

impl BytesEdit {
    /// Applies the change.
    pub fn apply(&self, bytes: &mut Vec<u8>) -> anyhow::Result<()> {
        if let Some(length) = self.truncate {
            bytes.truncate(length);
        }
        if let Some(more) = &self.append {
            bytes.extend(hex::decode(more)?);
        }
        let Some(at) = self.at else { return Ok(()) };
        let at = place(at, bytes.len())?;
        if let Some(mask) = self.xor {
            bytes[at] ^= mask;
        }
        if let Some(set) = &self.set {
            let set = hex::decode(set)?;
            bytes
                .get_mut(at..at + set.len())
                .context("behind the end")?
                .copy_from_slice(&set);
        }
        Ok(())
    }
}

impl JsonEdit {
    /// Applies the change to the text of a document.
    pub fn apply(&self, text: &mut String) -> anyhow::Result<()> {
        let Some(pointer) = &self.pointer else {
            let [from, to] = self
                .replace
                .as_ref()
                .context("an edit without `pointer` has `replace`")?;
            if !text.contains(from) {
                bail!("there is no {from:?}");
            }
            *text = text.replacen(from, to, 1);
            return Ok(());
        };
        let mut document: Value = serde_json::from_str(text)?;
        let path: Vec<&str> = pointer.split('/').skip(1).collect();
        self.at(&mut document, &path)
            .with_context(|| format!("at {pointer:?}"))?;
        *text = document.to_string();
        Ok(())
    }

    fn at(&self, value: &mut Value, path: &[&str]) -> anyhow::Result<()> {
        let Some((first, rest)) = path.split_first() else {
            return self.change(value);
        };
        match value {
            Value::String(text) => {
                let mut inner: Value = serde_json::from_str(text).context("the string holds no JSON")?;
                self.at(&mut inner, path)?;
                *text = inner.to_string();
                Ok(())
            }
            Value::Object(object) if rest.is_empty() && self.remove => {
                object.remove(*first).context("there is no such member")?;
                Ok(())
            }
            Value::Object(object) if rest.is_empty() && self.set.is_some() => {
                object.insert((*first).to_owned(), self.set.clone().unwrap_or_default());
                Ok(())
            }
            Value::Object(object) => {
                let member = object
                    .get_mut(*first)
                    .with_context(|| format!("there is no {first:?}"))?;
                self.at(member, rest)
            }
            Value::Array(items) => {
                let index = place(first.parse()?, items.len())?;
                if rest.is_empty() && self.remove {
                    items.remove(index);
                    return Ok(());
                }
                self.at(&mut items[index], rest)
            }
            _ => bail!("{first:?} is not in an object or array"),
        }
    }

    fn change(&self, value: &mut Value) -> anyhow::Result<()> {
        if let Some(new) = &self.set {
            value.clone_from(new);
            return Ok(());
        }
        let Value::String(text) = value else {
            bail!("it is not a string");
        };
        if let Some(at) = self.flip_byte {
            let mut bytes = hex::decode(&*text).context("it is not hex")?;
            let at = place(at, bytes.len())?;
            bytes[at] ^= 1;
            *text = hex::encode(bytes);
        } else if let Some([from, to]) = &self.replace {
            if !text.contains(from) {
                bail!("there is no {from:?}");
            }
            *text = text.replacen(from, to, 1);
        } else {
            bail!("an edit sets, removes, replaces or flips");
        }
        Ok(())
    }
}

fn position(log: &[Event], name: &str) -> anyhow::Result<usize> {
    log.iter()
        .position(|event| event.event == name)
        .ok_or_else(|| anyhow!("the log has no event {name:?}"))
}

/// A place from the start, or from the end where it is negative.
fn place(at: i64, length: usize) -> anyhow::Result<usize> {
    let from_end = || length.checked_sub(usize::try_from(at.unsigned_abs()).ok()?);
    let place = if at < 0 {
        from_end()
    } else {
        usize::try_from(at).ok()
    };
    place
        .filter(|place| *place < length)
        .with_context(|| format!("place {at} is outside {length}"))
}
