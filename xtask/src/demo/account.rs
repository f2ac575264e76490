//! The account: what happened, per record and partner, and how anyone can check it.

use super::cast::Cast;
use super::story::{Deed, Node, Release, Step, Story};
use crate::Failure;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// Collects what is said and what did not end as written.
pub struct Account {
    labels: BTreeMap<String, String>,
    agencies: BTreeMap<String, String>,
    unexpected: Vec<String>,
    refusals: u64,
    releases: u64,
}

fn say(text: &str) {
    println!("{text}");
}

fn heading(text: &str) {
    say(&format!("\n{text}\n{}", "─".repeat(text.chars().count())));
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    let items = value.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn wrapped(words: &str, indent: &str) -> String {
    let mut out = String::from(indent);
    let mut width = indent.len();
    for word in words.split_whitespace() {
        if width + word.chars().count() + 1 > 96 && width > indent.len() {
            let _ = write!(out, "\n{indent}");
            width = indent.len();
        }
        if width > indent.len() {
            out.push(' ');
        }
        out.push_str(word);
        width += word.chars().count() + 1;
    }
    out
}

fn outcome_words(outcome: &str) -> &str {
    match outcome {
        "release" => "RELEASED",
        "redact" => "REDACTED",
        "hit_only" => "HIT ONLY",
        _refused => "refused",
    }
}

/// `urn:entente:agr:meridian#3` as `meridian Art. 3`.
fn article(reference: &Value) -> String {
    let agreement = text(reference, "agreement");
    let short = agreement.strip_prefix("urn:entente:agr:").unwrap_or(agreement);
    format!("{short} Art. {}", text(reference, "article"))
}

impl Account {
    /// Reads the names of the records and prints the title.
    pub fn begin(story: &Story) -> Self {
        let mut labels = BTreeMap::new();
        for node in &story.nodes {
            for file in &node.records {
                read_labels(&story.dir.join(file), &mut labels);
            }
        }
        let agencies = story.nodes.iter().map(|n| (n.agency.clone(), n.party.clone())).collect();
        heading(&story.title);
        say(&wrapped(&story.intro, ""));
        Self { labels, agencies, unexpected: Vec::new(), refusals: 0, releases: 0 }
    }

    fn label(&self, record: &str) -> String {
        self.labels.get(record).cloned().unwrap_or_else(|| record.to_owned())
    }

    /// Who is on stage.
    pub fn cast(&self, cast: &Cast) {
        heading("Three sovereign nodes, each with its own keys, store and log");
        for (name, player) in cast.players() {
            say(&format!("  {name}  {}  http://{}", player.agency, player.listen));
            say(&format!("      member document pinned by the others as {}", player.fingerprint));
        }
    }

    /// What a node imported.
    pub fn imported(&self, node: &Node, said: &Value) {
        let number = said.get("stored").and_then(Value::as_u64).unwrap_or(0);
        say(&format!("  {} imported {number} records of its own", node.agency));
    }

    /// What an order released, record by record.
    pub fn ordered(&mut self, node: &Node, order: &Release, said: &Value) {
        let offence = order.offence.as_deref().unwrap_or("no stated act");
        heading(&format!("{} → {} for {}, {offence}", node.agency, order.recipient, order.purpose));
        say(&wrapped(&order.note, ""));
        let shared = said.get("shared").and_then(Value::as_array);
        for row in shared.into_iter().flatten() {
            self.row(row);
        }
    }

    fn row(&mut self, row: &Value) {
        let decision = row.get("decision").unwrap_or(&Value::Null);
        let outcome = text(row, "outcome");
        let label = self.label(text(row, "record"));
        if outcome == "refuse" {
            self.refusals += 1;
            let mut why = text(row, "reason").to_owned();
            let unmet = texts(decision, "unmet");
            if !unmet.is_empty() {
                let _ = write!(why, "; would be cured by {}", unmet.join(" and "));
            }
            let denied = decision.get("denied_by").and_then(Value::as_array);
            let denied: Vec<String> = denied.into_iter().flatten().map(article).collect();
            if !denied.is_empty() {
                let _ = write!(why, "; forbidden by {}", denied.join(", "));
            }
            say(&format!("  {:<9} {label:<44} {why}", outcome_words(outcome)));
            return;
        }
        self.releases += 1;
        let basis = decision.get("basis").and_then(Value::as_array);
        let basis: Vec<String> = basis.into_iter().flatten().map(article).collect();
        say(&format!("  {:<9} {label:<44} {}", outcome_words(outcome), basis.join(" + ")));
        let withheld = texts(decision, "redacted_fields");
        if outcome == "redact" {
            say(&format!("  {:<9}   withheld: {}", "", withheld.join(", ")));
        }
        let caveats = texts(decision, "caveats").join(", ");
        let until = text(decision, "retention_until");
        say(&format!("  {:<9}   caveats: {caveats}; keep until {until}", ""));
    }

    /// What each node holds of others, as its officer sees it.
    pub fn received(&mut self, story: &Story, cast: &Cast) -> Result<(), Failure> {
        heading("What an officer sees of others' records");
        for node in &story.nodes {
            let listed = cast.ask(&node.name, &["list", "--limit", "500"])?;
            let records = listed.get("records").and_then(Value::as_array);
            let foreign: Vec<&Value> = records
                .into_iter()
                .flatten()
                .filter(|r| text(r, "originator") != node.agency)
                .collect();
            say(&format!("  {} holds {} records of others, such as", node.agency, foreign.len()));
            if let Some(first) = foreign.first() {
                self.shown(cast, &node.name, text(first, "id"))?;
            }
        }
        Ok(())
    }

    fn shown(&self, cast: &Cast, name: &str, id: &str) -> Result<(), Failure> {
        let seen = cast.ask(name, &["show", id])?;
        let custody = seen.get("custody").unwrap_or(&Value::Null);
        let source = custody.get("source").unwrap_or(&Value::Null);
        say(&format!("    {} ({})", self.label(id), text(custody, "originator")));
        say(&format!(
            "      given by {} for {} only, keep until {}",
            text(source, "giver"),
            text(source, "purpose"),
            text(custody, "retention_until")
        ));
        let articles = seen.get("articles").and_then(Value::as_array);
        for pair in articles.into_iter().flatten() {
            let part = |at: usize| pair.get(at).and_then(Value::as_str).unwrap_or_default();
            say(&format!("      under {}", part(0)));
            say(&wrapped(&format!("“{}”", part(1)), "        "));
        }
        Ok(())
    }

    /// The heading of the steps.
    pub fn steps_begin(&self) {
        heading("Requests, refusals, consents, onward attempts and a recall");
    }

    /// One step and whether it ended as written.
    pub fn step(&mut self, step: &Step, said: &Value, cast: &Cast) -> Result<(), Failure> {
        say("");
        say(&wrapped(&step.note, ""));
        let player = cast.player(&step.node)?;
        match &step.deed {
            Deed::Share(release) => {
                say(&format!(
                    "  {} → {} for {}{}",
                    player.agency,
                    release.recipient,
                    release.purpose,
                    facts(release)
                ));
                let row = said.get("shared").and_then(|s| s.get(0)).unwrap_or(&Value::Null);
                self.row(row);
                self.compare(step, row);
            }
            Deed::Consent { recipient, .. } => {
                say(&format!(
                    "  {} permits {recipient} to have {}",
                    player.agency,
                    self.label(&step.record)
                ));
            }
            Deed::Recall { reason } => self.recall(step, reason, cast)?,
        }
        Ok(())
    }

    fn compare(&mut self, step: &Step, row: &Value) {
        let Some((outcome, reason)) = &step.expect else { return };
        if text(row, "outcome") != outcome || text(row, "reason") != reason {
            let said = format!(
                "{}: expected {outcome} ({reason}), found {} ({})",
                self.label(&step.record),
                text(row, "outcome"),
                text(row, "reason")
            );
            say(&format!("  NOT AS WRITTEN: {said}"));
            self.unexpected.push(said);
        }
    }

    fn recall(&mut self, step: &Step, reason: &str, cast: &Cast) -> Result<(), Failure> {
        say(&format!("  {} is taken back: {reason}", self.label(&step.record)));
        for (name, player) in cast.players() {
            if *name == step.node {
                continue;
            }
            let listed = cast.ask(name, &["list", "--limit", "500"])?;
            let records = listed.get("records").and_then(Value::as_array);
            let held = records.into_iter().flatten().any(|r| text(r, "id") == step.record);
            let state = if held { "STILL HOLDS IT" } else { "has deleted it and confirmed" };
            say(&format!("  {} {state}", player.agency));
            if held {
                self.unexpected.push(format!("{name} still holds a recalled record"));
            }
        }
        Ok(())
    }

    /// Imports real files into the first node.
    pub fn real_files(&mut self, cast: &Cast, data: &Path) -> Result<(), Failure> {
        heading("Real files");
        let Some((name, _)) = cast.players().next() else { return Ok(()) };
        for (format, file) in real(data)? {
            let said = cast.ask(name, &["import", format, &file, "--tlp", "clear"])?;
            let number = |key: &str| said.get(key).and_then(Value::as_u64).unwrap_or(0);
            say(&format!(
                "  {file}: {} stored, {} unchanged, {} rejected",
                number("stored"),
                number("unchanged"),
                number("rejected")
            ));
        }
        Ok(())
    }

    /// The logs, verified against each other.
    pub fn proof(&mut self, cast: &Cast) -> Result<(), Failure> {
        heading("The logs, checked");
        for (name, player) in cast.players() {
            let audit = cast.ask(name, &["log", "verify"])?;
            let audit = audit.get("audit").cloned().unwrap_or(Value::Null);
            let size = audit.get("size").and_then(Value::as_u64).unwrap_or(0);
            let opened = audit.get("opened").and_then(Value::as_u64).unwrap_or(0);
            say(&format!(
                "  {}: {size} entries give the signed root {}; {opened} commitments opened",
                player.agency,
                text(&audit, "root")
            ));
        }
        for (name, player) in cast.players() {
            let seen = cast.ask(name, &["log", "seen"])?;
            for row in seen.get("seen").and_then(Value::as_array).into_iter().flatten() {
                self.against(cast, &player.agency, row)?;
            }
        }
        Ok(())
    }

    fn against(&mut self, cast: &Cast, witness: &str, row: &Value) -> Result<(), Failure> {
        let agency = text(row, "agency");
        let Some(name) = cast.name_of(agency).map(str::to_owned) else { return Ok(()) };
        let file = Path::new("target/demo").join(format!("{witness}-saw-{agency}.checkpoint"));
        std::fs::write(&file, text(row, "checkpoint")).map_err(Failure::io(file.display()))?;
        let said = cast.ask(&name, &["log", "against", &file.display().to_string()])?;
        let holds = said.get("holds").and_then(Value::as_bool).unwrap_or(false);
        let size = said.get("size").and_then(Value::as_u64).unwrap_or(0);
        let state = if holds { "is a prefix of it today" } else { "DOES NOT FIT IT" };
        say(&format!("  what {witness} saw of {agency}'s log (size {size}) {state}"));
        if !holds {
            self.unexpected.push(format!("the log of {agency} does not fit what {witness} saw"));
        }
        Ok(())
    }

    /// The closing figures.
    pub fn end(&self, took: Duration) {
        heading("In short");
        say(&format!(
            "  {} releases and {} refusals among {} parties, each decided by signed agreements and \
             logged, in {:.1} s",
            self.releases,
            self.refusals,
            self.agencies.len(),
            took.as_secs_f64()
        ));
    }

    /// Where to look further.
    pub fn pages(&self, cast: &Cast) -> Result<(), Failure> {
        say("\nThe officer's page of each node, until Ctrl-C:");
        for (name, _) in cast.players() {
            let said = cast.ask(name, &["page-address"])?;
            say(&format!("  {name}  {}", text(&said, "address")));
        }
        Ok(())
    }

    /// Whether everything ended as written.
    pub fn verdict(&self) -> Result<(), Failure> {
        match u64::try_from(self.unexpected.len()) {
            Ok(0) => Ok(()),
            Ok(number) => Err(Failure::Checks(number)),
            Err(_) => Err(Failure::Checks(u64::MAX)),
        }
    }
}

fn facts(release: &Release) -> String {
    if release.facts.is_empty() {
        return String::new();
    }
    format!(", stating {}", release.facts.join(" and "))
}

fn read_labels(path: &Path, labels: &mut BTreeMap<String, String>) {
    let Ok(bytes) = std::fs::read(path) else { return };
    let Ok(bundle) = serde_json::from_slice::<Value>(&bytes) else { return };
    for object in bundle.get("objects").and_then(Value::as_array).into_iter().flatten() {
        let kind = text(object, "type");
        let name = ["name", "abstract", "display_name", "account_login", "relationship_type"]
            .iter()
            .map(|key| text(object, key))
            .find(|name| !name.is_empty())
            .unwrap_or(kind);
        let name: String = name.chars().take(36).collect();
        labels.insert(text(object, "id").to_owned(), format!("{name} ({kind})"));
    }
}

/// Real files below a folder, by what their names say.
fn real(data: &Path) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut out = Vec::new();
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(Failure::io(folder.display()))?;
        for entry in entries {
            let path = entry.map_err(Failure::io(folder.display()))?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if let Some(format) = format_of(&path) {
                out.push((format, path.display().to_string()));
            }
        }
    }
    out.sort();
    Ok(out)
}

fn format_of(path: &Path) -> Option<&'static str> {
    let name = path.file_name()?.to_str()?;
    let inside = |folder: &str| path.components().any(|c| c.as_os_str() == folder);
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    if inside("stix") && ends(&[".json", ".json.zst"]) {
        return Some("stix");
    }
    if name.starts_with("un_") && ends(&[".xml", ".xml.zst"]) {
        return Some("un-list");
    }
    let event_table =
        name.starts_with("ged_") && !name.contains("totals") && !name.contains("monthly");
    (event_table && ends(&[".csv", ".csv.zst"])).then_some("ucdp")
}
