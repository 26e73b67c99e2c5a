//! Go's string: bytes that are UTF-8 by convention only.

use std::{borrow::Borrow, borrow::Cow, cell::LazyCell, cmp::Ordering, fmt, hash, rc::Rc};

/// How many bytes fit in place.
const INLINE: usize = 22;

/// Go's string. Cloning is cheap: up to 22 bytes are kept in place, more are shared, also with texts that they are a part of.
///
/// Go's strings may hold any bytes (`b64dec`, `trunc` in the middle of a character), so this is no `str`;
/// [`Str::to_str`] gives one for what needs characters.
#[derive(Clone)]
pub struct Str(Repr);

#[derive(Clone)]
enum Repr {
    Inline(u8, [u8; INLINE]),
    Shared(Rc<Vec<u8>>),
    /// What lies between two places of a shared text.
    Part(Rc<Vec<u8>>, u32, u32),
    /// What is fetched when somebody first looks.
    Later(Rc<LazyCell<Rc<Vec<u8>>, Fetch>>),
}

/// Fetches a text.
type Fetch = Box<dyn FnOnce() -> Rc<Vec<u8>>>;

impl Str {
    /// From text or bytes.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        Self::inline(bytes).unwrap_or_else(|| Self(Repr::Shared(Rc::new(bytes.to_vec()))))
    }

    /// A text that is fetched when somebody first looks at it, once for all its clones.
    pub fn later(fetch: impl FnOnce() -> Vec<u8> + 'static) -> Self {
        let fetch: Fetch = Box::new(|| Rc::new(fetch()));
        Self(Repr::Later(Rc::new(LazyCell::new(fetch))))
    }

    fn inline(bytes: &[u8]) -> Option<Self> {
        let mut buffer = [0; INLINE];
        match bytes.len() {
            0 => {}
            1 => copy_ends::<1>(&mut buffer, bytes)?,
            2..4 => copy_ends::<2>(&mut buffer, bytes)?,
            4..8 => copy_ends::<4>(&mut buffer, bytes)?,
            8..16 => copy_ends::<8>(&mut buffer, bytes)?,
            16..=INLINE => copy_ends::<16>(&mut buffer, bytes)?,
            _ => return None,
        }
        Some(Self(Repr::Inline(u8::try_from(bytes.len()).ok()?, buffer)))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(len, buffer) => buffer.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Shared(bytes) => bytes,
            Repr::Part(bytes, from, to) => bytes.get(*from as usize..*to as usize).unwrap_or_default(),
            Repr::Later(bytes) => bytes,
        }
    }

    /// What lies between two places; nothing where there are no such places. A long part shares the text.
    pub(crate) fn part(&self, from: usize, to: usize) -> Self {
        let bytes = self.as_bytes().get(from..to).unwrap_or_default();
        let (whole, start) = match &self.0 {
            Repr::Shared(whole) => (whole, 0),
            Repr::Part(whole, start, _) => (whole, *start as usize),
            Repr::Later(whole) => (&***whole, 0),
            Repr::Inline(..) => return bytes.into(),
        };
        match (u32::try_from(start + from), u32::try_from(start + to)) {
            (Ok(from), Ok(to)) if bytes.len() > INLINE => Self(Repr::Part(Rc::clone(whole), from, to)),
            _ => bytes.into(),
        }
    }

    /// As characters; bytes that are no UTF-8 become U+FFFD, as they do where Go walks over runes.
    pub fn to_str(&self) -> Cow<'_, str> {
        // to see that nothing has to be replaced is quicker than to look for what has to be
        self.as_str()
            .map_or_else(|| String::from_utf8_lossy(self.as_bytes()), Cow::Borrowed)
    }

    /// As characters, where all of it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()).ok()
    }

    /// The length in bytes.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Inline(len, _) => usize::from(*len),
            Repr::Shared(bytes) => bytes.len(),
            Repr::Part(..) | Repr::Later(_) => self.as_bytes().len(),
        }
    }

    /// The bytes as the caller's own; they are copied only where somebody else has the text too.
    pub fn into_bytes(self) -> Vec<u8> {
        match self.0 {
            Repr::Shared(bytes) => Rc::unwrap_or_clone(bytes),
            Repr::Inline(..) | Repr::Part(..) => self.as_bytes().to_vec(),
            Repr::Later(later) => {
                let bytes = Rc::clone(&**later);
                drop(later);
                Rc::unwrap_or_clone(bytes)
            }
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Copies a text of `N` to `2 * N` bytes: its two ends, which may overlap. A copy whose length is known before is a few
/// instructions; any other a guest leaves to its host, which costs more than a short text is worth.
fn copy_ends<const N: usize>(buffer: &mut [u8; INLINE], bytes: &[u8]) -> Option<()> {
    let place = buffer.get_mut(..bytes.len())?;
    *place.first_chunk_mut::<N>()? = *bytes.first_chunk::<N>()?;
    *place.last_chunk_mut::<N>()? = *bytes.last_chunk::<N>()?;
    Some(())
}

impl Default for Str {
    fn default() -> Self {
        Self(Repr::Inline(0, [0; INLINE]))
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

/// Without copying where the text is long.
impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self::inline(&bytes).unwrap_or_else(|| Self(Repr::Shared(Rc::new(bytes))))
    }
}

impl AsRef<[u8]> for Str {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// So that maps can be asked with bytes: equality, order and hash are those of the bytes.
impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Str {}

impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl hash::Hash for Str {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_str())
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::{INLINE, Repr, Str};
    use std::{cell::Cell, rc::Rc};

    #[test]
    fn a_text_of_any_length_is_what_it_was_made_of() {
        let bytes: Vec<u8> = (1..=44).collect();
        for length in 0..=2 * INLINE {
            let part = bytes.get(..length).unwrap_or_default();
            assert_eq!(Str::new(part).as_bytes(), part);
            assert_eq!(Str::from(part.to_vec()).into_bytes(), part);
        }
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        assert_eq!(
            Str::from("a é of some length that is no part of it").to_str(),
            "a é of some length that is no part of it"
        );
        assert_eq!(Str::new(b"a\xC3b\xFF").to_str(), "a\u{FFFD}b\u{FFFD}");
    }

    #[test]
    fn a_later_text_is_fetched_once_and_only_when_it_is_looked_at() {
        let fetched = Rc::new(Cell::new(0));
        let counter = Rc::clone(&fetched);
        let text = Str::later(move || {
            counter.set(counter.get() + 1);
            b"a text that is longer than what fits in place".to_vec()
        });
        let copy = text.clone();
        assert_eq!(fetched.get(), 0);
        assert_eq!(copy.part(2, 45), "text that is longer than what fits in place");
        assert!(matches!(copy.part(2, 45).0, Repr::Part(..)));
        assert_eq!((text.len(), text.part(2, 6)), (45, Str::from("text")));
        drop(copy);
        assert_eq!(
            text.into_bytes(),
            b"a text that is longer than what fits in place"
        );
        assert_eq!(fetched.get(), 1);
    }

    #[test]
    fn a_long_part_shares_the_text() {
        let text = Str::from("a text that is longer than what fits in place");
        let part = text.part(2, 45);
        assert_eq!(part, "text that is longer than what fits in place");
        assert!(matches!(part.0, Repr::Part(..)));
        assert_eq!(part.len(), 43);
        assert_eq!(part.part(5, 12), "that is");
        let inner = part.part(12, 43);
        assert_eq!(inner, " longer than what fits in place");
        assert!(matches!(inner.0, Repr::Part(..)));
        assert_eq!(part.part(12, 44), "");
        assert_eq!(part.into_bytes(), b"text that is longer than what fits in place");
    }
}
