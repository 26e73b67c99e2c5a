//! `images`.

use regex_lite::Regex;
use sluice_yaml::{Node, Value};

use super::Place;
use crate::{
    build::Session,
    error::Result,
    fields::{self, Kind},
    kustomization::Image,
    objects::Objects,
    pattern,
};

/// A configured ImageTagTransformer.
#[derive(Clone, Debug)]
pub(crate) struct ImageTransformer {
    image: Image,
    /// None where the name is no expression.
    pattern: Option<Regex>,
    places: Vec<Place>,
}

/// The name is an expression anchored at both ends; a tag and a digest may follow.
fn pattern_of(image: &Image) -> Result<Regex> {
    let expression = format!(
        "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
        image.name
    );
    pattern::checked(&expression).map_err(|error| {
        error
            .on_field("images.name")
            .help("the name of an image is a regular expression; escape its special characters")
    })
}

impl ImageTransformer {
    pub(crate) fn new(image: &Image, places: Vec<Place>) -> Self {
        Self {
            image: image.clone(),
            // who meets no image never hears of it, as in the original
            pattern: pattern_of(image).ok(),
            places,
        }
    }

    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        for at in 0..objects.len() {
            objects.modify(at, &session.schema, |object| {
                if object.kind() == "CustomResourceDefinition" {
                    return Ok(());
                }
                self.walk(&mut object.node)
                    .map_err(|e| e.at(&object.source.file, object.position()))?;
                let gvk = object.gvk();
                self.places
                    .iter()
                    .try_for_each(|place| place.visit(object, &gvk, None, &mut |field| self.update(field)))
            })?;
        }
        Ok(())
    }

    /// Every list named `containers` or `initContainers`, at any depth.
    fn walk(&self, node: &mut Node) -> Result<()> {
        match &mut node.value {
            Value::Mapping(entries, _) => {
                for (key, value) in entries {
                    self.walk(value)?;
                    if value.is_sequence() && matches!(fields::raw(key), "containers" | "initContainers") {
                        for container in value.items_mut().into_iter().flatten() {
                            fields::expect_kind(container, Kind::Mapping)?;
                            if let Some(image) = container.get_mut("image") {
                                self.update(image)?;
                            }
                        }
                    }
                }
                Ok(())
            }
            Value::Sequence(items, _) => items.iter_mut().try_for_each(|item| self.walk(item)),
            _ => Ok(()),
        }
    }

    fn update(&self, field: &mut Node) -> Result<()> {
        fields::expect_kind(field, Kind::Scalar)?;
        let Some(pattern) = &self.pattern else {
            return pattern_of(&self.image).map(drop);
        };
        let written = fields::raw(field);
        if !pattern.is_match(written) {
            return Ok(());
        }
        let (mut name, mut tag, mut digest) = split(written);
        let image = &self.image;
        let mut new_tag = String::new();
        if !image.new_name.is_empty() {
            name = &image.new_name;
        }
        match (
            image.new_tag.is_empty(),
            image.digest.is_empty(),
            image.tag_suffix.is_empty(),
        ) {
            (false, true, _) => (tag, digest) = (&image.new_tag, ""),
            (false, false, _) => (tag, digest) = (&image.new_tag, &image.digest),
            (true, false, _) => (tag, digest) = ("", &image.digest),
            (true, true, false) => {
                new_tag = format!("{tag}{}", image.tag_suffix);
                digest = "";
            }
            (true, true, true) => {}
        }
        if !new_tag.is_empty() {
            tag = &new_tag;
        }
        let mut full = name.to_owned();
        if !tag.is_empty() {
            full = format!("{full}:{tag}");
        }
        if !digest.is_empty() {
            full = format!("{full}@{digest}");
        }
        fields::assign_untyped(field, &full.into());
        Ok(())
    }
}

/// Name, tag and digest of an image; the host may have a port.
fn split(image: &str) -> (&str, &str, &str) {
    let path = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let (at, colon) = {
        let rest = image.get(path..).unwrap_or_default();
        (rest.find('@').map(|i| i + path), rest.find(':').map(|i| i + path))
    };
    let cut = |i: usize| {
        (
            image.get(..i).unwrap_or_default(),
            image.get(i + 1..).unwrap_or_default(),
        )
    };
    match (at, colon) {
        (None, None) => (image, "", ""),
        (Some(at), Some(colon)) if colon < at => {
            let (name, _) = cut(colon);
            (name, image.get(colon + 1..at).unwrap_or_default(), cut(at).1)
        }
        (Some(at), _) => (cut(at).0, "", cut(at).1),
        (None, Some(colon)) => (cut(colon).0, cut(colon).1, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn images_are_split() {
        let rows = [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.2", ("nginx", "1.2", "")),
            ("host:5000/a/b:1@sha256:ff", ("host:5000/a/b", "1", "sha256:ff")),
            ("host:5000/a", ("host:5000/a", "", "")),
            ("a@sha256:ff", ("a", "", "sha256:ff")),
        ];
        for (image, parts) in rows {
            assert_eq!(split(image), parts, "{image}");
        }
    }
}
