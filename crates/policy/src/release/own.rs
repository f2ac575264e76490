//! The gate for an originator that asks for its own record. Pure.
//!
//! Agreements decide what an originator's record may do elsewhere, not whether the originator may
//! have its own words back. SOURCE: originator control; C-M(2002)49.

use super::{Destination, Refusal, Released, refused};
use model::decision::{Decision, Outcome, Reason, RefusalMode};
use model::ids::AgencyId;
use model::record::Record;
use std::collections::BTreeSet;

/// Gives a record back to the agency it is of, whole and as it wrote it. `purpose` says what for.
///
/// # Errors
/// The record is another agency's; the refusal is that of "no match".
pub fn give_back<T: Clone>(
    record: &Record,
    content: &T,
    to: &AgencyId,
    purpose: &str,
) -> Result<Released<T>, Refusal> {
    let decision = whole();
    if record.originator != *to {
        let reason = Reason::OriginatorConsent;
        return Err(Refusal::new(refused(decision, reason, RefusalMode::AsNoMatch)));
    }
    let to = Destination { recipient: to, purpose };
    Ok(super::made(record, Some(content.clone()), decision, to))
}

fn whole() -> Decision {
    Decision {
        outcome: Outcome::Release,
        reason: Reason::Granted,
        failed: Vec::new(),
        redacted_fields: BTreeSet::new(),
        caveats: BTreeSet::new(),
        basis: BTreeSet::new(),
        retention_until: None,
        obligations: BTreeSet::new(),
        deadline: None,
        unmet: BTreeSet::new(),
        denied_by: BTreeSet::new(),
        refusal_mode: RefusalMode::Stated,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_originator_gets_its_words_back() {
        let agency = |text: &str| text.parse::<AgencyId>().unwrap();
        let mut record = Record::new("report--1".parse().unwrap(), "report", agency("xb"));
        record.stops.concealed = true;
        let own = give_back(&record, &"words", &agency("xb"), "read back").unwrap();
        assert_eq!(own.content(), Some(&"words"));
        assert_eq!(own.decision().outcome, Outcome::Release);
        let other = give_back(&record, &"words", &agency("xc"), "read back").unwrap_err();
        assert_eq!(other.public(), Refusal::no_match());
    }
}
