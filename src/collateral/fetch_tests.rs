//! Fetching from fake PCCSs on loopback.

use super::*;
use crate::collateral::{AnswerError, PckCa, fake};
use crate::net::NetError;
use crate::net::loopback::{self, answer, routes};
use crate::net::retry::Heal;

const REQUEST: CollateralRequest = CollateralRequest {
    fmspc: [0xb0, 0xc0, 0x6f, 0, 0, 0],
    ca: PckCa::Platform,
};

/// An honest PCCS but for the document whose path holds `what`.
async fn lying(what: &'static str, lie: Vec<u8>) -> url::Url {
    let (url, _) = routes(move |target| {
        if target.contains(what) {
            lie.clone()
        } else {
            fake::honest(target)
        }
    })
    .await;
    url
}

/// Asks each source once, and judges nothing.
async fn fetch(sources: &Sources) -> Result<Fetched, CollateralError> {
    let fetcher = CollateralFetcher {
        client: &loopback::client(),
        sources,
        schedule: &Schedule::once(),
        root: None,
    };
    fetcher.fetch(&REQUEST, 0, || 0).await
}

async fn failure(what: &'static str, lie: Vec<u8>) -> (CollateralError, SourceFailure) {
    let url = lying(what, lie).await;
    let error = fetch(&Sources::only(&url)).await.expect_err("a lying PCCS");
    let failure = error.failures[0].clone();
    assert_eq!(error.failures.len(), 1);
    (error, failure)
}

#[tokio::test]
async fn the_four_documents_of_a_pccs_make_collateral() {
    let (url, asked) = fake::pccs().await;
    let fetched = fetch(&Sources::only(&url)).await.expect("collateral");
    assert_eq!(fetched.collateral, fake::collateral());
    assert_eq!(fetched.source, format!("127.0.0.1:{}", url.port().unwrap_or(0)));
    let mut asked = asked.lock().expect("the list").clone();
    asked.sort();
    assert_eq!(
        asked,
        [
            "/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
            "/sgx/certification/v4/rootcacrl",
            "/tdx/certification/v4/qe/identity?update=standard",
            "/tdx/certification/v4/tcb?fmspc=b0c06f000000&update=standard",
        ]
    );
}

#[tokio::test]
async fn when_one_document_fails_all_come_from_the_next_source() {
    let first = lying("rootcacrl", answer(500, &[], b"")).await;
    let (second, asked) = fake::pccs().await;
    let sources = Sources::in_order(&[&first, &second]);
    let fetched = fetch(&sources).await.expect("collateral");
    assert!(
        fetched
            .source
            .ends_with(&format!(":{}", second.port().unwrap_or(0)))
    );
    assert_eq!(asked.lock().expect("the list").len(), 4);
}

#[tokio::test]
async fn when_all_sources_fail_each_is_named() {
    let first = lying("tcb?", answer(404, &[], b"")).await;
    let second = lying("pckcrl", answer(503, &[("retry-after", "5")], b"")).await;
    let sources = Sources::in_order(&[&first, &second]);
    let error = fetch(&sources).await.expect_err("no source");
    let documents: Vec<CollateralPart> = error.failures.iter().map(|failure| failure.document).collect();
    assert_eq!(documents, [CollateralPart::TcbInfo, CollateralPart::PckCrl]);
    let unusable = error.unusable(&REQUEST);
    assert!(
        matches!(unusable, UnusableCollateral::Unreachable { .. }),
        "{unusable}"
    );
    assert!(error.may_heal());
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(5)));
    let text = error.to_string();
    assert!(
        text.contains("TCB info from 127.0.0.1:") && text.contains("status 503"),
        "{text}"
    );
}

#[tokio::test]
async fn a_platform_that_no_source_knows_is_missing_and_not_retried() {
    let (error, failure) = failure("tcb?", answer(404, &[], b"")).await;
    let unusable = error.unusable(&REQUEST);
    assert!(
        matches!(unusable, UnusableCollateral::NotServed { .. }),
        "{unusable}"
    );
    assert!(!error.may_heal());
    assert_eq!(failure.document, CollateralPart::TcbInfo);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect = answer(302, &[("location", "http://127.0.0.1:1/x")], b"");
    let (error, failure) = failure("pckcrl", redirect).await;
    assert!(matches!(
        failure.cause,
        FetchProblem::Net(NetError::Redirect { status: 302, .. })
    ));
    assert!(!error.may_heal());
}

#[tokio::test]
async fn a_document_of_more_than_a_mebibyte_is_too_large() {
    let bomb = answer(200, &[], &vec![b' '; MAX_BYTES + 1]);
    let (_, failure) = failure("qe/identity", bomb).await;
    assert_eq!(failure.document, CollateralPart::QeIdentity);
    assert!(matches!(
        failure.cause,
        FetchProblem::Net(NetError::TooLarge { limit: MAX_BYTES, .. })
    ));
}

#[tokio::test]
async fn four_documents_share_one_limit() {
    let large = answer(200, &[], &vec![b' '; MAX_BYTES]);
    let (_, failure) = failure("rootcacrl", large).await;
    assert_eq!(failure.cause, FetchProblem::TooLarge { limit: MAX_BYTES });
}

#[tokio::test]
async fn a_gateways_html_page_may_heal_and_a_missing_chain_does_not() {
    let (error, failure_html) = failure("tcb?", answer(200, &[], b"<html>busy</html>")).await;
    assert!(matches!(
        failure_html.cause,
        FetchProblem::Answer(AnswerError::Json { .. })
    ));
    assert!(error.may_heal());
    let (error, failure) = failure("tcb?", answer(200, &[], fake::TCB_INFO_ANSWER.as_bytes())).await;
    assert_eq!(
        failure.cause,
        FetchProblem::Answer(AnswerError::NoChain("TCB-Info-Issuer-Chain"))
    );
    assert!(!error.may_heal());
}

