// What Phala's verification guide has people script, with the verifier from npm instead of a request to Phala Cloud: the
// quote, the nonce, and the hash of the compose document against the event of RTMR3.
//
// Usage: node_dcap_qvl.js BUNDLE ROOT_DER UNIX_SECONDS
'use strict';

const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { QuoteVerifier } = require('@phala/dcap-qvl');

function demand(holds, problem) {
  if (!holds) {
    console.error(problem);
    process.exit(1);
  }
}

const [path, root, at] = process.argv.slice(2);
const bundle = JSON.parse(readFileSync(path, 'utf8'));
const quote = Buffer.from(bundle.attestation.quote, 'hex');
const report = QuoteVerifier.newWithRootCa(readFileSync(root)).verify(quote, bundle.collateral, Number(at));
demand(report.status === 'UpToDate', `the platform is ${report.status}`);
// The report data of a TDX quote of version 4: 48 bytes of header, then 584 of report, of which it is the last 64.
demand(quote.subarray(568, 600).toString('hex') === bundle.nonce, 'the quote does not sign the nonce');
const log = bundle.attestation.event_log;
const events = typeof log === 'string' ? JSON.parse(log) : log;
const measured = events.find((event) => event.imr === 3 && event.event === 'compose-hash');
const info = bundle.info.tcb_info;
const document = (typeof info === 'string' ? JSON.parse(info) : info).app_compose;
demand(
  createHash('sha256').update(document).digest('hex') === measured?.event_payload,
  'the compose document is not the one that was measured',
);
