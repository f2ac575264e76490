//! The demonstration: three nodes of fictional states play the bundled exercise with the real
//! program, and an account says what happened and how it can be checked.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "counts of one short performance cannot overflow"
)]

mod account;
mod cast;
mod story;

use crate::Failure;
use crate::order::Words;
use account::Account;
use cast::Cast;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use story::{Deed, Story};

/// Where the exercise lies.
const STORY_DIR: &str = "scenarios/lantern";
/// Longest wait for deliveries after one step.
const QUIET_WAIT: Duration = Duration::from_secs(30);

/// Runs the demonstration.
///
/// # Errors
/// The program does not build, a node does not start, or a step ends otherwise than written.
pub fn run(mut words: Words) -> Result<(), Failure> {
    let data = words.value("--data")?.map(PathBuf::from);
    let serve = !words.switch("--no-serve");
    words.done()?;
    build()?;
    let started = Instant::now();
    let story = Story::read(Path::new(STORY_DIR))?;
    let mut account = Account::begin(&story);
    let cast = Cast::start(&story)?;
    account.cast(&cast);
    perform(&story, &cast, &mut account)?;
    if let Some(data) = data {
        account.real_files(&cast, &data)?;
    }
    account.proof(&cast)?;
    account.end(started.elapsed());
    if serve {
        account.pages(&cast)?;
        cast.keep_serving()?;
    }
    account.verdict()
}

fn build() -> Result<(), Failure> {
    let words = ["build", "--quiet", "--package", "entente"];
    let status = Command::new("cargo").args(words).status().map_err(Failure::io("cargo"))?;
    if status.success() { Ok(()) } else { Err(Failure::Program("cargo build".to_owned())) }
}

fn perform(story: &Story, cast: &Cast, account: &mut Account) -> Result<(), Failure> {
    for node in &story.nodes {
        for file in &node.records {
            let path = format!("{STORY_DIR}/{file}");
            let said = cast.ask(&node.name, &["import", "stix", &path])?;
            account.imported(node, &said);
        }
    }
    for node in &story.nodes {
        for order in &node.orders {
            let mut words = vec!["order".to_owned(), "add".to_owned()];
            words.extend(order.words());
            let said = cast.ask(&node.name, &words)?;
            account.ordered(node, order, &said);
        }
    }
    cast.wait_quiet(QUIET_WAIT)?;
    account.received(story, cast)?;
    account.steps_begin();
    for step in &story.steps {
        let said = match &step.deed {
            Deed::Share(release) => cast.ask_release(&step.node, &step.record, release)?,
            Deed::Consent { recipient, purpose, until } => {
                let words = [
                    "consent",
                    "--record",
                    &step.record,
                    "--to",
                    recipient,
                    "--purpose",
                    purpose,
                    "--until",
                    until,
                ];
                cast.ask(&step.node, &words)?
            }
            Deed::Recall { reason } => {
                cast.ask(&step.node, &["recall", &step.record, "--reason", reason])?
            }
        };
        cast.wait_quiet(QUIET_WAIT)?;
        account.step(step, &said, cast)?;
    }
    Ok(())
}
