//! What the tests of the program ask of a deployment and the attacks do not: a lock, and other expectations.

use super::deployment::{Deployment, owned};
use super::run::{Ran, run};

impl Deployment {
    /// Pins it to `cvm.lock`.
    pub fn pin(&self, more: &[&str]) -> Ran {
        let output = format!("--output={}", self.path("cvm.lock"));
        run(&self.network_args_with(&["pin", &self.app.url(), &output], more))
    }

    /// Verifies it with other expectations.
    pub fn verify_with(&self, expect: &[String], more: &[&str]) -> Ran {
        let mut args = self.network_args(&["verify", &self.app.url(), "--format=json"]);
        args.extend(expect.iter().cloned());
        args.extend(owned(more));
        run(&args)
    }

    /// [`Deployment::network_args`] with more options.
    pub fn network_args_with(&self, command: &[&str], more: &[&str]) -> Vec<String> {
        let mut args = self.network_args(command);
        args.extend(owned(more));
        args
    }
}
