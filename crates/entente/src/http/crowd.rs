//! Who is connected, and who must go when there is no room: never somebody being answered.
//!
//! A connection counts as resting while no request of it is in work. When all places are taken, or
//! one address has taken its share, the connection that has rested longest makes room; it is taken
//! from the address with the most connections. So a crowd of silent connections starves nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// LIMIT: connections open at one time.
const PLACES_MAX: usize = 4_096;
/// LIMIT: connections of one address at one time; a proxy that ends TLS is one address.
const SHARE_MAX: usize = 1_024;
/// File handles left to the store and to outgoing connections.
const HANDLES_KEPT: usize = 128;
/// Places there are at least, however few file handles the system grants.
const PLACES_MIN: usize = 16;

/// One connection.
struct Guest {
    from: IpAddr,
    /// Since which turn it rests; nothing while a request is in work.
    rests: Option<u64>,
    leave: Arc<Notify>,
}

/// Everybody connected.
#[derive(Default)]
struct Room {
    turn: u64,
    guests: BTreeMap<u64, Guest>,
    /// Resting guests of each address, the longest resting first.
    resting: BTreeMap<IpAddr, BTreeSet<(u64, u64)>>,
    /// Guests of each address.
    counts: BTreeMap<IpAddr, usize>,
}

/// The connections of a listener.
pub struct Crowd {
    room: Mutex<Room>,
    places: usize,
    share: usize,
}

/// A place in the crowd; given back when dropped.
pub struct Ticket {
    crowd: Arc<Crowd>,
    number: u64,
    leave: Arc<Notify>,
    /// Counts beginnings and ends of requests: odd while one is in work.
    moves: AtomicU64,
    /// What it was at the last look.
    seen: AtomicU64,
}

/// File handles this process may have, where the system says so.
fn handles() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = text.lines().find(|line| line.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

impl Crowd {
    /// A crowd with as many places as this process has file handles for.
    #[must_use]
    pub fn of_this_process() -> Arc<Self> {
        let room = handles().unwrap_or(usize::MAX).saturating_sub(HANDLES_KEPT);
        let places = room.clamp(PLACES_MIN, PLACES_MAX);
        Arc::new(Self::new(places, SHARE_MAX.min(places)))
    }

    fn new(places: usize, share: usize) -> Self {
        Self { room: Mutex::default(), places, share }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // WHY: every change is whole before the lock is given back, so a panic leaves it sound.
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, or nothing when everybody here is being answered.
    #[must_use]
    pub fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Ticket> {
        let mut room = self.room();
        if room.counts.get(&from).is_some_and(|count| *count >= self.share) {
            room.send_away(from)?;
        } else if room.guests.len() >= self.places {
            let largest = room.largest()?;
            room.send_away(largest)?;
        }
        let number = room.admit(from);
        let leave = room.guests.get(&number).map(|guest| Arc::clone(&guest.leave))?;
        drop(room);
        let (moves, seen) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        Some(Ticket { crowd: Arc::clone(self), number, leave, moves, seen })
    }
}

impl Room {
    fn next_turn(&mut self) -> u64 {
        self.turn = self.turn.saturating_add(1);
        self.turn
    }

    fn admit(&mut self, from: IpAddr) -> u64 {
        let number = self.next_turn();
        let guest = Guest { from, rests: Some(number), leave: Arc::new(Notify::new()) };
        self.guests.insert(number, guest);
        self.resting.entry(from).or_default().insert((number, number));
        let count = self.counts.entry(from).or_default();
        *count = count.saturating_add(1);
        number
    }

    /// The address with the most connections of which one rests.
    fn largest(&self) -> Option<IpAddr> {
        let counts = self.counts.iter().filter(|(from, _)| self.resting.contains_key(*from));
        counts.max_by_key(|(_, count)| **count).map(|(from, _)| *from)
    }

    /// Sends the longest resting guest of an address away; nothing when none rests.
    fn send_away(&mut self, from: IpAddr) -> Option<()> {
        let (_, number) = *self.resting.get(&from)?.first()?;
        let guest = self.remove(number)?;
        guest.leave.notify_one();
        Some(())
    }

    fn remove(&mut self, number: u64) -> Option<Guest> {
        let guest = self.guests.remove(&number)?;
        self.stir(&guest, number);
        if let Some(count) = self.counts.get_mut(&guest.from) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&guest.from);
            }
        }
        Some(guest)
    }

    /// Takes a guest out of those that rest.
    fn stir(&mut self, guest: &Guest, number: u64) {
        if let (Some(turn), Some(resting)) = (guest.rests, self.resting.get_mut(&guest.from)) {
            resting.remove(&(turn, number));
            if resting.is_empty() {
                self.resting.remove(&guest.from);
            }
        }
    }

    fn turn_to(&mut self, number: u64, rests: bool) {
        let Some(mut guest) = self.guests.remove(&number) else { return };
        self.stir(&guest, number);
        guest.rests = rests.then(|| self.next_turn());
        if let Some(turn) = guest.rests {
            self.resting.entry(guest.from).or_default().insert((turn, number));
        }
        self.guests.insert(number, guest);
    }
}

