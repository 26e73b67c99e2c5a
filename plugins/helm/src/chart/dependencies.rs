//! Which subcharts take part, under which names, and what their parents get of their values.

use super::{Chart, Dependency, ImportValues, is_compatible};
use crate::{
    Error, Str, Warnings,
    values::{Data, Table, coalesce, merge_defaults, merge_tables},
};

/// Drops the subcharts that conditions and tags switch off, renames those with an alias, and imports values.
///
/// # Errors
/// A value where a table of a subchart's values is wanted.
pub fn process_dependencies(chart: &mut Chart, values: &Table, warnings: &mut Warnings) -> Result<(), Error> {
    let fail = |error: Error| Error::new(format!("chart dependencies processing failed: {error}"));
    let place = chart.name().to_owned();
    select(chart, values, "", &place, warnings).map_err(fail)?;
    import(chart, warnings).map_err(fail)
}

/// `path` is where the chart's values lie, `place` the chart itself.
fn select(
    chart: &mut Chart,
    values: &Table,
    path: &str,
    place: &str,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    if !chart.metadata.has_dependencies {
        return Ok(());
    }
    rename(chart, place);
    let values = coalesce(chart, values, warnings)?;
    let dependencies = &mut chart.metadata.dependencies;
    for dependency in dependencies.iter_mut() {
        dependency.enabled = is_enabled(dependency, &values, path, warnings);
    }
    let disabled: Vec<String> = dependencies
        .iter()
        .filter(|dependency| !dependency.enabled)
        .map(|dependency| dependency.name.clone())
        .collect();
    chart
        .dependencies
        .retain(|subchart| !disabled.contains(&subchart.metadata.name));
    dependencies.retain(|dependency| !disabled.contains(&dependency.name));
    chart.metadata.has_dependencies = !dependencies.is_empty();
    for subchart in &mut chart.dependencies {
        let path = format!("{path}{}.", subchart.metadata.name);
        let place = format!("{place}/charts/{}", subchart.metadata.name);
        select(subchart, &values, &path, &place, warnings)?;
    }
    Ok(())
}

