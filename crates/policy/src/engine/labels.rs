//! Classification labels to levels, compared after folding letter case and look-alikes. Pure.
//!
//! SOURCE: Council Decision 2013/488/EU App. B, whose Bulgarian entries mix Latin and Cyrillic;
//! Unicode Technical Standard 39 section 4 (skeletons).

use model::marking::Classification;
use model::vocabulary::Vocabulary;
use std::collections::BTreeMap;

/// A level above every clearance: the label did not resolve.
pub(super) const LEVEL_UNKNOWN: u16 = u16::MAX - 1;

/// Scheme → folded label → level.
#[derive(Debug, Default)]
pub(super) struct Labels(BTreeMap<String, BTreeMap<String, u16>>);

/// The form in which labels are compared.
fn fold(label: &str) -> String {
    unicode_security::confusable_detection::skeleton(&label.to_lowercase()).collect()
}

impl Labels {
    /// Folds every label once. Where two labels of a scheme fold alike the higher level counts.
    pub(super) fn new(vocabulary: &Vocabulary) -> Self {
        let mut schemes = BTreeMap::new();
        for (scheme, labels) in &vocabulary.classification {
            let folded: &mut BTreeMap<String, u16> = schemes.entry(scheme.clone()).or_default();
            for (label, level) in labels {
                let slot = folded.entry(fold(label)).or_default();
                *slot = (*slot).max(u16::from(*level));
            }
        }
        Self(schemes)
    }

    /// The level of a classification; none at all is 0, an unresolved one [`LEVEL_UNKNOWN`].
    pub(super) fn level(&self, class: Option<&Classification>) -> u16 {
        let Some(class) = class else { return 0 };
        self.0
            .get(&class.scheme)
            .and_then(|labels| labels.get(&fold(&class.label)))
            .copied()
            .unwrap_or(LEVEL_UNKNOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_scripts_and_letter_case_compare_equal() {
        let mut vocabulary = Vocabulary::default();
        let bg = BTreeMap::from([("C\u{442}po\u{433}o ce\u{43a}pe\u{442}\u{43d}o".to_owned(), 4)]);
        vocabulary.classification.insert("BG".to_owned(), bg);
        let labels = Labels::new(&vocabulary);
        let class = |scheme: &str, label: &str| {
            labels.level(Some(&Classification { scheme: scheme.into(), label: label.into() }))
        };
        assert_eq!(class("BG", "Строго секретно"), 4);
        assert_eq!(class("BG", "СТРОГО СЕКРЕТНО"), 4);
        assert_eq!(class("BG", "Secret"), LEVEL_UNKNOWN);
        assert_eq!(class("XX", "Строго секретно"), LEVEL_UNKNOWN);
        assert_eq!(labels.level(None), 0);
    }
}