/// A request in work; its connection stays until this is dropped.
pub struct InWork(Arc<Ticket>);

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.moves.fetch_add(1, Ordering::Relaxed);
        self.0.crowd.room().turn_to(self.0.number, true);
    }
}

impl Ticket {
    /// A request begins.
    #[must_use]
    pub fn begin(self: &Arc<Self>) -> InWork {
        self.moves.fetch_add(1, Ordering::Relaxed);
        self.crowd.room().turn_to(self.number, false);
        InWork(Arc::clone(self))
    }

    /// Whether no request has begun, ended or been in work since the last look: its client does not
    /// read what it asked for.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let moves = self.moves.load(Ordering::Relaxed);
        let seen = self.seen.swap(moves, Ordering::Relaxed);
        moves == seen && moves.is_multiple_of(2)
    }

    /// Waits until the place is needed for somebody else.
    pub async fn sent_away(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let _gone = self.crowd.room().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    fn is_sent_away(ticket: &Ticket) -> bool {
        !ticket.crowd.room().guests.contains_key(&ticket.number)
    }

    #[test]
    fn the_longest_resting_of_the_largest_makes_room() {
        let crowd = Arc::new(Crowd::new(4, 3));
        let enter = |last| crowd.enter(address(last)).map(Arc::new);
        let many: Vec<_> = (0..3).map(|_| enter(1).unwrap()).collect();
        let single = enter(2).unwrap();
        let third = enter(3).unwrap();
        assert!(is_sent_away(&many[0]) && !is_sent_away(&single));
        let work = many[1].begin();
        let fourth = enter(4).unwrap();
        assert!(is_sent_away(&many[2]) && !is_sent_away(&many[1]));
        drop(work);
        // Now everybody has one place; the one that rested longest goes, whoever it is.
        let busy: Vec<_> = [&single, &third, &fourth].iter().map(|t| t.begin()).collect();
        assert!(enter(5).is_some() && is_sent_away(&many[1]));
        drop(busy);
    }

    #[test]
    fn who_does_not_read_its_answer_is_stuck() {
        let crowd = Arc::new(Crowd::new(4, 4));
        let ticket = Arc::new(crowd.enter(address(1)).unwrap());
        assert!(!ticket.is_stuck());
        let work = ticket.begin();
        assert!(!ticket.is_stuck() && !ticket.is_stuck());
        drop(work);
        assert!(!ticket.is_stuck() && ticket.is_stuck());
    }

    #[test]
    fn an_address_keeps_to_its_share_and_nobody_at_work_is_sent_away() {
        let crowd = Arc::new(Crowd::new(100, 2));
        let one = Arc::new(crowd.enter(address(1)).unwrap());
        let two = Arc::new(crowd.enter(address(1)).unwrap());
        let (first, second) = (one.begin(), two.begin());
        assert!(crowd.enter(address(1)).is_none());
        assert!(crowd.enter(address(2)).is_some());
        drop(first);
        assert!(crowd.enter(address(1)).is_some() && is_sent_away(&one));
        drop((second, two, one));
        assert!(crowd.room().guests.is_empty() && crowd.room().counts.is_empty());
    }
}
