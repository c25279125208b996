//! What executes the text of a config, in which language, and what it is handed: T66. Each ends with `image-pins` / `unmeasured-input` at the
//! config, or with a text that executes nothing from outside.

use serde_json::json;

use crate::compose_places::{PINNED, decides, is_fixed, is_unmeasured, running_with};

/// A service with a config at a path, and an environment from outside.
fn with_config(target: &str, lines: &str, content: &str) -> String {
    format!(
        "services:\n  web:\n    image: {PINNED}\n    environment: ['NAME=${{X}}']\n    configs: [{{ source: a, target: {target} }}]\n    {}\n\
         configs:\n  a:\n    content: {}\n",
        lines.replace('\n', "\n    "),
        json!(content)
    )
}

#[test]
fn t66_a_config_is_of_a_language_alone_where_its_interpreter_alone_names_it() {
    // Python does not execute it; a shell does.
    let content = "import os\n$$NAME\n";
    for lines in [
        "command: [sh, /app/run.py]",
        "command: sh /app/run.py",
        "entrypoint: [/app/run.py]",
        "entrypoint: [sh]\ncommand: [/app/run.py]",
        "command: [sh, -c, '. /app/run.py']",
        "command: [bash, -c, 'source /app/run.py']",
        "command: [sh, -c, 'sh < /app/run.py']",
        "command: [sh, -c, 'cat /app/run.py | sh']",
        "command: [sh, -c, 'for f in /app/*; do sh $$f; done']",
        "command: [python3, /app/run.py]\nhealthcheck: { test: 'sh /app/run.py' }",
        "command: [python3, /app/run.py]\npost_start: [{ command: [sh, /app/run.py] }]",
        "command: [python3, /app/run.py]\npre_start: [{ command: [sh, /app/run.py] }]",
        // The image's own entrypoint says what reads it.
        "restart: always",
    ] {
        is_unmeasured(&with_config("/app/run.py", lines, content), "configs.a.content");
    }
    for lines in [
        "command: [python3, /app/run.py]",
        "command: [sh, -c, 'test -f /app/run.py && exec python3 /app/run.py']",
    ] {
        is_fixed(&with_config("/app/run.py", lines, content));
        for executed in [
            "import os\nos.system('$$NAME')\n",
            "import os\nc = '$$NAME'\nos.system(c)\n",
            "import os\nc = os.environ['NAME']\nd = 'run ' + c\nos.system(d)\n",
            "from os import system as s, environ as e\ns(e['NAME'])\n",
            "import os\nopen('/run.sh', 'w').write(os.environ['NAME'])\nos.system('sh /run.sh')\n",
        ] {
            is_unmeasured(&with_config("/app/run.py", lines, executed), "configs.a.content");
        }
    }
    is_unmeasured(
        &with_config(
            "/app/run.js",
            "command: [node, /app/run.js]",
            "const r = require('child_process').execSync\nr(process.env.NAME)\n",
        ),
        "configs.a.content",
    );
}

