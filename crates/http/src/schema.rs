//! How the words of the lifecycle look in JSON, for the OpenAPI document: where a type of ours is written as text.

use orderkeep_core::Metadata as Kept;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, OneOfBuilder, SchemaFormat, SchemaType, Type},
    },
};

macro_rules! text {
    ($(#[doc = $doc:literal])* $name:ident $(, format = $format:literal)? $(, pattern = $pattern:literal)? $(, max = $max:expr)?) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),*).trim()));
                $(let text = text.format(Some(SchemaFormat::Custom($format.to_owned())));)?
                $(let text = text.pattern(Some($pattern));)?
                $(let text = text.min_length(Some(1)).max_length(Some($max));)?
                text.build().into()
            }
        }

        impl ToSchema for $name {}
    };
}

text! {
    /// An exact decimal, never a float. As the provider wrote it, where it did.
    Amount, pattern = r"^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
}
text! {
    /// An exact decimal that may be below zero.
    Difference, pattern = r"^-?[0-9]+(\.[0-9]+)?$"
}
text! {
    /// A moment, RFC 3339, in UTC.
    Time, format = "date-time"
}
text! {
    /// A UUID, version 7: ids sort by when they were made.
    Id, format = "uuid"
}
text! {
    /// A currency as the provider names it; case does not matter.
    CurrencyCode, pattern = "^[A-Za-z0-9_-]{2,24}$"
}
text! {
    /// A chain as the provider names it; case does not matter.
    NetworkName, pattern = "^[A-Za-z0-9_-]{2,24}$"
}
text! {
    /// A name without white space.
    Word, pattern = r"^\S+$", max = 128
}
text! {
    /// Text for people: not empty, at most 2,000 bytes.
    Text, max = 2_000
}

/// An amount that a caller sends: text, or a JSON number that is read digit by digit.
#[derive(Debug)]
pub enum AmountSent {}

impl PartialSchema for AmountSent {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Number).minimum(Some(0));
        let either = OneOfBuilder::new()
            .item(Amount::schema())
            .item(number)
            .description(Some(
                "An exact decimal: text, or a number that is read digit by digit and never through a float. At most 28 digits.",
            ))
            .build();
        RefOr::T(Schema::OneOf(either))
    }
}

impl ToSchema for AmountSent {}

/// What a caller hangs on its order.
#[derive(Debug)]
pub enum Metadata {}

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        let text = |min: Option<usize>, max: usize| {
            ObjectBuilder::new().schema_type(Type::String).min_length(min).max_length(Some(max))
        };
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property_names(Some(text(Some(1), Kept::NAME_CHARS_MAX)))
            .additional_properties(Some(text(None, Kept::TEXT_CHARS_MAX)))
            .max_properties(Some(Kept::ENTRIES_MAX))
            .description(Some(format!(
                "Names with a text each: at most {} of them, a name of 1 to {} characters, a text of at most {}; {} bytes in all.",
                Kept::ENTRIES_MAX,
                Kept::NAME_CHARS_MAX,
                Kept::TEXT_CHARS_MAX,
                Kept::BYTES_MAX,
            )))
            .build()
            .into()
    }
}

impl ToSchema for Metadata {}

/// A value of the lifecycle as it is written in the history: a word, or an object with that word as its one field.
#[derive(Debug)]
pub enum Tagged {}

impl PartialSchema for Tagged {
    fn schema() -> RefOr<Schema> {
        let named = ObjectBuilder::new()
            .schema_type(Type::Object)
            .min_properties(Some(1))
            .max_properties(Some(1))
            .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(
                true,
            )));
        let either = OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(named)
            .description(Some(
                "A word, or an object whose one field is that word and holds what belongs to it.",
            ))
            .build();
        RefOr::T(Schema::OneOf(either))
    }
}

impl ToSchema for Tagged {}

/// The provider's whole answer to a lock, passed on as it came.
#[derive(Debug)]
pub enum LockAnswer {}

impl PartialSchema for LockAnswer {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::Object))
            .description(Some("The provider's whole answer to a lock, passed on as it came."))
            .build()
            .into()
    }
}

impl ToSchema for LockAnswer {}
