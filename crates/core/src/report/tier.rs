//! Tiers and assurance: how much a run must prove, and how much it proved.
//! `code` is above `hardware`. The side tiers can only be added to `code`: written joined,
//! as in `code+endpoint+source`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::word_enum::text_serde;

crate::word_enum! {
    /// A tier that is met by all of its checks. Each one includes the one before it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Tier {
        /// A fresh quote of genuine, patched TDX hardware.
        Hardware = "hardware",
        /// That, and the measured OS image and compose document are the expected ones.
        Code = "code",
    }
}

crate::word_enum! {
    /// A tier that is added to `code`, which one check grants.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
    #[serde(rename_all = "kebab-case")]
    pub enum SideTier {
        /// The TLS key of the address was quoted by a VM that meets the policy, at a time that is not known.
        EndpointReplayable = "endpoint-replayable",
        /// The VM that meets the policy holds the TLS key that answered in this run. It includes `endpoint-replayable`.
        Endpoint = "endpoint",
        /// The images were built from the named source.
        Source = "source",
    }
}

/// The side tiers that are added to `code`. `endpoint` and `endpoint-replayable` are two strengths of one thing: a
/// set never holds both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SideTiers {
    endpoint: Option<Endpoint>,
    source: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Endpoint {
    Replayable,
    Proven,
}

impl SideTiers {
    /// None.
    pub const NONE: Self = Self {
        endpoint: None,
        source: false,
    };

    /// With another one; `endpoint` replaces `endpoint-replayable`, never the other way.
    #[must_use]
    pub fn with(self, side: SideTier) -> Self {
        match side {
            SideTier::EndpointReplayable => self.at_least(Endpoint::Replayable),
            SideTier::Endpoint => self.at_least(Endpoint::Proven),
            SideTier::Source => Self { source: true, ..self },
        }
    }

    fn at_least(self, endpoint: Endpoint) -> Self {
        Self {
            endpoint: self.endpoint.max(Some(endpoint)),
            ..self
        }
    }

    /// Whether a side tier is in it, by itself or in a stronger one.
    #[must_use]
    pub fn includes(self, side: SideTier) -> bool {
        self.with(side) == self
    }

    /// The side tiers in the order in which they are written, each strength alone.
    pub fn iter(self) -> impl Iterator<Item = SideTier> {
        let endpoint = self.endpoint.map(|endpoint| match endpoint {
            Endpoint::Replayable => SideTier::EndpointReplayable,
            Endpoint::Proven => SideTier::Endpoint,
        });
        endpoint
            .into_iter()
            .chain(self.source.then_some(SideTier::Source))
    }

    /// What both hold.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self {
            endpoint: self.endpoint.min(other.endpoint),
            source: self.source && other.source,
        }
    }
}

impl FromIterator<SideTier> for SideTiers {
    fn from_iter<I: IntoIterator<Item = SideTier>>(sides: I) -> Self {
        sides.into_iter().fold(Self::NONE, Self::with)
    }
}

/// `code` and its side tiers.
fn joined(f: &mut fmt::Formatter<'_>, sides: SideTiers) -> fmt::Result {
    let names = sides.iter().map(|side| format!("+{side}"));
    f.pad(&format!("{}{}", Tier::Code, names.collect::<String>()))
}

/// How much a run must prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredAssurance {
    /// See [`Tier::Hardware`].
    Hardware,
    /// See [`Tier::Code`]; and the side tiers that must be proven.
    Code(SideTiers),
}

impl RequiredAssurance {
    /// `code` without side tiers: the default requirement.
    pub const CODE: Self = Self::Code(SideTiers::NONE);

    /// The tier without what stands next to it.
    #[must_use]
    pub const fn tier(self) -> Tier {
        match self {
            Self::Hardware => Tier::Hardware,
            Self::Code(_) => Tier::Code,
        }
    }

    /// What must be proven in addition to `code`.
    #[must_use]
    pub const fn sides(self) -> SideTiers {
        match self {
            Self::Hardware => SideTiers::NONE,
            Self::Code(sides) => sides,
        }
    }
}

impl fmt::Display for RequiredAssurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hardware => f.pad(Tier::Hardware.as_str()),
            Self::Code(sides) => joined(f, *sides),
        }
    }
}

impl FromStr for RequiredAssurance {
    type Err = AssuranceError;

