//! The order of keys in what yaml.v2 prints: by character, letters after all else, runs of digits by value.

use std::cmp::Ordering;

/// Whether `a` comes before `b`. Not transitive for names that mix digits and letters (`a1 < a10 < a1b < a2`): Go's own
/// output varies from run to run there, ours does not.
pub(crate) fn comes_before(a: &str, b: &str) -> bool {
    precedes(a, b, false)
}

/// The same; in yaml.v3's order a letter comes before other characters where digits are before both.
fn precedes(a: &str, b: &str, is_v3: bool) -> bool {
    let common = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    match (a.as_bytes().get(common), b.as_bytes().get(common)) {
        (Some(x), Some(y)) if x.is_ascii_alphabetic() && y.is_ascii_alphabetic() => return x < y,
        (None, _) | (_, None) => return a.len() < b.len(),
        _ => {}
    }
    let start = (0..=common)
        .rev()
        .find(|at| a.is_char_boundary(*at) && b.is_char_boundary(*at))
        .unwrap_or(0);
    let (before, rest_a) = a.split_at_checked(start).unwrap_or_default();
    let rest_b = b.get(start..).unwrap_or_default();
    let (Some(x), Some(y)) = (rest_a.chars().next(), rest_b.chars().next()) else {
        return a.len() < b.len();
    };
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x < y,
        (false, false) => {}
        (x_is_letter, _) if is_v3 && before.ends_with(|c: char| c.is_ascii_digit()) => return x_is_letter,
        (_, y_is_letter) => return y_is_letter,
    }
    // After a digit other than zero, a zero is a digit of that number, not a leading one.
    let inside = (x == '0' || y == '0')
        && before
            .bytes()
            .rev()
            .take_while(u8::is_ascii_digit)
            .any(|digit| digit != b'0');
    let (value_a, digits_a) = number(rest_a, inside);
    let (value_b, digits_b) = number(rest_b, inside);
    (value_a, digits_a, x) < (value_b, digits_b, y)
}

/// The value of the digits at the start, as Go's 64 bits wrap it, and their count.
fn number(text: &str, inside: bool) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((i64::from(inside), 0), |(value, count), digit| {
        (
            value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')),
            count + 1,
        )
    })
}

/// Sorts by [`comes_before`].
pub(crate) fn sort<T: Copy>(items: &mut Vec<T>, key: impl Fn(&T) -> &str + Copy) {
    sort_by(items, key, comes_before);
}

/// Sorts the keys of a mapping that is made to be printed with [`crate::emit_v3`], as yaml.v3 sorts those of Go's maps.
pub fn sort_keys_v3<T: Copy>(items: &mut Vec<T>, key: impl Fn(&T) -> &str + Copy) {
    sort_by(items, key, |a, b| precedes(a, b, true));
}

/// A merge sort, because the library's own may panic on an order that is not transitive.
fn sort_by<T: Copy>(
    items: &mut Vec<T>,
    key: impl Fn(&T) -> &str + Copy,
    comes_before: fn(&str, &str) -> bool,
) {
    if items.is_sorted_by(|a, b| !comes_before(key(b), key(a))) {
        return;
    }
    // The start is by bytes: whatever order the mapping had, the outcome is the same.
    items.sort_by(|a, b| key(a).cmp(key(b)));
    let mut width = 1;
    let mut merged = Vec::with_capacity(items.len());
    while width < items.len() {
        merged.clear();
        for pair in items.chunks(2 * width) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, key, comes_before, &mut merged);
        }
        std::mem::swap(items, &mut merged);
        width *= 2;
    }
}

fn merge<T: Copy>(
    mut left: &[T],
    mut right: &[T],
    key: impl Fn(&T) -> &str,
    comes_before: fn(&str, &str) -> bool,
    out: &mut Vec<T>,
) {
    while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
        let order = if comes_before(key(second), key(first)) {
            Ordering::Greater
        } else {
            Ordering::Less
        };
        if order == Ordering::Greater {
            out.push(*second);
            right = right_rest;
        } else {
            out.push(*first);
            left = left_rest;
        }
    }
    out.extend_from_slice(left);
    out.extend_from_slice(right);
}

#[cfg(test)]
mod tests {
    #[test]
    fn digits_count_by_value_and_letters_come_last() {
        let mut names = vec![
            "A", "_z", "k10", "k9", "app-10", "app-2", "app-1", "a01", "a1", "a001", "b", "é", "1",
        ];
        super::sort(&mut names, |name| name);
        assert_eq!(
            names,
            [
                "_z", "1", "A", "a1", "a01", "a001", "app-1", "app-2", "app-10", "b", "k9", "k10", "é"
            ]
        );
    }

    #[test]
    fn letters_come_first_after_digits_where_yaml_v3_sorts() {
        let mut names = vec!["a1-", "a1b", "a10", "b", "_"];
        super::sort_keys_v3(&mut names, |name| name);
        assert_eq!(names, ["_", "a1b", "a1-", "a10", "b"]);
    }

    #[test]
    fn an_intransitive_order_ends() {
        let mut names: Vec<String> = (0..500)
            .map(|n| {
                format!(
                    "a{}{}",
                    n % 13,
                    if n % 2 == 0 {
                        format!("b{n}")
                    } else {
                        n.to_string()
                    }
                )
            })
            .collect();
        names.reverse();
        let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
        super::sort(&mut sorted, |name| name);
        assert_eq!(sorted.len(), 500);
    }
}
