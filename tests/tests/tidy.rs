//! Rules about the code that the compiler does not know: who may import whom, what may not come in, what may not
//! stand in a file. A rule that is not executed is an opinion.
#![allow(clippy::unwrap_used, reason = "a panic in a test is its report")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A file with more lines than this holds more than one idea.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Who may import whom, in the order of the layout: each crate only what stands to its right.
const MAY_IMPORT: [(&str, &[&str]); 10] = [
    ("orderkeep-core", &[]),
    ("orderkeep-store", &[]),
    ("orderkeep-provider", &["orderkeep-core"]),
    ("orderkeep-p100", &["orderkeep-core", "orderkeep-provider"]),
    ("orderkeep-sandbox", &[]),
    ("orderkeep-driver", &["orderkeep-core", "orderkeep-provider", "orderkeep-store"]),
    ("orderkeep-outbox", &["orderkeep-core", "orderkeep-driver", "orderkeep-store"]),
    (
        "orderkeep-http",
        &["orderkeep-core", "orderkeep-driver", "orderkeep-outbox", "orderkeep-provider"],
    ),
    (
        "orderkeep",
        &[
            "orderkeep-core",
            "orderkeep-driver",
            "orderkeep-http",
            "orderkeep-outbox",
            "orderkeep-p100",
            "orderkeep-provider",
            "orderkeep-store",
        ],
    ),
    ("orderkeep-cli", &["orderkeep", "orderkeep-sandbox"]),
];

#[test]
fn crates_import_only_crates_above_them() {
    let metadata = metadata();
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (text(&package["name"]), package))
        .collect();
    for (name, may) in MAY_IMPORT {
        let imported: BTreeSet<&str> = packages[name]["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .filter(|name| name.starts_with("orderkeep"))
            .collect();
        let may: BTreeSet<&str> = may.iter().copied().collect();
        assert!(imported.is_subset(&may), "{name} imports {:?}", imported.difference(&may));
    }
}

/// What a crate must never have below it, however deep.
const NEVER_BELOW: [(&str, &[&str]); 4] = [
    ("orderkeep-core", &["tokio", "rand", "sled", "reqwest", "serde_json"]),
    ("orderkeep-provider", &["tokio", "reqwest"]),
    ("orderkeep-driver", &["sled", "reqwest", "axum", "orderkeep-p100"]),
    ("orderkeep-sandbox", &["orderkeep-core", "orderkeep-provider", "orderkeep-p100"]),
];

#[test]
fn what_must_stay_out_stays_out() {
    for (name, never) in NEVER_BELOW {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--package", name, "--edges", "normal", "--prefix", "none"])
            .args(["--locked", "--offline", "--format", "{p}"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        let tree = String::from_utf8(tree.stdout).unwrap();
        let below: BTreeSet<&str> =
            tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
        for unwanted in never {
            assert!(!below.contains(unwanted), "{name} has {unwanted} below it");
        }
    }
}

#[test]
fn the_lock_file_holds_what_the_store_and_tls_need() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let versions = |name: &str| -> Vec<&str> {
        let head = format!("name = \"{name}\"\nversion = \"");
        lock.split("[[package]]\n")
            .filter_map(|package| package.strip_prefix(head.as_str())?.split('"').next())
            .collect()
    };
    // sled frees memory when its epoch advances, which we drive through the same collector.
    assert_eq!(versions("crossbeam-epoch").len(), 1, "{:?}", versions("crossbeam-epoch"));
    assert_eq!(versions("bincode"), ["2.0.1"]);
    // Two TLS providers in one build panic at run time.
    assert!(versions("aws-lc-rs").is_empty() && versions("openssl").is_empty());
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["crates", "examples", "tests"] {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "only {} files found", found.len());
    found
}

#[test]
fn files_stay_small() {
    let long: Vec<_> = all_sources()
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn nothing_is_left_open_or_skipped() {
    // Put together here, so that this file does not find itself.
    let unwanted = [
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
        ["FIX", "ME"].concat(),
        ["#[ig", "nore"].concat(),
        ["#[should", "_panic"].concat(),
    ];
    for path in all_sources() {
        let source = fs::read_to_string(&path).unwrap();
        for word in &unwanted {
            assert!(!source.contains(word.as_str()), "{} holds {word}", path.display());
        }
    }
}

#[test]
fn no_float_comes_near_money() {
    for krate in ["core", "p100", "sandbox", "provider"] {
        let mut found = Vec::new();
        sources(&root().join("crates").join(krate).join("src"), &mut found);
        for path in found {
            let source = fs::read_to_string(&path).unwrap();
            for (number, line) in source.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let float = code
                    .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .any(|word| word == "f32" || word == "f64");
                assert!(!float, "{}:{} {line}", path.display(), number + 1);
            }
        }
    }
}

#[test]
fn every_crate_takes_the_workspace_lints() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = fs::read_to_string(text(&package["manifest_path"])).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{} has lints of its own",
            text(&package["name"])
        );
    }
}
