//! The courier: carries what waits in the outbox to the partners and brings their answers back.
//!
//! Each partner has a lane of its own: in order, one message at a time, with longer and longer
//! pauses after failures. A message that its partner keeps refusing is given up and the next goes
//! on. A partner that is slow, down, lies or talks without end delays no other.

mod carry;
mod lanes;

use crate::edge::SystemEntropy;
use crate::failure::Failure;
use crate::http::{Site, journal_line};
use carry::{AtNode, AtSite, Fate, Trouble, agent, along};
use lanes::{Lanes, Run};
use model::ids::{AgencyId, Digest};
use model::member::Member;
use model::time::Timestamp;
use node::Node;
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
    for partner in waited_for(site) {
        if partner == *site.agency() || !lanes.is_due(&partner, Instant::now()) {
            continue;
        }
        let Some(member) = member(site, &partner) else { continue };
        lanes.begin(&partner);
        let (site, back) = (Arc::clone(site), back.clone());
        let lane = std::thread::Builder::new().name("lane".to_owned());
        let started = lane.spawn(move || {
            let run = run(&site, &member);
            let _courier_stopped = back.send(Told::Ended(member.agency, run));
        });
        if let Err(error) = started {
            let trouble = Some(Trouble::new("no_thread", error));
            ended(lanes, &partner, Run { carried: 0, trouble });
        }
    }
}

fn waited_for(site: &Site) -> BTreeSet<AgencyId> {
    let known = site.snapshot().and_then(|s| Ok(node::outbox::partners(&*s)?));
    known.unwrap_or_else(|problem| {
        problem.tell_operator();
        BTreeSet::new()
    })
}

fn member(site: &Site, partner: &AgencyId) -> Option<Member> {
    let known = site.snapshot().and_then(|s| Ok(node::peer::member(&*s, partner)?));
    known.unwrap_or_else(|problem| {
        problem.tell_operator();
        None
    })
}

/// Carries what waits for one partner.
fn run(site: &Site, member: &Member) -> Run {
    let (mut seat, agent, mut carried) = (AtSite(site), agent(), 0_u64);
    let done = along(&mut seat, (&agent, member), &mut |digest, fate| {
        carried = carried.saturating_add(1);
        if let Fate::GivenUp(trouble) = fate {
            let text = format!("{}: {digest} is given up: {trouble}", member.agency);
            journal_line("undelivered", &text);
        }
    });
    Run { carried, trouble: done.err().map(|(_, trouble)| trouble) }
}

/// What became of one message that waited.
#[derive(Debug, Clone)]
pub struct DeliveryReport {
    /// To whom.
    pub recipient: AgencyId,
    /// Which message.
    pub digest: Digest,
    /// What became of it; nothing where it waits on.
    pub fate: Option<Fate>,
    /// Why it waits on.
    pub trouble: String,
}

impl fmt::Display for DeliveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (to, what) = (&self.recipient, &self.digest);
        match &self.fate {
            Some(Fate::Answered) => write!(f, "delivered to {to}: {what}"),
            Some(Fate::GivenUp(trouble)) => write!(f, "given up for {to}: {what} ({trouble})"),
            None => write!(f, "waits for {to}: {what} ({})", self.trouble),
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
    let partners = node::outbox::partners(&*node.snapshot()?)?;
    let (mut reports, agent) = (Vec::new(), agent());
    for recipient in partners {
        let Some(member) = node.member(&recipient)? else {
            let trouble = (None, Trouble::new("member_unknown", "it is not pinned"));
            left(node, &recipient, &trouble, &mut reports)?;
            continue;
        };
        let done = along(&mut AtNode { node, now }, (&agent, &member), &mut |digest, fate| {
            let (recipient, digest) = (member.agency.clone(), *digest);
            let fate = Some(fate.clone());
            reports.push(DeliveryReport { recipient, digest, fate, trouble: String::new() });
        });
        if let Err(trouble) = done {
            left(node, &recipient, &trouble, &mut reports)?;
        }
    }
    Ok(reports)
}

/// What stays behind for a partner, and why.
fn left(
    node: &Node,
    partner: &AgencyId,
    (at, trouble): &(Option<Digest>, Trouble),
    reports: &mut Vec<DeliveryReport>,
) -> Result<(), Failure> {
    let outlines = node::outbox::outlines(&*node.snapshot()?)?;
    for outline in outlines.into_iter().filter(|outline| outline.recipient == *partner) {
        let itself = at.is_none_or(|at| at == outline.digest);
        let why =
            if itself { trouble.to_string() } else { "an earlier message to it waits".to_owned() };
        let (recipient, digest) = (outline.recipient, outline.digest);
        reports.push(DeliveryReport { recipient, digest, fate: None, trouble: why });
    }
    Ok(())
}
