//! How an endpoint answers: as it should, or in one of the ways that break careless clients.

use std::collections::{BTreeMap, VecDeque};

/// What an endpoint does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The right answer.
    Normal,
    /// This status code with a short JSON error body.
    Status(u16),
    /// This status code with a `Retry-After` header.
    RetryAfter(u16, String),
    /// 302 to this URL.
    Redirect(String),
    /// 200 with an HTML page, as a gateway's error page.
    Html,
    /// 200 with the first half of the right body, its length announced as such.
    TruncatedBody,
    /// 200 without a body.
    EmptyBody,
    /// 200 with a body that never ends.
    EndlessBody,
    /// The right answer, one byte each so many milliseconds.
    SlowDrip(u64),
    /// Reads the request and says nothing.
    Hang,
    /// Waits so many milliseconds, then answers right.
    Delay(u64),
    /// Closes the connection without an answer.
    Close,
    /// The right answer without its own headers, such as the issuer chain of a PCCS.
    WithoutHeaders,
    /// The right answer after a header of this many bytes.
    HugeHeaders(usize),
    /// The right answer with a Content-Length that is off by this much; the connection then closes.
    WrongContentLength(i64),
    /// 200 with this body as `application/json`.
    Body(String),
    /// These bytes instead of an HTTP response.
    Raw(Vec<u8>),
}

impl Behaviour {
    /// True when the right answer, or a part of it, is sent as soon as the request is read.
    pub(crate) const fn answers_right_at_once(&self) -> bool {
        match self {
            Self::Normal
            | Self::TruncatedBody
            | Self::EmptyBody
            | Self::EndlessBody
            | Self::SlowDrip(_)
            | Self::WithoutHeaders
            | Self::HugeHeaders(_)
            | Self::WrongContentLength(_) => true,
            Self::Status(_)
            | Self::RetryAfter(..)
            | Self::Redirect(_)
            | Self::Html
            | Self::Hang
            | Self::Delay(_)
            | Self::Close
            | Self::Body(_)
            | Self::Raw(_) => false,
        }
    }
}

/// The script of every endpoint: what to do next, and what to do after that.
#[derive(Debug)]
pub(crate) struct Scripts<E> {
    steady: BTreeMap<E, Behaviour>,
    next: BTreeMap<E, VecDeque<Behaviour>>,
}

impl<E: Ord> Default for Scripts<E> {
    fn default() -> Self {
        Self {
            steady: BTreeMap::new(),
            next: BTreeMap::new(),
        }
    }
}

impl<E: Ord> Scripts<E> {
    pub(crate) fn set(&mut self, endpoint: E, behaviour: Behaviour) {
        self.steady.insert(endpoint, behaviour);
    }

    pub(crate) fn push_next(&mut self, endpoint: E, count: usize, behaviour: &Behaviour) {
        self.next
            .entry(endpoint)
            .or_default()
            .extend(std::iter::repeat_n(behaviour.clone(), count));
    }

    pub(crate) fn take(&mut self, endpoint: &E) -> Behaviour {
        let once = self.next.get_mut(endpoint).and_then(VecDeque::pop_front);
        once.or_else(|| self.steady.get(endpoint).cloned())
            .unwrap_or(Behaviour::Normal)
    }
}
