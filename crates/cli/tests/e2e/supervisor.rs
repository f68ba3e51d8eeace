//! What the service manager is told, what it is given to install.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::net::UnixDatagram,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use crate::stage::{Process, Stage, orderkeep, until};

fn heard(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 1024];
    let length = socket.recv(&mut bytes).expect("the engine says something in time");
    String::from_utf8(bytes[..length].to_vec()).unwrap()
}

#[test]
fn the_service_manager_hears_ready_alive_and_stopping() {
    let stage = Stage::new("", "");
    let path = stage.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // The watchdog's variables name the process that they are for, which only that process knows.
    let serve = stage.serve();
    let mut command = Command::new("sh");
    command.args(["-c", "WATCHDOG_PID=$$ exec \"$0\" \"$@\""]).arg(serve.get_program());
    command.args(serve.get_args());
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "300000");
    let mut engine = Process(command.spawn().unwrap());
    assert!(heard(&socket).contains("READY=1"));
    // Whoever is told can connect.
    assert_eq!(stage.get("/healthz").status, 200);
    for _ in 0..2 {
        assert!(heard(&socket).contains("WATCHDOG=1"));
    }
    let pid = engine.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    while !heard(&socket).contains("STOPPING=1") {}
    assert_eq!(engine.0.wait().unwrap().code(), Some(0));
}

/// A request holds up the end; the service manager knows of the end all the same.
#[test]
fn the_service_manager_hears_of_the_end_when_it_begins() {
    use std::io::{Read as _, Write as _};
    let stage = Stage::new("", "");
    let path = stage.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut engine = Process(stage.serve().env("NOTIFY_SOCKET", &path).spawn().unwrap());
    assert!(heard(&socket).contains("READY=1"));
    let mut slow =
        std::net::TcpStream::connect(stage.url.strip_prefix("http://").unwrap()).unwrap();
    let body = "{\"amount\":\"100\",\"currency\":\"usdc\",\"network\":\"polygon\"}";
    let head = "POST /v1/locks HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ";
    write!(slow, "{head}{}\r\n\r\n", body.len()).unwrap();
    // It says so once it has the head and wants the body.
    let mut answer = [0; 25];
    slow.read_exact(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 100"));
    let pid = engine.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    while !heard(&socket).contains("STOPPING=1") {}
    assert!(engine.0.try_wait().unwrap().is_none(), "it still sees a request through");
    slow.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(engine.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_provider_that_hangs_does_not_hold_up_the_end() {
    let rule = "[[faults.rules]]\nfault = { on = \"call\", endpoint = \"create\", fault = { kind = \"answer_hung\" } }\n";
    let stage = Stage::new("", rule);
    let mut engine = stage.start();
    let (id, _) = stage.order("k");
    until("the create is on its way", || stage.ledger()["calls"]["create"]["received"] == 1);
    let pid = engine.0.id().to_string();
    let start = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(engine.0.wait().unwrap().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    let _engine = stage.start();
    // What was on its way is unknown, and known to be.
    until("the order is there", || stage.show(&id)["id"] == id.as_str());
    assert_eq!(stage.ledger()["calls"]["create"]["received"], 1, "nothing is sent again");
}

#[test]
fn completions_and_man_pages_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = orderkeep().args(["completions", shell]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("doctor") && text.contains("rotate"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(orderkeep().arg("man").arg(folder.path()).status().unwrap().success());
    let pages: BTreeSet<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for page in ["orderkeep.1", "orderkeep-serve.1", "orderkeep-doctor.1"] {
        assert!(pages.contains(page), "{page} is not in {pages:?}");
    }
}

/// systemd's own reader, where there is one.
#[test]
fn the_unit_is_one_that_systemd_understands() {
    let unit =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd/orderkeep.service");
    let text = fs::read_to_string(&unit).unwrap();
    for line in
        ["Type=notify", "WatchdogSec=", "ProtectSystem=strict", "RestartPreventExitStatus=73 78"]
    {
        assert!(text.contains(line), "{line}");
    }
    let binary = env!("CARGO_BIN_EXE_orderkeep");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("orderkeep.service");
    fs::write(&copy, text.replace("/usr/bin/orderkeep", binary)).unwrap();
    let Ok(output) =
        Command::new("systemd-analyze").arg("verify").arg("--man=no").arg(&copy).output()
    else {
        eprintln!("skipped: there is no systemd-analyze on this machine");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<_> = said.lines().filter(|line| line.contains("orderkeep.service")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}
