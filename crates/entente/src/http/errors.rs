//! The one table of the doors: code → status, public text, help.
//!
//! What a partner or a stranger is told is the public text, never the text for the operator; a
//! local officer is told everything. Pure.

use crate::failure::{Failure, Fault};
use axum::http::StatusCode;
use node::NodeError;

/// One row: what may be told to anybody.
struct Row {
    code: &'static str,
    status: u16,
    public: &'static str,
    help: &'static str,
}

const fn row(code: &'static str, status: u16, public: &'static str, help: &'static str) -> Row {
    Row { code, status, public, help }
}

const ANEW: &str = "have the sender make the message anew";

/// Every answer a door gives that is not the thing asked for.
const TABLE: &[Row] = &[
    row("bad_request", 400, "the request is not in its form", "see the address's description"),
    row("unauthorised", 401, "sign in first", "use the agency's name and its access token"),
    row("forbidden", 403, "this may not be done here", "ask an officer of the node"),
    row("not_found", 404, "nothing is here", "check the address"),
    row("method_not_allowed", 405, "this address does not take that method", "see `allow`"),
    row("not_acceptable", 406, "no such form is served", "accept application/taxii+json"),
    row("too_large", 413, "the body is too large", "send smaller portions"),
    row("address_too_long", 414, "the address is too long", "ask for less at once"),
    row("media_type", 415, "the body is not of a form taken here", "send application/json"),
    row("too_many", 429, "too much at once from this address", "wait a moment and try again"),
    row("too_slow", 408, "the body did not arrive in time", "send it again"),
    row(
        "unprocessable",
        422,
        "while processing supplied content, an error occurred",
        "send a TAXII envelope of STIX objects",
    ),
    row("message_refused", 400, "the message does not hold", ANEW),
    row("log_proof_conflict", 409, "the log proof must start elsewhere", "start it from `size`"),
    row("split_view", 409, "the sender shows two different logs", "the officers must talk"),
    row("wrong_signer", 400, "the message is not signed by whom it speaks for", ANEW),
    row("collection_unknown", 404, "nothing is here", "check the address"),
    row("object_unknown", 404, "nothing is here", "check the address"),
    row("not_writable", 403, "this may not be done here", "ask an officer of the node"),
    row("not_admitted", 401, "sign in first", "use the agency's name and its access token"),
    row("posting_too_large", 413, "too many objects in one posting", "post smaller envelopes"),
    row("shipment_too_large", 413, "too many releases in one shipment", "send smaller portions"),
    row("notice_size", 400, "the notice names no record or too many", "name 1 to 200 records"),
    row("not_for_us", 400, "the message is for another agency", ANEW),
    row("not_ours", 400, "the message answers nothing of this node", ANEW),
    row("not_ours_to_lose", 403, "only the originator takes a record back", ANEW),
    row("not_the_giver", 403, "only its giver or originator takes a record back", ANEW),
    row("agreement_unknown", 404, "no such agreement is adopted here", "adopt it on both sides"),
    row("agreement_differs", 409, "another text is adopted here", "compare the digests"),
    row("not_a_party", 403, "the signer is no party to the agreement", "check the document"),
    row("not_authorised", 403, "this may not be done from outside", "ask an officer of the node"),
    row(
        "key_unknown",
        403,
        "authentication failed",
        "pass the token an officer here made for your agency as the header `Authorization`",
    ),
    row("event_refused", 400, "the event could not be saved", "correct it and send it again"),
    row("event_old", 403, "the event is not newer than the one held", "raise its `timestamp`"),
    row("not_taken", 403, "nothing of this kind is taken here", "push events and sightings only"),
    row("answer_too_large", 413, "the answer would be too large", "ask with `limit` and `page`"),
    row("internal", 500, "this node could not answer", "try again later; its operator is told"),
    row("unavailable", 503, "this node cannot answer now", "try again later"),
];

const LAST: Row = row("internal", 500, "this node could not answer", "try again later");

fn find(code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.code == code)
}

/// An answer that is not the thing asked for.
#[derive(Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word for machines.
    pub code: &'static str,
    /// What anybody may be told.
    pub public: &'static str,
    /// What to do about it.
    pub help: &'static str,
    /// What only the operator is told.
    pub log: Option<String>,
    /// The size a log proof must start from.
    pub size: Option<u64>,
    /// Where in the request, and what was found there; anybody may be told.
    pub place: Option<String>,
}

impl Problem {
    /// The row of this code; an unknown code is an internal fault.
    #[must_use]
    pub fn of(code: &str) -> Self {
        let row = find(code).unwrap_or(&LAST);
        let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (public, help) = (row.public, row.help);
        Self { status, code: row.code, public, help, log: None, size: None, place: None }
    }

