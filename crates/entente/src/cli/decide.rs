//! `decide` and `agreement lint`: work on files, without a node.

use super::text_file;
use crate::command::Answer;
use crate::commands::problems;
use crate::failure::Failure;
use model::agreement::Agreement;
use model::decision::Decision;
use model::vocabulary::Vocabulary;
use policy::lint::{Finding, Severity};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Answers a file of cases.
///
/// # Errors
/// A document is wrong, or the answers cannot be written.
pub fn decide(
    vocab: &Path,
    agreements: &Path,
    cases: &Path,
    out: &Path,
) -> Result<Answer, Failure> {
    let vocabulary = vocabulary(vocab)?;
    let agreements = folder(agreements)?;
    let parsed = wire::cases::parse(text_file(cases)?.as_bytes())
        .map_err(|problem| problems("file of cases", &[problem]))?;
    let decided = wire::cases::decide(&parsed.cases, &vocabulary, &agreements);
    let mut rejected: Vec<String> = parsed.problems.iter().map(ToString::to_string).collect();
    let mut decisions: Vec<(&str, &Decision)> = Vec::new();
    for (id, decision) in &decided {
        match decision {
            Ok(decision) => decisions.push((id, decision)),
            Err(problem) => rejected.push(format!("case {id}: {problem}")),
        }
    }
    let answers = wire::cases::answers(decisions.iter().copied());
    write(out, &format!("{answers:#}\n"))?;
    let mut lines = vec![format!("{} cases answered in {}", decisions.len(), out.display())];
    lines.extend(rejected.iter().map(|problem| format!("not answered: {problem}")));
    for case in &parsed.cases {
        lines.extend(case.warnings.iter().map(|w| format!("case {}: {w}", case.id)));
    }
    Ok(Answer::new(
        lines.join("\n"),
        json!({"answered": decisions.len(), "rejected": rejected, "out": out}),
    ))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|e| {
        let message = format!("`{}` cannot be written: {e}", path.display());
        Failure::node("file_unwritable", message, "check the path and the free space")
    })
}

fn vocabulary(path: &Path) -> Result<Vocabulary, Failure> {
    wire::vocabulary::parse(text_file(path)?.as_bytes())
        .map_err(|found| problems(&format!("vocabulary `{}`", path.display()), &found))
}

fn one(path: &Path) -> Result<Agreement, Failure> {
    wire::agreement::parse(text_file(path)?.as_bytes())
        .map_err(|found| problems(&format!("agreement `{}`", path.display()), &found))
}

/// Every agreement of a folder, in the order of their file names.
fn folder(dir: &Path) -> Result<Vec<Agreement>, Failure> {
    let wrong = |e: std::io::Error| {
        let message = format!("`{}` cannot be read: {e}", dir.display());
        Failure::input("file_unreadable", message, "name a folder of agreement documents (TOML)")
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|end| end == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| one(path)).collect()
}

/// Finds weaknesses in agreement documents.
///
/// # Errors
/// A document is wrong.
pub fn lint(files: &[PathBuf], vocab: &Path) -> Result<Answer, Failure> {
    let agreements: Vec<Agreement> = files.iter().map(|f| one(f)).collect::<Result<_, _>>()?;
    let findings = policy::lint::set(&agreements, &vocabulary(vocab)?, crate::edge::now()?);
    let lines: Vec<String> = findings.iter().map(sentence).collect();
    let text = if lines.is_empty() { "nothing found".to_owned() } else { lines.join("\n") };
    let items: Vec<serde_json::Value> = findings
        .iter()
        .map(|f| {
            json!({"severity": severity(f.severity), "agreement": f.agreement, "article":
                f.article, "key": f.key, "message": f.message, "cure": f.cure})
        })
        .collect();
    let mut answer = Answer::new(text, json!({"findings": items}));
    answer.refused = findings.iter().any(|f| f.severity == Severity::Error);
    Ok(answer)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn sentence(finding: &Finding) -> String {
    let article = finding.article.as_deref().map(|a| format!("#{a}")).unwrap_or_default();
    format!(
        "{}: {}{article} ({}): {}\n  help: {}",
        severity(finding.severity),
        finding.agreement,
        finding.key,
        finding.message,
        finding.cure
    )
}
