//! Normal forms of names of things: files, registry keys, accounts, wallets. Pure.

/// Beginnings of wallet addresses that are written in either case.
const CASELESS: [&str; 5] = ["bc1", "tb1", "ltc1", "0x", "addr1"];
/// LIMIT: shortest name of an account; shorter ones name everybody.
const ACCOUNT_CHARS_MIN: usize = 3;

/// The last part of a path, without case: the commonest file system ignores it.
pub(super) fn file_name(text: &str) -> Option<String> {
    let last = text.rsplit(['/', '\\']).next()?.trim();
    (!last.is_empty()).then(|| last.to_lowercase())
}

pub(super) fn registry_key(text: &str) -> Option<String> {
    const ROOTS: [(&str, &str); 5] = [
        ("hklm", "hkey_local_machine"),
        ("hkcu", "hkey_current_user"),
        ("hkcr", "hkey_classes_root"),
        ("hkcc", "hkey_current_config"),
        ("hku", "hkey_users"),
    ];
    let lower = text.to_lowercase();
    let mut parts: Vec<&str> = lower.split('\\').filter(|part| !part.is_empty()).collect();
    let root = parts.first_mut()?;
    if let Some((_, long)) = ROOTS.iter().find(|(short, _)| short == root) {
        *root = long;
    }
    Some(parts.join("\\").trim().to_owned()).filter(|key| !key.is_empty())
}

pub(super) fn account(text: &str) -> Option<String> {
    let name = text.trim_start_matches('@').trim().to_lowercase();
    (name.chars().count() >= ACCOUNT_CHARS_MIN && !name.starts_with('@')).then_some(name)
}

pub(super) fn wallet(text: &str) -> Option<String> {
    let bare = text.split_once(':').map_or(text, |(_, rest)| rest);
    let bare = bare.split('?').next().unwrap_or(bare);
    let fits = (14..=120).contains(&bare.len()) && bare.bytes().all(|b| b.is_ascii_alphanumeric());
    let lower = bare.to_ascii_lowercase();
    let caseless = CASELESS.iter().any(|start| lower.starts_with(start));
    fits.then(|| if caseless { lower } else { bare.to_owned() })
}
