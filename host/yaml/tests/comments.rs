//! Comments of files that are edited.
#![allow(clippy::unwrap_used)]

use sluice_yaml::{EmitV3, ParseOptions, Resolver, emit_v3, parse_document};

#[test]
fn an_edit_leaves_comments_and_styles_alone() {
    let text = "# license\n\n# about a\na: 1 # one\nb: # list\n  # first\n  - x # {\"$imagepolicy\": \"flux-system:app\"}\n  - name: y # why\n    # below\nc: |- # text\n  t # not one\nd: \"q\" # quoted\n# end\n";
    let options = ParseOptions {
        comments: true,
        keep_aliases: true,
        ..ParseOptions::default()
    };
    let mut root = parse_document(text, &options).unwrap().unwrap().root;
    assert_eq!(emit_v3(&root, &EmitV3::default()), text);
    let item = root
        .get_mut("b")
        .unwrap()
        .items_mut()
        .unwrap()
        .first_mut()
        .unwrap();
    assert_eq!(
        item.comments().unwrap().line,
        "# {\"$imagepolicy\": \"flux-system:app\"}"
    );
    item.set_text("z:1");
    assert_eq!(
        emit_v3(&root, &EmitV3::default()),
        text.replace("- x #", "- z:1 #")
    );
}

#[test]
fn comments_cost_nothing_where_they_are_not_wanted() {
    let root = parse_document("a: 1 # one\n", &ParseOptions::default())
        .unwrap()
        .unwrap()
        .root;
    assert!(root.get("a").unwrap().comments().is_none());
}

#[test]
fn a_comment_behind_a_key_stays_before_its_value() {
    let options = ParseOptions {
        comments: true,
        keep_aliases: true,
        ..ParseOptions::default()
    };
    for text in [
        "a: # c\n  b: 1\n",
        "a: &x # c\n  b: 1\nd: *x\n",
        "- a: # c\n    - 1\n",
    ] {
        let root = parse_document(text, &options).unwrap().unwrap().root;
        assert_eq!(emit_v3(&root, &EmitV3::default()), text);
    }
}

#[test]
fn a_comment_behind_tabs_follows_another_comment() {
    let read = |text: &str, resolver| parse_document(text, &ParseOptions::new(resolver));
    for text in [
        "a:\n  b: c\n  # d\n\t# e: f\n  g: h\n",
        "a:\n  b: c\n  # d\n\t\n\n \t # e\n  g: h\n",
    ] {
        let root = read(text, Resolver::V3).unwrap().unwrap().root;
        assert_eq!(root.get("a").unwrap().get("g").unwrap().text(), Some("h"));
        assert!(read(text, Resolver::V2).is_err(), "v2 looks for none");
    }
    // no comment before, none behind, and one that is too far
    let far = format!("a:\n  b: c\n  # d\n{}\t# e\n  g: h\n", "\n".repeat(600));
    for text in ["a:\n  b: c\n\t# e\n", "a:\n  b: c\n  # d\n\tg: h\n", far.as_str()] {
        assert!(read(text, Resolver::V3).is_err(), "{text}");
    }
}
