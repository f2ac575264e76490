//! The canonical form of JSON: one byte sequence a value, for signing and hashing. Pure.
//!
//! SOURCE: RFC 8785 (JCS); ECMA-262 Number::toString for numbers.

use serde_json::{Map, Number, Value};

/// Why a value has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalProblem {
    /// WHY: RFC 8785 writes doubles; an integer that is not one would silently change.
    #[error("the integer `{0}` is not exactly a double")]
    Integer(String),
    /// Infinite or not a number.
    #[error("a number is not finite")]
    NotFinite,
}

impl CanonicalProblem {
    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        "write the number as a string"
    }
}

/// The RFC 8785 bytes of a value. Cost: one pass and a sort of each object's keys.
///
/// # Errors
/// A number that a double cannot carry exactly.
pub fn to_canonical(value: &Value) -> Result<Vec<u8>, CanonicalProblem> {
    let mut out = Vec::new();
    write_value(value, &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, out: &mut Vec<u8>) -> Result<(), CanonicalProblem> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(list) => {
            out.push(b'[');
            for (index, element) in list.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_value(element, out)?;
            }
            out.push(b']');
        }
        Value::Object(map) => write_object(map, out)?,
    }
    Ok(())
}

fn write_object(map: &Map<String, Value>, out: &mut Vec<u8>) -> Result<(), CanonicalProblem> {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(key, out);
        out.push(b':');
        write_value(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0x00..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

fn write_number(number: &Number, out: &mut Vec<u8>) -> Result<(), CanonicalProblem> {
    let double = number.as_f64().filter(|d| d.is_finite()).ok_or(CanonicalProblem::NotFinite)?;
    let text = double_text(double);
    // INVARIANT: an integer keeps its digits; those a double would change are refused.
    if !number.is_f64() && text != number.to_string() {
        return Err(CanonicalProblem::Integer(number.to_string()));
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// ECMA-262 Number::toString of a finite double.
fn double_text(double: f64) -> String {
    if double == 0.0 {
        return "0".to_owned();
    }
    let Some(number) = Number::from_f64(double) else { return "0".to_owned() };
    // WHY: serde_json's digits are the shortest that read back, the even ones of a tie, which is
    // what ECMA-262 asks for; `{:e}` of the standard library rounds a tie up.
    let text = number.to_string();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let written = format!("{whole}{fraction}");
    let lead = written.len().saturating_sub(written.trim_start_matches('0').len());
    let digits = written.trim_matches('0');
    let shift = i32::try_from(whole.len()).unwrap_or(0).saturating_sub(1);
    let shift = shift.saturating_sub(i32::try_from(lead).unwrap_or(0));
    let power = power.parse::<i32>().unwrap_or(0).saturating_add(shift);
    format!("{sign}{}", place_point(digits, power))
}

/// Writes digits d₁d₂… × 10^power with the point where ECMA-262 puts it.
fn place_point(digits: &str, power: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    match power {
        0..=20 if count <= power.saturating_add(1) => {
            format!("{digits}{}", zeros(power.saturating_add(1).saturating_sub(count)))
        }
        0..=20 => {
            let whole = usize::try_from(power.saturating_add(1)).unwrap_or(0);
            let (whole, fraction) = digits.split_at_checked(whole).unwrap_or((digits, ""));
            format!("{whole}.{fraction}")
        }
        -6..=-1 => format!("0.{}{digits}", zeros(power.saturating_neg().saturating_sub(1))),
        _ => {
            let point = if rest.is_empty() { "" } else { "." };
            let plus = if power > 0 { "+" } else { "" };
            format!("{first}{point}{rest}e{plus}{power}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn doubles_are_written_as_rfc_8785_appendix_b_lists_them() {
        let cases: [(u64, &str); 20] = [
            (0x0000000000000000, "0"),
            (0x8000000000000000, "0"),
            (0x0000000000000001, "5e-324"),
            (0x8000000000000001, "-5e-324"),
            (0x7fefffffffffffff, "1.7976931348623157e+308"),
            (0x4340000000000000, "9007199254740992"),
            (0xc340000000000000, "-9007199254740992"),
            (0x4430000000000000, "295147905179352830000"),
            (0x44b52d02c7e14af5, "9.999999999999997e+22"),
            (0x44b52d02c7e14af6, "1e+23"),
            (0x44b52d02c7e14af7, "1.0000000000000001e+23"),
            (0x444b1ae4d6e2ef4e, "999999999999999700000"),
            (0x444b1ae4d6e2ef4f, "999999999999999900000"),
            (0x444b1ae4d6e2ef50, "1e+21"),
            (0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"),
            (0x3eb0c6f7a0b5ed8d, "0.000001"),
            (0x41b3de4355555553, "333333333.3333332"),
            (0x41b3de4355555555, "333333333.3333333"),
            (0xbecbf647612f3696, "-0.0000033333333333333333"),
            (0x43143ff3c1cb0959, "1424953923781206.2"),
        ];
        for (bits, want) in cases {
            assert_eq!(double_text(f64::from_bits(bits)), want);
        }
    }

    #[test]
    fn keys_sort_by_utf16_and_large_integers_are_refused() {
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "a": "\u{7}\"/é"});
        let want = "{\"a\":\"\\u0007\\\"/é\",\"\u{1f600}\":2,\"\u{fb33}\":1}";
        assert_eq!(to_canonical(&value).unwrap(), want.as_bytes());
        assert!(to_canonical(&json!(9_007_199_254_740_993_u64)).is_err());
    }
}
