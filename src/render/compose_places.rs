//! The page `docs/compose-places.md`, made of the table that `image-pins` and `launch-inputs` judge by.

use std::fmt::Write as _;

use super::docs::own;
use cvm_verify_core::compose::compose_places;

/// So that nobody edits the page by hand.
const GENERATED: &str = "<!-- Made from crates/core/src/compose/docker_compose/table.rs by `UPDATE_GENERATED=1 cargo test --lib render`. Do not edit. -->";

const HEAD: &str = "\
# The places of a docker compose file

The compose hash binds the text of the docker compose file. Some places of that text can be filled from outside when Docker
Compose reads it. This table says for each key of the [Compose Specification](https://compose-spec.io) what its place can
decide. A key that is not in the table decides code, except extension keys (`x-…`).

- A place that **decides code** is named by [`image-pins`](checks/image-pins.md), and `code` is not met.
- **Host access** is named by [`launch-inputs`](checks/launch-inputs.md).
- A value that is **set from outside** (by the deployer, or by the host: the encrypted values are not authenticated) is named
  and counted by `launch-inputs`.

A variable counts only if something can set it: its name is in `allowed_envs`, a pre-launch script exports it, a script that
runs before the containers is unknown, or the guest sets it. Otherwise its default applies, and the report says so.

`environment` entries with a variable are set from outside. They decide code if the name in the container is one that programs
load code by (`LD_PRELOAD`, `NODE_OPTIONS`, `PATH`, …; a beginning such as `LD_` or `PYTHON`, an end such as `_OPTS` or `_COMMAND`, or
words such as `REMOTE_CODE` count in every name, with the exceptions in [the table](reference-values.md)), or if a shell of the container executes the
value (`$$NAME` as a command, under `eval` or `sh -c`). `BASH_ENV` always counts. `ENV` counts if a shell of the container may be
interactive (`tty`, `stdin_open`, a shell that is started so, or `script`, `screen`, `tmux` and the like), and where a script sets it.

`command`, `entrypoint` and the test of a health check may be lists. An item of a list is one argument whatever the value of its variable
holds: Docker Compose substitutes after it reads the list. But what a program does with an argument is not written in the document. So an
item with a variable is set from outside, and decides no code, only if it is known to be data:

- It is the value of an option of a program, in the same item behind `=` or as the next item. The last part of the option's name is a
  word for data (port, host, user, password, token, key, level, timeout, size and the like). No part of it is a word for
  code (plugin, module, config, command, template, registry and the like). An address or URL is data only if the name says that it is the
  program's own (listen, bind, public, external, advertise): what a program calls may send it code. A model is data for vLLM alone, without
  `--trust-remote-code`. No word of the list is a program that brings or unpacks files, or that runs what another machine sends it
  (`curl`, `aws`, `tar`, `ansible-pull`, `ray`, agents of CI systems and the like).
- The program is known, and takes data at that place: the options of `pg_isready`, `psql`, `redis-cli`, `mysqladmin`, `gunicorn` and `celery`
  that have one letter, an address of `curl` or `wget` that begins with `http://` or `https://` (if they keep nothing), settings of
  `postgres` that are numbers or sizes, sizes and percentages of `java`, the model of `vllm serve`, the host or the port of
  the host of `nc -z HOST 5432`, the port of `manage.py runserver 0.0.0.0:PORT`, the addresses that nodes of Ethereum call, and the
  like. An option behind `npm run NAME --`, or behind the program that `uv run`, `poetry run` or `bundle exec` starts, is judged
  as one of that script or program.

Every other item with a variable decides code, and so does each of a list of more than 256 words:

- as the program: the first word of `entrypoint` and `command`, or what a wrapper such as `env`, `gosu` and `timeout` starts;
- as an option or an operand whose meaning is not known;
- where the program executes it: the script or an option of an interpreter, the arguments of a script in the list, any word of `make`,
  any word of a program that brings files, and the like;
- next to a `$$NAME` in the same item, which a shell may read;
- behind the entrypoint of an image that is not written into `entrypoint`, where the first item of `command` begins with `-`: the image's
  entrypoint may be an interpreter, and the item the option by which it loads code;
- in a health check that nerdctl starts, which passes the list to a shell as one text.

An `entrypoint` without a word (`[]`, an empty text, or a list of empty texts) takes the entrypoint of the image away: the first word of
`command` is the program. What is accepted in a list is accepted as the same words of a script, with each variable in quotes. The reverse
does not hold: a script is refused only where a value is known to be executed. A variable without quotes may be another option: it counts as
executed behind `postgres`, `redis-server`, `nginx`, `traefik` and others whose options load code or bring it from elsewhere.

A text (`command: app ${NAME}`) is split into words after it is filled, so that a variable in it decides code. That an image's
own entrypoint passes its arguments to a program, and not to a shell as one text, is taken from the image, which the digest pins.

A script that is an argument of an interpreter (`sh -c`, `python -c`, `node -e`) counts as executing its arguments if it reads its
arguments: `$1`, `$@`, `$argv`, `for x; do`, `shift`, `getopts`, `sys.argv`, `process.argv`, `ARGV`, `pop` and the like. So does a config, if what names its
path has a variable from outside; `exec \"$@\"` executes the list behind it, which is checked as a list, too where
it is the whole script behind `-c`.

The script that `python -c`, `node -e`, `ruby -e`, `perl -e` and `php -r` get is read in their language: a variable of the environment
is executed if a statement passes it, or a variable that holds it, to `eval`, `os.system`, `child_process` and the like, or as the first
argument to a function with a word for loading or running in its name (`torch.hub.load`, `uvicorn.run`, `createRequire`). A config's
`content` is read in such a language if its first line or the names of its paths say so. If anything but the interpreter of the language
names such a path (`sh /app/run.py`, the program itself without a first line, another config, a health check, an environment), if a shell,
`xargs`, `find` or `run-parts` starts a file that is not written out (`sh ma*`, `sh $f`), or if nothing names it, the text is read as a script
of a shell as well.

A config in a language that is not read here (Lua, awk, Make, Tcl, R, PowerShell and the like, by its first line, the names of its paths or the
program that is handed one) decides code if a name of a variable from outside or a word for the environment stands in it, or if what names it
has such a variable. In every config the value of a setting that is named for a command (`command=`, `exec:`) is read as a script of
a shell, with `%(ENV_NAME)s` as `$NAME`; a variable in a setting that is named for code to load (`extension=`, `load_module`, `plugin:`)
decides code.

Beside programs, `eval` and scripts of a shell, a script executes a value

- in code among the arguments of a language that is not read here (`awk` where it starts programs, `lua -e`, `Rscript -e`, `sqlite3`, `gdb -ex`,
  `vim -c`): a name of a variable from outside or a word for the environment stands there. `bun` and `deno` are read as Node;
- in the input of `xargs` and `parallel`, judged as words of the program that they start; without a program `parallel` executes it;
- in the input, a here-document, a written file or a command (`-c`, `-e`) of a client that starts a shell: `psql`, `mysql`, `mongosh`, `sqlite3`,
  `ftp`, `at` and the like, and in a file below `/docker-entrypoint-initdb.d`. `psql -v v=\"$NAME\"` with `:'v'` is accepted;
- as a number: `((…))`, `$[…]`, `let`, `[[ … -gt … ]]`, an index (`a[NAME]=`), a variable of `declare -i`; no dollar is needed there;
- in a command that a here-document substitutes;
- without quotes, or as an operand of `tar`, `git`, `rsync`, `scp` and Chromium, where it may be an option by which the program executes code:
  `gunicorn -w $NAME app:app`, `npm start $NAME`, `vllm serve m $NAME`. In quotes the value of an option is one argument.

A mount decides code if it equals, contains or lies in what the host supplies: `/dstack/.host-shared`, `/dstack/user_config`,
firmware tables, disks. Known links are followed (`/tapp`, `/var/run`, `/var/volatile/dstack`, `/proc/1/root`). Other paths of
the VM are host access. The sockets of the guest agent (`/var/run/dstack.sock`, `/run/dstack.sock`, `/var/run/tappd.sock`) are
neither.

In addition to the docker compose file, these fields of the compose document decide code: a name in `allowed_envs` that Docker, Docker
Compose, a shell or a tool of the guest reads (where a script that is not known runs before the containers, every name that programs
load code by), an entry of `verity_volumes` without a well-formed `verity_root`, what a script
before the containers takes from outside, and a field that is not known and may be a script (by its name, `#!`, or more than one line).
`runner` is exactly `docker-compose`, `nerdctl-compose` or `bash`: with another text, another type or none it is not known what
starts the app, because the guest's shell drops line ends and NUL before it compares.

## Scripts before the containers

`pre_launch_script` (unless it is one of Phala's own) and each item of `init_script` run as root before Docker Compose. They are
places of their own, `pre_launch_script` and `init_script[n]`, where they

- may execute what a variable of `allowed_envs` holds, as a shell of a container may;
- may execute what the host supplies: `.host-shared`, `user_config`, `.decrypted-env`, firmware tables, a program on a disk;
- start or fetch an image without a digest, build or load one, or start another docker compose file;
- may write `docker-compose.yaml`, an override of it, or `app-compose.json`.

What they do beyond that, such as what their fixed text fetches, is not checked: the report names such a script and its SHA-256. To accept a
place, run `cvm-verify pin` and write the reason into `[[places]]` of the lock.

## The table

`SERVICE` stands for each service, job and `pre_start` container, `HOOK` for an item of `post_start` and `pre_stop`, `*` for
any name.

| place | class | what it is |
|---|---|---|
";

/// The page `docs/compose-places.md`.
#[must_use]
pub fn compose_places_markdown() -> String {
    let mut page = format!("{GENERATED}\n\n{HEAD}");
    for (path, class, says) in compose_places() {
        let path = path
            .replacen("service.", "SERVICE.", 1)
            .replacen("hook.", "HOOK.", 1);
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{path}` | {} | {} |", own(class), own(says));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::super::generated::assert_generated;
    use super::*;

    #[test]
    fn the_page_and_the_list_of_keys_are_those_of_the_table() {
        assert_generated("docs/compose-places.md", &compose_places_markdown());
        let keys: String = compose_places().map(|(path, _, _)| format!("{path}\n")).collect();
        assert_generated("tests/compose/places.txt", &keys);
    }
}
