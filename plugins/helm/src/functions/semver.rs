//! Versions by Masterminds' rules.

use std::{cmp::Ordering, rc::Rc, sync::LazyLock};

use serde_json::Value as Json;
use sluice_semver::{Range, Version};

use super::{Functions, Int};
use crate::{
    Error, Str, Value,
    value::{Kind, Object, ObjectType, UintType},
};

pub(super) fn register(functions: &mut Functions) {
    functions.add("semver", |text: Str| {
        Ok::<_, Error>(Value::object(Pointer(parse(&text)?)))
    });
    functions.add("semverCompare", |range: Str, version: Str| {
        let range = Range::parse(&range.to_str()).map_err(|error| Error::new(error.to_string()))?;
        Ok::<_, Error>(range.contains(&parse(&version)?))
    });
}

fn parse(text: &Str) -> Result<Version, Error> {
    Version::parse(&text.to_str()).map_err(|error| Error::new(error.to_string()))
}

/// `*semver.Version`
#[derive(Debug)]
struct Pointer(Version);

/// `semver.Version`, which the `Inc…` methods give.
#[derive(Debug)]
struct Plain(Version);

macro_rules! version_object {
    ($name:ident, $type_name:literal, $kind:expr, $copy:expr) => {
        impl Object for $name {
            fn type_name(&self) -> &'static str {
                $type_name
            }

            fn kind(&self) -> Kind {
                $kind
            }

            fn field(&self, name: &str) -> Option<Value> {
                field(&self.0, name)
            }

            fn fields(&self) -> &'static [&'static str] {
                &["major", "minor", "patch", "pre", "metadata", "original"]
            }

            fn methods(&self) -> &'static Functions {
                static METHODS: LazyLock<Functions> =
                    LazyLock::new(|| methods(|version: Rc<$name>| version.0.clone()));
                &METHODS
            }

            fn text(&self) -> Option<String> {
                Some(self.0.to_string())
            }

            fn equals(&self, other: &dyn Object) -> bool {
                let other: &dyn std::any::Any = other;
                other
                    .downcast_ref::<Self>()
                    .is_some_and(|other| self.0 == other.0)
            }

            fn deep_copied(&self) -> Option<Value> {
                $copy
            }

            fn to_json(&self) -> Result<Json, Error> {
                Ok(Json::String(self.0.to_string()))
            }
        }

        impl ObjectType for $name {
            const NAME: &'static str = $type_name;
        }
    };
}

/// What `%v` and its like print.
fn field(version: &Version, name: &str) -> Option<Value> {
    Some(match name {
        "major" => Value::Uint(UintType::Uint64, version.major()),
        "minor" => Value::Uint(UintType::Uint64, version.minor()),
        "patch" => Value::Uint(UintType::Uint64, version.patch()),
        "pre" => version.prerelease().into(),
        "metadata" => version.metadata().into(),
        "original" => version.original().into(),
        _ => return None,
    })
}

/// What `deepCopy` makes of a pointer: a version has no exported fields to copy.
fn zero() -> Option<Value> {
    let zero = Version::parse("0.0.0").ok()?;
    Some(Value::object(Pointer(zero)))
}

version_object!(Pointer, "*semver.Version", Kind::Pointer, zero());
version_object!(Plain, "semver.Version", Kind::Struct, None);

