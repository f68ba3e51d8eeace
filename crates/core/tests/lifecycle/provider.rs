//! A provider's order as a history that only grows, and what an order of ours must come to when it is known.
//!
//! Everything here is this model's own: it says what the final read says and what must follow, and never asks the
//! code under test.

use crate::fixture::*;
use orderkeep_core::{
    Exact, FailReason, Funds, Observation, OrderResult, ProviderStatus, Source, StateName,
    TransactionHash,
};
use proptest::prelude::*;

/// How the provider's order goes on after its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Open,
    Executed,
    Expired,
    Underpaid,
    Failed,
    Reversed,
}

/// One moment of it: what a read that sees it says.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    status: ProviderStatus,
    received: u32,
    confirmations: u32,
    transactions: Vec<String>,
}

/// All of its moments, in order.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) moments: Vec<Moment>,
    pub(crate) ending: Ending,
}

/// What must be known in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) name: StateName,
    pub(crate) outcome: Option<(OrderResult, Funds)>,
    pub(crate) address: Option<&'static str>,
    pub(crate) received: Option<Exact>,
    pub(crate) reason: Option<FailReason>,
}

impl History {
    /// What a read or a webhook says of the moment `index`.
    pub(crate) fn says(&self, index: usize, source: Source) -> Observation {
        let moment = &self.moments[index];
        let mut seen = said(source, moment.status.clone());
        if seen.address.is_some() {
            seen.received = Some(exact(&moment.received.to_string()));
            seen.confirmations = Some(moment.confirmations);
            seen.transactions = moment
                .transactions
                .iter()
                .map(|hash| TransactionHash::new(hash.clone()).unwrap())
                .collect();
        }
        seen
    }

    /// What an order of ours comes to that the provider alone decided.
    pub(crate) fn truth(&self) -> Truth {
        let last = self.moments.last().unwrap();
        let amount = exact(&last.received.to_string());
        let held = if last.received == 0 { Funds::None } else { Funds::Held(amount.clone()) };
        let failed = Some((OrderResult::Failed, held));
        let (name, outcome, reason) = match self.ending {
            Ending::Open if last.status == ProviderStatus::WaitingForWallet => {
                (StateName::WaitingForWallet, None, None)
            }
            Ending::Open => (StateName::AwaitingPayment, None, None),
            Ending::Executed => {
                (StateName::Executed, Some((OrderResult::Executed, Funds::Settled)), None)
            }
            Ending::Reversed => {
                (StateName::Executed, Some((OrderResult::Reversed, Funds::Unclear)), None)
            }
            Ending::Expired => (StateName::Failed, failed, Some(FailReason::Expired)),
            Ending::Underpaid => (StateName::Failed, failed, Some(FailReason::Underpaid)),
            Ending::Failed => {
                (StateName::Failed, failed, Some(FailReason::Provider("FAILED".to_owned())))
            }
        };
        let has_address = last.status != ProviderStatus::WaitingForWallet;
        Truth {
            name,
            outcome,
            address: has_address.then_some("0xaddress"),
            received: has_address.then_some(amount),
            reason,
        }
    }
}

/// Any life of a provider's order: an address or not yet, some transfers or none, and an ending or not yet.
pub(crate) fn any_history() -> impl Strategy<Value = History> {
    let ending = prop_oneof![
        Just(Ending::Open),
        Just(Ending::Executed),
        Just(Ending::Expired),
        Just(Ending::Underpaid),
        Just(Ending::Failed),
        Just(Ending::Reversed),
    ];
    let transfers = prop::collection::vec((1_u32..70, 1_u32..4), 0..4);
    (any::<bool>(), transfers, ending).prop_map(|(address, transfers, ending)| {
        let moment = |status, received, confirmations, transactions: &[String]| Moment {
            status,
            received,
            confirmations,
            transactions: transactions.to_vec(),
        };
        let mut moments = vec![moment(ProviderStatus::WaitingForWallet, 0, 0, &[])];
        if !address && ending == Ending::Open {
            return History { moments, ending };
        }
        moments.push(moment(ProviderStatus::AwaitingPayment, 0, 0, &[]));
        let (mut received, mut hashes, mut deep) = (0, Vec::new(), 0);
        for (amount, confirmations) in transfers {
            received += amount;
            hashes.push(format!("tx-{received}"));
            for depth in 0..=confirmations {
                deep = depth;
                moments.push(moment(ProviderStatus::Confirming, received, depth, &hashes));
            }
        }
        let mut end = |status| moments.push(moment(status, received, deep, &hashes));
        match ending {
            Ending::Open => {}
            Ending::Executed => end(ProviderStatus::Executed),
            Ending::Expired => end(ProviderStatus::Expired),
            Ending::Underpaid => end(ProviderStatus::Underpaid),
            Ending::Failed => end(ProviderStatus::Failed),
            Ending::Reversed => {
                end(ProviderStatus::Executed);
                end(ProviderStatus::Reversed);
            }
        }
        History { moments, ending }
    })
}
