//! Values: files and flags in, what a chart's templates see out.

mod coalesce;
mod data;
mod read;
mod schema;
mod source;

pub use coalesce::{coalesce, merge_defaults, merge_tables};
pub use data::{Data, Table, merge};
pub(crate) use read::plain;
pub use read::read_values;
pub use schema::validate;
pub use source::{Source, ValuesFile, merge_sources};
