//! `pattern`: checks and matches STIX patterns in files, without a node.

use super::arguments::PatternVerb;
use super::text_file;
use crate::command::Answer;
use crate::failure::Failure;
use crate::words;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use wire::stix::Item;
use wire::stix::pattern::{Matcher, Observation, Pattern, PatternProblem, observations};

/// LIMIT: patterns of one call.
const PATTERNS_MAX: usize = 100_000;

/// Does what is asked.
///
/// # Errors
/// A file cannot be read, or observed data cannot be matched against.
pub fn answer(verb: &PatternVerb) -> Result<Answer, Failure> {
    match verb {
        PatternVerb::Check { files } => check(files),
        PatternVerb::Match { patterns, observed } => find(patterns, observed),
    }
}

/// A pattern with the place it was read from.
struct Read {
    place: String,
    text: String,
}

/// Patterns of a file: of its indicators if it is JSON, else one a line.
fn read(path: &Path) -> Result<Vec<Read>, Failure> {
    let text = text_file(path)?;
    let name = path.display();
    let mut found = Vec::new();
    if text.trim_start().starts_with('{') {
        for value in objects(path, &text)? {
            let word = |key| value.get(key).and_then(Value::as_str);
            let stix = word("pattern_type").is_none_or(|kind| kind == "stix");
            if let (Some("indicator"), true, Some(pattern)) = (word("type"), stix, word("pattern"))
            {
                let place = format!("{name}: {}", word("id").unwrap_or("indicator"));
                found.push(Read { place, text: pattern.to_owned() });
            }
        }
    } else {
        let lines = text.lines().map(str::trim).enumerate();
        for (index, line) in lines.filter(|(_, l)| !l.is_empty() && !l.starts_with('#')) {
            let place = format!("{name}: line {}", index.saturating_add(1));
            found.push(Read { place, text: line.to_owned() });
        }
    }
    if found.len() > PATTERNS_MAX {
        let message = format!("`{name}` has more than {PATTERNS_MAX} patterns");
        return Err(Failure::input("too_many_patterns", message, "split the file"));
    }
    Ok(found)
}

/// The objects of a STIX file; nothing is passed over.
fn objects(path: &Path, text: &str) -> Result<Vec<Value>, Failure> {
    let wrong = |message: String, help: &str| {
        Failure::input("objects_wrong", format!("`{}`: {message}", path.display()), help)
    };
    let (mut values, mut rejected) = (Vec::new(), None);
    let ended = wire::stix::read(text.as_bytes(), &mut |item| match item {
        Item::Object(object) => {
            values.push(object.value().clone());
            ControlFlow::Continue(())
        }
        Item::Rejected(bad) => {
            rejected = Some(bad);
            ControlFlow::Break(())
        }
    });
    if let Some(bad) = rejected {
        return Err(wrong(bad.to_string(), &bad.cure));
    }
    ended.map_err(|fatal| wrong(fatal.to_string(), fatal.cure))?;
    Ok(values)
}

fn fault(read: &Read, problem: &PatternProblem) -> (String, Value) {
    let text = format!("{}: {problem}\n  help: {}", read.place, problem.help());
    let json = json!({"place": read.place, "pattern": read.text, "valid": false,
        "fault": problem.fault.to_string(), "line": problem.line, "column": problem.column,
        "offset": problem.offset, "help": problem.help()});
    (text, json)
}

fn check(files: &[PathBuf]) -> Result<Answer, Failure> {
    let (mut lines, mut items, mut bad) = (Vec::new(), Vec::new(), 0_usize);
    for file in files {
        for read in read(file)? {
            match Pattern::parse(&read.text) {
                Ok(pattern) => {
                    let remarks: Vec<String> =
                        pattern.remarks().iter().map(ToString::to_string).collect();
                    lines.extend(remarks.iter().map(|r| format!("{}: remark: {r}", read.place)));
                    items.push(json!({"place": read.place, "pattern": read.text, "valid": true,
                        "kinds": pattern.kinds(), "comparisons": pattern.comparisons(),
                        "remarks": remarks}));
                }
                Err(problem) => {
                    bad = bad.saturating_add(1);
                    let (line, item) = fault(&read, &problem);
                    lines.push(line);
                    items.push(item);
                }
            }
        }
    }
    let all = u64::try_from(items.len()).unwrap_or(u64::MAX);
    lines.push(format!("{}, {bad} wrong", words::count(all, "pattern")));
    let json = json!({"patterns": items, "wrong": bad});
    if bad > 0 {
        let mut answer = Answer::new(lines.join("\n"), json);
        answer.refused = true;
        return Ok(answer);
    }
    Ok(Answer::new(lines.join("\n"), json))
}

fn find(patterns: &Path, observed: &[PathBuf]) -> Result<Answer, Failure> {
    let mut values = Vec::new();
    for file in observed {
        values.extend(objects(file, &text_file(file)?)?);
    }
    let seen = observations(&values)
        .map_err(|problem| Failure::input("observed_data_wrong", &problem, problem.help()))?;
    let (mut lines, mut items, mut matched) = (Vec::new(), Vec::new(), 0_usize);
    for read in read(patterns)? {
        let (line, item) = one(&read, &seen)?;
        if item.get("matched") == Some(&Value::Bool(true)) {
            matched = matched.saturating_add(1);
        }
        lines.push(line);
        items.push(item);
    }
    lines.push(format!(
        "{matched} of {} patterns match in {} observations",
        items.len(),
        seen.len()
    ));
    let json = json!({"patterns": items, "matched": matched, "observations": seen.len()});
    let mut answer = Answer::new(lines.join("\n"), json);
    answer.refused = matched == 0;
    Ok(answer)
}

/// One pattern: what it binds, or why it cannot be asked.
fn one(read: &Read, seen: &[Observation<'_>]) -> Result<(String, Value), Failure> {
    let prepared = Pattern::parse(&read.text).and_then(|pattern| Matcher::new(&pattern));
    let matcher = match prepared {
        Ok(matcher) => matcher,
        Err(problem) => return Ok(fault(read, &problem)),
    };
    let found = matcher.find(seen).map_err(|problem| {
        let message = format!("{}: {problem}", read.place);
        Failure::input("pattern_too_costly", message, problem.help())
    })?;
    let mut lines = vec![format!(
        "{}: {}",
        read.place,
        if found.is_some() { "matches" } else { "does not match" }
    )];
    let bindings = found.as_ref().map(|found| found.bindings.as_slice()).unwrap_or_default();
    let mut items = Vec::new();
    for binding in bindings {
        lines.push(format!("  {} ×{} {}", binding.observation, binding.times, binding.expression));
        items.push(json!({"part": binding.part, "expression": binding.expression, "observation":
            binding.observation, "times": binding.times, "objects": binding.objects}));
    }
    let item = json!({"place": read.place, "pattern": read.text, "valid": true, "matched":
        found.is_some(), "bindings": items});
    Ok((lines.join("\n"), item))
}
