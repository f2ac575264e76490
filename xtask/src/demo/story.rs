//! Reads the exercise: nodes, standing orders and steps.

use crate::Failure;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The exercise.
pub struct Story {
    /// Where it lies.
    pub dir: PathBuf,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub intro: String,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One node.
pub struct Node {
    /// Short name.
    pub name: String,
    /// The agency that runs it.
    pub agency: String,
    /// The party it acts for.
    pub party: String,
    /// Files of records.
    pub records: Vec<String>,
    /// Files of agreements.
    pub agreements: Vec<String>,
    /// Standing orders.
    pub orders: Vec<Release>,
}

/// To whom, for what, on what grounds.
pub struct Release {
    /// The recipient.
    pub recipient: String,
    /// The purpose.
    pub purpose: String,
    /// The act.
    pub offence: Option<String>,
    /// Facts stated.
    pub facts: Vec<String>,
    /// Flags of the case.
    pub flags: Vec<String>,
    /// Why.
    pub note: String,
}

impl Release {
    /// The words of the command line.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec!["--to".to_owned(), self.recipient.clone()];
        words.extend(["--purpose".to_owned(), self.purpose.clone()]);
        if let Some(offence) = &self.offence {
            words.extend(["--offence".to_owned(), offence.clone()]);
        }
        for fact in &self.facts {
            words.extend(["--fact".to_owned(), fact.clone()]);
        }
        for flag in &self.flags {
            words.extend(["--flag".to_owned(), flag.clone()]);
        }
        words
    }
}

/// What a step does.
pub enum Deed {
    /// A holder offers a record.
    Share(Release),
    /// An originator permits.
    Consent {
        /// Who may receive.
        recipient: String,
        /// For what.
        purpose: String,
        /// Until when.
        until: String,
    },
    /// An originator takes back.
    Recall {
        /// Why.
        reason: String,
    },
}

/// One step.
pub struct Step {
    /// The node that acts.
    pub node: String,
    /// The record.
    pub record: String,
    /// What it does.
    pub deed: Deed,
    /// The outcome and reason it must have.
    pub expect: Option<(String, String)>,
    /// What it shows, in a sentence.
    pub note: String,
}

fn wrong(place: &Path, cause: impl ToString) -> Failure {
    Failure::Answer { place: place.display().to_string(), cause: cause.to_string() }
}

impl Story {
    /// Reads `story.toml` in a folder.
    ///
    /// # Errors
    /// The file is missing or not in its form.
    pub fn read(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("story.toml");
        let text = std::fs::read_to_string(&path).map_err(Failure::io(path.display()))?;
        let table: Table = text.parse().map_err(|e| wrong(&path, e))?;
        let nodes = rows(&table, "node").map(|t| node(t).map_err(|e| wrong(&path, e)));
        let steps = rows(&table, "step").map(|t| step(t).map_err(|e| wrong(&path, e)));
        Ok(Self {
            dir: dir.to_owned(),
            title: text_of(&table, "title").map_err(|e| wrong(&path, e))?,
            intro: text_of(&table, "intro").map_err(|e| wrong(&path, e))?,
            nodes: nodes.collect::<Result<_, _>>()?,
            steps: steps.collect::<Result<_, _>>()?,
        })
    }
}

fn rows<'a>(table: &'a Table, key: &str) -> impl Iterator<Item = &'a Table> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table)
}

fn text_of(table: &Table, key: &str) -> Result<String, String> {
    let text = table.get(key).and_then(Value::as_str).map(|t| t.trim().to_owned());
    text.ok_or_else(|| format!("`{key}` is missing"))
}

fn texts(table: &Table, key: &str) -> Vec<String> {
    let items = table.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn node(table: &Table) -> Result<Node, String> {
    Ok(Node {
        name: text_of(table, "name")?,
        agency: text_of(table, "agency")?,
        party: text_of(table, "party")?,
        records: texts(table, "records"),
        agreements: texts(table, "agreements"),
        orders: rows(table, "order").map(release).collect::<Result<_, _>>()?,
    })
}

fn release(table: &Table) -> Result<Release, String> {
    Ok(Release {
        recipient: text_of(table, "recipient")?,
        purpose: text_of(table, "purpose")?,
        offence: table.get("offence").and_then(Value::as_str).map(str::to_owned),
        facts: texts(table, "facts"),
        flags: texts(table, "flags"),
        note: text_of(table, "note")?,
    })
}

fn step(table: &Table) -> Result<Step, String> {
    let kind = text_of(table, "kind")?;
    let deed = match kind.as_str() {
        "share" | "onward" => Deed::Share(release(table)?),
        "consent" => Deed::Consent {
            recipient: text_of(table, "recipient")?,
            purpose: text_of(table, "purpose")?,
            until: text_of(table, "until")?,
        },
        "recall" => Deed::Recall { reason: text_of(table, "reason")? },
        other => return Err(format!("`{other}` is no kind of step")),
    };
    let expect = match table.get("expect").and_then(Value::as_table) {
        Some(expect) => Some((text_of(expect, "outcome")?, text_of(expect, "reason")?)),
        None => None,
    };
    Ok(Step {
        node: text_of(table, "node")?,
        record: text_of(table, "record")?,
        deed,
        expect,
        note: text_of(table, "note")?,
    })
}
