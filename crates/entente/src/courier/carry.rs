//! Carries one message to a partner's door and its signed answer back to the node.

use crate::edge::{self, SystemEntropy};
use crate::failure::Failure;
use crate::http::Site;
use model::ids::{AgencyId, Digest};
use model::member::Member;
use model::time::Timestamp;
use node::outbox::Waiting;
use node::peer::Message;
use node::{Node, NodeError};
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use store::Snapshot;

/// LIMIT: time to reach a partner.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// LIMIT: time for a whole exchange.
const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(30);
/// LIMIT: bytes of a partner's answer.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// LIMIT: proofs made anew for one message in one run.
const PROOFS_MAX: usize = 4;

/// Why a message still waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A stable word.
    pub code: &'static str,
    /// What happened.
    text: String,
    /// The status and code of a partner's door that refused.
    pub refusal: Option<(u16, Option<String>)>,
}

impl Trouble {
    /// Trouble with its cause.
    pub fn new(code: &'static str, text: impl ToString) -> Self {
        Self { code, text: text.to_string(), refusal: None }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<NodeError> for Trouble {
    fn from(error: NodeError) -> Self {
        Self::new(error.code(), error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::new("node_failed", failure)
    }
}

/// The node, running or not, as the courier needs it.
pub trait Seat {
    /// The message with a fresh proof, and the size of the log it proves.
    ///
    /// # Errors
    /// The store failed.
    fn ready(&self, waiting: &Waiting) -> Result<(Message, u64), Trouble>;
    /// Hands in a partner's answer.
    ///
    /// # Errors
    /// The answer does not hold.
    fn answered(&mut self, text: &str) -> Result<(), Trouble>;
    /// Remembers what a partner has seen of the log.
    ///
    /// # Errors
    /// The store failed.
    fn seen_by(&mut self, partner: &AgencyId, size: u64) -> Result<(), Trouble>;
    /// The next messages for a partner, oldest first; none is the end.
    ///
    /// # Errors
    /// The store failed.
    fn page(&self, partner: &AgencyId, after: Option<u64>) -> Result<Vec<(u64, Waiting)>, Trouble>;
    /// Whether a message still waits.
    ///
    /// # Errors
    /// The store failed.
    fn waits(&self, partner: &AgencyId, message: &Digest) -> Result<bool, Trouble>;
    /// Notes a refusal; whether the message was given up for it.
    ///
    /// # Errors
    /// The store failed.
    fn refused(
        &mut self,
        message: (&AgencyId, &Digest),
        said: (u16, Option<String>),
    ) -> Result<bool, Trouble>;
}

fn ready(snapshot: &dyn Snapshot, waiting: &Waiting) -> Result<(Message, u64), Trouble> {
    let size = node::log::frontier(snapshot)?.size();
    Ok((node::outbox::ready(snapshot, waiting)?, size))
}

/// A running node.
pub struct AtSite<'a>(pub &'a Site);

impl AtSite<'_> {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, Trouble> {
        self.0.snapshot().map_err(|p| Trouble::new(p.code, p.log.as_deref().unwrap_or(p.public)))
    }
}

impl Seat for AtSite<'_> {
    fn ready(&self, waiting: &Waiting) -> Result<(Message, u64), Trouble> {
        ready(&*self.snapshot()?, waiting)
    }

    fn answered(&mut self, text: &str) -> Result<(), Trouble> {
        let now = edge::now()?;
        Ok(self.0.write(|node| node.answered(text, now, &mut SystemEntropy))??)
    }

    fn seen_by(&mut self, partner: &AgencyId, size: u64) -> Result<(), Trouble> {
        Ok(self.0.write(|node| node.seen_by(partner, size))??)
    }

    fn page(&self, partner: &AgencyId, after: Option<u64>) -> Result<Vec<(u64, Waiting)>, Trouble> {
        Ok(node::outbox::page(&*self.snapshot()?, partner, after)?)
    }

    fn waits(&self, partner: &AgencyId, message: &Digest) -> Result<bool, Trouble> {
        Ok(node::outbox::waits(&*self.snapshot()?, partner, message)?)
    }

    fn refused(
        &mut self,
        message: (&AgencyId, &Digest),
        said: (u16, Option<String>),
    ) -> Result<bool, Trouble> {
        let now = edge::now()?;
        Ok(self.0.write(|node| node.refused(message, said, now, &mut SystemEntropy))??)
    }
}

