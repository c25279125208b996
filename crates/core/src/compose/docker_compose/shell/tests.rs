//! Scripts that execute a variable, and scripts that hand it to a program.

use proptest::prelude::*;

use super::*;

fn of(script: &str) -> Option<Use> {
    uses(script, &|name| name == "X").remove("X")
}

/// The same script as the list `["sh", "-c", script]`.
fn of_shell(script: &str) -> Option<Use> {
    let arguments = ["sh", "-c", script].map(str::to_owned);
    uses_of_arguments(&arguments, &|name| name == "X").remove("X")
}

#[test]
fn what_a_program_is_handed_is_an_argument() {
    for script in [
        "pg_isready -U $X -d db",
        "pg_isready -U \"${X:-postgres}\" || exit 1",
        "redis-cli -a \"$X\" ping | grep PONG",
        "curl -fsS http://localhost:$X/health",
        "test -n \"$X\" && exec /app/server --port $X",
        "if [ -z \"$X\" ]; then echo missing; exit 1; fi\nexec nginx -g 'daemon off;'",
        "echo $X | base64 -d > /app/config.json\nexec /app/run --config /app/config.json",
        "cat > /etc/app.conf <<EOF\n$X\nkey=$X\nEOF\nexec app -c /etc/app.conf",
        "python3 /app/main.py --port $X",
        "exec gosu postgres postgres -c max_connections=\"$X\"",
        "export TOKEN=\"$X\"; exec node server.js",
        "envsubst '$X' < /etc/nginx/a.template > /etc/nginx/nginx.conf && nginx",
        "sh -c 'echo ok' && mysqladmin ping -p$X",
        "while ! nc -z $X 5432; do sleep 1; done; exec app",
        "psql -U \"$X\" -c 'SELECT 1'",
        "java \"-Xmx$X\" -Dserver.port=\"$X\" -jar app.jar",
        "node --enable-source-maps \"--max-old-space-size=$X\" server.js --port $X",
        "python3 -u -W ignore app.py --port $X",
        "echo started at $X",
        "grep -q -- \"$X\" /etc/hosts",
        "nice -n 5 app --port $X",
        "sudo -u app app --port $X",
        "timeout -s KILL 5 curl $X",
        "bash -euo pipefail -c 'exec app --port \"$X\"'",
        "sed -n 1p \"$X\"",
        "awk -v port=\"$X\" 'BEGIN { print port }'",
        "app > \"$X\"",
        "echo ${X:-1}${X:+2}",
        "awk -v n=\"$X\" '$1 == n { print }' /etc/hosts",
        "echo \"$X\" > /root/key.pem\nchmod 600 /root/key.pem\nexec app --key /root/key.pem",
        "tar czf /backup/\"$X\".tgz /data; exec app",
        "curl -fsS -X POST $X -d started; exec app",
        "wget -qO- http://localhost:$X/health | grep ok",
        "wget --spider $X && exec app",
        "gunicorn --bind \"0.0.0.0:$X\" app:app",
        "exec uvicorn app:app --host 0.0.0.0 --port $X",
        "cd \"$X\" && exec /app/run",
        "cp \"$X\" /etc/app.conf && exec app",
        "python3 -m gunicorn --bind \"0.0.0.0:$X\" app:app",
        "npm run start -- --port $X",
        "npx serve -l $X",
        "exec docker-entrypoint.sh postgres -c max_connections=\"$X\"",
        "exec app \\\n  --port $X \\\n  --verbose",
        "[ \"$X\" -eq 1 ] || exit 1",
        "f() { echo started; }; f; exec app --port $X",
        "log() { echo \"$1\"; }; log starting; exec app --port $X",
        "timeout 5 bash -c '</dev/tcp/localhost/5432' # $X",
    ] {
        assert!(of(script) < Some(Use::Executed), "{script}: {:?}", of(script));
        assert!(
            of_shell(script) < Some(Use::Executed),
            "sh -c {script}: {:?}",
            of_shell(script)
        );
    }
}

