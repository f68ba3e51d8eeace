//! Every sentence that an explanation is made of, as a page of the documents: a word that changes is a readable difference.

use std::{collections::BTreeMap, fmt::Write as _};

use orderkeep_core::{Calls, Event, Input, Outcome, explain::Evidence, table::Situation};

use super::explained;
use crate::{
    samples::{inputs, now_in, order_in},
    table,
};

const HEAD: &str = "\
# What an explanation says

<!-- Made by the tests of orderkeep-core from the code: UPDATE_DOCS=1 cargo nextest run -p orderkeep-core -->

`orderkeep orders explain ID`, and `GET /v1/orders/{id}/explain`, tell in sentences why an order is where it is, what the
engine does next and when, and what a person is asked, with the commands that settle it. Here is a sample order in every
situation, and then every event as its evidence tells it.

";

/// An order in a situation, as it is explained while the provider answers.
fn situation(page: &mut String, situation: Situation) {
    let mut story = order_in(situation);
    let said = explained(&story, now_in(situation), Calls::Flowing);
    let _ = writeln!(page, "## {} ({})\n", said.situation, said.state);
    for sentence in said.why {
        let _ = writeln!(page, "- {sentence}");
    }
    page.push_str("\nNext:\n\n");
    for sentence in said.next {
        let _ = writeln!(page, "- {sentence}");
    }
    // What it asks when nobody does anything for a month, too.
    let _ = story.tell(30 * 86_400, &Input::Woken);
    let late = explained(&story, 30 * 86_400, Calls::Flowing);
    for question in said.questions.iter().chain(&late.questions) {
        let _ = writeln!(
            page,
            "\nAsked, `{}`: {}. {}\n\n```sh\n{}\n```",
            question.reason.name(),
            question.detail,
            question.what_to_do,
            question.commands.join("\n")
        );
    }
    page.push('\n');
}

/// Every event that one more input makes in some situation, and how it is told.
fn sentences() -> BTreeMap<&'static str, Vec<String>> {
    let mut told: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    let mut tell = |event: &Event, evidence: Evidence| {
        let sentences = told.entry(event.name()).or_default();
        if !sentences.contains(&evidence.said) {
            sentences.push(evidence.said);
        }
    };
    for situation in Situation::ALL {
        let story = order_in(situation);
        story.history.iter().for_each(|record| tell(&record.event, Evidence::of(1, record)));
        for sample in inputs(situation) {
            let step = story.order.step(&sample.input, sample.at, &story.policy);
            if let Outcome::Moved(step) = step {
                step.events.iter().for_each(|record| tell(&record.event, Evidence::of(1, record)));
            }
        }
    }
    told
}

#[test]
fn the_page_of_all_sentences_is_what_the_code_says() {
    let mut page = HEAD.to_owned();
    Situation::ALL.into_iter().for_each(|one| situation(&mut page, one));
    page.push_str("## Evidence\n\n| event | told as |\n| --- | --- |\n");
    for (event, sentences) in sentences() {
        for sentence in sentences {
            let _ = writeln!(page, "| `{event}` | {} |", sentence.replace('|', "\\|"));
        }
    }
    table::compare("explanations.md", &page);
}