/// A node opened for one pass.
pub struct AtNode<'a> {
    /// The node.
    pub node: &'a mut Node,
    /// The present.
    pub now: Timestamp,
}

impl Seat for AtNode<'_> {
    fn ready(&self, waiting: &Waiting) -> Result<(Message, u64), Trouble> {
        ready(&*self.node.snapshot()?, waiting)
    }

    fn answered(&mut self, text: &str) -> Result<(), Trouble> {
        Ok(self.node.answered(text, self.now, &mut SystemEntropy)?)
    }

    fn seen_by(&mut self, partner: &AgencyId, size: u64) -> Result<(), Trouble> {
        Ok(self.node.seen_by(partner, size)?)
    }

    fn page(&self, partner: &AgencyId, after: Option<u64>) -> Result<Vec<(u64, Waiting)>, Trouble> {
        Ok(node::outbox::page(&*self.node.snapshot()?, partner, after)?)
    }

    fn waits(&self, partner: &AgencyId, message: &Digest) -> Result<bool, Trouble> {
        Ok(node::outbox::waits(&*self.node.snapshot()?, partner, message)?)
    }

    fn refused(
        &mut self,
        message: (&AgencyId, &Digest),
        said: (u16, Option<String>),
    ) -> Result<bool, Trouble> {
        Ok(self.node.refused(message, said, self.now, &mut SystemEntropy)?)
    }
}

/// A client that follows nowhere, waits for nobody and uses no proxy it was not told of.
#[must_use]
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_connect(Some(CONNECT_TIME_MAX))
        .timeout_global(Some(EXCHANGE_TIME_MAX))
        .build()
        .into()
}

/// What a partner's door said.
enum Said {
    /// The signed answer.
    Answer(String),
    /// The proof must start from this size of the log.
    From(u64),
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its partner answered it.
    Answered,
    /// It was given up, for this reason.
    GivenUp(Trouble),
}

/// Carries what waits for one partner, oldest first and a page at a time, until something goes
/// wrong that may pass. What is given up is out of the way of what follows.
///
/// # Errors
/// [`Trouble`] with the message it happened to, which waits on, and so do those behind it.
pub fn along(
    seat: &mut dyn Seat,
    (agent, member): (&ureq::Agent, &Member),
    told: &mut dyn FnMut(&Digest, &Fate),
) -> Result<(), (Option<Digest>, Trouble)> {
    let (partner, mut after) = (&member.agency, None);
    loop {
        let page = seat.page(partner, after).map_err(|trouble| (None, trouble))?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (_, waiting) in &page {
            let digest = &waiting.digest;
            let fate = settle(seat, (agent, member), waiting);
            told(digest, &fate.map_err(|trouble| (Some(*digest), trouble))?);
        }
    }
}

fn settle(
    seat: &mut dyn Seat,
    (agent, member): (&ureq::Agent, &Member),
    waiting: &Waiting,
) -> Result<Fate, Trouble> {
    let (partner, digest) = (&member.agency, &waiting.digest);
    match carry(seat, agent, member, waiting) {
        // WHY: a partner that answers without answering must not keep the lane spinning.
        Ok(()) if seat.waits(partner, digest)? => {
            Err(Trouble::new("answer_unfit", "its answer did not settle the message"))
        }
        Ok(()) => Ok(Fate::Answered),
        Err(trouble) => {
            let given_up = match trouble.refusal.clone() {
                Some(said) => seat.refused((partner, digest), said)?,
                None => false,
            };
            if given_up { Ok(Fate::GivenUp(trouble)) } else { Err(trouble) }
        }
    }
}

