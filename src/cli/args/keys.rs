//! Options that are keys of the policy file: declared from the table of keys, and read as settings.

use std::borrow::Cow;
use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueHint};

use crate::config::file::{
    OptionGroup, PIN_OPTIONS, PolicyKey, REPLAY_OPTIONS, RewordedOption, SWITCHES, SwitchOption, Typed,
    ValueShape, keys,
};
use crate::config::{Interval, Settings, written};

/// Options of the table that one command or several have.
pub trait CommandOptions {
    /// Those of these groups, as the table words them.
    const GROUPS: &'static [OptionGroup] = &[];
    /// Those that have another help text here.
    const REWORDED: &'static [RewordedOption] = &[];
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

/// Of `pin`.
#[derive(Debug, Clone, Copy)]
pub struct PinOptions;

impl CommandOptions for PinOptions {
    const REWORDED: &'static [RewordedOption] = PIN_OPTIONS;
}

/// Of `replay`.
#[derive(Debug, Clone, Copy)]
pub struct ReplayOptions;

impl CommandOptions for ReplayOptions {
    const REWORDED: &'static [RewordedOption] = REPLAY_OPTIONS;
}

/// Which source to ask.
pub type SourceArgs = KeyArgs<SourceOptions>;

/// What was given by options of the table.
#[derive(Debug, Clone)]
pub struct KeyArgs<O> {
    pub settings: Settings,
    options: PhantomData<O>,
}

/// A key as an option of a command.
struct KeyOption {
    key: &'static PolicyKey,
    typed: &'static Typed,
    value: &'static str,
    help: Cow<'static, str>,
    heading: Option<&'static str>,
}

impl KeyOption {
    /// As the table words it.
    fn of_table(key: &'static PolicyKey) -> Option<Self> {
        let typed = key.option.as_ref()?;
        Some(Self {
            key,
            typed,
            value: typed.value,
            help: key.help().into(),
            heading: typed.group.heading(),
        })
    }

    fn reworded(by: &'static RewordedOption) -> Option<Self> {
        Some(Self {
            value: by.value,
            help: by.help.into(),
            heading: by.heading,
            ..Self::of_table(keys().find(|key| key.name == by.key)?)?
        })
    }

    fn arg(&self) -> Arg {
        let key = self.key;
        let arg = Arg::new(key.name)
            .long(key.name)
            .action(match key.shape.is_list() {
                true => ArgAction::Append,
                false => ArgAction::Set,
            })
            .value_name(self.value)
            .help(self.help.to_string())
            .help_heading(self.heading)
            .value_parser(parser(key, self.typed));
        match key.shape {
            ValueShape::Path | ValueShape::Paths => arg.value_hint(ValueHint::AnyPath),
            _ => arg,
        }
    }
}

impl<O: CommandOptions> KeyArgs<O> {
    fn options() -> impl Iterator<Item = KeyOption> {
        let of_table = keys().filter_map(KeyOption::of_table);
        let grouped = of_table.filter(|option| O::GROUPS.contains(&option.typed.group));
        grouped.chain(O::REWORDED.iter().filter_map(KeyOption::reworded))
    }

    fn switches() -> impl Iterator<Item = &'static SwitchOption> {
        SWITCHES.iter().filter(|switch| O::GROUPS.contains(&switch.group))
    }

    /// Whether one of them says what must run.
    pub fn is_expecting(&self) -> bool {
        Self::options().any(|option| option.typed.expects && self.settings.one(option.key.name).is_some())
    }
}

impl<O: CommandOptions> Args for KeyArgs<O> {
    fn augment_args(command: Command) -> Command {
        command
            .args(Self::options().map(|option| option.arg()))
            .args(Self::switches().map(switch))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<O: CommandOptions> FromArgMatches for KeyArgs<O> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut settings = Settings::default();
        for KeyOption { key, typed, .. } in Self::options() {
            let values = matches.get_many::<String>(key.name);
            let values = values.into_iter().flatten().cloned();
            settings.set(key.name, written(typed.flag, values));
        }
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

/// Refuses a value before the policy is read, if it is not a word of the choice or not a number.
fn parser(key: &'static PolicyKey, option: &'static Typed) -> ValueParser {
    match key.shape {
        ValueShape::Choice(words) if !option.values.is_empty() => {
            let values = words.iter().zip(option.values);
            let values = values.map(|(word, says)| PossibleValue::new(*word).help(*says));
            PossibleValuesParser::new(values).into()
        }
        ValueShape::Number(least, most) => {
            let number = super::whole_number(least, most);
            ValueParser::from(move |text: &str| number(text).map(|number| number.to_string()))
        }
        ValueShape::Interval => {
            ValueParser::from(|text: &str| text.parse::<Interval>().map(|interval| interval.to_string()))
        }
        _ => ValueParser::string(),
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
