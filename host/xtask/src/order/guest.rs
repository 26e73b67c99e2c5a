//! Puts the functions of a core module in an order.

use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, FunctionSection, Module, NameMap, NameSection};
use wasmparser::{CodeSectionReader, FunctionSectionReader, KnownCustom, Name, Parser, Payload, TypeRef};

/// The module with the functions that `order` names first, a line each, in its order; the others follow as they stood.
/// The error says what of the module cannot be read.
pub(crate) fn reorder(module: &[u8], order: &str) -> Result<Vec<u8>> {
    let functions = Functions::read(module)?;
    let mut rank = HashMap::new();
    for line in order.lines().filter(|line| !line.starts_with('#')) {
        let next = rank.len();
        rank.entry(line).or_insert(next);
    }
    let mut old_of_new: Vec<u32> = (0..functions.defined).collect();
    old_of_new.sort_by_key(|old| {
        let name = functions.names.get(&(functions.imported + old));
        name.and_then(|name| rank.get(name.as_str()).copied())
            .unwrap_or(usize::MAX)
    });
    let mut new_of_old = vec![0; old_of_new.len()];
    for (new, old) in (0_u32..).zip(&old_of_new) {
        *new_of_old
            .get_mut(*old as usize)
            .context("more functions than the module has")? = new;
    }
    let mut ordered = Module::new();
    let mut order = Order {
        imported: functions.imported,
        old_of_new,
        new_of_old,
    };
    match order.parse_core_module(&mut ordered, Parser::new(0), module) {
        Ok(()) => Ok(ordered.finish()),
        Err(error) => bail!("functions cannot be put in order: {error}"),
    }
}

/// The names of a module's functions by their indices, as an order has them.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) fn names(module: &[u8]) -> Result<HashMap<u32, String>> {
    Ok(Functions::read(module)?.names)
}

/// What of a function's name stays the same from build to build: all but the hash.
fn stable_name(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

/// The functions of a module, and the names of those that have one.
struct Functions {
    imported: u32,
    defined: u32,
    names: HashMap<u32, String>,
}

impl Functions {
    fn read(module: &[u8]) -> Result<Self> {
        let mut found = Self {
            imported: 0,
            defined: 0,
            names: HashMap::new(),
        };
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        found.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(functions) => found.defined = functions.count(),
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(names) = section.as_known() else {
                        continue;
                    };
                    for part in names {
                        let Name::Function(names) = part? else { continue };
                        for naming in names {
                            let naming = naming?;
                            found.names.insert(naming.index, stable_name(naming.name));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Writes a module again, its functions at other places.
struct Order {
    imported: u32,
    /// Both count from the first function that is not imported.
    old_of_new: Vec<u32>,
    new_of_old: Vec<u32>,
}

impl Order {
    /// The functions' items, which stand in the old order, in the new one.
    fn in_order<T: Clone>(&self, items: &[T]) -> Result<Vec<T>, Error> {
        let item = |old: &u32| items.get(*old as usize).cloned();
        let items = self.old_of_new.iter().map(item);
        items.collect::<Option<_>>().ok_or(Error::InvalidCodeSectionSize)
    }
}

impl Reencode for Order {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error> {
        let Some(defined) = function.checked_sub(self.imported) else {
            return Ok(function);
        };
        let new = self.new_of_old.get(defined as usize);
        Ok(self.imported + new.ok_or(Error::InvalidCodeSectionSize)?)
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let types = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for of_type in self.in_order(&types)? {
            functions.function(self.type_index(of_type)?);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for body in self.in_order(&bodies)? {
            self.parse_function_body(code, body)?;
        }
        Ok(())
    }

    /// Names stand by index, ascending.
    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Result<(), Error> {
        let Name::Function(map) = section else {
            return utils::parse_custom_name_subsection(self, names, section);
        };
        let mut named = Vec::new();
        for naming in map {
            let naming = naming?;
            named.push((self.function_index(naming.index)?, naming.name));
        }
        named.sort_unstable();
        let mut ordered = NameMap::new();
        for (index, name) in named {
            ordered.append(index, name);
        }
        names.functions(&ordered);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{
        ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, ImportSection,
        TableSection, TypeSection,
    };
    use wasmparser::Operator;

    /// Imports one function and has three; each of the three calls the one before it.
    fn module() -> Vec<u8> {
        let mut module = Module::new();
        let mut types = TypeSection::new();
        types.ty().function([], []);
        module.section(&types);
        let mut imports = ImportSection::new();
        imports.import("host", "log", EntityType::Function(0));
        module.section(&imports);
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for callee in 0..3 {
            functions.function(0);
            let mut body = Function::new([]);
            body.instructions().call(callee).end();
            code.function(&body);
        }
        module.section(&functions);
        let mut tables = TableSection::new();
        tables.table(wasm_encoder::TableType {
            element_type: wasm_encoder::RefType::FUNCREF,
            table64: false,
            minimum: 1,
            maximum: None,
            shared: false,
        });
        module.section(&tables);
        let mut exports = ExportSection::new();
        exports.export("run", ExportKind::Func, 3);
        module.section(&exports);
        let mut elements = ElementSection::new();
        elements.active(
            None,
            &ConstExpr::i32_const(0),
            Elements::Functions(vec![1].into()),
        );
        module.section(&elements);
        module.section(&code);
        let mut names = NameSection::new();
        let mut map = NameMap::new();
        let symbols = ["log", "one", "_ZN3two4call17h0123456789abcdefE", "three"];
        for (index, name) in (0..).zip(symbols) {
            map.append(index, name);
        }
        names.functions(&map);
        module.section(&names);
        module.finish()
    }

    /// Who calls whom, in the order of the functions; then what is exported, and what the table holds.
    fn shown(module: &[u8]) -> Vec<String> {
        let names = Functions::read(module).unwrap().names;
        let name = |index: u32| names.get(&index).unwrap().as_str();
        let mut shown = Vec::new();
        let mut calls = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload.unwrap() {
                Payload::ExportSection(exports) => {
                    for export in exports {
                        shown.push(format!("export {}", name(export.unwrap().index)));
                    }
                }
                Payload::ElementSection(elements) => {
                    for element in elements {
                        let wasmparser::ElementItems::Functions(functions) = element.unwrap().items else {
                            panic!("no functions");
                        };
                        shown.extend(
                            functions
                                .into_iter()
                                .map(|it| format!("table {}", name(it.unwrap()))),
                        );
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    for operator in body.get_operators_reader().unwrap() {
                        if let Operator::Call { function_index } = operator.unwrap() {
                            calls.push(function_index);
                        }
                    }
                }
                _ => {}
            }
        }
        for (caller, callee) in (1..).zip(calls) {
            shown.push(format!("{} calls {}", name(caller), name(callee)));
        }
        shown
    }

    #[test]
    fn functions_that_are_named_stand_first_and_are_who_they_were() {
        let ordered = reorder(&module(), "# a comment\nthree\nno longer there\ntwo::call\n").unwrap();
        let expected = [
            "export three",
            "table one",
            "three calls two::call",
            "two::call calls one",
            "one calls log",
        ];
        assert_eq!(shown(&ordered), expected);
    }

    #[test]
    fn without_an_order_nothing_moves() {
        assert_eq!(shown(&reorder(&module(), "").unwrap()), shown(&module()));
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(reorder(b"\0asm\x01\0\0\0\x0a\xff", "").is_err());
    }
}
