//! One table: code, sentence, cure. Pure.
//!
//! Sentences are for people who read a decision; cures say what would change it, and never more
//! than the asker may know.

use model::decision::Reason;

/// Every reason, in the order of testing.
pub const ALL: [Reason; 28] = [
    Reason::Recalled,
    Reason::Expired,
    Reason::UnknownMarking,
    Reason::Concealed,
    Reason::TaintedSource,
    Reason::RestrictedProcessing,
    Reason::HrTortureRisk,
    Reason::HrDeathPenalty,
    Reason::Neutrality,
    Reason::MarkNoforn,
    Reason::MarkRel,
    Reason::Clearance,
    Reason::Tlp,
    Reason::OriginatorConsent,
    Reason::HandlingH1,
    Reason::NoAgreement,
    Reason::DenyArticle,
    Reason::RequirementUnmet,
    Reason::GradeTooLow,
    Reason::OffenceNotCovered,
    Reason::DesignationDiverges,
    Reason::Ceiling,
    Reason::SubjectNotCovered,
    Reason::PurposeNotCovered,
    Reason::NoArticle,
    Reason::Granted,
    Reason::GrantedRedacted,
    Reason::HitOnly,
];

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The code that travels, such as `MARK_REL`.
    pub code: &'static str,
    /// What it means, as a sentence.
    pub sentence: &'static str,
    /// What would cure it; empty for a grant.
    pub cure: &'static str,
}

const fn row(code: &'static str, sentence: &'static str, cure: &'static str) -> Row {
    Row { code, sentence, cure }
}

