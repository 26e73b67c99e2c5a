//! Values of charts and of whoever installs them, laid over each other.
//!
//! The upper values win; tables are merged, all else is replaced. Each subchart's values are a table under its name in its
//! parent's, and the `global` of a parent flows down into each of them.

use super::{Data, Table};
use crate::{Error, Str, Warnings, chart::Chart, warnings::ValuePath};

/// A chart's values with `values` over them, for it and its subcharts. A null takes a default away.
///
/// # Errors
/// A value where the table of a subchart is wanted.
pub fn coalesce(chart: &Chart, values: &Table, warnings: &mut Warnings) -> Result<Table, Error> {
    let mut values = values.clone();
    descend(chart, &mut values, Nulls::Delete, &ValuePath::default(), warnings)?;
    share_globals(chart, &mut values);
    Ok(values)
}

/// The defaults of a chart and its subcharts; nulls stay.
///
/// # Errors
/// As [`coalesce`].
pub fn merge_defaults(chart: &Chart, warnings: &mut Warnings) -> Result<Table, Error> {
    let mut values = Table::new();
    descend(chart, &mut values, Nulls::Keep, &ValuePath::default(), warnings)?;
    share_globals(chart, &mut values);
    Ok(values)
}

/// Fills `upper` with what `lower` has and it has not; nulls stay.
pub fn merge_tables(upper: &mut Table, lower: Table, warnings: &mut Warnings) {
    fill(upper, &lower, Nulls::Keep, &ValuePath::default(), warnings);
}

/// What a null does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nulls {
    /// In the upper table it takes the value below away; in the lower one it is nothing.
    Delete,
    /// It is a value.
    Keep,
}

fn descend(
    chart: &Chart,
    values: &mut Table,
    nulls: Nulls,
    above: &ValuePath<'_>,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    let place = above.below(chart.name().as_bytes());
    fill_chart(chart, values, nulls, &place, warnings);
    for subchart in &chart.dependencies {
        let name = subchart.name();
        let mut inner = match values.get(name) {
            None => Table::new(),
            Some(Data::Table(inner)) => inner.clone(),
            Some(other) => {
                return Err(Error::new(format!(
                    "type mismatch on {name}: {}",
                    not_a_boolean(other)
                )));
            }
        };
        pass_globals(&mut inner, values, &place, warnings);
        descend(subchart, &mut inner, nulls, &place, warnings)?;
        return_globals(&inner, values);
        values.insert(name, Data::Table(inner));
    }
    Ok(())
}

/// Lays `values` over the chart's own.
fn fill_chart(
    chart: &Chart,
    values: &mut Table,
    nulls: Nulls,
    place: &ValuePath<'_>,
    warnings: &mut Warnings,
) {
    for (key, default) in chart.values.iter() {
        match values.get(key) {
            None if nulls == Nulls::Keep => values.insert(key.clone(), default.clone()),
            None => match default {
                Data::Null => {}
                Data::Table(table) => values.insert(key.clone(), Data::Table(without_nulls(table))),
                other => values.insert(key.clone(), other.clone()),
            },
            Some(Data::Null) if nulls == Nulls::Delete => drop(values.remove(key)),
            Some(Data::Table(_)) => {
                let place = place.below(key.as_bytes());
                let default = match default {
                    Data::Table(default) => default,
                    Data::Null => continue,
                    _ => {
                        warnings.add(format!("warning: skipped value for {place}: Not a table."));
                        continue;
                    }
                };
                let is_subchart = chart
                    .dependencies
                    .iter()
                    .any(|subchart| subchart.name().as_bytes() == key.as_bytes());
                let nulls = if is_subchart { Nulls::Keep } else { nulls };
                if let Some(Data::Table(table)) = values.get_mut(key) {
                    match nulls {
                        Nulls::Keep => fill(table, default, nulls, &place, warnings),
                        Nulls::Delete => fill(table, &without_nulls(default), nulls, &place, warnings),
                    }
                }
            }
            Some(_) => {}
        }
    }
}

fn fill(upper: &mut Table, lower: &Table, nulls: Nulls, place: &ValuePath<'_>, warnings: &mut Warnings) {
    if upper.is_same(lower) {
        return;
    }
    for (key, below) in lower.iter() {
        match (upper.get(key), below) {
            (None, _) => upper.insert(key.clone(), below.clone()),
            (Some(Data::Null), _) if nulls == Nulls::Delete && !below.is_null() => drop(upper.remove(key)),
            (Some(Data::Table(_)), Data::Table(below)) => {
                if let Some(Data::Table(above)) = upper.get_mut(key) {
                    fill(above, below, nulls, &place.below(key.as_bytes()), warnings);
                }
            }
            (Some(Data::Null), _) | (_, Data::Null) => {}
            (Some(_), Data::Table(_)) => {
                let place = place.below(key.as_bytes());
                warnings.add(format!(
                    "warning: cannot overwrite table with non table for {place}"
                ));
            }
            (Some(Data::Table(_)), _) => {
                let place = place.below(key.as_bytes());
                warnings.add(format!(
                    "warning: destination for {place} is a table. Ignoring non-table value"
                ));
            }
            _ => {}
        }
    }
}

