//! Asks a running node through its officer's door.

use crate::command::{Answer, Command};
use crate::failure::Failure;
use crate::place::Place;
use std::time::Duration;

/// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Sends a command with the officer's token.
///
/// # Errors
/// The node does not answer, or what it answers.
pub fn ask(place: &Place, officer: &str, command: &Command) -> Result<Answer, Failure> {
    let settings = place.settings()?;
    let address = format!("http://{}/officer/commands", settings.listen);
    let silent = |error: &dyn std::fmt::Display| {
        Failure::node(
            "node_silent",
            format!("the store is in use, and no node answers at {}: {error}", settings.listen),
            "wait for the other command to end, or start the node with `entente serve`",
        )
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(600)))
        .build()
        .into();
    let body = serde_json::to_string(command).map_err(|e| silent(&e))?;
    let mut response = agent
        .post(&address)
        .header("authorization", format!("Bearer {}", place.token()?))
        .header("x-officer", officer)
        .header("content-type", "application/json")
        .send(body)
        .map_err(|e| silent(&e))?;
    let status = response.status().as_u16();
    let text = response
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_string()
        .map_err(|e| silent(&e))?;
    if status == 200 {
        return serde_json::from_str(&text).map_err(|e| silent(&e));
    }
    Err(serde_json::from_str::<Failure>(&text).unwrap_or_else(|e| silent(&e)))
}
