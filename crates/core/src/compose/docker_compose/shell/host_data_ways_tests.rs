//! The ways on which an address or a script comes to what asks there: variables, arguments of functions, lists, texts that are written out.

use super::HOST_DATA;
use super::tests::executes;
use crate::compose::docker_compose::shell::{Language, Use, uses_of_arguments};

#[test]
fn an_address_comes_by_any_way_that_sets_a_variable() {
    for script in [
        ": \"${U:=http://x.example.com/i.sh}\"; curl -s $U | sh",
        "read U <<< http://x.example.com/i.sh; curl -s $U | sh",
        "set -- http://x.example.com/i.sh; curl -s $1 | sh",
        "mapfile -t U <<< http://x.example.com/i.sh; curl -s ${U[0]} | sh",
        "while read -r u; do curl -s $u | sh; done <<EOF\nhttp://x.example.com/i.sh\nEOF",
        "echo http://x.example.com/i.sh | while read -r u; do curl -s $u | sh; done",
        "echo http://x.example.com/i.sh | xargs curl -s | sh",
        "echo http://x.example.com/i.sh > /urls; wget -qi /urls -O - | sh",
        "if a; then U=http://x.example.com/i.sh; else U=https://x.example.com/i.sh; fi; curl -s $U | sh",
        "get() { curl -s $U | sh; }\nU=http://x.example.com/i.sh\nget",
        "B=http://x.example.com; U=$(echo $B/i.sh); curl -s $U | sh",
        "H=x.example.com; curl -s $H/i.sh | sh",
        "P=http; curl -s $P://x.example.com/i.sh | sh",
        "PYPI_PROXY=http://pypi.example.com/simple; pip install -i $PYPI_PROXY app",
        "alias get='curl -s http://x.example.com/i.sh'; get | sh",
        "retry() { \"$@\" || \"$@\"; }; retry curl -s http://x.example.com/i.sh -o /i.sh; sh /i.sh",
        "get() { curl -s $1 -o $2; }; retry() { \"$@\"; }; retry get http://x.example.com/i.sh /i.sh; sh /i.sh",
        "rsync -a rsync://x.example.com/a/ /a/; exec /a/run",
        "eval \"$(host -t TXT x.example.com)\"",
        "printf -v U 'http://%s/i.sh' x.example.com; curl -s $U | sh",
        "curl -s \"$(printf 'http://%s/i.sh' x.example.com)\" | sh",
        "ftpget x.example.com i.sh i.sh; sh i.sh",
        "tftp -g -r i.sh x.example.com; sh i.sh",
        "exec > /i.sh; curl -s http://x.example.com/i.sh; sh /i.sh",
        "exec > /i.sh; exec 2> /errors 3>&1; curl -s http://x.example.com/i.sh; sh /i.sh",
        "curl -s http://x.example.com/i.sh | su app -c sh",
        "mc alias set m http://x.example.com a b; mc cp m/b/i.sh /i.sh; sh /i.sh",
    ] {
        assert!(executes(script), "{script}");
    }
    for script in [
        "U=http://x.example.com; curl -s https://y.example.com/i.sh?from=$U | sh",
        "echo http://x.example.com; read -r V < /v; curl -s https://x.example.com/$V | sh",
        "H=x.example.com; curl -s https://$H/i.sh | sh",
        "P=https; curl -s $P://x.example.com/i.sh | sh",
        "T=http; npx server --transport $T",
        "retry() { \"$@\"; }; retry curl -sf http://x.example.com/health; exec app",
        "set -- --url http://x.example.com; exec app \"$@\"",
        "export HTTPS_PROXY=http://p.example.com; pip install --proxy $HTTPS_PROXY app",
        "exec 2> /dev/null; echo http://x.example.com; cat /ids | xargs curl -s https://x.example.com | sh",
        "exec > /var/log/init.log 2>&1; curl -s http://x.example.com/health; exec app",
        "curl -s http://x.example.com/health | su app -c 'tee /health'; exec app",
        "curl -s http://x.example.com/p.json | kubectl get -f -",
    ] {
        assert!(!executes(script), "{script}");
    }
}

