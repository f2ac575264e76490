//! Guesses at a table, for a map somebody reads before it is used. Pure.

use super::cell::{CellType, refanged};
use super::dates::{DateFault, Order, instant};
use super::encoding::{Encoding, Letters};
use super::own::is_formula;
use super::rows::Rows;
use super::{COLUMNS_MAX, SURVEY_BYTES_MAX};
use serde::Serialize;
use std::collections::BTreeSet;

/// LIMIT: rows a survey looks at.
const ROWS: usize = 10_000;
/// Examples shown of one column.
const SAMPLES: usize = 3;
/// Signs that part cells, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Types in the order of how much a match says.
const HARD: [CellType; 8] = [
    CellType::Hash,
    CellType::Ip,
    CellType::Url,
    CellType::Email,
    CellType::Mac,
    CellType::Iban,
    CellType::StixId,
    CellType::Domain,
];

/// What a table looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// The encoding, as a map writes it.
    pub encoding: String,
    /// The sign between cells.
    pub delimiter: char,
    /// Whether the first row names the columns.
    pub header: bool,
    /// Rows looked at, without the header.
    pub rows: usize,
    /// Rows with more or fewer cells than the first.
    pub ragged: usize,
    /// Whether the file goes on behind what was looked at.
    pub cut: bool,
    /// The columns.
    pub columns: Vec<Guess>,
}

/// What a column looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Guess {
    /// Its name in the header; empty where there is none.
    pub name: String,
    /// Its number, from 1.
    pub at: usize,
    /// Its likeliest type.
    #[serde(rename = "type")]
    pub kind: CellType,
    /// Cells that are not empty.
    pub filled: usize,
    /// Cells that are not empty and not of that type.
    pub odd: usize,
    /// Whether no two cells are the same and none is empty.
    pub unique: bool,
    /// How its dates are written; `?` where that cannot be told.
    pub dates: Option<String>,
    /// Whether some times of day have no zone.
    pub zone_open: bool,
    /// Whether values were made harmless, as `hxxp://bad[.]example`.
    pub defanged: bool,
    /// Cells a spreadsheet would take for a formula; they are texts here.
    pub formulas: usize,
    /// Some of its cells.
    pub samples: Vec<String>,
}

/// Looks at the beginning of a file; `cut` says that the file goes on behind it.
///
/// # Errors
/// There is no row, or the bytes cannot be read in any encoding; in words.
pub fn survey(bytes: &[u8], cut: bool) -> Result<Survey, String> {
    let looked = bytes.get(..SURVEY_BYTES_MAX).unwrap_or(bytes);
    let cut = cut || looked.len() < bytes.len();
    let encoding = Encoding::guess(looked);
    let read = |delimiter| rows(looked, encoding, delimiter, cut);
    let mut best: Option<(usize, u8, Vec<Vec<String>>)> = None;
    for delimiter in DELIMITERS {
        let table = read(delimiter)?;
        let score = score(&table);
        if best.as_ref().is_none_or(|(known, _, _)| score > *known) {
            best = Some((score, delimiter, table));
        }
    }
    let (_, delimiter, mut table) = best.ok_or("the file is empty")?;
    let Some(first) = table.first().cloned() else { return Err("the file is empty".to_owned()) };
    let header = is_header(&first);
    if header {
        table.remove(0);
    }
    let ragged = table.iter().filter(|row| row.len() != first.len()).count();
    let columns = first.iter().take(COLUMNS_MAX).enumerate().map(|(at, name)| {
        let cells = table.iter().map(|row| row.get(at).map_or("", String::as_str));
        let name = if header { name.trim() } else { "" };
        guess(name, at.saturating_add(1), &cells.map(str::trim).collect::<Vec<_>>())
    });
    Ok(Survey {
        encoding: encoding.word().to_owned(),
        delimiter: char::from(delimiter),
        header,
        rows: table.len(),
        ragged,
        cut,
        columns: columns.collect(),
    })
}

fn rows(
    bytes: &[u8],
    encoding: Encoding,
    delimiter: u8,
    cut: bool,
) -> Result<Vec<Vec<String>>, String> {
    let mut rows = Rows::new(Letters::new(bytes, encoding), delimiter);
    let mut out: Vec<Vec<String>> = Vec::new();
    loop {
        match rows.next() {
            Ok(true) if out.len() <= ROWS => {
                let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
                out.push(rows.record.iter().map(text).collect());
            }
            // WHY: the cut may stand inside the last row.
            Ok(_) => {
                if cut && out.len() > 1 && out.len() <= ROWS {
                    out.pop();
                }
                return Ok(out);
            }
            Err(_) if cut && out.len() > 1 => return Ok(out),
            Err(reason) => return Err(reason),
        }
    }
}

