//! Patterns of one observation: comparisons joined by AND, written and read back. Pure.
//!
//! SOURCE: STIX 2.1 section 9. Other patterns are not taken apart here.

/// LIMIT: comparisons of one pattern.
const COMPARISONS_MAX: usize = 100;

/// Writes `[path = 'literal' AND …]`.
pub(super) fn write<'a>(comparisons: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let one = |(path, value): (&str, &str)| {
        if path.ends_with("_port") && is_number(value) {
            return format!("{path} = {value}");
        }
        format!("{path} = '{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
    };
    let all: Vec<String> = comparisons.map(one).collect();
    format!("[{}]", all.join(" AND "))
}

/// Whether a text is a number as a pattern writes one.
pub(super) fn is_number(text: &str) -> bool {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

/// Reads `[path = literal AND …]` back; nothing for any other pattern.
pub(super) fn read(pattern: &str) -> Option<Vec<(String, String)>> {
    let inner = pattern.trim().strip_prefix('[')?;
    let mut rest = inner;
    let mut out = Vec::new();
    while out.len() < COMPARISONS_MAX {
        let (path, after) = path(rest.trim_start())?;
        let after = after.trim_start().strip_prefix('=')?.trim_start();
        let (value, after) = literal(after)?;
        out.push((path, value));
        let after = after.trim_start();
        if after.trim_end() == "]" {
            return Some(out);
        }
        rest = after.strip_prefix("AND")?;
        if !rest.starts_with(char::is_whitespace) {
            return None;
        }
    }
    None
}

/// An object path, which may have quoted steps with blanks.
fn path(text: &str) -> Option<(String, &str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '=' | ' ' | '\t' | '\n' if !quoted => {
                let (path, rest) = text.split_at_checked(at)?;
                return (!path.is_empty() && path.contains(':')).then(|| (path.to_owned(), rest));
            }
            '!' | '<' | '>' | '(' if !quoted => return None,
            _ => {}
        }
    }
    None
}

fn literal(text: &str) -> Option<(String, &str)> {
    let Some(inner) = text.strip_prefix('\'') else {
        let end = text.find(|c: char| !c.is_ascii_digit())?;
        let (digits, rest) = text.split_at_checked(end)?;
        return (!digits.is_empty()).then(|| (digits.to_owned(), rest));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in inner.char_indices() {
        match (escaped, c) {
            (true, _) => {
                value.push(c);
                escaped = false;
            }
            (false, '\\') => escaped = true,
            (false, '\'') => {
                let (_, rest) = inner.split_at_checked(at.saturating_add(1))?;
                return Some((value, rest));
            }
            (false, _) => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_value_reads_back(a in ".*", b in "[ -~]{0,40}") {
            let members = [("file:name", a.as_str()), ("file:hashes.'SHA-1'", &b)];
            let written = write(members.into_iter());
            let want = vec![("file:name".to_owned(), a), ("file:hashes.'SHA-1'".to_owned(), b)];
            prop_assert_eq!(read(&written), Some(want));
        }
    }

    #[test]
    fn other_patterns_are_left_alone() {
        for other in [
            "[a:b = 'c' OR a:b = 'd']",
            "[a:b != 'c']",
            "[a:b = 'c'] AND [a:b = 'd']",
            "[a:b LIKE 'c']",
            "",
            "[",
            "[a:b = ]",
            "[(a:b = 'c')]",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
        let ports = write([("network-traffic:dst_port", "443")].into_iter());
        assert_eq!(ports, "[network-traffic:dst_port = 443]");
        assert_eq!(read(&ports).unwrap(), [("network-traffic:dst_port".into(), "443".into())]);
    }
}