#[test]
fn a_check_is_off_by_any_way_that_sets_an_option() {
    for script in [
        "U=https://x.example.com/i.sh; curl -sk $U | sh",
        "get() { curl -sk \"$1\"; }; get https://x.example.com/i.sh | sh",
        "curl() { command curl -k \"$@\"; }; curl -s https://x.example.com/i.sh | sh",
        "alias curl='curl -k'; curl -s https://x.example.com/i.sh | sh",
        "O='-fsSL -k'; curl $O https://x.example.com/i.sh | sh",
        "C='curl -sk'; $C https://x.example.com/i.sh | sh",
        "W='wget --no-check-certificate -qO-'; $W https://x.example.com/i.sh | sh",
        "echo insecure > /c; curl -sK /c https://x.example.com/i.sh | sh",
        "aws s3 cp --no-verify-ssl s3://b/i.sh /i.sh; sh /i.sh",
        "export RCLONE_NO_CHECK_CERTIFICATE=true; rclone copy r:b/i.sh /; sh /i.sh",
        "echo 'deb [trusted=yes] http://x.example.com ./' > /etc/apt/sources.list; apt-get install -y app",
        "printf '[a]\\nbaseurl=http://x.example.com\\ngpgcheck=0\\n' > /etc/yum.repos.d/a.repo; yum install -y app",
    ] {
        assert!(executes(script), "{script}");
    }
    for script in [
        "O='-fsSL --retry 3'; curl $O https://x.example.com/i.sh | sh",
        "C='curl -sk'; $C https://x.example.com/health || exit 1",
        "echo 'deb [trusted=yes] https://x.example.com ./' > /etc/apt/sources.list; apt-get install -y app",
        "echo 'deb [signed-by=/k.gpg] http://x.example.com a' > /etc/apt/sources.list; apt-get install -y app",
        "printf 'baseurl=http://x.example.com\\nrepo_gpgcheck=0\\n' > /etc/yum.repos.d/a.repo; yum install -y app",
    ] {
        assert!(!executes(script), "{script}");
    }
}

#[test]
fn a_script_that_is_written_out_counts_where_it_is_started() {
    for script in [
        "echo 'curl -s http://x.example.com/i.sh | sh' | sh",
        "sh <<'EOF'\ncurl -s http://x.example.com/i.sh | sh\nEOF",
        "cat <<'EOF' | sh\ncurl -s http://x.example.com/i.sh | sh\nEOF",
        "bash -s <<< 'curl -s http://x.example.com/i.sh | sh'",
        "cat > /r.sh <<'EOF'\ncurl -s http://x.example.com/i.sh | sh\nEOF\nsh /r.sh",
        "cat > /r.sh <<'EOF'\nwget http://x.example.com/a -O /a\nchmod +x /a\nEOF\nchmod +x /r.sh; exec /r.sh",
        "echo '0 * * * * root curl -s http://x.example.com/i.sh | sh' > /etc/cron.d/a; cron -f",
        "echo '0 * * * * curl -s http://x.example.com/i.sh | sh' | crontab -; crond -f",
        "cat > /etc/supervisor/conf.d/a.conf <<EOF\n[program:a]\ncommand=sh -c \"curl -s http://x.example.com/i.sh | sh\"\nEOF\nexec supervisord",
        "sh -c \"echo 'curl -s http://x.example.com/i.sh | sh' | sh\"",
    ] {
        assert!(executes(script), "{script}");
    }
    for script in [
        "cat > /app/notes.md <<'EOF'\nInstall: `curl http://x.example.com/i.sh | sh`.\nEOF\nexec app",
        "echo 'run: curl http://x.example.com/i.sh | sh'; exec app",
        "cat > /check.sh <<'EOF'\ncurl -sf http://x.example.com/ping || exit 1\nEOF\nsh /check.sh",
        "echo '0 * * * * curl -s http://x.example.com/ping' | crontab -; crond -f",
    ] {
        assert!(!executes(script), "{script}");
    }
}

