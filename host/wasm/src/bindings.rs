//! What wasmtime makes of `wit/`: the only place that knows the wire types.

#![allow(missing_docs, unreachable_pub, clippy::all)]

wasmtime::component::bindgen!({
    path: ["../../wit/types", "../../wit/host", "../../wit/render", "../../wit/transform", "../../wit/chart"],
    inline: "
        package sluice:everything@0.1.0;
        world everything {
            import sluice:host/tree@0.1.0;
            import sluice:host/revision@0.1.0;
            import sluice:host/log@0.1.0;
            import sluice:chart/lookup@0.1.0;
            export sluice:render/renderer@0.1.0;
            export sluice:transform/transformer@0.1.0;
            export sluice:chart/chart-renderer@0.1.0;
        }
    ",
    world: "sluice:everything/everything",
    imports: { default: trappable },
    additional_derives: [PartialEq, Eq],
});
