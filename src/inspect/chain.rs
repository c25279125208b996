//! What two nodes of a blockchain answered about the contracts that govern the app.

use serde_json::Value;

use super::page::Page;
use cvm_verify_core::evidence::{RecordedChain, RpcOutcome};
use cvm_verify_core::verify::chain::{address_text, function_of};

/// Answers that are shown.
const MOST: usize = 64;

/// Characters of an answer that are shown.
const MAX_ANSWER: usize = 70;

/// Shows the contracts, the nodes and each question with its answers.
pub(super) fn section(page: &mut Page, chain: &RecordedChain) {
    page.section("CONTRACTS (two nodes' answers, unsigned)");
    let contracts = &chain.contracts;
    page.field("Chain", contracts.chain_id)
        .note("Its number (EIP-155): 1 is Ethereum, 8453 is Base.");
    page.field("App's contract", address_text(&contracts.app))
        .note("The app id. It allows compose documents and machines; its owner can change that.");
    match &contracts.kms {
        Some(kms) => page
            .field("KMS's contract", address_text(kms))
            .note("It allows KMS builds and OS images."),
        None => page.field("KMS's contract", "not named"),
    };
    let [first, second] = &chain.hosts;
    page.field("Nodes", format!("{first}, {second}"))
        .note("An answer counts only if both nodes give it.");
    for exchange in chain.exchanges.iter().take(MOST) {
        let question = question(&exchange.method, &exchange.params);
        let [first, second] = &exchange.answers;
        let (first, second) = (shown(first), shown(second));
        if first == second {
            page.field(&question, first);
        } else {
            page.field(&question, first)
                .item(second)
                .mark("The nodes answer differently.");
        }
    }
    page.more(chain.exchanges.len().saturating_sub(MOST));
}

/// The function that is called, or the method.
fn question(method: &str, params: &Value) -> String {
    let data = params.pointer("/0/data").and_then(Value::as_str);
    match data.and_then(function_of) {
        Some(function) => function.split('(').next().unwrap_or(function).to_owned(),
        None => method.to_owned(),
    }
}

fn shown(outcome: &RpcOutcome) -> String {
    let text = match outcome {
        RpcOutcome::Result(Value::String(text)) => text.clone(),
        RpcOutcome::Result(value) => value.to_string(),
        RpcOutcome::Error(fault) => format!("error {}: {}", fault.code, fault.message),
        RpcOutcome::Problem(problem) => problem.clone(),
    };
    match text.char_indices().nth(MAX_ANSWER) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