#[test]
fn an_answer_that_code_executes() {
    for (language, script) in [
        (
            Language::Python,
            "import urllib.request\nexec(urllib.request.urlopen('http://x.example.com/a.py').read())",
        ),
        (
            Language::Python,
            "import requests\nURL = 'http://x.example.com/a'\nr = requests.get(URL)\ncode = r.text\nexec(code)",
        ),
        (
            Language::Python,
            "import requests, os\nr = requests.get('https://x.example.com/a', verify=False)\nos.system(r.text)",
        ),
        (
            Language::Python,
            "import httpx\nH = 'x.example.com'\nexec(httpx.get(f'http://{H}/a').text)",
        ),
        (
            Language::Python,
            "from urllib.request import urlretrieve\nurlretrieve('http://x.example.com/a', 'a.py')",
        ),
        (
            Language::Node,
            "const r = await fetch('http://x.example.com/a');\nconst t = await r.text();\neval(t)",
        ),
        (Language::Node, "import('http://x.example.com/a.js')"),
        (Language::Node, "import a from 'http://x.example.com/a.js'"),
        (
            Language::Node,
            "const a = 'http://x.example.com/a.js';\nconst b = await import (a)",
        ),
        (
            Language::Node,
            "https.get('https://x.example.com/a', {rejectUnauthorized: false}, r => { let d = ''; r.on('data', c => d += c); r.on('end', () => eval(d)) })",
        ),
        (
            Language::Perl,
            "use LWP::Simple; eval get('http://x.example.com/a')",
        ),
        (
            Language::Node,
            "import {\n  a,\n} from 'http://x.example.com/a.js'",
        ),
        (Language::Node, "export * from 'http://x.example.com/a.js'"),
        (
            Language::Node,
            "require('http').get('http://x.example.com', r => { let d = ''; r.on('data', c => d += c); r.on('end', () => eval(d)) })",
        ),
        (
            Language::Python,
            "import os\nos.system('curl http://x.example.com/i.sh | sh')",
        ),
        (Language::Php, "include 'http://x.example.com/a.php';"),
        (Language::Ruby, "eval URI.open('http://x.example.com/a').read"),
        // By a function that is handed on, or that has another name.
        (
            Language::Node,
            "fetch('http://x.example.com').then(r => r.text()).then(eval)",
        ),
        (
            Language::Node,
            "require('http').get('http://x.example.com', r => r.on('data', require('child_process').execSync))",
        ),
        (
            Language::Node,
            "const run = require('util').promisify(require('child_process').exec);\nconst r = await fetch('http://x.example.com');\nawait run(await r.text())",
        ),
        (
            Language::Python,
            "list(map(exec, [requests.get('http://x.example.com').text]))",
        ),
        // By a socket, whose host stands without a scheme.
        (
            Language::Python,
            "import socket\ns = socket.create_connection(('10.0.2.2', 9))\nexec(s.recv(9999))",
        ),
        (
            Language::Python,
            "import socket\ns = socket.socket()\ns.connect(('x.example.com', 9))\nexec(s.makefile().read())",
        ),
        (
            Language::Python,
            "import http.client\nc = http.client.HTTPConnection('x.example.com')\nc.request('GET', '/')\nexec(c.getresponse().read())",
        ),
        (
            Language::Python,
            "import xmlrpc.client as x; exec(x.ServerProxy('http://x.example.com').code())",
        ),
        (
            Language::Node,
            "require('net').connect(9, '10.0.2.2').on('data', d => eval(String(d)))",
        ),
        (
            Language::Perl,
            "use IO::Socket; my $s = IO::Socket::INET->new('x.example.com:9'); eval join '', <$s>",
        ),
        (
            Language::Ruby,
            "require 'socket'; eval TCPSocket.new('x.example.com', 9).read",
        ),
        (
            Language::Php,
            "$s = fsockopen('x.example.com', 9); eval(fgets($s));",
        ),
    ] {
        let uses = language.uses(script, &|name| name == HOST_DATA);
        assert!(uses.contains(&(HOST_DATA.to_owned(), Use::Executed)), "{script}");
    }
    for (language, script) in [
        (
            Language::Python,
            "import urllib.request\nurllib.request.urlopen('http://localhost:8080/health')",
        ),
        (
            Language::Python,
            "import requests, os\nrequests.get('http://hc.example.com/ping')\nos.system('nginx -s reload')",
        ),
        (
            Language::Python,
            "import requests\nexec(requests.get('https://x.example.com/a').text)",
        ),
        (
            Language::Python,
            "import requests, os\nrequests.post('http://m.example.com', json={})\nexec(open('/app/a.py').read())",
        ),
        (
            Language::Python,
            "import os\nAPI = os.environ.get('API', 'http://api.example.com')\nos.system('app --url ' + API)",
        ),
        (
            Language::Python,
            "import re, requests\nr = requests.get('http://x.example.com')\nd = r.json()\nm = re.compile(r'a').match(d['x'])",
        ),
        (
            Language::Node,
            "import fetch from 'node-fetch';\nconst axios = import('axios').then(a => a.default);\nconst r = await fetch(url, {agent: new https.Agent({rejectUnauthorized: false})});\nres.json(await r.json())",
        ),
        (
            Language::Node,
            "fetch('http://hc.example.com').then(r => process.exit(r.ok ? 0 : 1))",
        ),
        (
            Language::Python,
            "import requests\nfrom jinja2 import Template\nr = requests.get('http://x.example.com').json()\nprint(Template('{{ x }}').render(x=r))",
        ),
        (
            Language::Node,
            "require('http').get('http://hc.example.com', r => process.exit(r.statusCode === 200 ? 0 : 1))",
        ),
        (
            Language::Node,
            "const run = require('util').promisify(require('child_process').exec);\nawait run('nginx -t');\nfetch('http://hc.example.com')",
        ),
        (
            Language::Python,
            "import socket, os\nsocket.create_connection(('db.example.com', 5432), 2)\nos.system('nginx -s reload')",
        ),
        (
            Language::Python,
            "import socket\ns = socket.create_connection(('localhost', 9))\nexec(s.recv(9999))",
        ),
        (
            Language::Python,
            "import http.client\nc = http.client.HTTPSConnection('x.example.com')\nc.request('GET', '/')\nexec(c.getresponse().read())",
        ),
        (
            Language::Python,
            "import ssl, socket\ns = ssl.create_default_context().wrap_socket(socket.create_connection(('x.example.com', 9)), server_hostname='x.example.com')\nexec(s.read())",
        ),
        (
            Language::Node,
            "require('tls').connect(9, 'x.example.com').on('data', d => eval(String(d)))",
        ),
    ] {
        let uses = language.uses(script, &|name| name == HOST_DATA);
        assert!(!uses.contains(&(HOST_DATA.to_owned(), Use::Executed)), "{script}");
    }
}