/// How well rows agree on a number of cells; one cell a row says nothing.
fn score(table: &[Vec<String>]) -> usize {
    let width = table.first().map_or(0, Vec::len);
    let same = table.iter().filter(|row| row.len() == width).count();
    match width {
        0 | 1 => width.min(same),
        _ => same.saturating_mul(100).checked_div(table.len()).unwrap_or(0).saturating_mul(width),
    }
}

fn is_header(first: &[String]) -> bool {
    let cells: Vec<&str> = first.iter().map(|cell| cell.trim()).collect();
    let distinct: BTreeSet<&&str> = cells.iter().collect();
    let hard = |cell: &str| {
        let plain = refanged(cell);
        HARD.iter().any(|kind| kind.read(&plain).is_some())
            || CellType::Number.read(cell).is_some()
            || orders(&[cell]).next().is_some()
    };
    distinct.len() == cells.len() && cells.iter().all(|cell| !cell.is_empty() && !hard(cell))
}

/// The orders in which all of these are dates; seconds apart.
fn orders<'a>(cells: &'a [&'a str]) -> impl Iterator<Item = Order> + 'a {
    let fits = |order: Order| {
        let good = |cell: &&str| !matches!(instant(cell, order, None), Err(DateFault::Form));
        !cells.is_empty() && cells.iter().all(good)
    };
    let all = [Order::YearMonthDay, Order::DayMonthYear, Order::MonthDayYear];
    all.into_iter().filter(move |order| fits(*order))
}

/// Whether a column's name has one of these words in it.
pub(super) fn hints(name: &str, words: &[&str]) -> bool {
    let name = name.to_lowercase();
    words.iter().any(|word| name.contains(word))
}

fn guess(name: &str, at: usize, cells: &[&str]) -> Guess {
    let filled: Vec<&str> = cells.iter().copied().filter(|cell| !cell.is_empty()).collect();
    let distinct: BTreeSet<&&str> = filled.iter().collect();
    let meant: Vec<String> = filled.iter().map(|cell| refanged(cell)).collect();
    let mut out = Guess {
        name: name.to_owned(),
        at,
        kind: CellType::Text,
        filled: filled.len(),
        odd: 0,
        unique: distinct.len() == cells.len() && !cells.is_empty(),
        dates: None,
        zone_open: false,
        defanged: false,
        formulas: filled.iter().filter(|cell| is_formula(cell)).count(),
        samples: Vec::new(),
    };
    let samples = distinct.iter().take(SAMPLES);
    out.samples = samples.map(|cell| cell.chars().take(60).collect()).collect();
    let dates: Vec<Order> = orders(&filled).collect();
    let seconds = filled.iter().all(|cell| {
        let number: Option<i64> = cell.parse().ok();
        number.is_some_and(|n| (500_000_000..4_000_000_000).contains(&n))
    });
    if let Some(first) = dates.first() {
        out.kind = CellType::Date;
        out.dates = Some(if dates.len() == 1 { first.word() } else { "?" }.to_owned());
        out.zone_open = filled.iter().any(|cell| instant(cell, *first, None).is_err());
    } else if !filled.is_empty() && seconds && hints(name, &["date", "time", "seen", "stamp"]) {
        out.kind = CellType::Date;
        out.dates = Some(Order::UnixSeconds.word().to_owned());
    } else if let Some((kind, odd)) = kind_of(name, &meant) {
        out.kind = kind;
        out.odd = odd;
        let plain = filled.iter().filter(|cell| kind.read(cell).is_none()).count();
        out.defanged = plain > odd || meant.iter().zip(&filled).any(|(m, f)| m != f);
        out.defanged &= kind.is_observable();
    }
    out
}

/// The type that at least nine of ten cells have, and how many have it not.
fn kind_of(name: &str, cells: &[String]) -> Option<(CellType, usize)> {
    let hinted = |words: &[&str], kind| hints(name, words).then_some(kind);
    let soft = [
        hinted(&["phone", "tel"], CellType::Phone),
        hinted(&["wallet", "bitcoin", "btc", "crypto"], CellType::Wallet),
        hinted(&["file"], CellType::FileName),
        hinted(&["country", "nationality", "state"], CellType::Country),
        hinted(&["count", "number", "confidence", "score"], CellType::Number),
        hinted(&["name"], CellType::Name),
    ];
    if cells.is_empty() {
        return None;
    }
    let named = cells.iter().all(|cell| looks_named(cell)).then_some(CellType::Name);
    let all = HARD.into_iter().chain(soft.into_iter().flatten()).chain(named);
    all.map(|kind| (kind, cells.iter().filter(|cell| kind.read(cell).is_none()).count()))
        .find(|(_, odd)| odd.saturating_mul(10) <= cells.len())
}

/// Two to five words, each with a capital.
fn looks_named(cell: &str) -> bool {
    let words: Vec<&str> = cell.split_whitespace().collect();
    let capital = |word: &&str| word.starts_with(char::is_uppercase);
    let letters = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '.');
    (2..=5).contains(&words.len()) && words.iter().all(capital) && cell.chars().all(letters)
}