    /// With another help, which anybody may be told.
    #[must_use]
    pub fn hinting(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// With the place in the request, which anybody may be told.
    #[must_use]
    pub fn at(mut self, place: String) -> Self {
        self.place = Some(place);
        self
    }

    /// The number under which the operator's line can be found; only faults of this node have one.
    #[must_use]
    pub fn number(&self) -> Option<String> {
        let log = self.log.as_ref().filter(|_| self.status.is_server_error())?;
        Some(node::identity::token_digest(log).hex().chars().take(16).collect())
    }

    /// With a text for the operator.
    #[must_use]
    pub fn because(mut self, log: impl ToString) -> Self {
        self.log = Some(log.to_string());
        self
    }

    /// Writes the operator's line, where there is one.
    pub fn tell_operator(&self) {
        if let Some(log) = &self.log {
            match self.number() {
                Some(number) => super::journal::line(self.code, &format!("[{number}] {log}")),
                None => super::journal::line(self.code, log),
            }
        }
    }
}

/// What a partner is told of a node's refusal.
///
/// INVARIANT: before a signature holds every refusal reads the same, whoever is pinned here.
impl From<NodeError> for Problem {
    fn from(error: NodeError) -> Self {
        let code = match &error {
            NodeError::Denied(denial) if denial.party == node::Party::Partner => {
                find(denial.code).map_or("message_refused", |row| row.code)
            }
            NodeError::Denied(_)
            | NodeError::Damaged { .. }
            | NodeError::Seal(_)
            | NodeError::TooManyFollowUps(_) => "internal",
            NodeError::Store(_) => "unavailable",
            NodeError::Message { .. } => "message_refused",
            NodeError::Conflict { .. } => "log_proof_conflict",
            NodeError::SplitView { .. } => "split_view",
        };
        let problem = Self::of(code);
        match error {
            // WHY: a proof from another size is part of the protocol, not an occurrence.
            NodeError::Conflict { size } => Self { size: Some(size), ..problem },
            NodeError::Denied(_)
            | NodeError::Store(_)
            | NodeError::Damaged { .. }
            | NodeError::Seal(_)
            | NodeError::Message { .. }
            | NodeError::SplitView { .. }
            | NodeError::TooManyFollowUps(_) => problem.because(error),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let code = match failure.fault {
            Fault::Input => "bad_request",
            Fault::Refused => "forbidden",
            Fault::Partner => "message_refused",
            Fault::Node => "internal",
        };
        Self::of(code).because(format!("{}: {}", failure.code, failure.message))
    }
}

/// The HTTP status of an officer's failure; the officer is told all of it.
#[must_use]
pub fn officer_status(failure: &Failure) -> StatusCode {
    match (failure.fault, failure.code.as_str()) {
        (
            Fault::Input,
            "no_such_record" | "no_such_entry" | "agreement_unknown" | "order_unknown"
            | "member_unknown" | "no_such_message",
        ) => StatusCode::NOT_FOUND,
        (
            Fault::Input,
            "member_version" | "member_root" | "agreement_version" | "agreement_differs",
        ) => StatusCode::CONFLICT,
        (
            Fault::Input,
            "document_wrong"
            | "fingerprint_differs"
            | "own_agency"
            | "portion_too_large"
            | "not_ours"
            | "member_expired",
        ) => StatusCode::UNPROCESSABLE_ENTITY,
        (Fault::Input, "not_cleared") | (Fault::Refused, _) => StatusCode::FORBIDDEN,
        (Fault::Input, "unauthorised") => StatusCode::UNAUTHORIZED,
        (Fault::Input, _) => StatusCode::BAD_REQUEST,
        (Fault::Partner, "log_proof_conflict" | "split_view") => StatusCode::CONFLICT,
        (Fault::Partner, _) => StatusCode::BAD_REQUEST,
        (Fault::Node, "store_failed" | "store_busy" | "store_full") => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        (Fault::Node, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_status_of_its_own_kind_and_one_code() {
        for row in TABLE {
            assert!((400..=599).contains(&row.status), "{}", row.code);
            assert_eq!(TABLE.iter().filter(|other| other.code == row.code).count(), 1);
            assert_eq!(Problem::of(row.code).status.as_u16(), row.status);
        }
        assert_eq!(Problem::of("no such code").code, "internal");
    }

    #[test]
    fn what_the_operator_reads_is_not_what_a_stranger_reads() {
        let error = NodeError::Message {
            message: "the sender `xb` is not a pinned member here".to_owned(),
            help: String::new(),
        };
        let problem = Problem::from(error);
        assert_eq!((problem.status.as_u16(), problem.code), (400, "message_refused"));
        assert!(!problem.public.contains("xb"));
        assert!(problem.log.unwrap().contains("xb"));
    }
}
