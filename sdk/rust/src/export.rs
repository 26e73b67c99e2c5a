//! From a plugin's struct to a component: what [`crate::export!`] expands to.

use schemars::JsonSchema;
use serde_json::json;

/// Makes a component of a plugin's struct, with one role or several.
///
/// ```text
/// sluice_sdk::export!(transformer: TeamLabel);
/// sluice_sdk::export!(renderer: Jsonnet, transformer: Jsonnet);
/// ```
///
/// The roles are `renderer`, `transformer` and `chart_renderer`. The configuration schema that the component carries is that of the first.
/// Natively it expands to nothing but a check that the traits are there.
#[macro_export]
macro_rules! export {
    ($role:ident: $plugin:ty $(, $other_role:ident: $other_plugin:ty)* $(,)?) => {
        $crate::export_role!($role: $plugin);
        $($crate::export_role!($other_role: $other_plugin);)*

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            // the build calls it once, and keeps the answer in a section of the component
            #[allow(unsafe_code)]
            #[unsafe(no_mangle)]
            extern "C" fn sluice_describe() -> i64 {
                $crate::__private::guest::leak($crate::__private::describe::<$plugin>())
            }
        };
    };
}

/// One role of [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_role {
    (transformer: $plugin:ty) => {
        const _: () = {
            const fn is_a_transformer<T: $crate::transformer::Transformer>() {}
            is_a_transformer::<$plugin>();
        };

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            use $crate::__private::transformer as bindings;
            struct Component;
            impl bindings::exports::sluice::transform::transformer::Guest for Component {
                fn transform(
                    request: bindings::exports::sluice::transform::transformer::Request,
                ) -> Result<
                    bindings::exports::sluice::transform::transformer::Transformed,
                    bindings::exports::sluice::transform::transformer::Failure,
                > {
                    $crate::__private::guest::transform::<$plugin>(request)
                }
            }
    bindings::export_transformer!(Component with_types_in bindings);
        };
    };
    (chart_renderer: $plugin:ty) => {
        const _: () = {
            const fn is_a_chart_renderer<T: $crate::chart_renderer::ChartRenderer>() {}
            is_a_chart_renderer::<$plugin>();
        };

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            use $crate::__private::chart_renderer as bindings;
            struct Component;
            impl bindings::exports::sluice::chart::chart_renderer::Guest for Component {
                fn render(
                    request: bindings::exports::sluice::chart::chart_renderer::Request,
                ) -> Result<
                    bindings::exports::sluice::chart::chart_renderer::Rendered,
                    bindings::exports::sluice::chart::chart_renderer::Failure,
                > {
                    $crate::__private::chart::render::<$plugin>(request)
                }
            }
    bindings::export_chart_renderer!(Component with_types_in bindings);
        };
    };
    (renderer: $plugin:ty) => {
        const _: () = {
            const fn is_a_renderer<T: $crate::renderer::Renderer>() {}
            is_a_renderer::<$plugin>();
        };

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            use $crate::__private::renderer as bindings;
            struct Component;
            impl bindings::exports::sluice::render::renderer::Guest for Component {
                fn render(
                    request: bindings::exports::sluice::render::renderer::Request,
                ) -> Result<
                    bindings::exports::sluice::render::renderer::Rendered,
                    bindings::exports::sluice::render::renderer::Failure,
                > {
                    $crate::__private::guest::render::<$plugin>(request)
                }
            }
    bindings::export_renderer!(Component with_types_in bindings);
        };
    };
}

/// What a plugin says about itself, as JSON: `{"minHost": …, "configSchema": …}`. The build turns it into sections.
pub fn describe<T: JsonSchema>() -> String {
    json!({"minHost": crate::MIN_HOST, "configSchema": schemars::schema_for!(T)}).to_string()
}

/// The guest's side of a call of a chart renderer.
#[cfg(target_arch = "wasm32")]
#[path = "export/chart.rs"]
pub mod chart;

