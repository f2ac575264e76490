//! Some nodes, their disks, their clocks and the network between them.
//!
//! The world stands where the edge stands in the program: it is the officers, the carrier and the
//! power. It decides nothing; after every step it asks the checkers.

use crate::SimError;
use crate::agreements::PURPOSES;
use crate::chance::Chance;
use crate::checkers::{Checker, LogMemory, Violation};
use crate::clock::Clock;
use crate::disk::{Crash, Disk, lock};
use crate::network::{Network, Weather};
use crate::records::OFFICER;
use crate::watch::Watch;
use crypto::vkey::VerifierKey;
use model::event::Event;
use model::ids::{AgencyId, Digest, PartyId};
use model::time::Timestamp;
use model::verified::{Verified, Voucher};
use model::vocabulary::{Actor, Offence, Risk, State, Vocabulary};
use node::identity::{Identity, Introduction, KnownKeys, Secrets, log_origin};
use node::peer::Message;
use node::{Body, Entropy, Handled, Node, NodeError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

/// LIMIT: nodes in one world.
pub const SITES_MAX: usize = 6;

const PARTIES: [&str; SITES_MAX] = ["XA", "XB", "XC", "XD", "XE", "XF"];

/// What a node did with what it was given.
#[derive(Debug)]
pub enum Ran<T> {
    /// It did it.
    Did(T),
    /// It refused.
    Denied(NodeError),
    /// The power went; it was started again.
    Crashed,
    /// It is down.
    Down,
}

/// What happened in a world, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events given to nodes by officers.
    pub events: u64,
    /// Messages taken in.
    pub received: u64,
    /// Messages and answers refused.
    pub refused: u64,
    /// Answers taken in.
    pub answered: u64,
    /// Crashes.
    pub crashes: u64,
    /// Lies told.
    pub lies: u64,
    /// Packets sent off.
    pub packets: u64,
    /// Packets lost.
    pub lost: u64,
    /// What the watch counted.
    pub watched: crate::watch::Counted,
}

/// One node with everything around it.
pub struct Site {
    /// Its agency.
    pub agency: AgencyId,
    /// Its party.
    pub party: PartyId,
    /// Its disk.
    pub disk: Disk,
    /// Whether its link drops recalls and answers as if they had been honoured.
    pub forges_recall_receipts: bool,
    pub(crate) node: Option<Node>,
    entropy: Chance,
    pub(crate) log: LogMemory,
    log_key: VerifierKey,
    pub(crate) by_hand: VecDeque<String>,
    pub(crate) sent: BTreeMap<Digest, Timestamp>,
}

/// The world.
pub struct World {
    /// Its seed.
    pub seed: u64,
    /// Time.
    pub clock: Clock,
    /// The network.
    pub network: Network,
    /// The omniscient observer.
    pub watch: Arc<Mutex<Watch>>,
    /// What happened so far.
    pub figures: Figures,
    /// Rules found broken so far.
    pub violations: Vec<Violation>,
    /// What happened, line by line, where somebody wants to read it.
    pub journal: Option<Vec<String>>,
    /// The vocabulary all were given.
    pub vocabulary: Vocabulary,
    pub(crate) sites: Vec<Site>,
    /// Message → why it was last refused.
    pub(crate) refusals: BTreeMap<Digest, String>,
}

impl World {
    /// Nodes that know each other and the vocabulary, and have agreed on nothing yet.
    ///
    /// # Errors
    /// A node cannot be opened.
    pub fn new(seed: u64, count: usize, weather: Weather) -> Result<Self, SimError> {
        let count = count.clamp(2, SITES_MAX);
        let clock = Clock::new("2026-06-01T00:00:00Z", count)?;
        let network = Network::new(weather, Chance::named(seed, "network"));
        let mut world = Self {
            seed,
            clock,
            network,
            watch: Arc::default(),
            figures: Figures::default(),
            violations: Vec::new(),
            journal: None,
            vocabulary: Vocabulary::default(),
            sites: Vec::new(),
            refusals: BTreeMap::new(),
        };
        for party in PARTIES.iter().take(count) {
            world.found(party)?;
        }
        world.vocabulary = vocabulary(seed, &world.agencies());
        world.introduce()?;
        Ok(world)
    }

    fn found(&mut self, party: &str) -> Result<(), SimError> {
        let agency: AgencyId =
            format!("{}.police.ct", party.to_lowercase()).parse().map_err(SimError::unusable)?;
        let party: PartyId = party.parse().map_err(SimError::unusable)?;
        let site = self.sites.len();
        let identity = identity(self.seed, &agency, &party)?;
        let log_key = KnownKeys::of(&identity.member).map_err(SimError::unusable)?.log;
        lock(&self.watch).site(&agency, identity.secrets.seal, self.clock.now());
        self.sites.push(Site {
            disk: Disk::new(site, Arc::clone(&self.watch)),
            forges_recall_receipts: false,
            node: None,
            entropy: Chance::named(self.seed, agency.as_str()),
            log: LogMemory::default(),
            log_key,
            by_hand: VecDeque::new(),
            sent: BTreeMap::new(),
            agency,
            party,
        });
        self.start(site)
    }

