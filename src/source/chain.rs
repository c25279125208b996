//! Nodes of a blockchain, by JSON-RPC over HTTP. Two of different operators are asked the same: what only one of them says is
//! not an answer.
//!
//! An RPC URL often holds a key in its path. It is sent and shown nowhere: messages name host and port alone, and what a node
//! echoes of the URL is blotted out.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::NO_TIME;
use crate::address::{AddressProblem, parse_address};
use crate::net::retry::{Heal as _, Schedule, retry};
use crate::net::{Client, Limits, NetError, operator};
use cvm_verify_core::evidence::{Contracts, RecordedChain, RecordedExchange, RpcFault, RpcOutcome, excerpt};
use cvm_verify_core::verify::chain::{GovernanceSubject, MAX_ROUNDS, Request, outcome, read};

/// Largest answer, in bytes: 1 MiB. `kmsInfo` with a quote has about 12 KiB, a block of Base about 30.
pub const MAX_BYTES: usize = 1024 * 1024;

/// How long one answer may take: 15 s.
const ONE_ANSWER: Duration = Duration::from_secs(15);

/// How long all questions of one app may take: 90 s.
pub(crate) const ALL_ANSWERS: Duration = Duration::from_secs(90);

/// The most characters of a part of a URL that is no secret: `v1`, `rpc`, `mainnet`.
const PLAIN_PART: usize = 8;

/// A node. Neither `Debug` nor any message shows more of its URL than host and port.
#[derive(Clone, PartialEq, Eq)]
pub struct RpcNode {
    url: Url,
    host: String,
}

impl fmt::Debug for RpcNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.host)
    }
}

/// Two nodes of different operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nodes([RpcNode; 2]);

/// Why RPC URLs are refused. Holds nothing of a URL but host and port.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodesError {
    /// One, or more than two.
    #[error(
        "the number of RPC URLs is {0}; give two, of different operators: an answer counts only if both nodes give it"
    )]
    Count(usize),
    /// One that cannot be used.
    #[error("RPC URL {number} {problem} (it is not shown: it may hold a key)")]
    Url {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two of the same operator.
    #[error("{first} and {second} belong to the same operator; give RPC URLs of two different operators")]
    SameOperator {
        /// `host:port` of the first.
        first: String,
        /// `host:port` of the second.
        second: String,
    },
}

impl Nodes {
    /// Reads two URLs: https, or http to loopback, of hosts that are not of one operator.
    ///
    /// # Errors
    /// [`NodesError`].
    pub fn parse<'t>(urls: impl IntoIterator<Item = &'t str>) -> Result<Self, NodesError> {
        let nodes: Vec<RpcNode> = urls
            .into_iter()
            .enumerate()
            .map(|(index, text)| node(index + 1, text))
            .collect::<Result<_, _>>()?;
        let nodes = <[RpcNode; 2]>::try_from(nodes).map_err(|nodes| NodesError::Count(nodes.len()))?;
        let [first, second] = &nodes;
        if operator(&first.url) == operator(&second.url) {
            return Err(NodesError::SameOperator {
                first: first.host.clone(),
                second: second.host.clone(),
            });
        }
        Ok(Self(nodes))
    }

    /// Asks both nodes everything that is to be known of an app's contracts. `earlier` are answers about the same contracts,
    /// which are not asked for again. Nobody is asked after `ends`.
    pub async fn ask(
        &self,
        client: &Client,
        contracts: Contracts,
        subject: &GovernanceSubject,
        earlier: Option<&RecordedChain>,
        ends: Instant,
        mut jitter: impl FnMut() -> u32,
    ) -> RecordedChain {
        let [first, second] = &self.0;
        let mut record = RecordedChain {
            contracts,
            hosts: [first.host.clone(), second.host.clone()],
            exchanges: earlier
                .filter(|earlier| earlier.contracts == contracts)
                .map(|earlier| earlier.exchanges.clone())
                .unwrap_or_default(),
        };
        let mut id = 0;
        for _ in 0..MAX_ROUNDS {
            let open = read(&contracts, subject, &record).1;
            if open.is_empty() {
                break;
            }
            for request in open {
                id += 1;
                let (one, other) = (jitter(), jitter());
                let (first, second) = tokio::join!(
                    first.ask(client, &request, id, ends, one),
                    second.ask(client, &request, id, ends, other)
                );
                record.exchanges.push(RecordedExchange {
                    method: request.method.to_owned(),
                    params: request.params,
                    answers: [first, second],
                });
            }
        }
        record
    }
}

