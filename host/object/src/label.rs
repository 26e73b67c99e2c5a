//! Which keys and values a label may have, and Kubernetes' words for what it may not.

/// Why a text is no subdomain.
pub const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const NAME: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// The longest value, and the longest name in a key.
const LENGTH_MAX: usize = 63;
/// The longest prefix of a key.
const PREFIX_LENGTH_MAX: usize = 253;

/// What is wrong with a key; an empty list where nothing is.
pub fn key_problems(key: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = match key.split_once('/') {
        None => key,
        Some((_, name)) if name.contains('/') => {
            return vec![format!(
                "a valid label key {NAME} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                if prefix.len() > PREFIX_LENGTH_MAX {
                    problems.push(format!(
                        "prefix part must be no more than {PREFIX_LENGTH_MAX} bytes"
                    ));
                }
                if !is_subdomain(prefix) {
                    problems.push(format!("prefix part {SUBDOMAIN}"));
                }
            }
            name
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > LENGTH_MAX {
        problems.push(format!("name part must be no more than {LENGTH_MAX} bytes"));
    }
    if !is_name(name) {
        problems.push(format!("name part {NAME}"));
    }
    problems
}

/// What is wrong with a value; an empty list where nothing is.
pub fn value_problems(value: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if value.len() > LENGTH_MAX {
        problems.push(format!("must be no more than {LENGTH_MAX} bytes"));
    }
    if !value.is_empty() && !is_name(value) {
        problems.push(VALUE.to_owned());
    }
    problems
}

/// Whether a text is labels of DNS between dots, of whatever length.
pub fn is_subdomain(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.split('.').all(|label| {
        !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.bytes().all(is_inner)
    })
}

fn is_name(text: &str) -> bool {
    let is_edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    is_edge(text.bytes().next())
        && is_edge(text.bytes().next_back())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_those_of_kubernetes() {
        let long = "a".repeat(64);
        for (key, problems) in [
            ("app", 0),
            ("sharding.fluxcd.io/key", 0),
            ("A_b.c-1", 0),
            ("", 2),
            ("a/", 2),
            ("/a", 1),
            ("A/a", 1),
            ("a..b/a", 1),
            ("a/b/c", 1),
            ("bad key!", 1),
            ("-a", 1),
            (long.as_str(), 1),
        ] {
            assert_eq!(key_problems(key).len(), problems, "{key}");
        }
        for (value, problems) in [("", 0), ("a_b.c-1", 0), ("a~", 1), ("-1", 1), (long.as_str(), 1)] {
            assert_eq!(value_problems(value).len(), problems, "{value}");
        }
    }
}
