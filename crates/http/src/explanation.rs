//! Why an order is where it is, as JSON. The engine words it.

use orderkeep_core::{
    Author, Explanation, OrderId, StateName, Timestamp,
    explain::{Evidence, Question},
};
use serde::Serialize;
use utoipa::ToSchema;

/// See the module.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplanationView {
    #[schema(value_type = OrderId)]
    order_id: String,
    /// Where it stands.
    #[schema(value_type = StateName)]
    state: &'static str,
    /// Where exactly, as the state table words it.
    situation: &'static str,
    /// Since when it is in its state.
    since: Timestamp,
    /// When this was said.
    at: Timestamp,
    /// Why it stands there.
    why: Vec<String>,
    /// What the engine does next.
    next: Vec<String>,
    /// When the engine looks at it next by itself; a webhook or a command makes it sooner.
    next_at: Option<Timestamp>,
    /// What a person is asked.
    questions: Vec<QuestionView>,
    /// Its history, a sentence for each event.
    evidence: Vec<EvidenceView>,
}

/// What a person is asked, with the commands that settle it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Question)]
#[serde(rename_all = "camelCase")]
pub struct QuestionView {
    /// Why a person is needed.
    pub reason: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// The facts.
    pub detail: String,
    /// What to do.
    pub what_to_do: &'static str,
    /// The commands that settle it, ready to be completed and typed.
    pub commands: Vec<String>,
}

/// One event, told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Evidence)]
#[serde(rename_all = "camelCase")]
struct EvidenceView {
    /// Its number within the order.
    version: u64,
    at: Timestamp,
    /// What caused it.
    cause: &'static str,
    /// Who, where somebody commanded it.
    author: Option<Author>,
    /// What.
    said: String,
}

impl From<Question> for QuestionView {
    fn from(question: Question) -> Self {
        let Question { reason, since, detail, what_to_do, commands } = question;
        Self { reason: reason.name(), since, detail, what_to_do, commands }
    }
}

impl From<Evidence> for EvidenceView {
    fn from(evidence: Evidence) -> Self {
        let Evidence { version, at, cause, author, said } = evidence;
        Self { version, at, cause, author, said }
    }
}

impl From<Explanation> for ExplanationView {
    fn from(explanation: Explanation) -> Self {
        let Explanation {
            order_id,
            state,
            situation,
            since,
            at,
            why,
            next,
            next_at,
            questions,
            evidence,
        } = explanation;
        Self {
            order_id: order_id.to_string(),
            state: state.as_str(),
            situation,
            since,
            at,
            why,
            next,
            next_at,
            questions: questions.into_iter().map(Into::into).collect(),
            evidence: evidence.into_iter().map(Into::into).collect(),
        }
    }
}
