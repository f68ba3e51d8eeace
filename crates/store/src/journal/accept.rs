//! Whether a step can be stored at all: its shape and its size. Looks at nothing but the step.

use crate::{
    Change, Claim, Commit, CommitError, InboxDone, Label, NewInboxItem, PartitionId, limits,
    record::{ChangeEntry, Entry, InboxEntry},
};

/// A heard item as an entry.
pub(crate) fn arrival(item: NewInboxItem) -> Result<Entry, CommitError> {
    at_most("the inbox item's body", item.body.len(), limits::INBOX_BODY_BYTES)?;
    at_most("the inbox item's account", item.account.len(), limits::ACCOUNT_BYTES)?;
    Ok(Entry::Arrival { account: item.account, received_at: item.received_at, body: item.body })
}

/// A commit as an entry.
pub(crate) fn commit(commit: Commit) -> Result<Entry, CommitError> {
    let Commit { partition, change, inbox } = commit;
    if partition != PartitionId::ONLY {
        return Err(CommitError::Invalid(format!(
            "an embedded store has only {:?}, the commit says {partition:?}",
            PartitionId::ONLY
        )));
    }
    if change.is_none() && inbox.is_empty() {
        return Err(CommitError::Invalid(
            "the commit neither changes an entity nor works off an inbox item".to_owned(),
        ));
    }
    if let Some(change) = &change {
        check_change(change)?;
    }
    counted("inbox items", inbox.len(), limits::INBOX_DONE)?;
    for done in &inbox {
        let (InboxDone::Finished { disposition: note, .. }
        | InboxDone::Parked { reason: note, .. }) = done;
        at_most("the note on an inbox item", note.len(), limits::NOTE_BYTES)?;
    }
    Ok(Entry::Commit {
        change: change.map(|change| ChangeEntry::of(partition, change)),
        inbox: inbox.into_iter().map(InboxEntry::from).collect(),
    })
}

fn check_change(change: &Change) -> Result<(), CommitError> {
    match (&change.view, change.events.is_empty()) {
        (None, false) => Err(CommitError::Invalid("events without the view after them".to_owned())),
        (Some(_), true) => Err(CommitError::Invalid(
            "a view without events: a touch replaces only labels and wake-up".to_owned(),
        )),
        (Some(_), false) | (None, true) => Ok(()),
    }?;
    counted("events", change.events.len(), limits::EVENTS)?;
    counted("claims", change.claims.len(), limits::CLAIMS)?;
    counted("labels", change.labels.len(), Label::MAX_PER_ENTITY)?;
    for label in &change.labels {
        if label.0.is_empty() {
            return Err(CommitError::Invalid("an empty label".to_owned()));
        }
        at_most("a label", label.0.len(), Label::MAX_BYTES)?;
    }
    let mut claimed = 0;
    for claim in &change.claims {
        if claim.0.is_empty() {
            return Err(CommitError::Invalid("an empty claim".to_owned()));
        }
        at_most("a claim", claim.0.len(), Claim::MAX_BYTES)?;
        claimed += claim.0.len();
    }
    let events: usize = change.events.iter().map(bytes::Bytes::len).sum();
    let view = change.view.as_ref().map_or(0, bytes::Bytes::len);
    at_most(
        "the commit (events, view and claims)",
        events.saturating_add(view).saturating_add(claimed),
        limits::ENTRY_BYTES,
    )?;
    Ok(())
}

fn at_most(what: &str, found: usize, most: usize) -> Result<(), CommitError> {
    if found <= most {
        return Ok(());
    }
    Err(CommitError::TooLarge(format!("{what} has {found} bytes, at most {most} are stored")))
}

fn counted(what: &str, found: usize, most: usize) -> Result<(), CommitError> {
    if found <= most {
        return Ok(());
    }
    Err(CommitError::TooLarge(format!("{found} {what} in one commit, at most {most} are stored")))
}
