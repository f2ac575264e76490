//! One row as its records. Pure.
//!
//! A row with several values becomes one record a value, each with everything else the row says.

use super::cell::{CellType, algorithm, refanged};
use super::dates::{DateFault, Order, day, instant};
use super::map::{Becomes, Column, Map, Says};
use super::record::{Draft, Limits};
use super::rows::{is_read, within_limits};
use crate::stix::StixObject;
use model::grading::Grade;
use model::marking::Tlp;
use model::record::KIND_PERSON;
use model::time::Timestamp;
use serde_json::{Map as Members, Value, json};
use std::collections::BTreeMap;

/// Why one row was not taken.
pub(super) struct RowFault {
    /// The number of the cell, from 1; 0 for the whole row.
    pub(super) number: usize,
    pub(super) column: String,
    pub(super) reason: String,
    pub(super) cure: String,
}

impl RowFault {
    pub(super) fn new(number: usize, column: &str, reason: impl Into<String>, cure: &str) -> Self {
        Self { number, column: column.to_owned(), reason: reason.into(), cure: cure.to_owned() }
    }
}

/// One value of one cell, read by its column's type.
struct Read {
    number: usize,
    title: String,
    kind: CellType,
    text: String,
    at: Option<Timestamp>,
    /// Whether its cell may hold several.
    split: bool,
}

impl Read {
    fn wrong(&self, wanted: &str) -> RowFault {
        let shown: String = self.text.chars().take(60).collect();
        let reason = format!("`{shown}` is not {wanted}");
        RowFault::new(
            self.number,
            &self.title,
            reason,
            "correct the cell, or its column in the map",
        )
    }
}

/// What a row says, by what its columns say.
struct Row(BTreeMap<Says, Vec<Read>>);

/// The records of a row.
pub(super) fn convert(
    cells: &[(usize, &Column, &str)],
    map: &Map,
) -> Result<Vec<StixObject>, RowFault> {
    let mut row = Row(BTreeMap::new());
    for (number, column, cell) in cells.iter().filter(|(_, column, _)| is_read(column)) {
        within_limits(*number, &column.title(), cell)?;
        for part in parts(column, cell) {
            let read = read(*number, column, part)?;
            row.0.entry(column.says).or_default().push(read);
        }
    }
    if row.0.is_empty() {
        return Ok(Vec::new());
    }
    row.records(map)
}

fn parts<'c>(column: &Column, cell: &'c str) -> Vec<&'c str> {
    let parts: Vec<&str> = match &column.split {
        Some(sign) => cell.split(sign.as_str()).collect(),
        None => vec![cell],
    };
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn read(number: usize, column: &Column, part: &str) -> Result<Read, RowFault> {
    let title = column.title();
    let meant = if column.defanged { refanged(part) } else { part.to_owned() };
    let mut out = Read {
        number,
        title,
        kind: column.kind,
        text: meant,
        at: None,
        split: column.split.is_some(),
    };
    if let (CellType::Date, Some(order)) = (column.kind, column.order) {
        out.at = Some(instant(&out.text, order, column.zone.as_deref()).map_err(
            |fault| match fault {
                DateFault::Form => out.wrong(&format!("a date written {}", order.word())),
                DateFault::Zone => RowFault::new(
                    number,
                    &out.title,
                    format!("`{part}` has a time of day and no zone"),
                    "write `zone` at this column of the map, such as \"Z\" or \"+02:00\"",
                ),
            },
        )?);
        if column.says == Says::BirthDate && order != Order::UnixSeconds {
            let date = out.text.split(['T', ' ']).next().and_then(|text| day(text, order));
            out.text = date.unwrap_or_default();
        }
        return Ok(out);
    }
    match column.kind.read(&out.text) {
        Some(text) => out.text = text,
        None => return Err(out.wrong(column.kind.wanted())),
    }
    Ok(out)
}

impl Row {
    fn all(&self, says: Says) -> &[Read] {
        self.0.get(&says).map_or(&[], Vec::as_slice)
    }

    fn one(&self, says: Says) -> Option<&Read> {
        self.all(says).first()
    }

    fn texts(&self, says: Says) -> Vec<&str> {
        self.all(says).iter().map(|read| read.text.as_str()).collect()
    }

    fn text(&self, says: Says) -> Option<&str> {
        self.one(says).map(|read| read.text.as_str())
    }

    fn at(&self, says: Says) -> Option<Timestamp> {
        self.one(says).and_then(|read| read.at)
    }

