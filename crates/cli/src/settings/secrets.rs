//! Secrets: each stands alone in a file of its own, or in a variable. The configuration holds only where it is, so that
//! no print, log or error can tell it.
//!
//! One rule for all: where a key says `X_file`, the variable of `X` may hold the secret itself. A file is better: a
//! variable is seen by whoever may look at the process.

use std::path::Path;

use orderkeep::AccountId;
use secrecy::{ExposeSecret as _, SecretString};

use super::Settings;
use crate::exit::Failure;

/// A secret that a variable holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InVariable {
    /// Of what it is the secret.
    pub(super) path: Vec<String>,
    /// The variable's whole name.
    pub(super) variable: String,
}

/// What the rest of a variable's name means, if it is a secret: the path of the key that could say `_file`.
pub(super) fn path(rest: &str) -> Option<Vec<String>> {
    let words: Vec<String> = rest.split("__").map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let path: &[&str] = match words.as_slice() {
        ["api_token"] => &["api_token"],
        // As short as the variables of the flags.
        ["api_key"] => &["provider", "api_key"],
        ["webhook_token"] => &["provider", "webhook_tokens"],
        ["provider", "api_key" | "webhook_tokens"]
        | ["accounts", _, "api_key" | "webhook_tokens"] => &words,
        _ => return None,
    };
    Some(path.iter().map(|word| (*word).to_owned()).collect())
}

impl InVariable {
    /// Notes where it is.
    pub(super) fn note(&self, settings: &mut Settings) -> Result<(), Failure> {
        let variable = Some(self.variable.clone());
        let (account, key) = match self.path.as_slice() {
            [_] => {
                settings.api_token_variable = variable;
                return Ok(());
            }
            [_, key] => (settings.provider.get_or_insert_default(), key),
            [_, account, key] => {
                let account = AccountId::new(account).map_err(|error| {
                    Failure::config(format_args!("the variable {}: {error}", self.variable))
                })?;
                (settings.accounts.entry(account).or_default(), key)
            }
            _ => return Ok(()),
        };
        match key.as_str() {
            "api_key" => account.api_key_variable = variable,
            _ => account.webhook_tokens_variable = variable,
        }
        Ok(())
    }
}

/// Two places for one secret are a mistake: the one that is not looked at would be changed in vain.
pub(super) fn one_place(key: &str, in_file: bool, variable: Option<&str>) -> Result<(), String> {
    match variable {
        Some(variable) if in_file => Err(format!(
            "both `{key}` and the variable {variable} say where the secret is; keep one"
        )),
        Some(_) | None => Ok(()),
    }
}

/// A token that stands alone in its file.
pub(crate) fn in_file(path: &Path) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::config(format_args!("cannot read the token in {}: {error}", path.display()))
    })?;
    alone(&text).ok_or_else(|| {
        let path = path.display();
        Failure::config(format_args!("{path} must hold the token alone, on one line"))
    })
}

/// A token that is all of a variable.
pub(crate) fn in_variable(name: &str) -> Result<SecretString, Failure> {
    let text = std::env::var(name).map(SecretString::from).ok();
    text.and_then(|text| alone(text.expose_secret())).ok_or_else(|| {
        Failure::config(format_args!("the variable {name} must hold the token alone"))
    })
}

fn alone(text: &str) -> Option<SecretString> {
    let word = text.trim_end_matches(['\r', '\n']);
    let fits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| SecretString::from(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_key_says_file_its_variable_may_hold_the_secret() {
        let of = |rest: &str| path(rest).map(|path| path.join("."));
        for (rest, expected) in [
            ("API_TOKEN", Some("api_token")),
            ("API_KEY", Some("provider.api_key")),
            ("WEBHOOK_TOKEN", Some("provider.webhook_tokens")),
            ("PROVIDER__API_KEY", Some("provider.api_key")),
            ("ACCOUNTS__EU__WEBHOOK_TOKENS", Some("accounts.eu.webhook_tokens")),
            ("PROVIDER__API_KEY_FILE", None),
            ("PROVIDER__BASE_URL", None),
            ("TLS_KEY", None),
        ] {
            assert_eq!(of(rest).as_deref(), expected, "{rest}");
        }
    }

    #[test]
    fn a_secret_has_one_place() {
        assert!(one_place("api_key_file", true, None).is_ok());
        assert!(one_place("api_key_file", false, Some("X")).is_ok());
        let said = one_place("api_key_file", true, Some("X")).unwrap_err();
        assert!(said.contains("`api_key_file`") && said.contains("variable X"), "{said}");
    }

    #[test]
    fn a_token_is_one_word() {
        assert_eq!(alone("a-b.c\r\n").unwrap().expose_secret(), "a-b.c");
        for wrong in ["", "\n", "a b", "a\nb", "\u{e9}"] {
            assert!(alone(wrong).is_none(), "{wrong:?}");
        }
    }
}
