//! Random lives by seed: runs many, says what broke and how to repeat it.
//!
//! `lives --seeds 200 --from 0 --events 150`; the exit status is 1 when a checker found something.

use sim::life::{Outcome, Plan, live, live_twice};
use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;

const HELP: &str = "lives [--seeds N] [--from S] [--events M] [--twice] [--tell] [--without WORDS]\n\
  --seeds N    how many seeds (100)\n\
  --from S     the first seed (0)\n\
  --events M   events in each life (150)\n\
  --twice      live each seed twice and compare the bytes\n\
  --tell       print what happened, line by line\n\
  --without W  leave these acts or lies out, by comma (claim,lie,crash,falsegiver ...)\n";

struct Asked {
    seeds: u64,
    from: u64,
    plan: Plan,
    twice: bool,
}

fn asked(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked { seeds: 100, from: 0, plan: Plan::of(150), twice: false };
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64, String> {
            let text = words.next().ok_or_else(|| format!("`{word}` needs a number"))?;
            text.parse().map_err(|_| format!("`{text}` is not a number"))
        };
        match word.as_str() {
            "--seeds" => asked.seeds = number()?,
            "--from" => asked.from = number()?,
            "--events" => {
                asked.plan.steps = usize::try_from(number()?).map_err(|e| e.to_string())?;
            }
            "--without" => {
                let list = words.next().ok_or("`--without` needs words")?;
                asked.plan.without = list.split(',').map(str::to_owned).collect();
            }
            "--tell" => asked.plan.told = true,
            "--twice" => asked.twice = true,
            _ => return Err(format!("`{word}` is not known here\n{HELP}")),
        }
    }
    Ok(asked)
}

#[derive(Default)]
struct Tally {
    seeds: u64,
    nodes: u64,
    events: u64,
    received: u64,
    refused: u64,
    answered: u64,
    crashes: u64,
    lies: u64,
    packets: u64,
    lost: u64,
    commits: u64,
    releases: u64,
    onward: u64,
    holdings: u64,
    hits: u64,
    notices: u64,
    given_up: u64,
    again: u64,
    failed: Vec<(u64, String)>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        let f = &outcome.figures;
        let nodes = u64::try_from(outcome.nodes).unwrap_or(u64::MAX);
        let pairs = [
            (&mut self.seeds, 1),
            (&mut self.nodes, nodes),
            (&mut self.events, f.events),
            (&mut self.received, f.received),
            (&mut self.refused, f.refused),
            (&mut self.answered, f.answered),
            (&mut self.crashes, f.crashes),
            (&mut self.lies, f.lies),
            (&mut self.packets, f.packets),
            (&mut self.lost, f.lost),
            (&mut self.commits, f.watched.commits),
            (&mut self.releases, f.watched.releases),
            (&mut self.onward, f.watched.onward),
            (&mut self.holdings, f.watched.holdings),
            (&mut self.hits, f.watched.hits),
            (&mut self.notices, f.watched.notices),
            (&mut self.given_up, f.watched.given_up),
            (&mut self.again, f.watched.again),
        ];
        for (slot, more) in pairs {
            *slot = slot.saturating_add(more);
        }
    }

    fn report(&self, events: usize, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(
            out,
            "{} seeds of {events} steps, {} nodes, {} officers' events, {} commits",
            self.seeds, self.nodes, self.events, self.commits
        )?;
        writeln!(
            out,
            "{} packets ({} lost), {} messages taken, {} answers taken, {} refused",
            self.packets, self.lost, self.received, self.answered, self.refused
        )?;
        writeln!(
            out,
            "{} crashes, {} lies, {} releases ({} onward), {} foreign holdings, {} hits",
            self.crashes, self.lies, self.releases, self.onward, self.holdings, self.hits
        )?;
        writeln!(
            out,
            "{} releases told to their originators, {} messages given up, {} of them sent again",
            self.notices, self.given_up, self.again
        )?;
        for (seed, text) in &self.failed {
            writeln!(out, "seed {seed} FAILED: {text}")?;
            writeln!(out, "  repeat: lives --from {seed} --seeds 1 --events {events}")?;
        }
        writeln!(out, "{} of {} seeds failed", self.failed.len(), self.seeds)
    }
}

fn told(outcome: &Outcome) -> Option<String> {
    let first = outcome.violations.first()?;
    let place = match outcome.at_event {
        Some(event) => format!("at step {event}"),
        None => "at rest".to_owned(),
    };
    let more = outcome.violations.len().saturating_sub(1);
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    Some(format!("{place}, {first}{more}"))
}

#[allow(clippy::disallowed_methods, reason = "this program is the edge of the simulator")]
fn main() -> ExitCode {
    let asked = match asked(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(text) => {
            let _ = writeln!(std::io::stderr(), "lives: {text}");
            return ExitCode::from(2);
        }
    };
    let progress = std::io::stderr().is_terminal();
    let mut tally = Tally::default();
    for seed in asked.from..asked.from.saturating_add(asked.seeds) {
        let lived = if asked.twice { live_twice } else { live };
        match lived(seed, &asked.plan) {
            Ok(outcome) => {
                tally.add(&outcome);
                for line in &outcome.journal {
                    let _ = writeln!(std::io::stdout(), "{line}");
                }
                tally.failed.extend(told(&outcome).map(|text| (seed, text)));
            }
            Err(error) => {
                tally.seeds = tally.seeds.saturating_add(1);
                tally.failed.push((seed, error.to_string()));
            }
        }
        if progress {
            let (done, failed) = (tally.seeds, tally.failed.len());
            let _ = write!(std::io::stderr(), "\r{done} of {} seeds, {failed} failed", asked.seeds);
        }
    }
    if progress {
        let _ = writeln!(std::io::stderr());
    }
    match tally.report(asked.plan.steps, &mut std::io::stdout().lock()) {
        Ok(()) if tally.failed.is_empty() => ExitCode::SUCCESS,
        Ok(()) | Err(_) => ExitCode::FAILURE,
    }
}