    fn need(&self, says: Says, what: &str) -> Result<&Read, RowFault> {
        let cure = "fill the cell, or take the row out";
        self.one(says).ok_or_else(|| RowFault::new(0, "", format!("the row has no {what}"), cure))
    }

    /// What tells this row from the others of its table.
    fn key(&self) -> String {
        let keys = self.texts(Says::Key);
        if !keys.is_empty() {
            return format!("key\u{0}{}", keys.join("\u{0}"));
        }
        let said = self.0.values().flatten().map(|read| format!("{}={}", read.title, read.text));
        format!("row\u{0}{}", said.collect::<Vec<_>>().join("\u{0}"))
    }

    fn records(&self, map: &Map) -> Result<Vec<StixObject>, RowFault> {
        let limits = self.limits(map)?;
        let finish = |draft: Draft| {
            let cure = "correct the row, or the map";
            draft
                .finish(map, &limits)
                .map_err(|problem| RowFault::new(0, problem.pointer(), problem.to_string(), cure))
        };
        let drafts = match map.becomes {
            Becomes::Indicator | Becomes::ObservedData | Becomes::Account => {
                self.need(Says::Value, "value")?;
                let values = self.all(Says::Value).iter();
                values.map(|value| self.valued(value, map)).collect::<Result<Vec<_>, _>>()?
            }
            Becomes::Person => vec![self.identity(map, KIND_PERSON, "individual")?],
            Becomes::Organisation => vec![self.identity(map, "organisation", "organization")?],
            Becomes::Location => vec![self.location(map)?],
            Becomes::Sighting => vec![self.sighting(map)?],
            Becomes::Note => vec![self.note(map)?],
        };
        drafts.into_iter().map(finish).collect()
    }

    /// The limits of the map, or those of the row where it states its own.
    fn limits(&self, map: &Map) -> Result<Limits, RowFault> {
        let tlp = match self.one(Says::Tlp) {
            Some(read) => {
                let text = read.text.to_ascii_lowercase();
                let label = text.strip_prefix("tlp:").unwrap_or(&text).trim();
                Tlp::parse(label).ok_or_else(|| read.wrong("a TLP label"))?
            }
            None => map.tlp,
        };
        let grade = match self.one(Says::Grade) {
            Some(read) => {
                let grade: Result<Grade, _> = read.text.to_ascii_uppercase().parse();
                Some(grade.map_err(|_| read.wrong("a grade such as B2"))?)
            }
            None => map.grade,
        };
        // INVARIANT: retention only shortens.
        let retention = [self.at(Says::RetentionUntil), map.retention].into_iter().flatten().min();
        Ok(Limits { tlp, grade, retention })
    }

    /// A draft with what every kind of record may say.
    fn draft(&self, map: &Map, kind: &'static str, key: &str) -> Result<Draft, RowFault> {
        let (mut own, mut fields) = (Members::new(), Members::new());
        let labels = self.texts(Says::Label);
        if !labels.is_empty() {
            own.insert("labels".to_owned(), json!(labels));
        }
        if let Some(read) = self.one(Says::Confidence) {
            let number: Option<u8> = read.text.parse().ok().filter(|number| *number <= 100);
            let number = number.ok_or_else(|| read.wrong("a confidence from 0 to 100"))?;
            own.insert("confidence".to_owned(), json!(number));
        }
        let keys = self.texts(Says::Key);
        let mut source = json!({"source_name": map.source.name});
        if let (Some(source), false) = (source.as_object_mut(), keys.is_empty()) {
            source.insert("external_id".to_owned(), json!(keys.join(" / ")));
        }
        own.insert("external_references".to_owned(), json!([source]));
        if let Some(originator) = &map.source.originator {
            fields.insert("source.identity".to_owned(), json!({ "name": originator }));
        }
        for read in self.all(Says::Keep) {
            keep(&mut fields, &read.title, &read.text);
        }
        let subject = match self.one(Says::Subject) {
            Some(read)
                if read.text != map.subject && map.basis.is_none() && read.text != "unknown" =>
            {
                let cure = "write `basis` under [record] and `originator` under [source]";
                let reason = format!(
                    "the row says `{}`, but the map not who asserts it on what basis",
                    read.text.chars().take(60).collect::<String>()
                );
                return Err(RowFault::new(read.number, &read.title, reason, cure));
            }
            Some(read) => read.text.clone(),
            None => map.subject.clone(),
        };
        if let Some(basis) = &map.basis {
            let on = map.at.to_string();
            let by = map.source.originator.as_ref().unwrap_or(&map.source.name);
            let said = json!({"by": by, "on": on, "basis": basis, "subject": subject});
            fields.insert("assertion".to_owned(), said);
        }
        let id = map.id(kind, key);
        Ok(Draft { kind, id, record_type: None, subject, own, fields })
    }

