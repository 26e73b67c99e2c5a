//! Randomness: all of it comes from the render's seed.

use super::{Call, Functions, Int};
use crate::{
    Error, Str,
    go::{
        base::encode_base64,
        unicode::{is_digit, is_letter, runes},
    },
};

/// The most characters or bytes one call gives: Go would run out of memory.
const COUNT_MAX: i64 = 1 << 20;

pub(super) fn register(functions: &mut Functions) {
    functions.add_with_call("randAlphaNum", |call: &Call<'_>, count: Int| {
        text(call, count, ' ', 'z', |c| is_letter(c) || is_digit(c))
    });
    functions.add_with_call("randAlpha", |call: &Call<'_>, count: Int| {
        text(call, count, ' ', 'z', is_letter)
    });
    functions.add_with_call("randNumeric", |call: &Call<'_>, count: Int| {
        text(call, count, ' ', 'z', is_digit)
    });
    functions.add_with_call("randAscii", |call: &Call<'_>, count: Int| {
        text(call, count, ' ', '~', |_| true)
    });
    functions.add_with_call("randBytes", |call: &Call<'_>, Int(count): Int| {
        let count = usize::try_from(count)
            .ok()
            .filter(|count| i64::try_from(*count).is_ok_and(|n| n <= COUNT_MAX));
        let count = count.ok_or_else(|| Error::new("runtime error: makeslice: len out of range"))?;
        let mut bytes = vec![0; count];
        call.environment.random(&mut bytes);
        Ok::<_, Error>(encode_base64(&bytes))
    });
    functions.add_with_call("uuidv4", |call: &Call<'_>| uuid(call));
    functions.add_with_call("shuffle", |call: &Call<'_>, text: Str| {
        let mut random = Random::of(call);
        let mut chars: Vec<char> = runes(text.as_bytes()).collect();
        for last in (1..chars.len()).rev() {
            let other = random.below(last as u64 + 1);
            chars.swap(last, usize::try_from(other).unwrap_or(last));
        }
        chars.into_iter().collect::<String>()
    });
}

/// Characters between two, as long as they are of the kind that is wanted. A negative count gives nothing.
fn text(
    call: &Call<'_>,
    Int(count): Int,
    first: char,
    last: char,
    is_wanted: impl Fn(char) -> bool,
) -> Result<String, Error> {
    if count > COUNT_MAX {
        return Err(Error::new(format!("more than {COUNT_MAX} random characters")));
    }
    let wanted: Vec<char> = (first..=last).filter(|c| is_wanted(*c)).collect();
    let mut random = Random::of(call);
    let pick = |_| {
        let index = random.below(wanted.len() as u64);
        wanted
            .get(usize::try_from(index).unwrap_or(0))
            .copied()
            .unwrap_or(first)
    };
    Ok((0..count).map(pick).collect())
}

/// Random bits with the version and variant of RFC 4122.
fn uuid(call: &Call<'_>) -> String {
    let mut bytes = [0; 16];
    call.environment.random(&mut bytes);
    let mut bits = u128::from_be_bytes(bytes);
    bits = bits & !(0xF << 76) | 4 << 76;
    bits = bits & !(0b11 << 62) | 0b10 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

/// Random numbers from the render's stream.
pub(crate) struct Random<'a> {
    call: &'a Call<'a>,
    buffer: [u8; 32],
    used: usize,
}

impl<'a> Random<'a> {
    pub(crate) fn of(call: &'a Call<'a>) -> Self {
        let buffer = [0; 32];
        Random {
            call,
            used: buffer.len(),
            buffer,
        }
    }

    fn byte(&mut self) -> u8 {
        if self.used == self.buffer.len() {
            self.call.environment.random(&mut self.buffer);
            self.used = 0;
        }
        let byte = self.buffer.get(self.used).copied().unwrap_or(0);
        self.used += 1;
        byte
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.byte());
    }

    /// A number below another, each as likely as any.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        let limit = limit.max(1);
        // as few bytes as the limit needs; numbers beyond it are thrown away
        let bits = 64 - (limit - 1).leading_zeros();
        loop {
            let mut number = 0;
            for _ in 0..bits.div_ceil(8) {
                number = number << 8 | u64::from(self.byte());
            }
            number &= 1_u64.checked_shl(bits).map_or(u64::MAX, |mask| mask - 1);
            if number < limit {
                return number;
            }
        }
    }
}
