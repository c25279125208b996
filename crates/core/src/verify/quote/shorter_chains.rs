//! The collateral as dcap-qvl is given it: certificate chains without the trusted root at their end.
//!
//! dcap-qvl decodes every certificate of every chain for each quote. A path ends at the root that it is given beside the collateral:
//! webpki looks for an issuer among the roots first, so that it never takes the one of a chain. A chain is shortened where it is
//! nothing but at most two certificates and then the root, byte by byte; no path is found in the shorter one that is not in the
//! whole one. What dcap-qvl refuses it is given as it came.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dcap_qvl::QuoteCollateralV3;

use crate::verify::TrustRoot;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// How many certificates Intel's chains have below the root, at most.
const MAX_BELOW_ROOT: usize = 2;

/// The collateral without its PCK chain, if the quote brings its own: that of the collateral would take its place, and whether it
/// is revoked or out of date would never be asked.
pub(super) fn beside_own_chain<'c>(
    collateral: &'c QuoteCollateralV3,
    brings_own: bool,
) -> Cow<'c, QuoteCollateralV3> {
    match brings_own && collateral.pck_certificate_chain.is_some() {
        true => Cow::Owned(QuoteCollateralV3 {
            pck_certificate_chain: None,
            ..collateral.clone()
        }),
        false => Cow::Borrowed(collateral),
    }
}

/// The collateral with shorter chains, and the quote's own PCK chain in it where the collateral brings none.
pub(super) fn shortened(
    collateral: &QuoteCollateralV3,
    own_chain: Option<&str>,
    root: &TrustRoot,
) -> QuoteCollateralV3 {
    let root = pem(root.der());
    let short = |chain: &str| below_root(chain, &root).unwrap_or(chain).to_owned();
    QuoteCollateralV3 {
        pck_crl_issuer_chain: String::new(),
        root_ca_crl: collateral.root_ca_crl.clone(),
        pck_crl: collateral.pck_crl.clone(),
        tcb_info_issuer_chain: short(&collateral.tcb_info_issuer_chain),
        tcb_info: collateral.tcb_info.clone(),
        tcb_info_signature: collateral.tcb_info_signature.clone(),
        qe_identity_issuer_chain: short(&collateral.qe_identity_issuer_chain),
        qe_identity: collateral.qe_identity.clone(),
        qe_identity_signature: collateral.qe_identity_signature.clone(),
        pck_certificate_chain: match &collateral.pck_certificate_chain {
            Some(chain) => Some(short(chain)),
            None => own_chain.and_then(|chain| Some(below_root(chain, &root)?.to_owned())),
        },
    }
}

/// What of a chain, PEM, stands before the root. `None` where it is anything but one or two certificates and the root.
fn below_root<'c>(chain: &'c str, root: &str) -> Option<&'c str> {
    // Quotes end their chain in a zero byte; a decoder looks for another certificate behind the last one, and finds none.
    let chain = chain.trim_end_matches(['\n', '\r', '\0']);
    let below = chain.strip_suffix(root)?;
    let mut rest = below;
    for _ in 0..MAX_BELOW_ROOT {
        let inside = rest.strip_prefix(BEGIN)?;
        // Base64 has no hyphen.
        let end = inside.find('-')?;
        rest = inside
            .get(end..)?
            .strip_prefix(END)?
            .trim_start_matches(['\n', '\r']);
        if rest.is_empty() {
            return Some(below);
        }
    }
    None
}

/// The certificates of a chain in PEM, as DER. `None` where it is written in any other way than Intel does: lines of base64 without
/// blanks and empty lines between them. Takes a tenth of the instructions of dcap-qvl's decoder, which reads every form.
pub(super) fn certificates(chain: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = chain.trim_end_matches(['\n', '\r', '\0']);
    let mut certificates = Vec::new();
    while !rest.is_empty() {
        let inside = rest.strip_prefix(BEGIN)?.strip_prefix('\n')?;
        let (base64, after) = inside.split_at_checked(inside.find('-')?)?;
        let mut digits = Vec::with_capacity(base64.len());
        for line in base64.strip_suffix('\n')?.split('\n') {
            if line.is_empty() {
                return None;
            }
            digits.extend_from_slice(line.as_bytes());
        }
        certificates.push(STANDARD.decode(digits).ok()?);
        rest = after.strip_prefix(END)?.trim_start_matches(['\n', '\r']);
    }
    Some(certificates)
}

/// A certificate in PEM as Intel writes it, without a line end behind the last line (RFC 7468, section 3).
fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut pem = String::with_capacity(base64.len() + base64.len() / 64 + BEGIN.len() + END.len() + 2);
    pem.push_str(BEGIN);
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, others) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push('\n');
        pem.push_str(line);
        rest = others;
    }
    pem.push('\n');
    pem.push_str(END);
    pem
}

#[cfg(test)]
mod tests {
    use dcap_qvl::intel::extract_cert_chain;
    use dcap_qvl::quote::{AuthData, Quote};
    use dcap_qvl::verify::QuoteVerifier;
    use simulator::{Cvm, World};

    use super::*;
    use crate::verify::quote::ClaimsOnly;

    /// What dcap-qvl makes of a quote with this collateral: its claims, or nothing.
    fn claims(quote: &[u8], collateral: &QuoteCollateralV3, root: &TrustRoot, at: u64) -> Option<String> {
        let verifier = QuoteVerifier::new(root.der().to_vec());
        let claims = verifier.verify_with_policy(quote, collateral, at, &ClaimsOnly);
        claims.ok().map(|claims| format!("{claims:?}"))
    }

