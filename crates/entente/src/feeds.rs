//! Feeds of a running node: each is read in a thread of its own when it is due. A server that is
//! slow, down or talks without end delays no other feed and no partner.

pub mod discover;
pub mod fetch;
pub mod poll;

use crate::edge;
use crate::failure::Failure;
use crate::http::{Site, journal_line};
use crate::place::Place;
use model::feed::{Feed, FeedName, Running};
use poll::{AtSite, Tally};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it is looked which feeds are due.
const PAUSE: Duration = Duration::from_millis(500);
/// The pause after this node itself failed at a feed.
const PAUSE_OWN: Duration = Duration::from_secs(60);
/// LIMIT: feeds read at one time.
const AT_ONCE: usize = 4;

enum Told {
    Ended(FeedName, Box<Result<Tally, Failure>>),
    Stop,
}

/// The thread that sends readers off.
pub struct Poller {
    tell: Sender<Told>,
    thread: JoinHandle<()>,
}

impl Poller {
    /// Starts it.
    ///
    /// # Errors
    /// The system grants no thread.
    pub fn start(site: Arc<Site>, place: Place) -> Result<Self, Failure> {
        let (tell, told) = channel();
        let back = tell.clone();
        let thread = std::thread::Builder::new()
            .name("feeds".to_owned())
            .spawn(move || rounds(&site, &place, &back, &told))
            .map_err(|e| {
                let help = "check the machine's limits on threads";
                Failure::node("no_thread", format!("no feed can be read: {e}"), help)
            })?;
        Ok(Self { tell, thread })
    }

    /// Stops it; a page in the middle is left to its timeout and asked for again after the start.
    pub fn stop(self) {
        let _ended_already = self.tell.send(Told::Stop);
        if self.thread.join().is_err() {
            journal_line("feeds_broke_off", &"feeds are read on after the next start");
        }
    }
}

/// Which feeds are being read, and which wait because this node itself failed.
#[derive(Default)]
struct Desks {
    busy: BTreeSet<FeedName>,
    held_back: BTreeMap<FeedName, Instant>,
}

fn rounds(site: &Arc<Site>, place: &Place, back: &Sender<Told>, told: &Receiver<Told>) {
    let mut desks = Desks::default();
    loop {
        match told.recv_timeout(PAUSE) {
            Ok(Told::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(Told::Ended(name, done)) => ended(&mut desks, &name, *done),
            Err(RecvTimeoutError::Timeout) => set_off(site, place, &mut desks, back),
        }
    }
}

fn ended(desks: &mut Desks, name: &FeedName, done: Result<Tally, Failure>) {
    desks.busy.remove(name);
    match done {
        Ok(tally) => {
            if let Some(trouble) = &tally.trouble {
                journal_line("feed_trouble", &format!("{name}: {trouble}"));
            } else if tally.stored > 0 || tally.unfit > 0 {
                let text = format!("{name}: {} stored, {} unfit", tally.stored, tally.unfit);
                journal_line("feed_read", &text);
            }
        }
        Err(failure) => {
            journal_line(&failure.code, &format!("feed {name}: {failure}"));
            if let Some(until) = Instant::now().checked_add(PAUSE_OWN) {
                desks.held_back.insert(name.clone(), until);
            }
        }
    }
}

fn feeds(site: &Site) -> Vec<Feed> {
    let known = site.snapshot().and_then(|s| Ok(node::feed::feeds(&*s)?));
    known.unwrap_or_else(|problem| {
        problem.tell_operator();
        Vec::new()
    })
}

fn set_off(site: &Arc<Site>, place: &Place, desks: &mut Desks, back: &Sender<Told>) {
    let Ok(now) = edge::now() else { return };
    desks.held_back.retain(|_, until| *until > Instant::now());
    for feed in feeds(site) {
        let due = feed.running == Running::On && feed.progress.due_at.is_none_or(|at| at <= now);
        let free = !desks.busy.contains(&feed.name) && !desks.held_back.contains_key(&feed.name);
        if !due || !free || desks.busy.len() >= AT_ONCE {
            continue;
        }
        let name = feed.name.clone();
        desks.busy.insert(name.clone());
        let (site, place, tell) = (Arc::clone(site), place.clone(), back.clone());
        let started = std::thread::Builder::new().name("feed".to_owned()).spawn(move || {
            let done = poll::client(&place, &feed)
                .and_then(|client| poll::poll(&mut AtSite(&site), &client, &feed, &mut |_| {}));
            let _stopped = tell.send(Told::Ended(feed.name, Box::new(done)));
        });
        if let Err(error) = started {
            let help = "check the machine's limits on threads";
            ended(desks, &name, Err(Failure::node("no_thread", error, help)));
        }
    }
}
