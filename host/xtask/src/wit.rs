//! `cargo xtask wit [--check]`: checks the contract in `wit/` and writes its reference.
//!
//! - every package parses, and every item is documented;
//! - what `wit/published/<package>/<version>/` holds is frozen: a package that still has that version must be the same,
//!   byte for byte (`wit/README.md` holds the law);
//! - `host/docs/reference/wit.md` is generated from it; `--check` fails where it is out of date instead of writing it.

use crate::shell;
use anyhow::{Context, Result, bail, ensure};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use wit_parser::{
    Docs, Function, Handle, Interface, PackageId, Resolve, Type, TypeDef, TypeDefKind,
    UnresolvedPackageGroup, WorldItem,
};

/// Folders of `wit/` that are packages, each after those that it uses.
const PACKAGES: [&str; 5] = ["types", "host", "render", "transform", "chart"];

pub(crate) fn run(args: &[String]) -> Result<()> {
    let root = shell::root();
    let (resolve, packages) = parse(&root.join("wit"))?;
    let undocumented = undocumented(&resolve, &packages);
    ensure!(
        undocumented.is_empty(),
        "without documentation:\n  {}",
        undocumented.join("\n  ")
    );
    let frozen = check_frozen(&root.join("wit"), &resolve, &packages)?;
    let reference = reference(&resolve, &packages)?;
    let path = root.join("host/docs/reference/wit.md");
    let is_current = fs::read_to_string(&path).ok().as_deref() == Some(reference.as_str());
    if args.iter().any(|arg| arg == "--check") {
        ensure!(
            is_current,
            "{} is out of date; run `cargo xtask wit`",
            path.display()
        );
    } else if !is_current {
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, reference)?;
    }
    println!(
        "wit: {} packages, all items documented, {frozen} published versions unchanged",
        packages.len()
    );
    Ok(())
}

fn parse(wit: &Path) -> Result<(Resolve, Vec<PackageId>)> {
    let mut resolve = Resolve::default();
    let mut packages = Vec::new();
    for package in PACKAGES {
        let folder = wit.join(package);
        let group =
            UnresolvedPackageGroup::parse_dir(&folder).with_context(|| folder.display().to_string())?;
        packages.push(
            resolve
                .push_group(group)
                .with_context(|| folder.display().to_string())?,
        );
    }
    Ok((resolve, packages))
}

/// A published version is frozen: its files lie beside those at work, and must not differ while the version is the same.
fn check_frozen(wit: &Path, resolve: &Resolve, packages: &[PackageId]) -> Result<usize> {
    let mut frozen = 0;
    for (id, folder) in packages.iter().zip(PACKAGES) {
        let package = &resolve
            .packages
            .get(*id)
            .context("the package was just parsed")?
            .name;
        let version = package
            .version
            .as_ref()
            .with_context(|| format!("wit/{folder}: the package has no version"))?;
        let published = wit.join("published").join(folder).join(version.to_string());
        if !published.is_dir() {
            continue;
        }
        for name in files(&published)?.into_iter().chain(files(&wit.join(folder))?) {
            let (then, now) = (
                fs::read(published.join(&name)).ok(),
                fs::read(wit.join(folder).join(&name)).ok(),
            );
            if then != now {
                bail!(
                    "wit/{folder}/{} differs from {package} as published; published versions are frozen: raise the version (wit/README.md says which)",
                    name.display()
                );
            }
        }
        frozen += 1;
    }
    Ok(frozen)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        names.push(PathBuf::from(entry?.file_name()));
    }
    names.sort();
    Ok(names)
}

/// Every item without documentation, as `sluice:types/objects.origin.path`.
fn undocumented(resolve: &Resolve, packages: &[PackageId]) -> Vec<String> {
    let mut missing = Vec::new();
    visit(resolve, packages, &mut |path, docs| {
        if docs.contents.as_deref().is_none_or(|text| text.trim().is_empty()) {
            missing.push(path.to_owned());
        }
    });
    missing
}

/// Calls `see` for every item that a reader of the contract meets.
fn visit(resolve: &Resolve, packages: &[PackageId], see: &mut dyn FnMut(&str, &Docs)) {
    for package in packages.iter().filter_map(|id| resolve.packages.get(*id)) {
        for (name, id) in &package.interfaces {
            let path = format!("{}/{name}", package.name);
            let Some(interface) = resolve.interfaces.get(*id) else {
                continue;
            };
            see(&path, &interface.docs);
            for (name, definition) in own_types(resolve, interface) {
                let path = format!("{path}.{name}");
                see(&path, &definition.docs);
                for (member, _, docs) in members(resolve, definition) {
                    see(&format!("{path}.{member}"), docs);
                }
            }
            for (name, function) in &interface.functions {
                see(&format!("{path}.{name}"), &function.docs);
            }
        }
        for (name, id) in &package.worlds {
            if let Some(world) = resolve.worlds.get(*id) {
                see(&format!("{}/{name}", package.name), &world.docs);
            }
        }
    }
}

/// The types that an interface defines, without those that it takes from another.
fn own_types<'a>(resolve: &'a Resolve, interface: &'a Interface) -> Vec<(&'a String, &'a TypeDef)> {
    let types = interface
        .types
        .iter()
        .filter_map(|(name, id)| Some((name, resolve.types.get(*id)?)));
    types
        .filter(|(_, definition)| !matches!(definition.kind, TypeDefKind::Type(Type::Id(_))))
        .collect()
}

