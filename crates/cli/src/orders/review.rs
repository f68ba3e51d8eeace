//! What needs a person, oldest question first, with the commands that settle it.

use std::io::Write as _;

use serde_json::Value;

use super::{pages, text};
use crate::{
    args::OutputFormat,
    client::Client,
    exit::{Failure, say},
    output,
};

pub(crate) async fn run(
    client: &Client,
    reason: Option<&str>,
    limit: usize,
    format: OutputFormat,
) -> Result<(), Failure> {
    let orders = pages(client, "/v1/orders?review=true", limit).await?;
    let mut questions: Vec<Value> = orders.iter().flat_map(asked).collect();
    if let Some(reason) = reason {
        questions.retain(|question| question["reason"] == *reason);
    }
    questions.sort_by_key(|question| text(&question["since"]));
    match format {
        OutputFormat::Json => output::json(&questions),
        OutputFormat::Table => {
            for question in &questions {
                drop(writeln!(std::io::stdout(), "{}", paragraph(question)));
            }
            match questions.len() {
                0 => say("nothing needs a person"),
                1 => say("1 question is open"),
                many => say(format_args!("{many} questions are open")),
            }
        }
    }
    Ok(())
}

/// The questions of one order, each with what identifies it.
fn asked(order: &Value) -> Vec<Value> {
    let questions = order["review"].as_array().into_iter().flatten();
    questions
        .map(|question| {
            let mut question = question.clone();
            question["orderId"] = order["id"].clone();
            for name in ["account", "state", "reference"] {
                question[name] = order[name].clone();
            }
            question
        })
        .collect()
}

fn paragraph(question: &Value) -> String {
    let reference =
        question["reference"].as_str().map_or(String::new(), |text| format!(", `{text}`"));
    let mut lines = vec![
        format!(
            "{} {} since {}{reference}",
            text(&question["orderId"]),
            text(&question["reason"]),
            text(&question["since"])
        ),
        format!("  {}, {}", text(&question["state"]), text(&question["detail"])),
        format!("  What to do: {}.", text(&question["whatToDo"])),
    ];
    let commands = question["commands"].as_array().into_iter().flatten();
    lines.extend(commands.map(|command| format!("  {}", text(command))));
    lines.push(String::new());
    lines.join("\n")
}
