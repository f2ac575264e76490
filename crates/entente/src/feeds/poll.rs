//! Reads a feed to its end: asks, hands each page to the node as one commit, asks on.

use super::fetch::{Address, Client, Credential, Said, Trouble};
use crate::edge::{self, SystemEntropy};
use crate::failure::Failure;
use crate::http::Site;
use crate::place::Place;
use model::feed::{Came, Cursor, Feed, Phase, Pulled, Tolerance};
use model::time::Timestamp;
use node::feed::walk::{self, Ask, Seen};
use node::{Body, Node, Reply};
use std::collections::BTreeSet;

/// LIMIT: pages of one poll; a poll that meets it goes on at once with the next.
const PAGES_MAX: usize = 10_000;
/// LIMIT: objects of a page, before those made of STIX 2.0.
const OBJECTS_MAX: usize = node::feed::PAGE_OBJECTS_MAX / 2;

/// The node, running or not, as a poll needs it.
pub trait Bench {
    /// Hands in what came.
    ///
    /// # Errors
    /// What the node answers.
    fn pulled(&mut self, pulled: Pulled<Body>) -> Result<Reply, Failure>;
}

/// A node opened for it.
pub struct AtNode<'a>(pub &'a mut Node);

impl Bench for AtNode<'_> {
    fn pulled(&mut self, pulled: Pulled<Body>) -> Result<Reply, Failure> {
        Ok(self.0.pulled(pulled, edge::now()?, &mut SystemEntropy)?.reply)
    }
}

/// A running node.
pub struct AtSite<'a>(pub &'a Site);

impl Bench for AtSite<'_> {
    fn pulled(&mut self, pulled: Pulled<Body>) -> Result<Reply, Failure> {
        let now = edge::now()?;
        Ok(self.0.write(|node| node.pulled(pulled, now, &mut SystemEntropy))??.reply)
    }
}

/// What a poll did.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    /// Pages read.
    pub pages: u64,
    /// Objects stored.
    pub stored: u64,
    /// Objects that were held already.
    pub unchanged: u64,
    /// Objects that could not be taken, or only in part.
    pub unfit: u64,
    /// Those by name, with place and reason.
    pub unfit_named: Vec<String>,
    /// Why it ended before its end.
    pub trouble: Option<String>,
}

/// LIMIT: objects named in a tally.
const NAMED_MAX: usize = 100;

/// The client a feed is read with.
///
/// # Errors
/// Its credential cannot be read or used.
pub fn client(place: &Place, feed: &Feed) -> Result<Client, Failure> {
    Client::new(&credential(place, feed)?, feed.transport)
}

fn credential(place: &Place, feed: &Feed) -> Result<Credential, Failure> {
    let Some(text) = place.feed_secret(&feed.name)? else { return Ok(Credential::default()) };
    // WHY: an error of the parser would show the line, which may be the password.
    toml::from_str(&text).map_err(|_| {
        let text = format!("the credential kept for the feed `{}` is damaged", feed.name);
        Failure::node("feed_secret", text, "give it again: entente feed add NAME URL …")
    })
}

fn objects_address(feed: &Feed) -> Result<Address, Failure> {
    let address = Address::read(&feed.collection, feed.transport)?;
    address.beside("objects").ok_or_else(|| {
        let text = format!("`{}` is no address of a collection", feed.collection);
        Failure::node("bad_address", text, "remove the feed and set it up again")
    })
}

fn query(ask: &Ask) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", ask.limit.to_string())];
    query.extend(ask.added_after.map(|at| ("added_after", wire::taxii::instant_text(at))));
    query.extend(ask.next.clone().map(|next| ("next", next)));
    query
}

/// What the next question would bring, without taking it: objects that can be read, those that
/// cannot, and whether there is more.
///
/// # Errors
/// The server does not answer as it should.
pub fn preview(client: &Client, feed: &Feed) -> Result<(usize, usize, bool), Failure> {
    let cursor = walk::begin(&feed.progress.cursor);
    let address = objects_address(feed)?;
    let wrong = |text: String| Failure::node("feed_unreached", text, "see entente feed show");
    let ask = walk::ask(&cursor, feed.page_objects);
    let said = client.get(&address, &query(&ask)).map_err(|t| wrong(t.text))?;
    let page = wire::taxii::page(&said.bytes, OBJECTS_MAX).map_err(|e| wrong(e.to_string()))?;
    let more = page.more;
    match node::feed::came(page.objects.iter().map(|raw| raw.get().as_bytes())) {
        Came::Page { objects, unfit } => Ok((objects.len(), unfit.len(), more)),
        Came::Trouble(text) => Err(wrong(text)),
    }
}

/// One page, read.
struct Page {
    seen: Seen,
    came: Came<Body>,
    tolerated: BTreeSet<Tolerance>,
}

fn read(said: Said) -> Result<Page, Trouble> {
    let page = wire::taxii::page(&said.bytes, OBJECTS_MAX).map_err(|e| {
        Trouble::new(format!(
            "{e}; help: ask for smaller pages with --page-objects, or tell \
                              whoever runs the server"
        ))
    })?;
    let seen = Seen {
        more: page.more,
        next: page.next.clone(),
        last: said.last,
        objects: page.objects.len(),
        page: node::feed::page_digest(&said.bytes),
    };
    let came = node::feed::came(page.objects.iter().map(|raw| raw.get().as_bytes()));
    Ok(Page { seen, came, tolerated: said.tolerated })
}

