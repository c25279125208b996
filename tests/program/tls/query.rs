//! The query of the address, which may hold a secret of the user: T27.

use super::*;

#[test]
fn t27_a_query_of_the_users_is_not_sent_to_a_server_that_no_ca_vouches_for() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let path = "--attestation-path=/attestation?token=secret";
    let ran = verify(&deployment, &app, &[path]);
    ran.assert(Evidence, Error, Some("tls"));
    ran.assert_detail(Evidence, "--tls-binding ratls");
    assert_eq!(app.requests().len(), 0);
    let ran = verify(&deployment, &app, &[path, "--tls-binding=ratls"]);
    assert_eq!(ran.code, 0, "{ran:#?}");
}

/// The guest agent's own address, as `--info-url` is documented: nothing of it reaches the server of the app.
#[test]
fn t27_the_query_of_another_servers_address_holds_back_nothing() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let agent = AppServer::http(cvm);
    let info = format!("--info-url={}/info?json", agent.url());
    let ran = verify(&deployment, &app, &[&info]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    assert_eq!((app.count("/info"), agent.count("/info")), (0, 1));
    // The app's own server is the same one under every port.
    app.forget_requests();
    let info = format!("--info-url={}/info?token=secret", app.localhost_url());
    let ran = verify(&deployment, &app, &[&info]);
    ran.assert(Evidence, Error, Some("tls"));
    assert_eq!(app.requests().len(), 0);
}

/// The guest agent at another port of the app's host has a certificate of its own, which is no second key of the app's address.
#[test]
fn the_key_of_a_server_at_another_port_is_not_one_of_the_apps() {
    let deployment = Deployment::healthy();
    let [own, agents] = [1, 7].map(|seed| TlsIdentity::new(seed, now(), TlsMode::TestCa));
    let authorities = own.ca_pem() + &agents.ca_pem();
    std::fs::write(deployment.folder.path().join("ca.pem"), authorities).unwrap();
    let ca = format!("--ca-file={}", deployment.path("ca.pem"));
    let mut cvm = strict();
    cvm.report_data = ReportDataLayout::KeyThenNonce(own.key_hash());
    let app = AppServer::https(cvm.clone(), &own);
    let agent = AppServer::https(cvm, &agents);
    let info = format!("--info-url={}/info", agent.localhost_url());
    let ran = verify(
        &deployment,
        &app,
        &[&ca, "--tls-binding=app-key", ENDPOINT[1], &info],
    );
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(TlsBinding, Pass, None);
    assert_eq!((app.count("/info"), agent.count("/info")), (0, 1));
}

/// Any genuine VM has a certificate that its own evidence binds: that alone must not get the user's token.
#[test]
fn t27_a_query_of_the_users_is_not_sent_to_a_vm_that_does_not_meet_the_policy() {
    let deployment = Deployment::healthy();
    let mut other = strict();
    other.app_compose = other.app_compose.replace("8080:8080", "8081:8080");
    let app = AppServer::https(other.clone(), &ra_tls(&other));
    let path = "--attestation-path=/attestation?token=secret";
    let ran = verify(&deployment, &app, &[path, "--tls-binding=ratls"]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Evidence, Error, Some("tls"));
    let detail = &ran.check(Evidence).detail;
    assert!(
        detail.contains("sent only to a VM that meets the policy: compose-hash"),
        "{detail}"
    );
    assert_eq!(app.requests().len(), 0);
    // Without a query of the user's it is asked, and convicted.
    let ran = verify(&deployment, &app, &["--tls-binding=ratls"]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    // Nothing is expected of its code: then it is not sent, either.
    let mut args = deployment.network_args(&["verify", &app.localhost_url(), "--format=json"]);
    args.extend([path.to_owned(), "--tls-binding=ratls".to_owned()]);
    app.forget_requests();
    let ran = run(&args);
    ran.assert(Evidence, Error, Some("tls"));
    assert_eq!(app.requests().len(), 0);
}

/// A proxy that connects every name to one server on this machine: names are not resolved here.
fn proxy_to(server: u16) -> String {
    use std::io::{Read as _, Write as _, copy};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            std::thread::spawn(move || {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    client.read_exact(&mut byte).unwrap();
                    head.extend(byte);
                }
                let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).unwrap();
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || copy(&mut from, &mut to));
                let _ = copy(&mut server, &mut client);
            });
        }
    });
    url
}

/// What the address itself names is part of what is expected: a gateway that leads to another app is not told the token.
#[test]
fn t27_a_query_of_the_users_is_not_sent_to_another_app_than_the_address_names() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let app = AppServer::https(cvm.clone(), &ra_tls(&cvm));
    let proxy = format!("--proxy={}", proxy_to(app.port()));
    let with = |id: &str| {
        let url = format!("https://{id}-8443s.apps.example/?token=secret");
        let command = ["verify", url.as_str(), "--format=json"];
        app.forget_requests();
        run(&deployment.strict_args_with(&command, &[&proxy, "--tls-binding=ratls"]))
    };
    let ran = with(&hex::encode(cvm.app_id_bytes()));
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(app.count("/attestation") > 0);
    let ran = with(&"aa".repeat(20));
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Evidence, Error, Some("tls"));
    ran.assert_detail(Evidence, "sent only to a VM that meets the policy: app-id");
    assert_eq!(app.requests().len(), 0);
}

/// A relay that had the VM quote its key has a certificate with a genuine quote, and no chain to the KMS of that VM.
#[test]
fn t27_a_query_of_the_users_is_not_sent_to_a_certificate_that_no_kms_signed() {
    let deployment = Deployment::healthy();
    let cvm = strict();
    let genuine = ra_tls(&cvm);
    let alone = genuine.clone().presenting_chain(vec![genuine.leaf_der()]);
    let foreign = genuine.clone().of_another_kms(99);
    let path = "--attestation-path=/attestation?token=secret";
    for (identity, reason, words) in [
        (alone, "ratls-chain", "without the certificates that signed it"),
        (foreign, "ratls-other-kms", "its chain ends in another key"),
    ] {
        let app = AppServer::https(cvm.clone(), &identity);
        let ran = verify(&deployment, &app, &[path, "--tls-binding=ratls"]);
        assert_eq!(ran.code, 1, "{ran:#?}");
        ran.assert(TlsBinding, Fail, Some(reason));
        ran.assert(Evidence, Error, Some("tls"));
        ran.assert_detail(Evidence, words);
        assert_eq!(app.requests().len(), 0);
        // Without a query the evidence is asked for, and judged: the code is proven, and nothing of the address.
        let ran = verify(&deployment, &app, &[]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.assert(TlsBinding, Warn, Some(reason));
        grants_nothing(&ran);
        let ran = verify(&deployment, &app, &ENDPOINT);
        assert_eq!(ran.code, 1, "{ran:#?}");
        ran.assert(TlsBinding, Fail, Some(reason));
        grants_nothing(&ran);
    }
    // The whole chain, and the one without the KMS's own certificate, which servers may leave out.
    let without_root = genuine.chain_der()[..2].to_vec();
    for identity in [genuine.clone(), genuine.presenting_chain(without_root)] {
        let app = AppServer::https(cvm.clone(), &identity);
        let ran = verify(&deployment, &app, &[path, ENDPOINT[0], ENDPOINT[1]]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.assert(TlsBinding, Pass, None);
    }
}
