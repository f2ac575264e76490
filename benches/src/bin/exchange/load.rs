//! A client that reads and posts for a while, and what that cost the server.

use super::Outcome;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clients at a time: as many as a small machine has cores.
const CLIENTS: usize = 2;
/// Clock ticks a second in `/proc`. SOURCE: proc(5), `USER_HZ` on Linux.
const TICKS: f64 = 100.0;
/// LIMIT: bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;
const MEDIA: &str = "application/taxii+json;version=2.1";

/// Of one kind of request.
pub struct Figures {
    pub cpu_ms: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub per_second: f64,
}

/// What a walk through all pages gave.
pub struct Drained {
    pub objects: usize,
    pub cpu_seconds: f64,
    /// After this instant come the last hundred or fewer.
    pub tail: Option<String>,
}

/// A collection of a server.
pub struct Target {
    /// With the slash.
    pub collection: String,
    /// The collection to write to.
    pub inbox: String,
    pub authorization: String,
    pub pid: u32,
}

/// A program that runs until it is dropped.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        // What does not end now is gone already.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Process {
    /// Starts a program in silence.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(quiet.spawn()?))
    }

    /// Resident memory.
    pub fn memory_mb(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no size")?.parse()?;
        Ok(kilobytes / 1_024)
    }
}

/// A number to compute with; counts here are far below 2^32.
pub fn real(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Seconds of CPU a process has used.
fn cpu_seconds(pid: u32) -> Outcome<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let ticks: Vec<f64> = after.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let words = after.split_whitespace().count();
    // Every field after the state is a number: user and system time are the 12th and 13th word.
    let at = |place: usize| ticks.get(place - (words - ticks.len())).copied();
    Ok((at(11).ok_or("no utime")? + at(12).ok_or("no stime")?) / TICKS)
}

/// Until a server answers at all.
pub fn wait_for(address: &str) -> Outcome<()> {
    let agent = agent();
    for _ in 0..600 {
        if agent.get(address).call().is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(format!("{address} does not answer").into())
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.timeout_global(Some(Duration::from_secs(300))).build().into()
}

struct Answer {
    body: Vec<u8>,
    first: Option<String>,
}

impl Target {
    fn get(&self, agent: &ureq::Agent, path: &str) -> Outcome<Answer> {
        let address = format!("{}{path}", self.collection);
        let asked = agent.get(&address).header("accept", MEDIA);
        let mut answer = asked.header("authorization", &self.authorization).call()?;
        let first = answer.headers().get("x-taxii-date-added-first");
        let first = first.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
        if status != 200 {
            return Err(format!("{address}: {status}").into());
        }
        Ok(Answer { body, first })
    }

    /// Reads one address over and over.
    pub fn read(&self, path: &str, time: Duration) -> Outcome<Figures> {
        self.repeat(time, |agent, _| self.get(agent, path).map(|_| ()))
    }

    /// Posts envelopes of new objects over and over.
    pub fn post(&self, (turn, size): (usize, usize), time: Duration) -> Outcome<Figures> {
        self.repeat(time, |agent, number| {
            let body = super::ours::envelope(turn, number, size);
            let asked = agent.post(format!("{}objects/", self.inbox)).header("accept", MEDIA);
            let asked = asked.header("authorization", &self.authorization);
            let mut answer = asked.header("content-type", MEDIA).send(&body[..])?;
            let status = answer.status();
            let said = answer.body_mut().read_to_string()?;
            let status_resource: serde_json::Value = serde_json::from_str(&said)?;
            if status != 202 || status_resource["failure_count"] != 0 {
                return Err(format!("POST of {size}: {status} {said:.300}").into());
            }
            Ok(())
        })
    }

    fn repeat(
        &self,
        time: Duration,
        work: impl Fn(&ureq::Agent, usize) -> Outcome<()> + Sync,
    ) -> Outcome<Figures> {
        work(&agent(), usize::MAX)?;
        let (before, start) = (cpu_seconds(self.pid)?, Instant::now());
        let client = |client: usize| -> Result<Vec<f64>, String> {
            let (agent, mut taken, mut number) = (agent(), Vec::new(), client);
            while start.elapsed() < time || taken.len() < 3 {
                let begun = Instant::now();
                work(&agent, number).map_err(|e| e.to_string())?;
                taken.push(begun.elapsed().as_secs_f64() * 1_000.0);
                number += CLIENTS;
            }
            Ok(taken)
        };
        let client = &client;
        let taken: Vec<Result<Vec<f64>, String>> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..CLIENTS).map(|at| scope.spawn(move || client(at))).collect();
            let ended = all.into_iter().map(|one| one.join());
            ended.map(|one| one.unwrap_or_else(|_| Err("a client broke off".to_owned()))).collect()
        });
        let seconds = start.elapsed().as_secs_f64();
        let used = cpu_seconds(self.pid)? - before;
        let taken: Result<Vec<Vec<f64>>, String> = taken.into_iter().collect();
        Ok(figures(taken?.concat(), used, seconds))
    }

    /// Walks through all pages of 1,000, once.
    pub fn drain(&self) -> Outcome<Drained> {
        let (agent, before) = (agent(), cpu_seconds(self.pid)?);
        let (mut objects, mut next, mut tail) = (0_usize, String::new(), None);
        loop {
            let answer = self.get(&agent, &format!("objects/?limit=1000{next}"))?;
            let page: serde_json::Value = serde_json::from_slice(&answer.body)?;
            objects += page["objects"].as_array().map_or(0, Vec::len);
            tail = answer.first.or(tail);
            let more = page["more"].as_bool().unwrap_or(false);
            let Some(at) = page["next"].as_str().filter(|_| more) else { break };
            next = format!("&next={at}");
        }
        Ok(Drained { objects, cpu_seconds: cpu_seconds(self.pid)? - before, tail })
    }
}

fn figures(mut taken: Vec<f64>, cpu_seconds: f64, seconds: f64) -> Figures {
    taken.sort_by(f64::total_cmp);
    let count = real(taken.len()).max(1.0);
    let part = |permille: usize| {
        let at = (taken.len() * permille / 1_000).min(taken.len().saturating_sub(1));
        taken.get(at).copied().unwrap_or(f64::NAN)
    };
    Figures {
        cpu_ms: cpu_seconds * 1_000.0 / count,
        p50_ms: part(500),
        p99_ms: part(990),
        per_second: count / seconds.max(1e-9),
    }
}
