//! Markup that cannot forget to escape: only words fixed in the source go in as they are. Pure.

use std::fmt::Display;

/// A piece of markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Html(String);

/// An empty piece to add to.
#[must_use]
pub fn html() -> Html {
    Html::default()
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // WHY: other control characters and direction overrides can disguise what a text says.
            '\n' | '\t' => out.push(c),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

impl Html {
    /// Adds markup fixed in the source.
    #[must_use]
    pub fn mark(mut self, fixed: &'static str) -> Self {
        self.0.push_str(fixed);
        self
    }

    /// Adds a text, escaped; safe inside elements and quoted attributes.
    #[must_use]
    pub fn text(mut self, text: impl Display) -> Self {
        escape(&text.to_string(), &mut self.0);
        self
    }

    /// Adds another piece.
    #[must_use]
    pub fn add(mut self, piece: Self) -> Self {
        self.0.push_str(&piece.0);
        self
    }

    /// Adds one piece for each item.
    #[must_use]
    pub fn each<T>(self, items: impl IntoIterator<Item = T>, piece: impl Fn(T) -> Self) -> Self {
        items.into_iter().fold(self, |whole, item| whole.add(piece(item)))
    }

    /// Adds a link to `path` and an identifier, as one part of the path.
    #[must_use]
    pub fn link(self, path: &'static str, id: &str, words: &str) -> Self {
        let mut address = String::new();
        for byte in id.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
                address.push(char::from(byte));
            } else {
                address.push_str(&format!("%{byte:02X}"));
            }
        }
        self.mark("<a href=\"").mark(path).text(address).mark("\">").text(words).mark("</a>")
    }

    /// The markup as text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

/// A table: a caption, headed columns, and rows whose first cell names them.
#[must_use]
pub fn table(caption: &str, columns: &[&'static str], rows: Vec<Vec<Html>>) -> Html {
    if rows.is_empty() {
        let empty = html().mark("<p class=\"none\">").text(caption);
        return empty.mark(": none.</p>");
    }
    html()
        .mark("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"")
        .text(caption)
        .mark("\"><table><caption>")
        .text(caption)
        .mark("</caption><thead><tr>")
        .each(columns, |name| html().mark("<th scope=\"col\">").text(name).mark("</th>"))
        .mark("</tr></thead><tbody>")
        .each(rows, |row| {
            let cells = row.into_iter().enumerate().fold(html(), |whole, (at, cell)| {
                if at == 0 {
                    whole.mark("<th scope=\"row\">").add(cell).mark("</th>")
                } else {
                    whole.mark("<td>").add(cell).mark("</td>")
                }
            });
            html().mark("<tr>").add(cells).mark("</tr>")
        })
        .mark("</tbody></table></div>")
}

/// Terms and their descriptions.
#[must_use]
pub fn facts(rows: Vec<(&'static str, Html)>) -> Html {
    html()
        .mark("<dl>")
        .each(rows, |(term, value)| {
            html().mark("<dt>").text(term).mark("</dt><dd>").add(value).mark("</dd>")
        })
        .mark("</dl>")
}

/// A plain text.
#[must_use]
pub fn words(text: impl Display) -> Html {
    html().text(text)
}

/// A text in the typeface of code.
#[must_use]
pub fn code(text: impl Display) -> Html {
    html().mark("<code>").text(text).mark("</code>")
}

/// An instant in UTC, to the second; the whole of it for machines.
#[must_use]
pub fn instant(at: model::time::Timestamp) -> Html {
    let whole = at.to_string();
    let second: String = whole.chars().take(19).collect();
    html()
        .mark("<time datetime=\"")
        .text(&whole)
        .mark("\">")
        .text(second.replace('T', " "))
        .mark("</time>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let evil = "<script>alert('x')</script>\" onload=\"x\u{202e}\u{7}";
        let row = vec![words(evil), html().link("/records/", evil, evil)];
        let all = table(evil, &["A", "B"], vec![row]).add(code(evil)).into_string();
        assert!(
            !all.contains("<script") && !all.contains("\" onload") && !all.contains('\u{202e}')
        );
        assert!(all.contains("&lt;script&gt;") && all.contains("/records/%3Cscript%3E"));
    }

    #[test]
    fn instants_read_in_utc_to_the_second() {
        let at = "2026-11-23T12:00:00.5Z".parse().unwrap();
        let shown = instant(at).into_string();
        assert_eq!(shown, "<time datetime=\"2026-11-23T12:00:00.5Z\">2026-11-23 12:00:00</time>");
    }
}