fn methods<T: ObjectType>(version: fn(Rc<T>) -> Version) -> Functions {
    let mut methods = Functions::default();
    let number = |number: u64| Value::Uint(UintType::Uint64, number);
    methods.add("Major", move |receiver: Rc<T>| number(version(receiver).major()));
    methods.add("Minor", move |receiver: Rc<T>| number(version(receiver).minor()));
    methods.add("Patch", move |receiver: Rc<T>| number(version(receiver).patch()));
    methods.add("Prerelease", move |receiver: Rc<T>| {
        version(receiver).prerelease().to_owned()
    });
    methods.add("Metadata", move |receiver: Rc<T>| {
        version(receiver).metadata().to_owned()
    });
    methods.add("Original", move |receiver: Rc<T>| {
        version(receiver).original().to_owned()
    });
    for name in ["String", "Value"] {
        methods.add(name, move |receiver: Rc<T>| version(receiver).to_string());
    }
    methods.add("MarshalText", move |receiver: Rc<T>| {
        Value::Bytes(version(receiver).to_string().into())
    });
    methods.add("MarshalJSON", move |receiver: Rc<T>| {
        Value::Bytes(format!("\"{}\"", version(receiver)).into())
    });
    let compare = move |receiver: Rc<T>, other: Rc<Pointer>| version(receiver).precedence(&other.0);
    methods.add("Compare", move |receiver: Rc<T>, other: Rc<Pointer>| {
        Int(compare(receiver, other) as i64)
    });
    methods.add("Equal", move |receiver: Rc<T>, other: Rc<Pointer>| {
        compare(receiver, other).is_eq()
    });
    methods.add("LessThan", move |receiver: Rc<T>, other: Rc<Pointer>| {
        compare(receiver, other).is_lt()
    });
    methods.add("LessThanEqual", move |receiver: Rc<T>, other: Rc<Pointer>| {
        compare(receiver, other).is_le()
    });
    methods.add("GreaterThan", move |receiver: Rc<T>, other: Rc<Pointer>| {
        compare(receiver, other).is_gt()
    });
    methods.add("GreaterThanEqual", move |receiver: Rc<T>, other: Rc<Pointer>| {
        compare(receiver, other).is_ge()
    });
    let plain = |next: Option<Version>, part: &str| {
        let overflow = || Error::new(format!("{part} version increment would overflow uint64"));
        next.map(|next| Value::object(Plain(next))).ok_or_else(overflow)
    };
    methods.add("IncPatch", move |receiver: Rc<T>| {
        plain(version(receiver).next_patch(), "patch")
    });
    methods.add("IncMinor", move |receiver: Rc<T>| {
        plain(version(receiver).next_minor(), "minor")
    });
    methods.add("IncMajor", move |receiver: Rc<T>| {
        plain(version(receiver).next_major(), "major")
    });
    let replaced = move |receiver: Rc<T>, prerelease: Option<Str>, metadata: Option<Str>| {
        let version = version(receiver);
        let prefix = if version.original().starts_with('v') {
            "v"
        } else {
            ""
        };
        let mut text = format!(
            "{prefix}{}.{}.{}",
            version.major(),
            version.minor(),
            version.patch()
        );
        let prerelease =
            prerelease.map_or_else(|| version.prerelease().to_owned(), |given| given.to_string());
        let metadata = metadata.map_or_else(|| version.metadata().to_owned(), |given| given.to_string());
        for (mark, part) in [('-', prerelease), ('+', metadata)] {
            if !part.is_empty() {
                text.push(mark);
                text.push_str(&part);
            }
        }
        Version::parse(&text)
    };
    methods.add("SetPrerelease", move |receiver: Rc<T>, prerelease: Str| {
        let replaced = replaced(receiver, Some(prerelease), None);
        replaced
            .map(|next| Value::object(Plain(next)))
            .map_err(|error| match error {
                sluice_semver::Error::LeadingZero => Error::new(error.to_string()),
                _ => Error::new("invalid prerelease string"),
            })
    });
    methods.add("SetMetadata", move |receiver: Rc<T>, metadata: Str| {
        let replaced = replaced(receiver, None, Some(metadata));
        replaced
            .map(|next| Value::object(Plain(next)))
            .map_err(|_| Error::new("invalid metadata string"))
    });
    methods
}

/// `-1`, `0` or `1`: what `as` makes of it.
const _: () = assert!(Ordering::Less as i64 == -1 && Ordering::Greater as i64 == 1);