/// What ordinary scripts do with a variable, none of which executes it.
#[test]
fn what_ordinary_scripts_do_is_not_execution() {
    for script in [
        "pg_dump -h db -U app app | gzip | aws s3 cp - s3://$X/b.gz",
        "pg_dump -h db app > /tmp/b.sql && aws s3 cp /tmp/b.sql s3://$X/b.sql",
        "mysqldump -h db app > /tmp/b.sql; aws --endpoint-url \"$X\" s3 cp /tmp/b.sql s3://b/b.sql",
        "restic backup /data && curl -fsS -m 10 \"https://example.com/$X\"",
        "pg_dump app > /b.sql; curl -fsS -T /b.sql -H \"Authorization: Bearer $X\" https://example.com/",
        "pg_dump app > /b.sql; curl -s -o /dev/null \"https://example.com/$X\"",
        "until curl -sf -H \"Authorization: $X\" http://a/; do sleep 1; done; exec /app/server",
        "curl -s -H \"X: $X\" -o /data/cfg.json https://example.com/cfg; exec /app/server",
        "TOKEN=$(curl -s -d \"k=$X\" https://a | jq -r .t); exec /app/server --token \"$TOKEN\"",
        "pg_dump app > /d/x; rclone copy /d \"r:$X\"",
        "pg_dump app > /d/x; rsync -a /d \"$X:/b\"",
        "pg_dump app > /d/x; scp /d/x \"$X:/b\"",
        "mc alias set m http://minio admin \"$X\" && mc mb m/b && exec /app/server",
        "az login -u u -p \"$X\" && exec /app/server",
        "gcloud config set project \"$X\"; exec /app/server",
        "until PGPASSWORD=$X psql -h db -U app -c 'select 1'; do sleep 1; done; exec /app/server",
        "mysql -uroot -p\"$X\" -e 'create database if not exists a'; exec /app/server",
        "exec gunicorn -k uvicorn.workers.UvicornWorker -w \"$X\" app:app",
        "exec celery -A app worker -c $X -Q q",
        "timeout \"$X\" /app/job",
        "su-exec app /app/server --k \"$X\"",
        "chown -R $X /data && exec /app/server",
        "mkdir -p /data/$X && cd /data/$X && exec /app/server",
        "git config --global user.email \"$X\" && exec /app/server",
        "htpasswd -bc /etc/nginx/.htpasswd admin \"$X\" && exec nginx -g 'daemon off;'",
        "exec cloudflared tunnel run --token $X",
        "mkdir -p /root/.ssh && echo \"$X\" > /root/.ssh/id_ed25519 && exec /app/server",
        "exec python3 -m vllm.entrypoints.openai.api_server --model \"$X\"",
        "set -eu; : \"${X:?missing}\"; exec /app/server",
    ] {
        assert!(of(script) < Some(Use::Executed), "{script}: {:?}", of(script));
    }
}

