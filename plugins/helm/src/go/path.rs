//! `path`, which is also `path/filepath` on Linux.

/// The shortest equivalent path, by text alone.
pub(crate) fn clean(path: &[u8]) -> Vec<u8> {
    let is_rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(last) if *last != b".." => {
                    parts.pop();
                }
                _ if is_rooted => {}
                _ => parts.push(part),
            },
            part => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (is_rooted, joined.is_empty()) {
        (true, _) => [b"/".as_slice(), &joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// The last part, without slashes at the end.
pub(crate) fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|byte| *byte != b'/');
    let Some(trimmed) = end.and_then(|end| path.get(..=end)) else {
        return b"/";
    };
    match trimmed.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => trimmed.get(slash + 1..).unwrap_or_default(),
        None => trimmed,
    }
}

/// All but the last part, cleaned.
pub(crate) fn dir(path: &[u8]) -> Vec<u8> {
    let end = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    clean(path.get(..end).unwrap_or_default())
}

/// From the last dot of the last part on.
pub(crate) fn ext(path: &[u8]) -> &[u8] {
    let last = path.iter().rposition(|byte| matches!(byte, b'/' | b'.'));
    match last.and_then(|at| path.get(at..)) {
        Some(rest) if rest.starts_with(b".") => rest,
        _ => b"",
    }
}

/// Whether it starts at the root.
pub(crate) fn is_abs(path: &[u8]) -> bool {
    path.starts_with(b"/")
}