/// The row of a reason.
#[must_use]
#[allow(clippy::too_many_lines, reason = "a table: one row a reason, nothing else")]
pub const fn of(reason: Reason) -> Row {
    match reason {
        Reason::Recalled => row(
            "RECALLED",
            "The originator has taken this record back.",
            "Nothing cures a recall; ask the originator for a corrected record.",
        ),
        Reason::Expired => row(
            "EXPIRED",
            "The record is no longer valid, and out-of-date data are not transmitted.",
            "The originator reviews the record and extends its validity.",
        ),
        Reason::UnknownMarking => row(
            "UNKNOWN_MARKING",
            "A marking or classification label on the record cannot be resolved here.",
            "The originator re-marks the record with labels both sides know.",
        ),
        Reason::Concealed => row(
            "CONCEALED",
            "The existence of this record is protected.",
            "Only the originator can lift the protection.",
        ),
        Reason::TaintedSource => row(
            "TAINTED_SOURCE",
            "The information was obtained in violation of human rights and is not processed.",
            "Nothing cures this.",
        ),
        Reason::RestrictedProcessing => row(
            "RESTRICTED_PROCESSING",
            "The data are contested and under restriction; they are kept but not used.",
            "The holder settles the dispute and lifts the restriction.",
        ),
        Reason::HrTortureRisk => row(
            "HR_TORTURE_RISK",
            "Personal data do not go to a state with a serious risk of torture, or one whose risk \
             nobody has assessed.",
            "No agreement lifts this floor; a new assessment of the state would be needed.",
        ),
        Reason::HrDeathPenalty => row(
            "HR_DEATH_PENALTY",
            "The act carries the death penalty in the recipient's state and there is no assurance \
             that it will not be imposed.",
            "State a sufficient assurance against the death penalty \
             (`assurance_no_death_penalty`).",
        ),
        Reason::Neutrality => row(
            "NEUTRALITY",
            "The review for political, military, religious or racial character is open or has \
             failed.",
            "A named reviewer clears the record.",
        ),
        Reason::MarkNoforn => row(
            "MARK_NOFORN",
            "The record is marked not for foreign nationals.",
            "The originator writes a version for release abroad.",
        ),
        Reason::MarkRel => row(
            "MARK_REL",
            "The record is marked for release to a list on which the recipient's party does not \
             stand.",
            "The originator adds the party to the list.",
        ),
        Reason::Clearance => row(
            "CLEARANCE",
            "The record is classified above what the recipient may hold.",
            "Ask for a version at a lower classification, or through an agency cleared for it.",
        ),
        Reason::Tlp => row(
            "TLP",
            "The TLP label does not let the record go to this recipient.",
            "The originator names the recipient or relaxes the label.",
        ),
        Reason::OriginatorConsent => row(
            "ORIGINATOR_CONSENT",
            "The record belongs to another agency, which has not consented to passing it on.",
            "Obtain the originator's consent for this recipient.",
        ),
        Reason::HandlingH1 => row(
            "HANDLING_H1",
            "Handling code H1: not for use in judicial proceedings without the provider's \
             permission.",
            "Obtain the provider's permission for use as evidence (`evidence_permission`).",
        ),
        Reason::NoAgreement => row(
            "NO_AGREEMENT",
            "No agreement in force, signed by both parties, lists exactly these two agencies.",
            "Sign or accede to an agreement that lists both agencies, or ask through an agency \
             that is listed.",
        ),
        Reason::DenyArticle => row(
            "DENY_ARTICLE",
            "An article forbids this release, and a prohibition stands above every permission.",
            "Nothing cures this under the agreement; another case or purpose may not fall under \
             the article.",
        ),
        Reason::RequirementUnmet => row(
            "REQUIREMENT_UNMET",
            "An article would allow it, but a fact it requires has not been stated.",
            "State the missing facts, each by a named person.",
        ),
        Reason::GradeTooLow => row(
            "GRADE_TOO_LOW",
            "The information is not graded well enough for the article that would cover it.",
            "Have the originator assess source and information.",
        ),
        Reason::OffenceNotCovered => row(
            "OFFENCE_NOT_COVERED",
            "The act named in the request is not covered, or its maximum penalty is too low.",
            "Name the act the case is really about, if the agreement covers it.",
        ),
        Reason::DesignationDiverges => row(
            "DESIGNATION_DIVERGES",
            "The group is not designated as the article asks: by both parties, by the UN, or by \
             the provider.",
            "Ask on the basis of the act instead of the group.",
        ),
        Reason::Ceiling => row(
            "CEILING",
            "The record is classified or labelled above the ceiling of the article that would \
             cover it.",
            "Ask the originator for a version below the ceiling.",
        ),
        Reason::SubjectNotCovered => row(
            "SUBJECT_NOT_COVERED",
            "The agreement does not cover data on this category of person.",
            "Use the article for this category, with what it requires, if there is one.",
        ),
        Reason::PurposeNotCovered => row(
            "PURPOSE_NOT_COVERED",
            "No article covers this purpose.",
            "Ask for a purpose the agreement names; a new purpose is a new decision.",
        ),
        Reason::NoArticle => row(
            "NO_ARTICLE",
            "No article comes close to covering this release.",
            "Only an amendment of the agreement would cover it.",
        ),
        Reason::Granted => row("GRANTED", "The record goes whole.", ""),
        Reason::GrantedRedacted => {
            row("GRANTED_REDACTED", "The record goes without the withheld fields.", "")
        }
        Reason::HitOnly => row(
            "HIT_ONLY",
            "The recipient learns that there is a match, with a reference and a contact point; \
             every field is withheld.",
            "",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_complete() {
        for (n, reason) in ALL.iter().enumerate() {
            assert_eq!(*reason as usize, n);
            assert!(!of(*reason).code.is_empty() && of(*reason).sentence.ends_with('.'));
        }
        let refusals = ALL.iter().take_while(|r| **r != Reason::Granted);
        assert!(refusals.into_iter().all(|r| of(*r).cure.ends_with('.')));
    }

    #[test]
    fn codes_are_those_the_case_files_use() {
        assert_eq!(of(Reason::HandlingH1).code, "HANDLING_H1");
        assert_eq!(of(Reason::HrTortureRisk).code, "HR_TORTURE_RISK");
        assert_eq!(of(Reason::Tlp).code, "TLP");
    }
}
