//! KMSs that are asked: several, over the network, and from the lock.

use super::*;

#[test]
fn t36_each_of_several_hosts_must_hold() {
    let kms = kms();
    let mut other = kms.clone();
    other.cvm.app_compose.push(' ');
    let other = Kms::of(other.cvm, other.root);
    let second = |kms: &Kms| {
        let mut record = honest(kms).kms.remove(0);
        record.host = "127.0.0.1:9".to_owned();
        honest(&self::kms()).with(|trial| {
            let hosts = vec![HOST.parse().unwrap(), "127.0.0.1:9".parse().unwrap()];
            trial.policy.kms.hosts = Some(expected("kms-host", hosts));
            trial.kms.push(record);
        })
    };
    second(&kms).judge().passes().proves(ID);
    fails_alone(&second(&other), "other-build");
    // More than are asked are not looked at.
    let flood = honest(&kms).with(|trial| {
        let one = trial.kms[0].clone();
        trial.kms = vec![one; 1000];
        trial
            .kms
            .iter_mut()
            .take(MAX_KMS)
            .for_each(|record| record.host = "x".to_owned());
    });
    is_open(&flood, "not-asked");
}

/// A deployment and its KMS on loopback.
struct Live {
    deployment: Deployment,
    server: simulator::KmsServer,
    policy: Vec<String>,
}

impl Live {
    fn of(kms: &Kms, identity: &TlsIdentity) -> Self {
        let deployment = Deployment::healthy();
        let server = simulator::KmsServer::https(identity, kms.meta.clone());
        let own = self::kms();
        let policy = vec![
            format!("kms-host = [\"{}\"]", server.host()),
            format!("kms-compose-hash = [\"{}\"]", hex::encode(own.cvm.compose_hash())),
            format!("kms-os-image = \"{}\"", own.cvm.registers()),
        ];
        Self {
            deployment,
            server,
            policy,
        }
    }

    fn healthy() -> Self {
        let kms = kms();
        Self::of(&kms, &kms.identity(1, kms.cvm.world.now))
    }

    fn config(&self) -> String {
        let url = self.deployment.app.url();
        let text = format!(
            "[[target]]\nname = \"a\"\nurl = \"{url}\"\n{}\n",
            self.policy.join("\n")
        );
        let path = self.deployment.path("cvm-verify.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, command: &[&str], more: &[String]) -> Ran {
        let mut args: Vec<String> = command.iter().map(|arg| (*arg).to_owned()).collect();
        args.push(format!("--config={}", self.config()));
        args.extend(more.iter().cloned());
        run(&args)
    }

    fn verify(&self, more: &[String]) -> Ran {
        let mut all = self.deployment.network();
        all.extend(self.deployment.expect().iter().cloned());
        all.extend(more.iter().cloned());
        self.run(&["verify", "--format=json", "--require-kms"], &all)
    }
}

#[test]
fn t36_a_live_kms_is_asked_and_a_replay_of_the_bundle_decides_alike() {
    let live = Live::healthy();
    let bundle = live.deployment.path("bundle.json");
    let ran = live.verify(&[format!("--evidence={bundle}")]);
    ran.assert(ID, Status::Pass, None);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(live.server.requests().len(), 1);
    let more = live.deployment.replay_args(&[&bundle, "--target=a"]);
    let replayed = live.run(&["replay", "--format=json", "--require-kms"], &more);
    replayed.assert(ID, Status::Pass, None);
    assert_eq!(replayed.check(ID).detail, ran.check(ID).detail);
    assert_eq!(replayed.code, 0, "{replayed:#?}");
}

#[test]
fn t36_a_live_kms_of_an_older_path_answers_too_and_one_that_is_away_is_open() {
    let live = Live::healthy();
    live.server.at_the_old_path();
    live.verify(&[]).assert(ID, Status::Pass, None);
    let mut away = Live::healthy();
    away.policy[0] = "kms-host = [\"127.0.0.1:9\"]".to_owned();
    let ran = away.verify(&[]);
    ran.assert(ID, Status::Error, Some("unreachable"));
    assert_eq!(ran.code, 3, "{ran:#?}");
}

#[test]
fn t36_a_live_kms_with_two_keys_is_open_and_one_without_its_key_answers_nothing() {
    let kms = kms();
    let now = kms.cvm.world.now;
    let turns = kms.identity(1, now).every_second(kms.identity(2, now));
    Live::of(&kms, &turns)
        .verify(&[])
        .assert(ID, Status::Error, Some("key-changed"));
    let stolen = TlsIdentity::new(9, now, TlsMode::SelfSigned).presenting(&kms.identity(1, now));
    let live = Live::of(&kms, &stolen);
    live.verify(&[]).assert(ID, Status::Error, Some("unreachable"));
    assert!(live.server.requests().is_empty());
}

#[test]
fn t36_pin_writes_the_kms_down_and_the_lock_names_it() {
    let mut live = Live::healthy();
    live.policy.remove(1);
    let lock = live.deployment.path("cvm.lock");
    let mut more = live.deployment.network();
    more.extend([
        format!("--output={lock}"),
        "--accept-observed".to_owned(),
        "--target=a".to_owned(),
    ]);
    let ran = live.run(&["pin"], &more);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let text = std::fs::read_to_string(&lock).unwrap();
    assert!(
        text.contains("[kms]") && text.contains(&hex::encode(kms().cvm.compose_hash())),
        "{text}"
    );
    live.policy.remove(0);
    live.policy.push(format!("lock = \"{lock}\""));
    live.verify(&[]).assert(ID, Status::Pass, None);
    // With the document of the KMS in a file, the lock says which release each image is.
    let official = running(OFFICIAL, &[]);
    let mut live = Live::of(&official, &official.identity(1, official.cvm.world.now));
    let document = live.deployment.path("kms-app-compose.json");
    std::fs::write(&document, &official.cvm.app_compose).unwrap();
    live.policy.remove(1);
    live.policy.push(format!("kms-compose-file = [\"{document}\"]"));
    let printed = ["--output=-", "--accept-observed", "--target=a"].map(str::to_owned);
    let mut printing = live.deployment.network();
    printing.extend(printed);
    let ran = live.run(&["pin"], &printing);
    let hash = hex::encode(official.cvm.compose_hash());
    let line = format!("compose_hash = \"{hash}\" # observed; images: kms: dstack-kms 0.6.6\n");
    ran.assert_stdout(&line);
    // A document that the KMS does not run names nothing.
    std::fs::write(&document, &kms().cvm.app_compose).unwrap();
    let ran = live.run(&["pin"], &printing);
    ran.assert_stdout(&format!("compose_hash = \"{hash}\" # observed\n"));
    // A KMS for development is not pinned.
    let live = Live::healthy();
    live.server.edit(|meta| meta["is_dev"] = true.into());
    let ran = live.run(&["pin"], &more);
    assert_ne!(ran.code, 0);
    assert!(format!("{ran:?}").contains("rules for development"), "{ran:#?}");
}