/// A parent's globals win over those of its subchart.
fn pass_globals(inner: &mut Table, outer: &Table, place: &ValuePath<'_>, warnings: &mut Warnings) {
    let mut globals = match inner.get(GLOBAL) {
        None => Table::new(),
        Some(Data::Table(globals)) => globals.clone(),
        Some(_) => {
            let text = "warning: skipping globals because destination global is not a table.";
            return warnings.add(text.to_owned());
        }
    };
    let empty = Table::new();
    let from = match outer.get(GLOBAL) {
        None => &empty,
        Some(Data::Table(from)) => from,
        Some(_) => {
            let text = "warning: skipping globals because source global is not a table.";
            return warnings.add(text.to_owned());
        }
    };
    for (key, value) in from.iter() {
        match (value, globals.get(key)) {
            (Data::Table(_), None) => globals.insert(key.clone(), value.clone()),
            (Data::Table(table), Some(Data::Table(own))) => {
                let mut table = table.clone();
                fill(
                    &mut table,
                    own,
                    Nulls::Keep,
                    &place.below(key.as_bytes()),
                    warnings,
                );
                globals.insert(key.clone(), Data::Table(table));
            }
            // neither a table over something else, nor something else over a table
            (Data::Table(_), Some(_)) => warnings.add(format!(
                "Conflict: cannot merge map onto non-map for \"{key}\". Skipping."
            )),
            (_, Some(Data::Table(_))) => warnings.add(format!("key {key} is table. Skipping")),
            (other, _) => globals.insert(key.clone(), other.clone()),
        }
    }
    inner.insert(GLOBAL, Data::Table(globals));
}

/// The original hands the tables *inside* of a global table down without copying them: what a subchart adds there, its parent
/// and all further subcharts see too. Charts rely on it without knowing.
fn return_globals(inner: &Table, outer: &mut Table) {
    put_globals(outer, changed_globals(outer, outer, inner));
}

/// And so do the subcharts that had their turn before: once all are done, each gets what its parent has.
fn share_globals(chart: &Chart, values: &mut Table) {
    for subchart in &chart.dependencies {
        let name = subchart.name();
        let Some(Data::Table(inner)) = values.get(name) else {
            continue;
        };
        let changed = changed_globals(values, inner, values);
        if changed.is_empty() && subchart.dependencies.is_empty() {
            continue;
        }
        if let Some(Data::Table(inner)) = values.get_mut(name) {
            put_globals(inner, changed);
            share_globals(subchart, inner);
        }
    }
}

/// The tables inside of the global tables of `outer` that are others in `after` than in `before`: key, name, and what is in
/// `after`.
fn changed_globals(outer: &Table, before: &Table, after: &Table) -> Vec<(Str, Str, Data)> {
    let globals = |values: &Table| values.get(GLOBAL).and_then(Data::as_table).cloned();
    let (Some(outer), Some(before), Some(after)) = (globals(outer), globals(before), globals(after)) else {
        return Vec::new();
    };
    let mut changed = Vec::new();
    for (key, outer) in outer.iter() {
        let table = |globals: &Table| globals.get(key).and_then(Data::as_table).cloned();
        let (Data::Table(outer), Some(before), Some(after)) = (outer, table(&before), table(&after)) else {
            continue;
        };
        if before.is_same(&after) {
            continue;
        }
        for (name, _) in outer.iter().filter(|(_, value)| value.is_table()) {
            let Some(Data::Table(after)) = after.get(name) else {
                continue;
            };
            let is_same = before
                .get(name)
                .and_then(Data::as_table)
                .is_some_and(|before| before.is_same(after));
            if !is_same {
                changed.push((key.clone(), name.clone(), Data::Table(after.clone())));
            }
        }
    }
    changed
}

fn put_globals(values: &mut Table, changed: Vec<(Str, Str, Data)>) {
    for (key, name, table) in changed {
        if let Some(Data::Table(globals)) = values.get_mut(GLOBAL)
            && let Some(Data::Table(global)) = globals.get_mut(&key)
        {
            global.insert(name, table);
        }
    }
}

/// The key under which values go to all subcharts.
const GLOBAL: &str = "global";

fn without_nulls(table: &Table) -> Table {
    if !has_nulls(table) {
        return table.clone();
    }
    let clean = |value: &Data| match value {
        Data::Table(table) => Data::Table(without_nulls(table)),
        other => other.clone(),
    };
    table
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), clean(value)))
        .collect()
}

fn has_nulls(table: &Table) -> bool {
    table.iter().any(|(_, value)| match value {
        Data::Null => true,
        Data::Table(table) => has_nulls(table),
        _ => false,
    })
}

/// Go's `%t` of what is no boolean.
fn not_a_boolean(value: &Data) -> String {
    let inner = |value: &Data| match value {
        Data::Null => "<nil>".to_owned(),
        other => not_a_boolean(other),
    };
    match value {
        Data::Null => "%!t(<nil>)".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => format!("%!t(int64={value})"),
        Data::Float(value) => format!("%!t(float64={})", sluice_yaml::format_float(*value)),
        Data::Text(text) => format!("%!t(string={text})"),
        Data::List(items) => {
            let items: Vec<_> = items.iter().map(inner).collect();
            format!("[{}]", items.join(" "))
        }
        Data::Table(table) => {
            let entries = table
                .iter()
                .map(|(key, value)| format!("%!t(string={key}):{}", inner(value)));
            format!("map[{}]", entries.collect::<Vec<_>>().join(" "))
        }
    }
}
