//! `time.Time` as templates see it.

use std::{rc::Rc, sync::LazyLock};

use serde_json::Value as Json;

use super::super::{Duration, Functions, Int};
use crate::{
    Error, Str, Value,
    go::time::{Time, Zone},
    value::{IntType, Kind, Object, ObjectType},
};

/// `time.Time`
#[derive(Debug)]
pub(crate) struct TimeObject(pub(crate) Time);

impl TimeObject {
    pub(crate) fn value(time: Time) -> Value {
        Value::object(TimeObject(time))
    }
}

impl ObjectType for TimeObject {
    const NAME: &'static str = "time.Time";
}

impl Object for TimeObject {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn methods(&self) -> &'static Functions {
        static METHODS: LazyLock<Functions> = LazyLock::new(methods);
        &METHODS
    }

    fn text(&self) -> Option<String> {
        Some(self.0.text())
    }

    fn go_text(&self) -> Option<String> {
        Some(self.0.go_text())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other
            .downcast_ref::<Self>()
            .is_some_and(|other| self.0 == other.0 && self.0.zone.name() == other.0.zone.name())
    }

    fn to_json(&self) -> Result<Json, Error> {
        self.0.to_json_text().map(Json::String).map_err(Error::new)
    }
}

type This = Rc<TimeObject>;

fn methods() -> Functions {
    let mut methods = Functions::default();
    civil(&mut methods);
    unfit(&mut methods);
    methods.add("Unix", |this: This| this.0.seconds);
    let nanoseconds = |time: &Time| {
        time.seconds
            .wrapping_mul(1_000_000_000)
            .wrapping_add(time.nanoseconds)
    };
    methods.add("UnixMilli", |this: This| {
        this.0
            .seconds
            .wrapping_mul(1000)
            .wrapping_add(this.0.nanoseconds / 1_000_000)
    });
    methods.add("UnixMicro", |this: This| {
        this.0
            .seconds
            .wrapping_mul(1_000_000)
            .wrapping_add(this.0.nanoseconds / 1000)
    });
    methods.add("UnixNano", move |this: This| nanoseconds(&this.0));
    methods.add("IsZero", |this: This| this.0.is_zero());
    methods.add("IsDST", |this: This| this.0.zone.at(this.0.seconds).2);
    methods.add("String", |this: This| this.0.text());
    methods.add("Format", |this: This, layout: Str| {
        this.0.format(layout.as_bytes())
    });
    methods.add("UTC", |this: This| TimeObject::value(this.0.in_zone(Zone::Utc)));
    methods.add("Local", |this: This| {
        TimeObject::value(this.0.in_zone(Zone::Local))
    });
    methods.add("Location", |this: This| {
        Value::object(Location(this.0.zone.clone()))
    });
    methods.add("In", |this: This, location: Rc<Location>| {
        TimeObject::value(this.0.in_zone(location.0.clone()))
    });
    methods.add("GoString", |this: This| this.0.go_text());
    methods.add("MarshalText", |this: This| {
        let text = this.0.marshalled("MarshalText").map_err(Error::new)?;
        Ok::<_, Error>(Value::Bytes(text.into()))
    });
    methods.add("MarshalJSON", |this: This| {
        let text = this.0.to_json_text().map_err(Error::new)?;
        Ok::<_, Error>(Value::Bytes(format!("\"{text}\"").into()))
    });
    methods.add("Add", |this: This, Duration(duration): Duration| {
        TimeObject::value(this.0.add(duration))
    });
    methods.add("Truncate", |this: This, Duration(multiple): Duration| {
        TimeObject::value(this.0.truncate(multiple))
    });
    methods.add("Round", |this: This, Duration(multiple): Duration| {
        TimeObject::value(this.0.round(multiple))
    });
    methods.add(
        "AddDate",
        |this: This, Int(years): Int, Int(months): Int, Int(days): Int| {
            TimeObject::value(this.0.add_date(years, months, days))
        },
    );
    let order = |time: &Time| (time.seconds, time.nanoseconds);
    methods.add("Before", move |this: This, other: This| {
        order(&this.0) < order(&other.0)
    });
    methods.add("After", move |this: This, other: This| {
        order(&this.0) > order(&other.0)
    });
    methods.add("Equal", |this: This, other: This| this.0 == other.0);
    methods.add("Compare", move |this: This, other: This| {
        Int(order(&this.0).cmp(&order(&other.0)) as i64)
    });
    methods.add("Sub", |this: This, other: This| {
        Value::Int(IntType::Duration, this.0.since(&other.0))
    });
    methods
}

/// What Go has and no template can call.
fn unfit(methods: &mut Functions) {
    let no_error = |name: &str, found: &str| {
        format!("invalid function signature for {name}: second return value should be error; is {found}")
    };
    methods.add_unfit("ISOWeek", no_error("ISOWeek", "int"));
    methods.add_unfit("Zone", no_error("Zone", "int"));
    methods.add_unfit("ZoneBounds", no_error("ZoneBounds", "time.Time"));
    for name in ["Date", "Clock"] {
        let problem = format!("function {name} has 3 return values; should be 1 or 2");
        methods.add_unfit(name, problem);
    }
}

/// `*time.Location`
#[derive(Debug)]
struct Location(Zone);

impl Object for Location {
    fn type_name(&self) -> &'static str {
        Self::NAME
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, _: &str) -> Option<Value> {
        None
    }

    fn methods(&self) -> &'static Functions {
        static METHODS: LazyLock<Functions> = LazyLock::new(|| {
            let mut methods = Functions::default();
            methods.add("String", |this: Rc<Location>| this.0.name());
            methods
        });
        &METHODS
    }

    fn text(&self) -> Option<String> {
        Some(self.0.name())
    }

    fn equals(&self, other: &dyn Object) -> bool {
        let other: &dyn std::any::Any = other;
        other
            .downcast_ref::<Self>()
            .is_some_and(|other| self.0.name() == other.0.name())
    }
}

impl ObjectType for Location {
    const NAME: &'static str = "*time.Location";
}

fn civil(methods: &mut Functions) {
    methods.add("Year", |this: This| Int(this.0.civil().year));
    methods.add("Month", |this: This| {
        Value::Int(IntType::Month, this.0.civil().month)
    });
    methods.add("Day", |this: This| Int(this.0.civil().day));
    methods.add("Hour", |this: This| Int(this.0.civil().hour));
    methods.add("Minute", |this: This| Int(this.0.civil().minute));
    methods.add("Second", |this: This| Int(this.0.civil().second));
    methods.add("Nanosecond", |this: This| Int(this.0.nanoseconds));
    methods.add("YearDay", |this: This| Int(this.0.civil().year_day));
    methods.add("Weekday", |this: This| {
        Value::Int(IntType::Weekday, this.0.civil().weekday)
    });
}
