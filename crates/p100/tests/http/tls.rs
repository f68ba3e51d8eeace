//! TLS: who is trusted, and that a handshake that fails has sent nothing.

use std::{sync::Arc, time::Duration};

use orderkeep_p100::{ConfigError, P100, P100Config};
use orderkeep_provider::{FailureClass, Provider as _};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::{
    config, lock_id,
    server::{Reaction, Server, http},
};

const AUTHORITY: &str = include_str!("../fixtures/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../fixtures/tls/server.pem");
const KEY: &[u8] = include_bytes!("../fixtures/tls/server.key");
const ORDER: &str = r#"{"orderId":"663318af-7ea1-4c5a-8545-e433a2d43d5c"}"#;

async fn server() -> Server {
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate")],
            PrivateKeyDer::from_pem_slice(KEY).expect("a key"),
        )
        .expect("a certificate with its key");
    let answer = Reaction::Keep(http("201 Created", "", ORDER));
    Server::start_tls([answer], TlsAcceptor::from(Arc::new(tls))).await
}

fn trusting(server: &Server, authority: &str) -> P100Config {
    let mut config = config(&format!("https://{}", server.address));
    config.extra_roots_pem = Some(authority.to_owned());
    config
}

#[tokio::test]
async fn a_create_goes_over_tls_without_touching_the_process() {
    let server = server().await;
    let client = P100::new(trusting(&server, AUTHORITY)).unwrap();
    let order = client.create(&lock_id()).await.unwrap();
    assert_eq!(order.as_str(), "663318af-7ea1-4c5a-8545-e433a2d43d5c");
    assert_eq!(server.requests().len(), 1);
    assert!(CryptoProvider::get_default().is_none(), "a library installs nothing for the process");
}

#[tokio::test]
async fn a_stranger_is_not_talked_to() {
    let server = server().await;
    // Any authority will do but the one that signed the server's certificate: the certificate itself is none.
    let stranger = std::str::from_utf8(CERTIFICATE).unwrap();
    let client = P100::new(trusting(&server, stranger));
    let config = config(&format!("https://{}", server.address));
    // A machine without any roots refuses at the start, with a reason.
    for client in [client, P100::new(config)].into_iter().flatten() {
        let error = client.create(&lock_id()).await.unwrap_err();
        assert_eq!(error.class, FailureClass::NotSent, "{error:?}");
        assert_eq!(server.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_or_breaks_has_sent_nothing() {
    // It waits for the end of an HTTP request, which a TLS greeting never holds.
    let server = Server::start([Reaction::Hang(Vec::new())]).await;
    let client = P100::new(trusting(&server, AUTHORITY)).unwrap();
    let call = tokio::spawn(async move { client.create(&lock_id()).await });
    server.connected(1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(6)).await;
    let error = call.await.unwrap().unwrap_err();
    tokio::time::resume();
    assert_eq!(error.class, FailureClass::NotSent, "{error:?}");

    let server = Server::start([Reaction::CloseAtOnce]).await;
    let client = P100::new(trusting(&server, AUTHORITY)).unwrap();
    let error = client.create(&lock_id()).await.unwrap_err();
    assert_eq!(error.class, FailureClass::NotSent, "{error:?}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn extra_roots_must_be_certificates() {
    for pem in ["", "hello", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        let mut config = config("https://provider.example");
        config.extra_roots_pem = Some(pem.to_owned());
        assert!(matches!(P100::new(config), Err(ConfigError::Tls(_))), "{pem:?}");
    }
}
