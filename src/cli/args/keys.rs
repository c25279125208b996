//! Options that are keys of the policy file: declared from the table of keys, and read as settings.

use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use crate::config::file::{PIN_OPTIONS, PinOption, PolicyKey, Shape, Typed, keys};
use crate::config::{Settings, written};

/// The options below some headings of the help.
pub trait Group {
    const HEADINGS: &'static [&'static str];
}

/// What is expected of a deployment.
#[derive(Debug, Clone, Copy)]
pub struct ExpectationOptions;

impl Group for ExpectationOptions {
    const HEADINGS: &'static [&'static str] = &["Expectations", "GPUs"];
}

/// Whom to ask for evidence.
#[derive(Debug, Clone, Copy)]
pub struct SourceOptions;

impl Group for SourceOptions {
    const HEADINGS: &'static [&'static str] = &["Source"];
}

/// What was given by the options of a group.
#[derive(Debug, Clone)]
pub struct KeyArgs<G> {
    pub settings: Settings,
    group: PhantomData<G>,
}

impl<G: Group> KeyArgs<G> {
    fn rows() -> impl Iterator<Item = (&'static PolicyKey, &'static Typed)> {
        let rows = keys().filter_map(|key| Some((key, key.option.as_ref()?)));
        rows.filter(|(_, option)| G::HEADINGS.contains(&option.heading))
    }

    /// Whether one of them says what must run.
    pub fn is_expecting(&self) -> bool {
        Self::rows().any(|(key, option)| option.expects && self.settings.one(key.name).is_some())
    }
}

impl<G: Group> Args for KeyArgs<G> {
    fn augment_args(command: Command) -> Command {
        Self::rows().fold(command, |command, (key, option)| command.arg(arg(key, option)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<G: Group> FromArgMatches for KeyArgs<G> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self {
            settings: given(matches, Self::rows()),
            group: PhantomData,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The option of a row.
fn arg(key: &'static PolicyKey, option: &'static Typed) -> Arg {
    of_shape(Arg::new(key.name), key)
        .value_name(option.value)
        .help(option.help)
        .help_heading(option.heading)
        .value_parser(parser(key, option))
}

/// The name of a key's option, and how often it may be given.
fn of_shape(arg: Arg, key: &'static PolicyKey) -> Arg {
    let arg = arg.long(key.name).action(match key.shape.is_list() {
        true => ArgAction::Append,
        false => ArgAction::Set,
    });
    match key.shape {
        Shape::Path | Shape::Paths => arg.value_hint(ValueHint::AnyPath),
        _ => arg,
    }
}

/// What was given by the options of `pin` that are keys.
#[derive(Debug, Clone)]
pub struct PinKeyArgs {
    pub settings: Settings,
}

impl PinKeyArgs {
    fn rows() -> impl Iterator<Item = (&'static PinOption, &'static PolicyKey, &'static Typed)> {
        PIN_OPTIONS.iter().filter_map(|option| {
            let key = keys().find(|key| key.name == option.key)?;
            Some((option, key, key.option.as_ref()?))
        })
    }
}

impl Args for PinKeyArgs {
    fn augment_args(command: Command) -> Command {
        Self::rows().fold(command, |command, (option, key, _)| {
            command.arg(
                of_shape(Arg::new(key.name), key)
                    .value_name(option.value)
                    .help(option.help),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for PinKeyArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let rows = Self::rows().map(|(_, key, typed)| (key, typed));
        Ok(Self {
            settings: given(matches, rows),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What was given by the options of some rows.
fn given(matches: &ArgMatches, rows: impl Iterator<Item = (&'static PolicyKey, &'static Typed)>) -> Settings {
    let mut settings = Settings::default();
    for (key, option) in rows {
        let values = matches
            .get_many::<String>(key.name)
            .into_iter()
            .flatten()
            .cloned();
        settings.set(key.name, written(option.flag, values));
    }
    settings
}

/// What is refused before the policy is read: other words than those of a choice, and what is not a number.
fn parser(key: &'static PolicyKey, option: &'static Typed) -> ValueParser {
    match key.shape {
        Shape::Choice(words) if !option.values.is_empty() => {
            let values = words.iter().zip(option.values);
            let values = values.map(|(word, says)| PossibleValue::new(*word).help(*says));
            PossibleValuesParser::new(values).into()
        }
        Shape::Number => ValueParser::from(|text: &str| text.parse::<u32>().map(|number| number.to_string())),
        _ => ValueParser::string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_of_pin_that_is_a_key_has_its_row() {
        let rows: Vec<&str> = PinKeyArgs::rows().map(|(_, key, _)| key.name).collect();
        let named: Vec<&str> = PIN_OPTIONS.iter().map(|option| option.key).collect();
        assert_eq!(rows, named);
    }
}