    fn from_str(text: &str) -> Result<Self, AssuranceError> {
        match text.parse()? {
            Assurance::None => Err(AssuranceError::None),
            Assurance::Hardware => Ok(Self::Hardware),
            Assurance::Code(sides) => Ok(Self::Code(sides)),
        }
    }
}

/// How much was proven without anything that was waived or accepted in writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assurance {
    /// Not even the hardware tier.
    None,
    /// See [`Tier::Hardware`].
    Hardware,
    /// See [`Tier::Code`]; and what is proven next to it.
    Code(SideTiers),
}

impl Assurance {
    /// `code` without side tiers.
    pub const CODE: Self = Self::Code(SideTiers::NONE);

    /// The highest tier, without what stands next to it.
    #[must_use]
    pub const fn tier(self) -> Option<Tier> {
        match self {
            Self::None => None,
            Self::Hardware => Some(Tier::Hardware),
            Self::Code(_) => Some(Tier::Code),
        }
    }

    /// What is proven in addition to `code`.
    #[must_use]
    pub const fn sides(self) -> SideTiers {
        match self {
            Self::None | Self::Hardware => SideTiers::NONE,
            Self::Code(sides) => sides,
        }
    }

    /// What is proven of two targets alike.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        match (self, other) {
            (Self::Code(one), Self::Code(other)) => Self::Code(one.common(other)),
            (Self::None, _) | (_, Self::None) => Self::None,
            (Self::Hardware, _) | (_, Self::Hardware) => Self::Hardware,
        }
    }
}

impl From<RequiredAssurance> for Assurance {
    fn from(required: RequiredAssurance) -> Self {
        match required {
            RequiredAssurance::Hardware => Self::Hardware,
            RequiredAssurance::Code(sides) => Self::Code(sides),
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.pad("none"),
            Self::Hardware => f.pad(Tier::Hardware.as_str()),
            Self::Code(sides) => joined(f, *sides),
        }
    }
}

/// Why a text does not name an assurance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssuranceError {
    /// Neither a tier nor `code` with something next to it.
    #[error("it is none of `hardware`, `code` and `code` joined with {} by `+`", names())]
    Unknown,
    /// A side tier without `code`.
    #[error("`{0}` can only be added to `code`: write `code+{0}`")]
    WithoutCode(SideTier),
    /// A side tier beside `hardware`.
    #[error("`{0}` can only be added to `code`, not to `hardware`: write `code+{0}`")]
    BesideHardware(SideTier),
    /// A side tier twice, or both strengths of one.
    #[error("`{0}` is said twice or with another strength of it: write one of them")]
    Repeated(SideTier),
    /// `none` can be reached and not be required.
    #[error("`none` requires nothing; write `hardware`, or `code`, which is the default")]
    None,
}

/// The side tiers, with commas.
fn names() -> String {
    SideTier::ALL.map(|side| format!("`{side}`")).join(", ")
}

impl FromStr for Assurance {
    type Err = AssuranceError;

    fn from_str(text: &str) -> Result<Self, AssuranceError> {
        let side_of = |name: &str| SideTier::of_word(name);
        let mut parts = text.split('+');
        let first = parts.next().unwrap_or_default();
        let mut sides = SideTiers::NONE;
        for part in parts {
            let side = side_of(part).ok_or(AssuranceError::Unknown)?;
            let both = sides.with(side);
            if both.iter().count() == sides.iter().count() {
                return Err(AssuranceError::Repeated(side));
            }
            sides = both;
        }
        match (first, sides.iter().next()) {
            ("code", _) => Ok(Self::Code(sides)),
            ("hardware", None) => Ok(Self::Hardware),
            ("hardware", Some(side)) => Err(AssuranceError::BesideHardware(side)),
            ("none", None) => Ok(Self::None),
            _ => Err(side_of(first).map_or(AssuranceError::Unknown, AssuranceError::WithoutCode)),
        }
    }
}

text_serde!(Assurance, RequiredAssurance);