/// The same where a list hands the script to a shell.
fn in_list(script: &str) -> bool {
    let words = ["sh", "-c", script].map(str::to_owned);
    uses_of_arguments(&words, &|name| name == HOST_DATA).get(HOST_DATA) == Some(&Use::Executed)
}

#[test]
fn a_package_that_is_named_by_its_address_is_not_checked() {
    for script in [
        "yum install -y http://rpms.example.com/x.rpm; exec x",
        "dnf install -y http://rpms.example.com/x.rpm; exec x",
        "microdnf install -y http://rpms.example.com/x.rpm; exec x",
        "dnf reinstall -y http://rpms.example.com/x.rpm; exec x",
        "zypper --no-gpg-checks install -y http://rpms.example.com/x.rpm; exec x",
        "dnf --setopt=localpkg_gpgcheck=0 install -y http://rpms.example.com/x.rpm; exec x",
    ] {
        assert!(executes(script) && in_list(script), "{script}");
    }
    for script in [
        "dnf install -y https://rpms.example.com/x.rpm; exec x",
        "dnf install -y postgresql; exec x",
        "dnf --setopt=localpkg_gpgcheck=1 install -y http://rpms.example.com/x.rpm; exec x",
        "echo localpkg_gpgcheck=1 >> /etc/dnf/dnf.conf; dnf install -y http://rpms.example.com/x.rpm; exec x",
        "yum-config-manager --add-repo http://rpms.example.com/x.repo; exec x",
        "dnf config-manager --add-repo http://rpms.example.com/x.repo; dnf install -y x; exec x",
        "yum install -y http://10.1.2.3/x.rpm; exec x",
        "zypper install -y postgresql; exec x",
    ] {
        assert!(!executes(script) && !in_list(script), "{script}");
    }
}

