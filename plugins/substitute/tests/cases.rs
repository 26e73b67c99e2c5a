//! The golden cases beside this file, natively. `UPDATE_EXPECT=1` rewrites them.

use sluice_plugin_substitute::guest::Substitute;

#[test]
fn cases() {
    let cases =
        sluice_sdk::testing::transformer_cases::<Substitute>(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    assert!(
        cases.unwrap_or_else(|differences| unreachable!("{differences}")) >= 9,
        "a case is missing"
    );
}
