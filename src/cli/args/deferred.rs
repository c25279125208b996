//! A command whose options are built only when it is used: building those of all commands takes half as many
//! instructions as verifying the signatures of a quote. A command with commands of its own is not deferred: the
//! completion of `help` lists them.

use std::ops::{Deref, DerefMut};

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::cli::short_help;

/// The arguments of a command.
#[derive(Debug)]
pub struct Deferred<A>(A);

impl<A> Deref for Deferred<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A> DerefMut for Deferred<A> {
    fn deref_mut(&mut self) -> &mut A {
        &mut self.0
    }
}

impl<A: FromArgMatches> FromArgMatches for Deferred<A> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        A::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        A::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<A: Args> Args for Deferred<A> {
    fn augment_args(command: Command) -> Command {
        command.defer(with_options::<A>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(with_options::<A>)
    }
}

fn with_options<A: Args>(command: Command) -> Command {
    // What the command is about stays, whatever the documentation of a group of options says.
    let about = Resettable::from(command.get_about().cloned());
    let long_about = Resettable::from(command.get_long_about().cloned());
    short_help::arranged(A::augment_args(command).about(about).long_about(long_about))
}
