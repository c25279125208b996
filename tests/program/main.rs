//! The whole program, run in this process as a user would run it: arguments in, exit code, report and words out.

mod alerts;
mod bad_input;
mod bundles;
mod config;
mod deployment;
mod environment;
mod inspect;
mod live;
mod lock;
mod outputs;
mod run;
mod vectors;
mod wait;
