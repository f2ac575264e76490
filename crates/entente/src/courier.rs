//! The courier: carries what waits in the outbox to the partners and brings their answers back.
//!
//! Each partner has a lane of its own: in order, one message at a time, with longer and longer
//! pauses after failures. A partner that is slow, down, lies or talks without end delays no other.

mod carry;
mod lanes;

use crate::edge::SystemEntropy;
use crate::failure::Failure;
use crate::http::{Site, journal_line};
use carry::{AtNode, AtSite, Trouble, agent, carry};
use lanes::{Lanes, Run};
use model::ids::{AgencyId, Digest};
use model::member::Member;
use model::time::Timestamp;
use node::Node;
use node::outbox::Waiting;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the outbox is looked at.
const PAUSE: Duration = Duration::from_millis(200);
/// How often the clock may end what has reached its end.
const TICK: Duration = Duration::from_secs(60);

/// What the courier's thread is told.
enum Told {
    /// A lane ended its run.
    Ended(AgencyId, Run),
    /// Stop.
    Stop,
}

/// The courier's thread.
pub struct Courier {
    tell: Sender<Told>,
    thread: JoinHandle<()>,
}

impl Courier {
    /// Starts it.
    ///
    /// # Errors
    /// The system grants no thread.
    pub fn start(site: Arc<Site>) -> Result<Self, Failure> {
        let (tell, told) = channel();
        let back = tell.clone();
        let thread = std::thread::Builder::new()
            .name("courier".to_owned())
            .spawn(move || rounds(&site, &back, &told))
            .map_err(|e| {
                let help = "check the machine's limits on threads";
                Failure::node("no_thread", format!("the courier cannot start: {e}"), help)
            })?;
        Ok(Self { tell, thread })
    }

    /// Stops it; lanes in the middle of an exchange are left to their timeouts.
    pub fn stop(self) {
        let _ended_already = self.tell.send(Told::Stop);
        if self.thread.join().is_err() {
            journal_line("courier_broke_off", &"what waits is sent after the next start");
        }
    }
}

fn rounds(site: &Arc<Site>, back: &Sender<Told>, told: &Receiver<Told>) {
    let mut lanes = Lanes::default();
    let mut ticked: Option<Instant> = None;
    loop {
        match told.recv_timeout(PAUSE) {
            Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Told::Ended(partner, run)) => ended(&mut lanes, &partner, run),
            Err(RecvTimeoutError::Timeout) => {
                if ticked.is_none_or(|at| at.elapsed() >= TICK) {
                    ticked = Some(Instant::now());
                    if let Err(failure) = site.tick() {
                        journal_line(&failure.code, &failure);
                    }
                }
                set_off(site, &mut lanes, back);
            }
        }
    }
}

fn ended(lanes: &mut Lanes, partner: &AgencyId, run: Run) {
    let mut chance = [0_u8; 1];
    node::Entropy::fill(&mut SystemEntropy, &mut chance);
    let words = run.trouble.as_ref().map(|trouble| (trouble.code, trouble.to_string()));
    let pause = lanes.end(partner, run, Instant::now(), chance[0]);
    if let (Some((code, text)), Some(pause)) = (words, pause) {
        journal_line(code, &format!("{partner}: {text}; next try in {} ms", pause.as_millis()));
    }
}

/// Starts a run for each partner for whom something waits and whose lane is free and due.
fn set_off(site: &Arc<Site>, lanes: &mut Lanes, back: &Sender<Told>) {
    for member in members(site) {
        let partner = &member.agency;
        if partner == site.agency() || !lanes.is_due(partner, Instant::now()) {
            continue;
        }
        let waiting = waiting(site, partner);
        if waiting.is_empty() {
            continue;
        }
        let carried = lanes.begin(partner);
        let (site, back, partner) = (Arc::clone(site), back.clone(), partner.clone());
        let lane = std::thread::Builder::new().name("lane".to_owned());
        let started = lane.spawn(move || {
            let run = run(&site, &member, &waiting, &carried);
            let _courier_stopped = back.send(Told::Ended(member.agency, run));
        });
        if let Err(error) = started {
            let trouble = Some(Trouble::new("no_thread", error));
            ended(lanes, &partner, Run { carried: BTreeSet::new(), trouble });
        }
    }
}

fn members(site: &Site) -> Vec<Member> {
    let known = site.snapshot().and_then(|s| Ok(node::query::members(&*s)?));
    known.unwrap_or_else(|problem| {
        problem.tell_operator();
        Vec::new()
    })
}

fn waiting(site: &Site, partner: &AgencyId) -> Vec<Waiting> {
    let found = site.snapshot().and_then(|s| Ok(node::outbox::waiting(&*s, partner)?));
    found.unwrap_or_else(|problem| {
        problem.tell_operator();
        Vec::new()
    })
}

/// Carries what waits for one partner, oldest first, until something goes wrong.
fn run(site: &Site, member: &Member, waiting: &[Waiting], before: &BTreeSet<Digest>) -> Run {
    let (mut seat, agent) = (AtSite(site), agent());
    let mut carried = BTreeSet::new();
    for message in waiting {
        // WHY: a partner that answers without answering must not keep the lane spinning.
        let done = if before.contains(&message.digest) {
            Err(Trouble::new("answer_unfit", "its answer did not settle the message"))
        } else {
            carry(&mut seat, &agent, member, message)
        };
        match done {
            Ok(()) => carried.insert(message.digest),
            Err(trouble) => return Run { carried, trouble: Some(trouble) },
        };
    }
    Run { carried, trouble: None }
}

/// What became of one message that waited.
#[derive(Debug, Clone)]
pub struct DeliveryReport {
    /// To whom.
    pub recipient: AgencyId,
    /// Which message.
    pub digest: Digest,
    /// Nothing when it was answered, else why not.
    pub trouble: Option<String>,
}

impl fmt::Display for DeliveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (to, what) = (&self.recipient, &self.digest);
        match &self.trouble {
            None => write!(f, "delivered to {to}: {what}"),
            Some(trouble) => write!(f, "waits for {to}: {what} ({trouble})"),
        }
    }
}

/// One pass over everything that waits, without a running node.
///
/// After a failure the partner's later messages stay behind: order is kept.
///
/// # Errors
/// The store failed.
pub fn deliver_once(node: &mut Node, now: Timestamp) -> Result<Vec<DeliveryReport>, Failure> {
    let waiting = node::outbox::all_waiting(&*node.snapshot()?)?;
    let (mut blocked, mut reports, agent) = (BTreeSet::new(), Vec::new(), agent());
    for message in waiting {
        let (recipient, digest) = (message.recipient.clone(), message.digest);
        let trouble = if blocked.contains(&recipient) {
            Some("an earlier message to it waits".to_owned())
        } else {
            let member = node.member(&recipient)?;
            let member = member.ok_or_else(|| Trouble::new("member_unknown", "it is not pinned"));
            let done = member.and_then(|m| carry(&mut AtNode { node, now }, &agent, &m, &message));
            done.err().map(|trouble| trouble.to_string())
        };
        if trouble.is_some() {
            blocked.insert(recipient.clone());
        }
        reports.push(DeliveryReport { recipient, digest, trouble });
    }
    Ok(reports)
}
