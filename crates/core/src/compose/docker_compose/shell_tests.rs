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
        "exec gosu postgres postgres -c max_connections=$X",
        "export TOKEN=\"$X\"; exec node server.js",
        "envsubst '$X' < /etc/nginx/a.template > /etc/nginx/nginx.conf && nginx",
        "sh -c 'echo ok' && mysqladmin ping -p$X",
        "while ! nc -z $X 5432; do sleep 1; done; exec app",
        "psql -U $X -c 'SELECT 1'",
        "java -Xmx$X -jar app.jar",
        "node --max-old-space-size=$X server.js",
        "python3 -m gunicorn --bind 0.0.0.0:$X app:app",
        "npm run start -- --port $X",
        "npx serve -l $X",
        "exec docker-entrypoint.sh postgres -c max_connections=$X",
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
        "eval \"$(printenv X)\"",
        "$(printenv X)",
        "printenv X | sh",
    ] {
        assert_eq!(of(script), Some(Use::Executed), "{script}");
        assert_eq!(of_shell(script), Some(Use::Executed), "sh -c {script}");
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
    assert_eq!(of(&["app", "--port", "$X"]), Some(Use::Argument));
    assert_eq!(of(&["sh", "-c", "exec app --port $X"]), Some(Use::Argument));
    assert_eq!(of(&["echo $X"]), Some(Use::Argument));
    for executed in [
        &["$X"][..],
        &["sh", "-c", "$X"],
        &["/bin/bash", "-ec", "eval $X"],
        &["sh -c $X"],
        &["python", "$X"],
    ] {
        assert_eq!(of(executed), Some(Use::Executed), "{executed:?}");
    }
}

proptest! {
    #[test]
    fn no_script_panics(script in "[$X(){}`'\"|;&<>\\\\ \nabc=#-]{0,80}") {
        let _ = uses(&script, &|name| name == "X");
    }
}