#[test]
fn what_a_shell_executes_is_executed() {
    for script in [
        "$X",
        "\"$X\" --help",
        "exec ${X}",
        "true && $X",
        "true; ${X:-true}",
        "/opt/$X/bin/run",
        "eval \"$X\"",
        "eval \"$(echo $X | base64 -d)\"",
        "sh -c \"$X\"",
        "bash -lc \"exec $X\"",
        "sh -c 'exec $X'",
        "echo $X | sh",
        "echo \"$X\" | base64 -d | bash -s",
        "curl $X | sh",
        "wget -O /tmp/a.sh $X; sh /tmp/a.sh",
        "echo \"$X\" > /run.sh\nchmod +x /run.sh\n/run.sh",
        "python -c \"$X\"",
        "python3 $X",
        "node -e \"$X\"",
        ". $X",
        "source \"$X\"",
        "A=$X; $A",
        "A=\"$X\"\nB=$A\neval $B",
        "for c in $X; do $c; done",
        "LD_PRELOAD=$X /app/run",
        "export PATH=$X:$PATH; app",
        "env $X app",
        "timeout 5 $X",
        "gosu root $X",
        "xargs $X < list",
        "trap \"$X\" EXIT",
        "`$X`",
        "echo $($X)",
        "su -c \"$X\" app",
        "pip install $X && app",
        "git clone $X /src",
        "sh <<EOF\n$X\nEOF",
        "if $X; then true; fi",
        "case a in a) $X ;; esac",
        "( $X )",
        "cat $X | while read line; do $line; done",
        "sh -c 'eval \"$1\"' -- $X",
        "run() { \"$@\"; }; run $X",
        "set -- $X; $1",
        "cd $X && ./start.sh",
        "npm install $X && node .",
        "npx $X",
        "npm run $X",
        "true && \\\n  $X",
        "function f { $X; }; f",
        "f() { $X; }; f",
        "bash <(echo $X)",
        ". <(echo \"$X\")",
        "sh /dev/stdin <<EOF\n$X\nEOF",
        "sh <<< \"$X\"",
        "printf '%s' \"$X\" > /a; . /a",
        "while IFS= read -r l; do sh -c \"$l\"; done <<< \"$X\"",
        "mapfile -t a <<< \"$X\"; ${a[0]}",
        "printf -v c '%s' \"$X\"; $c",
        "e=eval; $e \"$X\"",
        "[[ $X -eq 1 ]] && exec app",
        "exec docker-entrypoint.sh $X",
        "flock /lock $X",
        "echo \"* * * * * $X\" | crontab -",
        "set $X; \"$@\"",
        "export \"$X\"; app",
        "read c <<E\n$X\nE\n$c",
        "c=$(echo $X); $c",
        "c=${X:-run} && exec $c",
        "bash < <(echo $X)",
        "echo $X > >(sh)",
        "echo $X | tee >(sh)",
        "echo ${!X}",
        "echo \"${X@P}\"",
        "echo $((X + 1))",
        "(( X > 1 )) && exec app",
        "bash -euo pipefail -c \"$X\"",
        "sh -e -c \"$X\"",
        "bash -O extglob -c \"$X\"",
        "bash --rcfile /x -ic \"$X\"",
        "bash -c -- \"$X\"",
        "bash -euo pipefail -c 'eval \"$X\"'",
        "sudo -u app sh -c \"$X\"",
        "sudo -u app $X",
        "nice -n 5 $X",
        "env -u FOO -i $X",
        "timeout -s KILL 5 $X",
        "tini -p SIGTERM -- $X",
        "ionice -c 2 -n 7 sh -c \"$X\"",
        "exec -a x sh -c \"$X\"",
        "busybox sh -c \"$X\"",
        "/init with-contenv sh -c \"$X\"",
        "wait-for-it.sh db:1 -- $X",
        "anything db:1 -- sh -c \"$X\"",
        "strace sh -c \"$X\"",
        "uv run sh -c \"$X\"",
        "/lib64/ld-linux-x86-64.so.2 /bin/sh -c \"$X\"",
        "mksh -c \"$X\"",
        "pwsh -Command \"$X\"",
        "let $X",
        "declare -i y=$X",
        "test -v \"a[$X]\"",
        "printf -v \"$X\" x",
        "read \"$X\" < /dev/null",
        "tar --to-command=\"$X\" -xf a",
        "sed \"$X\" f",
        "sed -i \"s|a|$X|\" f",
        "psql -c \"$X\"",
        "node -r mod -e \"$X\"",
        "node --max-old-space-size=$X server.js",
        "java -Xmx$X -jar app.jar",
        "java \"-javaagent:$X\" -jar app.jar",
        "perl -w -e 1 -e \"$X\"",
        "deno run $X",
        "echo \"$X\" > \"/a/$X/$Y\"",
        "echo ${a[$X]}",
        "echo ${a[X]}",
        "echo ${a:X}",
        "awk -v c=\"$X\" 'BEGIN { system(c) }'",
        "echo \"$X\" > /run.sh; chmod 755 /run.sh; /run.sh",
        "echo \"$X\" | base64 -d > /usr/local/bin/foo; foo",
        "ln -s \"$X\" /app/main; exec /app/main",
        "tar xf \"$X\" -C /app && /app/run",
        "socat TCP-LISTEN:1 EXEC:\"$X\"",
        "anything --exec \"$X\"",
        "anything --on-change --command=\"$X\"",
        "wget \"$X\" && sh install.sh",
        "curl -O $X/install.sh && sh install.sh",
        "curl -L $X -o /app.tgz && tar xf /app.tgz && /app/run",
        "wget -qO- $X | tar xz -C / && /app/run",
        "aws s3 cp $X /app && /app",
        "dpkg -i $X",
        "echo \"$X\" > f; . ./f",
        "printenv X | tee f; sh f",
        "rsync -e \"$X\" a b:",
        "exec perl -M$X app.pl",
        "exec dotnet $X",
        "pipx run $X",
        "gunicorn $X",
        "gunicorn -c $X app:app",
        "celery -A $X worker",
        "nginx -g \"$X\"",
        "echo $X | xargs sh -c",
        "echo $X > /etc/ld.so.preload",
        "echo $X >> ~/.bashrc",
        "declare -x \"$X\"",
        "hash -p $X ls",
        "unset \"$X\"",
        "PS4='$($X)'; set -x",
        "cd \"$X\" && npm start",
        "cd \"$X\" && python app.py",
        "eval \"$(printenv X)\"",
        "$(printenv X)",
        "printenv X | sh",
    ] {
        assert_eq!(of(script), Some(Use::Executed), "{script}");
        assert_eq!(of_shell(script), Some(Use::Executed), "sh -c {script}");
    }
}