    #[test]
    fn the_root_is_left_out_of_each_chain() {
        let world = World::default();
        let root = TrustRoot::Custom(world.root_der());
        let own = world.pck_chain_pem() + "\0";
        let count = |chain: &str| chain.matches(BEGIN).count();
        let short = shortened(&world.collateral(), Some(&own), &root);
        assert_eq!(count(&short.tcb_info_issuer_chain), 1);
        assert_eq!(count(&short.qe_identity_issuer_chain), 1);
        assert_eq!(short.pck_certificate_chain.as_deref().map(count), Some(2));
        let intel = pem(TrustRoot::Intel.der());
        let leaf = pem(&world.root_der());
        assert_eq!(
            below_root(&format!("{leaf}\n{intel}\n"), &intel),
            Some(&*format!("{leaf}\n"))
        );
    }

    /// Each form of a chain that is not exactly certificates and the root stays as it is.
    #[test]
    fn an_odd_chain_is_given_as_it_came() {
        let [root, leaf] = [[1; 100], [2; 100]].map(|der| pem(&der));
        for odd in [
            String::new(),
            root.clone(),
            leaf.clone(),
            format!("{root}\n{leaf}"),
            format!("{leaf}\n{}", root.replace('\n', "\r\n")),
            format!("{leaf}\n{root} x"),
            format!("x{leaf}\n{root}"),
            format!("{leaf}\nx\n{root}"),
            format!("{leaf}\n-----BEGIN X-----\n{root}"),
            format!("{leaf}\n{BEGIN}\n{root}"),
            format!("{}\n{root}", leaf.replace(END, "-----END X-----")),
            format!("{leaf}\n{leaf}\n{leaf}\n{root}"),
        ] {
            assert_eq!(below_root(&odd, &root), None, "{odd}");
        }
        for below in [format!("{leaf}\n"), leaf.clone(), format!("{leaf}\r\n{leaf}\n\n")] {
            assert_eq!(below_root(&format!("{below}{root}\n\0"), &root), Some(&*below));
        }
    }

    /// Where they are read here, dcap-qvl reads the same.
    #[test]
    fn certificates_are_those_that_dcap_qvl_reads() {
        let world = World::default();
        let chain = world.pck_chain_pem();
        let theirs = |chain: &str| {
            let mut quote = Quote::parse(&Cvm::healthy(&world).quote_bytes("")).unwrap();
            let AuthData::V4(data) = &mut quote.auth_data else {
                panic!("a quote of another version");
            };
            data.qe_report_data.certification_data.body.data = chain.as_bytes().to_vec();
            extract_cert_chain(&quote).ok()
        };
        for same in [
            chain.clone(),
            chain.clone() + "\n\0",
            chain.replace(END, &format!("{END}\n")),
        ] {
            let ours = certificates(&same);
            assert_eq!(ours.as_ref().map(Vec::len), Some(3));
            assert_eq!(ours, theirs(&same));
        }
        assert_eq!(certificates("\n\0"), Some(vec![]));
        for odd in [
            chain.replace('\n', "\r\n"),
            chain.replacen('\n', "\n\n", 1),
            chain.replacen("\n-", "\n\n-", 1),
            chain.replacen('\n', "", 1),
            chain.replacen("\n-", "-", 1),
            chain.replacen('\n', "\nA: b\n\n", 1),
            chain.replacen('\n', "\n ", 1),
            chain.replacen("MI", "M!", 1),
            format!("x{chain}"),
            chain.clone() + "x",
            chain.replace(END, &format!("{END}x")),
            chain.replace(BEGIN, "-----BEGIN X-----"),
        ] {
            assert_eq!(certificates(&odd), None, "{odd}");
        }
    }

    #[test]
    fn dcap_qvl_says_the_same_of_the_shorter_chains() {
        let changes: [fn(&mut World); 9] = [
            |_| (),
            |world| world.pki.tcb_signing.to = 86_400,
            |world| world.pki.pck.to = 86_400,
            |world| world.pki.pck.from = 86_400,
            |world| world.qe_identity.enclave_isv_svn = 0,
            |world| world.platform.cpu_svn = [0; 16],
            |world| world.platform.fmspc = [0x66; 6],
            |world| world.pki.revoked.extend([simulator::Certificate::TcbSigning]),
            |world| world.pki.revoked.extend([simulator::Certificate::PckCa]),
        ];
        let mut accepted = 0;
        for (number, change) in changes.into_iter().enumerate() {
            let mut world = World::default();
            change(&mut world);
            let quote = Cvm::healthy(&world).quote_bytes("");
            let own = world.pck_chain_pem();
            let other = TrustRoot::Custom(World::new(2, world.now).root_der());
            for root in [TrustRoot::Custom(world.root_der()), other] {
                for at in [0, 1, 2].map(|days| world.now + days * 86_400) {
                    let whole = world.collateral();
                    let short = shortened(&whole, Some(&own), &root);
                    let says = claims(&quote, &whole, &root, at);
                    assert_eq!(says, claims(&quote, &short, &root, at), "{number}");
                    accepted += usize::from(says.is_some());
                }
            }
        }
        assert!(accepted > 3, "{accepted}");
    }
}
