//! What the derives cannot say.

use utoipa::openapi::{
    RefOr, Required, Schema,
    link::LinkBuilder,
    path::Operation,
    schema::{SchemaType, Type},
};

/// A parameter that is not given is absent: none can be `null`.
pub(super) fn parameters(operation: &mut Operation) {
    let waits = operation.operation_id.as_deref() == Some("waitForOrder");
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        // Of one whose schema is written by hand, the derive does not know it.
        if waits && parameter.name == "for" {
            parameter.required = Required::True;
        }
        if let Some(schema) = &mut parameter.schema {
            never_null(schema);
        }
    }
}

fn never_null(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::OneOf(either)) => {
            either.items.retain(|item| !is_null(item));
            if let [only] = either.items.as_slice() {
                *schema = only.clone();
            }
        }
        RefOr::T(Schema::Object(object)) => {
            let only = match &object.schema_type {
                SchemaType::Array(types) => types.iter().find(|of| **of != Type::Null).cloned(),
                SchemaType::Type(_) | SchemaType::AnyValue => None,
            };
            if let Some(only) = only {
                object.schema_type = SchemaType::Type(only);
            }
        }
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

/// What made something answers the name that it goes by from then on.
pub(super) fn links(operation: &mut Operation) {
    let named: &[&str] = match operation.operation_id.as_deref() {
        Some("submitOrder") => &[
            "getOrder",
            "getOrderHistory",
            "explainOrder",
            "waitForOrder",
            "cancelOrder",
            "retryOrder",
            "adoptProviderOrder",
            "resolveOrder",
            "postOrderAgain",
            "noteOrder",
        ],
        Some("createWebhookEndpoint") => &[
            "getWebhookEndpoint",
            "updateWebhookEndpoint",
            "deleteWebhookEndpoint",
            "rotateWebhookSecret",
            "enableWebhookEndpoint",
            "disableWebhookEndpoint",
            "testWebhookEndpoint",
            "replayWebhooks",
            "listDeliveries",
        ],
        _ => &[],
    };
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        if !status.starts_with('2') {
            continue;
        }
        for name in named {
            let link = LinkBuilder::new().operation_id(*name).parameter("id", "$response.body#/id");
            response.links.insert((*name).to_owned(), link.build().into());
        }
    }
}
