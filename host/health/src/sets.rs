//! cel-go's Sets library, and the ends of lists of its library of optional values, which the CEL crate does not have.

use cel::common::types::{CelBool, CelList, CelOptional, LIST_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError, Value};

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// Adds `sets.contains`, `sets.equivalent` and `sets.intersects`; `first` and `last`.
pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    let lists = || vec![LIST_TYPE, LIST_TYPE];
    env.add_member_overload("first", "list_first", LIST_TYPE, Vec::new(), first)?;
    env.add_member_overload("last", "list_last", LIST_TYPE, Vec::new(), last)?;
    env.add_overload("optional.unwrap", "list_optional_unwrap", vec![LIST_TYPE], unwrap)?;
    env.add_member_overload("unwrapOpt", "list_unwrap_opt", LIST_TYPE, Vec::new(), unwrap)?;
    env.add_overload("sets.contains", "list_sets_contains_list", lists(), contains)?;
    env.add_overload(
        "sets.equivalent",
        "list_sets_equivalent_list",
        lists(),
        equivalent,
    )?;
    env.add_overload(
        "sets.intersects",
        "list_sets_intersects_list",
        lists(),
        intersects,
    )
}

fn first<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    end(&arguments, |items| items.first())
}

fn last<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    end(&arguments, |items| items.last())
}

fn end<'b, 'v>(
    arguments: &Arguments<'_, 'v>,
    pick: impl for<'i> Fn(&'i [Value]) -> Option<&'i Value>,
) -> Answer<'b, 'v> {
    let [list] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(1, arguments.len()));
    };
    match Value::try_from(list.as_ref())? {
        Value::List(items) => Ok(CowVal::owned(match pick(&items) {
            Some(item) => CelOptional::of(item.clone().try_into()?),
            None => CelOptional::none(),
        })),
        other => Err(ExecutionError::unsupported_target_type(other)),
    }
}

fn contains<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    decide(&arguments, is_superset)
}

fn equivalent<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    decide(&arguments, |a, b| is_superset(a, b) && is_superset(b, a))
}

fn intersects<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    decide(&arguments, |a, b| b.iter().any(|item| a.contains(item)))
}

fn is_superset(a: &[Value], b: &[Value]) -> bool {
    b.iter().all(|item| a.contains(item))
}

fn decide<'b, 'v>(
    arguments: &Arguments<'_, '_>,
    holds: impl Fn(&[Value], &[Value]) -> bool,
) -> Answer<'b, 'v> {
    let [a, b] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let list = |argument: &CowVal<'_, '_>| match Value::try_from(argument.as_ref())? {
        Value::List(items) => Ok(items),
        other => Err(ExecutionError::unsupported_target_type(other)),
    };
    Ok(CowVal::owned(CelBool::from(holds(&list(a)?, &list(b)?))))
}

/// What is there of a list of optional values.
fn unwrap<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let [list] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(1, arguments.len()));
    };
    let Some(list) = list.as_iterable() else {
        return Err(ExecutionError::unsupported_target_type(Value::try_from(
            list.as_ref(),
        )?));
    };
    let mut found = Vec::new();
    let mut items = list.iter();
    while let Some(item) = items.next() {
        match item.downcast_ref::<CelOptional<'_>>() {
            Some(optional) => found.extend(optional.option().map(|value| value.clone_as_boxed())),
            None => {
                return Err(ExecutionError::no_such_overload(
                    "optional.unwrap",
                    vec![item.get_type().name().to_owned()],
                ));
            }
        }
    }
    Ok(CowVal::owned(CelList::from(found)))
}
