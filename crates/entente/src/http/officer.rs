//! The officer's door: the same commands as at the keyboard, over HTTP, with the node's token.

use super::limits::COMMAND_BYTES_MAX;
use super::site::Site;
use super::{access, answers, errors, intake, work};
use crate::command::{Answer, Command};
use crate::commands::execute;
use crate::failure::Failure;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;
use std::sync::Arc;

/// `POST /officer/commands`: a command as JSON; the answer or the failure as JSON.
pub async fn commands(State(site): State<Arc<Site>>, request: Request) -> Response {
    match run(site, request).await {
        Ok(answer) => match serde_json::to_value(&answer) {
            Ok(value) => answers::json(StatusCode::OK, &value),
            Err(error) => refuse(&Failure::node("answer_unwritable", error, "report this fault")),
        },
        Err(failure) => refuse(&failure),
    }
}

/// A failure, told in full: who holds the token is an officer of this node.
fn refuse(failure: &Failure) -> Response {
    let status = errors::officer_status(failure);
    let mut response = answers::json(status, &json!(failure));
    let code = if status == StatusCode::UNAUTHORIZED { "unauthorised" } else { "bad_request" };
    answers::mark(&errors::Problem::of(code), &mut response);
    response
}

fn input(problem: &errors::Problem) -> Failure {
    Failure::input(problem.code, problem.public, problem.help)
}

async fn run(site: Arc<Site>, request: Request) -> Result<Answer, Failure> {
    let (parts, body) = request.into_parts();
    if !access::is_officer(&site, &parts.headers) {
        let help = "send the token of the node's keys/officer.token as a bearer token";
        return Err(Failure::input("unauthorised", "the officer's token is needed", help));
    }
    let officer = access::officer_name(&parts.headers).map_err(|_| {
        let help = "give letters, digits, blanks and . - _ @ only, 64 at most";
        Failure::input("bad_officer", "the officer's name is not in its form", help)
    })?;
    if !super::is_json(&parts.headers) {
        return Err(input(&errors::Problem::of("media_type")));
    }
    let bytes =
        intake::body(&parts.headers, body, COMMAND_BYTES_MAX).await.map_err(|p| input(&p))?;
    let done = work(move || Ok(obey(&site, &officer, &bytes)));
    done.await.map_err(|problem| Failure::node(problem.code, problem.public, problem.help))?
}

fn obey(site: &Site, officer: &str, bytes: &[u8]) -> Result<Answer, Failure> {
    let command = Command::read(bytes).map_err(|error| {
        let help = "send a command as `entente --help` lists them, as JSON";
        Failure::input("bad_command", format!("the command is not in its form: {error}"), help)
    })?;
    site.seat(officer, |desk| execute(desk, command))
}
