//! Webhooks out in the OpenAPI document: each type of event, with what its body holds.

use std::borrow::Cow;

use orderkeep_core::Event;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Content, HttpMethod, PathItem, Paths, Ref, RefOr, Required, Response, Schema,
        path::{OperationBuilder, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{AllOfBuilder, ObjectBuilder, Type},
    },
};

/// What an event is called: `orderkeep.order.` and what happened.
#[derive(Debug)]
pub(crate) enum EventType {}

fn types(names: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    let types = names.into_iter().map(orderkeep_outbox::event_type);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(types))
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        types(Event::NAMES)
            .description(Some("`orderkeep.order.` and what happened."))
            .build()
            .into()
    }
}

impl ToSchema for EventType {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("EventType")
    }
}

/// The kinds of events: the word for each, and what it holds.
fn kinds() -> Vec<(String, RefOr<Schema>)> {
    let RefOr::T(Schema::OneOf(kinds)) = Event::schema() else { return Vec::new() };
    let named = kinds.items.into_iter().filter_map(|kind| Some((word(&kind)?, kind)));
    named.collect()
}

/// The word itself, or the one field that it is.
fn word(kind: &RefOr<Schema>) -> Option<String> {
    let RefOr::T(Schema::Object(kind)) = kind else { return None };
    let itself = kind.enum_values.as_ref().and_then(|words| words.first()?.as_str());
    itself.map(str::to_owned).or_else(|| kind.properties.keys().next().cloned())
}

/// Every webhook that is sent. Their answers are the receiver's.
pub(crate) fn webhooks() -> Paths {
    let mut paths = Paths::new();
    for (name, kind) in kinds() {
        let what = description(&kind);
        let data = ObjectBuilder::new().property("event", kind);
        let narrowed = ObjectBuilder::new()
            .property(
                "type",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some([orderkeep_outbox::event_type(&name)])),
            )
            .property("data", data);
        let body = AllOfBuilder::new().item(Ref::from_schema_name("CloudEvent")).item(narrowed);
        let item = sent(&what, "application/json", body.into());
        paths.paths.insert(orderkeep_outbox::event_type(&name), item);
    }
    let test = ObjectBuilder::new()
        .property(
            "type",
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["orderkeep.test"])),
        )
        .required("type");
    let what = "Somebody asked for a test of this endpoint.";
    paths.paths.insert("orderkeep.test".to_owned(), sent(what, "application/json", test.into()));
    let what = "A webhook of the provider that is not about orders, passed on byte for byte to the configured address. \
                Its kind, account and arrival are in `orderkeep-webhook-kind`, `orderkeep-account` and \
                `orderkeep-received-at`.";
    let any = ObjectBuilder::new().schema_type(utoipa::openapi::schema::SchemaType::AnyValue);
    paths.paths.insert("other_webhooks".to_owned(), sent(what, "*/*", any.into()));
    paths
}

fn description(kind: &RefOr<Schema>) -> String {
    let RefOr::T(Schema::Object(kind)) = kind else { return String::new() };
    kind.description.clone().unwrap_or_default()
}

fn sent(what: &str, content_type: &str, body: RefOr<Schema>) -> PathItem {
    let header = |name: &str, says: &str| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(says))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    };
    let operation = OperationBuilder::new()
        .tag("webhooks out")
        .summary(Some(what))
        .parameter(header("webhook-id", "The event; the same at every attempt and replay."))
        .parameter(header("webhook-timestamp", "When this attempt was made, in seconds."))
        .parameter(header(
            "webhook-signature",
            "As Standard Webhooks has it; two of them while a secret is rotated.",
        ))
        .parameter(header("orderkeep-attempt", "1, 2, ..."))
        .request_body(Some(
            RequestBodyBuilder::new()
                .content(content_type, Content::new(Some(body)))
                .required(Some(Required::True))
                .build(),
        ))
        .response("2XX", Response::new("Taken; nothing else is"))
        .response("410", Response::new("Never again: the endpoint is disabled"))
        .response("default", Response::new("Not taken: it comes again"));
    PathItem::new(HttpMethod::Post, operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_event_is_described() {
        let described: Vec<String> = kinds().into_iter().map(|(name, _)| name).collect();
        assert_eq!(described, Event::NAMES);
        assert_eq!(webhooks().paths.len(), Event::NAMES.len() + 2);
    }
}
