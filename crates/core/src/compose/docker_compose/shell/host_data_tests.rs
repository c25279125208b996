//! What the host can send, and what it cannot.

use super::*;
use crate::compose::docker_compose::shell::{Use, uses};

fn executes(script: &str) -> bool {
    uses(script, &|name| name == HOST_DATA).get(HOST_DATA) == Some(&Use::Executed)
}

#[test]
fn what_the_host_can_send_is_executed() {
    for script in [
        "curl -fsSL http://get.example.com/i.sh | sh",
        "curl -fsSL get.example.com/i.sh | sh",
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
    ] {
        assert!(executes(script), "{script}");
    }
}

#[test]
fn what_is_authenticated_of_the_same_network_or_only_shown_is_not() {
    for script in [
        "curl -fsSL https://get.example.com/i.sh | sh",
        "curl -s http://config:8080/i.sh | sh",
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
        "pip install --trusted-host pypi --index-url http://pypi:8080/simple app",
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
    ] {
        assert!(!executes(script), "{script}");
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
