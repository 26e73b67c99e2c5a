use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// A moment as the API writes it: RFC 3339, UTC, whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(transparent)]
pub struct Time(jiff::Timestamp);

impl Time {
    /// `timestamp` without what is below a second: the API server keeps no more.
    pub fn new(timestamp: jiff::Timestamp) -> Self {
        Self(jiff::Timestamp::from_second(timestamp.as_second()).unwrap_or(timestamp))
    }

    /// So many seconds after 1970.
    pub fn from_second(second: i64) -> Option<Self> {
        jiff::Timestamp::from_second(second).ok().map(Self)
    }

    /// The same for `jiff`.
    pub fn get(self) -> jiff::Timestamp {
        self.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_whole_seconds() {
        let time = Time::new("2026-01-02T03:04:05.678Z".parse().unwrap());
        assert_eq!(time.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(serde_json::to_string(&time).unwrap(), r#""2026-01-02T03:04:05Z""#);
        assert_eq!(
            serde_json::from_str::<Time>(r#""2026-01-02T03:04:05Z""#).unwrap(),
            time
        );
    }
}
