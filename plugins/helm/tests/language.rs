//! The language beside Go's: each line of `language/cases.jsonl` is a template and what `text/template` of Go 1.26 made of it:
//! the output, or null and the error. All of them get the value of `language/data.json`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use serde_json::Value as Json;
use sluice_plugin_helm::{
    Value,
    functions::{self, Environment, Timestamp},
    template::{MissingKey, Render, Set},
};

fn execute(source: &str, data: &Value) -> Result<String, String> {
    let mut set = Set::default();
    set.add("t.yaml", source, functions::text_template())
        .map_err(|error| error.to_string())?;
    let environment = Environment::new(Timestamp::default(), [0; 32]);
    let render = Render::new(&set, functions::text_template(), &environment, MissingKey::Zero);
    let output = render
        .execute("t.yaml", data)
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8(output).unwrap())
}

#[test]
fn the_language_is_gos() {
    let data = Value::from(&serde_json::from_str::<Json>(include_str!("language/data.json")).unwrap());
    let mut different = String::new();
    for line in include_str!("language/cases.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let result = execute(case[0].as_str().unwrap(), &data);
        let wanted = case[1].as_str().map_or_else(
            || Err(case[2].as_str().unwrap().to_owned()),
            |text| Ok(text.to_owned()),
        );
        if result != wanted {
            different.push_str(&format!("{}\n  want {wanted:?}\n  got  {result:?}\n", case[0]));
        }
    }
    assert!(different.is_empty(), "{different}");
}
