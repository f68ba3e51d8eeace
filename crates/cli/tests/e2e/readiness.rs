//! What `/readyz` of the built program says when something around it fails, and that it goes on by itself afterwards.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use crate::stage::{Stage, TOKEN, until};

/// A provider that is gone makes nobody send work elsewhere: its webhooks must still arrive, and orders are still told.
#[test]
fn a_provider_that_is_gone_makes_it_degraded_and_not_unready() {
    let mut stage = Stage::new("", "");
    let _engine = stage.start();
    let (id, _) = stage.order("k");
    until("an address", || stage.show(&id)["address"].is_string());
    let well = stage.get("/readyz");
    assert_eq!((well.status, &well.body["degraded"]), (200, &json!(false)), "{well:?}");
    stage.provider_dies();
    until("it is noticed", || {
        assert_ne!(stage.get("/v1/rates").status, 200);
        stage.get("/readyz").body["degraded"] == json!(true)
    });
    let ill = stage.get("/readyz");
    assert_eq!((ill.status, &ill.body["ready"]), (200, &json!(true)), "{ill:?}");
    assert_eq!(ill.body["checks"], json!({ "store": "ok", "providers": { "default": "down" } }));
    assert_eq!(stage.show(&id)["state"], "AwaitingPayment");
    let url = format!("{}/webhooks/p100", stage.url);
    let heard = stage.http.send("POST", &url, &[("authorization", TOKEN)], r#"{"kyc":"done"}"#);
    assert_eq!(heard.status, 200, "{heard:?}");
}

/// A small disk of its own; gone with it.
struct SmallDisk(PathBuf);

impl SmallDisk {
    const SIZE: &'static str = "size=256m";

    /// `None`, and said so, where nobody may mount.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", Self::SIZE, "orderkeep-test"])
            .arg(at)
            .output();
        if mounted.is_ok_and(|done| done.status.success()) {
            return Some(Self(at.to_owned()));
        }
        let line = "SKIPPED: a disk that is full needs root, to mount a small one";
        drop(writeln!(std::io::stderr(), "{line}"));
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_makes_it_unready_until_there_is_room() {
    let stage = Stage::new("", "");
    let Some(disk) = SmallDisk::mount(&stage.data()) else { return };
    let engine = stage.start();
    let (id, _) = stage.order("before");
    until("an address", || stage.show(&id)["address"].is_string());
    assert_eq!(stage.get("/readyz").status, 200);
    let lock = stage.lock();
    // Somebody else fills it, up to what the store keeps for orders that it has already.
    let filler = disk.0.join("filler");
    fs::write(&filler, vec![1; 200 << 20]).unwrap();
    until("new orders are refused", || {
        stage.submit("during", &json!({ "lockId": lock["lockId"] })).status == 507
    });
    stage.get("/readyz").is_problem(507, "disk_full", "room");
    // What was taken goes on to its end.
    stage.to_executed(&id);
    fs::remove_file(&filler).unwrap();
    until("it is ready again", || stage.get("/readyz").status == 200);
    assert_eq!(stage.submit("during", &json!({ "lockId": lock["lockId"] })).status, 202);
    // Its files are on the disk that goes now.
    drop(engine);
}
