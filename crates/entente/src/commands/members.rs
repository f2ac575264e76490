//! Members: pin, list, export, give access.

use super::Desk;
use crate::command::{Answer, Outcome};
use crate::edge::SystemEntropy;
use crate::failure::Failure;
use crate::words;
use model::event::Event;
use model::ids::{AgencyId, Digest};
use model::posting::Appraisal;
use node::Entropy;
use node::identity::open_member;
use serde_json::json;
use std::collections::BTreeMap;

/// Pins a partner's document, if it is the one the officers compared.
pub fn add(desk: &mut Desk<'_>, document: &str, fingerprint: &Digest) -> Outcome {
    let (member, digest) = open_member(document.as_bytes())?;
    if digest != *fingerprint {
        return Err(Failure::input(
            "fingerprint_differs",
            format!("the document of `{}` has the fingerprint {digest}", member.agency),
            "compare the fingerprint with the partner's officer by another channel before pinning",
        ));
    }
    let agency = member.agency.clone();
    desk.act(Event::Enrol(Box::new(member)))?;
    let text = format!("{agency} is pinned, fingerprint {digest}");
    Ok(Answer::new(text, json!({"agency": agency, "fingerprint": digest})))
}

/// Lists pinned members.
pub fn list(desk: &mut Desk<'_>) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let members = node::query::members(&*snapshot)?;
    let mut appraisals = BTreeMap::new();
    for member in &members {
        if let Some(appraisal) = node::query::appraisal(&*snapshot, &member.agency)? {
            appraisals.insert(member.agency.clone(), appraisal);
        }
    }
    let rows: Vec<Vec<String>> = members
        .iter()
        .map(|m| {
            vec![
                m.agency.to_string(),
                m.party.to_string(),
                m.version.to_string(),
                m.endpoint.clone(),
                m.valid_until.to_string(),
                appraisals.get(&m.agency).map_or_else(String::new, regarded),
            ]
        })
        .collect();
    let heads = ["AGENCY", "PARTY", "VERSION", "ENDPOINT", "VALID UNTIL", "POSTINGS"];
    let text = words::table(&heads, &rows);
    Ok(Answer::new(text, json!({"members": members, "appraisals": appraisals})))
}

/// Marking floor and grade, as the list says them.
fn regarded(appraisal: &Appraisal) -> String {
    let grade = appraisal.grade.map(|grade| format!(" {grade}")).unwrap_or_default();
    format!("{}{grade}", appraisal.floor)
}

/// This node's own document, to hand to partners.
pub fn export(desk: &mut Desk<'_>) -> Outcome {
    let signed = desk.node.identity().document()?;
    let text = String::from_utf8_lossy(&signed.bytes).into_owned();
    let json = json!({"document": text, "fingerprint": signed.digest});
    Ok(Answer::new(text.trim_end().to_owned(), json))
}

/// A new access token for a partner's TAXII client; shown once, only its digest is kept.
pub fn token(desk: &mut Desk<'_>, agency: &AgencyId) -> Outcome {
    let mut bytes = [0_u8; 32];
    SystemEntropy.fill(&mut bytes);
    let token = node::identity::token_text(&bytes);
    let digest = node::identity::token_digest(&token);
    desk.act(Event::Access { partner: agency.clone(), token: digest })?;
    let text = format!(
        "access token for {agency}, shown this once:\n{token}\nits TAXII client signs in with user \
         {agency} and this password, or as a bearer token"
    );
    Ok(Answer::new(text, json!({"agency": agency, "token": token})))
}

/// How what a partner posts is regarded from now on.
pub fn appraise(
    desk: &mut Desk<'_>,
    partner: &AgencyId,
    floor: model::marking::Tlp,
    grade: Option<model::grading::Grade>,
) -> Outcome {
    let appraisal = Appraisal { floor, grade };
    desk.act(Event::Appraise { partner: partner.clone(), appraisal })?;
    let graded = grade.map_or_else(|| "no grade".to_owned(), |grade| format!("grade {grade}"));
    let text = format!("what {partner} posts counts as {floor} where unmarked, with {graded}");
    Ok(Answer::new(text, json!({"agency": partner, "appraisal": appraisal})))
}
