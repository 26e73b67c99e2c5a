//! Which files of a chart are read, and when.

use std::{cell::RefCell, rc::Rc};

use sluice_plugin_helm::{
    Error, Failure, Rendered, Request, Wanted,
    chart::{Entry, Tree, load_tree},
    functions::{Environment, Timestamp},
    release::Release,
    render,
};

/// A chart in memory that notes what is read of it. What is named `broken` can be listed, but not read.
#[derive(Default)]
struct Noted {
    files: Vec<(&'static str, &'static str)>,
    read: RefCell<Vec<String>>,
}

impl Tree for Noted {
    fn walk(&self) -> Result<Vec<Entry>, Error> {
        let entry = |(name, data): &(&str, &str)| Entry {
            name: (*name).to_owned(),
            size: data.len() as u64,
        };
        Ok(self.files.iter().map(entry).collect())
    }

    fn read(&self, names: &[&str]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |name: &&str| {
            self.read.borrow_mut().push((*name).to_owned());
            if name.contains("broken") {
                return Err(Error::new(format!("path {name:?}: it went away")));
            }
            let found = self.files.iter().find(|(file, _)| file == name);
            Ok(found.map(|(_, data)| data.as_bytes().to_vec()).unwrap())
        };
        names.iter().map(read).collect()
    }
}

/// Renders a chart with these files beside its metadata; then which of them were read, in order.
fn rendered(
    files: &[(&'static str, &'static str)],
    include_crds: bool,
) -> (Result<Rendered, Failure>, Vec<String>) {
    let mut all = vec![("Chart.yaml", "apiVersion: v2\nname: noted\nversion: 1.0.0\n")];
    all.extend(files);
    let noted = Rc::new(Noted {
        files: all,
        ..Noted::default()
    });
    let request = Request {
        release: Release {
            name: "rel".to_owned(),
            namespace: "ns".to_owned(),
            revision: 1,
            ..Release::default()
        },
        include_crds,
        wanted: Wanted::Texts,
        ..Request::default()
    };
    let environment = Environment::new(Timestamp::default(), [7; 32]);
    let tree: Rc<dyn Tree> = noted.clone();
    let rendered = render(|| load_tree(&tree), &request, &environment);
    let mut read = noted.read.take();
    read.retain(|name| name != "Chart.yaml");
    (rendered, read)
}

const SUBCHART: (&str, &str) = (
    "charts/inner/Chart.yaml",
    "apiVersion: v2\nname: inner\nversion: 1.0.0\n",
);

#[test]
fn what_only_templates_may_look_at_is_not_read_unless_they_do() {
    let files = [
        ("README.md", "long"),
        ("charts/inner/crds/b.yaml", "kind: B\n"),
        SUBCHART,
        ("charts/inner/values.yaml", "a: 1\n"),
        ("crds/a.yaml", "kind: A\n"),
        ("files/one.txt", "one"),
        (
            "templates/all.yaml",
            "kind: X\nname: {{ .Files.Get \"files/one.txt\" }}{{ .Files.Get \"files/one.txt\" }}\n",
        ),
        ("values.yaml", "a: 1\n"),
    ];
    let (chart, read) = rendered(&files, false);
    let chart = chart.unwrap();
    assert_eq!(chart.manifests[0].text, "kind: X\nname: oneone\n");
    assert!(chart.crds.is_empty());
    let expected = [
        "charts/inner/Chart.yaml",
        "charts/inner/values.yaml",
        "templates/all.yaml",
        "values.yaml",
        "files/one.txt",
    ];
    assert_eq!(read, expected);
}

#[test]
fn definitions_are_read_where_they_are_wanted() {
    let files = [
        ("charts/inner/crds/b.yaml", "\u{feff}kind: B\n"),
        SUBCHART,
        ("crds/a.yaml", "kind: A\n"),
        ("crds/notes.txt", "no definition"),
    ];
    let (chart, read) = rendered(&files, true);
    let crds = chart.unwrap().crds;
    let crds: Vec<(&str, &str)> = crds
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str().unwrap()))
        .collect();
    let expected = [
        ("noted/crds/a.yaml", "kind: A\n"),
        ("noted/charts/inner/crds/b.yaml", "kind: B\n"),
    ];
    assert_eq!(crds, expected);
    assert_eq!(
        read,
        [
            "charts/inner/Chart.yaml",
            "crds/a.yaml",
            "charts/inner/crds/b.yaml"
        ]
    );
}

#[test]
fn a_file_that_cannot_be_read_when_it_is_wanted_fails_the_render() {
    let by_template = [
        ("files/broken.txt", "-"),
        (
            "templates/all.yaml",
            "kind: X\nname: {{ .Files.Get \"files/broken.txt\" }}\n",
        ),
    ];
    let (chart, _) = rendered(&by_template, false);
    assert_eq!(
        chart.unwrap_err().text(),
        "path \"files/broken.txt\": it went away"
    );
    let (chart, _) = rendered(&[("crds/broken.yaml", "-")], true);
    assert_eq!(
        chart.unwrap_err().text(),
        "path \"crds/broken.yaml\": it went away"
    );
    let (chart, _) = rendered(&[("crds/broken.yaml", "-")], false);
    assert!(chart.is_ok());
}