#[cfg(any(test, feature = "schema"))]
mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    use super::{Assurance, RequiredAssurance, SideTier, SideTiers};

    /// `code` with each set of side tiers, as they are written.
    fn of_code() -> Vec<String> {
        let endpoint = [None, Some(SideTier::EndpointReplayable), Some(SideTier::Endpoint)];
        let source = [None, Some(SideTier::Source)];
        let sets = endpoint
            .into_iter()
            .flat_map(|endpoint| source.map(|source| [endpoint, source]));
        sets.map(|set| Assurance::Code(set.into_iter().flatten().collect::<SideTiers>()).to_string())
            .collect()
    }

    impl JsonSchema for Assurance {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Assurance".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let values = ["none", "hardware"]
                .map(str::to_owned)
                .into_iter()
                .chain(of_code());
            json_schema!({
                "description": "How much was proven without anything that was waived or accepted in writing. What is proven \
                                in addition to `code` is joined to it with `+`.",
                "type": "string",
                "enum": values.collect::<Vec<_>>(),
            })
        }
    }

    impl JsonSchema for RequiredAssurance {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "RequiredAssurance".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            let values = std::iter::once("hardware".to_owned()).chain(of_code());
            json_schema!({
                "description": "How much a run must prove. What must be proven in addition to `code` is joined to it with `+`.",
                "type": "string",
                "enum": values.collect::<Vec<_>>(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Result<String, AssuranceError> {
        text.parse::<RequiredAssurance>()
            .map(|required| required.to_string())
    }

    #[test]
    fn side_tiers_are_written_in_one_order() {
        assert_eq!(parsed("code+source+endpoint").unwrap(), "code+endpoint+source");
        assert_eq!(
            parsed("code+endpoint-replayable").unwrap(),
            "code+endpoint-replayable"
        );
        assert_eq!(parsed("hardware").unwrap(), "hardware");
    }

    #[test]
    fn each_mistake_has_its_own_words() {
        for (text, error) in [
            ("", AssuranceError::Unknown),
            ("all", AssuranceError::Unknown),
            ("code+", AssuranceError::Unknown),
            ("code+gpu", AssuranceError::Unknown),
            ("Code", AssuranceError::Unknown),
            ("endpoint", AssuranceError::WithoutCode(SideTier::Endpoint)),
            (
                "hardware+source",
                AssuranceError::BesideHardware(SideTier::Source),
            ),
            ("code+source+source", AssuranceError::Repeated(SideTier::Source)),
            (
                "code+endpoint-replayable+endpoint",
                AssuranceError::Repeated(SideTier::Endpoint),
            ),
            (
                "code+endpoint+endpoint-replayable",
                AssuranceError::Repeated(SideTier::EndpointReplayable),
            ),
            ("none", AssuranceError::None),
        ] {
            assert_eq!(parsed(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn endpoint_includes_endpoint_replayable_and_not_the_other_way() {
        let endpoint = SideTiers::NONE.with(SideTier::Endpoint);
        let replayable = SideTiers::NONE.with(SideTier::EndpointReplayable);
        assert!(endpoint.includes(SideTier::EndpointReplayable) && endpoint.includes(SideTier::Endpoint));
        assert!(
            !replayable.includes(SideTier::Endpoint)
                && !SideTiers::NONE.includes(SideTier::EndpointReplayable)
        );
        assert_eq!(endpoint.with(SideTier::EndpointReplayable), endpoint);
        assert_eq!(endpoint.common(replayable), replayable);
    }

    #[test]
    fn what_targets_have_in_common_is_the_lower_of_each_side() {
        let of = |text: &str| text.parse::<Assurance>().unwrap();
        for (one, other, common) in [
            ("code+endpoint", "code+source", "code"),
            (
                "code+endpoint+source",
                "code+endpoint-replayable+source",
                "code+endpoint-replayable+source",
            ),
            ("code+endpoint", "hardware", "hardware"),
            ("hardware", "none", "none"),
        ] {
            assert_eq!(of(one).common(of(other)), of(common));
            assert_eq!(of(other).common(of(one)), of(common));
        }
    }

    fn any_sides() -> impl Strategy<Value = SideTiers> {
        proptest::collection::vec(0..SideTier::ALL.len(), 0..4)
            .prop_map(|sides| sides.into_iter().map(|side| SideTier::ALL[side]).collect())
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(sides in any_sides()) {
            let code = RequiredAssurance::Code(sides);
            prop_assert_eq!(code.to_string().parse::<RequiredAssurance>().unwrap(), code);
            prop_assert!(sides.iter().all(|side| sides.includes(side)));
            prop_assert_eq!(sides.iter().collect::<SideTiers>(), sides);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|(code|hardware|none)(\\+(endpoint|source|x)){0,5}") {
            let _ = text.parse::<RequiredAssurance>();
        }
    }
}
