//! medallion, the reference server of the OASIS committee, with its objects in memory.

use super::Outcome;
use super::load::{Process, Target, wait_for};
use super::ours::{envelope, free_port};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const COLLECTION: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
const INBOX: &str = "365fed99-08fa-4dcd-a1b3-fb247eb41d01";
/// `admin:Password0`, of a server that lives as long as this measurement.
const AUTHORIZATION: &str = "Basic YWRtaW46UGFzc3dvcmQw";

/// medallion, serving.
pub struct Serving {
    process: Process,
    root: String,
}

/// The Python that has it, where there is one.
pub fn python() -> Option<PathBuf> {
    let python = super::target().join("acceptance/venv/bin/python");
    let mut command = Command::new(&python);
    let there = command.args(["-c", "import medallion"]).output();
    there.is_ok_and(|done| done.status.success()).then_some(python)
}

impl Serving {
    /// Serves so many objects.
    pub fn of(python: &Path, place: &Path, objects: usize) -> Outcome<Self> {
        let (held, config) = (place.join("held.json"), place.join("config.json"));
        std::fs::write(&held, held_by_medallion(objects)?.to_string())?;
        let settings = json!({
            "users": {"admin": "Password0"},
            "taxii": {"max_page_size": 1_000},
            "backend": {"module": "medallion.backends.memory_backend",
                        "module_class": "MemoryBackend", "filename": held},
        });
        std::fs::write(&config, settings.to_string())?;
        let port = free_port()?;
        let mut command = Command::new(python);
        command.args(["-m", "medallion.scripts.run", "--port", &port.to_string()]);
        let process = Process::start(command.arg(&config))?;
        let root = format!("http://127.0.0.1:{port}/shelf/collections/");
        wait_for(&root)?;
        Ok(Self { process, root })
    }

    /// Where a client reads and writes.
    pub fn target(&self) -> Target {
        let at = |name: &str| format!("{}{name}/", self.root);
        let authorization = AUTHORIZATION.to_owned();
        Target {
            collection: at(COLLECTION),
            inbox: at(INBOX),
            authorization,
            pid: self.process.0.id(),
        }
    }
}

fn held_by_medallion(count: usize) -> Outcome<Value> {
    let mut objects = Vec::new();
    for (number, first) in (0..count).step_by(1_000).enumerate() {
        let body: Value =
            serde_json::from_slice(&envelope(0xff, number, (count - first).min(1_000)))?;
        objects.extend(body["objects"].as_array().cloned().unwrap_or_default());
    }
    let media = "application/stix+json;version=2.1";
    let manifest = objects.iter().enumerate().map(|(at, object)| {
        let (minute, second, part) = (at / 60_000 % 60, at / 1_000 % 60, at % 1_000);
        json!({"id": object["id"], "version": object["modified"], "media_type": media,
               "date_added": format!("2026-02-01T00:{minute:02}:{second:02}.{part:03}000Z")})
    });
    let manifest: Vec<Value> = manifest.collect();
    let shelf = |id: &str, manifest: Vec<Value>, objects: Vec<Value>| {
        json!({"id": id, "title": "t", "can_read": true, "can_write": true,
               "media_types": [media], "manifest": manifest, "objects": objects})
    };
    let collections = [shelf(COLLECTION, manifest, objects), shelf(INBOX, vec![], vec![])];
    Ok(json!({
        "/discovery": {"title": "s", "default": "/shelf/", "api_roots": ["/shelf/"]},
        "shelf": {
            "information": {"title": "r", "versions": ["application/taxii+json;version=2.1"],
                            "max_content_length": 104_857_600},
            "status": [],
            "collections": collections,
        },
    }))
}