    fn introduce(&mut self) -> Result<(), SimError> {
        let words = self.vocabulary.clone();
        for site in 0..self.sites.len() {
            let Some(agency) = self.agency(site) else { continue };
            lock(&self.watch).truth.looked_up(&agency, &words)?;
            self.officer(site, Event::Adopt(Box::new(words.clone())))?;
            for other in (0..self.sites.len()).filter(|other| *other != site) {
                let member = self.identity(other)?.member;
                self.officer(site, Event::Enrol(Box::new(member)))?;
            }
        }
        Ok(())
    }

    /// How many sites there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sites.len()
    }

    /// A site.
    #[must_use]
    pub fn site(&self, site: usize) -> Option<&Site> {
        self.sites.get(site)
    }

    /// A site, to be changed.
    pub fn site_mut(&mut self, site: usize) -> Option<&mut Site> {
        self.sites.get_mut(site)
    }

    /// The agency of a site.
    #[must_use]
    pub fn agency(&self, site: usize) -> Option<AgencyId> {
        self.sites.get(site).map(|s| s.agency.clone())
    }

    /// Agencies with their parties, by site.
    #[must_use]
    pub fn agencies(&self) -> Vec<(AgencyId, PartyId)> {
        self.sites.iter().map(|s| (s.agency.clone(), s.party.clone())).collect()
    }

    /// The identity of a site, secrets included: also what a liar at that site can sign with.
    ///
    /// # Errors
    /// The keys cannot be made.
    pub fn identity(&self, site: usize) -> Result<Identity, SimError> {
        let site = self.sites.get(site).ok_or_else(|| SimError::unusable("no such site"))?;
        identity(self.seed, &site.agency, &site.party)
    }

    /// Writes a line into the journal, if there is one.
    pub fn tell(&mut self, site: usize, line: impl FnOnce() -> String) {
        let (now, agency) = (self.clock.at(site), self.agency(site));
        if let (Some(journal), Some(agency)) = (self.journal.as_mut(), agency) {
            journal.push(format!("{now} {agency}: {}", line()));
        }
    }

    pub(crate) fn of(&self, agency: &AgencyId) -> Option<usize> {
        self.sites.iter().position(|s| s.agency == *agency)
    }

    /// Starts a node over what its disk holds.
    ///
    /// # Errors
    /// What is durable cannot be opened.
    pub fn start(&mut self, site: usize) -> Result<(), SimError> {
        let identity = match self.sites.get(site) {
            Some(known) if known.node.is_none() => {
                identity(self.seed, &known.agency, &known.party)?
            }
            Some(_) | None => return Ok(()),
        };
        let now = self.clock.at(site);
        lock(&self.watch).present(site, now);
        if let Some(place) = self.sites.get_mut(site) {
            place.disk.steady();
            let store = Box::new(place.disk.clone());
            let opened = Node::open(store, identity, now, &mut place.entropy);
            place.node = Some(opened.map_err(|e| failed(&place.agency, &e))?);
        }
        self.check(site);
        Ok(())
    }

    /// Takes the power from a node: everything that is not durable is gone.
    pub fn stop(&mut self, site: usize) {
        if let Some(place) = self.sites.get_mut(site)
            && place.node.take().is_some()
        {
            place.sent.clear();
            self.figures.crashes = self.figures.crashes.saturating_add(1);
            self.tell(site, || "the power went".to_owned());
        }
    }

    /// Plans a crash at one of the next commits of a node.
    pub fn crash_at(&self, site: usize, ahead: u32, crash: Crash) {
        if let Some(place) = self.sites.get(site) {
            place.disk.crash_at(ahead, crash);
        }
    }

    /// Has a node do something, then looks at what it did.
    ///
    /// # Errors
    /// It failed in a way that no denial and no crash explains.
    pub fn run<T>(
        &mut self,
        site: usize,
        act: impl FnOnce(&mut Node, Timestamp, &mut dyn Entropy) -> Result<T, NodeError>,
    ) -> Result<Ran<T>, SimError> {
        let now = self.clock.at(site);
        lock(&self.watch).present(site, now);
        let Some(place) = self.sites.get_mut(site) else { return Ok(Ran::Down) };
        let Some(node) = place.node.as_mut() else { return Ok(Ran::Down) };
        let ran = match act(node, now, &mut place.entropy) {
            Ok(done) => Ran::Did(done),
            Err(NodeError::Store(_)) => Ran::Crashed,
            Err(
                error @ (NodeError::Denied(_)
                | NodeError::Message { .. }
                | NodeError::Conflict { .. }
                | NodeError::SplitView { .. }),
            ) => Ran::Denied(error),
            Err(
                error @ (NodeError::Damaged { .. }
                | NodeError::Seal(_)
                | NodeError::TooManyFollowUps(_)),
            ) => return Err(failed(&place.agency, &error)),
        };
        if matches!(ran, Ran::Crashed) {
            self.stop(site);
            self.start(site)?;
        }
        self.check(site);
        Ok(ran)
    }

    /// An officer does something at a node.
    ///
    /// # Errors
    /// The node failed.
    pub fn officer(&mut self, site: usize, event: Event<Body>) -> Result<Ran<Handled>, SimError> {
        self.figures.events = self.figures.events.saturating_add(1);
        let said = self.journal.is_some().then(|| format!("{event:?}"));
        let ran = self.run(site, |node, now, entropy| {
            let officer = Voucher::Officer { name: OFFICER.to_owned() };
            node.handle(Verified::vouch(event, officer, now), now, entropy)
        })?;
        self.tell(site, || format!("{} -> {}", shortened(&said.unwrap_or_default()), word(&ran)));
        Ok(ran)
    }

    /// Hands a signed document to a node, to be read when the courier arrives.
    pub fn courier(&mut self, site: usize, document: String) {
        if let Some(place) = self.sites.get_mut(site) {
            place.by_hand.push_back(document);
        }
    }

    /// The courier arrives with the oldest document.
    ///
    /// # Errors
    /// The node failed.
    pub fn unpack(&mut self, site: usize) -> Result<bool, SimError> {
        let text = self.sites.get_mut(site).and_then(|place| place.by_hand.pop_front());
        let Some(text) = text else { return Ok(false) };
        let message = Message::Note(text.clone());
        let ran = self.run(site, |node, now, entropy| node.receive(&message, now, entropy))?;
        match ran {
            Ran::Crashed | Ran::Down => self.courier(site, text),
            Ran::Denied(_) | Ran::Did(_) => {}
        }
        Ok(true)
    }

    /// Takes over what the watch found, then looks at a node's log.
    fn check(&mut self, site: usize) {
        {
            let mut watch = lock(&self.watch);
            self.violations.append(&mut watch.violations);
            self.figures.watched = watch.counted;
        }
        (self.figures.packets, self.figures.lost) = self.network.counted();
        let Some(place) = self.sites.get_mut(site) else { return };
        let origin = log_origin(&place.agency);
        let looked = match place.disk.durable() {
            Ok(snapshot) => place.log.look(&*snapshot, (&origin, &place.log_key)),
            Err(error) => Err(error.to_string()),
        };
        if let Err(text) = looked {
            let (checker, agency) = (Checker::LogOnlyGrows, place.agency.clone());
            self.violations.push(Violation { checker, agency, text });
        }
    }
}

pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(400).collect()
}

/// Kind and body of a signed document.
pub(crate) fn gist(document: &str) -> String {
    let lines: Vec<&str> = document.lines().take(2).collect();
    shortened(&lines.join(" "))
}

pub(crate) fn word<T: std::fmt::Debug>(ran: &Ran<T>) -> String {
    shortened(&match ran {
        Ran::Did(done) => format!("{done:?}"),
        Ran::Denied(error) => format!("denied: {error}"),
        Ran::Crashed => "crashed".to_owned(),
        Ran::Down => "down".to_owned(),
    })
}

pub(crate) fn failed(agency: &AgencyId, error: &NodeError) -> SimError {
    SimError::Node { agency: agency.to_string(), message: error.to_string() }
}

fn identity(seed: u64, agency: &AgencyId, party: &PartyId) -> Result<Identity, SimError> {
    let mut entropy = Chance::named(seed, &format!("keys of {agency}"));
    let secrets = Secrets::generate(agency, &mut entropy).map_err(SimError::unusable)?;
    let introduction = Introduction {
        agency: agency.clone(),
        party: party.clone(),
        endpoint: format!("https://{agency}.example"),
        valid_from: "2026-01-01T00:00:00Z".parse().map_err(SimError::unusable)?,
        valid_until: "2036-01-01T00:00:00Z".parse().map_err(SimError::unusable)?,
    };
    Ok(Identity::new(introduction, secrets))
}

/// A vocabulary of fictional states; clearances and risks follow the seed.
fn vocabulary(seed: u64, agencies: &[(AgencyId, PartyId)]) -> Vocabulary {
    let mut chance = Chance::named(seed, "vocabulary");
    let mut words = Vocabulary::default();
    let levels = (0_u8..5).map(|level| (level.to_string(), level)).collect();
    words.classification.insert("LEVEL".to_owned(), levels);
    for (agency, party) in agencies {
        let cleared_to = u8::try_from(chance.between(2, 4)).unwrap_or(2);
        let actor = Actor {
            state: Some(party.clone()),
            party: None,
            kind: "police".to_owned(),
            cleared_to,
        };
        words.actors.insert(agency.clone(), actor);
        let torture_risk = if chance.often(8) { Risk::Serious } else { Risk::Low };
        let state = State { torture_risk, death_penalty_for: BTreeSet::new() };
        words.states.insert(party.clone(), state);
        let penalties = BTreeMap::from([("bombing".to_owned(), 180_u32)]);
        words.catalogue.insert(party.clone(), penalties);
    }
    let offence =
        Offence { label: "bombing".to_owned(), convention: true, source: "exercise".to_owned() };
    words.offences.insert("bombing".to_owned(), offence);
    words.purposes = PURPOSES.map(str::to_owned).to_vec();
    words.special_categories.insert("person.religion".to_owned());
    words
}