#[test]
fn a_script_that_executes_what_shows_the_environment_executes_all_of_it() {
    for script in [
        "env | grep ^X= | cut -d= -f2- | sh",
        "set | grep X | sh",
        "export | bash -s",
        "cat /proc/self/environ | tr '\\0' '\\n' | sh",
        ". /proc/self/environ",
        "env > f; . ./f",
        "envsubst < /t | sh",
        "sh -c 'env | sh'",
        "eval $(env | grep ^E= | cut -d= -f2-)",
        "eval \"$(printenv)\"",
        ". <(env)",
        "x=$( env ); eval \"$x\"",
        "sh -c \"`env`\"",
        "source /dev/stdin <<< \"$(env)\"",
        "bash <<EOF\n$(env)\nEOF",
        "eval \"$(tr '\\0' '\\n' < /proc/1/environ | sed 's/^/export /')\"",
        ". <(xargs -0 -n1 echo export < /proc/1/environ)",
        "tr '\\0' '\\n' < /proc/self/environ > /etc/env; . /etc/env",
        "tr '\\0' '\\n' < /proc/self/environ > /etc/profile.d/x.sh && bash -l",
        "while read -d '' x; do eval $x; done < /proc/self/environ",
        "for x in $(tr '\\0' '\\n' < /proc/self/environ); do eval $x; done",
        "mapfile -d '' a < /proc/1/environ; eval \"${a[@]}\"",
        "xargs -0 -n1 < /proc/1/task/1/environ | sh",
        "xargs -0 --arg-file=/proc/1/environ | sh",
        "cp /proc/1/environ /e; sh /e",
        "exec 3< /proc/$PPID/environ; sh <&3",
        "sh < /proc/self/environ",
        "sh /proc/1/environ",
        "sh -c 'sh /proc/1/environ'",
        "cd /proc/1 && sh environ",
        "cat /proc/1/env* | sh",
    ] {
        let found = uses(script, &|_| false);
        assert_eq!(
            found.get(EVERY_VARIABLE),
            Some(&Use::Executed),
            "{script}: {found:?}"
        );
        assert!(reads_variables(script));
    }
    for script in [
        "env | grep X",
        "set -e; exec app",
        "env A=b app",
        "export A=b; sh run.sh",
        "tr '\\0' '\\n' < /proc/1/environ > /log; exec app",
        "cat /app/environments/prod.sh | sh",
        "sh /app/environ",
        "sh /proc/1/cwd/run.sh",
        "envsubst < a > b && nginx",
        "eval \"$(printenv X)\"",
        "n=$(env | wc -l); exec app",
    ] {
        assert_eq!(uses(script, &|_| false).get(EVERY_VARIABLE), None, "{script}");
    }
}