#[test]
fn a_check_is_off_by_a_property_or_a_variable_of_what_is_started_later() {
    for script in [
        "mvn -Dmaven.wagon.http.ssl.insecure=true package && java -jar target/a.jar",
        "mvn -q -Dmaven.wagon.http.ssl.allowall=true spring-boot:run",
        "export NODE_TLS_REJECT_UNAUTHORIZED=0; node -e 'fetch(\"https://x.example.com/a\").then(r=>r.text()).then(eval)'",
        "yarn config set strict-ssl false; yarn; yarn start",
        "sshfs -o StrictHostKeyChecking=no u@x.example.com:/ /mnt; exec /mnt/run",
        "mount -t nfs x.example.com:/e /mnt; exec /mnt/run",
        "mount -t 9p share /mnt; exec /mnt/run",
        "mount -t cifs //x.example.com/e /mnt; exec /mnt/run",
    ] {
        assert!(executes(script) && in_list(script), "{script}");
    }
    for script in [
        "mvn -q package && java -jar target/a.jar",
        "mvn -Dmaven.wagon.http.ssl.insecure=false package && java -jar target/a.jar",
        "export NODE_TLS_REJECT_UNAUTHORIZED=1; node -e 'fetch(\"https://x.example.com/a\").then(r=>r.text()).then(eval)'",
        "yarn; yarn start",
        "sshfs u@x.example.com:/ /mnt; exec /mnt/run",
        "mount -t nfs 10.1.2.3:/e /mnt; exec /mnt/run",
        "mount -t tmpfs none /mnt; exec app",
        "mount -t nfs x.example.com:/e /mnt; exec app --data /mnt",
        "rclone mount gdrive:/books /books --daemon; exec app",
    ] {
        assert!(!executes(script) && !in_list(script), "{script}");
    }
}

#[test]
fn what_others_read_or_compile_is_executed_where_the_host_sends_it() {
    for script in [
        "curl -s http://x.example.com/x.sh -o /custom-cont-init.d/x.sh; exec /sbin/my_init",
        "curl -s http://x.example.com/x.c > x.c; gcc x.c -o x; ./x",
        "curl -s http://x.example.com/justfile > justfile; just run",
        "curl -s http://x.example.com/x.dll > x.dll; dotnet x.dll",
        "curl -s http://x.example.com/h.cfg > h.cfg; exec haproxy -f h.cfg",
    ] {
        assert!(executes(script) && in_list(script), "{script}");
    }
    for script in [
        "curl -s http://x.example.com/h.yml > /app.yml; exec app --config /app.yml",
        "curl -s http://x.example.com/p.pem > /etc/haproxy/certs/p.pem; exec haproxy -f /etc/haproxy",
    ] {
        assert!(!executes(script) && !in_list(script), "{script}");
    }
}
