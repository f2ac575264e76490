//! The network between nodes: delay, loss, duplication, reordering, partition. Pure.
//!
//! It carries bytes and understands none of them. What it carried it may carry again.

use crate::chance::Chance;
use crate::clock::moved;
use model::ids::Digest;
use model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// LIMIT: packets remembered for replays.
const TAPE_MAX: usize = 48;

/// What a packet carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Load {
    /// A message, as bytes on the wire.
    Message(Vec<u8>),
    /// The signed answer to a message; with the size of the log the message proved.
    Answer {
        /// The signed document.
        text: String,
        /// The size of the sender's log that the message was proved by.
        size: Option<u64>,
    },
    /// The receiver knows another size of the sender's log and asks for a proof from it.
    Conflict(u64),
    /// The receiver refuses a message; nobody signs that.
    Refused {
        /// Digest of the message.
        message: Digest,
        /// The status.
        status: u16,
        /// The code.
        code: String,
    },
}

/// Something on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// From which site.
    pub from: usize,
    /// To which site.
    pub to: usize,
    /// What it carries.
    pub load: Load,
}

/// How bad the network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weather {
    /// Packets lost, of a hundred.
    pub loss: usize,
    /// Packets carried twice, of a hundred.
    pub twice: usize,
    /// Longest delay, in seconds.
    pub delay_seconds_max: i64,
}

impl Weather {
    /// Nothing is lost, doubled or late.
    pub const FAIR: Self = Self { loss: 0, twice: 0, delay_seconds_max: 1 };
    /// Much is lost, doubled and late.
    pub const FOUL: Self = Self { loss: 15, twice: 15, delay_seconds_max: 1_200 };
}

/// The network.
#[derive(Debug, Clone)]
pub struct Network {
    /// How bad it is.
    pub weather: Weather,
    queue: BTreeMap<(Timestamp, u64), Packet>,
    cut: BTreeSet<(usize, usize)>,
    tape: VecDeque<Packet>,
    chance: Chance,
    posted: u64,
    lost: u64,
}

impl Network {
    /// A network with this weather.
    #[must_use]
    pub fn new(weather: Weather, chance: Chance) -> Self {
        let (queue, cut, tape) = (BTreeMap::new(), BTreeSet::new(), VecDeque::new());
        Self { weather, queue, cut, tape, chance, posted: 0, lost: 0 }
    }

    /// Sends a packet off.
    pub fn post(&mut self, packet: Packet, now: Timestamp) {
        if self.tape.len() >= TAPE_MAX {
            self.tape.pop_front();
        }
        self.tape.push_back(packet.clone());
        let copies = if self.chance.often(self.weather.twice) { 2 } else { 1 };
        for _ in 0..copies {
            self.posted = self.posted.saturating_add(1);
            if self.chance.often(self.weather.loss) {
                self.lost = self.lost.saturating_add(1);
                continue;
            }
            let delay = self.chance.between(0, self.weather.delay_seconds_max);
            self.queue.insert((moved(now, delay), self.posted), packet.clone());
        }
    }

    /// The next packet due; packets between parted sites are lost.
    pub fn arrive(&mut self, now: Timestamp) -> Option<Packet> {
        while let Some(((due, number), packet)) = self.queue.pop_first() {
            if due > now {
                self.queue.insert((due, number), packet);
                return None;
            }
            if self.is_cut(packet.from, packet.to) {
                self.lost = self.lost.saturating_add(1);
                continue;
            }
            return Some(packet);
        }
        None
    }

    /// When the next packet is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.queue.first_key_value().map(|((due, _), _)| *due)
    }

    /// Nothing passes between two sites until it heals.
    pub fn part(&mut self, one: usize, other: usize) {
        self.cut.insert((one.min(other), one.max(other)));
    }

    /// Everything passes again, and nothing is lost any more.
    pub fn heal(&mut self) {
        self.cut.clear();
        self.weather = Weather::FAIR;
    }

    /// One pair can speak again.
    pub fn rejoin(&mut self) {
        self.cut.pop_first();
    }

    fn is_cut(&self, one: usize, other: usize) -> bool {
        self.cut.contains(&(one.min(other), one.max(other)))
    }

    /// A packet that was carried before.
    pub fn earlier(&mut self) -> Option<Packet> {
        let at = self.chance.below(self.tape.len());
        self.tape.get(at).cloned()
    }

    /// The packets remembered, oldest first.
    pub fn tape(&self) -> impl Iterator<Item = &Packet> {
        self.tape.iter()
    }

    /// Packets sent off and packets lost.
    #[must_use]
    pub fn counted(&self) -> (u64, u64) {
        (self.posted, self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parted_pair_hears_nothing_until_it_heals() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let mut network = Network::new(Weather::FAIR, Chance::new(1));
        let packet = Packet { from: 0, to: 1, load: Load::Conflict(3) };
        network.part(1, 0);
        network.post(packet.clone(), now);
        assert_eq!(network.arrive(moved(now, 5)), None);
        network.heal();
        network.post(packet.clone(), now);
        assert_eq!(network.arrive(moved(now, 5)), Some(packet));
        assert_eq!(network.counted(), (2, 1));
    }

    #[test]
    fn packets_overtake_each_other() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let weather = Weather { loss: 0, twice: 0, delay_seconds_max: 100 };
        let mut network = Network::new(weather, Chance::new(1));
        for size in 0..20 {
            network.post(Packet { from: 0, to: 1, load: Load::Conflict(size) }, now);
        }
        let mut order = Vec::new();
        while let Some(packet) = network.arrive(moved(now, 100)) {
            order.push(packet.load);
        }
        assert_eq!(order.len(), 20);
        assert!(order.windows(2).any(|w| match w {
            [Load::Conflict(a), Load::Conflict(b)] => a > b,
            _ => false,
        }));
    }
}
