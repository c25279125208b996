use super::*;

fn of(language: Language, script: &str) -> Option<Use> {
    let uses = language.uses(script, &|name| matches!(name, "X" | "PORT"));
    uses.into_iter().map(|(_, how)| how).max()
}

#[test]
fn a_copy_of_the_environment_is_executed_as_the_environment() {
    for (language, script) in [
        (
            Language::Python,
            "import os\nd=dict(os.environ)\nos.system(d[\"X\"])",
        ),
        (
            Language::Python,
            "import os, subprocess\nsettings=os.environ.copy()\nsubprocess.run(settings[\"X\"],shell=True)",
        ),
        (
            Language::Python,
            "import os, subprocess\ne=dict(os.environ)\ne['PYTHONPATH']=e['X']\nsubprocess.run(['app'],env=e)",
        ),
        (
            Language::Node,
            "const e={...process.env};require('child_process').exec(e.X)",
        ),
    ] {
        assert_eq!(of(language, script), Some(Use::Executed), "{script}");
    }
    for (language, script) in [
        (
            Language::Python,
            "import os, subprocess\ne=os.environ.copy()\ne['MODE']='x'\nsubprocess.run(['app', '--port', '1'],env=e)\nprint(e['X'])",
        ),
        (
            Language::Node,
            "const e={...process.env};require('child_process').spawn('app', [], {env: e});console.log(e.X)",
        ),
    ] {
        assert_eq!(of(language, script), Some(Use::Argument), "{script}");
    }
}

#[test]
fn what_a_script_reads_is_an_argument() {
    for (language, script) in [
        (
            Language::Python,
            "import os,socket; socket.create_connection((os.environ['X'],5432),2)",
        ),
        (
            Language::Python,
            "import os, subprocess\ndef a():\n    return subprocess.check_output(['curl', '-s', 'http://localhost/x'])\nb = os.environ['X']\nprint(b, a())",
        ),
        (
            Language::Python,
            "import os\ndef a():\n    os.system('nginx -s reload')\nb = os.environ['X']\nprint(b)",
        ),
        (
            Language::Python,
            "import socket,os\ns=socket.socket()\ns.connect((os.getenv('X','db'),5432))",
        ),
        (
            Language::Python,
            "import uvicorn,os; uvicorn.run('app:app',host='0.0.0.0',port=int(os.environ['PORT']))",
        ),
        (
            Language::Python,
            "from app import app\nimport uvicorn,os\nif __name__ == '__main__':\n  uvicorn.run(app, host='0.0.0.0', port=int(os.environ['PORT']))",
        ),
        (
            Language::Python,
            "import os, discord\nbot = discord.Bot()\nasync def on(m):\n  await m.reply('x')\nbot.run(os.environ['X'])",
        ),
        (
            Language::Node,
            "const {createServer}=require('http');const k=process.env.X;createServer((q,s)=>s.end(k)).listen(process.env.PORT)",
        ),
        (
            Language::Node,
            "const s=require('stripe')(process.env.X);s.charges.list().then(r=>console.log(r))",
        ),
        (
            Language::Python,
            "import os; exec(open('/a.py').read()); print(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os,subprocess; subprocess.run(['app','--port',os.environ['PORT']])",
        ),
        (
            Language::Python,
            "import os,ast; x = ast.literal_eval(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os,subprocess; subprocess.run(['app'], env=os.environ); os.environ['X']",
        ),
        (
            Language::Python,
            "import os\nfrom flask import render_template\nrender_template('a.html', title=os.environ['X'])",
        ),
        (
            Language::Node,
            "app.get('/', (q, s) => s.render('index', { title: process.env.X }))",
        ),
        (Language::Node, "const x=((process.env.X||'a'));fetch(x)"),
        (
            Language::Node,
            "require('http').get({host:process.env.X}, r=>process.exit(r.statusCode==200?0:1))",
        ),
        (Language::Node, "/^a/.exec(process.env.X)"),
        (Language::Ruby, "require 'socket'; TCPSocket.new((ENV['X']),5432)"),
        (Language::Php, "exit((int)!fsockopen((getenv('X')),5432));"),
        (
            Language::Perl,
            "use IO::Socket; IO::Socket::INET->new(PeerAddr=>$ENV{X}) or exit 1",
        ),
    ] {
        assert_eq!(of(language, script), Some(Use::Argument), "{script}");
    }
    // The script has a variable of the same name.
    let own = "PORT = 8000\nHTTPServer(('0.0.0.0', PORT), H).serve_forever()";
    assert_eq!(of(Language::Python, own), None);
}

