//! Normal forms of numbers: telephones, accounts, documents, ships, vulnerabilities. Pure.

/// Only letters and digits, in upper case.
fn compact(text: &str) -> Option<String> {
    let between = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '/');
    let out: String = text.chars().filter(|c| !between(*c)).collect();
    out.bytes().all(|b| b.is_ascii_alphanumeric()).then(|| out.to_ascii_uppercase())
}

/// So many digits, with nothing but separators between them.
pub(super) fn digits(text: &str, min: usize, max: usize) -> Option<String> {
    let out = compact(text)?;
    let fits = (min..=max).contains(&out.len()) && out.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(out)
}

pub(super) fn cve(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let (year, number) = upper.strip_prefix("CVE-")?.split_once('-')?;
    let number_of = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let fits = year.len() == 4 && (4..=19).contains(&number.len());
    (fits && number_of(year) && number_of(number)).then_some(upper)
}

/// The serial number of a certificate: hexadecimal, without leading zeros.
pub(super) fn serial(text: &str) -> Option<String> {
    let out: String = text.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect();
    let out = out.to_ascii_lowercase();
    let out = out.trim_start_matches("0x").trim_start_matches('0');
    let fits = (4..=40).contains(&out.len()) && out.bytes().all(|b| b.is_ascii_hexdigit());
    fits.then(|| out.to_owned())
}

/// An IBAN whose check digits hold (ISO 13616 section 6, ISO 7064 MOD 97-10).
pub(super) fn iban(text: &str) -> Option<String> {
    let out = compact(text)?;
    let head = out.as_bytes();
    let shaped = (15..=34).contains(&out.len())
        && head.iter().take(2).all(u8::is_ascii_uppercase)
        && head.iter().skip(2).take(2).all(u8::is_ascii_digit);
    let turned = head.iter().skip(4).chain(head.iter().take(4));
    let rest = turned.fold(0_u32, |rest, byte| {
        let digit = char::from(*byte).to_digit(36).unwrap_or(0);
        let shift = if digit > 9 { 100 } else { 10 };
        rest.saturating_mul(shift).saturating_add(digit).checked_rem(97).unwrap_or(0)
    });
    (shaped && rest == 1).then_some(out)
}

/// `+` and digits where the country is stated, else digits.
pub(super) fn phone(text: &str) -> Option<String> {
    let text = text.strip_prefix("tel:").unwrap_or(text).trim();
    let (abroad, rest) = match (text.strip_prefix('+'), text.strip_prefix("00")) {
        (Some(rest), _) => (true, rest.replace("(0)", "")),
        (None, Some(rest)) => (true, rest.replace("(0)", "")),
        (None, None) => (false, text.to_owned()),
    };
    let between = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '/' | '(' | ')');
    let out: String = rest.chars().filter(|c| !between(*c)).collect();
    let fits = (5..=15).contains(&out.len()) && out.bytes().all(|b| b.is_ascii_digit());
    // WHY: no country code begins with 0, so such a number would be read otherwise a second time.
    let whole = if abroad { !out.starts_with('0') } else { !out.starts_with("00") };
    (fits && whole).then(|| if abroad { format!("+{out}") } else { out })
}

/// IMEI or IMSI: 14 to 16 digits.
pub(super) fn device(text: &str) -> Option<String> {
    digits(text, 14, 16)
}

/// A document's number: letters and digits, at least one digit.
pub(super) fn document(text: &str) -> Option<String> {
    let out = compact(text)?;
    ((5..=20).contains(&out.len()) && out.bytes().any(|b| b.is_ascii_digit())).then_some(out)
}

/// Seven digits of which the last checks the others.
pub(super) fn imo(text: &str) -> Option<String> {
    let out = compact(text)?;
    let number = out.strip_prefix("IMO").unwrap_or(&out);
    let values: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    if number.len() != 7 || values.len() != 7 {
        return None;
    }
    let sum: u32 = values
        .iter()
        .take(6)
        .zip((2_u32..=7).rev())
        .map(|(value, weight)| value.saturating_mul(weight))
        .fold(0, u32::saturating_add);
    (sum.checked_rem(10) == values.last().copied()).then(|| number.to_owned())
}

pub(super) fn call_sign(text: &str) -> Option<String> {
    let out = compact(text)?;
    ((3..=8).contains(&out.len()) && out.bytes().any(|b| b.is_ascii_uppercase())).then_some(out)
}
