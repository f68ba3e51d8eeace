//! Finance's morning, from the command line.

use std::process::Output;

use crate::stage::{Stage, orderkeep};

fn orders(stage: &Stage, args: &[&str]) -> Output {
    orderkeep().args(["orders", "--url", &stage.url]).args(args).output().unwrap()
}

fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_sale_stands_in_the_report_of_its_day_in_each_form() {
    let stage = Stage::new("", "");
    let _engine = stage.start();
    let sold = stdout(orders(
        &stage,
        &[
            "submit",
            "--amount",
            "100",
            "--key",
            "k",
            "--reference",
            "cart 17, blue",
            "--output",
            "json",
        ],
    ));
    let sold: serde_json::Value = serde_json::from_str(&sold).unwrap();
    let id = sold["id"].as_str().unwrap();
    stage.to_executed(id);
    let day = &sold["createdAt"].as_str().unwrap()[..10];
    let report = ["report", "--day", day, "--output"];
    let form = |form: &str| stdout(orders(&stage, &[&report[..], &[form]].concat()));

    let csv = form("csv");
    let row = csv.lines().nth(1).unwrap();
    assert!(row.starts_with(id) && row.contains(",\"cart 17, blue\","), "{csv}");
    assert!(row.ends_with(",nothing"), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&form("json")).unwrap();
    let order = &json["orders"][0];
    assert_eq!((&order["result"], &order["settleLocked"]), (&"executed".into(), &"100".into()));
    assert_eq!(order["payReceived"], order["payLocked"]);
    assert_eq!(json["totals"][0]["orders"], 1);
    assert!(form("table").contains("executed"));

    let found =
        stdout(orders(&stage, &["list", "--reference", "cart 17, blue", "--output", "json"]));
    assert!(found.contains(id), "{found}");
    let wrong = orders(&stage, &["list", "--output", "csv"]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("only `orders report`"), "{wrong:?}");
}