/// What is nested too deeply to be read counts as executed.
#[test]
fn depth_hides_nothing() {
    for depth in 1..40 {
        let substituted = format!("echo {}$X{}", "$(echo $(true; ".repeat(depth), "))".repeat(depth));
        assert_eq!(of(&substituted), Some(Use::Executed), "{substituted}");
        let mut nested = "exec $X".to_owned();
        for _ in 0..depth.min(7) {
            let escaped = nested
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('$', "\\$");
            nested = format!("sh -c \"{escaped}\"");
        }
        assert_eq!(of(&nested), Some(Use::Executed), "{} bytes", nested.len());
    }
}

#[test]
fn without_a_shell_only_the_program_and_what_a_shell_is_handed_count() {
    let of = |arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
        uses_of_arguments(&arguments, &|name| name == "X").remove("X")
    };
    assert_eq!(of(&["pg_isready", "-U", "$X"]), Some(Use::Argument));
    assert_eq!(of(&["app", "PORT=$X", "--token=$X"]), Some(Use::Argument));
    assert_eq!(of(&["sh", "-c", "exec app --port $X"]), Some(Use::Argument));
    assert_eq!(of(&["echo $X"]), Some(Use::Argument));
    for executed in [
        &["$X"][..],
        &["sh", "-c", "$X"],
        &["/bin/bash", "-ec", "eval $X"],
        &["sh -c $X"],
        &["python", "$X"],
        &["app", "--port", "$X"],
        &["env", "-Ssh -c ${X}"],
        &["su", "app", "-c$X"],
        &["su", "app", "--command=$X"],
        &["anything", "--port=$(curl $X)"],
    ] {
        assert_eq!(of(executed), Some(Use::Executed), "{executed:?}");
    }
}

/// Whatever stands before it, a word that a shell would execute counts as executed.
const SCRIPTS: [&str; 4] = [
    "$X",
    "eval $X",
    "curl $X | sh",
    "exec bash -euo pipefail -c \"$X\"",
];

proptest! {
    #[test]
    fn no_word_of_a_list_hides_a_script(
        before in prop::collection::vec("[-+a-z/.:=0-9 ]{0,12}|bash|sh|-c|-euo|pipefail|sudo|--|nice|python3", 0..6),
        after in prop::collection::vec("[-a-z$Y]{0,6}", 0..3),
        script in 0..SCRIPTS.len(),
    ) {
        let words: Vec<String> = before.into_iter().chain([SCRIPTS[script].to_owned()]).chain(after).collect();
        prop_assume!(!CLIENTS.contains(&base_name(&words[0])));
        // `eval $X` is no Python.
        let at = words.iter().position(|word| word == SCRIPTS[script]).unwrap();
        prop_assume!(script == 0 || !scripts_in_other_languages(&words).contains_key(&at));
        let found = uses_of_arguments(&words, &|name| name == "X");
        prop_assert_eq!(found.get("X"), Some(&Use::Executed), "{:?}", words);
    }

    #[test]
    fn no_script_panics(script in "[$X(){}`'\"|;&<>\\\\ \nabc=#-]{0,80}") {
        let _ = uses(&script, &|name| name == "X");
    }
}
