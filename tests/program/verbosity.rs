//! `-v`, `-q` and `-qq`: what is printed, and that the exit code stays.

use super::deployment::Deployment;
use super::run::{Ran, run};

fn text(deployment: &Deployment, more: &[&str]) -> Ran {
    run(&deployment.strict_args_with(&["verify", &deployment.app.url()], more))
}

fn lying() -> Deployment {
    let deployment = Deployment::healthy();
    deployment
        .app
        .change(|cvm| simulator::Lie::SwappedImage.apply(cvm));
    deployment
}

#[test]
fn quiet_is_silent_on_a_pass_and_says_what_is_wrong_on_a_fail() {
    let passed = text(&Deployment::healthy(), &["-q"]);
    assert_eq!((passed.code, passed.stdout.as_str()), (0, ""), "{passed:#?}");
    assert_eq!(passed.stderr, "");
    let failed = text(&lying(), &["-q"]);
    assert_eq!(failed.code, 1);
    for says in ["SIMULATED", "FAIL", "compose-hash: ", "What to do: "] {
        assert!(failed.stdout.contains(says), "{says}: {failed:#?}");
    }
    assert!(!failed.stdout.contains("quote-signature"), "{failed:#?}");
}

#[test]
fn twice_quiet_is_silent_always_and_the_code_stays() {
    for (deployment, code) in [(Deployment::healthy(), 0), (lying(), 1)] {
        for option in [&["-qq"][..], &["-q", "-q"], &["--quiet", "--quiet"]] {
            let ran = text(&deployment, option);
            assert_eq!(
                (ran.code, ran.stdout.as_str()),
                (code, ""),
                "{option:?}: {ran:#?}"
            );
            assert_eq!(ran.stderr, "", "{option:?}");
        }
    }
    // A mistake of the user is never silent: nothing was verified.
    let wrong = text(&Deployment::healthy(), &["-qq", "--wait=soon"]);
    wrong.assert_usage_error("--wait");
}

#[test]
fn verbose_shows_every_request_with_its_time_and_no_secret_of_the_address() {
    let deployment = Deployment::healthy();
    let url = deployment.app.url().to_string();
    let mut args = deployment.strict_args(&["verify", &format!("{url}?token=hidden-token")]);
    let silent = run(&args);
    assert_eq!(silent.stderr, "", "{silent:#?}");
    args.push("-v".to_owned());
    let verbose = run(&args);
    assert_eq!(verbose.code, 0, "{verbose:#?}");
    let requests: Vec<&str> = verbose.stderr.lines().collect();
    for path in ["/attestation", "/info", "/tdx/certification/v4/tcb"] {
        let of_path = requests.iter().find(|line| line.contains(path));
        let line = of_path.unwrap_or_else(|| panic!("{path}: {verbose:#?}"));
        let (time, rest) = line
            .split_once(" ms  http://")
            .unwrap_or_else(|| panic!("{line}"));
        assert!(time.trim().parse::<u64>().is_ok(), "{line}");
        assert!(rest.contains("  200, ") && rest.ends_with(" bytes"), "{line}");
    }
    assert!(!format!("{verbose:?}").contains("hidden-token"), "{verbose:#?}");
}
