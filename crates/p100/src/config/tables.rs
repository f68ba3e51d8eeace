//! The provider's words and what they mean: order statuses, error codes, "no such order".

use std::collections::{BTreeMap, BTreeSet};

use orderkeep_core::ProviderStatus;

/// The statuses that the provider's documents show.
const SEEN: [(&str, ProviderStatus); 2] = [
    ("WAITING_FOR_WALLET_ADDRESS", ProviderStatus::WaitingForWallet),
    ("WAITING_FOR_CONFIRMATION", ProviderStatus::Confirming),
];

/// Names that were not seen, in the style of the others.
const ASSUMED: [(&str, ProviderStatus); 6] = [
    ("WAITING_FOR_PAYMENT", ProviderStatus::AwaitingPayment),
    ("COMPLETED", ProviderStatus::Executed),
    ("EXPIRED", ProviderStatus::Expired),
    // Not an end: the payer may send the rest until the order's time is over, which then comes as EXPIRED.
    ("UNDERPAID", ProviderStatus::Confirming),
    ("FAILED", ProviderStatus::Failed),
    ("REVERSED", ProviderStatus::Reversed),
];

/// From the provider's word for an order's status to its meaning. Case does not matter; what is not listed is kept as
/// [`ProviderStatus::Unknown`] and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusTable(BTreeMap<String, ProviderStatus>);

impl StatusTable {
    /// The two documented words and one assumed word for each other meaning.
    #[must_use]
    pub fn documented() -> Self {
        Self(
            SEEN.into_iter()
                .chain(ASSUMED)
                .map(|(word, status)| (word.to_owned(), status))
                .collect(),
        )
    }

    /// One word more, or another meaning for one.
    #[must_use]
    pub fn with(mut self, word: &str, status: ProviderStatus) -> Self {
        self.0.insert(word.to_ascii_uppercase(), status);
        self
    }

    /// A word less, where an assumed one turned out to mean something else.
    #[must_use]
    pub fn without(mut self, word: &str) -> Self {
        self.0.remove(&word.to_ascii_uppercase());
        self
    }

    /// What a word means.
    #[must_use]
    pub fn status(&self, word: &str) -> ProviderStatus {
        self.0
            .get(&word.to_ascii_uppercase())
            .cloned()
            .unwrap_or_else(|| ProviderStatus::Unknown(word.to_owned()))
    }

    /// Every listed word, in upper case, and its meaning.
    pub fn words(&self) -> impl Iterator<Item = (&str, &ProviderStatus)> {
        self.0.iter().map(|(word, status)| (word.as_str(), status))
    }

    /// Whether the provider's documents show this word.
    #[must_use]
    pub fn is_seen(word: &str) -> bool {
        SEEN.iter().any(|(seen, _)| seen.eq_ignore_ascii_case(word))
    }
}

/// What one error code says about the call that got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeClass {
    /// A clear no: the call had no effect. Believed only together with an HTTP status of 4xx.
    Definite,
    /// The call may have had an effect, whatever the HTTP status is.
    Ambiguous,
}

/// From the provider's error code to what it says. A code that is not listed says nothing: a create that got it is
/// ambiguous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeTable(BTreeMap<String, CodeClass>);

impl CodeTable {
    /// The codes that the provider's documents list for a create. (seen: all four, the last two with HTTP 400)
    #[must_use]
    pub fn documented() -> Self {
        Self(BTreeMap::from([
            ("P403".to_owned(), CodeClass::Definite),
            ("P462".to_owned(), CodeClass::Definite),
            ("P500".to_owned(), CodeClass::Ambiguous),
            ("P501".to_owned(), CodeClass::Ambiguous),
        ]))
    }

    /// One code more, or another class for one.
    #[must_use]
    pub fn with(mut self, code: &str, class: CodeClass) -> Self {
        self.0.insert(code.to_ascii_uppercase(), class);
        self
    }

    /// What a code says, if it is listed.
    #[must_use]
    pub fn class(&self, code: &str) -> Option<CodeClass> {
        self.0.get(&code.to_ascii_uppercase()).copied()
    }

    /// Every listed code and what it says.
    pub fn codes(&self) -> impl Iterator<Item = (&str, CodeClass)> {
        self.0.iter().map(|(code, class)| (code.as_str(), *class))
    }
}

/// Which answers with HTTP 404 mean that there is no such order. (assumed: the code was not seen)
///
/// A 404 without the provider's error body never does: a proxy or a wrong path says that too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderNotFound {
    /// Any error code but those that are listed as ambiguous.
    AnyCode,
    /// Only these.
    Codes(BTreeSet<String>),
}

impl OrderNotFound {
    pub(crate) fn is_meant_by(&self, code: &str, codes: &CodeTable) -> bool {
        match self {
            Self::AnyCode => codes.class(code) != Some(CodeClass::Ambiguous),
            Self::Codes(listed) => listed.iter().any(|one| one.eq_ignore_ascii_case(code)),
        }
    }
}
