//! One entry of the list as a small tree of names and texts. Pure.

use crate::limits;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value, json};

/// LIMIT: nesting of one entry; the real one is three.
const DEPTH_MAX: usize = 8;

/// Why one entry was not taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EntryFault {
    /// Bytes of the entry before the fault.
    pub(super) at: usize,
    /// The element at fault.
    pub(super) element: String,
    /// The entry's reference number, where it could be read.
    pub(super) reference: Option<String>,
    /// What is wrong.
    pub(super) reason: String,
}

impl EntryFault {
    pub(super) fn of(element: &str, reason: &str) -> Self {
        let (element, reason) = (element.to_owned(), reason.to_owned());
        Self { at: 0, element, reference: None, reason }
    }

    pub(super) fn about(mut self, reference: &str) -> Self {
        self.reference = Some(reference.chars().take(80).collect());
        self
    }
}

/// An element without attributes, as the list has them.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    content: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Its own text without the white space around it; nothing if there is none.
    pub(super) fn text(&self) -> Option<&str> {
        Some(self.content.trim()).filter(|text| !text.is_empty())
    }

    /// Whether it has no element inside.
    pub(super) fn is_plain(&self) -> bool {
        self.children.is_empty()
    }

    /// Whether there is any text in it or below.
    pub(super) fn has_text(&self) -> bool {
        self.text().is_some() || self.children.iter().any(Element::has_text)
    }

    pub(super) fn children_named(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub(super) fn child_text(&self, name: &str) -> Option<&str> {
        self.children_named(name).find_map(Element::text)
    }

    /// Every text in it and below, in order.
    pub(super) fn values(&self) -> impl Iterator<Item = String> {
        let mut out = Vec::new();
        self.collect(&mut out);
        out.into_iter()
    }

    fn collect(&self, out: &mut Vec<String>) {
        out.extend(self.text().map(str::to_owned));
        self.children.iter().for_each(|child| child.collect(out));
    }

    /// Its children by name in lower case, empty ones left out; nothing if all are empty.
    pub(super) fn object(&self) -> Option<Value> {
        if !self.has_text() {
            return None;
        }
        let mut map = Map::new();
        if let Some(text) = self.text() {
            map.insert("text".to_owned(), json!(text));
        }
        for child in self.children.iter().filter(|child| child.has_text()) {
            let name = match child.name.as_str() {
                "ALIAS_NAME" => "name".to_owned(),
                "TYPE_OF_DATE" | "TYPE_OF_DOCUMENT" => "type".to_owned(),
                other => other.to_lowercase(),
            };
            let value = child.value();
            match map.get_mut(&name) {
                None => {
                    map.insert(name, value);
                }
                Some(Value::Array(list)) => list.push(value),
                Some(first) => *first = json!([first.take(), value]),
            }
        }
        Some(Value::Object(map))
    }

    fn value(&self) -> Value {
        match self.text() {
            Some(text) if self.is_plain() => json!(text),
            Some(_) | None => self.object().unwrap_or(Value::Null),
        }
    }

    /// The element with its name, for what has no place of its own.
    pub(super) fn other(&self) -> Value {
        json!({ "element": self.name, "value": self.value() })
    }
}

/// Reads the bytes of one entry.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, EntryFault> {
    let text = std::str::from_utf8(bytes).map_err(|error| EntryFault {
        at: error.valid_up_to(),
        element: element_before(bytes, error.valid_up_to()),
        reason: "the bytes here are not UTF-8, although the file says so".to_owned(),
        ..EntryFault::default()
    })?;
    let mut reader = Reader::from_str(text);
    let mut builder = Builder { open: Vec::new(), root: None, count: 0 };
    while builder.root.is_none() {
        let event = reader.read_event();
        let at = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let taken = match event {
            Ok(Event::Eof) => Err("the entry ends in the middle of an element".to_owned()),
            Ok(event) => builder.take(event),
            Err(error) => Err(format!("the entry is not well-formed XML: {error}")),
        };
        taken.map_err(|reason| {
            let element = builder.open.last().map(|e| e.name.clone()).unwrap_or_default();
            EntryFault { at: at.min(text.len()), element, reference: None, reason }
        })?;
    }
    Ok(builder.root.unwrap_or_default())
}

/// The name of the last tag before a byte.
fn element_before(bytes: &[u8], at: usize) -> String {
    let before = bytes.get(..at).unwrap_or_default();
    let tag = before.iter().rposition(|b| *b == b'<').and_then(|start| before.get(start..));
    let name = tag.unwrap_or_default().iter().skip(1);
    let name: Vec<u8> =
        name.take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').copied().collect();
    String::from_utf8_lossy(&name).into_owned()
}

struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
}

impl Builder {
    fn take(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Start(tag) => self.start(tag.name().as_ref(), tag.attributes_raw()),
            Event::Empty(tag) => {
                self.start(tag.name().as_ref(), tag.attributes_raw())?;
                self.end()
            }
            Event::End(_) => self.end(),
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let found = match reference.resolve_char_ref() {
                    Ok(Some(found)) => Some(found),
                    Ok(None) => named(&reference.xml10_content()),
                    Err(_) => None,
                };
                let found = found.ok_or_else(|| {
                    let name: String = reference.xml10_content().chars().take(40).collect();
                    format!("the entity `{name}` is not known")
                })?;
                self.text(found.encode_utf8(&mut [0; 4]))
            }
            Event::Comment(_) | Event::Eof => Ok(()),
            Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {
                Err("a declaration inside an entry is never read".to_owned())
            }
        }
    }

    fn start(&mut self, name: &str, attributes: &str) -> Result<(), String> {
        self.count = self.count.saturating_add(1);
        if self.open.len() >= DEPTH_MAX || self.count > limits::MEMBERS_MAX {
            return Err("the entry is nested too deeply or has too many elements".to_owned());
        }
        if !attributes.trim().is_empty() {
            return Err("attributes are not known in this list".to_owned());
        }
        self.open.push(Element { name: name.to_owned(), ..Element::default() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let closed = self.open.pop().ok_or("a closing tag without an open one")?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(closed),
            None => self.root = Some(closed),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        let bad = |c: &char| *c < ' ' && !matches!(*c, '\t' | '\n' | '\r');
        if let Some(bad) = text.chars().find(bad) {
            return Err(format!("the character U+{:04X} is not allowed in XML", u32::from(bad)));
        }
        if let Some(open) = self.open.last_mut() {
            open.content.push_str(text);
        }
        Ok(())
    }
}

/// The five entities XML itself defines.
fn named(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
