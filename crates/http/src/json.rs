//! Bodies and queries, read with errors that say where.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::request::Parts,
};
use serde::{
    Deserialize as _, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Number;
use serde_path_to_error::{Path, Segment};

use crate::problem::Problem;

/// A JSON body. Fields that nobody knows are errors: a misspelt one must not be ignored.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_: BytesRejection| Problem::bad_request("the body ended early"))?;
        read(&bytes).map(Self)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // An array of the fields' values would be read too, and no order of them was ever agreed.
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::bad_request("body: an object is expected, this is an array"));
    }
    let mut body = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut body).map_err(|error| {
        let mut pointer = pointer(error.path());
        let why = error.into_inner().to_string();
        if let Some(field) = missing(&why) {
            pointer = format!("{pointer}/{field}");
        }
        Problem::bad_request(format!("body: {why}")).at(pointer)
    })?;
    body.end().map_err(|error| Problem::bad_request(format!("body: {error}")))?;
    Ok(read)
}

/// The field that is said to be missing.
fn missing(why: &str) -> Option<&str> {
    let (field, _) = why.strip_prefix("missing field `")?.split_once('`')?;
    Some(field)
}

/// Where in a body, as RFC 6901 writes it.
fn pointer(path: &Path) -> String {
    path.iter().fold(String::new(), |pointer, segment| match segment {
        Segment::Map { key } => format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Seq { index } => format!("{pointer}/{index}"),
        Segment::Enum { variant } => format!("{pointer}/{variant}"),
        Segment::Unknown => pointer,
    })
}

/// A whole number, or none. `3.0` is one, as JSON Schema counts and as some languages write it.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    let wrong = |_| D::Error::custom(format!("`{text}` is no whole number"));
    digits.parse().map(Some).map_err(wrong)
}

/// A query string.
#[derive(Debug)]
pub(crate) struct QueryOf<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let query = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(query).map(Self).map_err(|error| {
            let name = error.path().to_string();
            let why = error.into_inner().to_string();
            let name = missing(&why).map_or(name, str::to_owned);
            // Of the query as a whole.
            if matches!(name.as_str(), "." | "?") {
                return Problem::bad_request(format!("query: {why}"));
            }
            Problem::bad_request(format!("query: {name}: {why}")).in_parameter(name)
        })
    }
}

/// How many on a page: as asked, or the first of these, and never above the second.
pub(crate) fn limit(asked: Option<u32>, (usual, most): (usize, usize)) -> usize {
    asked.map_or(usual, |asked| usize::try_from(asked).unwrap_or(most)).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "whole")]
        seconds: Option<u64>,
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let seconds = |text: &str| read::<Body>(text.as_bytes()).map(|body| body.seconds);
        for (text, found) in [
            (r"{}", None),
            (r#"{"seconds":null}"#, None),
            (r#"{"seconds":0}"#, Some(0)),
            (r#"{"seconds":86400}"#, Some(86_400)),
            (r#"{"seconds":86400.0}"#, Some(86_400)),
        ] {
            assert_eq!(seconds(text).unwrap(), found, "{text}");
        }
        for text in [r#"{"seconds":1.5}"#, r#"{"seconds":-1}"#, r#"{"seconds":"1"}"#] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
