//! Comments of files that are edited.
#![allow(clippy::unwrap_used)]

use sluice_yaml::{EmitV3, ParseOptions, emit_v3, parse_document};

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
