//! `Released<T>`: the only way out (law 2), and the refusal that goes out instead. Pure.
//!
//! [`release`] is the gate for members, [`show`] the gate for a local officer's screen,
//! [`give_back`] that for an originator asking for its own record. The first two
//! decide, strip what is withheld from the content itself, and remove references that would
//! betray a hidden record.
//!
//! INVARIANT: a `Released` is built here and in [`Inquiry`] only; its fields are private and it has
//! no constructor. Values that are not records (counts, the log) need none.

mod inquiry;
mod own;
mod screen;

pub use inquiry::{Inquiry, One, Short};
pub use own::give_back;
pub use screen::{Viewer, show};

use crate::engine::Engine;
use crate::reasons;
use model::decision::{Decision, Outcome, Reason, RefusalMode};
use model::ids::{AgencyId, RecordId};
use model::record::Record;
use model::request::Ask;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

/// Content that can lose parts.
pub trait Content: Sized {
    /// Why a part cannot be removed.
    type Error: Display;

    /// A copy without the values at these JSON pointers (RFC 6901), all of them meant for the
    /// content as it is now; no pointer lies inside another.
    ///
    /// # Errors
    /// A pointer leads nowhere, or its value cannot go without breaking the content.
    fn without(&self, pointers: &[&str]) -> Result<Self, Self::Error>;

    /// How many bytes it is as it would be sent.
    fn size_bytes(&self) -> usize;
}

/// References without which a record says nothing: if one is hidden, so is the record.
pub const ESSENTIAL_REFS: [&str; 3] = ["/source_ref", "/target_ref", "/sighting_of_ref"];

/// Code of the answer that says nothing.
pub const CODE_NO_MATCH: &str = "NO_MATCH";

/// A record on its way out, stripped of what is withheld, with the decision that lets it go.
#[derive(Debug, Clone)]
pub struct Released<T> {
    content: Option<T>,
    record: RecordId,
    kind: String,
    originator: AgencyId,
    recipient: AgencyId,
    purpose: String,
    decision: Arc<Decision>,
}

impl<T> Released<T> {
    /// What goes; nothing for a hit.
    #[must_use]
    pub fn content(&self) -> Option<&T> {
        self.content.as_ref()
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &RecordId {
        &self.record
    }

    /// Its vocabulary type.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whose record it is: the contact point of a hit.
    #[must_use]
    pub fn originator(&self) -> &AgencyId {
        &self.originator
    }

    /// Who may have it.
    #[must_use]
    pub fn recipient(&self) -> &AgencyId {
        &self.recipient
    }

    /// What for.
    #[must_use]
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The decision, with every reason.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }
}

/// A refusal: the decision for the log, and what the asker may hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    decision: Box<Decision>,
    fault: Option<String>,
}

/// What an asker hears of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicRefusal {
    /// The code, such as `MARK_REL`, or [`CODE_NO_MATCH`].
    pub code: &'static str,
    /// What would cure it; empty where nothing is said.
    pub cure: String,
}

impl Refusal {
    /// The decision, with every reason; for the holder's log, not for the asker.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Why the content could not be stripped, where that is the cause.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// What the asker hears. Where existence is protected this equals [`Refusal::no_match`].
    #[must_use]
    pub fn public(&self) -> PublicRefusal {
        match self.decision.refusal_mode {
            RefusalMode::AsNoMatch => Self::no_match(),
            RefusalMode::Stated => {
                let row = reasons::of(self.decision.reason);
                PublicRefusal { code: row.code, cure: cure(&self.decision) }
            }
        }
    }

    /// The answer when nothing was found.
    #[must_use]
    pub fn no_match() -> PublicRefusal {
        PublicRefusal { code: CODE_NO_MATCH, cure: String::new() }
    }

    fn new(decision: Decision) -> Self {
        Self { decision: Box::new(decision), fault: None }
    }
}

/// What would cure a refusal, with the missing facts named.
pub(crate) fn cure(decision: &Decision) -> String {
    let cure = reasons::of(decision.reason).cure;
    if decision.reason == Reason::RequirementUnmet && !decision.unmet.is_empty() {
        let facts: Vec<String> = decision.unmet.iter().map(|fact| format!("`{fact}`")).collect();
        return format!("{} Missing: {}.", cure, facts.join(", "));
    }
    cure.to_owned()
}

