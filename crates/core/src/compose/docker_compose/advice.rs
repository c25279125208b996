//! What to write instead of a variable that decides code, by where it stands and why.

use super::place::shown;
use super::variables::Template;

/// What is said of a script, in any language, that executes what the host can change.
pub(super) const EXECUTES_HOST_DATA: &str = "it may execute what the host can change: an answer that nothing authenticates (plain HTTP, a \
    certificate that is not checked, an SSH key that is taken as it comes, an answer of a resolver), or a table of the firmware: use \
    `https://` and check who answers, or put the code into the image";

/// Programs that read from their environment what teams hand them as arguments: a word of the command, and the names.
const READ_THEIR_ENVIRONMENT: [(&str, &str); 15] = [
    (
        "celery",
        "Celery reads CELERY_BROKER_URL and CELERY_RESULT_BACKEND, flower FLOWER_BASIC_AUTH and FLOWER_PORT",
    ),
    ("cloudflared", "cloudflared reads TUNNEL_TOKEN"),
    (
        "dotnet",
        "ASP.NET reads ASPNETCORE_URLS and ASPNETCORE_HTTP_PORTS",
    ),
    ("gunicorn", "gunicorn reads WEB_CONCURRENCY and PORT"),
    ("k3s", "k3s reads K3S_NODE_NAME and K3S_TOKEN"),
    ("minio", "MinIO reads MINIO_ROOT_USER and MINIO_ROOT_PASSWORD"),
    ("ngrok", "ngrok reads NGROK_AUTHTOKEN"),
    ("op-node", "op-node reads OP_NODE_L1_ETH_RPC and the like"),
    ("start-notebook.sh", "Jupyter reads JUPYTER_TOKEN"),
    ("tailscaled", "containerboot reads TS_AUTHKEY"),
    (
        "traefik",
        "traefik reads TRAEFIK_CERTIFICATESRESOLVERS_LE_ACME_EMAIL and the like",
    ),
    ("tunnel", "cloudflared reads TUNNEL_TOKEN"),
    (
        "uvicorn",
        "uvicorn reads UVICORN_HOST, UVICORN_PORT and UVICORN_WORKERS",
    ),
    ("vllm", "vLLM reads VLLM_API_KEY"),
    ("vllm.entrypoints.openai.api_server", "vLLM reads VLLM_API_KEY"),
];
/// The longest list that a sentence writes out, in bytes.
const MAX_LIST: usize = 240;

/// A text of words in the form of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ListForm {
    /// As JSON: no item of it decides code.
    Accepted(String),
    /// So, where the program is named before it.
    BehindEntrypoint(String),
    /// An item of it decides code.
    Refused,
}

/// Why a variable decides code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExecutionCause<'c> {
    /// A shell reads the text.
    Script,
    /// Docker Compose splits the text into words after it substitutes.
    SplitText(&'c ListForm),
    /// A program reads the text as a file.
    File,
    /// It names the program.
    Program,
    /// What the entrypoint of the image does with it is not known.
    EntrypointOfImage,
    /// The program of this name may execute it.
    ExecutedBy(&'c str),
    /// The program of this name may, or the entrypoint of the image takes the name as a subcommand.
    SubcommandOrProgram(&'c str),
    /// The program of this name is not known to take it as data.
    NotKnownAsData(&'c str),
    /// Beside it stands what a shell may replace.
    Mixed,
}

impl ExecutionCause<'_> {
    /// What to write instead of the variable of a text.
    pub(super) fn advice(self, text: &str) -> String {
        let name = Template::read(text).ok();
        let name = name.and_then(|template| template.names().into_iter().next().map(shown));
        let Some(name) = name else {
            return "write the value".to_owned();
        };
        match self {
            Self::Script => {
                format!("write the value, or `$${name}` if the container's own environment has it")
            }
            Self::SplitText(form) => split_text(form, text),
            Self::File => format!(
                "write the value; or set {name} in `environment` and name it as the program that reads the file does (`{{$${name}}}` in \
                 a Caddyfile, `$${{{name}}}` in a template of nginx's image), or have a script write the file: `cat > FILE <<EOF`, the \
                 text with `$${name}`, `EOF`, `exec PROGRAM`"
            ),
            Self::Program => "it names the program: write the value".to_owned(),
            Self::EntrypointOfImage => format!(
                "the image's own entrypoint is given it and may execute it: write that entrypoint into `entrypoint` \
                 (`docker image inspect` shows it) or write the value{}",
                known(text)
            ),
            Self::ExecutedBy(program) => format!("`{}` may execute it: write the value", shown(program)),
            Self::SubcommandOrProgram(program) => format!(
                "`{0}` may execute it: write the value; or, if the image's own entrypoint takes `{0}` as a subcommand, write that entrypoint \
                 into `entrypoint` (`docker image inspect` shows it)",
                shown(program)
            ),
            Self::NotKnownAsData(program) => format!(
                "`{}` is not known to take it as data, so it may execute it: write the value, pass it as the value of an option that is named \
                 for data (`--port`, `--token`), or set {name} in `environment` and have the program read it there{}",
                shown(program),
                known(text)
            ),
            Self::Mixed => "write the value".to_owned(),
        }
    }
}

/// What a program reads from its environment instead, where a word of the text names one that is known.
fn known(text: &str) -> String {
    let mut words = text.split(|c: char| c.is_whitespace() || "[],'\"/".contains(c));
    let known = words.find_map(|word| {
        READ_THEIR_ENVIRONMENT
            .iter()
            .find(|(program, _)| word == *program)
    });
    known.map(|(_, reads)| format!(" ({reads})")).unwrap_or_default()
}

fn split_text(form: &ListForm, text: &str) -> String {
    let known = known(text);
    let list = |items: &str| match items.len() <= MAX_LIST {
        true => format!("`{items}`"),
        false => "one item an argument".to_owned(),
    };
    match form {
        ListForm::Accepted(items) => format!(
            "in a text the value may hold further words: write a list, {}{known}",
            list(items)
        ),
        ListForm::BehindEntrypoint(items) => format!(
            "in a text the value may hold further words: write a list, {}, behind the image's own entrypoint, written into `entrypoint` \
             (`docker image inspect` shows it){known}",
            list(items)
        ),
        ListForm::Refused => format!("write the value{known}"),
    }
}
