//! Finds the collection an officer means, from the address of a server, an API root or the
//! collection itself. Stays on the host the officer named.

use super::fetch::{Address, Client, Trouble};
use crate::failure::Failure;
use wire::taxii::{CollectionAnswer, Found};

/// LIMIT: API roots of one server that are looked into.
const ROOTS_MAX: usize = 50;

/// A collection found.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Where.
    pub address: Address,
    /// What the server says of it.
    pub about: CollectionAnswer,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Collections.
    pub offered: Vec<Offered>,
    /// What was passed over, and why.
    pub passed_over: Vec<String>,
}

/// Looks for collections at an address.
///
/// # Errors
/// The server does not answer, or answers something else.
pub fn survey(client: &Client, start: &Address) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    match look(client, start) {
        Ok(found) => take(client, start, found, &mut survey)?,
        // WHY: a bare host answers nothing at `/`; discovery stands at a known place.
        Err(_) if start.path() == "/" => {
            let Some(known) = start.beside("/taxii2/") else { return Ok(survey) };
            let found = look(client, &known).map_err(unreached)?;
            take(client, &known, found, &mut survey)?;
        }
        Err(trouble) => return Err(unreached(trouble)),
    }
    Ok(survey)
}

fn unreached(trouble: Trouble) -> Failure {
    let (text, help) = trouble.text.split_once("; help: ").unwrap_or((&trouble.text, ""));
    Failure::node("feed_unreached", text, help)
}

fn look(client: &Client, address: &Address) -> Result<Found, Trouble> {
    let said = client.get(address, &[])?;
    wire::taxii::found(&said.bytes).map_err(|e| {
        Trouble::new(format!("{address}: {e}; help: give the address of a TAXII 2.1 server"))
    })
}

fn take(client: &Client, at: &Address, found: Found, survey: &mut Survey) -> Result<(), Failure> {
    match found {
        Found::Discovery(roots) => {
            for named in roots.iter().take(ROOTS_MAX) {
                let shown: String = named.chars().filter(|c| !c.is_control()).take(200).collect();
                let Some(root) = at.beside(named) else {
                    survey.passed_over.push(format!(
                        "the API root {shown} is on another host; give its own address to read it"
                    ));
                    continue;
                };
                if let Err(trouble) = collections(client, &root, survey) {
                    survey.passed_over.push(trouble.text);
                }
            }
            let more = roots.len().saturating_sub(ROOTS_MAX);
            if more > 0 {
                survey.passed_over.push(format!("{more} further API roots were not looked into"));
            }
            Ok(())
        }
        Found::ApiRoot => collections(client, at, survey).map_err(unreached),
        Found::Collections(all) => {
            offer(at, all, survey);
            Ok(())
        }
        Found::Collection(about) => {
            survey.offered.push(Offered { address: at.clone(), about });
            Ok(())
        }
    }
}

fn collections(client: &Client, root: &Address, survey: &mut Survey) -> Result<(), Trouble> {
    let Some(address) = root.beside("collections") else {
        return Err(Trouble::new(format!("{root} is no address of an API root")));
    };
    let said = client.get(&address, &[])?;
    let all = wire::taxii::collections(&said.bytes)
        .map_err(|e| Trouble::new(format!("{address}: {e}; help: tell whoever runs the server")))?;
    offer(&address, all, survey);
    Ok(())
}

fn offer(at: &Address, all: Vec<CollectionAnswer>, survey: &mut Survey) {
    for about in all {
        let plain = !about.id.is_empty() && !about.id.contains(['/', ':', '%']);
        match at.beside(&about.id).filter(|_| plain) {
            Some(address) => survey.offered.push(Offered { address, about }),
            None => survey.passed_over.push("a collection with an unfit identifier".to_owned()),
        }
    }
}

/// The one collection meant: by id, alias or title, or the only one that can be read.
///
/// # Errors
/// None or several fit; they are named.
pub fn choose(survey: Survey, wanted: Option<&str>) -> Result<Offered, Failure> {
    let fits = |one: &Offered| match wanted {
        Some(wanted) => {
            let about = &one.about;
            about.id == wanted || about.alias.as_deref() == Some(wanted) || about.title == wanted
        }
        None => one.about.can_read,
    };
    let mut fit: Vec<Offered> = survey.offered.iter().filter(|one| fits(one)).cloned().collect();
    if fit.len() == 1 {
        let one = fit.remove(0);
        if one.about.can_read {
            return Ok(one);
        }
        let text =
            format!("the collection `{}` may not be read with this credential", one.about.id);
        let help = "ask whoever runs the server for the right to read it";
        return Err(Failure::input("collection_closed", text, help));
    }
    let name = |one: &Offered| format!("{} ({})", one.about.id, one.about.title);
    let listed = if fit.is_empty() { &survey.offered } else { &fit };
    let mut names: Vec<String> = listed.iter().take(20).map(name).collect();
    names.extend(survey.passed_over.iter().take(5).cloned());
    let names = if names.is_empty() { "none is offered".to_owned() } else { names.join("; ") };
    let text = match (wanted, fit.is_empty()) {
        (Some(wanted), true) => format!("no collection is named `{wanted}`: {names}"),
        (Some(wanted), false) => format!("several collections are named `{wanted}`: {names}"),
        (None, true) => format!("no collection can be read: {names}"),
        (None, false) => format!("{} collections can be read: {names}", fit.len()),
    };
    Err(Failure::input("collection_unclear", text, "name one: --collection ID"))
}
