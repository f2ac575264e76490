//! Two states, one agreement, one record: the smallest world in which something can go.

use crate::worlds::{id, set};
use model::agreement::*;
use model::ids::Digest;
use model::record::Record;
use model::request::{Ask, Grounds};

pub fn article(number: &str, effect: Effect) -> Article {
    Article {
        id: number.to_owned(),
        effect,
        text: format!("Words of article {number}."),
        redact: set(&[]),
        fields: None,
        requires: set(&[]),
        caveats: set(&[]),
        obligations: set(&[]),
        overrides: set(&[]),
        from: None,
        to: None,
        retention: None,
        deadline: None,
        when: When {
            object_types: Some(set(&["report"])),
            purposes: Some(set(&["ct.prevention"])),
            offences: Some(set(&["bombing"])),
            subjects: Some(set(&["none"])),
            ..When::default()
        },
    }
}

pub fn agreement(number: usize, articles: Vec<Article>) -> Agreement {
    let party = |name: &str, agency: &str| Party {
        id: id(name),
        agencies: [id(agency)].into(),
        signed: true,
    };
    Agreement {
        id: id(&format!("urn:a:{number}")),
        version: 1,
        digest: Digest([0; 32]),
        kind: AgreementType::Bilateral,
        title: format!("Agreement {number}"),
        status: Status::InForce,
        text_hash: Digest([7; 32]).to_string(),
        valid: Validity {
            from: id("2025-01-01T00:00:00Z"),
            until: None,
            notice: None,
            survival: Some(id("P10Y")),
        },
        parties: vec![party("XA", "xa.police"), party("XB", "xb.police")],
        legal_basis: vec!["UNSCR 1373".to_owned()],
        operation: None,
        defaults: Defaults {
            onward: Onward::OriginatorConsent,
            retention: Some(id("P1Y")),
            caveats: set(&["PURPOSE_BOUND"]),
        },
        lex_specialis_over: [].into(),
        articles,
        recall: Some(RecallTerms {
            ack: id("PT24H"),
            complete: id("PT72H"),
            derived: Derived::Flag,
        }),
        supersedes: Vec::new(),
    }
}

pub fn record() -> Record {
    let mut record = Record::new(id("report--1"), "report", id("xa.police"));
    record.fields = [
        ("name".to_owned(), vec!["/name".to_owned()]),
        ("source".to_owned(), vec!["/source".to_owned(), "/source/identity".to_owned()]),
    ]
    .into();
    record
}

pub fn ask() -> Ask {
    Ask {
        holder: id("xa.police"),
        recipient: id("xb.police"),
        purpose: "ct.prevention".to_owned(),
        grounds: Grounds { offence: Some("bombing".to_owned()), ..Grounds::default() },
        now: crate::worlds::now(),
    }
}
