//! `values.schema.json`: JSON Schema, drafts 4 to 2020-12, with the words of the library that Helm uses.
//!
//! Nothing is fetched: a reference out of the document fails, but for `urn:` ones, which accept everything as in Helm.

mod document;
mod evaluate;
mod format;
mod json;
mod keywords;
mod location;
mod metaschema;
mod number;
mod problem;

use self::{document::Document, evaluate::Evaluation, json::Json};
use crate::{
    Failure,
    chart::Chart,
    values::{Data, Table},
};

/// Checks the values of a chart and its subcharts against their schemas.
///
/// # Errors
/// All violations of all charts, in the original's words; each path and rule as a detail.
pub fn validate(chart: &Chart, values: &Table) -> Result<(), Failure> {
    let mut report = Report::default();
    report.chart(chart, values, ".Values");
    if report.text.is_empty() {
        return Ok(());
    }
    let text = format!(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{}",
        report.text
    );
    let hint = match report.details.as_slice() {
        [] => "mend values.schema.json, or leave it out of account with --skip-schema-validation".to_owned(),
        [(path, rule), ..] => match rule.strip_prefix("missing property '") {
            Some(name) => format!("set {path}.{}: the schema wants it", name.trim_end_matches('\'')),
            None => format!("change {path}: {rule}"),
        },
    };
    Err(Failure::new(text).with_details(report.details).with_hint(hint))
}

#[derive(Default)]
struct Report {
    text: String,
    details: Vec<(String, String)>,
}

impl Report {
    /// `path` is where the outermost chart has these values.
    fn chart(&mut self, chart: &Chart, values: &Table, path: &str) {
        if let Some(schema) = &chart.schema
            && let Err(error) = check(schema.as_bytes(), values, &mut self.details, path)
        {
            self.text.push_str(&format!("{}:\n{error}", chart.name()));
        }
        for subchart in &chart.dependencies {
            match values.get(subchart.name()) {
                None | Some(Data::Null) => {}
                Some(Data::Table(values)) => {
                    self.chart(subchart, values, &format!("{path}.{}", subchart.name()));
                }
                Some(other) => self.text.push_str(&format!(
                    "{}:\ninvalid type for values: expected object (map), got {}\n",
                    subchart.name(),
                    other.go_type()
                )),
            }
        }
    }
}

fn check(
    schema: &[u8],
    values: &Table,
    details: &mut Vec<(String, String)>,
    path: &str,
) -> Result<(), String> {
    let schema = json::read(schema)?;
    let document = Document::new(&schema)?;
    let values = Json::from_table(values);
    let problems = Evaluation::new(&document).problems(&values)?;
    if problems.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for problem in &problems {
        problem.describe(0, &mut text);
        problem.details(path, details);
    }
    Err(text)
}
