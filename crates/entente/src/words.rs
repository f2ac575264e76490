//! Words for people: outcomes, counts, plural forms. Pure.

use model::decision::{Outcome, Reason};
use model::time::Timestamp;

/// An outcome as one word.
#[must_use]
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Release => "released",
        Outcome::Redact => "redacted",
        Outcome::HitOnly => "hit only",
        Outcome::Refuse => "refused",
    }
}

/// A reason in its code form, such as `MARK_NOFORN`.
#[must_use]
pub fn reason(reason: Reason) -> String {
    match serde_json::to_value(reason) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(_) | Err(_) => format!("{reason:?}"),
    }
}

/// A count with its noun: `1 record`, `3 records`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// An instant or a dash.
#[must_use]
pub fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "without end".to_owned(), |at| at.to_string())
}

/// A list separated by commas, or a dash.
pub fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// A table of rows under a heading, columns padded to their widest cell.
#[must_use]
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let mut out = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            let pad = width.saturating_sub(cell.chars().count());
            out.push_str(cell);
            out.push_str(&" ".repeat(pad.saturating_add(2)));
        }
        out.trim_end().to_owned()
    };
    let mut out = line(head.to_vec());
    for row in rows {
        out.push('\n');
        out.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_counts_agree() {
        let rows = vec![vec!["a".to_owned(), "long".to_owned()]];
        assert_eq!(table(&["head", "x"], &rows), "head  x\na     long");
        assert_eq!(count(1, "record"), "1 record");
        assert_eq!(count(0, "record"), "0 records");
    }
}
