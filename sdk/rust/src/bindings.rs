//! What wit-bindgen makes of `wit/`: one module per role, because a component exports the roles it has and no others.

#![allow(missing_docs, unreachable_pub, unsafe_code, clippy::all, clippy::restriction)]

pub mod renderer {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/render"],
        inline: "
            package sluice:sdk-renderer;
            world renderer {
                import sluice:host/tree@0.1.0;
                import sluice:host/revision@0.1.0;
                import sluice:host/log@0.1.0;
                export sluice:render/renderer@0.1.0;
            }
        ",
        world: "sluice:sdk-renderer/renderer",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_renderer",
        default_bindings_module: "sluice_sdk::__private::renderer",
        runtime_path: "::sluice_sdk::__private::rt",
    });
}

pub mod chart_renderer {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/chart"],
        inline: "
            package sluice:sdk-chart-renderer;
            world chart-renderer {
                import sluice:host/tree@0.1.0;
                import sluice:host/log@0.1.0;
                import sluice:chart/lookup@0.1.0;
                export sluice:chart/chart-renderer@0.1.0;
            }
        ",
        world: "sluice:sdk-chart-renderer/chart-renderer",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_chart_renderer",
        default_bindings_module: "sluice_sdk::__private::chart_renderer",
        with: {
            "sluice:types/objects@0.1.0": crate::bindings::renderer::sluice::types::objects,
            "sluice:types/results@0.1.0": crate::bindings::renderer::sluice::types::results,
            "sluice:host/tree@0.1.0": crate::bindings::renderer::sluice::host::tree,
            "sluice:host/log@0.1.0": crate::bindings::renderer::sluice::host::log,
        },
        runtime_path: "::sluice_sdk::__private::rt",
    });
}

pub mod transformer {
    wit_bindgen::generate!({
        path: ["../../wit/types", "../../wit/host", "../../wit/transform"],
        inline: "
            package sluice:sdk-transformer;
            world transformer {
                import sluice:host/log@0.1.0;
                export sluice:transform/transformer@0.1.0;
            }
        ",
        world: "sluice:sdk-transformer/transformer",
        generate_all,
        pub_export_macro: true,
        export_macro_name: "export_transformer",
        default_bindings_module: "sluice_sdk::__private::transformer",
        with: {
            "sluice:types/objects@0.1.0": crate::bindings::renderer::sluice::types::objects,
            "sluice:types/results@0.1.0": crate::bindings::renderer::sluice::types::results,
            "sluice:host/log@0.1.0": crate::bindings::renderer::sluice::host::log,
        },
        runtime_path: "::sluice_sdk::__private::rt",
    });
}
