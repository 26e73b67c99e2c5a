//! Finding and reading the file of a kustomization.

use std::rc::Rc;

use super::Target;
use crate::{
    build::Session,
    error::{Class, Error, Result},
    files::{FileKind, Loader, join},
    kustomization::{FILE_NAMES, Kustomization},
    read,
};

impl<'a> Target<'a> {
    /// Reads the kustomization in the loader's directory.
    pub(crate) fn load(loader: Rc<Loader<'a>>, session: &Session<'a>) -> Result<Self> {
        session.read.set(session.read.get() + 1);
        let limits = &session.limits;
        if loader.depth() > limits.depth {
            return Err(Error::of(
                Class::Limit,
                format!(
                    "kustomizations lead to each other more than {} levels deep",
                    limits.depth
                ),
            )
            .in_file(loader.root())
            .help("flatten the tree, or raise the limit `depth`"));
        }
        if session.read.get() > limits.kustomizations {
            return Err(Error::of(Class::Limit, format!("the build reads more than {} kustomizations", limits.kustomizations))
                .in_file(loader.root())
                .help("bases that include each other more than once multiply; raise the limit `kustomizations` if that is meant"));
        }
        let found: Vec<&'static str> = FILE_NAMES
            .into_iter()
            .filter(|name| session.files.kind(&join(loader.root(), name)) == Some(FileKind::File))
            .collect();
        let file_name = match found.as_slice() {
            [one] => *one,
            [] => {
                return Err(Error::new(format!(
                    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                    loader.root()
                ))
                .in_file(loader.root())
                .help("add a kustomization.yaml, or name the files of the directory one by one"));
            }
            many => {
                return Err(Error::new(format!(
                    "Found multiple kustomization files under: {}\n",
                    loader.root()
                ))
                .in_file(loader.root())
                .help(format!("keep one of {}", many.join(", "))));
            }
        };
        let file = join(loader.root(), file_name);
        let bytes = loader.load(file_name)?;
        let document = read::document_v2(&bytes, &file).map_err(|e| e.wrap("invalid Kustomization"))?;
        let kustomization = Kustomization::decode(&document, &file, loader.root())?;
        kustomization
            .warnings
            .iter()
            .for_each(|line| session.warn(line.clone()));
        Ok(Self {
            loader,
            kustomization,
            file,
            file_name,
            trace: None,
        })
    }
}
