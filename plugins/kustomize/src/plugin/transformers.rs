//! Transformers from their configurations.

use sluice_yaml::Node;

use super::{Config, load_replacements};
use crate::{
    Text,
    error::{Context as _, Error, Result},
    files::base_name,
    kustomization::{
        Decoder, Field, FieldSpec, Image, Patch, Replacement, Replica, Spot, decode_patch_options,
        decode_selector,
    },
    read,
    selector::Selector,
    transform::{
        Place, Transformer,
        images::ImageTransformer,
        labels::PairsTransformer,
        namespace::{NamespaceTransformer, Subjects},
        patches::StrategicMerge,
        prefix_suffix::{Affix, End},
        replicas::ReplicaTransformer,
        values::{ValueAddTransformer, ValueTarget},
    },
};

impl Config<'_> {
    pub(super) fn pairs(&self, names: &'static [&'static str; 2]) -> Result<PairsTransformer> {
        let mut transformer = PairsTransformer {
            pairs: Default::default(),
            places: Vec::new(),
        };
        self.fields(names, |d, name, node, field| {
            match name {
                "fieldSpecs" => transformer.places = Place::all(&FieldSpec::decode_list(d, node, field)?),
                _ => transformer.pairs = d.map(node, field)?,
            }
            Ok(())
        })?;
        Ok(transformer)
    }

    pub(super) fn affix(&self, end: End) -> Result<Affix> {
        let mut affix = Affix {
            end,
            text: Text::default(),
            places: Vec::new(),
        };
        let mut has_places = false;
        let names: &'static [&'static str] = match end {
            End::Prefix => &["prefix", "fieldSpecs"],
            End::Suffix => &["suffix", "fieldSpecs"],
        };
        self.fields(names, |d, name, node, field| {
            match name {
                "fieldSpecs" => {
                    affix.places = Place::all(&FieldSpec::decode_list(d, node, field)?);
                    has_places = true;
                }
                _ => affix.text = d.text(node, field)?,
            }
            Ok(())
        })?;
        if has_places {
            Ok(affix)
        } else {
            Err(Error::new("fieldSpecs is not expected to be nil"))
        }
    }

    pub(super) fn image(&self) -> Result<Transformer> {
        let (mut image, mut places) = (Image::default(), Vec::new());
        self.fields(&["imageTag", "fieldSpecs"], |d, name, node, field| {
            match name {
                "imageTag" => image = Image::decode(d, node, field)?,
                _ => places = Place::all(&FieldSpec::decode_list(d, node, field)?),
            }
            Ok(())
        })?;
        Ok(Transformer::Image(ImageTransformer::new(&image, places)))
    }

    pub(super) fn namespace(&self) -> Result<NamespaceTransformer> {
        let mut transformer = NamespaceTransformer {
            namespace: Text::default(),
            places: Vec::new(),
            unset_only: false,
            subjects: Subjects::Default,
        };
        let mut mode = Text::default();
        self.fields(
            &["metadata", "fieldSpecs", "unsetOnly", "setRoleBindingSubjects"],
            |d, name, node, field| {
                match name {
                    "metadata" => {
                        let namespace = node.get("namespace").filter(|n| !n.is_null());
                        transformer.namespace = namespace
                            .map(|n| d.text(n, field))
                            .transpose()?
                            .unwrap_or_default();
                    }
                    "fieldSpecs" => transformer.places = Place::all(&FieldSpec::decode_list(d, node, field)?),
                    "unsetOnly" => transformer.unset_only = d.flag(node, field)?,
                    _ => mode = d.text(node, field)?,
                }
                Ok(())
            },
        )
        .wrap(|| "unmarshalling NamespaceTransformer config".into())?;
        transformer.subjects = match mode.as_str() {
            "" | "defaultOnly" => Subjects::Default,
            "allServiceAccounts" => Subjects::ServiceAccounts,
            "none" => Subjects::None,
            other => {
                return Err(Error::new(format!(
                    "invalid value {} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \"allServiceAccounts\"",
                    crate::go::quote(other)
                )));
            }
        };
        Ok(transformer)
    }

    pub(super) fn patch(&self, text_field: &'static str) -> Result<Patch> {
        let mut patch = Patch {
            at: self.node.position,
            ..Patch::default()
        };
        self.fields(
            &["path", "patch", "jsonOp", "target", "options"],
            |d, name, node, field| {
                match name {
                    "path" => patch.path = d.text(node, field)?,
                    "target" => patch.target = Some(decode_selector(d, node, field)?),
                    "options" => patch.options = Some(decode_patch_options(d, node, field)?),
                    name if name == text_field => {
                        patch.patch = d.text(node, field)?;
                        patch.text_at = node.position;
                    }
                    _ => {}
                }
                Ok(())
            },
        )?;
        Ok(patch)
    }

    pub(super) fn strategic_merge(&self) -> Result<Transformer> {
        let (mut paths, mut inline) = (Vec::<Spot<Text>>::new(), Text::default());
        self.fields(&["paths", "patches"], |d, name, node, field| {
            match name {
                "paths" => paths = d.spots(node, field)?,
                _ => inline = d.text(node, field)?,
            }
            Ok(())
        })?;
        Ok(Transformer::StrategicMerge(StrategicMerge::load(
            self.loader,
            &paths,
            &inline,
            self.file,
        )?))
    }

    pub(super) fn replacements(&self) -> Result<Transformer> {
        let mut list = Vec::new();
        self.fields(&["replacements"], |d, _, node, field| {
            list = d.list(node, field, "types.ReplacementField", |node, field| {
                Replacement::decode(d, node, field)
            })?;
            Ok(())
        })?;
        Ok(Transformer::Replacements(load_replacements(
            &list,
            self.loader,
            self.file,
        )?))
    }

    pub(super) fn replicas(&self) -> Result<Transformer> {
        let (mut replica, mut places) = (Replica::default(), Vec::new());
        self.fields(&["replica", "fieldSpecs"], |d, name, node, field| {
            match name {
                "replica" => replica = Replica::decode(d, node, field)?,
                _ => places = Place::all(&FieldSpec::decode_list(d, node, field)?),
            }
            Ok(())
        })?;
        Ok(Transformer::Replicas(ReplicaTransformer { replica, places }))
    }

    pub(super) fn value_add(&self) -> Result<Transformer> {
        let (mut value, mut targets, mut path) = (Text::default(), Vec::new(), Text::default());
        self.fields(&["value", "targets", "targetFilePath"], |d, name, node, field| {
            match name {
                "value" => value = d.text(node, field)?.trim().into(),
                "targets" => targets = decode_value_targets(d, node, field)?,
                _ => path = d.text(node, field)?,
            }
            Ok(())
        })?;
        if value.is_empty() {
            value = base_name(self.loader.root()).into();
        }
        if !path.is_empty() {
            let document = read::document_v2(&self.loader.load(&path)?, &self.loader.resolve(&path))?;
            let d = self.decoder();
            let field = Field {
                path: "targets",
                ..Field::top("Plugin")
            };
            if let Some(node) = document.get("targets") {
                targets.append(&mut decode_value_targets(&d, node, field)?);
            }
        }
        if targets.is_empty() {
            return Err(Error::new("must specify at least one target"));
        }
        Ok(Transformer::Values(ValueAddTransformer { value, targets }))
    }
}

fn decode_value_targets(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Vec<ValueTarget>> {
    d.list(node, field, "builtins.Target", |node, field| {
        let mut target = ValueTarget {
            selector: None,
            field_path: Text::default(),
            file_path_position: 0,
        };
        let mut position = 0;
        d.object(
            node,
            field,
            "Target",
            &["selector", "fieldPath", "filePathPosition"],
            |name, node, field, _| {
                match name {
                    "selector" => target.selector = Some(Selector::new(&decode_selector(d, node, field)?)?),
                    "fieldPath" => target.field_path = d.text(node, field)?,
                    _ => position = d.int(node, field, "int")?,
                }
                Ok(())
            },
        )?;
        if target.field_path.is_empty() {
            return Err(Error::new("fieldPath cannot be empty"));
        }
        target.file_path_position = usize::try_from(position).map_err(|_| {
            Error::new(format!(
                "value of FilePathPosition ({position}) cannot be negative"
            ))
        })?;
        Ok(target)
    })
}
