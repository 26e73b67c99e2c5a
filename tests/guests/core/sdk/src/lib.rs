//! Both roles in one component, made with the SDK alone.

use sluice_sdk::renderer::*;
use sluice_sdk::transformer::Transformer;

/// Adds a team label to every object.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TeamLabel {
    /// The label's value.
    team: String,
}

impl Transformer for TeamLabel {
    fn transform(&self, objects: &mut Objects, context: &Context) -> Result<()> {
        if self.team == "panic" {
            let none: Option<&str> = None;
            none.expect("a team has a name");
        }
        for object in objects.iter_mut() {
            object.set_label("team", &self.team);
            context.report(Finding::new(Severity::Info, "labeled").about(object));
        }
        sluice_sdk::info!(team = self.team; "{} objects", objects.len());
        Ok(())
    }
}

impl Renderer for TeamLabel {
    fn render(&self, tree: &Tree, path: &str, _: &Context) -> Result<Objects> {
        let mut objects = Objects::default();
        for entry in tree.walk(path)? {
            let text = String::from_utf8(tree.read(&entry.path)?)?;
            let file = entry.path.trim_start_matches("/source/");
            for mut object in testing::objects_from_yaml(&text, Some(file))? {
                object.set_label("team", &self.team);
                objects.push(object);
            }
        }
        Ok(objects)
    }
}

sluice_sdk::export!(transformer: TeamLabel, renderer: TeamLabel);
