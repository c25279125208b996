//! The kinds of sources, by the words that users write.

use clap::ValueEnum;

/// Whom to ask for evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceKind {
    /// The app's own endpoints, by URL.
    App,
    /// The guest agent on port 8090, by its URL or by app or instance id: a quote over a key of the app, from 0.5.6 on.
    GuestAgent,
    /// Phala Cloud's API, by app id: the quotes that all instances made when they started.
    PhalaCloud,
}
