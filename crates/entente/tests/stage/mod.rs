//! Real nodes on this machine, driven as an officer, a partner or an attacker would.
#![allow(dead_code, reason = "each test uses its part of the stage")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_entente");
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A directory of its own, gone when dropped.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("http-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _absent = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// A port nobody listens on at this moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn scenario(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/lantern").join(file)
}

/// A node's directory, and its process while it serves.
pub struct Site {
    pub dir: PathBuf,
    pub agency: String,
    pub address: String,
    serving: Option<Child>,
}

/// What a door answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    pub head: Vec<(String, String)>,
    pub body: String,
}

impl Said {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// A request by a client that follows nowhere; the date is left out of the answer's head.
pub fn ask(method: &str, address: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Said {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = match body {
        Some(body) => agent.run(request.body(body).unwrap()).unwrap(),
        None => agent.run(request.body(()).unwrap()).unwrap(),
    };
    let head = response
        .headers()
        .iter()
        .filter(|(name, _)| name.as_str() != "date")
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let body = response.body_mut().read_to_vec().unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    Said { status: response.status().as_u16(), head, body }
}

impl Site {
    /// A new node that is not serving yet; partners are told another endpoint if one is given.
    pub fn new(folder: &Folder, agency: &str, party: &str, endpoint: Option<&str>) -> Self {
        let dir = folder.0.join(agency);
        let listen = format!("127.0.0.1:{}", free_port());
        let address = format!("http://{listen}");
        let mut command = Command::new(PROGRAM);
        command.arg("init").arg(&dir);
        command.args(["--agency", agency, "--party", party, "--listen", &listen]);
        if let Some(endpoint) = endpoint {
            command.args(["--endpoint", endpoint]);
        }
        let made = command.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { dir, agency: agency.to_owned(), address, serving: None }
    }

    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(PROGRAM).arg("--node").arg(&self.dir).args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; its JSON.
    pub fn run(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let done = self.command(&all);
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&done.stdout).unwrap_or(Value::Null)
    }

    /// Starts serving and waits until it says it listens.
    pub fn serve(&mut self) {
        let mut child = Command::new(PROGRAM)
            .arg("--node")
            .arg(&self.dir)
            .arg("serve")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert!(line.contains("listens on"), "{line}");
        // WHY: a full pipe would stop the node; the rest is read away.
        std::thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        self.serving = Some(child);
    }

    /// Tells it to stop, as a service supervisor would, and waits.
    pub fn stop(&mut self) -> std::process::ExitStatus {
        let mut child = self.serving.take().unwrap();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        child.wait().unwrap()
    }

    pub fn token(&self) -> String {
        std::fs::read_to_string(self.dir.join("keys/officer.token")).unwrap().trim().to_owned()
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Said {
        ask("GET", &format!("{}{path}", self.address), headers, None)
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Said {
        ask("POST", &format!("{}{path}", self.address), headers, Some(body.into()))
    }

    /// A bearer header for a partner of this node, freshly made.
    pub fn access(&self, partner: &Self) -> String {
        let made = self.run(&["member", "token", &partner.agency]);
        format!("Bearer {}", made["token"].as_str().unwrap())
    }

    /// Entries of the log, oldest first.
    pub fn entries(&self) -> Vec<Value> {
        let shown = self.run(&["log", "show", "--limit", "10000"]);
        shown["entries"].as_array().unwrap().clone()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(child) = &mut self.serving {
            let _ended = child.kill();
            let _ended = child.wait();
        }
    }
}

/// Pins each node at every other, gives all the vocabulary and these agreements, signed by all.
pub fn introduce(sites: &[&Site], agreements: &[&str]) {
    let vocabulary = scenario("vocabulary.json");
    for one in sites {
        one.run(&["vocabulary", vocabulary.to_str().unwrap()]);
        for other in sites.iter().filter(|other| other.agency != one.agency) {
            let document = other.run(&["member", "export"]);
            let file = one.dir.join("partner.txt");
            std::fs::write(&file, document["document"].as_str().unwrap()).unwrap();
            let fingerprint = document["fingerprint"].as_str().unwrap();
            one.run(&["member", "add", file.to_str().unwrap(), "--fingerprint", fingerprint]);
        }
    }
    for agreement in agreements {
        let file = scenario(agreement);
        let mut id = String::new();
        for one in sites {
            let added = one.run(&["agreement", "add", file.to_str().unwrap()]);
            id = added["id"].as_str().unwrap().to_owned();
        }
        for one in sites {
            let signed = one.run(&["agreement", "sign", &id]);
            for other in sites.iter().filter(|other| other.agency != one.agency) {
                let file = other.dir.join("signature.txt");
                std::fs::write(&file, signed["document"].as_str().unwrap()).unwrap();
                other.run(&["agreement", "signature", file.to_str().unwrap()]);
            }
        }
    }
}

/// Waits until something holds; a minute is long enough for anything that ends at all.
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "in a minute not: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub const JSON: (&str, &str) = ("content-type", "application/json");
pub const COALITION: [&str; 2] = ["agreements/2_coalition.toml", "agreements/3_task_force.toml"];

/// A TAXII fixture in its own process.
pub struct Fixture {
    process: Child,
    address: String,
}

impl Fixture {
    const SIGN_IN: (&'static str, &'static str) = ("authorization", "Basic YWRtaW46UGFzc3dvcmQw");

    fn command(folder: &Folder, contents: &Value) -> Command {
        let file = folder.0.join("fixture.json");
        std::fs::write(&file, serde_json::to_string_pretty(contents).unwrap()).unwrap();
        let mut command = Command::new(PROGRAM);
        command.arg("taxii-fixture").arg(&file).args(["--port", "0"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    }

    /// Starts it and waits until it says where it listens.
    pub fn start(folder: &Folder, contents: &Value, words: &[&str]) -> Self {
        let mut process = Self::command(folder, contents).args(words).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().split("listens on ").nth(1).unwrap();
        let address = address.trim_end_matches("/taxii2/").to_owned();
        Self { process, address }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What it complains about when its file is wrong.
    pub fn refused(folder: &Folder, contents: &Value) -> String {
        let mut command = Self::command(folder, contents);
        let done = command.stderr(Stdio::piped()).output().unwrap();
        assert_eq!(done.status.code(), Some(2));
        String::from_utf8(done.stderr).unwrap()
    }

    /// A request with nothing added.
    pub fn bare(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Said {
        ask(method, &format!("{}{path}", self.address), headers, body)
    }

    /// A request of the one user.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Said {
        self.bare(method, path, &[headers, &[Self::SIGN_IN]].concat(), body)
    }

    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Said {
        self.ask("GET", path, headers, None)
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}
