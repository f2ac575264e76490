//! Executes commands against the node: one file a group; each asks the node and words the answer.

mod agreements;
mod delivery;
mod export;
mod feeds;
mod log;
mod members;
mod records;
mod same_as;
mod sharing;

pub use agreements::problems;
pub use delivery::about;
pub use export::{Chosen, Exported, export};
pub use log::FILES_MAX as LOG_FILES_MAX;
pub use records::{Made, store};
pub use sharing::tally;

use crate::command::{Answer, Command, Outcome};
use crate::edge::SystemEntropy;
use crate::failure::Failure;
use crate::words;
use model::event::Event;
use model::time::Timestamp;
use node::{Body, Handled, Node};
use serde_json::json;

/// A node with an officer at it and the present.
pub struct Desk<'a> {
    /// The node.
    pub node: &'a mut Node,
    /// The officer's name, as the door or the terminal knows it.
    pub officer: String,
    /// The present.
    pub now: Timestamp,
}

impl Desk<'_> {
    /// Hands an event to the node in the officer's name.
    ///
    /// # Errors
    /// What the node answers.
    pub fn act(&mut self, event: Event<Body>) -> Result<Handled, Failure> {
        Ok(self.node.act(&self.officer, event, self.now, &mut SystemEntropy)?)
    }

    /// Logs that something was looked at.
    ///
    /// # Errors
    /// What the node answers.
    pub fn looked(&mut self, query: String, count: usize) -> Result<(), Failure> {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let reader = self.officer.clone();
        self.act(Event::Read { reader, partner: None, query, count }).map(|_| ())
    }
}

/// Executes one command.
///
/// # Errors
/// Who erred, what happened and what to do about it.
pub fn execute(desk: &mut Desk<'_>, command: Command) -> Outcome {
    match command {
        Command::Status => status(desk),
        Command::Vocabulary { document } => agreements::vocabulary(desk, &document),
        Command::MemberAdd { document, fingerprint } => members::add(desk, &document, &fingerprint),
        Command::MemberList => members::list(desk),
        Command::MemberExport => members::export(desk),
        Command::MemberToken { agency } => members::token(desk, &agency),
        Command::MemberAppraise { agency, floor, grade } => {
            members::appraise(desk, &agency, floor, grade)
        }
        Command::AgreementAdd { document } => agreements::add(desk, &document),
        Command::AgreementSign { agreement } => agreements::sign(desk, &agreement),
        Command::AgreementSignature { document } => agreements::signature(desk, &document),
        Command::AgreementList => agreements::list(desk),
        Command::AgreementShow { agreement } => agreements::show(desk, &agreement),
        Command::AgreementDiff { document, against } => {
            agreements::diff(desk, &document, against.as_deref())
        }
        Command::OrderAdd { order } => sharing::order_add(desk, order),
        Command::OrderRemove { order } => sharing::order_remove(desk, order),
        Command::OrderList => sharing::order_list(desk),
        Command::Import { format, officer, floor, records, upgraded } => {
            records::import(desk, (&format, floor), &officer, (&records, &upgraded))
        }
        Command::Explain { record, order } => sharing::explain(desk, &record, &order),
        Command::Share { records, order, dry_run } => sharing::share(desk, records, order, dry_run),
        Command::Export { format, order, records, kind, after, every_version, dry_run } => {
            let chosen = export::Chosen { records, kind, after, every_version };
            export::answer(desk, (&format, order, dry_run), &chosen)
        }
        Command::Audience { order, limit } => sharing::audience(desk, &order, limit),
        Command::Recall { record, reason } => sharing::recall(desk, record, reason),
        Command::Consent { consent } => sharing::consent(desk, consent),
        Command::List { kind, limit, after } => {
            records::list(desk, kind.as_deref(), limit, after.as_ref())
        }
        Command::Show { record } => records::show(desk, &record),
        Command::Outbox => delivery::outbox(desk),
        Command::DeliverAgain { message } => delivery::again(desk, message.as_ref()),
        Command::DeliverGiveUp { message } => delivery::give_up(desk, &message),
        Command::Notices { limit } => delivery::notices(desk, limit),
        Command::LogVerify => log::verify(desk),
        Command::LogShow { from, limit } => log::show(desk, from, limit),
        Command::LogProve { index } => log::prove(desk, index),
        Command::LogSeen => log::seen(desk),
        Command::LogAgainst { checkpoint } => log::against(desk, &checkpoint),
        Command::LogFiles { paths } => log::files(desk, &paths),
        Command::SameAs { one, other, linking, reason } => {
            same_as::link(desk, (one, other), linking, reason)
        }
        Command::SameAsShow { record } => same_as::show(desk, &record),
        Command::FeedSet { feed } => feeds::set(desk, *feed),
        Command::FeedList => feeds::list(desk),
        Command::FeedShow { feed } => feeds::show(desk, &feed),
        Command::FeedRemove { feed } => feeds::remove(desk, feed),
        Command::FeedRunning { feed, running } => feeds::running(desk, &feed, running),
        Command::FeedDue { feed } => feeds::due(desk, &feed),
        Command::Tick => records::tick(desk),
    }
}

fn status(desk: &mut Desk<'_>) -> Outcome {
    let snapshot = desk.node.snapshot()?;
    let counts = node::query::counts(&*snapshot)?;
    let member = &desk.node.identity().member;
    let text = format!(
        "{} for {}\nlistens at {}\nholds {} in {}\nknows {} and {}\n{} to deliver\n\
         log of {}",
        member.agency,
        member.party,
        member.endpoint,
        words::count(counts.assertions, "record"),
        words::count(counts.records, "version"),
        words::count(counts.members, "member"),
        words::count(counts.agreements, "agreement"),
        words::count(counts.waiting, "message"),
        words::count(counts.entries, "entry").replace("entrys", "entries"),
    );
    let text = format!("{text}{}", attention(&counts));
    Ok(Answer::new(text, json!({"agency": member.agency, "party": member.party, "counts": counts})))
}

/// What an officer should look at; nothing where all is well.
fn attention(counts: &node::query::Counts) -> String {
    let mut lines = String::new();
    let mut say = |number: u64, noun: &str, rest: &str| {
        if number > 0 {
            lines.push_str(&format!("\n{} {rest}", words::count(number, noun)));
        }
    };
    say(counts.undelivered, "message", "given up: entente outbox");
    say(counts.notices, "notice", "of records of ours passed on: entente notices");
    say(counts.notices_owed, "notice", "owed to originators not pinned here: entente notices");
    lines
}
