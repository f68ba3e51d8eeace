//! Secrets are planted in every test of the daemon; at its end everything that it wrote is searched for them: logs,
//! store, keys, backups. Only the files that they came from may hold them.

use std::{fs, path::Path};

use crate::stage::{API_KEY, TOKEN};

/// Where a test itself puts secrets.
const OWN: [&str; 3] = ["api-key", "token", "provider.toml"];

/// Every file that holds one of these.
fn holders(folder: &Path, secrets: &[&str], found: &mut Vec<String>) {
    // A file may go while it is looked for.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            holders(&path, secrets, found);
        } else if !OWN.iter().any(|own| path.ends_with(own)) {
            let bytes = fs::read(&path).unwrap_or_default();
            // What is no text is replaced; the secrets are text, and stay.
            let text = String::from_utf8_lossy(&bytes);
            if secrets.iter().any(|secret| text.contains(secret)) {
                found.push(path.display().to_string());
            }
        }
    }
}

/// Fails if a secret stands where it does not belong.
pub(crate) fn look(folder: &Path) {
    let mut found = Vec::new();
    holders(folder, &[API_KEY, TOKEN], &mut found);
    assert!(found.is_empty(), "a secret is in {found:?}");
}

#[test]
fn a_secret_that_gets_out_is_found() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), TOKEN).unwrap();
    look(folder.path());
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/db"), format!("\0\u{1}{TOKEN}\0")).unwrap();
    let mut found = Vec::new();
    holders(folder.path(), &[API_KEY, TOKEN], &mut found);
    assert_eq!(found, [folder.path().join("data/db").display().to_string()]);
}
