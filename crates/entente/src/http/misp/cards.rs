//! What this node says of itself to MISP's clients. Pure.

use crate::http::errors::Problem;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use node::access::Admitted;
use serde_json::{Value, json};
use wire::stix::convert::deterministic_id;

/// The version of MISP's interface that is spoken. WHY: MISP synchronises only with its own major.
const SPOKEN: &str = "2.5.12";
/// The version of PyMISP this was tested with.
pub const PYMISP: &str = "2.5.12";

/// The `getVersion` answer. Sightings are filtered before they are pushed; no compressed bodies.
#[must_use]
pub fn version() -> Value {
    json!({
        "version": SPOKEN, "pymisp_recommended_version": PYMISP,
        "perm_sync": true, "perm_sighting": true, "perm_galaxy_editor": false,
        "perm_analyst_data": false, "uuid": null, "request_encoding": [],
        "filter_sightings": true,
        "entente": env!("CARGO_PKG_VERSION"),
    })
}

/// The UUID by which an agency is an organisation in MISP: the same at every node.
#[must_use]
pub fn organisation(agency: &str) -> Value {
    let id = deterministic_id("identity", "agency", agency);
    json!({"uuid": id.trim_start_matches("identity--"), "name": agency})
}

/// The key's owner: the partner, as a user that may synchronise and nothing else.
#[must_use]
pub fn me(caller: &Admitted) -> Value {
    let agency = caller.partner().as_str();
    let organisation = organisation(agency);
    let role = json!({
        "name": "Partner", "perm_auth": true, "perm_sync": true, "perm_add": true,
        "perm_modify": true, "perm_modify_org": false, "perm_publish": false,
        "perm_delegate": false,
        "perm_admin": false, "perm_site_admin": false, "perm_audit": false, "perm_tagger": false,
        "perm_tag_editor": false, "perm_template": false, "perm_sharing_group": false,
        "perm_sighting": true, "perm_object_template": false, "perm_galaxy_editor": false,
        "perm_analyst_data": false, "perm_warninglist": false, "perm_decaying": false,
    });
    let user = json!({
        "email": agency, "org_id": organisation.get("uuid"), "disabled": false, "autoalert": false,
    });
    json!({"User": user, "Role": role, "UserSetting": [], "Organisation": organisation})
}

/// What arrived of a POST, for MISP's test of a connection.
///
/// # Errors
/// The body is not JSON.
pub fn echo(headers: &HeaderMap, body: &[u8]) -> Result<Value, Problem> {
    let body = super::read::json(body)?;
    let stated = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Ok(json!({
        "body": body,
        "headers": {"Content-type": stated(&CONTENT_TYPE), "Accept": stated(&ACCEPT)},
    }))
}

/// The answer to "which of these do you want": none, because that kind is not kept.
///
/// # Errors
/// The body is not JSON.
pub fn nothing_wanted(body: &[u8]) -> Result<Value, Problem> {
    if !body.is_empty() {
        super::read::json(body)?;
    }
    Ok(json!({}))
}