    fn describe(&self, own: &mut Members<String, Value>, properties: &[(Says, &str)]) {
        for (says, property) in properties {
            if let Some(text) = self.text(*says) {
                own.insert((*property).to_owned(), json!(text));
            }
        }
    }

    fn valued(&self, value: &Read, map: &Map) -> Result<Draft, RowFault> {
        // WHY: where rows have keys, a corrected value is a later version of the same record.
        let own = self.all(Says::Key).is_empty() || value.split;
        let text = if own { value.text.as_str() } else { "" };
        let key = format!("{}\u{0}{}\u{0}{text}", self.key(), value.title);
        let described = [(Says::Name, "name"), (Says::Description, "description")];
        let first = self.at(Says::FirstSeen).unwrap_or(map.at);
        match map.becomes {
            Becomes::Indicator => {
                let mut draft = self.draft(map, "indicator", &key)?;
                self.describe(&mut draft.own, &described);
                draft.own.insert("pattern".to_owned(), json!(pattern(value)?));
                draft.own.insert("pattern_type".to_owned(), json!("stix"));
                draft.own.insert("valid_from".to_owned(), json!(first.to_string()));
                if let Some(until) = self.at(Says::ValidUntil) {
                    if until <= first {
                        let cure = "correct the two times";
                        let reason = "it ends before it begins";
                        return Err(RowFault::new(value.number, &value.title, reason, cure));
                    }
                    draft.own.insert("valid_until".to_owned(), json!(until.to_string()));
                }
                Ok(draft)
            }
            Becomes::ObservedData => {
                let mut draft = self.draft(map, "observed-data", &key)?;
                let (first, last) = self.span(map)?;
                draft.own.insert("first_observed".to_owned(), json!(first));
                draft.own.insert("last_observed".to_owned(), json!(last));
                draft.own.insert("number_observed".to_owned(), json!(self.count()?.unwrap_or(1)));
                draft.own.insert("objects".to_owned(), json!({ "0": observable(value)? }));
                if let Some(text) = self.text(Says::Description) {
                    draft.fields.insert("csv.description".to_owned(), json!(text));
                }
                Ok(draft)
            }
            Becomes::Account
            | Becomes::Person
            | Becomes::Organisation
            | Becomes::Location
            | Becomes::Sighting
            | Becomes::Note => {
                let mut draft = self.draft(map, "x-entente-account", &key)?;
                draft.record_type = Some("account");
                draft.fields.insert("account.identifier".to_owned(), json!(value.text));
                draft.fields.insert("account.type".to_owned(), json!(value.kind.word()));
                if let Some(holder) = self.text(Says::Name) {
                    draft.fields.insert("account.holder".to_owned(), json!(holder));
                }
                if let Some(text) = self.text(Says::Description) {
                    draft.own.insert("description".to_owned(), json!(text));
                }
                Ok(draft)
            }
        }
    }

    fn span(&self, map: &Map) -> Result<(String, String), RowFault> {
        let first = self.at(Says::FirstSeen).or(self.at(Says::LastSeen)).unwrap_or(map.at);
        let last = self.at(Says::LastSeen).unwrap_or(first);
        if last < first {
            let read = self.need(Says::LastSeen, "last sight")?;
            let reason = "the last sight is earlier than the first";
            return Err(RowFault::new(read.number, &read.title, reason, "correct the two times"));
        }
        Ok((first.to_string(), last.to_string()))
    }

    fn count(&self) -> Result<Option<u32>, RowFault> {
        let Some(read) = self.one(Says::Count) else { return Ok(None) };
        let number: Option<u32> = read.text.parse().ok().filter(|n| (1..=999_999_999).contains(n));
        number.map(Some).ok_or_else(|| read.wrong("a count from 1 to 999999999"))
    }

