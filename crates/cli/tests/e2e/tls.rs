//! Own TLS: spoken, renewed while the daemon runs, and never half there.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::stage::{Process, Stage, orderkeep, until};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Asks whether it is alive; gives the certificate that it showed, and its answer.
fn ask(addr: &str) -> Option<(Vec<u8>, String)> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("ca.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(addr).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .ok()?;
    let mut answer = String::new();
    // Its end may come without a farewell.
    drop(stream.read_to_string(&mut answer));
    let shown = stream.conn.peer_certificates()?.first()?.to_vec();
    Some((shown, answer))
}

fn certificate(name: &str) -> Vec<u8> {
    CertificateDer::from_pem_file(fixture(name)).unwrap().to_vec()
}

#[test]
fn tls_is_spoken_and_a_renewed_certificate_is_used_without_a_restart() {
    let stage = Stage::new("", "");
    let (cert, key) = (stage.folder.path().join("tls.pem"), stage.folder.path().join("tls.key"));
    let put = |name: &str| {
        fs::copy(fixture(&format!("{name}.key")), &key).unwrap();
        fs::copy(fixture(&format!("{name}.pem")), &cert).unwrap();
    };
    put("first");
    let addr = stage.url.strip_prefix("http://").unwrap();
    let log = fs::File::create(stage.folder.path().join("engine.log")).unwrap();
    let mut command = stage.serve();
    command.env("ORDERKEEP_TLS_CERT_FILE", &cert).env("ORDERKEEP_TLS_KEY_FILE", &key).stderr(log);
    let engine = Process(command.spawn().unwrap());
    until("it speaks TLS", || ask(addr).is_some());
    let (shown, answer) = ask(addr).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(shown, certificate("first.pem"));

    // In the clear nothing is answered that HTTP would know.
    let mut clear = TcpStream::connect(addr).unwrap();
    clear.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    clear.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut said = Vec::new();
    drop(clear.read_to_end(&mut said));
    assert!(!said.starts_with(b"HTTP/"), "{said:?}");

    // A broken pair changes nothing; a whole one is used, on SIGHUP at once.
    fs::write(&cert, "nonsense").unwrap();
    let said = || fs::read_to_string(stage.folder.path().join("engine.log")).unwrap();
    until("it has been looked at", || said().contains("the certificate stays as it was"));
    assert_eq!(ask(addr).unwrap().0, certificate("first.pem"));
    put("second");
    let pid = engine.0.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    until("the new one is shown", || {
        ask(addr).is_some_and(|(shown, _)| shown == certificate("second.pem"))
    });
    assert!(!said().contains("PRIVATE KEY"));
}

#[test]
fn a_key_of_another_certificate_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let start = |cert: &str, key: &str| {
        let output = orderkeep()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .env("ORDERKEEP_TLS_CERT_FILE", fixture(cert))
            .env("ORDERKEEP_TLS_KEY_FILE", fixture(key))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = start("first.pem", "second.key");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("first.pem") && said.contains("second.key"), "{said}");
    let (code, said) = start("first.key", "first.key");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("no certificate is in it"), "{said}");
    let (code, said) = start("no-such.pem", "first.key");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("no-such.pem"), "{said}");
}
