//! What a call that failed says: whether it can have had an effect.
//!
//! Pure. Decided by the provider's error code and the HTTP status *together*, and where they disagree, by the one that
//! is more careful: the provider answers `P500` and `P501` with HTTP 400.

use orderkeep_provider::{CallError, FailureClass};

use crate::{
    Answer, Fault,
    config::{CodeClass, CodeTable},
    wire::ErrorEnvelope,
};

/// The calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Rates,
    Lock,
    Create,
    Details,
}

impl Call {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rates => "rates",
            Self::Lock => "lock",
            Self::Create => "create",
            Self::Details => "details",
        }
    }

    /// Whether a no that we do not understand may still be believed. A lock that was taken after all costs nothing; an
    /// order that was made after all costs money.
    const fn harmless(self) -> bool {
        match self {
            Self::Rates | Self::Lock | Self::Details => true,
            Self::Create => false,
        }
    }
}

/// A call that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error: CallError,
    /// Whether the same read may go well a moment later.
    pub(crate) passing: bool,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let class = if fault.not_sent { FailureClass::NotSent } else { FailureClass::Ambiguous };
        Self {
            error: CallError { class, code: None, status: None, why: fault.why, retry_after: None },
            passing: true,
        }
    }
}

/// The class of an answer that is no success.
pub(crate) fn class(
    call: Call,
    status: u16,
    code: Option<&str>,
    codes: &CodeTable,
) -> FailureClass {
    let said = code.and_then(|code| codes.class(code));
    if said == Some(CodeClass::Ambiguous) {
        return FailureClass::Ambiguous;
    }
    match status {
        401 => FailureClass::Denied,
        // Who may not do this may not do it again either. But what stands before the provider also answers so, at times
        // after the call went through: a create needs the provider's own word that nothing was made.
        403 if code.is_some() || call.harmless() => FailureClass::Denied,
        429 => FailureClass::Throttled,
        400..=499 => match said {
            Some(CodeClass::Definite) => FailureClass::Definite,
            // Without the provider's error body it need not be the provider that said no.
            None if code.is_some() && call.harmless() => FailureClass::Definite,
            Some(CodeClass::Ambiguous) | None => FailureClass::Ambiguous,
        },
        _ => FailureClass::Ambiguous,
    }
}

/// What an answer that is no success says.
pub(crate) fn refused(call: Call, answer: &Answer, codes: &CodeTable) -> Failure {
    let envelope = answer.body.as_ref().ok().and_then(|body| ErrorEnvelope::read(body));
    let code = envelope.as_ref().map(|e| e.code.as_str());
    let class = class(call, answer.status, code, codes);
    let said = code.and_then(|code| codes.class(code));
    let why = match (&envelope, &answer.body) {
        (Some(ErrorEnvelope { code, name: Some(name) }), _) => {
            format!("HTTP {}, {code} {name}", answer.status)
        }
        (Some(ErrorEnvelope { code, name: None }), _) => format!("HTTP {}, {code}", answer.status),
        (None, Ok(_)) => format!("HTTP {} without the provider's error body", answer.status),
        (None, Err(fault)) => format!("HTTP {}, {}", answer.status, fault.why),
    };
    // A definite code under a status that contradicts it is told in words only, so that nobody acts on the code.
    let contradicted = said == Some(CodeClass::Definite) && class == FailureClass::Ambiguous;
    let code = if contradicted { None } else { code.map(str::to_owned) };
    Failure {
        passing: answer.status >= 500 || said == Some(CodeClass::Ambiguous),
        error: CallError {
            class,
            code,
            status: Some(answer.status),
            why,
            retry_after: answer.retry_after,
        },
    }
}

/// A success that cannot be read: it had its effect, and nobody knows which.
pub(crate) fn unreadable(status: u16, why: impl std::fmt::Display) -> Failure {
    Failure {
        passing: false,
        error: CallError {
            class: FailureClass::Ambiguous,
            code: None,
            status: Some(status),
            why: format!("HTTP {status}, and the answer cannot be read: {why}"),
            retry_after: None,
        },
    }
}
