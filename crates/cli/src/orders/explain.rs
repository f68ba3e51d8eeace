//! One order, explained. The engine words it; here it is only laid out.

use std::io::Write as _;

use serde_json::Value;

use super::{text, word};
use crate::{args::OutputFormat, client::Client, exit::Failure, output};

pub(crate) async fn run(client: &Client, id: &str, format: OutputFormat) -> Result<(), Failure> {
    let path = format!("/v1/orders/{}/explain", word("order id", id)?);
    let said = client.get(&path).await?.good()?;
    match format {
        OutputFormat::Json => output::json(&said),
        OutputFormat::Table => drop(write!(std::io::stdout(), "{}", page(&said))),
    }
    Ok(())
}

fn page(said: &Value) -> String {
    let mut lines = vec![
        format!("Order {}", text(&said["orderId"])),
        format!(
            "{} since {}: {}",
            text(&said["state"]),
            text(&said["since"]),
            text(&said["situation"])
        ),
    ];
    lines.extend(sentences("Why it is there", &said["why"]));
    lines.extend(sentences("What happens next", &said["next"]));
    let questions = said["questions"].as_array().into_iter().flatten();
    for question in questions {
        lines.extend([
            String::new(),
            format!(
                "A person is asked since {} ({}): {}",
                text(&question["since"]),
                text(&question["reason"]),
                text(&question["detail"])
            ),
            format!("  What to do: {}.", text(&question["whatToDo"])),
        ]);
        let commands = question["commands"].as_array().into_iter().flatten();
        lines.extend(commands.map(|command| format!("  {}", text(command))));
    }
    lines.extend([String::new(), "Evidence:".to_owned()]);
    for evidence in said["evidence"].as_array().into_iter().flatten() {
        let by = match evidence["author"].as_str() {
            Some(author) => format!("{author}, {}", text(&evidence["cause"])),
            None => text(&evidence["cause"]),
        };
        lines.push(format!(
            "  {:>3}  {}  [{by}] {}",
            text(&evidence["version"]),
            text(&evidence["at"]),
            text(&evidence["said"])
        ));
    }
    lines.join("\n") + "\n"
}

fn sentences(head: &str, said: &Value) -> Vec<String> {
    let said = said.as_array().into_iter().flatten();
    let mut lines = vec![String::new(), format!("{head}:")];
    lines.extend(said.map(|sentence| format!("  {}", text(sentence))));
    lines
}