    fn identity(&self, map: &Map, word: &'static str, class: &str) -> Result<Draft, RowFault> {
        let name = self.need(Says::Name, "name")?.text.clone();
        let mut draft = self.draft(map, "identity", &self.key())?;
        draft.record_type = Some(word);
        draft.own.insert("name".to_owned(), json!(name));
        draft.own.insert("identity_class".to_owned(), json!(class));
        self.describe(&mut draft.own, &[(Says::Description, "description")]);
        for (says, part) in [
            (Says::Alias, "alias"),
            (Says::BirthDate, "dob"),
            (Says::Nationality, "nationality"),
            (Says::Address, "address"),
            (Says::Document, "document"),
            (Says::Contact, "contact"),
        ] {
            let texts = self.texts(says);
            if !texts.is_empty() {
                draft.fields.insert(format!("{word}.{part}"), json!(texts));
            }
        }
        Ok(draft)
    }

    fn location(&self, map: &Map) -> Result<Draft, RowFault> {
        let mut draft = self.draft(map, "location", &self.key())?;
        let described =
            [(Says::Name, "name"), (Says::Description, "description"), (Says::Country, "country")];
        self.describe(&mut draft.own, &described);
        for (says, property, most) in
            [(Says::Latitude, "latitude", 90.0), (Says::Longitude, "longitude", 180.0)]
        {
            if let Some(read) = self.one(says) {
                let degrees: Option<f64> = read.text.parse().ok();
                let degrees = degrees.filter(|n: &f64| n.is_finite() && n.abs() <= most);
                let degrees = degrees.ok_or_else(|| read.wrong("degrees on the globe"))?;
                draft.own.insert(property.to_owned(), json!(degrees));
            }
        }
        Ok(draft)
    }

    fn sighting(&self, map: &Map) -> Result<Draft, RowFault> {
        let of = self.need(Says::SightingOf, "identifier of what was seen")?.text.clone();
        let mut draft = self.draft(map, "sighting", &self.key())?;
        draft.own.insert("sighting_of_ref".to_owned(), json!(of));
        let (first, last) = self.span(map)?;
        draft.own.insert("first_seen".to_owned(), json!(first));
        draft.own.insert("last_seen".to_owned(), json!(last));
        if let Some(count) = self.count()? {
            draft.own.insert("count".to_owned(), json!(count));
        }
        self.describe(&mut draft.own, &[(Says::Description, "description")]);
        Ok(draft)
    }

    fn note(&self, map: &Map) -> Result<Draft, RowFault> {
        let content = self.need(Says::Content, "text")?.text.clone();
        self.need(Says::About, "identifier of what it is about")?;
        let mut draft = self.draft(map, "note", &self.key())?;
        draft.own.insert("content".to_owned(), json!(content));
        draft.own.insert("object_refs".to_owned(), json!(self.texts(Says::About)));
        self.describe(&mut draft.own, &[(Says::Name, "abstract")]);
        if let Some(text) = self.text(Says::Description) {
            draft.fields.insert("csv.description".to_owned(), json!(text));
        }
        Ok(draft)
    }
}

/// Keeps a cell STIX has no place for, under its column's name where a field can have it.
fn keep(fields: &mut Members<String, Value>, title: &str, text: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let name = title.replace(' ', "_").to_ascii_lowercase();
    let named = !name.is_empty() && name.len() <= 100 && name.chars().all(plain);
    let name = if named { format!("csv.{name}") } else { "csv.other".to_owned() };
    let said = if named { json!(text) } else { json!({ "column": title, "text": text }) };
    let list = fields.entry(name).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(said);
    }
}

fn pattern(value: &Read) -> Result<String, RowFault> {
    let path = value.kind.path(&value.text);
    let (path, sign) = path.ok_or_else(|| value.wrong("something a pattern can say"))?;
    let literal = value.text.replace('\\', "\\\\").replace('\'', "\\'");
    Ok(format!("[{path} {sign} '{literal}']"))
}

fn observable(value: &Read) -> Result<Value, RowFault> {
    let path = value.kind.path(&value.text);
    let (path, _) = path.ok_or_else(|| value.wrong("something that can be observed"))?;
    let (kind, property) = path.split_once(':').unwrap_or_default();
    Ok(match algorithm(&value.text).filter(|_| value.kind == CellType::Hash) {
        Some(name) => {
            let mut hashes = Members::new();
            hashes.insert(name.to_owned(), json!(value.text));
            json!({ "type": kind, "hashes": hashes })
        }
        None => {
            let mut object = Members::new();
            object.insert("type".to_owned(), json!(kind));
            object.insert(property.to_owned(), json!(value.text));
            Value::Object(object)
        }
    })
}