/// The guest's side of a call: from the wire, to the plugin, and back.
#[cfg(target_arch = "wasm32")]
pub mod guest {
    use crate::bindings::renderer::sluice::types::{objects as o, results as r};
    use crate::bindings::{renderer, transformer};
    use crate::failure::{Failure, Report};
    use crate::renderer::Renderer;
    use crate::transformer::Transformer;
    use crate::{Context, Finding, Object, ObjectId, Objects, Origin, Severity, Tree};
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value};

    use renderer::exports::sluice::render::renderer as render_wit;
    use transformer::exports::sluice::transform::transformer as transform_wit;

    /// One call of a transformer.
    pub fn transform<T: Transformer>(
        request: transform_wit::Request,
    ) -> Result<transform_wit::Transformed, r::Failure> {
        crate::log::install_panic_hook();
        let run = || {
            let plugin: T = config(&request.config)?;
            let mut objects: Objects = request
                .items
                .into_iter()
                .map(object_from_wire)
                .collect::<Result<_, _>>()?;
            let context = context(request.context);
            plugin.transform(&mut objects, &context)?;
            Ok((objects, context.into_findings()))
        };
        let (objects, findings) = run().map_err(failure)?;
        Ok(transform_wit::Transformed {
            items: to_wire(objects),
            findings: findings.into_iter().map(finding).collect(),
        })
    }

    /// One call of a renderer.
    pub fn render<T: Renderer>(request: render_wit::Request) -> Result<render_wit::Rendered, r::Failure> {
        crate::log::install_panic_hook();
        let run = || {
            let plugin: T = config(&request.config)?;
            let context = context(request.context);
            let objects = plugin.render(&Tree::default(), &request.path, &context)?;
            Ok((objects, context.into_findings()))
        };
        let (objects, findings) = run().map_err(failure)?;
        Ok(render_wit::Rendered {
            objects: to_wire(objects),
            findings: findings.into_iter().map(finding).collect(),
        })
    }

    /// Hands a text to whoever called from outside: its address in the upper half, its size in the lower.
    pub fn leak(text: String) -> i64 {
        let text: &'static str = text.leak();
        ((text.as_ptr() as i64) << 32) | text.len() as i64
    }

    pub(super) fn config<T: DeserializeOwned>(config: &[u8]) -> Result<T, Failure> {
        serde_json::from_slice(config).map_err(|error| {
            Failure::terminal(format!("configuration: {error}")).with_reason("InvalidConfig")
        })
    }

    pub(super) fn context(wire: o::Context) -> Context {
        Context::new(
            id_from_wire(wire.subject),
            wire.kube_version,
            wire.api_versions,
            wire.labels,
        )
    }

    fn id_from_wire(wire: o::ObjectId) -> ObjectId {
        ObjectId {
            api_version: wire.api_version,
            kind: wire.kind,
            namespace: wire.namespace,
            name: wire.name,
        }
    }

    pub(super) fn id_to_wire(id: ObjectId) -> o::ObjectId {
        o::ObjectId {
            api_version: id.api_version,
            kind: id.kind,
            namespace: id.namespace,
            name: id.name,
        }
    }

    fn object_from_wire(wire: o::Object) -> Result<Object, Failure> {
        let body: Map<String, Value> = serde_json::from_slice(&wire.body)?;
        let origin = wire.origin.map(|origin| Origin {
            path: origin.path,
            index: origin.index,
            line: origin.line,
        });
        Ok(Object::new(body).with_origin(origin))
    }

    fn to_wire(objects: Objects) -> Vec<o::Object> {
        objects.into_iter().map(object_to_wire).collect()
    }

    pub(super) fn object_to_wire(object: Object) -> o::Object {
        o::Object {
            id: id_to_wire(object.id()),
            origin: object.origin().map(|origin| o::Origin {
                path: origin.path.clone(),
                index: origin.index,
                line: origin.line,
            }),
            body: object.into_json(),
        }
    }

    pub(super) fn failure(failure: Failure) -> r::Failure {
        let report = |report: Report| r::Report {
            reason: report.reason,
            message: report.message,
            findings: report.findings.into_iter().map(finding).collect(),
        };
        match failure {
            Failure::Terminal(inner) => r::Failure::Terminal(report(inner)),
            Failure::Transient(inner) => r::Failure::Transient(report(inner)),
        }
    }

    pub(super) fn finding(finding: Finding) -> r::Finding {
        r::Finding {
            severity: match finding.severity {
                Severity::Error => r::Severity::Error,
                Severity::Warning => r::Severity::Warning,
                Severity::Info => r::Severity::Info,
            },
            message: finding.message,
            code: finding.code,
            object: finding.object.map(id_to_wire),
            field: finding.field,
            file: finding.file,
            line: finding.line,
            hint: finding.hint,
        }
    }
}
