//! `feed`: what an officer does with feeds at the keyboard; credentials come from files only.

use super::arguments::{FeedAdd, FeedVerb};
use super::{Seat, id, text_file};
use crate::command::{Answer, Command};
use crate::edge;
use crate::failure::Failure;
use crate::feeds::discover;
use crate::feeds::fetch::{Address, Client, Credential};
use crate::feeds::poll::{self, AtNode, Tally};
use crate::words;
use indicatif::ProgressBar;
use model::feed::{Feed, FeedName, OUTSIDE, Progress, Running, Transport};
use model::posting::Appraisal;
use node::Node;
use serde_json::json;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

/// LIMIT: bytes of a password or token.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Does what a verb on feeds asks.
///
/// # Errors
/// What the server or the node answers.
pub fn answer(seat: &Seat, verb: FeedVerb, quiet: bool) -> Result<Answer, Failure> {
    match verb {
        FeedVerb::Add(wanted) => add(seat, &wanted),
        FeedVerb::List => seat.ask(Command::FeedList),
        FeedVerb::Show { name } => seat.ask(Command::FeedShow { feed: id(&name)? }),
        FeedVerb::Poll { name, dry_run } => {
            let name = name.as_deref().map(id::<FeedName>).transpose()?;
            polled(seat, name.as_ref(), (dry_run, quiet))
        }
        FeedVerb::Pause { name, resume } => {
            let running = if resume { Running::On } else { Running::Paused };
            seat.ask(Command::FeedRunning { feed: id(&name)?, running })
        }
        FeedVerb::Remove { name } => {
            let feed: FeedName = id(&name)?;
            let answer = seat.ask(Command::FeedRemove { feed: feed.clone() })?;
            seat.place()?.drop_feed_secret(&feed)?;
            Ok(answer)
        }
    }
}

fn add(seat: &Seat, wanted: &FeedAdd) -> Result<Answer, Failure> {
    let place = seat.place()?;
    let name: FeedName = id(&wanted.name)?;
    let transport = if wanted.plain_http { Transport::PlainHttp } else { Transport::Tls };
    let start = Address::read(&wanted.url, transport)?;
    let credential = credential(wanted)?;
    let client = Client::new(&credential, transport)?;
    let survey = discover::survey(&client, &start)?;
    let chosen = discover::choose(survey, wanted.collection.as_deref())?;
    let originator = match &wanted.originator {
        Some(originator) => id(originator)?,
        None => id(&format!("{OUTSIDE}{name}"))?,
    };
    let plain = |c: &char| !c.is_control();
    let feed = Feed {
        name: name.clone(),
        collection: chosen.address.to_string(),
        title: chosen.about.title.chars().filter(plain).take(200).collect(),
        originator,
        appraisal: appraisal(wanted)?,
        transport,
        page_objects: wanted.page_objects,
        interval_seconds: wanted.every,
        running: Running::On,
        progress: Progress::default(),
    };
    if wanted.dry_run {
        let text = format!(
            "feed {name} would read {} (`{}`) for {}; nothing is set up (dry run)",
            feed.collection, feed.title, feed.originator
        );
        return Ok(Answer::new(text, json!({"dry_run": true, "feed": feed})));
    }
    let answer = seat.ask(Command::FeedSet { feed: Box::new(feed) })?;
    if credential.is_empty() {
        place.drop_feed_secret(&name)?;
    } else {
        let text = toml::to_string(&credential).map_err(|_| {
            let text = "the credential cannot be written";
            Failure::node("feed_secret", text, "give files without control characters")
        })?;
        place.keep_feed_secret(&name, &text)?;
    }
    Ok(answer)
}

fn appraisal(wanted: &FeedAdd) -> Result<Appraisal, Failure> {
    let floor = model::marking::Tlp::parse(&wanted.floor).ok_or_else(|| {
        let text = format!("`{}` is no TLP label", wanted.floor);
        Failure::input("bad_argument", text, "use clear, green, amber, amber+strict or red")
    })?;
    let grade = wanted.grade.as_deref().map(str::parse::<model::grading::Grade>).transpose();
    let grade = grade.map_err(|e| {
        Failure::input("bad_argument", e, "use a letter A to F or X and a digit 1 to 6")
    })?;
    Ok(Appraisal { floor, grade })
}

fn credential(wanted: &FeedAdd) -> Result<Credential, Failure> {
    let file = |path: &Option<std::path::PathBuf>| path.as_deref().map(text_file).transpose();
    Ok(Credential {
        user: wanted.user.clone(),
        password: wanted.password_file.as_deref().map(secret).transpose()?,
        token: wanted.token_file.as_deref().map(secret).transpose()?,
        authorities: file(&wanted.ca)?,
        certificate: file(&wanted.certificate)?,
        key: file(&wanted.key)?,
    })
}

