//! All roles in one component, made with the SDK alone.

use sluice_sdk::chart_renderer::{Chart, ChartRenderer, ChartRequest, Cluster};
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

/// Looks up a Secret of the team's name; its notes are what is found.
impl ChartRenderer for TeamLabel {
    fn render(&self, _: &Tree, cluster: &Cluster, _: ChartRequest, _: &Context) -> Result<Chart> {
        let id = ObjectId {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some("apps".to_owned()),
            name: self.team.clone(),
        };
        let found = cluster.lookup(&id).map_err(Failure::terminal)?;
        Ok(Chart {
            notes: Some(found.map_or("nothing".to_owned(), |body| {
                String::from_utf8_lossy(&body).into_owned()
            })),
            ..Chart::default()
        })
    }
}

sluice_sdk::export!(transformer: TeamLabel, renderer: TeamLabel, chart_renderer: TeamLabel);