fn node(number: usize, text: &str) -> Result<RpcNode, NodesError> {
    let url = parse_address(text).map_err(|problem| NodesError::Url {
        number,
        problem: match problem {
            AddressProblem::Empty => "is empty; is a variable unset?",
            AddressProblem::WhiteSpace => "contains white space; give each URL separately",
            AddressProblem::NoScheme | AddressProblem::NotAUrl(_) => "is not a URL; write https://…",
            AddressProblem::NotHttps => "is not an https URL",
            AddressProblem::PlainHttp => {
                "is plain http, so that any host on the way could answer; write https://…"
            }
            AddressProblem::Credentials => "holds a user name or a password; use a key in the path instead",
        },
    })?;
    let host = format!(
        "{}:{}",
        url.host_str().unwrap_or_default(),
        url.port_or_known_default().unwrap_or_default()
    );
    Ok(RpcNode { url, host })
}

impl RpcNode {
    async fn ask(
        &self,
        client: &Client,
        request: &Request,
        id: u64,
        ends: Instant,
        jitter: u32,
    ) -> RpcOutcome {
        let body = request.body(id);
        let left = ends.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return RpcOutcome::Problem(format!("{}: {NO_TIME}", self.host));
        }
        let schedule = Schedule {
            total: left,
            one_attempt: ONE_ANSWER,
            ..Schedule::default()
        };
        let answer = retry(
            &schedule,
            || jitter,
            |attempt| {
                let body = body.clone();
                async move {
                    let limits = Limits::body(MAX_BYTES).within(attempt.time_left.min(ONE_ANSWER));
                    let response = client.post_json_and_stay(&self.url, body, &limits).await;
                    response.and_then(crate::net::Response::ok)
                }
            },
        )
        .await;
        match answer {
            Ok(response) => self.named(outcome(id, request.method, &response.body)),
            Err(error) => RpcOutcome::Problem(self.problem(&error)),
        }
    }

    /// With the host in front of a problem, and without anything of the URL that the node echoes.
    fn named(&self, outcome: RpcOutcome) -> RpcOutcome {
        match outcome {
            RpcOutcome::Problem(problem) => RpcOutcome::Problem(format!("{}: {problem}", self.host)),
            RpcOutcome::Error(fault) => RpcOutcome::Error(RpcFault {
                // What is cut first may end within a key.
                message: excerpt(&self.blotted(&fault.message)),
                ..fault
            }),
            // An answer is recorded as it is, or not at all: it cannot be blotted.
            RpcOutcome::Result(value) if self.is_in(&value.to_string()) => {
                RpcOutcome::Problem(format!("{}: its answer repeats a part of the RPC URL", self.host))
            }
            result @ RpcOutcome::Result(_) => result,
        }
    }

    /// The target of a redirect repeats the path, and a key with it.
    fn problem(&self, error: &NetError) -> String {
        let words = match error {
            NetError::Redirect { status, .. } => {
                format!(
                    "{}: redirects (status {status}); redirects are not followed, give the final URL",
                    self.host
                )
            }
            NetError::HttpStatus { status, .. } => {
                let hint = match status {
                    401 | 403 => "; check the key in its RPC URL",
                    429 => "; it limits requests",
                    _ => "",
                };
                format!("{}: answers with status {status}{hint}", self.host)
            }
            other => other.to_string(),
        };
        let retried = if error.may_heal() { ", three times" } else { "" };
        format!("{}{retried}", self.blotted(&words))
    }

    /// Whether a text holds a part of the URL that may be a key, in whatever case.
    fn is_in(&self, text: &str) -> bool {
        self.blotted(text) != text
    }

    /// A text without the parts of the URL that may be a key, in whatever case.
    fn blotted(&self, text: &str) -> String {
        self.secrets().fold(text.to_owned(), |text, secret| {
            let lower = text.to_ascii_lowercase();
            let mut rest = 0;
            let mut blotted = String::new();
            for (at, found) in lower.match_indices(&secret) {
                blotted += &text[rest..at];
                blotted += "<redacted>";
                rest = at + found.len();
            }
            blotted + &text[rest..]
        })
    }

    /// The parts of the path and the query that may be a key, as they are in the URL and decoded, in ASCII lower case.
    fn secrets(&self) -> impl Iterator<Item = String> {
        let path = self.url.path_segments().into_iter().flatten();
        let query = self.url.query().unwrap_or_default().split(['&', '=']);
        let raw = path.chain(query).map(str::to_owned);
        let decoded = self.url.query_pairs().map(|(_, value)| value.into_owned());
        raw.chain(decoded)
            .filter(|part| part.chars().count() > PLAIN_PART)
            .map(|part| part.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_urls_of_different_operators_are_needed() {
        let parse = |urls: &[&str]| Nodes::parse(urls.iter().copied());
        assert!(parse(&["https://mainnet.base.org", "https://base.llamarpc.com/v2/KEY"]).is_ok());
        assert!(parse(&["http://127.0.0.1:1", "http://127.0.0.1:2"]).is_ok());
        assert!(parse(&["https://a.co.uk", "https://b.co.uk"]).is_ok());
        for (urls, words) in [
            (&["https://a.example"][..], "the number of RPC URLs is 1"),
            (
                &["https://a.org", "https://b.org", "https://c.org"],
                "the number of RPC URLs is 3",
            ),
            (
                &["https://one.node.org/v2/hunter2hunter2", "https://two.node.org"],
                "same operator",
            ),
            (&["https://a.abc.io", "https://b.abc.io"], "same operator"),
            (&["https://a.rpc.co.uk", "https://b.rpc.co.uk"], "same operator"),
            (
                &["http://127.0.0.1:1", "http://127.0.0.1:1/other"],
                "same operator",
            ),
            (&["https://a.org", "hunter2hunter2"], "RPC URL 2 is not a URL"),
            (
                &["http://a.org/hunter2hunter2", "https://b.org"],
                "RPC URL 1 is plain http",
            ),
            (
                &["https://u:hunter2hunter2@a.org", "https://b.org"],
                "user name or a password",
            ),
        ] {
            let error = parse(urls).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_a_node_echoes_of_its_url_is_blotted_out() {
        let node = node(1, "https://rpc.example/v2/hunter2hunter2?key=hunter3hunter3").unwrap();
        assert_eq!(format!("{node:?}"), "Node(rpc.example:443)");
        let said = node.named(RpcOutcome::Error(RpcFault {
            code: -32000,
            message: "invalid project hunter2hunter2 or hunter3hunter3".to_owned(),
            has_data: false,
        }));
        assert!(!format!("{said:?}").contains("hunter"), "{said:?}");
        for before in 170..200 {
            let said = node.named(RpcOutcome::Error(RpcFault {
                code: -32000,
                message: format!("{} HUNTER2hunter2", "x".repeat(before)),
                has_data: false,
            }));
            assert!(!format!("{said:?}").contains("HUN"), "{said:?}");
        }
        let echoed = node.named(RpcOutcome::Result("0xHUNTER2hunter2".into()));
        assert!(matches!(echoed, RpcOutcome::Problem(_)), "{echoed:?}");
        let answer = node.named(RpcOutcome::Result("0x01".into()));
        assert_eq!(answer, RpcOutcome::Result("0x01".into()));
        let redirect = NetError::Redirect {
            host: "rpc.example:443".to_owned(),
            status: 308,
            location: "https://rpc.example/v2/hunter2hunter2/".to_owned(),
        };
        assert!(!node.problem(&redirect).contains("hunter"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_none_is_repeated(text in ".{0,40}", key in "[a-z]{12}") {
            drop(Nodes::parse([text.as_str(), "https://b.org"]));
            let url = format!("https://{text}/{key}");
            if let Err(error) = Nodes::parse([url.as_str(), "https://b.org"]) {
                prop_assert!(!error.to_string().contains(&key));
            }
        }
    }
}
