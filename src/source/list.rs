//! The list of sources of evidence. Each is one file of this folder and one line here.

use std::time::Duration;

use super::app::{AppEndpoints, RawAttestation};
use super::error::SourceError;
use super::guest_agent::GuestAgent;
use super::host_label::HostLabel;
use super::phala_cloud::PhalaCloud;
use super::row::{GivenOptions, SourceRow};

use crate::address::{origin_of, parse_address};
use crate::net::Client;
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::AskedParty;

/// Makes of each line: the file of the source, its name in Rust, and the type of its addresses.
macro_rules! sources {
    ($($file:ident $variant:ident($address:path))+) => {
        /// Whom to ask for evidence.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(clippy::large_enum_variant, reason = "there are a few of them in a run")]
        pub enum Source {
            $(
                #[doc = concat!("One instance; see `source/", stringify!($file), ".rs`.")]
                $variant($address),
            )+
            /// Phala Cloud's API: all instances of an app. Signs no nonce.
            PhalaCloud(PhalaCloud),
        }

        /// A source that answers for one instance.
        #[derive(Debug, Clone, Copy)]
        pub enum OneInstance<'a> {
            $(
                #[doc = concat!("See [`Source::", stringify!($variant), "`].")]
                $variant(&'a $address),
            )+
        }

        impl OneInstance<'_> {
            /// Asks for the attestation, one time.
            ///
            /// # Errors
            /// There is no attestation.
            pub async fn attestation(
                self,
                client: &Client,
                nonce: &[u8; 32],
                time_left: Duration,
            ) -> Result<RawAttestation, SourceError> {
                match self {
                    $(Self::$variant(source) => super::$file::attestation(client, source, nonce, time_left).await,)+
                }
            }

            /// Asks for the app's information, one time.
            ///
            /// # Errors
            /// There is none.
            pub async fn info(self, client: &Client, time_left: Duration) -> Result<Vec<u8>, SourceError> {
                match self {
                    $(Self::$variant(source) => super::$file::info(client, source, time_left).await,)+
                }
            }
        }

        /// What each says of itself, in the order of the help.
        pub(crate) const SOURCES: &[&SourceRow] = &[$(&super::$file::ROW,)+ &super::phala_cloud::ROW];
        /// The words that users write.
        pub(crate) const SOURCE_NAMES: &[&str] = &[$(super::$file::ROW.name,)+ super::phala_cloud::ROW.name];
        /// What the help says of each.
        pub(crate) const SOURCE_LINES: &[&str] = &[$(super::$file::ROW.says,)+ super::phala_cloud::ROW.says];

        /// Reads an address or an id of the source of a row.
        pub(crate) fn parse_source(
            row: &SourceRow,
            text: &str,
            given: &GivenOptions<'_>,
        ) -> Result<NamedSource, UsageError> {
            let (name, source) = match row.name {
                $(
                    word if word == super::$file::ROW.name => {
                        let (name, address) = super::$file::parse(text, given)?;
                        (name, Source::$variant(address))
                    }
                )+
                _ => {
                    let (name, app) = super::phala_cloud::parse(text, given)?;
                    (name, Source::PhalaCloud(app))
                }
            };
            Ok(NamedSource { name, source })
        }

        impl Source {
            pub(crate) const fn row(&self) -> &'static SourceRow {
                match self {
                    $(Self::$variant(_) => &super::$file::ROW,)+
                    Self::PhalaCloud(_) => &super::phala_cloud::ROW,
                }
            }

            /// The address, as reports and bundles show it: without a query.
            pub fn url(&self) -> &str {
                match self {
                    $(Self::$variant(source) => source.url(),)+
                    Self::PhalaCloud(app) => app.url(),
                }
            }

            /// For how many instances it answers.
            pub const fn instances(&self) -> AskedInstances<'_> {
                match self {
                    $(Self::$variant(source) => AskedInstances::One(OneInstance::$variant(source)),)+
                    Self::PhalaCloud(app) => AskedInstances::All(app),
                }
            }
        }
    };
}

sources! {
    app App(AppEndpoints)
    guest_agent GuestAgent(GuestAgent)
}

/// A source, and what it is called.
pub(crate) struct NamedSource {
    pub name: String,
    pub source: Source,
}

/// For how many instances a source answers.
#[derive(Debug, Clone, Copy)]
pub enum AskedInstances<'a> {
    /// For one.
    One(OneInstance<'a>),
    /// For all that Phala Cloud lists.
    All(&'a PhalaCloud),
}

impl Source {
    /// Its name: an option's value, and `source.kind` of a bundle.
    pub const fn kind(&self) -> &'static str {
        self.row().name
    }

    /// Who is asked.
    pub const fn party(&self) -> AskedParty {
        self.row().party
    }

    /// The same for the `source` of a bundle, as its maker says.
    pub fn party_of(kind: &str) -> AskedParty {
        row_of(kind).map_or_else(AskedParty::default, |row| row.party)
    }

    /// Where else it is asked than at the usual paths below its address: `NAME=PATH` each, without queries.
    pub fn other_paths(&self) -> Vec<String> {
        match self {
            Self::App(endpoints) => endpoints.other_paths(),
            _ => Vec::new(),
        }
    }

    /// The path of its attestation below its address, without query, if it is not the usual one.
    pub(crate) fn other_attestation_path(&self) -> Option<String> {
        match self {
            Self::App(endpoints) => endpoints.other_attestation_path(),
            _ => None,
        }
    }

    /// The query that its attestation is asked for with, which may hold a secret.
    pub(crate) fn attestation_query(&self) -> Option<String> {
        match self {
            Self::App(endpoints) => endpoints.attestation_query(),
            _ => None,
        }
    }

    /// Scheme, host and port of the address, where the address is of one deployment: Phala Cloud answers for every app.
    pub fn origin(&self) -> Option<String> {
        Self::origin_of(self.kind(), self.url())
    }

    /// The same for the `source` of a bundle.
    pub fn origin_of(kind: &str, url: &str) -> Option<String> {
        let is_of_one = row_of(kind).is_some_and(|row| row.is_of_one);
        parse_address(url)
            .ok()
            .filter(|_| is_of_one)
            .map(|url| origin_of(&url))
    }

    /// The app or instance that the address names, 20 bytes: a claim of its author, which the evidence must confirm.
    pub fn address_id(&self) -> Option<[u8; 20]> {
        Self::address_id_of(self.kind(), self.url())
    }

    /// The same for the `source` of a bundle.
    pub fn address_id_of(kind: &str, url: &str) -> Option<[u8; 20]> {
        let id_in = row_of(kind).map_or(HostLabel::id_in as fn(&str) -> _, |row| row.id_in);
        id_in(url).map(|id| id.0)
    }
}

impl<'a> OneInstance<'a> {
    /// The app, if it is asked itself.
    pub const fn app(self) -> Option<&'a AppEndpoints> {
        match self {
            Self::App(endpoints) => Some(endpoints),
            _ => None,
        }
    }
}

/// The source of a name.
pub(crate) fn row_of(name: &str) -> Option<&'static SourceRow> {
    SOURCES.iter().copied().find(|row| row.name == name)
}
