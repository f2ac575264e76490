//! Caveats and facts in plain words. Pure.
//!
//! SOURCE: Europol handling codes (Council document 6243/18); FIRST TLP 2.0; docs/reference.

/// What a caveat asks of those who hold the record.
#[must_use]
pub fn caveat(name: &str) -> String {
    if let Some(list) = name.strip_prefix(crate::terms::CAVEAT_REL_PREFIX) {
        return match list {
            "" => "for release to nobody.".to_owned(),
            list => format!("for release to {} only.", list.replace(',', ", ")),
        };
    }
    let known = match name {
        "ONWARD_CONSENT" => "to be passed on only with the originator's consent.",
        "NO_ONWARD" => "not to be passed on.",
        "ORCON" => "the originator permits each release in advance.",
        "PURPOSE_BOUND" => "to be used for the stated purpose only.",
        "GRADED" => "keeps the grade of source and information with it.",
        "VULNERABLE_SUBJECT" => "concerns a victim, a witness or a child.",
        "EVIDENCE_CLEARED" => "may be used as evidence.",
        "EMERGENCY" => "released without prior consent in an emergency.",
        "THREAT_TO_LIFE_USE_ONLY" => "to be used to avert the threat to life only.",
        "NO_ATTRIBUTION" => "the source is not to be named.",
        "REVIEW_BEFORE_REMOVAL" => "a person reviews content before it is removed.",
        "SPECIALITY" => "to be used for the proceedings stated in the request only.",
        "CONFIDENTIAL_REQUEST" => "request and answer are confidential.",
        "H0" => "to prevent and combat crime only.",
        "H1" => "not for judicial proceedings without the provider's permission.",
        "H2" => "not to be passed on without the provider's permission.",
        "H3" => "other restrictions apply; ask the provider.",
        "TLP:GREEN" => "for the community, not for public channels.",
        "TLP:AMBER" => "for the recipient's organisation and its clients, on need to know.",
        "TLP:AMBER+STRICT" => "for the recipient's organisation only.",
        "TLP:RED" => "for the named recipients only.",
        _ => return "a restriction by name; see the agreement or the originator.".to_owned(),
    };
    known.to_owned()
}

/// What a fact or requirement says.
#[must_use]
pub fn fact(name: &str) -> String {
    let known = match name {
        "human_review" => "a named person has reviewed the release",
        "match_confirmed" => "a qualified person has confirmed the match",
        "facts_and_offence_stated" => "the requester has stated facts and offence",
        "necessity_statement" => "why the data are strictly necessary",
        "evidence_permission" => "the provider's written permission for use as evidence",
        "judicial_authorisation" => "a judicial authority has authorised it",
        "imminent_threat_to_life" => "there is an imminent threat to life",
        "request_complete" => "the request is complete",
        "assurance_no_death_penalty" => "a sufficient assurance against the death penalty",
        "assurance_no_torture" => "a sufficient assurance against torture",
        "dual_criminality" => "the act is an offence in both states",
        "not_political_offence" => "the offence is not of a political character",
        "not_discriminatory" => "no grounds to fear persecution",
        "not_ne_bis_in_idem" => "the person has not been finally judged for it",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}
