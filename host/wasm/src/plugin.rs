//! A loaded component: checked, compiled, linked, ready to be called.

use crate::binary::{self, Metadata};
use crate::bindings::exports::sluice::{chart, render, transform};
use crate::call::call;
use crate::engine::Engine;
use crate::imports::{self, Import};
use crate::limits::Limits;
use crate::roles::Inputs;
use crate::roles::Role;
use crate::state::CallState;
use crate::{Error, LoadError};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre};

/// A component that may be called. Holds no state between calls.
pub struct Plugin {
    name: Arc<str>,
    digest: String,
    metadata: Metadata,
    limits: Limits,
    imports: Vec<String>,
    wants_wasi: bool,
    exports: Exports,
    pre: InstancePre<CallState>,
    engine: Arc<Engine>,
}

/// The roles that a component exports, as places to look them up in an instance.
#[derive(Default)]
pub(crate) struct Exports {
    pub(crate) renderer: Option<render::renderer::GuestIndices>,
    pub(crate) transformer: Option<transform::transformer::GuestIndices>,
    pub(crate) chart_renderer: Option<chart::chart_renderer::GuestIndices>,
}

impl Plugin {
    /// Loads somebody's component: checks it, then compiles it. Takes a second for a large one, so call it where blocking is allowed.
    pub fn compile(
        engine: &Arc<Engine>,
        name: &str,
        bytes: &[u8],
        limits: Limits,
    ) -> Result<Arc<Self>, LoadError> {
        let metadata = binary::inspect(name, bytes)?;
        let component =
            Component::new(engine.wasmtime(), bytes).map_err(|error| LoadError::NotAComponent {
                plugin: name.to_owned(),
                what: format!("is not valid: {error:#}"),
            })?;
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(bytes)));
        Self::link(engine, name, digest, metadata, component, limits)
    }

    /// Loads one of our own components from code compiled ahead of time. `digest` is that of the component it was made from.
    ///
    /// Only for bytes that are part of this program: they are run as native code.
    #[cfg(feature = "builtin")]
    pub(crate) fn precompiled(
        engine: &Arc<Engine>,
        name: &str,
        digest: &str,
        code: &'static [u8],
        limits: Limits,
    ) -> Result<Arc<Self>, LoadError> {
        // SAFETY: wasmtime cannot check native code, so it asks that the bytes come from its own compiler unchanged.
        // They are embedded in this program by its build, beside the code that runs them.
        #[allow(unsafe_code)]
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        let component = unsafe { crate::in_place::load(engine.wasmtime(), code) };
        // other processors have caches of instructions to look after, and other systems other rules: there it is copied
        #[allow(unsafe_code)]
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        let component = unsafe { Component::deserialize(engine.wasmtime(), code) };
        let component = component.map_err(|error| LoadError::StalePrecompiled {
            plugin: name.to_owned(),
            what: format!("{error:#}"),
        })?;
        Self::link(
            engine,
            name,
            digest.to_owned(),
            Metadata::default(),
            component,
            limits,
        )
    }

    fn link(
        engine: &Arc<Engine>,
        name: &str,
        digest: String,
        metadata: Metadata,
        component: Component,
        limits: Limits,
    ) -> Result<Arc<Self>, LoadError> {
        let component_type = component.component_type();
        let mut imports: Vec<String> = component_type
            .imports(engine.wasmtime())
            .map(|(import, _)| import.to_owned())
            .collect();
        let mut wants_wasi = false;
        // toolchains order them as they like
        imports.sort_unstable();
        for import in &imports {
            wants_wasi |= imports::check(name, import)? == Import::Hollow;
        }
        let exported: Vec<String> = component_type
            .exports(engine.wasmtime())
            .map(|(export, _)| export.to_owned())
            .collect();
        if !Role::ALL
            .iter()
            .any(|role| exported.iter().any(|export| export == role.export()))
        {
            return Err(LoadError::NoRole {
                plugin: name.to_owned(),
                known: join(Role::ALL.map(Role::export)),
                exports: if exported.is_empty() {
                    "nothing".to_owned()
                } else {
                    join(exported)
                },
            });
        }
        let incompatible = |error: wasmtime::Error| LoadError::PluginIncompatible {
            plugin: name.to_owned(),
            what: format!("{error:#}"),
        };
        let pre = engine
            .linker()
            .instantiate_pre(&component)
            .map_err(incompatible)?;
        let has = |role: Role| exported.iter().any(|export| export == role.export());
        let exports = Exports {
            renderer: has(Role::Renderer)
                .then(|| render::renderer::GuestIndices::new(&pre))
                .transpose()
                .map_err(incompatible)?,
            transformer: has(Role::Transformer)
                .then(|| transform::transformer::GuestIndices::new(&pre))
                .transpose()
                .map_err(incompatible)?,
            chart_renderer: has(Role::ChartRenderer)
                .then(|| chart::chart_renderer::GuestIndices::new(&pre))
                .transpose()
                .map_err(incompatible)?,
        };
        let engine = Arc::clone(engine);
        Ok(Arc::new(Self {
            name: name.into(),
            digest,
            metadata,
            limits,
            imports,
            wants_wasi,
            exports,
            pre,
            engine,
        }))
    }

    /// Its name, as messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `sha256:…` of the component.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What one call of it may use.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What it imports, sorted.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The roles that it exports.
    pub fn roles(&self) -> Vec<Role> {
        let has = |role: &Role| match role {
            Role::Renderer => self.exports.renderer.is_some(),
            Role::Transformer => self.exports.transformer.is_some(),
            Role::ChartRenderer => self.exports.chart_renderer.is_some(),
        };
        Role::ALL.into_iter().filter(has).collect()
    }

    /// Makes an instance and drops it: whether the component starts, and whether its roles have the types of the contract.
    pub fn check_start(&self) -> Result<(), Error> {
        let load = |store: &mut Store<CallState>, instance: &Instance| {
            if let Some(renderer) = &self.exports.renderer {
                renderer.load(&mut *store, instance)?;
            }
            if let Some(transformer) = &self.exports.transformer {
                transformer.load(&mut *store, instance)?;
            }
            if let Some(renderer) = &self.exports.chart_renderer {
                renderer.load(&mut *store, instance)?;
            }
            Ok(())
        };
        call(self, Inputs::none(), load).map(|_| ())
    }

    pub(crate) fn exports(&self) -> &Exports {
        &self.exports
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn pre(&self) -> &InstancePre<CallState> {
        &self.pre
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    pub(crate) fn wants_wasi(&self) -> bool {
        self.wants_wasi
    }

    pub(crate) fn other_role(&self, wanted: Role) -> LoadError {
        LoadError::OtherRole {
            plugin: self.name.to_string(),
            wanted,
            exports: join(self.roles()),
        }
    }
}

fn join(items: impl IntoIterator<Item = impl ToString>) -> String {
    items
        .into_iter()
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(", ")
}