#[tokio::test]
async fn a_pccs_that_recovers_is_asked_again() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let (url, _) = routes(move |target| {
        // The first attempt's four requests fail.
        if calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 4 {
            return answer(502, &[], b"");
        }
        fake::honest(target)
    })
    .await;
    let quick = Schedule {
        first_pause: std::time::Duration::from_millis(1),
        ..Schedule::default()
    };
    let fetcher = CollateralFetcher {
        client: &loopback::client(),
        sources: &Sources::only(&url),
        schedule: &quick,
        root: None,
    };
    let fetched = fetcher.fetch(&REQUEST, 0, || 0).await;
    assert_eq!(fetched.expect("collateral").collateral, fake::collateral());
}

#[tokio::test]
async fn intels_documents_come_through_byte_for_byte() {
    let Some(recorded) = fake::recorded() else { return };
    let expected = QuoteCollateralV3 {
        pck_certificate_chain: None,
        ..recorded
    };
    let url = fake::pccs_with(expected.clone()).await;
    let fetched = fetch(&Sources::only(&url)).await;
    assert_eq!(fetched.expect("collateral").collateral, expected);
}

#[tokio::test]
async fn a_set_that_does_not_serve_is_passed_over_for_the_next_source() {
    use simulator::{DEFAULT_NOW, World};

    type Damage = fn(&mut World, &mut QuoteCollateralV3);
    let damages: [(&str, Damage); 6] = [
        ("OldSet", |world, set| {
            world.tcb_info.eval_data_number = 15;
            *set = world.collateral();
        }),
        ("Expired", |world, set| {
            world.tcb_info.expires_after = -1;
            *set = world.collateral();
        }),
        ("WrongPlatform", |world, set| {
            world.tcb_info.fmspc = Some([0x66; 6]);
            *set = world.collateral();
        }),
        ("NotSignedByIntel", |_, set| set.tcb_info_signature[3] ^= 1),
        ("Malformed", |_, set| set.pck_crl = vec![0x30, 0]),
        ("NotSignedByIntel", |_, set| {
            *set = World::new(2, DEFAULT_NOW).collateral();
        }),
    ];
    let good = World::default();
    let root = TrustRoot::Custom(good.root_der());
    for (kind, damage) in damages {
        let (mut world, mut set) = (good.clone(), good.collateral());
        damage(&mut world, &mut set);
        let bad = fake::pccs_with(set).await;
        let fine = fake::pccs_with(good.collateral()).await;
        let name = |url: &url::Url| format!("127.0.0.1:{}", url.port().unwrap_or(0));
        let get = async |urls: &[&url::Url]| {
            let fetcher = CollateralFetcher {
                client: &loopback::client(),
                sources: &Sources::in_order(urls),
                schedule: &Schedule::once(),
                root: Some(&root),
            };
            fetcher.fetch(&REQUEST, DEFAULT_NOW, || 0).await.expect("a set")
        };
        let fetched = get(&[&bad, &fine]).await;
        assert_eq!((fetched.source, fetched.fault), (name(&fine), None), "{kind}");
        // Where no source has a better one, the first that came is named with what is wrong with it.
        let fetched = get(&[&bad, &bad]).await;
        assert_eq!(fetched.source, name(&bad));
        let fault = fetched.fault.expect("a fault");
        assert!(format!("{fault:?}").starts_with(kind), "{fault:?}");
    }
}

/// The fallback is the hosts' operator's (T25): an expired set there must not make a hiccup of the first source count.
#[tokio::test]
async fn a_source_that_recovers_is_asked_again_though_another_has_a_set_that_does_not_serve() {
    use simulator::{DEFAULT_NOW, World};

    let mut expired = World::default();
    expired.tcb_info.expires_after = -1;
    let second = fake::pccs_with(expired.collateral()).await;
    let good = World::default();
    let root = TrustRoot::Custom(good.root_der());
    for (failures, serves) in [(4, true), (usize::MAX, false)] {
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let honest = fake::serving(good.collateral());
        let (first, _) =
            routes(
                move |target| match calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < failures {
                    true => answer(503, &[], b""),
                    false => honest(target),
                },
            )
            .await;
        let fetcher = CollateralFetcher {
            client: &loopback::client(),
            sources: &Sources::in_order(&[&first, &second]),
            schedule: &Schedule {
                first_pause: std::time::Duration::from_millis(1),
                ..Schedule::default()
            },
            root: Some(&root),
        };
        let fetched = fetcher.fetch(&REQUEST, DEFAULT_NOW, || 0).await.expect("a set");
        let from = if serves { &first } else { &second };
        assert!(
            fetched
                .source
                .ends_with(&format!(":{}", from.port().unwrap_or(0)))
        );
        assert_eq!(fetched.fault.is_none(), serves);
    }
}

#[tokio::test]
async fn a_source_that_hangs_leaves_the_next_one_its_share_of_the_time() {
    let first = loopback::raw(|_, stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let (second, _) = fake::pccs().await;
    let fetcher = CollateralFetcher {
        client: &loopback::client(),
        sources: &Sources::in_order(&[&first, &second]),
        schedule: &Schedule {
            one_attempt: Duration::from_secs(4),
            ..Schedule::once()
        },
        root: None,
    };
    let fetched = fetcher.fetch(&REQUEST, 0, || 0).await.expect("collateral");
    assert!(
        fetched
            .source
            .ends_with(&format!(":{}", second.port().unwrap_or(0)))
    );
}
