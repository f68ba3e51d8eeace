//! The keys of the API: made here, shown once, kept hashed beside the data folder. A running daemon reads them anew
//! within a second.

pub(crate) mod file;

use std::path::Path;

use jiff::SpanRelativeTo;
use orderkeep::{
    Author, Clock as _, SystemClock, Timestamp,
    http::{Key, Scope},
};
use rand::RngCore as _;
use serde_json::json;

use crate::{
    args::{KeysArgs, KeysCommand, OutputFormat},
    exit::{self, Failure, say},
    output,
};

pub(crate) fn run(args: KeysArgs) -> Result<(), Failure> {
    let path = file::beside(&args.data);
    match args.command {
        KeysCommand::Create { name, scope, expires } => {
            create(&path, &name, scope, expires.as_deref(), args.output)
        }
        KeysCommand::Rotate { name, overlap, expires } => {
            rotate(&path, &name, &overlap, expires.as_deref(), args.output)
        }
        KeysCommand::List => list(&path, args.output),
        KeysCommand::Revoke { key } => revoke(&path, &key),
    }
}

fn hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn create(
    path: &Path,
    name: &str,
    scope: Scope,
    expires: Option<&str>,
    format: OutputFormat,
) -> Result<(), Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::new(exit::USAGE, error.to_string());
    let name = Author::new(name).map_err(|error| usage(&error))?;
    let now = SystemClock.now();
    let expires_at = expires.map(|text| end("--expires", text, now)).transpose()?;
    let (key, secret) = fresh(name, scope, expires_at);
    let id = key.id.clone();
    file::change(path, |keys| {
        keys.push(key);
        Ok(())
    })?;
    show(&id, &secret, format);
    Ok(())
}

/// A key, and its secret, which is kept nowhere.
fn fresh(name: Author, scope: Scope, expires_at: Option<Timestamp>) -> (Key, String) {
    let id = hex(4);
    let secret = format!("ok_{id}_{}", hex(32));
    let sha256 = Key::hash(secret.as_bytes());
    let created_at = SystemClock.now();
    (Key { id, name, scope, sha256, created_at, expires_at, revoked_at: None }, secret)
}

fn show(id: &str, secret: &str, format: OutputFormat) {
    say("this key is shown once and kept nowhere; callers send it as `Authorization: Bearer`");
    match format {
        OutputFormat::Json => output::json(&json!({ "id": id, "key": secret })),
        OutputFormat::Table => output::line(secret),
    }
}

/// A new key with the scope of the newest good one of its name; the good ones end after the overlap, if not before.
fn rotate(
    path: &Path,
    name: &str,
    overlap: &str,
    expires: Option<&str>,
    format: OutputFormat,
) -> Result<(), Failure> {
    let now = SystemClock.now();
    let old_end = if overlap == "0" { now } else { end("--overlap", overlap, now)? };
    let expires_at = expires.map(|text| end("--expires", text, now)).transpose()?;
    let (id, secret, old) = file::change(path, |keys| {
        let is_old = |key: &Key| key.name.as_str() == name && key.is_good(now);
        let Some(newest) = keys.iter().filter(|key| is_old(key)).max_by_key(|key| key.created_at)
        else {
            let why = format!("no good key `{name}`; see `orderkeep keys list`");
            return Err(Failure::new(exit::NOT_FOUND, why));
        };
        let (key, secret) = fresh(newest.name.clone(), newest.scope, expires_at);
        let mut old = Vec::new();
        for key in keys.iter_mut().filter(|key| is_old(key)) {
            key.expires_at = Some(key.expires_at.map_or(old_end, |end| end.min(old_end)));
            old.push(key.id.clone());
        }
        let id = key.id.clone();
        keys.push(key);
        Ok((id, secret, old))
    })?;
    say(format_args!("good until {old_end} at most: {}", old.join(", ")));
    show(&id, &secret, format);
    Ok(())
}

/// A point in time: a date, a time, or so long from now.
fn end(flag: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let wrong =
        || Failure::new(exit::USAGE, format!("{flag} `{text}`: write it like 2027-01-31 or 90d"));
    let at = if let Ok(at) = text.parse::<Timestamp>() {
        at
    } else if let Ok(day) = text.parse::<jiff::civil::Date>() {
        format!("{day}T00:00:00Z").parse().map_err(|_| wrong())?
    } else {
        let span: jiff::Span = text.parse().map_err(|_| wrong())?;
        let lasts = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())?;
        now.plus(lasts.try_into().map_err(|_| wrong())?)
    };
    if at <= now { Err(wrong()) } else { Ok(at) }
}

fn list(path: &Path, format: OutputFormat) -> Result<(), Failure> {
    let keys = file::read(path)?;
    match format {
        OutputFormat::Json => {
            let shown = keys.iter().map(|key| {
                json!({
                    "id": key.id, "name": key.name, "scope": key.scope, "createdAt": key.created_at,
                    "expiresAt": key.expires_at, "revokedAt": key.revoked_at,
                })
            });
            output::json(&shown.collect::<Vec<_>>());
        }
        OutputFormat::Table => output::table(
            ["id", "name", "scope", "created", "expires", "state"],
            keys.iter().map(|key| {
                let shown = |at: Option<Timestamp>| at.map_or(String::new(), |at| at.to_string());
                let state = match (key.revoked_at, key.is_good(SystemClock.now())) {
                    (Some(at), _) => format!("revoked {at}"),
                    (None, true) => "good".to_owned(),
                    (None, false) => "expired".to_owned(),
                };
                [
                    key.id.clone(),
                    key.name.to_string(),
                    key.scope.to_string(),
                    key.created_at.to_string(),
                    shown(key.expires_at),
                    state,
                ]
            }),
        ),
    }
    Ok(())
}

fn revoke(path: &Path, which: &str) -> Result<(), Failure> {
    let now = SystemClock.now();
    let revoked = file::change(path, |keys| {
        let named = |key: &&mut Key| key.id == which || key.name.as_str() == which;
        let mut revoked = Vec::new();
        for key in keys.iter_mut().filter(named).filter(|key| key.revoked_at.is_none()) {
            key.revoked_at = Some(now);
            revoked.push(key.id.clone());
        }
        if revoked.is_empty() {
            let why = format!("no key `{which}` that is not revoked; see `orderkeep keys list`");
            return Err(Failure::new(exit::NOT_FOUND, why));
        }
        Ok(revoked)
    })?;
    say(format_args!("revoked: {}", revoked.join(", ")));
    Ok(())
}
