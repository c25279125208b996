//! Options that are keys of the policy file: declared from the table of keys, and read as settings.

use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser as _, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint, value_parser};

use crate::config::file::{
    OptionGroup, PIN_OPTIONS, PolicyKey, REPLAY_OPTIONS, RewordedOption, SWITCHES, Shape, SwitchOption,
    Typed, keys,
};
use crate::config::{Interval, Settings, written};

/// Options that several commands share.
pub trait CommandOptions {
    const GROUPS: &'static [OptionGroup];
}

/// What is expected of a deployment.
#[derive(Debug, Clone, Copy)]
pub struct ExpectationOptions;

impl CommandOptions for ExpectationOptions {
    const GROUPS: &'static [OptionGroup] = &[OptionGroup::Expectations, OptionGroup::Gpus];
}

/// What is expected only of a live deployment, and which other service verifies it.
#[derive(Debug, Clone, Copy)]
pub struct LiveOptions;

impl CommandOptions for LiveOptions {
    const GROUPS: &'static [OptionGroup] = &[OptionGroup::Live, OptionGroup::SecondOpinion];
}

/// Which source to ask for evidence.
#[derive(Debug, Clone, Copy)]
pub struct SourceOptions;

impl CommandOptions for SourceOptions {
    const GROUPS: &'static [OptionGroup] = &[OptionGroup::Source];
}

/// How often `watch` repeats.
#[derive(Debug, Clone, Copy)]
pub struct RoundOptions;

impl CommandOptions for RoundOptions {
    const GROUPS: &'static [OptionGroup] = &[OptionGroup::Rounds];
}

/// Which source to ask.
pub type SourceArgs = KeyArgs<SourceOptions>;

/// What was given by options of the table.
#[derive(Debug, Clone)]
pub struct KeyArgs<O> {
    pub settings: Settings,
    options: PhantomData<O>,
}

impl<O: CommandOptions> KeyArgs<O> {
    fn rows() -> impl Iterator<Item = (&'static PolicyKey, &'static Typed)> {
        let rows = keys().filter_map(|key| Some((key, key.option.as_ref()?)));
        rows.filter(|(_, option)| O::GROUPS.contains(&option.group))
    }

    fn switches() -> impl Iterator<Item = &'static SwitchOption> {
        SWITCHES.iter().filter(|switch| O::GROUPS.contains(&switch.group))
    }

    /// Whether one of them says what must run.
    pub fn is_expecting(&self) -> bool {
        Self::rows().any(|(key, option)| option.expects && self.settings.one(key.name).is_some())
    }
}

impl<O: CommandOptions> Args for KeyArgs<O> {
    fn augment_args(command: Command) -> Command {
        let rows = Self::rows().map(|(key, option)| arg(key, option));
        command.args(rows).args(Self::switches().map(switch))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<O: CommandOptions> FromArgMatches for KeyArgs<O> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = given(matches, Self::rows());
        for switch in Self::switches().filter(|switch| matches.get_flag(id(switch.flag))) {
            settings.set(switch.key, written(switch.flag, [switch.word.to_owned()]));
        }
        Ok(Self {
            settings,
            options: PhantomData,
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
        .help_heading(option.group.heading())
        .value_parser(parser(key, option))
}

/// The option of a switch.
fn switch(switch: &'static SwitchOption) -> Arg {
    Arg::new(id(switch.flag))
        .long(id(switch.flag))
        .action(ArgAction::SetTrue)
        .help(switch.help)
        .help_heading(switch.group.heading())
}

/// An option without its dashes.
fn id(flag: &'static str) -> &'static str {
    flag.trim_start_matches('-')
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

/// Keys that are options of one command, with their own help text.
pub trait Rewording {
    const OPTIONS: &'static [RewordedOption];
}

/// Of `pin`.
#[derive(Debug, Clone, Copy)]
pub struct OfPin;

impl Rewording for OfPin {
    const OPTIONS: &'static [RewordedOption] = PIN_OPTIONS;
}

/// Of `replay`.
#[derive(Debug, Clone, Copy)]
pub struct OfReplay;

impl Rewording for OfReplay {
    const OPTIONS: &'static [RewordedOption] = REPLAY_OPTIONS;
}

/// What was given by such options.
#[derive(Debug, Clone)]
pub struct RewordedArgs<C> {
    pub settings: Settings,
    command: PhantomData<C>,
}

impl<C: Rewording> RewordedArgs<C> {
    fn rows() -> impl Iterator<Item = (&'static RewordedOption, &'static PolicyKey, &'static Typed)> {
        C::OPTIONS.iter().filter_map(|option| {
            let key = keys().find(|key| key.name == option.key)?;
            Some((option, key, key.option.as_ref()?))
        })
    }
}

impl<C: Rewording> Args for RewordedArgs<C> {
    fn augment_args(command: Command) -> Command {
        command.args(Self::rows().map(|(option, key, typed)| {
            of_shape(Arg::new(key.name), key)
                .value_name(option.value)
                .help(option.help)
                .help_heading(option.heading)
                .value_parser(parser(key, typed))
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<C: Rewording> FromArgMatches for RewordedArgs<C> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let rows = Self::rows().map(|(_, key, typed)| (key, typed));
        Ok(Self {
            settings: given(matches, rows),
            command: PhantomData,
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

/// Refuses a value before the policy is read, if it is not a word of the choice or not a number.
fn parser(key: &'static PolicyKey, option: &'static Typed) -> ValueParser {
    match key.shape {
        Shape::Choice(words) if !option.values.is_empty() => {
            let values = words.iter().zip(option.values);
            let values = values.map(|(word, says)| PossibleValue::new(*word).help(*says));
            PossibleValuesParser::new(values).into()
        }
        Shape::Number(least, most) => value_parser!(u32)
            .range(i64::from(least)..=i64::from(most))
            .map(|number| number.to_string())
            .into(),
        Shape::Interval => {
            ValueParser::from(|text: &str| text.parse::<Interval>().map(|interval| interval.to_string()))
        }
        _ => ValueParser::string(),
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
