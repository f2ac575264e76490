//! `map`: looks at a table and writes the map that says how it becomes records.
//!
//! At a terminal it asks column by column; elsewhere it writes its guesses and says what is open.

use super::arguments::MapFile;
use crate::command::Answer;
use crate::edge;
use crate::failure::Failure;
use crate::words;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use wire::csv::{Choice, Guess, Map, SURVEY_BYTES_MAX, Survey, survey, write_map};

/// LIMIT: wrong answers to one question before the guess stands.
const TRIES: usize = 5;

/// Writes a map for a table.
///
/// # Errors
/// The table cannot be read, or the map cannot be written.
pub fn map(wanted: &MapFile, json: bool) -> Result<Answer, Failure> {
    let (bytes, cut) = beginning(&wanted.file)?;
    let found = survey(&bytes, cut).map_err(|reason| {
        let message = format!("`{}` is no table: {reason}", wanted.file.display());
        Failure::input("table_wrong", message, "give a CSV or TSV file, saved as text")
    })?;
    let out = wanted.out.clone().unwrap_or_else(|| beside(&wanted.file));
    let mut record = wanted.kind.clone().unwrap_or_else(|| found.record().to_owned());
    let asks = !json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let choices = if asks {
        let (mut lines, mut told) = (std::io::stdin().lock(), std::io::stderr());
        ask(&found, &mut record, (&mut lines, &mut told))?
    } else {
        Vec::new()
    };
    let day: String = edge::now()?.to_string().chars().take(10).collect();
    let name = wanted.file.file_stem().map(|name| name.to_string_lossy().into_owned());
    let text = write_map(&found, (&name.unwrap_or_default(), &day), &record, &choices);
    let open = Map::parse(&text).err();
    write(&out, &text, wanted.force)?;
    let problem =
        open.as_ref().map(|problem| json!({"reason": problem.reason, "cure": problem.cure}));
    let told = json!({"map": out.display().to_string(), "record": record, "survey": found,
        "open": problem, "text": text});
    let mut said = found.proposals(&record);
    for (said, choice) in said.iter_mut().zip(choices.iter().map(Option::as_ref)) {
        if let Some(choice) = choice {
            *said = choice.to_string();
        }
    }
    let files = (wanted.file.as_path(), out.as_path());
    Ok(Answer::new(summary(&found, (&record, &said), files, open.as_ref()), told))
}

/// As much of a file as a survey looks at, and whether it goes on.
fn beginning(path: &Path) -> Result<(Vec<u8>, bool), Failure> {
    let wrong = |e: std::io::Error| {
        let message = format!("`{}` cannot be read: {e}", path.display());
        Failure::input("file_unreadable", message, "check the path and its permissions")
    };
    let most = SURVEY_BYTES_MAX.saturating_add(1);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(wrong)?;
    file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes).map_err(wrong)?;
    let cut = bytes.len() > SURVEY_BYTES_MAX;
    bytes.truncate(SURVEY_BYTES_MAX);
    Ok((bytes, cut))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".map.toml");
    PathBuf::from(name)
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let options = options.write(true).truncate(force).create(force).create_new(!force);
    let wrong = |e: std::io::Error| {
        let message = format!("`{}` cannot be written: {e}", path.display());
        let help = "choose another name with --out, or write over the map there with --force";
        Failure::input("file_unwritable", message, help)
    };
    options.open(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(wrong)
}

/// Asks what rows become and what each column is; an empty answer takes the guess.
fn ask(
    found: &Survey,
    record: &mut String,
    (lines, told): (&mut dyn BufRead, &mut dyn Write),
) -> Result<Vec<Option<Choice>>, Failure> {
    let question = format!(
        "a row becomes: indicator, observed-data, account, person, organisation, location, sighting \
         or note [{record}]: "
    );
    let answer = line(&question, (lines, told))?;
    if !answer.is_empty() {
        *record = answer;
    }
    let mut choices = Vec::with_capacity(found.columns.len());
    for (guess, proposal) in found.columns.iter().zip(found.proposals(record)) {
        choices.push(column(guess, &proposal, (lines, told))?);
    }
    Ok(choices)
}