/// The fields, cases or flags of a type: name, type, documentation.
fn members<'a>(resolve: &Resolve, definition: &'a TypeDef) -> Vec<(&'a str, String, &'a Docs)> {
    match &definition.kind {
        TypeDefKind::Record(record) => record
            .fields
            .iter()
            .map(|field| (field.name.as_str(), type_text(resolve, &field.ty), &field.docs))
            .collect(),
        TypeDefKind::Variant(variant) => variant
            .cases
            .iter()
            .map(|case| {
                let payload = case
                    .ty
                    .as_ref()
                    .map(|ty| type_text(resolve, ty))
                    .unwrap_or_default();
                (case.name.as_str(), payload, &case.docs)
            })
            .collect(),
        TypeDefKind::Enum(cases) => cases
            .cases
            .iter()
            .map(|case| (case.name.as_str(), String::new(), &case.docs))
            .collect(),
        TypeDefKind::Flags(flags) => flags
            .flags
            .iter()
            .map(|flag| (flag.name.as_str(), String::new(), &flag.docs))
            .collect(),
        _ => Vec::new(),
    }
}

/// The reference page.
fn reference(resolve: &Resolve, packages: &[PackageId]) -> Result<String> {
    let mut page = String::from(
        "# The plugin contract\n\n\
         <!-- generated by `cargo xtask wit`; edit wit/ instead -->\n\n\
         What a component may import and what it may export, by package. `wit/README.md` says how it may change.\n",
    );
    for package in packages.iter().filter_map(|id| resolve.packages.get(*id)) {
        write!(page, "\n## `{}`\n", package.name)?;
        for (name, id) in &package.worlds {
            let Some(world) = resolve.worlds.get(*id) else {
                continue;
            };
            write!(page, "\n### world `{name}`\n\n{}\n\n", text(&world.docs))?;
            for (verb, items) in [("imports", &world.imports), ("exports", &world.exports)] {
                for item in items.values() {
                    if let WorldItem::Interface { id, .. } = item {
                        writeln!(
                            page,
                            "- {verb} `{}`",
                            resolve
                                .id_of(*id)
                                .context("an interface of a package has a name")?
                        )?;
                    }
                }
            }
        }
        for (name, id) in &package.interfaces {
            let Some(interface) = resolve.interfaces.get(*id) else {
                continue;
            };
            write!(page, "\n### interface `{name}`\n\n{}\n", text(&interface.docs))?;
            for (name, definition) in own_types(resolve, interface) {
                write!(
                    page,
                    "\n#### {} `{name}`\n\n{}\n\n",
                    definition.kind.as_str(),
                    text(&definition.docs)
                )?;
                for (member, ty, docs) in members(resolve, definition) {
                    let ty = if ty.is_empty() {
                        String::new()
                    } else {
                        format!(" `{ty}`")
                    };
                    writeln!(page, "- `{member}`{ty}: {}", text(docs).replace('\n', " "))?;
                }
            }
            for (name, function) in &interface.functions {
                write!(
                    page,
                    "\n#### func `{name}{}`\n\n{}\n",
                    signature(resolve, function),
                    text(&function.docs)
                )?;
            }
        }
    }
    Ok(page)
}

fn text(docs: &Docs) -> &str {
    docs.contents.as_deref().unwrap_or_default().trim()
}

fn signature(resolve: &Resolve, function: &Function) -> String {
    let parameters: Vec<String> = function
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, type_text(resolve, &param.ty)))
        .collect();
    let result = function
        .result
        .as_ref()
        .map(|ty| format!(" -> {}", type_text(resolve, ty)))
        .unwrap_or_default();
    format!("({}){result}", parameters.join(", "))
}

/// A type as WIT spells it.
fn type_text(resolve: &Resolve, ty: &Type) -> String {
    let Type::Id(id) = ty else {
        return primitive(ty).to_owned();
    };
    let Some(definition) = resolve.types.get(*id) else {
        return String::new();
    };
    if let Some(name) = &definition.name {
        return name.clone();
    }
    let inner = |ty: &Type| type_text(resolve, ty);
    match &definition.kind {
        TypeDefKind::List(ty) => format!("list<{}>", inner(ty)),
        TypeDefKind::Option(ty) => format!("option<{}>", inner(ty)),
        TypeDefKind::Tuple(tuple) => format!(
            "tuple<{}>",
            tuple.types.iter().map(inner).collect::<Vec<_>>().join(", ")
        ),
        TypeDefKind::Result(result) => {
            let part = |ty: &Option<Type>| ty.as_ref().map_or_else(|| "_".to_owned(), inner);
            format!("result<{}, {}>", part(&result.ok), part(&result.err))
        }
        TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => inner(&Type::Id(*id)),
        TypeDefKind::Type(ty) => inner(ty),
        other => other.as_str().to_owned(),
    }
}

fn primitive(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::S8 => "s8",
        Type::S16 => "s16",
        Type::S32 => "s32",
        Type::S64 => "s64",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::String => "string",
        _ => "error-context",
    }
}
