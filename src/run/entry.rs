//! Journal entries: intent before the request leaves, the answer before anything rests on it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::proof::Proof;
use super::state::ActionState;
use super::verdict::Verdict;
use crate::approval::ConsumedConsent;
use crate::domain::{ActionId, PlanDigest, PlanId, Sha256Digest};
use crate::plan::Verb;

/// A failure as the journal keeps it: no body, no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureNote {
    /// Stable code of the error.
    pub code: String,
    /// The error with its causes.
    pub message: String,
    /// What to do next, where there is something.
    pub hint: Option<String>,
    /// Graph's request id, where an answer came.
    pub request_id: Option<String>,
    /// HTTP status, where an answer came.
    pub status: Option<u16>,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// Graph accepted it.
    Accepted {
        /// HTTP status.
        status: u16,
        /// Graph's request id.
        request_id: Option<String>,
        /// Id of the object that it made.
        made_id: Option<String>,
        /// Graph's time of the answer.
        server_time: Option<Timestamp>,
        /// Where Graph tells how it ends, where it is not done yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<String>,
    },
    /// What Graph had accepted and did later is done.
    OperationSucceeded,
    /// What Graph had accepted and was to do later failed: it did nothing.
    OperationFailed(FailureNote),
    /// What Graph had accepted had no end in the time that it was waited for.
    OperationOpen(FailureNote),
    /// Graph refused it, or it never left: it did nothing.
    NotExecuted(FailureNote),
    /// No whole answer came: what it did is not known yet.
    Ambiguous(FailureNote),
    /// No answer came, but reading back shows the effect.
    SeenByReadBack {
        /// Id of the object that it made, found by looking.
        made_id: Option<String>,
        /// Graph's time of the read.
        server_time: Option<Timestamp>,
    },
    /// No answer came, and reading back again and again shows no effect.
    AbsentByReadBack,
}

/// Where a secret that an action made went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HandedOver {
    /// It was shown once, on the terminal of whoever applied.
    Shown,
    /// It was sealed.
    Sealed {
        /// The file that holds it.
        file: String,
        /// The public keys that open it.
        recipients: Vec<String>,
    },
    /// Nowhere: nobody knows it.
    Lost {
        /// Why.
        why: String,
    },
}

/// One entry of a run's journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// The run begins; its consent is consumed.
    Started {
        /// The plan.
        plan: PlanId,
        /// Its digest.
        digest: PlanDigest,
        /// The consent.
        consent: ConsumedConsent,
        /// Version of stanch.
        engine: String,
    },
    /// A request is about to leave.
    Intent {
        /// Of which action.
        action: ActionId,
        /// Which of its requests, from 0.
        request: usize,
        /// Which attempt, from 1.
        attempt: u32,
        /// Method.
        method: Verb,
        /// Path as it is sent.
        path: String,
        /// Digest of the body as planned, placeholders unfilled.
        body: Sha256Digest,
        /// The id that Graph is told, to find the call in its logs.
        client_request_id: String,
        /// Graph's time, as far as known, when the request left.
        server_time: Timestamp,
    },
    /// How the request ended.
    Outcome {
        /// Of which action.
        action: ActionId,
        /// Which of its requests, from 0.
        request: usize,
        /// How.
        outcome: Outcome,
    },
    /// The secret that the action made was handed over, or lost.
    HandedOver {
        /// Of which action.
        action: ActionId,
        /// Where it went.
        to: HandedOver,
    },
    /// The action reached a state.
    Reached {
        /// Which action.
        action: ActionId,
        /// Which state.
        state: ActionState,
        /// What is to be said about it.
        detail: String,
    },
    /// A person says that they have done an action that is theirs. It comes after the run's end as well.
    Confirmed {
        /// Which action.
        action: ActionId,
        /// Who says so.
        by: String,
        /// What they say about it.
        reason: String,
    },
    /// The run was asked to stop: requests in flight end, no other starts.
    Interrupted,
    /// The run ended.
    Finished {
        /// How.
        verdict: Verdict,
        /// What was read back at the end.
        proof: Proof,
    },
}

/// An entry with its place in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JournalLine {
    /// Place, from 1.
    pub seq: u64,
    /// When it was written (our clock).
    pub at: Timestamp,
    /// The entry.
    pub entry: Entry,
    /// Digest of the line before; of the run id for the first.
    pub previous: Sha256Digest,
    /// Digest of this line: over seq, at, entry and previous.
    pub hash: Sha256Digest,
}

impl JournalLine {
    /// Chains an entry to the line before it.
    ///
    /// # Errors
    /// When the entry has no canonical JSON.
    pub fn chain(
        seq: u64,
        at: Timestamp,
        entry: Entry,
        previous: Sha256Digest,
    ) -> Result<Self, crate::domain::DigestError> {
        let hash = Sha256Digest::of_json(&(seq, at, &entry, previous))?;
        Ok(Self { seq, at, entry, previous, hash })
    }
}