/// First the subcharts that no dependency names, then one for each dependency that has a chart of a fitting version.
fn rename(chart: &mut Chart, place: &str) {
    // from here on its subcharts take it for what it is
    let above = chart.former_path.take().unwrap_or_else(|| place.into());
    let fits = |dependency: &Dependency, subchart: &Chart| {
        dependency.name == subchart.metadata.name
            && is_compatible(&dependency.version, &subchart.metadata.version)
    };
    let is_named = |subchart: &Chart| {
        chart
            .metadata
            .dependencies
            .iter()
            .any(|dependency| fits(dependency, subchart))
    };
    let mut subcharts: Vec<Chart> = chart
        .dependencies
        .iter()
        .filter(|subchart| !is_named(subchart))
        .cloned()
        .collect();
    for dependency in &mut chart.metadata.dependencies {
        if let Some(subchart) = chart
            .dependencies
            .iter()
            .find(|subchart| fits(dependency, subchart))
        {
            let mut subchart = subchart.clone();
            detach(&mut subchart, &above);
            dependency.known_as().clone_into(&mut subchart.metadata.name);
            subcharts.push(subchart);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
    }
    chart.dependencies = subcharts;
}

/// Makes a clone what a copy is in the original: the chart and its subcharts are new, but what lies below those still goes by
/// the charts that were copied, and so by the old name. Two copies then have templates of equal paths, and one of each is lost.
fn detach(copy: &mut Chart, above: &str) {
    let former = copy.former_path.take();
    let former = former.unwrap_or_else(|| format!("{above}/charts/{}", copy.name()).into());
    for subchart in &mut copy.dependencies {
        if subchart.former_path.is_none() && !subchart.dependencies.is_empty() {
            subchart.former_path = Some(format!("{former}/charts/{}", subchart.name()).into());
        }
    }
}

/// The first condition that is there and a boolean decides; without one the tags; without those it takes part.
fn is_enabled(dependency: &Dependency, values: &Table, path: &str, warnings: &mut Warnings) -> bool {
    let name = &dependency.name;
    let mut decided = |what: String, value: Option<&Data>| match value {
        Some(Data::Bool(value)) => Some(*value),
        Some(_) => {
            warnings.add(format!(
                "returned non-bool value {what} chart={name}: it decides nothing, true or false is wanted"
            ));
            None
        }
        None => None,
    };
    let mut conditions = dependency
        .condition
        .trim()
        .split(',')
        .filter(|text| !text.is_empty());
    let condition = |condition: &str| {
        let value = values.scalar(&format!("{path}{condition}"));
        decided(format!("path={condition}"), value)
    };
    if let Some(decided) = conditions.find_map(condition) {
        return decided;
    }
    let tags = values.table("tags");
    let tag = |tag: &String| decided(format!("tag={tag}"), tags?.get(tag));
    let tags: Vec<bool> = dependency.tags.iter().filter_map(tag).collect();
    tags.is_empty() || tags.contains(&true)
}

fn import(chart: &mut Chart, warnings: &mut Warnings) -> Result<(), Error> {
    for subchart in &mut chart.dependencies {
        import(subchart, warnings)?;
    }
    if !chart.metadata.has_dependencies {
        return Ok(());
    }
    let mut values = merge_defaults(chart, warnings)?;
    let mut imports = Imports::default();
    for dependency in &chart.metadata.dependencies {
        for wanted in &dependency.import_values {
            let (child, parent) = match wanted {
                ImportValues::Path { child, parent } => (child.clone(), parent.as_str()),
                ImportValues::Export(name) => (format!("exports.{name}"), "."),
                ImportValues::Other => continue,
            };
            let source = format!("{}.{child}", dependency.name);
            if let Some(found) = values.table(&source) {
                let parent: Vec<&str> = if parent == "." {
                    Vec::new()
                } else {
                    parent.split('.').collect()
                };
                imports.add(&parent, found, &source);
                for (table, key) in imports.marks.nulls.drain(..) {
                    if let Some(table) = values.table_mut(&table) {
                        table.insert(key, Data::Null);
                    }
                }
            } else {
                warnings.add(format!(
                    "ImportValues missing table from chart chart={}: \"{source}\" is not a table",
                    dependency.name
                ));
            }
        }
    }
    for (place, source) in &imports.marks.shared {
        if let (Some(table), Some(own)) = (imports.table.table(place), values.table_mut(source)) {
            *own = table.clone();
        }
    }
    merge_tables(&mut values, imports.table, warnings);
    chart.values = values;
    Ok(())
}

/// What a chart imports from its subcharts.
#[derive(Default)]
struct Imports {
    table: Table,
    marks: Marks,
}

/// What imports leave behind in the subcharts' values.
#[derive(Default)]
struct Marks {
    /// Where a table lies here and in the subchart's values. The original puts the subchart's own table here, so what later
    /// imports add to it the subchart gets too.
    shared: Vec<(String, String)>,
    /// A table of the subchart's values and a key that is null there from now on: what an earlier import brought as null the
    /// original makes null in what it imports next.
    nulls: Vec<(String, Str)>,
}

impl Imports {
    /// Adds `found`, which lies at `source`, below `parent`; what is there already wins.
    fn add(&mut self, parent: &[&str], found: &Table, source: &str) {
        if found.is_empty() {
            // instead of an empty table the original puts a new one here: the subchart's own gets nothing
            return add(&mut self.table, parent, found, "", source, &mut Marks::default());
        }
        add(&mut self.table, parent, found, "", source, &mut self.marks);
    }
}

fn add(table: &mut Table, parent: &[&str], found: &Table, place: &str, source: &str, marks: &mut Marks) {
    let Some((key, parent)) = parent.split_first() else {
        let nulls = table.iter().filter(|(_, value)| value.is_null());
        marks
            .nulls
            .extend(nulls.map(|(key, _)| (source.to_owned(), key.clone())));
        for (key, value) in found.iter() {
            let (place, source) = (below(place, &key.to_str()), below(source, &key.to_str()));
            match (table.get_mut(key), value) {
                (None, value) => {
                    table.insert(key.clone(), value.clone());
                    if value.is_table() {
                        marks.shared.push((place, source));
                    }
                }
                (Some(Data::Table(table)), Data::Table(found)) => {
                    add(table, &[], found, &place, &source, marks)
                }
                _ => {}
            }
        }
        return;
    };
    let place = below(place, key);
    match table.get_mut(key) {
        None => {
            let inner = parent.iter().rfold(found.clone(), |inner, key| {
                [((*key).into(), Data::Table(inner))].into_iter().collect()
            });
            table.insert(*key, Data::Table(inner));
            marks.shared.push((
                parent.iter().fold(place, |place, key| below(&place, key)),
                source.to_owned(),
            ));
        }
        Some(Data::Table(table)) => add(table, parent, found, &place, source, marks),
        Some(_) => {}
    }
}

fn below(place: &str, key: &str) -> String {
    if place.is_empty() {
        key.to_owned()
    } else {
        format!("{place}.{key}")
    }
}