fn column(
    guess: &Guess,
    proposal: &str,
    (lines, told): (&mut dyn BufRead, &mut dyn Write),
) -> Result<Option<Choice>, Failure> {
    let question = format!(
        "column {} {}: {}\n  type and what it says [{}]: ",
        guess.at,
        plain(&guess.name),
        plain(&guess.samples.join(" | ")),
        proposal
    );
    for _ in 0..TRIES {
        let answer = line(&question, (lines, told))?;
        let answer = if answer.is_empty() { proposal.to_owned() } else { answer };
        match Choice::parse(&answer) {
            Ok(choice) => return Ok(Some(choice)),
            Err(reason) => say(&format!("  {reason}\n"), told)?,
        }
    }
    Ok(None)
}

/// A text of the table that steers no terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn gone(e: std::io::Error) -> Failure {
    Failure::input("terminal_gone", format!("the terminal does not answer: {e}"), "use --json")
}

fn say(text: &str, told: &mut dyn Write) -> Result<(), Failure> {
    told.write_all(text.as_bytes()).and_then(|()| told.flush()).map_err(gone)
}

fn line(
    question: &str,
    (lines, told): (&mut dyn BufRead, &mut dyn Write),
) -> Result<String, Failure> {
    say(question, told)?;
    let mut answer = String::new();
    lines.read_line(&mut answer).map_err(gone)?;
    Ok(answer.trim().to_owned())
}

fn summary(
    found: &Survey,
    (record, said): (&str, &[String]),
    (file, out): (&Path, &Path),
    open: Option<&wire::csv::MapProblem>,
) -> String {
    let rows = u64::try_from(found.rows).unwrap_or(u64::MAX);
    let part = if found.cut { ", the beginning of the file" } else { "" };
    let mut lines = vec![format!(
        "{} looked at{part}: {}, delimiter {:?}, {} header, a row becomes {record}",
        words::count(rows, "row"),
        found.encoding,
        found.delimiter,
        if found.header { "a" } else { "no" },
    )];
    for (guess, said) in found.columns.iter().zip(said) {
        let name = if guess.name.is_empty() { "(no name)" } else { &guess.name };
        lines.push(format!("{:>4}  {said}  {}", guess.at, plain(name)));
    }
    lines.push(format!("the map is {}: read it and correct it", out.display()));
    lines.push(match open {
        Some(problem) => format!("still open: {problem}; help: {}", problem.cure),
        None => format!(
            "then try it: entente import csv {} --map {} --dry-run",
            file.display(),
            out.display()
        ),
    });
    lines.join("\n")
}

/// The map of an import, or nothing where the table is one of this program's own.
///
/// # Errors
/// The map cannot be read, or leaves something open.
pub fn read(path: Option<&Path>) -> Result<Option<Map>, Failure> {
    let Some(path) = path else { return Ok(None) };
    let parsed = Map::parse(&super::text_file(path)?);
    parsed.map(Some).map_err(|problem| {
        let message = format!("`{}`: {problem}", path.display());
        Failure::input("map_wrong", message, &problem.cure)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_take_the_guess_or_an_answer_and_ask_again_after_nonsense() {
        let found = survey(b"ip,seen\n203.0.113.7,03/04/2025\n", false).unwrap();
        let mut record = found.record().to_owned();
        let mut told = Vec::new();
        let mut answers: &[u8] = b"\n\nnonsense\ndate skip\n";
        let choices = ask(&found, &mut record, (&mut answers, &mut told)).unwrap();
        assert_eq!(record, "indicator");
        let want = ["ip value", "date skip"].map(|text| Some(Choice::parse(text).unwrap()));
        assert_eq!(choices, want);
        assert!(String::from_utf8(told).unwrap().contains("such as `ip value`"));
    }
}
