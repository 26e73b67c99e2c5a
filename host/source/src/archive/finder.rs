//! Looking for ignore files.

use super::{
    Error, MEMO_MAX, Memo,
    layout::{Base, Dir, Item},
    lock, refuse_patterns, shown,
};
use crate::{
    Sparse, TreeLimits,
    ignore::{self, IGNORE_FILE, IGNORE_FILE_SIZE_MAX, Pattern},
};

/// Collects the patterns of all ignore files of a tree.
pub(super) struct Finder<'a> {
    pub(super) memo: &'a Memo,
    pub(super) limits: TreeLimits,
    pub(super) sparse: &'a Sparse,
    pub(super) patterns: &'a mut Vec<Pattern>,
}

impl Finder<'_> {
    /// Adds the patterns of a directory and of all below it; returns whether there were any ignore files.
    pub(super) fn find(&mut self, dir: Dir<'_>, names: &mut Vec<String>) -> Result<bool, Error> {
        let plain = match dir.base {
            Base::Git(_, id) if !dir.has_grafts() => Some(id),
            _ => None,
        };
        if plain.is_some_and(|id| lock(&self.memo.plain).contains(&id)) {
            return Ok(false);
        }
        self.limits.refuse_deep(names.len())?;
        let items = dir.items(&shown(names))?;
        let own = items.iter().find(|(name, _)| name == IGNORE_FILE);
        let mut has_any = false;
        if let Some((_, Item::File(file))) = own {
            has_any = true;
            let path = format!("{}/{IGNORE_FILE}", shown(names));
            let is_taken =
                !matches!(dir.base, Base::Git(..)) || self.sparse.takes(path.trim_start_matches('/'));
            if is_taken {
                if file.size()? > IGNORE_FILE_SIZE_MAX {
                    let limit = IGNORE_FILE_SIZE_MAX;
                    return Err(Error::Ignore(format!(
                        "{path} exceeds the limit of {limit} bytes (ignore_file_size_max)"
                    )));
                }
                let text = String::from_utf8_lossy(&file.content()?).into_owned();
                let domain: Vec<&str> = names.iter().map(String::as_str).collect();
                self.patterns.extend(ignore::parse(&text, &domain));
                refuse_patterns(self.patterns.len())?;
            }
        }
        for (name, item) in items {
            if let Item::Directory(below) = item {
                names.push(name);
                has_any |= self.find(below, names)?;
                names.pop();
            }
        }
        if let Some(id) = plain.filter(|_| !has_any) {
            let mut plain = lock(&self.memo.plain);
            if plain.len() >= MEMO_MAX {
                plain.clear();
            }
            plain.insert(id);
        }
        Ok(has_any)
    }
}
