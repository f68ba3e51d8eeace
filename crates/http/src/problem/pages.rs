//! The pages about errors, as the engine serves them: where a problem's `type` leads.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

use super::{Code, Problem, code};

fn markdown(page: String) -> Response {
    ([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], page).into_response()
}

/// All codes.
#[utoipa::path(get, path = "/docs/errors", tag = "watching", operation_id = "listErrorPages", security(()),
    responses((status = 200, body = String, content_type = "text/markdown", description = "The page")))]
pub(crate) async fn error_index() -> Response {
    markdown(code::index())
}

/// One code: where a problem's `type` leads.
#[utoipa::path(get, path = "/docs/errors/{code}", tag = "watching", operation_id = "getErrorPage", security(()),
    params(("code" = String, Path, description = "The code.")),
    responses((status = 200, body = String, content_type = "text/markdown", description = "The page")))]
pub(crate) async fn error_page(Path(code): Path<String>) -> Result<Response, Problem> {
    let named = Code::ALL.iter().find(|known| known.as_str() == code.trim_end_matches(".md"));
    let known = named.ok_or_else(|| {
        let detail = "there is no such error code; /docs/errors lists them";
        Problem::new(Code::NoSuchPath, detail)
    })?;
    Ok(markdown(known.page()))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    /// `UPDATE_DOCS=1` writes them anew.
    #[test]
    fn a_page_stands_for_each_code_and_for_nothing_else() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let mut wanted: BTreeMap<String, String> =
            Code::ALL.iter().map(|code| (format!("{}.md", code.as_str()), code.page())).collect();
        wanted.insert("README.md".to_owned(), code::index());
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::create_dir_all(&folder).unwrap();
            for (name, page) in &wanted {
                fs::write(folder.join(name), page).unwrap();
            }
        }
        let found: BTreeMap<String, String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        assert_eq!(found, wanted, "run with UPDATE_DOCS=1");
    }
}
