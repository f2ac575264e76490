//! The nodes on stage: directories, ceremony, running servers, and questions to them.

use super::story::{Release, Story};
use crate::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program under demonstration.
const PROGRAM: &str = "target/debug/entente";

/// A node on stage.
pub struct Player {
    /// Its directory.
    pub dir: PathBuf,
    /// The agency that runs it.
    pub agency: String,
    /// Where it listens.
    pub listen: String,
    /// The fingerprint of its member document.
    pub fingerprint: String,
    server: Child,
}

/// Everyone on stage; the servers end with it.
pub struct Cast {
    players: BTreeMap<String, Player>,
}

impl Drop for Cast {
    fn drop(&mut self) {
        for player in self.players.values_mut() {
            // WHY: a server that has ended already needs no end.
            let _ended = player.server.kill();
            let _reaped = player.server.wait();
        }
    }
}

/// The program, where cargo puts it.
pub fn program() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(PROGRAM), |dir| PathBuf::from(dir).join("debug/entente"))
}

fn answer(words: &[String], output: &std::process::Output) -> Result<Value, Failure> {
    let call = format!("entente {}", words.join(" "));
    let text = if output.stdout.is_empty() { &output.stderr } else { &output.stdout };
    serde_json::from_slice(text).map_err(|cause| Failure::Answer {
        place: call,
        cause: format!("{cause}: {}", String::from_utf8_lossy(text)),
    })
}