/// The first line of a file, or of standard input.
fn secret(path: &Path) -> Result<String, Failure> {
    let wrong = |why: &str| {
        let text = format!("`{}` {why}", path.display());
        Failure::input("secret_unreadable", text, "give a file with the secret on its first line")
    };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(SECRET_BYTES_MAX).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).map_err(|e| wrong(&format!("cannot be read: {e}")))?;
        file.take(SECRET_BYTES_MAX).read_to_string(&mut text)
    };
    read.map_err(|e| wrong(&format!("cannot be read: {e}")))?;
    let line = text.lines().next().unwrap_or("").to_owned();
    match line.is_empty() || line.chars().any(char::is_control) {
        true => Err(wrong("holds no secret on its first line")),
        false => Ok(line),
    }
}

fn polled(
    seat: &Seat,
    name: Option<&FeedName>,
    (dry_run, quiet): (bool, bool),
) -> Result<Answer, Failure> {
    let mut node = match seat.place()?.open(edge::now()?) {
        Ok(node) => node,
        Err(failure) if failure.code == "store_busy" => return at_door(seat, name, dry_run),
        Err(failure) => return Err(failure),
    };
    let feeds = chosen(&node, name)?;
    if feeds.is_empty() {
        let text = "no feed is due to be read: none is set up, or all are paused";
        return Ok(Answer::new(text, json!({"polls": []})));
    }
    let (mut lines, mut polls) = (Vec::new(), Vec::new());
    let mut worst = None;
    for feed in feeds {
        let done = one(seat, &mut node, &feed, (dry_run, quiet));
        match done {
            Ok((text, json)) => {
                lines.push(text);
                polls.push(json);
            }
            Err(failure) if name.is_some() => return Err(failure),
            Err(failure) => {
                lines.push(format!("{}: {failure}", feed.name));
                polls.push(json!({"feed": feed.name, "trouble": failure.message}));
                worst = Some(failure);
            }
        }
    }
    match worst {
        Some(failure) if polls.len() == 1 => Err(failure),
        Some(_) | None => Ok(Answer::new(lines.join("\n"), json!({"polls": polls}))),
    }
}

fn at_door(seat: &Seat, name: Option<&FeedName>, dry_run: bool) -> Result<Answer, Failure> {
    match name {
        Some(feed) if !dry_run => seat.ask(Command::FeedDue { feed: feed.clone() }),
        Some(_) | None => Err(Failure::input(
            "node_running",
            "the node is running and reads its feeds by itself",
            "name one to have it read now: entente feed poll NAME",
        )),
    }
}

fn chosen(node: &Node, name: Option<&FeedName>) -> Result<Vec<Feed>, Failure> {
    let all = node::feed::feeds(&*node.snapshot()?)?;
    let Some(name) = name else {
        return Ok(all.into_iter().filter(|feed| feed.running == Running::On).collect());
    };
    match all.into_iter().find(|feed| feed.name == *name) {
        None => {
            let text = format!("there is no feed `{name}`");
            Err(Failure::input("feed_unknown", text, "list the feeds: entente feed list"))
        }
        Some(feed) if feed.running == Running::Paused => {
            let text = format!("the feed `{name}` is paused");
            Err(Failure::input("feed_paused", text, "entente feed pause NAME --resume"))
        }
        Some(feed) => Ok(vec![feed]),
    }
}

fn one(
    seat: &Seat,
    node: &mut Node,
    feed: &Feed,
    (dry_run, quiet): (bool, bool),
) -> Result<(String, serde_json::Value), Failure> {
    let client = poll::client(seat.place()?, feed)?;
    let name = &feed.name;
    if dry_run {
        let (fit, unfit, more) = poll::preview(&client, feed)?;
        let and = if more { ", and there is more" } else { "" };
        let text =
            format!("{name}: {fit} objects to read, {unfit} unfit{and}; nothing stored (dry run)");
        let json = json!({"feed": name, "dry_run": true, "objects": fit, "unfit": unfit,
            "more": more});
        return Ok((text, json));
    }
    let shown = !quiet && std::io::stderr().is_terminal();
    let bar = if shown { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let tally = poll::poll(&mut AtNode(node), &client, feed, &mut |tally| {
        bar.set_message(format!("{name}: {}", words::count(tally.stored, "object")));
        bar.tick();
    })?;
    bar.finish_and_clear();
    told(name, tally)
}

fn told(name: &FeedName, tally: Tally) -> Result<(String, serde_json::Value), Failure> {
    if let Some(trouble) = &tally.trouble {
        let (what, help) = trouble.split_once("; help: ").unwrap_or((trouble, ""));
        let kept = words::count(tally.stored, "object");
        let text = format!("{name}: {what} ({kept} stored before that)");
        return Err(Failure::node("feed_trouble", text, help));
    }
    let mut text = format!(
        "{name}: {} stored, {} unchanged, {} unfit, on {}",
        words::count(tally.stored, "object"),
        tally.unchanged,
        tally.unfit,
        words::count(tally.pages, "page")
    );
    for line in &tally.unfit_named {
        text.push_str(&format!("\nunfit: {line}"));
    }
    let json = json!({"feed": name, "stored": tally.stored, "unchanged": tally.unchanged,
        "unfit": tally.unfit, "problems": tally.unfit_named, "pages": tally.pages});
    Ok((text, json))
}
