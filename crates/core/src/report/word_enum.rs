//! Enums whose variants are words that people read and write.

/// What [`word_enum`] makes, for code that takes any of them.
#[doc(hidden)]
pub trait WordEnum: Copy + 'static {
    /// The word of each, in the order of their declaration.
    const ALL_WORDS: &'static [&'static str];

    /// The one with this word.
    fn named(word: &str) -> Option<Self>;
}

/// An enum with a word for each variant: `ALL`, `WORDS`, `as_str`, `of_word` and `Display` are made of one list.
#[doc(hidden)]
#[macro_export]
macro_rules! word_enum {
    (
        $(#[$of_enum:meta])*
        pub enum $name:ident {
            $($(#[$of_variant:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$of_enum])*
        pub enum $name {
            $($(#[$of_variant])* $variant,)+
        }

        impl $name {
            /// Each of them, in the order of their declaration.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];
            /// The word of each, in the same order.
            pub const WORDS: [&'static str; [$($word),+].len()] = [$($word),+];

            /// The word that people read and write.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one with this word.
            #[must_use]
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::report::WordEnum for $name {
            const ALL_WORDS: &'static [&'static str] = &Self::WORDS;

            fn named(word: &str) -> Option<Self> {
                Self::of_word(word)
            }
        }
    };
}

/// Serializes a type as the text of its `Display`, and reads it by its `FromStr`.
macro_rules! text_serde {
    ($($name:ty),+) => {
        $(
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                }
            }
        )+
    };
}
pub(super) use text_serde;
