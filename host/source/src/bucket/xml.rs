//! The XML that stores answer with, read element by element.

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};

/// How deep elements nest in what stores say: three levels are usual, and each costs at every end.
const DEPTH_MAX: usize = 32;

/// Tells of every element at its end: the names that lead to it from the root, its start with the attributes, and its text,
/// which may be taken.
///
/// # Errors
/// What is wrong with the text, and what `visit` says.
pub(super) fn walk(
    xml: &[u8],
    mut visit: impl FnMut(&[&str], &BytesStart<'_>, &mut String) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = Reader::from_reader(xml);
    let mut open: Vec<(String, BytesStart<'_>)> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => {
                if open.len() >= DEPTH_MAX {
                    return Err(format!(
                        "elements nest deeper than the limit of {DEPTH_MAX} (depth_max)"
                    ));
                }
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                open.push((name, start));
                text.clear();
            }
            Event::Text(piece) => text += &String::from_utf8_lossy(&piece),
            Event::CData(piece) => text += &String::from_utf8_lossy(&piece),
            Event::GeneralRef(name) => text += &entity(&name)?,
            Event::End(_) => {
                let names: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
                if let Some((_, start)) = open.last() {
                    visit(&names, start, &mut text)?;
                }
                open.pop();
                text.clear();
            }
            Event::Eof if open.is_empty() => return Ok(()),
            Event::Eof => return Err("it ends too early".to_owned()),
            _ => {}
        }
    }
}

/// `&amp;`, `&#38;`, `&#x26;`.
fn entity(name: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = name.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let name = String::from_utf8_lossy(name).into_owned();
    let known = resolve_predefined_entity(&name);
    known
        .map(str::to_owned)
        .ok_or_else(|| format!("unknown entity '&{name};'"))
}

/// The content of an element of an XML text without entities.
pub(super) fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    (!content.is_empty() && !content.contains('<')).then(|| content.to_owned())
}
