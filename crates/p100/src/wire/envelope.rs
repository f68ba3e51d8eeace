//! The provider's error body: `{"errorCode":"P462","errorName":"..."}`.

use super::Fields;

/// What the provider says is wrong. (seen)
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorEnvelope {
    /// Such as `P462`.
    pub(crate) code: String,
    /// Such as `sepa-transfer-not-found`.
    pub(crate) name: Option<String>,
}

impl ErrorEnvelope {
    /// `None`: this is no error body of the provider's.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let fields = Fields::read(body).ok()?;
        let code = fields.text("errorCode").ok()??;
        if !is_word(&code, 16) {
            return None;
        }
        let name = fields.text("errorName").ok().flatten().filter(|name| is_word(name, 64));
        Some(Self { code: code.to_ascii_uppercase(), name })
    }
}

/// Codes and names are short words; anything longer is not repeated in messages.
fn is_word(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}
