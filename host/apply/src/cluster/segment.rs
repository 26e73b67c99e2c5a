//! Texts as parts of a URL: what is no name is never sent as a part of a path.

use super::RequestError;
use std::fmt::Write as _;

/// A name or namespace as one segment of a path. What would become another path is refused, as client-go refuses it: names
/// come from users, and the path decides whose object is read. Everything else is encoded.
pub(super) fn segment(what: &'static str, text: &str) -> Result<String, RequestError> {
    let refused = |why: &'static str| {
        Err(RequestError::InvalidName {
            what,
            name: text.to_owned(),
            why,
        })
    };
    match text {
        "" => return refused("may not be empty"),
        "." => return refused("may not be '.'"),
        ".." => return refused("may not be '..'"),
        _ if text.contains('/') => return refused("may not contain '/'"),
        _ if text.contains('%') => return refused("may not contain '%'"),
        _ => {}
    }
    Ok(encoded(text, b":@$&+="))
}

/// A text as the value of a query.
pub(super) fn query(text: &str) -> String {
    encoded(text, b"")
}

/// Percent-encoded, but for what no URL gives a meaning and for `plain`.
fn encoded(text: &str, plain: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || plain.contains(&byte) {
            encoded.push(byte.into());
        } else {
            // writing to a String cannot fail
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, expected: &Expect) {
        let segment = segment("name", text).unwrap_or_else(|error| error.to_string());
        expected.assert_eq(&segment);
    }

    #[test]
    fn a_query_may_hold_anything() {
        assert_eq!(
            query("app in (a,b),x=\u{e4}"),
            "app%20in%20%28a%2Cb%29%2Cx%3D%C3%A4"
        );
    }

    #[test]
    fn a_name_is_one_segment_or_refused() {
        check("web-1.apps", &expect!["web-1.apps"]);
        check("system:node", &expect!["system:node"]);
        check("vars?x=y", &expect!["vars%3Fx=y"]);
        check("a#b c\u{e4}", &expect!["a%23b%20c%C3%A4"]);
        check(
            "",
            &expect![[r#"invalid name "": may not be empty; correct it where the object is named"#]],
        );
        check(
            "..",
            &expect![[r#"invalid name "..": may not be '..'; correct it where the object is named"#]],
        );
        check(
            "../../kube-system/secrets/x",
            &expect![[
                r#"invalid name "../../kube-system/secrets/x": may not contain '/'; correct it where the object is named"#
            ]],
        );
        check(
            "a%2fb",
            &expect![[r#"invalid name "a%2fb": may not contain '%'; correct it where the object is named"#]],
        );
    }
}
