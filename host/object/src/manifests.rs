use crate::Object;

/// Ordered objects, as a render gave them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifests {
    /// The objects, in the renderer's order.
    pub objects: Vec<Object>,
}

impl FromIterator<Object> for Manifests {
    fn from_iter<T: IntoIterator<Item = Object>>(objects: T) -> Self {
        Self { objects: objects.into_iter().collect() }
    }
}
