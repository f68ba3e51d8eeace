//! Every code that a problem can have: its status, what it means, what to do. The pages under `docs/errors/` and the
//! OpenAPI document are made from this table.

use axum::http::StatusCode;

/// What the table says of one code.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The stable word.
    pub(crate) code: &'static str,
    /// Its one status.
    pub(crate) status: StatusCode,
    /// A few words for a person; the same for every occurrence.
    pub(crate) title: &'static str,
    /// When it is answered.
    pub(crate) means: &'static str,
    /// What the caller can do about it.
    pub(crate) to_do: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:ident, $title:literal, $means:literal, $to_do:literal;)*) => {
        /// A stable name of an error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($name,)*
        }

        impl Code {
            /// All of them.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// See [`Entry`].
            pub(crate) const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$name => &Entry {
                        code: $code,
                        status: StatusCode::$status,
                        title: $title,
                        means: $means,
                        to_do: $to_do,
                    },)*
                }
            }
        }
    };
}

codes! {
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read",
        "A field, query parameter or header is missing, unknown, or not of the form it must have. Nothing was done.",
        "Read `detail`; `pointer` or `parameter` says where. Send it again as the OpenAPI document has it: the same request fails again.";
    Malformed = "malformed", BAD_REQUEST, "No webhook of the provider",
        "The token was right, but the body is no webhook that the provider sends.",
        "Check what is sent to this path; only the provider should.";
    Unauthorized = "unauthorized", UNAUTHORIZED, "No valid key",
        "There is no key in `Authorization: Bearer`, or it is unknown, revoked or has expired. For webhooks: no valid webhook token.",
        "Send a key of this engine (`orderkeep keys create`). For webhooks, compare the token with the one the provider was given.";
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The key may not do this",
        "The key is good, and its scope is too small for this route.",
        "Use a key with the scope that `detail` names.";
    NoSuchPath = "no_such_path", NOT_FOUND, "There is nothing here",
        "No route has this path.",
        "Compare the path with the OpenAPI document, `/v1/openapi.json`.";
    NoSuchAccount = "no_such_account", NOT_FOUND, "No such account",
        "The account is not in the configuration.",
        "Name an account that is, or leave it out for the default one.";
    NoSuchOrder = "no_such_order", NOT_FOUND, "No such order",
        "No order has this id.",
        "Use the `id` that the submit answered, or look it up by `reference`.";
    NoSuchWebhookEndpoint = "no_such_webhook_endpoint", NOT_FOUND, "No such webhook endpoint",
        "No endpoint for outgoing webhooks has this id.",
        "List the endpoints (`GET /v1/webhook-endpoints`, `orderkeep webhooks list`) and use an `id` from there.";
    NoSuchEvent = "no_such_event", NOT_FOUND, "No such event",
        "The feed has no event with this id, or not any more.",
        "Use the `id` of an event from `GET /v1/events`, or replay from a time with `since`.";
    TooManyWebhookEndpoints = "too_many_webhook_endpoints", CONFLICT, "There are enough webhook endpoints",
        "Another endpoint would be one more than an engine serves.",
        "Delete one that is not needed, or let one receiver pass events on.";
    NoSuchMethod = "no_such_method", METHOD_NOT_ALLOWED, "This path does not take this method",
        "The path exists, with other methods; `Allow` names them.",
        "Compare the method with the OpenAPI document.";
    TimedOut = "timed_out", REQUEST_TIMEOUT, "The request took too long",
        "No answer was found within the limit. What was asked may have been done.",
        "Ask again. A submit with the same `Idempotency-Key` is the same order.";
    Refused = "refused", CONFLICT, "The order does not allow it now",
        "The lifecycle refuses the command in the order's present state; `refusal` says why in a word.",
        "Read the order (`/explain` says what can be done), then decide anew.";
    LockTaken = "lock_taken", CONFLICT, "The lock belongs to another order",
        "One lock makes one order, and this one has its order, which `detail` names.",
        "Use that order, or take another lock.";
    Configured = "configured", CONFLICT, "The configuration makes it",
        "The endpoint that passes the provider's other webhooks on is what `webhooks.forward_url` says.",
        "Change the configuration.";
    NotRestored = "not_restored", CONFLICT, "Nothing is held",
        "The store did not begin as an older copy, so there is no hold to lift.",
        "Nothing.";
    VersionMismatch = "version_mismatch", PRECONDITION_FAILED, "The order has moved",
        "`If-Match` names a version of the order that is not its present one. Nothing was done.",
        "Read the order again, decide anew, and send its new `ETag`.";
    CursorGone = "cursor_gone", GONE, "The feed does not go back so far",
        "The cursor is older than what is kept, or of another life of the store.",
        "Read the orders anew, then go on from `oldestCursor`.";
    OrderLeft = "order_left", GONE, "The order was here, and is let go of",
        "The `Idempotency-Key` or the lock belongs to an order that has ended, and that was let go of after the configured `retention`.",
        "Nothing is to be done about that order. Another sale needs a new key and a new lock.";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is too long",
        "The body is longer than this route takes. Nothing was done.",
        "Send less.";
    Compressed = "compressed", UNSUPPORTED_MEDIA_TYPE, "Compressed bodies are not taken",
        "The webhook has a `Content-Encoding`.",
        "Send it plain.";
    TermsMismatch = "terms_mismatch", UNPROCESSABLE_ENTITY, "The terms do not fit",
        "The terms make no sense, or are not those of the lock that this engine took.",
        "Send the terms as the provider gave them, or only the `lockId` of a lock taken here.";
    UnknownLock = "unknown_lock", UNPROCESSABLE_ENTITY, "The lock was not taken here",
        "Only the `lockId` was sent, and this engine does not know the terms of that lock.",
        "Send the provider's whole answer as `lockAnswer`, or take the lock with `POST /v1/locks`.";
    BadLockAnswer = "bad_lock_answer", UNPROCESSABLE_ENTITY, "No lock answer of the provider",
        "`lockAnswer` is not what the provider answers to a lock.",
        "Pass the provider's body on as it came.";
    KeyConflict = "key_conflict", UNPROCESSABLE_ENTITY, "The idempotency key belongs to another order",
        "An order was submitted with this `Idempotency-Key` and another body.",
        "A retry must send the same body; another order needs another key.";
    ReferenceTooLong = "reference_too_long", UNPROCESSABLE_ENTITY, "The reference is too long",
        "`reference` is longer than what `detail` says.",
        "Send a shorter one.";
    ReportTooLarge = "report_too_large", UNPROCESSABLE_ENTITY, "Too many orders for one report",
        "The day has more orders than one report holds.",
        "Ask for each account alone, or read the orders page by page with `createdAfter` and `createdBefore`.";
    ProviderRefused = "provider_refused", UNPROCESSABLE_ENTITY, "The provider refuses it",
        "The provider answered with a clear no; `providerCode` is its own code.",
        "Change what was asked. The same request fails again.";
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "The key asks too often",
        "The key has used up its rate.",
        "Wait as long as `Retry-After` says.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "A fault of the engine",
        "What should not be. The log says more.",
        "Ask again with the same `Idempotency-Key`; if it stays, look into the engine's log and report it.";
    ProviderDenied = "provider_denied", BAD_GATEWAY, "The provider denies our credential",
        "The provider answers 401. All calls of the account stop until its credential is good; no order fails of it.",
        "An operator must renew the account's credential.";
    ProviderUnreachable = "provider_unreachable", BAD_GATEWAY, "The provider does not answer well",
        "The call was not sent, or its outcome is unknown.",
        "Ask again later.";
    ProviderThrottled = "provider_throttled", SERVICE_UNAVAILABLE, "The provider asks for patience",
        "The provider limits how often it is called.",
        "Wait as long as `Retry-After` says.";
    Busy = "busy", SERVICE_UNAVAILABLE, "As much as can be is being done",
        "A limit on what is done at once is reached.",
        "Wait as long as `Retry-After` says, then ask again.";
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE, "The engine is going down",
        "The engine finishes what it began and takes nothing new.",
        "Ask again; it is back after its restart.";
    Halted = "halted", SERVICE_UNAVAILABLE, "The engine has halted",
        "The store can no longer promise anything, so the engine does nothing. What was answered before is safe.",
        "An operator must see to the reason in `detail` and restart it.";
    DiskFull = "disk_full", INSUFFICIENT_STORAGE, "The disk is full",
        "New orders are refused, everything else goes on. Nothing is lost.",
        "Make room; it recovers by itself. Ask again with the same `Idempotency-Key`.";
}

impl Code {
    /// The stable word.
    pub(crate) const fn as_str(self) -> &'static str {
        self.entry().code
    }

    /// The page about it, as this engine serves it: the problem's `type`.
    pub(crate) fn path(self) -> String {
        format!("/docs/errors/{}", self.as_str())
    }

    /// The page about it, in Markdown.
    pub(crate) fn page(self) -> String {
        let Entry { code, status, title, means, to_do } = self.entry();
        format!("# `{code}`: {title}\n\nStatus: {status}\n\n{means}\n\n**What to do:** {to_do}\n")
    }
}

/// All codes in one table, in Markdown.
pub(crate) fn index() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery error is a problem (RFC 9457, `application/problem+json`): `type` (the page below, served by the \
         engine), `title`, `status`, `code`, `detail`, `toDo`; where it can be said, `pointer` (a JSON pointer into the \
         body) or `parameter`. `code` never changes its meaning.\n\n| code | status | means |\n| --- | --- | --- |\n",
    );
    for code in Code::ALL {
        let Entry { code, status, title, .. } = code.entry();
        page.push_str(&format!("| [`{code}`]({code}.md) | {} | {title} |\n", status.as_u16()));
    }
    page
}
