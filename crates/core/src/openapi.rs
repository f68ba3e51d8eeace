//! How the words of the lifecycle look in JSON, where a type is written as text: for the description of an API that
//! tells them. The types that are objects derive theirs.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, SchemaFormat, Type},
    },
};

use crate::{
    AccountId, Address, Author, Currency, Exact, IdempotencyKey, LockId, Metadata, Network,
    OrderId, ProviderOrderId, Timestamp, TransactionHash,
};

/// A name without white space or control characters.
const NAME: &str = r"^[^\s\x00-\x1f\x7f-\x9f]+$";

macro_rules! text {
    ($type:ty, $name:literal, $description:literal $(, pattern = $pattern:expr)? $(, format = $format:literal)? $(, max = $max:expr)?) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($description));
                $(let text = text.pattern(Some($pattern));)?
                $(let text = text.format(Some(SchemaFormat::Custom($format.to_owned())));)?
                $(let text = text.min_length(Some(1)).max_length(Some($max));)?
                text.build().into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

text!(
    Exact,
    "Amount",
    "An exact decimal, never a float. As the provider wrote it, where it did.",
    pattern = r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
);
text!(Timestamp, "Time", "A moment, RFC 3339, in UTC.", format = "date-time");
text!(OrderId, "Id", "A UUID, version 7: ids sort by when they were made.", format = "uuid");
text!(
    Currency,
    "CurrencyCode",
    "A currency as the provider names it; case does not matter.",
    pattern = "^[A-Za-z0-9_-]{2,24}$"
);
text!(
    Network,
    "NetworkName",
    "A chain as the provider names it; case does not matter.",
    pattern = "^[A-Za-z0-9_-]{2,24}$"
);
text!(
    AccountId,
    "AccountId",
    "One credential of one provider in one environment.",
    pattern = NAME,
    max = AccountId::MAX_BYTES
);
text!(
    IdempotencyKey,
    "IdempotencyKey",
    "The caller's own key of a submit: the same key is the same order.",
    pattern = NAME,
    max = IdempotencyKey::MAX_BYTES
);
text!(
    LockId,
    "LockId",
    "The provider's name of a rate lock.",
    pattern = NAME,
    max = LockId::MAX_BYTES
);
text!(
    ProviderOrderId,
    "ProviderOrderId",
    "The provider's name of an order.",
    pattern = NAME,
    max = ProviderOrderId::MAX_BYTES
);
text!(Author, "Author", "A person or a service.", pattern = NAME, max = Author::MAX_BYTES);
text!(
    Address,
    "Address",
    "Where the payer sends the crypto.",
    pattern = NAME,
    max = Address::MAX_BYTES
);
text!(
    TransactionHash,
    "TransactionHash",
    "A transaction on the chain.",
    pattern = NAME,
    max = TransactionHash::MAX_BYTES
);

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        let text = |min: Option<usize>, max: usize| {
            ObjectBuilder::new().schema_type(Type::String).min_length(min).max_length(Some(max))
        };
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(text(Some(1), Self::NAME_CHARS_MAX)))
            .additional_properties(Some(text(None, Self::TEXT_CHARS_MAX)))
            .max_properties(Some(Self::ENTRIES_MAX))
            .description(Some(format!(
                "What the caller hangs on its order: at most {} names of 1 to {} characters, a text of at most {} for \
                 each, {} bytes in all.",
                Self::ENTRIES_MAX,
                Self::NAME_CHARS_MAX,
                Self::TEXT_CHARS_MAX,
                Self::BYTES_MAX,
            )))
            .build()
            .into()
    }
}

impl ToSchema for Metadata {}
