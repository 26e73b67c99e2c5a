//! BurntSushi's TOML.

mod decode;
mod encode;

/// The names of the zones in which times without an offset are told.
const LOCAL_DATE_TIME: &str = "datetime-local";
const LOCAL_DATE: &str = "date-local";
const LOCAL_TIME: &str = "time-local";

pub(crate) use decode::decode;
pub(crate) use encode::encode;
