//! The token in a webhook's `Authorization` header.

use std::str::FromStr;

use subtle::{Choice, ConstantTimeEq as _};

use crate::secret::Secret;

/// How the provider writes the token. (assumed: the exact value of the header was not seen)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuthorizationForm {
    /// Either of the two others.
    Either,
    /// The token alone.
    Bare,
    /// `Bearer`, a space, the token.
    Bearer,
}

/// The text names no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown authorization form; write `either`, `bare` or `bearer`")]
pub struct BadAuthorizationForm;

impl FromStr for AuthorizationForm {
    type Err = BadAuthorizationForm;

    fn from_str(text: &str) -> Result<Self, BadAuthorizationForm> {
        match text {
            "either" => Ok(Self::Either),
            "bare" => Ok(Self::Bare),
            "bearer" => Ok(Self::Bearer),
            _ => Err(BadAuthorizationForm),
        }
    }
}

/// Whether the header carries one of the tokens. Every token is compared, whichever fits; only the *length* of what
/// was sent and of the tokens can be told from the time it takes.
pub(crate) fn is_authentic(
    form: AuthorizationForm,
    tokens: &[Secret],
    authorization: Option<&[u8]>,
) -> bool {
    let Some(header) = authorization else { return false };
    let (bare, bearer) = match form {
        AuthorizationForm::Either => (Some(header), after_bearer(header)),
        AuthorizationForm::Bare => (Some(header), None),
        AuthorizationForm::Bearer => (None, after_bearer(header)),
    };
    let mut fits = Choice::from(0);
    for token in tokens {
        for sent in [bare, bearer].into_iter().flatten() {
            fits |= token.expose().as_bytes().ct_eq(sent);
        }
    }
    fits.into()
}

/// The scheme's name has no case (RFC 9110), the token has.
fn after_bearer(header: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let (scheme, token) = header.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(token)
}