/// Carries one message until it is answered.
///
/// # Errors
/// [`Trouble`]; the message waits on.
fn carry(
    seat: &mut dyn Seat,
    agent: &ureq::Agent,
    member: &Member,
    waiting: &Waiting,
) -> Result<(), Trouble> {
    for _ in 0..PROOFS_MAX {
        let (message, size) = seat.ready(waiting)?;
        match post(agent, &member.endpoint, &message)? {
            Said::Answer(text) => {
                seat.answered(&text)?;
                return match message {
                    Message::Shipment(_) => seat.seen_by(&member.agency, size),
                    Message::Note(_) => Ok(()),
                };
            }
            Said::From(seen) if seen <= size => seat.seen_by(&member.agency, seen)?,
            Said::From(seen) => {
                let text = format!(
                    "it has seen {seen} entries of this node's log, which has {size}; was the \
                     store put back from an older backup?"
                );
                return Err(Trouble::new("log_behind_partner", text));
            }
        }
    }
    Err(Trouble::new("log_proof_conflict", "it keeps asking for another log proof"))
}

fn post(agent: &ureq::Agent, endpoint: &str, message: &Message) -> Result<Said, Trouble> {
    let address = format!("{}/peer/messages", endpoint.trim_end_matches('/'));
    let body = serde_json::to_string(message).map_err(|e| Trouble::new("message_unwritable", e))?;
    let silent = |e: ureq::Error| Trouble::new("partner_silent", format!("no answer: {e}"));
    let mut response = agent
        .post(&address)
        .header("content-type", "application/json")
        .send(body)
        .map_err(silent)?;
    let status = response.status().as_u16();
    let read = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let bytes = read.map_err(|e| {
        if matches!(e, ureq::Error::BodyExceedsLimit(_)) {
            let text = format!("its answer exceeds {ANSWER_BYTES_MAX} bytes");
            return Trouble::new("answer_too_large", text);
        }
        silent(e)
    })?;
    said(status, bytes)
}

fn said(status: u16, bytes: Vec<u8>) -> Result<Said, Trouble> {
    if status == 200 {
        let text = String::from_utf8(bytes);
        return text
            .map(Said::Answer)
            .map_err(|_| Trouble::new("answer_unfit", "its answer is not text"));
    }
    let value: Option<Value> = serde_json::from_slice(&bytes).ok();
    let size = value.as_ref().and_then(|v| v.get("size")).and_then(Value::as_u64);
    if let (409, Some(size)) = (status, size) {
        return Ok(Said::From(size));
    }
    let code = value.as_ref().and_then(|v| v.get("code")).and_then(Value::as_str);
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ');
    let code: Option<String> = code.map(|code| code.chars().filter(plain).take(60).collect());
    let words = code.as_deref().unwrap_or("no code given");
    let trouble = Trouble::new("partner_refuses", format!("it answers {status}, {words}"));
    Err(Trouble { refusal: Some((status, code)), ..trouble })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_are_understood_and_nonsense_is_trouble() {
        assert!(matches!(said(200, b"ok".to_vec()), Ok(Said::Answer(text)) if text == "ok"));
        assert!(matches!(said(409, b"{\"size\":7}".to_vec()), Ok(Said::From(7))));
        for (status, body) in [(200, &b"\xff"[..]), (409, b"{}"), (500, b"<html>"), (302, b"")] {
            assert!(said(status, body.to_vec()).is_err(), "{status}");
        }
        let trouble = said(400, b"{\"code\":\"a\\u001b[31mb\"}".to_vec()).err().unwrap();
        assert_eq!(trouble.to_string(), "it answers 400, a31mb");
        assert_eq!(trouble.refusal, Some((400, Some("a31mb".to_owned()))));
        assert_eq!(said(200, b"\xff".to_vec()).err().unwrap().refusal, None);
    }
}
