//! API keys and webhook tokens: where they come from, and that they are never shown.

use std::{env, fmt, fs::File, io::Read as _, path::Path};

use secrecy::{ExposeSecret as _, SecretString};

/// A credential. It has no `Display`, its `Debug` hides it, and its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

/// Why a text cannot be a credential, or could not be had. Never says the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing in it.
    #[error("the secret from {origin} is empty; write the credential there")]
    Empty {
        /// Where it was looked for.
        origin: String,
    },
    /// Longer than [`Secret::MAX_BYTES`].
    #[error(
        "the secret from {origin} is longer than {} bytes; is that the right file?",
        Secret::MAX_BYTES
    )]
    TooLong {
        /// Where it was looked for.
        origin: String,
    },
    /// It could not travel in a header.
    #[error(
        "the secret from {origin} holds white space, a control or a non-ASCII character; \
         write the credential alone, on one line"
    )]
    NotOneWord {
        /// Where it was looked for.
        origin: String,
    },
    /// Its file or variable could not be read.
    #[error("cannot read the secret from {origin}: {why}")]
    Unreadable {
        /// Where it was looked for.
        origin: String,
        /// In words.
        why: String,
    },
}

impl Secret {
    /// The longest one that is taken, in bytes: far above any key, far below any wrong file.
    pub const MAX_BYTES: usize = 4096;

    /// From a text that the caller already has. A line end after it is cut off.
    ///
    /// # Errors
    /// Empty, too long, or not one printable ASCII word.
    pub fn new(text: impl Into<String>) -> Result<Self, SecretError> {
        Self::checked(text.into(), "the given text")
    }

    /// From a file that holds nothing else. Line ends after it are cut off.
    ///
    /// A file that everybody on the machine can read is reported with a warning and still taken: mounted container
    /// secrets have that mode by default, and there nobody else is on the machine.
    ///
    /// # Errors
    /// As [`Secret::new`], or the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        let origin = format!("the file {}", path.display());
        let unreadable = |why: &dyn fmt::Display| SecretError::Unreadable {
            origin: origin.clone(),
            why: why.to_string(),
        };
        let file = File::open(path).map_err(|e| unreadable(&e))?;
        warn_if_open_to_all(&file, path);
        let mut text = String::new();
        // One byte more than fits shows that there is more, without reading a file without an end.
        let limit = Self::MAX_BYTES + LINE_END_BYTES + 1;
        file.take(limit as u64).read_to_string(&mut text).map_err(|e| unreadable(&e))?;
        Self::checked(text, &origin)
    }

    /// From a variable of the environment.
    ///
    /// # Errors
    /// As [`Secret::new`], or the variable is not set.
    pub fn from_env(name: &str) -> Result<Self, SecretError> {
        let origin = format!("the variable {name}");
        match env::var(name) {
            Ok(text) => Self::checked(text, &origin),
            Err(env::VarError::NotPresent) => {
                Err(SecretError::Unreadable { origin, why: "it is not set".to_owned() })
            }
            Err(env::VarError::NotUnicode(_)) => Err(SecretError::NotOneWord { origin }),
        }
    }

    fn checked(text: String, origin: &str) -> Result<Self, SecretError> {
        let whole = SecretString::from(text);
        let word = whole.expose_secret().trim_end_matches(['\r', '\n']);
        let origin = origin.to_owned();
        if word.is_empty() {
            Err(SecretError::Empty { origin })
        } else if word.len() > Self::MAX_BYTES {
            Err(SecretError::TooLong { origin })
        } else if !word.bytes().all(|b| b.is_ascii_graphic()) {
            Err(SecretError::NotOneWord { origin })
        } else {
            Ok(Self(SecretString::from(word)))
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// `\r\n`, as some editors end a line.
const LINE_END_BYTES: usize = 2;

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(unix)]
fn warn_if_open_to_all(file: &File, path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    const READ_BY_OTHERS: u32 = 0o004;
    let open_to_all =
        file.metadata().is_ok_and(|meta| meta.permissions().mode() & READ_BY_OTHERS != 0);
    if open_to_all {
        tracing::warn!(
            path = %path.display(),
            "everybody on this machine can read this secret; unless it is mounted into a container, chmod 600 it"
        );
    }
}

#[cfg(not(unix))]
fn warn_if_open_to_all(_: &File, _: &Path) {}