#[test]
fn what_a_script_executes_is_executed() {
    for (language, script) in [
        (Language::Python, "import os; os.system(os.environ['X'])"),
        (Language::Python, "import os\nos.system(\n  os.environ['X']\n)"),
        (Language::Python, "import os; exec(os.environ['X'])"),
        (
            Language::Python,
            "import os\nopen('/tmp/a', 'w').write(os.environ['X'])\nos.system('sh /tmp/a')",
        ),
        (
            Language::Python,
            "import os, subprocess\nsubprocess.run(['sh'], input=os.environ['X'])",
        ),
        (
            Language::Python,
            "import os, subprocess\ndef a():\n    subprocess.run(['sh', '-c', 'eval $X'])\nb = os.environ['X']",
        ),
        (
            Language::Node,
            "const c = require('child_process');\nrequire('fs').writeFileSync('/a', process.env.X);\nc.execSync('sh /a')",
        ),
        (
            Language::Python,
            "import os; c = os.getenv('X'); d = c + ' '; os.popen(d)",
        ),
        (
            Language::Python,
            "import os,subprocess; subprocess.run(os.environ['X'], shell=True)",
        ),
        (
            Language::Python,
            "import os,subprocess; subprocess.run([os.environ['X']])",
        ),
        (
            Language::Python,
            "import os,subprocess; subprocess.Popen(['sh','-c',os.environ['X']])",
        ),
        (Language::Python, "import os; os.execvp(os.environ['X'], ['a'])"),
        (Language::Python, "import os; os.system('$X')"),
        (
            Language::Python,
            "import os\ndef f(c):\n  os.system(c)\nf(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os\nfor k, v in os.environ.items():\n  os.system(v)\nos.environ['X']",
        ),
        (
            Language::Python,
            "import os,sys; sys.path.insert(0, os.environ['X'])",
        ),
        (Language::Python, "import os; __import__(os.environ['X'])"),
        (Language::Node, "eval(process.env.X)"),
        (Language::Node, "require('child_process').execSync(process.env.X)"),
        (
            Language::Node,
            "const {execSync}=require('child_process'); const c=`a ${process.env.X}`; execSync(c)",
        ),
        (Language::Node, "require('child_process').spawn(process.env.X)"),
        (Language::Node, "require(process.env.X)"),
        (Language::Node, "new Function(process.env['X'])()"),
        (Language::Ruby, "system(ENV['X'])"),
        (Language::Ruby, "eval ENV.fetch('X')"),
        (Language::Ruby, "`#{ENV['X']}`"),
        (Language::Perl, "system($ENV{X})"),
        (Language::Perl, "eval $ENV{X}"),
        (Language::Php, "eval(getenv('X'));"),
        (Language::Php, "$c = getenv('X'); system($c);"),
        (Language::Php, "include $_ENV['X'];"),
        (Language::Python, "$X"),
        (Language::Python, "import os; c = '$X'; os.system(c)"),
        (
            Language::Python,
            "import os\nc = 'run $X'\nd = [c]\nos.popen(d[0])",
        ),
        (
            Language::Python,
            "from os import system as s, environ as e; s(e['X'])",
        ),
        (Language::Python, "import os; r = os.system\nr(os.environ['X'])"),
        (
            Language::Python,
            "import os; list(map(os.system, [os.environ['X']]))",
        ),
        (
            Language::Python,
            "import os; open('/run.sh','w').write(os.environ['X']); os.system('sh /run.sh')",
        ),
        (
            Language::Python,
            "import os,subprocess\nopen('/run.sh','w').write(os.environ['X'])\nsubprocess.run(['/run.sh'])",
        ),
        (
            Language::Python,
            "import os,subprocess\nos.environ['LD_PRELOAD'] = os.environ['X']\nsubprocess.run(['app'])",
        ),
        (
            Language::Python,
            "import os,subprocess; subprocess.run(['pip','install',os.environ['X']])",
        ),
        (
            Language::Python,
            "import os,subprocess; subprocess.run(['curl','-o','/app/x',os.environ['X']])",
        ),
        (Language::Python, "import os,yaml; yaml.load(os.environ['X'])"),
        (
            Language::Node,
            "const r = require('child_process').execSync;\nr(process.env.X)",
        ),
        (
            Language::Node,
            "import {exec as r} from 'child_process';\nr(process.env.X)",
        ),
        (
            Language::Node,
            "require('fs').writeFileSync('/a.sh', process.env.X); require('child_process').spawnSync('/a.sh')",
        ),
        (Language::Perl, "my $c = $ENV{X}; system($c)"),
        (
            Language::Python,
            "import os,uvicorn; uvicorn.run(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os,torch\nr = os.environ['X']\ntorch.hub.load(r, 'm')",
        ),
        (
            Language::Python,
            "import os,torch\ndef f(r):\n  return torch.hub.load(r, 'm')\nf(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os; from transformers import AutoModel; AutoModel.from_pretrained(os.environ['X'], trust_remote_code=True)",
        ),
        (
            Language::Python,
            "import os, subprocess; subprocess.run(['vllm', 'serve', os.environ['X'], '--trust-remote-code'])",
        ),
        (
            Language::Python,
            "import os; from git import Repo; Repo.clone_from(os.environ['X'], '/app')",
        ),
        (
            Language::Python,
            "import os, pip; pip.main(['install', os.environ['X']])",
        ),
        (
            Language::Python,
            "import os,code; code.InteractiveInterpreter().runsource(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os; from invoke import run; run(os.environ['X'])",
        ),
        (Language::Python, "import os,sh; sh.bash('-c', os.environ['X'])"),
        (
            Language::Python,
            "import os; getattr(os, 'sys'+'tem')(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os,numpy; numpy.load(os.environ['X'], allow_pickle=True)",
        ),
        (
            Language::Python,
            "import os,logging.config; logging.config.fileConfig(os.environ['X'])",
        ),
        (
            Language::Python,
            "import os,urllib.request as u; open('/a.py','wb').write(u.urlopen(os.environ['X']).read()); import a",
        ),
        (
            Language::Node,
            "require('module').createRequire(process.env.X)('x')",
        ),
        (
            Language::Node,
            "import {createRequire} from 'node:module'; createRequire(process.env.X)('./a')",
        ),
        (
            Language::Node,
            "new (require('worker_threads').Worker)(process.env.X,{eval:true})",
        ),
        (
            Language::Node,
            "require('cluster').setupPrimary({exec:process.env.X})",
        ),
        (Language::Node, "[].constructor.constructor(process.env.X)()"),
        (Language::Node, "globalThis['ev'+'al'](process.env.X)"),
        (Language::Ruby, "require 'open3'; Open3.pipeline(ENV['X'])"),
        (Language::Ruby, "YAML.unsafe_load(ENV['X'])"),
        (Language::Ruby, "IO.read(ENV['X'])"),
        (Language::Perl, "readpipe($ENV{X})"),
        (Language::Perl, "s/x/$ENV{X}/ee"),
        (Language::Perl, "unshift @INC, $ENV{X}; require Foo"),
        (Language::Perl, "&{$ENV{X}}()"),
        (Language::Php, "$f=getenv('X'); $f('id');"),
        (Language::Php, "usort($a, getenv('X'));"),
    ] {
        assert_eq!(of(language, script), Some(Use::Executed), "{script}");
    }
}

#[test]
fn the_whole_environment_is_every_variable() {
    let script = "import os\nfor k, v in os.environ.items():\n  exec(v)";
    let uses = Language::Python.uses(script, &|_| false);
    assert_eq!(uses, [(EVERY_VARIABLE.to_owned(), Use::Executed)]);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(script in "[a-zX=(){}\\[\\]'\"`$;.\\n é]{0,80}") {
        for language in [Language::Node, Language::Perl, Language::Php, Language::Python, Language::Ruby] {
            let _ = language.uses(&script, &|name| name == "X");
        }
    }
}
