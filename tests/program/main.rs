//! The whole program, run in this process as a user would run it: arguments in, exit code, report and words out.

mod alerts;
mod bad_input;
mod blame;
mod bundles;
mod cases;
mod config;
mod deployment;
mod diff;
mod engine;
mod environment;
mod fleet;
mod inspect;
mod launch_binding;
mod live;
mod lock;
mod outputs;
mod reading;
mod recordings;
mod reference_values;
mod release;
mod run;
mod secrets_in_urls;
mod sources;
mod vectors;
mod wait;
mod watch;
