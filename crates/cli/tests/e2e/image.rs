//! The container's recipe, as far as it can be held to its word without a builder of images: what it copies is what the
//! build makes, and what it starts, with its own variables and nothing else, serves.

use std::{collections::BTreeMap, fs, path::Path};

use crate::stage::{Stage, orderkeep};

const RECIPE: &str = include_str!("../../../../packaging/Dockerfile");
const TOOLCHAIN: &str = include_str!("../../../../rust-toolchain.toml");

/// The instructions of the recipe, each with what follows it.
fn instructions() -> Vec<(&'static str, String)> {
    let joined = RECIPE.replace("\\\n", " ");
    let lines =
        joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = lines.map(|line| {
        let (word, rest) = line.split_once(' ').unwrap();
        let known = ["FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "ENV", "EXPOSE"];
        let known = known.into_iter().chain(["STOPSIGNAL", "ENTRYPOINT", "CMD"]);
        let word = known.into_iter().find(|known| *known == word);
        (word.unwrap_or_else(|| panic!("no instruction: {line}")), rest.trim().to_owned())
    });
    split.collect()
}

fn all(word: &str) -> Vec<String> {
    let found = instructions().into_iter().filter(|(found, _)| *found == word);
    found.map(|(_, rest)| rest).collect()
}

fn words(word: &str) -> Vec<String> {
    let [list] = &all(word)[..] else { panic!("one {word}") };
    serde_json::from_str(list).unwrap()
}

#[test]
fn it_builds_with_our_toolchain_and_copies_what_is_built() {
    let channel = TOOLCHAIN.lines().find_map(|line| line.strip_prefix("channel = \"")).unwrap();
    let minor = channel.trim_end_matches('"').rsplit_once('.').unwrap().0;
    assert!(
        all("FROM")[0].starts_with(&format!("rust:{minor}-")),
        "{:?}, not {minor}",
        all("FROM")
    );
    let copies = all("COPY");
    let program = format!("--from=build /src/target/release/orderkeep {}", words("ENTRYPOINT")[0]);
    assert_eq!(copies, [". ".to_owned() + ".", program]);
    assert!(all("RUN")[0].contains("--locked -p orderkeep-cli"), "{:?}", all("RUN"));
    // What keeps the build's own output out of it lies beside it, under its name.
    let ignored =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/Dockerfile.dockerignore");
    assert!(fs::read_to_string(ignored).unwrap().lines().any(|line| line == "target"));
}

#[test]
fn what_it_starts_serves_with_its_own_variables_alone() {
    let stage = Stage::new("", "");
    let variables: BTreeMap<String, String> = all("ENV")[0]
        .split_whitespace()
        .map(|pair| pair.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap())
        .collect();
    let [volume] = &all("VOLUME")[..] else { panic!("one volume") };
    let mounted = stage.folder.path().join("volume");
    fs::create_dir(&mounted).unwrap();
    let mut command = orderkeep();
    command.env_clear().args(words("CMD"));
    for (name, value) in &variables {
        command.env(name, value.replace(volume, mounted.to_str().unwrap()));
    }
    // What whoever runs it must say.
    let said = [
        ("ORDERKEEP_LISTEN", stage.url.strip_prefix("http://").unwrap().to_owned()),
        ("ORDERKEEP_PROVIDER__BASE_URL", stage.control.clone()),
        ("ORDERKEEP_API_KEY", crate::stage::API_KEY.to_owned()),
        ("ORDERKEEP_WEBHOOK_TOKEN", crate::stage::TOKEN.to_owned()),
    ];
    command.envs(said);
    let _engine = stage.start_as(command);
    let (id, _) = stage.order("k");
    stage.to_executed(&id);
    let outside = fs::read_dir(&mounted).unwrap().count();
    assert_eq!(outside, 1, "everything that it keeps is in the volume");
    let log = fs::read_to_string(stage.folder.path().join("engine.log")).unwrap();
    let lines = log.lines().filter(|line| line.starts_with('{'));
    assert!(lines.count() >= 5, "one line of JSON for each step: {log}");
}
