//! `export`: asks for portions, writes them in a stream, sums up what left and on what terms.
//!
//! A portion is decided on and logged before its first byte is written. Memory: one portion,
//! whatever the number of records.

mod events;
mod folder;
mod sheet;

use super::arguments::{Export, ExportFormat, Release};
use super::{Seat, id, order};
use crate::command::{Answer, Command};
use crate::commands::{self, Desk, Exported};
use crate::edge;
use crate::failure::Failure;
use crate::words;
use model::decision::Outcome as Given;
use model::ids::RecordId;
use model::release::Terms;
use model::request::StandingOrder;
use model::time::Timestamp;
use node::Node;
use serde_json::{Value, json};
use sheet::{Output, Sheet};
use std::collections::BTreeMap;
use std::path::Path;

/// Records named that do not go whole before the rest is only counted.
const NAMED_MAX: usize = 100;

/// Takes records out as a file.
///
/// # Errors
/// An argument is wrong, the node does not answer, or a file cannot be written.
pub fn export(seat: &Seat, wanted: Export, json: bool) -> Result<Answer, Failure> {
    let (order, records) = (recipient(&wanted)?, named(&wanted)?);
    if wanted.feed.is_some() && wanted.format != ExportFormat::Misp {
        return Err(no_feed(wanted.format));
    }
    let mut source = source(seat)?;
    let mut sheet = match wanted.dry_run {
        true => None,
        false => Some(sheet(&wanted)?),
    };
    let terms = wanted.terms.as_deref().filter(|_| !wanted.dry_run);
    let mut terms = terms.map(|path| Output::open(Some(path))).transpose()?;
    let mut report = Report { order: order.clone(), dry_run: wanted.dry_run, ..Report::default() };
    let mut after = None;
    loop {
        let ask = Command::Export {
            format: word(wanted.format).to_owned(),
            order: order.clone(),
            records: records.clone(),
            kind: wanted.kind.clone(),
            after: after.take(),
            every_version: wanted.every_version,
            dry_run: wanted.dry_run,
        };
        let portion = source.portion(ask)?;
        report.count(&portion);
        if let Some(sheet) = &mut sheet {
            sheet.ours(&portion.ours);
        }
        for object in &portion.objects {
            if let Some(sheet) = &mut sheet {
                sheet.object(object)?;
            }
        }
        for line in &portion.terms {
            if let Some(out) = &mut terms {
                out.line(&json!(line).to_string())?;
            }
        }
        match portion.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    if let Some(sheet) = sheet {
        sheet.end()?;
    }
    if let Some(out) = terms {
        out.end()?;
    }
    Ok(report.answer(wanted.out.as_deref().or(wanted.feed.as_deref()), json))
}

fn word(format: ExportFormat) -> &'static str {
    match format {
        ExportFormat::Stix => "stix",
        ExportFormat::Misp => "misp",
    }
}

/// The writer of a format.
fn sheet(wanted: &Export) -> Result<Box<dyn Sheet>, Failure> {
    match (wanted.format, &wanted.feed) {
        (ExportFormat::Misp, Some(feed)) => Ok(Box::new(events::Events::feed(feed)?)),
        (ExportFormat::Misp, None) => {
            Ok(Box::new(events::Events::file(wanted.lines, Output::open(wanted.out.as_deref())?)))
        }
        (ExportFormat::Stix, None) => {
            sheet::stix(wanted.lines, Output::open(wanted.out.as_deref())?)
        }
        (ExportFormat::Stix, Some(_)) => Err(no_feed(wanted.format)),
    }
}

fn no_feed(format: ExportFormat) -> Failure {
    let message = format!("`--feed` writes MISP events, not {}", word(format));
    Failure::input("no_feed", message, "use `export misp --feed DIR`, or `--out FILE`")
}

fn recipient(wanted: &Export) -> Result<Option<StandingOrder>, Failure> {
    let (Some(to), Some(purpose)) = (&wanted.to, &wanted.purpose) else { return Ok(None) };
    let release = Release {
        to: to.clone(),
        purpose: purpose.clone(),
        offence: wanted.offence.clone(),
        facts: wanted.facts.clone(),
        flags: wanted.flags.clone(),
    };
    order(release).map(Some)
}

fn named(wanted: &Export) -> Result<Option<Vec<RecordId>>, Failure> {
    if wanted.records.is_empty() {
        return Ok(None);
    }
    wanted.records.iter().map(|text| id(text)).collect::<Result<_, _>>().map(Some)
}

/// Where portions come from.
enum Source<'a> {
    /// The node's own store.
    Here(Box<Node>, &'a Seat),
    /// The officer's door of the running node.
    Door(&'a Seat),
}

fn source(seat: &Seat) -> Result<Source<'_>, Failure> {
    match seat.place()?.open(edge::now()?) {
        Ok(node) => Ok(Source::Here(Box::new(node), seat)),
        Err(failure) if failure.code == "store_busy" => Ok(Source::Door(seat)),
        Err(failure) => Err(failure),
    }
}