#[test]
fn t66_a_config_that_executes_its_arguments_is_handed_none_from_outside() {
    for (target, lines, content) in [
        (
            "/run.sh",
            "command: [sh, /run.sh, --token, '${X}']",
            "eval \"$$2\"\n",
        ),
        (
            "/run.sh",
            "command: [/run.sh, --token, '${X}']",
            "#!/bin/sh\nfor x; do $$x; done\n",
        ),
        (
            "/run.sh",
            "entrypoint: [/run.sh]\ncommand: [--token, '${X}']",
            "#!/bin/sh\nshift; \"$$@\"\n",
        ),
        ("/run.sh", "command: [sh, -c, 'sh /run.sh \"$$NAME\"']", "$$1\n"),
        (
            "/run.sh",
            "healthcheck: { test: 'sh /run.sh \"$$NAME\"' }",
            "sh -c \"$$1\"\n",
        ),
        (
            "/run.py",
            "command: [python3, /run.py, --token, '${X}']",
            "import os, sys\nos.system(sys.argv[2])\n",
        ),
        (
            "/run.js",
            "command: [node, /run.js, --token, '${X}']",
            "require('child_process').execSync(process.argv[3])\n",
        ),
        (
            "/run.pl",
            "command: [perl, /run.pl, --token, '${X}']",
            "#!/usr/bin/perl\nsystem(pop);\n",
        ),
        (
            "/run.fish",
            "command: [/run.fish, --token, '${X}']",
            "#!/usr/bin/fish\neval $$argv[2]\n",
        ),
        (
            "/run.lua",
            "command: [lua, /run.lua, --token, '${X}']",
            "os.execute(arg[2])\n",
        ),
        // Languages that are not read, and commands in settings.
        (
            "/run.lua",
            "command: [lua, /run.lua]",
            "os.execute(os.getenv('NAME'))\n",
        ),
        (
            "/a.txt",
            "command: [awk, -f, /a.txt]",
            "BEGIN { system(ENVIRON[\"NAME\"]) }\n",
        ),
        (
            "/Makefile",
            "command: [make, -C, /]",
            "all:\n\tsh -c '$$(NAME)'\n",
        ),
        (
            "/s.conf",
            "command: [supervisord, -c, /s.conf]",
            "[program:a]\ncommand=sh -c \"%(ENV_NAME)s\"\n",
        ),
        (
            "/t.conf",
            "command: [telegraf, --config, /t.conf]",
            "[[inputs.exec]]\ncommands = [\"$${NAME}\"]\n",
        ),
        // A shell that may start the config by another word than its path.
        (
            "/app/run.py",
            "command: [sh, -c, 'python3 /app/run.py; cd /app; sh ru*']",
            "x = 1\n$$NAME\n",
        ),
        (
            "/app/run.py",
            "command: [sh, -c, 'python3 /app/run.py; ls /app | xargs sh']",
            "x = 1\n$$NAME\n",
        ),
        (
            "/app/run.py",
            "command: [sh, -c, 'python3 /app/run.py; f=run; sh /app/$$f.py']",
            "x = 1\n$$NAME\n",
        ),
        // What a value names is loaded or run.
        (
            "/app/run.py",
            "command: [python3, /app/run.py]",
            "import os, uvicorn\nuvicorn.run(os.environ['NAME'])\n",
        ),
        (
            "/app/run.py",
            "command: [python3, /app/run.py]",
            "import os, torch\ntorch.hub.load(os.environ['NAME'], 'm')\n",
        ),
        (
            "/app/run.js",
            "command: [node, /app/run.js]",
            "require('module').createRequire(process.env.NAME)('x')\n",
        ),
    ] {
        is_unmeasured(&with_config(target, lines, content), "configs.a.content");
    }
    for (target, lines, content) in [
        (
            "/run.sh",
            "entrypoint: [/run.sh]\ncommand: [redis-server, --requirepass, '${X}']",
            "#!/bin/sh\nset -e\necho \"starting $$1\"\nexec \"$$@\"\n",
        ),
        ("/run.sh", "command: [sh, /run.sh, a]", "eval \"$$1\"\n"),
        (
            "/run.py",
            "command: [python3, /run.py, --token, '${X}']",
            "import sys\nprint(sys.argv[2])\n",
        ),
        (
            "/s.conf",
            "command: [supervisord, -c, /s.conf]",
            "[program:a]\ncommand=/usr/bin/app\nnumprocs=%(ENV_NAME)s\n",
        ),
        (
            "/app/run.py",
            "command: [python3, /app/run.py]",
            "import os\nfrom flask import Flask\napp = Flask(__name__)\napp.run(port=int(os.environ['NAME']))\n",
        ),
        (
            "/run.sh",
            "entrypoint: [sh, /run.sh]\ncommand: [node, a.js, --port, '${X}']",
            "set -e\necho \"$$NAME\" > /run/key\nexec \"$$@\"\n",
        ),
    ] {
        is_fixed(&with_config(target, lines, content));
    }
}

/// A container that mounts a config may start it by a name that nobody spells.
#[test]
fn t66_a_config_is_handed_what_its_container_is() {
    for (start, target, content) in [
        (
            "entrypoint: [python, -m, main, --token, '${X}']",
            "/app/main.py",
            "import os, sys\nos.system(sys.argv[2])\n",
        ),
        (
            "entrypoint: [node, /app/main, --token, '${X}']",
            "/app/main.js",
            "require('child_process').exec(process.argv[3])\n",
        ),
        (
            "entrypoint: [app]\n    healthcheck: { test: [CMD, python, -m, main, --token, '${X}'] }",
            "/app/main.py",
            "import os, sys\nos.system(sys.argv[2])\n",
        ),
    ] {
        let text = format!(
            "services:\n  web:\n    image: {PINNED}\n    {start}\n    configs: [{{ source: m, target: {target} }}]\nconfigs:\n  m:\n    content: {}\n",
            json!(content)
        );
        decides(
            &running_with(&text, &json!({ "allowed_envs": ["X"] })),
            "unmeasured-input",
            "configs.m.content",
        );
    }
}
