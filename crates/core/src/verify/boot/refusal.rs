//! Why boot events are refused.

/// Why the boot events are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BootRefusal {
    /// There is no `system-ready`: the quote was taken during boot, or the log is not dstack's.
    #[error("there is no `system-ready` event, so nothing separates the boot from what an app wrote later")]
    NoSystemReady,
    /// A guest of dstack 0.3, whose log has no boundary.
    #[error("this is a guest of dstack 0.3, whose event log has no end-of-boot mark")]
    UnsupportedGeneration,
    /// A required event is missing.
    #[error("the boot event `{0}` is missing")]
    Missing(&'static str),
    /// An event occurs more often than it may.
    #[error("the boot event `{0}` occurs more than once")]
    Duplicate(&'static str),
    /// An event is not in its place.
    #[error("the boot event `{event}` comes after `{after}`")]
    OutOfOrder {
        /// The event.
        event: &'static str,
        /// The event that it must precede.
        after: &'static str,
    },
    /// A payload has another form than the guest writes.
    #[error("the payload of the boot event `{event}` {problem}")]
    BadPayload {
        /// The event.
        event: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Something in the guest extended a boot event's name after the boot.
    #[error(
        "the reserved event `{0}` occurs again after `system-ready`: something inside the guest wrote it"
    )]
    ReservedAfterReady(String),
}