impl Source<'_> {
    fn portion(&mut self, command: Command) -> Result<Exported, Failure> {
        match (self, command) {
            (
                Self::Here(node, seat),
                Command::Export { format, order, records, kind, after, every_version, dry_run },
            ) => {
                let officer = seat.officer().to_owned();
                let mut desk = Desk { node, officer, now: edge::now()? };
                let chosen = commands::Chosen { records, kind, after, every_version };
                commands::export(&mut desk, (&format, order, dry_run), &chosen)
            }
            (Self::Here(_, seat) | Self::Door(seat), command) => {
                let answer = seat.ask(command)?;
                serde_json::from_value(answer.json).map_err(|e| {
                    let help = "use the same version of the program on both sides";
                    Failure::node("no_answer", format!("the node's answer is wrong: {e}"), help)
                })
            }
        }
    }
}

/// What left, and on what terms.
#[derive(Default)]
struct Report {
    order: Option<StandingOrder>,
    dry_run: bool,
    objects: u64,
    tally: node::query::Tally,
    articles: BTreeMap<String, u64>,
    caveats: BTreeMap<String, u64>,
    obligations: BTreeMap<String, u64>,
    retention_until: Option<Timestamp>,
    named: Vec<(RecordId, &'static str, String)>,
    more: u64,
}

fn one_more<T: ToString>(map: &mut BTreeMap<String, u64>, items: impl IntoIterator<Item = T>) {
    for item in items {
        let number = map.entry(item.to_string()).or_default();
        *number = number.saturating_add(1);
    }
}

impl Report {
    fn count(&mut self, portion: &Exported) {
        let objects = u64::try_from(portion.objects.len()).unwrap_or(u64::MAX);
        self.objects = self.objects.saturating_add(objects);
        for fate in &portion.fates {
            self.tally.count(fate.outcome);
            if fate.outcome == Given::Release {
                continue;
            }
            if self.named.len() < NAMED_MAX {
                let outcome = words::outcome(fate.outcome);
                self.named.push((fate.record.clone(), outcome, fate.reason.clone()));
            } else {
                self.more = self.more.saturating_add(1);
            }
        }
        portion.terms.iter().for_each(|terms| self.terms(terms));
    }

    fn terms(&mut self, terms: &Terms) {
        one_more(&mut self.articles, &terms.basis);
        one_more(&mut self.caveats, &terms.caveats);
        one_more(&mut self.obligations, &terms.obligations);
        let until = [self.retention_until, terms.retention_until].into_iter().flatten().min();
        self.retention_until = until;
    }

    fn answer(self, out: Option<&Path>, json: bool) -> Answer {
        let told = self.json(out);
        let text = if json { told.to_string() } else { self.text(out) };
        // INVARIANT: nothing went although something was there to go.
        let refused = self.tally.total() > 0 && self.tally.total() == self.tally.refused;
        let mut answer = if out.is_none() && !self.dry_run {
            sheet::tell(&text);
            Answer::new("", Value::Null)
        } else {
            Answer::new(text, told)
        };
        answer.refused = refused;
        answer
    }

    fn json(&self, out: Option<&Path>) -> Value {
        let named: Vec<Value> = self
            .named
            .iter()
            .map(|(record, outcome, why)| {
                json!({"record": record, "outcome": outcome, "reason": why})
            })
            .collect();
        json!({
            "objects": self.objects, "tally": self.tally, "articles": self.articles,
            "caveats": self.caveats, "obligations": self.obligations,
            "retention_until": self.retention_until, "not_whole": named,
            "not_whole_unnamed": self.more, "dry_run": self.dry_run, "order": self.order,
            "out": out.map(|path| path.display().to_string()),
        })
    }

    fn text(&self, out: Option<&Path>) -> String {
        let mut lines = Vec::new();
        let whom = match &self.order {
            Some(order) => format!("for {}, {} only", order.recipient, order.purpose),
            None => "your own copy; it goes to nobody else".to_owned(),
        };
        let place = out.map(|path| format!(" to {}", path.display())).unwrap_or_default();
        lines.push(match self.dry_run {
            true => format!("nothing was written (dry run): {whom}"),
            false => format!("{} written{place}: {whom}", words::count(self.objects, "object")),
        });
        lines.push(commands::tally(&self.tally));
        let mut say = |head: &str, map: &BTreeMap<String, u64>| {
            lines.extend(map.iter().map(|(item, number)| format!("{head}{item}  ({number})")));
        };
        say("under       ", &self.articles);
        say("caveat      ", &self.caveats);
        say("obliges to  ", &self.obligations);
        if let Some(until) = self.retention_until {
            lines.push(format!("keep until  {until}, the earliest"));
        }
        let rows = self.named.iter();
        lines.extend(rows.map(|(record, outcome, why)| format!("{outcome}: {record}: {why}")));
        if self.more > 0 {
            lines.push(format!("… and {} more", self.more));
        }
        lines.join("\n")
    }
}
