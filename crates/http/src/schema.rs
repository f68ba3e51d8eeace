//! How words look in JSON, for the OpenAPI document, where the lifecycle has no type of its own for them.

use orderkeep_core::Exact;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, OneOfBuilder, SchemaType, Type},
    },
};

macro_rules! text {
    ($(#[doc = $doc:literal])* $name:ident $(, pattern = $pattern:literal)? $(, max = $max:expr)?) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),*).trim()));
                $(let text = text.pattern(Some($pattern));)?
                $(let text = text.min_length(Some(1)).max_length(Some($max));)?
                text.build().into()
            }
        }

        impl ToSchema for $name {}
    };
}

text! {
    /// An exact decimal that may be below zero.
    Difference, pattern = r"^-?[0-9]+(\.[0-9]+)?$"
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
            .item(Exact::schema())
            .item(number)
            .description(Some(
                "An exact decimal: text, or a number that is read digit by digit and never through a float. At most 28 digits.",
            ))
            .build();
        RefOr::T(Schema::OneOf(either))
    }
}

impl ToSchema for AmountSent {}

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
