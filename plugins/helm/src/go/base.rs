//! `encoding/base64` and `encoding/base32`: the standard alphabets with padding, and Go's idea of an error's place.

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// How many bytes and letters make a group, how many bits a letter has.
struct Base {
    alphabet: &'static [u8],
    bits: usize,
    letters: usize,
}

const B64: Base = Base {
    alphabet: BASE64,
    bits: 6,
    letters: 4,
};
const B32: Base = Base {
    alphabet: BASE32,
    bits: 5,
    letters: 8,
};

pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    B64.encode(bytes)
}

pub(crate) fn encode_base32(bytes: &[u8]) -> String {
    B32.encode(bytes)
}

impl Base {
    fn bytes(&self) -> usize {
        self.bits * self.letters / 8
    }

    fn encode(&self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len().div_ceil(self.bytes()) * self.letters);
        for group in bytes.chunks(self.bytes()) {
            let mut value: u64 = 0;
            for index in 0..self.bytes() {
                value = value << 8 | u64::from(group.get(index).copied().unwrap_or(0));
            }
            let used = (group.len() * 8).div_ceil(self.bits);
            for index in 0..self.letters {
                let shift = self.bits * (self.letters - 1 - index);
                // masked first: 40 bits do not fit the words of a guest
                let mask = self.alphabet.len() as u64 - 1;
                let digit = usize::try_from(value >> shift & mask).unwrap_or(0);
                let letter = self.alphabet.get(digit).copied().unwrap_or(b'=');
                text.push(if index < used { char::from(letter) } else { '=' });
            }
        }
        text
    }

    fn digit(&self, letter: u8) -> Option<u64> {
        let at = self.alphabet.iter().position(|known| *known == letter)?;
        u64::try_from(at).ok()
    }

    /// The bytes of a group of which only some letters are there.
    fn write_group(&self, value: u64, letters: usize, out: &mut Vec<u8>) {
        let whole = value >> (letters * self.bits % 8);
        for index in (0..letters * self.bits / 8).rev() {
            out.push(u8::try_from(whole >> (8 * index) & 0xFF).unwrap_or(0));
        }
    }
}

/// Line breaks are left out; they count in the place of an error.
pub(crate) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, String> {
    let corrupt = |at: usize| Err(format!("illegal base64 data at input byte {at}"));
    let mut letters = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    loop {
        let (mut value, mut count) = (0, 0);
        while count < 4 {
            let Some((at, byte)) = letters.next() else {
                return if count == 0 {
                    Ok(out)
                } else {
                    corrupt(text.len() - count)
                };
            };
            let Some(digit) = B64.digit(*byte) else {
                if *byte != b'=' || count < 2 {
                    return corrupt(at);
                }
                B64.write_group(value, count, &mut out);
                if count == 2 {
                    match letters.next() {
                        Some((_, b'=')) => {}
                        Some((next, _)) => return corrupt(next - 1),
                        None => return corrupt(text.len()),
                    }
                }
                return letters.next().map_or(Ok(out), |(next, _)| corrupt(next));
            };
            value = value << 6 | digit;
            count += 1;
        }
        B64.write_group(value, 4, &mut out);
    }
}

/// Line breaks are left out; they do not count in the place of an error.
pub(crate) fn decode_base32(text: &[u8]) -> Result<Vec<u8>, String> {
    let text: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let corrupt = |at: usize| Err(format!("illegal base32 data at input byte {at}"));
    let mut out = Vec::with_capacity(text.len() / 8 * 5 + 5);
    let mut at = 0;
    while at < text.len() {
        let (mut value, mut count) = (0, 0);
        while count < 8 {
            let Some(byte) = text.get(at) else {
                return corrupt(text.len() - count);
            };
            at += 1;
            let left = text.len() - at;
            if *byte == b'=' && count >= 2 && left < 8 {
                let wanted = 7 - count;
                if left < wanted {
                    return corrupt(text.len());
                }
                let rest = text.get(at..at + wanted).unwrap_or_default();
                if let Some(wrong) = rest.iter().position(|byte| *byte != b'=') {
                    return corrupt(at + wrong - 1);
                }
                if matches!(count, 3 | 6) {
                    return corrupt(at - 1);
                }
                B32.write_group(value, count, &mut out);
                return Ok(out);
            }
            let Some(digit) = B32.digit(*byte) else {
                return corrupt(at - 1);
            };
            value = value << 5 | digit;
            count += 1;
        }
        B32.write_group(value, 8, &mut out);
    }
    Ok(out)
}