/// Runs the program once and reads its JSON answer; the rules' refusal is an answer too.
pub fn run(dir: &Path, words: &[String]) -> Result<Value, Failure> {
    let output = Command::new(program())
        .arg("--node")
        .arg(dir)
        .args(["--json", "--officer", "demo"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(Failure::io(program().display()))?;
    let value = answer(words, &output)?;
    match value.get("error").and_then(|e| e.get("message")).and_then(Value::as_str) {
        Some(message) => Err(Failure::Answer {
            place: format!("entente --node {} {}", dir.display(), words.join(" ")),
            cause: message.to_owned(),
        }),
        None => Ok(value),
    }
}

fn owned<S: AsRef<str>>(words: &[S]) -> Vec<String> {
    words.iter().map(|w| w.as_ref().to_owned()).collect()
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A free address of this machine.
fn free_address() -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(Failure::io("127.0.0.1"))?;
    let address = listener.local_addr().map_err(Failure::io("127.0.0.1"))?;
    Ok(address.to_string())
}

impl Cast {
    /// Makes the nodes, introduces them to each other, has them sign, starts them.
    ///
    /// # Errors
    /// A node cannot be made or started.
    pub fn start(story: &Story) -> Result<Self, Failure> {
        let stage = PathBuf::from("target/demo");
        if stage.exists() {
            std::fs::remove_dir_all(&stage).map_err(Failure::io(stage.display()))?;
        }
        let mut dirs = BTreeMap::new();
        let mut documents = Vec::new();
        for node in &story.nodes {
            let dir = stage.join(&node.name);
            let listen = free_address()?;
            let dir_text = dir.display().to_string();
            let words = [
                "init",
                &dir_text,
                "--agency",
                &node.agency,
                "--party",
                &node.party,
                "--listen",
                &listen,
            ];
            run(&dir, &owned(&words))?;
            let vocabulary = story.dir.join("vocabulary.json").display().to_string();
            run(&dir, &owned(&["vocabulary", &vocabulary]))?;
            let member = run(&dir, &owned(&["member", "export"]))?;
            let file = stage.join(format!("{}.member", node.name));
            std::fs::write(&file, text(&member, "document"))
                .map_err(Failure::io(file.display()))?;
            let fingerprint = text(&member, "fingerprint");
            documents.push((node.name.clone(), file.display().to_string(), fingerprint.clone()));
            dirs.insert(node.name.clone(), (dir, listen, fingerprint));
        }
        introduce(&dirs, &documents)?;
        sign(story, &stage, &dirs)?;
        let mut players = BTreeMap::new();
        for node in &story.nodes {
            let Some((dir, listen, fingerprint)) = dirs.remove(&node.name) else { continue };
            let server = serve(&dir)?;
            let agency = node.agency.clone();
            players.insert(node.name.clone(), Player { dir, agency, listen, fingerprint, server });
        }
        let cast = Self { players };
        cast.wait_listening()?;
        Ok(cast)
    }

    /// The nodes by short name.
    pub fn players(&self) -> impl Iterator<Item = (&String, &Player)> {
        self.players.iter()
    }

    /// The node of this short name.
    ///
    /// # Errors
    /// There is none.
    pub fn player(&self, name: &str) -> Result<&Player, Failure> {
        self.players.get(name).ok_or_else(|| Failure::Absent(format!("no node `{name}`")))
    }

    /// The short name of an agency's node.
    pub fn name_of(&self, agency: &str) -> Option<&str> {
        let mut all = self.players.iter();
        all.find(|(_, player)| player.agency == agency).map(|(name, _)| name.as_str())
    }

    /// Asks a node.
    ///
    /// # Errors
    /// The node does not answer as asked.
    pub fn ask<S: AsRef<str>>(&self, name: &str, words: &[S]) -> Result<Value, Failure> {
        run(&self.player(name)?.dir, &owned(words))
    }

    /// Has a node offer a record.
    ///
    /// # Errors
    /// The node does not answer as asked.
    pub fn ask_release(
        &self,
        name: &str,
        record: &str,
        release: &Release,
    ) -> Result<Value, Failure> {
        let mut words = vec!["share".to_owned(), record.to_owned()];
        words.extend(release.words());
        self.ask(name, &words)
    }

    fn wait_listening(&self) -> Result<(), Failure> {
        let end = Instant::now() + Duration::from_secs(20);
        for player in self.players.values() {
            while std::net::TcpStream::connect(&player.listen).is_err() {
                if Instant::now() > end {
                    let said = format!("the node at {} does not start", player.listen);
                    return Err(Failure::Absent(said));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// Waits until nothing is left to deliver anywhere.
    ///
    /// # Errors
    /// Something still waits at the end of the time.
    pub fn wait_quiet(&self, wait: Duration) -> Result<(), Failure> {
        let end = Instant::now() + wait;
        loop {
            let mut waiting = 0_usize;
            for name in self.players.keys() {
                let said = self.ask(name, &["outbox"])?;
                waiting += said.get("waiting").and_then(Value::as_array).map_or(0, Vec::len);
            }
            if waiting == 0 {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(Failure::Absent(format!("{waiting} messages were not delivered")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Serves until interrupted.
    ///
    /// # Errors
    /// A server ends by itself.
    pub fn keep_serving(mut self) -> Result<(), Failure> {
        loop {
            for (name, player) in &mut self.players {
                if let Some(status) = player.server.try_wait().map_err(Failure::io(name))? {
                    return Err(Failure::Program(format!("node {name} ended: {status}")));
                }
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn serve(dir: &Path) -> Result<Child, Failure> {
    let log = dir.join("server.log");
    let file = std::fs::File::create(&log).map_err(Failure::io(log.display()))?;
    let second = file.try_clone().map_err(Failure::io(log.display()))?;
    Command::new(program())
        .arg("--node")
        .arg(dir)
        .arg("serve")
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(second)
        .spawn()
        .map_err(Failure::io(program().display()))
}

type Dirs = BTreeMap<String, (PathBuf, String, String)>;

/// Every node pins every other by the fingerprint its officers compared.
fn introduce(dirs: &Dirs, documents: &[(String, String, String)]) -> Result<(), Failure> {
    for (name, (dir, _, _)) in dirs {
        for (_, file, fingerprint) in documents.iter().filter(|(other, _, _)| other != name) {
            run(dir, &owned(&["member", "add", file, "--fingerprint", fingerprint]))?;
        }
    }
    Ok(())
}

/// Every party signs every agreement it is part of, and stores the others' signatures.
fn sign(story: &Story, stage: &Path, dirs: &Dirs) -> Result<(), Failure> {
    let mut signatures: Vec<(String, String, String)> = Vec::new();
    for node in &story.nodes {
        let Some((dir, _, _)) = dirs.get(&node.name) else { continue };
        for file in &node.agreements {
            let path = story.dir.join(file).display().to_string();
            let added = run(dir, &owned(&["agreement", "add", &path]))?;
            let id = text(&added, "id");
            let lists = added.get("agencies").and_then(Value::as_array);
            let mine = lists.is_some_and(|all| all.iter().any(|a| a == node.agency.as_str()));
            if !mine {
                continue;
            }
            let signed = run(dir, &owned(&["agreement", "sign", &id]))?;
            let out = stage.join(format!("{}-{}.signature", node.name, signatures.len()));
            std::fs::write(&out, text(&signed, "document")).map_err(Failure::io(out.display()))?;
            signatures.push((node.name.clone(), file.clone(), out.display().to_string()));
        }
    }
    for node in &story.nodes {
        let Some((dir, _, _)) = dirs.get(&node.name) else { continue };
        for (signer, file, path) in &signatures {
            if *signer != node.name && node.agreements.contains(file) {
                run(dir, &owned(&["agreement", "signature", path]))?;
            }
        }
    }
    Ok(())
}
