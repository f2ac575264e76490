//! A node that serves a partner, set up by the program's own commands.

use super::Outcome;
use super::load::{Process, Target, wait_for};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCENARIO: &str = "scenarios/lantern";
const AGREEMENT: &str = "urn:entente:agr:xa-xb:police-ct";
const PARTNER: &str = "xb.police.ct";

/// A node that serves.
pub struct Serving {
    pub process: Process,
    /// What its partner may read.
    pub released: usize,
    address: String,
    authorization: String,
    collections: [String; 2],
}

/// The program, built for speed.
pub fn build() -> Outcome<PathBuf> {
    let words = ["build", "--quiet", "--release", "-p", "entente"];
    if !Command::new("cargo").args(words).status()?.success() {
        return Err("the program cannot be built".into());
    }
    Ok(super::target().join("release/entente"))
}

/// A port nobody listens on now.
pub fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn ask(program: &Path, words: &[&str]) -> Outcome<Value> {
    let done = Command::new(program).arg("--json").args(words).stdin(Stdio::null()).output()?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        return Err(format!("{}: {said}", words.join(" ")).into());
    }
    Ok(serde_json::from_slice(&done.stdout).unwrap_or(Value::Null))
}

fn text(value: &Value, name: &str) -> Outcome<String> {
    Ok(value[name].as_str().ok_or_else(|| format!("no `{name}` in {value}"))?.to_owned())
}

/// The exercise's records under new names, as often as it takes.
fn bundle(objects: usize) -> Outcome<Vec<u8>> {
    let records = std::fs::read(format!("{SCENARIO}/records/xa-reports.json"))?;
    let records: Value = serde_json::from_slice(&records)?;
    let records = records["objects"].as_array().ok_or("no records")?;
    let is_record = |record: &&Value| record["type"] != "marking-definition";
    let records: Vec<&Value> = records.iter().filter(is_record).collect();
    let named = records.iter().cycle().take(objects).enumerate().map(|(at, record)| {
        let mut record = (*record).clone();
        let kind = record["type"].as_str().unwrap_or_default();
        record["id"] = json!(format!("{kind}--5e1f0a9c-7a3e-4c55-9d6e-{at:012x}"));
        record
    });
    let named: Vec<Value> = named.collect();
    let id = "bundle--5e1f0a9c-7a3e-4c55-9d6e-000000000000";
    Ok(serde_json::to_vec(&json!({"type": "bundle", "id": id, "objects": named}))?)
}

/// The body of a POST of objects nobody posted before, each about 1 kB.
pub fn envelope(turn: usize, number: usize, size: usize) -> Vec<u8> {
    let words =
        "The consignment was seen at the quay and its papers named another port. ".repeat(8);
    let (turn, number) = (turn & 0xff, number & 0xffff_ffff);
    let object = |at: usize| {
        let at = at & 0xffff;
        json!({
            "type": "indicator",
            "spec_version": "2.1",
            "id": format!("indicator--{number:08x}-7a3e-4c55-9d6e-{turn:04x}{size:04x}{at:04x}"),
            "created": "2026-01-01T00:00:00.000Z",
            "modified": "2026-01-01T00:00:00.000Z",
            "name": format!("Invented indicator {at}"),
            "description": words,
            "pattern": format!("[url:value = 'http://host{at}.example/']"),
            "pattern_type": "stix",
            "valid_from": "2026-01-01T00:00:00Z",
        })
    };
    let objects: Vec<Value> = (0..size).map(object).collect();
    json!({ "objects": objects }).to_string().into_bytes()
}

impl Serving {
    /// Sets a node up with so many objects, and serves it.
    pub fn of(program: &Path, place: &Path, objects: usize) -> Outcome<Self> {
        std::fs::create_dir_all(place)?;
        let path = |name: &str| place.join(name).to_string_lossy().into_owned();
        let (own, other) = (path("xa"), path("xb"));
        let address = format!("127.0.0.1:{}", free_port()?);
        let init = |at: &str, agency: &str, party: &str, listen: &str| {
            ask(program, &["init", at, "--agency", agency, "--party", party, "--listen", listen])
        };
        init(&own, "xa.police.ct", "XA", &address)?;
        init(&other, PARTNER, "XB", "127.0.0.1:9")?;
        let pairs = [(&own, &other), (&other, &own)];
        for (one, its_partner) in pairs {
            let known = ask(program, &["--node", its_partner, "member", "export"])?;
            std::fs::write(path("card"), text(&known, "document")?)?;
            let (card, seal) = (path("card"), text(&known, "fingerprint")?);
            ask(program, &["--node", one, "member", "add", &card, "--fingerprint", &seal])?;
            let vocabulary = format!("{SCENARIO}/vocabulary.json");
            ask(program, &["--node", one, "vocabulary", &vocabulary])?;
            let agreement = format!("{SCENARIO}/agreements/1_bilateral.toml");
            ask(program, &["--node", one, "agreement", "add", &agreement])?;
        }
        for (one, its_partner) in pairs {
            let signed = ask(program, &["--node", one, "agreement", "sign", AGREEMENT])?;
            std::fs::write(path("signature"), text(&signed, "document")?)?;
            let signature = path("signature");
            ask(program, &["--node", its_partner, "agreement", "signature", &signature])?;
        }
        let order = ["--to", PARTNER, "--purpose", "ct.investigation", "--offence", "financing"];
        std::fs::write(path("bundle.json"), bundle(objects)?)?;
        ask(program, &["--node", &own, "import", "stix", &path("bundle.json")])?;
        ask(program, &[&["--node", &own, "order", "add"][..], &order].concat())?;
        let token = text(&ask(program, &["--node", &own, "member", "token", PARTNER])?, "token")?;
        let process = Process::start(Command::new(program).args(["--node", &own, "serve"]))?;
        Self {
            process,
            released: 0,
            address,
            authorization: format!("Bearer {token}"),
            collections: Default::default(),
        }
        .ready()
    }

    /// Finds its collections once it answers.
    fn ready(mut self) -> Outcome<Self> {
        let root = format!("http://{}/taxii2/api/collections/", self.address);
        wait_for(&root)?;
        let asked = ureq::get(&root).header("accept", "application/taxii+json;version=2.1");
        let mut answer = asked.header("authorization", &self.authorization).call()?;
        let all: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
        for (at, alias) in ["outbox", "inbox"].into_iter().enumerate() {
            let mut listed = all["collections"].as_array().into_iter().flatten();
            let found = listed.find(|one| one["alias"] == alias).ok_or("no such collection")?;
            let place = self.collections.get_mut(at).ok_or("no such place")?;
            *place = format!("{root}{}/", text(found, "id")?);
        }
        self.released = self.target().drain()?.objects;
        Ok(self)
    }

    /// Where its partner reads and writes.
    pub fn target(&self) -> Target {
        let [collection, inbox] = self.collections.clone();
        let (authorization, pid) = (self.authorization.clone(), self.process.0.id());
        Target { collection, inbox, authorization, pid }
    }
}