/// Decides, strips and releases to a member. `hidden` are records whose existence the recipient
/// must not learn.
///
/// # Errors
/// The refusal. Content that cannot be stripped is refused as `UNKNOWN_MARKING`, with the fault.
pub fn release<T: Content>(
    engine: &Engine,
    record: &Record,
    content: &T,
    ask: &Ask,
    hidden: &BTreeSet<RecordId>,
) -> Result<Released<T>, Refusal> {
    let decision = engine.decide(record, ask);
    let to = Destination { recipient: &ask.recipient, purpose: &ask.purpose };
    finish(record, content, decision, to, hidden)
}

#[derive(Clone, Copy)]
struct Destination<'a> {
    recipient: &'a AgencyId,
    purpose: &'a str,
}

/// The last step of both gates.
fn finish<T: Content>(
    record: &Record,
    content: &T,
    decision: Decision,
    to: Destination<'_>,
    hidden: &BTreeSet<RecordId>,
) -> Result<Released<T>, Refusal> {
    let betraying = hidden_pointers(record, hidden);
    let betrayed = betraying.iter().any(|pointer| ESSENTIAL_REFS.contains(pointer));
    if betrayed && decision.outcome == Outcome::Refuse {
        let refusal_mode = RefusalMode::AsNoMatch;
        return Err(Refusal::new(Decision { refusal_mode, ..decision }));
    }
    if betrayed {
        return Err(Refusal::new(refused(decision, Reason::Concealed, RefusalMode::AsNoMatch)));
    }
    let content = match decision.outcome {
        Outcome::Refuse => return Err(Refusal::new(decision)),
        Outcome::HitOnly => None,
        Outcome::Release | Outcome::Redact => {
            match strip(content, &decision, &record.fields, betraying) {
                Ok(content) => Some(content),
                Err(fault) => {
                    let mode = decision.refusal_mode;
                    let decision = refused(decision, Reason::UnknownMarking, mode);
                    return Err(Refusal { decision: Box::new(decision), fault: Some(fault) });
                }
            }
        }
    };
    Ok(made(record, content, decision, to))
}

fn made<T>(
    record: &Record,
    content: Option<T>,
    decision: Decision,
    to: Destination<'_>,
) -> Released<T> {
    Released {
        content,
        record: record.id.clone(),
        kind: record.kind.clone(),
        originator: record.originator.clone(),
        recipient: to.recipient.clone(),
        purpose: to.purpose.to_owned(),
        decision: Arc::new(decision),
    }
}

fn hidden_pointers<'a>(record: &'a Record, hidden: &BTreeSet<RecordId>) -> BTreeSet<&'a str> {
    let refs = record.refs.iter().filter(|(id, _)| hidden.contains(*id));
    refs.flat_map(|(_, pointers)| pointers).map(String::as_str).collect()
}

/// A copy of the content without withheld fields and betraying references.
fn strip<T: Content>(
    content: &T,
    decision: &Decision,
    fields: &BTreeMap<String, Vec<String>>,
    betraying: BTreeSet<&str>,
) -> Result<T, String> {
    let mut pointers = betraying;
    for field in &decision.redacted_fields {
        let places = fields.get(field).map_or(&[][..], Vec::as_slice);
        // A withheld field whose place is not known cannot be taken out.
        if places.is_empty() {
            return Err(format!("field `{field}` names no place in the content"));
        }
        pointers.extend(places.iter().map(String::as_str));
    }
    let outermost: Vec<&str> =
        pointers.iter().copied().filter(|pointer| !inside_another(pointer, &pointers)).collect();
    content.without(&outermost).map_err(|error| error.to_string())
}

/// Whether an ancestor of the pointer is in the set too.
fn inside_another(pointer: &str, all: &BTreeSet<&str>) -> bool {
    let mut rest = pointer;
    while let Some((parent, _)) = rest.rsplit_once('/') {
        if all.contains(parent) {
            return true;
        }
        rest = parent;
    }
    false
}

/// The decision turned into a refusal for one more reason.
fn refused(mut decision: Decision, reason: Reason, mode: RefusalMode) -> Decision {
    let mut failed: BTreeSet<Reason> = decision.failed.iter().copied().collect();
    failed.insert(reason);
    decision.failed = failed.into_iter().collect();
    decision.reason = decision.failed.first().copied().unwrap_or(reason);
    if mode == RefusalMode::AsNoMatch {
        decision.reason = reason;
    }
    decision.outcome = Outcome::Refuse;
    decision.refusal_mode = mode;
    decision.redacted_fields = BTreeSet::new();
    decision.caveats = BTreeSet::new();
    decision.basis = BTreeSet::new();
    decision.obligations = BTreeSet::new();
    decision.retention_until = None;
    decision.deadline = None;
    decision
}
