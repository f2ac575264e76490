//! Feeds: set up, list, show, pause, remove.

use super::Desk;
use crate::command::{Answer, Outcome};
use crate::failure::Failure;
use crate::words;
use model::event::Event;
use model::feed::{Feed, FeedName, Phase, Running, Transport};
use model::time::Timestamp;
use node::Reply;
use serde_json::json;

/// Sets a feed up, or changes how it is regarded and read.
pub fn set(desk: &mut Desk<'_>, feed: Feed) -> Outcome {
    let known = known(desk, &feed.name)?.is_some();
    let handled = desk.act(Event::FeedSet(Box::new(feed.clone())))?;
    let changed = handled.reply != Reply::Unchanged;
    let done = match (known, changed) {
        (false, _) => "is set up",
        (true, true) => "is changed",
        (true, false) => "is as it was",
    };
    let mut text = format!(
        "feed {} {done}: {} (`{}`)\nwhat it brings belongs to {}, counts as {} where unmarked, and \
         is passed on to nobody\nread it now: entente feed poll {}; a serving node reads it every \
         {} seconds",
        feed.name,
        feed.collection,
        feed.title,
        feed.originator,
        feed.appraisal.floor,
        feed.name,
        feed.interval_seconds
    );
    if feed.transport == Transport::PlainHttp {
        text.push_str("\nWARNING: without TLS; who listens on the way sees credential and content");
    }
    Ok(Answer::new(
        text,
        json!({"feed": feed.name, "collection": feed.collection,
        "originator": feed.originator, "changed": changed, "new": !known}),
    ))
}

fn known(desk: &Desk<'_>, name: &FeedName) -> Result<Option<Feed>, Failure> {
    Ok(node::feed::feed(&*desk.node.snapshot()?, name)?)
}

fn named(desk: &Desk<'_>, name: &FeedName) -> Result<Feed, Failure> {
    known(desk, name)?.ok_or_else(|| {
        let text = format!("there is no feed `{name}`");
        Failure::input("feed_unknown", text, "list the feeds: entente feed list")
    })
}

/// Lists feeds.
pub fn list(desk: &mut Desk<'_>) -> Outcome {
    let feeds = node::feed::feeds(&*desk.node.snapshot()?)?;
    desk.looked("feed list".to_owned(), feeds.len())?;
    let rows: Vec<Vec<String>> = feeds.iter().map(row).collect();
    let text = if rows.is_empty() {
        "no feed is set up; entente feed add --help".to_owned()
    } else {
        words::table(&["FEED", "SOURCE", "STATE", "STORED", "UNFIT", "READ", "NEXT"], &rows)
    };
    Ok(Answer::new(text, json!({"feeds": feeds})))
}

fn row(feed: &Feed) -> Vec<String> {
    let progress = &feed.progress;
    vec![
        feed.name.to_string(),
        feed.originator.to_string(),
        state(feed),
        progress.stored.to_string(),
        progress.unfit.to_string(),
        or_never(progress.ended_at),
        progress.due_at.map_or_else(|| "at once".to_owned(), |at| at.to_string()),
    ]
}

fn or_never(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}

fn state(feed: &Feed) -> String {
    let progress = &feed.progress;
    match (feed.running, &progress.trouble, progress.cursor.phase) {
        (Running::Paused, _, _) => "paused".to_owned(),
        (Running::On, Some(_), _) => format!("trouble ({})", progress.failures),
        (Running::On, None, Phase::Rest) => "rests".to_owned(),
        (Running::On, None, Phase::Walk | Phase::Verify) => "half read".to_owned(),
    }
}

/// Shows one.
pub fn show(desk: &mut Desk<'_>, name: &FeedName) -> Outcome {
    let feed = named(desk, name)?;
    desk.looked(format!("feed show {name}"), 1)?;
    let progress = &feed.progress;
    let grade = feed.appraisal.grade.map_or_else(|| "none".to_owned(), |g| g.to_string());
    let mut lines = vec![
        format!("feed        {} ({})", feed.name, state(&feed)),
        format!("reads       {} (`{}`)", feed.collection, feed.title),
        format!(
            "belongs to  {}, grade {grade}, {} where unmarked",
            feed.originator, feed.appraisal.floor
        ),
        "pass on     to nobody: an outside source cannot consent".to_owned(),
        format!(
            "pace        every {} seconds, {} objects a page",
            feed.interval_seconds, feed.page_objects
        ),
        format!("read up to  {}", or_never(progress.cursor.high)),
        format!(
            "last page   {}, last end {}",
            or_never(progress.page_at),
            or_never(progress.ended_at)
        ),
        format!(
            "brought     {} stored, {} unchanged, {} not taken or only in part, on {}",
            progress.stored,
            progress.unchanged,
            progress.unfit,
            words::count(progress.pages, "page")
        ),
    ];
    if feed.transport == Transport::PlainHttp {
        lines.push("WARNING     without TLS".to_owned());
    }
    if let Some(trouble) = &progress.trouble {
        lines.push(format!("trouble     {trouble} ({} in a row)", progress.failures));
    }
    for (tolerance, times) in &progress.tolerated {
        lines.push(format!("tolerated   {times} times: {}", tolerance.words()));
    }
    for item in &progress.last_unfit {
        let why = item.message.as_deref().unwrap_or("no reason given");
        lines.push(format!("unfit       {}: {why}", item.id));
    }
    Ok(Answer::new(lines.join("\n"), json!({"feed": feed})))
}

/// Forgets a feed.
pub fn remove(desk: &mut Desk<'_>, name: FeedName) -> Outcome {
    desk.act(Event::FeedDrop(name.clone()))?;
    let text = format!("feed {name} is removed; what it brought stays");
    Ok(Answer::new(text, json!({"removed": name})))
}

/// Pauses a feed, or lets it go on.
pub fn running(desk: &mut Desk<'_>, name: &FeedName, running: Running) -> Outcome {
    let mut feed = named(desk, name)?;
    feed.running = running;
    let handled = desk.act(Event::FeedSet(Box::new(feed)))?;
    let changed = handled.reply != Reply::Unchanged;
    let word = if running == Running::On { "goes on" } else { "is paused" };
    let text = format!("feed {name} {word}{}", if changed { "" } else { " already" });
    Ok(Answer::new(text, json!({"feed": name, "running": running, "changed": changed})))
}

/// Has the running node read a feed at once.
pub fn due(desk: &mut Desk<'_>, name: &FeedName) -> Outcome {
    let mut feed = named(desk, name)?;
    if feed.running == Running::Paused {
        let text = format!("the feed `{name}` is paused");
        return Err(Failure::input("feed_paused", text, "entente feed pause NAME --resume"));
    }
    feed.progress.due_at = Some(desk.now);
    desk.act(Event::FeedSet(Box::new(feed)))?;
    let text = format!("the running node reads {name} now; see entente feed show {name}");
    Ok(Answer::new(text, json!({"feed": name, "due": true})))
}