/// Reads a feed to its end, a page a commit; trouble is kept with the feed and in the tally.
///
/// # Errors
/// The node does not take a page, or the feed's address or credential is damaged.
pub fn poll(
    bench: &mut dyn Bench,
    client: &Client,
    feed: &Feed,
    told: &mut dyn FnMut(&Tally),
) -> Result<Tally, Failure> {
    let address = objects_address(feed)?;
    let mut reading = Reading {
        feed,
        stored: feed.progress.cursor.clone(),
        at: walk::begin(&feed.progress.cursor),
        noted: BTreeSet::new(),
        tally: Tally::default(),
    };
    for asked in 0..PAGES_MAX {
        let ask = walk::ask(&reading.at, feed.page_objects);
        match client.get(&address, &query(&ask)).and_then(read) {
            Ok(page) => {
                let ended = reading.page(bench, page)?;
                told(&reading.tally);
                if ended {
                    return Ok(reading.tally);
                }
            }
            Err(trouble) => {
                let refused = trouble.status.is_some_and(|s| matches!(s, 400 | 404 | 410 | 422));
                if asked == 0
                    && refused
                    && let Some(again) = walk::without_next(&reading.at, feed.page_objects)
                {
                    reading.noted.insert(Tolerance::NextExpired);
                    reading.at = again;
                    continue;
                }
                reading.trouble(bench, trouble)?;
                return Ok(reading.tally);
            }
        }
    }
    Ok(reading.tally)
}

/// A poll at work.
struct Reading<'a> {
    feed: &'a Feed,
    /// Where the node says the reading stands.
    stored: Cursor,
    /// Where it stands.
    at: Cursor,
    noted: BTreeSet<Tolerance>,
    tally: Tally,
}

impl Reading<'_> {
    /// Hands a page in; whether the poll is over.
    fn page(&mut self, bench: &mut dyn Bench, page: Page) -> Result<bool, Failure> {
        let step = walk::step(&self.at, &page.seen, self.feed.page_objects);
        let ended = step.to.phase == Phase::Rest;
        let due_at = if ended { self.later(u64::from(self.feed.interval_seconds))? } else { None };
        let mut tolerated = std::mem::take(&mut self.noted);
        tolerated.extend(page.tolerated);
        tolerated.extend(step.tolerated);
        self.count_unfit(&page.came);
        let reply = bench.pulled(Pulled {
            feed: self.feed.name.clone(),
            from: self.stored.clone(),
            to: step.to.clone(),
            came: page.came,
            tolerated,
            due_at,
        })?;
        (self.stored, self.at) = (step.to.clone(), step.to);
        self.tally.pages = self.tally.pages.saturating_add(1);
        if let Reply::Ingested { stored, unchanged, refused } = reply {
            self.tally.stored = self.tally.stored.saturating_add(stored);
            self.tally.unchanged = self.tally.unchanged.saturating_add(unchanged);
            for (id, reason) in refused {
                self.unfit(format!("`{id}`: {reason}"));
            }
        }
        if let Some(why) = step.stuck {
            let help = "help: tell whoever runs the server; what was read is kept";
            self.trouble(bench, Trouble::new(format!("{why}; {help}")))?;
            return Ok(true);
        }
        Ok(ended)
    }

    fn count_unfit(&mut self, came: &Came<Body>) {
        let Came::Page { unfit, .. } = came else { return };
        for item in unfit {
            let why = item.message.as_deref().unwrap_or("it cannot be read");
            self.unfit(format!("`{}`: {why}", item.id));
        }
    }

    fn unfit(&mut self, line: String) {
        self.tally.unfit = self.tally.unfit.saturating_add(1);
        if self.tally.unfit_named.len() < NAMED_MAX {
            self.tally.unfit_named.push(line);
        }
    }

    /// Keeps trouble with the feed, and when to try again.
    fn trouble(&mut self, bench: &mut dyn Bench, trouble: Trouble) -> Result<(), Failure> {
        let mut chance = [0_u8; 1];
        node::Entropy::fill(&mut SystemEntropy, &mut chance);
        let failures = if self.tally.pages > 0 { 0 } else { self.feed.progress.failures };
        let pause = walk::pause_seconds(failures, trouble.retry_seconds, chance[0]);
        self.tally.trouble = Some(trouble.text.clone());
        bench.pulled(Pulled {
            feed: self.feed.name.clone(),
            from: self.stored.clone(),
            to: self.stored.clone(),
            came: Came::Trouble(trouble.text),
            tolerated: std::mem::take(&mut self.noted),
            due_at: self.later(pause)?,
        })?;
        Ok(())
    }

    fn later(&self, seconds: u64) -> Result<Option<Timestamp>, Failure> {
        let micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        let at = edge::now()?.micros().saturating_add(micros);
        Ok(Timestamp::from_micros(at).ok())
    }
}
