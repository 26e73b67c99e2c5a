use super::*;
use expect_test::{Expect, expect};
use sluice_artifact::MemoryTree;
use sluice_testkit::registry::{Entry, tgz};

const LIMITS: Limits = Limits {
    chart_size_max: 1 << 20,
    file_size_max: 64 << 10,
};

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for (path, content) in files {
        tree.add_file(path, content.as_bytes().to_vec(), false).unwrap();
    }
    tree
}

/// Names and contents of an archive; of templates the names alone.
fn shown(archive: &[u8]) -> String {
    let mut text = String::new();
    let limits = sluice_artifact::unpack::Limits::default();
    sluice_artifact::unpack::visit(
        archive,
        &limits,
        sluice_artifact::unpack::Special::Refused,
        |found| {
            let content = String::from_utf8_lossy(found.content.as_deref().unwrap_or_default()).into_owned();
            text += &format!("{}\n", found.path.trim_start_matches('/'));
            for line in content.lines() {
                text += &format!("    {line}\n");
            }
            Ok::<_, sluice_artifact::unpack::Error>(())
        },
    )
    .unwrap();
    text
}

fn built(files: &[(&str, &str)], chart: &str, recipe: &Recipe) -> Result<Built, String> {
    match from_source(&tree(files), chart, recipe, LIMITS) {
        Ok(Local::Built(built)) => Ok(built),
        Ok(Local::Open(open)) => Err(format!("wanted: {:?}", open.wanted)),
        Err(error) => Err(error.to_string()),
    }
}

fn check(result: Result<Built, String>, expected: Expect) {
    let text = match result {
        Ok(built) => {
            let archive = built.archive.as_deref().map_or("as stored\n".to_owned(), shown);
            format!("{}\n{archive}", built.summary())
        }
        Err(error) => format!("{error}\n"),
    };
    expected.assert_eq(&text);
}

const SHOP: &[(&str, &str)] = &[
    (
        "/charts/shop/Chart.yaml",
        "apiVersion: v2\nname: shop\nversion: v0.1.0\nappVersion: 1.10\nextra: dropped\nkeywords: [b, a]\nmaintainers: [{name: me, email: \"\"}]\ndependencies:\n- name: lib\n  version: ^1\n  repository: file://../lib\n  alias: common\n  tags: []\n- name: db\n  version: 2.x\n  condition: db.enabled\n",
    ),
    ("/charts/shop/values.yaml", "a: 1\nb: {c: 2, d: [1]}\n"),
    ("/charts/shop/.helmignore", "*.md\nci/\n"),
    ("/charts/shop/README.md", "ignored"),
    ("/charts/shop/ci/values.yaml", "ignored: 1"),
    ("/charts/shop/templates/z.yaml", "z"),
    ("/charts/shop/templates/a/b.yaml", "b"),
    ("/charts/shop/templates/.swp", "ignored"),
    ("/charts/shop/files/a.txt", "a"),
    ("/charts/shop/charts/db/Chart.yaml", "name: db\nversion: 2.1.0\n"),
    ("/charts/shop/charts/db/requirements.yaml", "dependencies: []\n"),
    ("/charts/shop/charts/_notes/Chart.yaml", "name: no\n"),
    (
        "/charts/lib/Chart.yaml",
        "apiVersion: v2\nname: lib\nversion: 1.2.0\ntype: library\n",
    ),
    ("/charts/lib/templates/_helpers.tpl", "h"),
    ("/env/prod.yaml", "b: {c: 3, d: [], e: null}\nf: 1.0\n"),
    ("/env/empty.yaml", ""),
];

#[test]
fn a_directory_is_packaged_as_helm_does() {
    check(
        built(SHOP, "./charts/shop", &Recipe::default()),
        expect![[r#"
            packaged 'shop' chart with version 'v0.1.0'
            shop/Chart.yaml
                apiVersion: v2
                appVersion: "1.1"
                dependencies:
                - alias: common
                  name: lib
                  repository: file://../lib
                  version: ^1
                - condition: db.enabled
                  name: db
                  repository: ""
                  version: 2.x
                keywords:
                - b
                - a
                maintainers:
                - name: me
                name: shop
                version: v0.1.0
            shop/values.yaml
                a: 1
                b: {c: 2, d: [1]}
            shop/templates/a/b.yaml
                b
            shop/templates/z.yaml
                z
            shop/.helmignore
                *.md
                ci/
            shop/files/a.txt
                a
            shop/charts/db/Chart.yaml
                apiVersion: v1
                name: db
                version: 2.1.0
            shop/charts/db/requirements.yaml
                dependencies: []
            shop/charts/common/Chart.yaml
                apiVersion: v2
                name: common
                type: library
                version: 1.2.0
            shop/charts/common/templates/_helpers.tpl
                h
        "#]],
    );
    let again = |recipe: &Recipe| built(SHOP, "charts/shop", recipe).unwrap();
    assert_eq!(
        again(&Recipe::default()),
        again(&Recipe::default()),
        "equal bytes"
    );
    let archive = again(&Recipe::default()).archive.unwrap();
    assert!(
        archive.starts_with(b"\x1f\x8b\x08\x14\0\0\0\0\0\xff") || archive[3] == 0x14,
        "{:?}",
        &archive[..12]
    );
    let stored = Some(Stored {
        name: "shop".to_owned(),
        version: "v0.1.0".to_owned(),
        values_files: Vec::new(),
    });
    check(
        built(
            SHOP,
            "charts/shop",
            &Recipe {
                stored,
                ..Recipe::default()
            },
        ),
        expect![[r#"
            packaged 'shop' chart with version 'v0.1.0'
            as stored
        "#]],
    );
}

#[test]
fn values_files_are_merged_and_enter_the_version() {
    let recipe = |files: &[&str], ignore_missing: bool, revision: Option<&str>| Recipe {
        values_files: files.iter().map(|file| (*file).to_owned()).collect(),
        ignore_missing,
        revision: revision.map(str::to_owned),
        generation: 7,
        signed_as: None,
        stored: None,
    };
    let values = |recipe: &Recipe| match built(SHOP, "charts/shop", recipe) {
        Err(error) => format!("{error}\n"),
        Ok(built) => {
            let files = shown(built.archive.as_deref().unwrap());
            let values = files.split("shop/values.yaml\n").nth(1).unwrap();
            let values: String = values
                .lines()
                .take_while(|line| line.starts_with(' '))
                .map(|l| format!("{l}\n"))
                .collect();
            format!("{}\n{values}", built.summary())
        }
    };
    let rows = [
        recipe(&["values.yaml"], false, None),
        recipe(&["./values.yaml"], false, Some("0123456789ab")),
        recipe(&["charts/shop/values.yaml", "env/prod.yaml"], false, None),
        recipe(&["/env/prod.yaml"], false, Some("0123456789ab")),
        recipe(&["../../env/prod.yaml", "env/no.yaml"], true, None),
        recipe(&["env/no.yaml"], true, None),
        recipe(&["env/no.yaml"], false, None),
        recipe(&["env"], true, None),
        recipe(&["charts/shop/README.md"], false, None),
    ];
    expect![[r#"
        packaged 'shop' chart with version 'v0.1.0'
            a: 1
            b: {c: 2, d: [1]}
        packaged 'shop' chart with version '0.1.0+0123456789ab'
            a: 1
            b: {c: 2, d: [1]}
        packaged 'shop' chart with version '0.1.0+7' and merged values files [charts/shop/values.yaml env/prod.yaml]
            a: 1
            b:
              c: 3
              d: []
              e: null
            f: 1
        packaged 'shop' chart with version '0.1.0+0123456789ab.7' and merged values files [/env/prod.yaml]
            b:
              c: 3
              d: []
              e: null
            f: 1
        packaged 'shop' chart with version '0.1.0+7' and merged values files [../../env/prod.yaml]
            b:
              c: 3
              d: []
              e: null
            f: 1
        packaged 'shop' chart with version '0.1.0+7'
        values files merge error: no values file found at path '/env/no.yaml' (reference 'env/no.yaml')
        values files merge error: no values file found at path '/env' (reference 'env')
        values files merge error: unmarshaling values from 'charts/shop/README.md' failed: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type map[string]interface {} (a values file is a table of values)
    "#]].assert_eq(&rows.iter().map(values).collect::<String>());
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let entries: Vec<Entry> = files
        .iter()
        .map(|(name, content)| Entry::file(name, content))
        .collect();
    tgz(&entries)
}

#[test]
fn an_archive_stays_as_it_is_unless_values_are_merged() {
    let bytes = archive(&[
        ("shop/Chart.yaml", "name: shop\nversion: 1.0.0\n"),
        ("shop/values.yaml", "# mine\na: 1\n"),
        ("shop/prod.yaml", "a: {b: 2}\n"),
    ]);
    let recipe = |files: &[&str]| Recipe {
        values_files: files.iter().map(|file| (*file).to_owned()).collect(),
        generation: 3,
        ..Recipe::default()
    };
    let of = |bytes: &[u8], recipe: &Recipe| {
        let version = recipe.look("shop", "1.0.0").unwrap().unwrap_err();
        from_archive(bytes.to_vec(), ("shop", version), recipe, LIMITS).map_err(|error| error.to_string())
    };
    let plain = of(&bytes, &recipe(&[])).unwrap();
    assert_eq!(plain.archive.as_deref(), Some(&*bytes));
    check(
        of(&bytes, &recipe(&["values.yaml", "./prod.yaml"])),
        expect![[r#"
        packaged 'shop' chart with version '1.0.0+3' and merged values files [values.yaml ./prod.yaml]
        shop/Chart.yaml
            apiVersion: v1
            name: shop
            version: 1.0.0+3
        shop/values.yaml
            a:
              b: 2
        shop/prod.yaml
            a: {b: 2}
    "#]],
    );
    check(
        of(&bytes, &recipe(&["other.yaml"])),
        expect![[r#"
        values files merge error: failed to merge chart values: no values file found at path 'other.yaml'
    "#]],
    );
    check(
        of(b"no archive", &recipe(&[])),
        expect![[r#"
        chart pull error: failed to load chart metadata from written chart: gzip: invalid header (the archive is none, or is cut short: the archive cannot be read: invalid gzip header)
    "#]],
    );
    check(
        of(b"no archive", &recipe(&["prod.yaml"])),
        expect![[r#"
        chart package error: failed to load downloaded chart: gzip: invalid header (the archive is none, or is cut short: the archive cannot be read: invalid gzip header)
    "#]],
    );
    // the same from a source's files
    let mut source = MemoryTree::new();
    source.add_file("/shop.tgz", bytes.clone(), false).unwrap();
    let Ok(Local::Built(found)) = from_source(&source, "shop.tgz", &recipe(&[]), LIMITS) else {
        panic!("it is whole");
    };
    assert_eq!(
        (found.summary().as_str(), found.archive),
        ("pulled 'shop' chart with version '1.0.0'", Some(bytes))
    );
}

#[test]
fn what_is_no_chart_is_refused_with_its_place() {
    let file = |text: &'static str| vec![("/c/Chart.yaml", text)];
    let rows: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("", vec![]),
        ("/c", vec![]),
        ("c", vec![]),
        ("c", vec![("/c/values.yaml", "")]),
        ("c", file("name: a")),
        ("c", file("name: ../a\nversion: 1.0.0")),
        ("c", file("name: ..\nversion: 1.0.0")),
        ("c", file("name: a\nversion: one")),
        ("c", file("name: [a]\nversion: 1.0.0")),
        ("c", file("name: a\nversion: 1.0.0\ntype: other")),
        (
            "c",
            file("name: a\nversion: 1.0.0\ndependencies: [{name: b, alias: ../c}]"),
        ),
        (
            "c",
            file("apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: [{name: b}]"),
        ),
        (
            "c",
            file(
                "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: [{name: b, repository: \"file://../../../../etc\"}]",
            ),
        ),
        (
            "c",
            file(
                "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: [{name: b, version: 1.x, repository: \"https://h/c\"}]",
            ),
        ),
        (
            "c",
            vec![
                ("/c/Chart.yaml", "name: a\nversion: 1.0.0"),
                ("/c/charts/b.tgz", "no archive"),
            ],
        ),
        (
            "c",
            vec![
                ("/c/Chart.yaml", "name: a\nversion: 1.0.0"),
                ("/c/values.schema.json", "{"),
            ],
        ),
        (
            "c",
            vec![
                ("/c/Chart.yaml", "name: a\nversion: 1.0.0"),
                ("/c/.helmignore", "a/**"),
            ],
        ),
    ];
    let text: String = rows
        .iter()
        .map(|(chart, files)| match built(files, chart, &Recipe::default()) {
            Ok(built) => format!("{}\n", built.summary()),
            Err(error) => format!("{error}\n"),
        })
        .collect();
    expect![[r#"
        invalid chart reference: no path set for local chart reference
        invalid chart reference: local chart reference path is expected to be relative
        invalid chart reference: stat /c: no such file or directory
        invalid chart reference: open /c/Chart.yaml: no such file or directory
        invalid chart reference: validation: chart.metadata.version is required
        invalid chart reference: validation: chart.metadata.name "../a" is invalid
        invalid chart reference: validation: chart.metadata.name ".." is not allowed
        invalid chart reference: validation: chart.metadata.version "one" is invalid
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.name of type string
        invalid chart reference: validation: chart.metadata.type must be application or library
        invalid chart reference: validation: dependency "b" has disallowed characters in the alias
        dependency build error: failed to add local dependency 'b': no chart found at '/c/charts/b' (reference '')
        dependency build error: failed to add local dependency 'b': no chart found at '/etc' (reference 'file://../../../../etc')
        wanted: [Dependency { name: "b", version: "1.x", repository: "https://h/c", alias: "" }]
        chart package error: failed to load chart from /c/: error unpacking subchart b.tgz in a: gzip: invalid header (the archive is none, or is cut short: the archive cannot be read: invalid gzip header)
        chart package error: failed to package chart: invalid JSON in values.schema.json
        chart package error: cannot load ignore rules for chart: double-star (**) syntax is not supported
    "#]].assert_eq(&text);
    let recipe = Recipe {
        revision: Some("a_b".to_owned()),
        ..Recipe::default()
    };
    check(
        built(SHOP, "charts/lib", &recipe),
        expect![[r#"
        chart metadata patch error: failed to set SemVer metadata on chart version: invalid metadata string
    "#]],
    );
}

#[test]
fn hostile_archives_are_refused_by_their_limits() {
    let chart = ("a/Chart.yaml", "name: a\nversion: 1.0.0\n");
    let large = "x".repeat((5 << 20) + 1);
    let rows = [
        archive(&[chart, ("a/templates/b.yaml", &large)]),
        archive(&[chart, ("a/../../b", "x")]),
        archive(&[("Chart.yaml", "name: a\nversion: 1.0.0\n")]),
        archive(&[]),
        archive(&[("a/b", "x")]),
        vec![0; (1 << 20) + 1],
    ];
    let recipe = Recipe {
        values_files: vec!["x.yaml".to_owned()],
        ..Recipe::default()
    };
    let of = |bytes: Vec<u8>| match from_archive(bytes, ("a", "1.0.0".to_owned()), &recipe, LIMITS) {
        Ok(built) => built.summary(),
        Err(error) => error.to_string(),
    };
    let text: String = rows.into_iter().map(|row| format!("{}\n", of(row))).collect();
    expect![[r#"
        chart package error: failed to load downloaded chart: decompressed chart file "a/templates/b.yaml" is larger than the maximum file size 5242880
        chart package error: failed to load downloaded chart: chart illegally references parent directory (the archive is refused: entry 'a/../../b' leads out of the archive)
        chart package error: failed to load downloaded chart: chart illegally contains content outside the base directory: "Chart.yaml"
        chart package error: failed to load downloaded chart: no files in chart archive
        chart package error: failed to load downloaded chart: Chart.yaml file is missing
        chart package error: failed to load downloaded chart: gzip: invalid header (the archive is none, or is cut short: the archive cannot be read: invalid gzip header)
    "#]].assert_eq(&text);
    // archives in archives
    let mut nested = archive(&[chart]);
    for _ in 0..40 {
        let mut subchart = Entry::file("a/charts/a.tgz", "");
        subchart.content = nested;
        nested = tgz(&[Entry::file("a/Chart.yaml", chart.1), subchart]);
    }
    let refused = of(nested);
    assert!(
        refused.ends_with("subcharts nest deeper than 32 levels"),
        "{refused}"
    );
}

/// What source-controller says of the same charts; what stands in brackets at the end is ours.
#[test]
fn what_flux_refuses_is_refused_in_its_words() {
    const CHART: &str = "apiVersion: v2\nname: a\nversion: 1.0.0\n";
    let metadata = |more: &str| {
        vec![(
            "/c/Chart.yaml".to_owned(),
            format!("name: a\nversion: 1.0.0\n{more}"),
        )]
    };
    let with = |path: &str, text: &str| {
        vec![
            ("/c/Chart.yaml".to_owned(), CHART.to_owned()),
            (format!("/c/{path}"), text.to_owned()),
        ]
    };
    let rows = [
        vec![("/c/Chart.yaml".to_owned(), "[1]".to_owned())],
        metadata("keywords: x"),
        metadata("keywords: [[a]]"),
        metadata("maintainers: [x]"),
        metadata("maintainers: {a: b}"),
        metadata("maintainers: [{name: {a: b}}]"),
        metadata("maintainers: [null]\ndependencies: [null]"),
        metadata("dependencies: x"),
        metadata("dependencies: [{name: [a]}]"),
        metadata("dependencies: [{name: a, tags: x}]"),
        metadata("dependencies: [{name: a, import-values: x}]"),
        metadata("annotations: {a: {b: c}}"),
        metadata("deprecated: 'yes'"),
        with("requirements.yaml", "[1]"),
        with("requirements.yaml/x", ""),
        with("Chart.lock", "dependencies: x"),
        with("values.yaml", "[1]"),
        with("charts/b/Chart.yaml", "name: b"),
        with("charts/README.md", "x"),
        with("large.bin", &"x".repeat(65 << 10)),
        with(".helmignore", "Chart.yaml"),
    ];
    let said: String = rows
        .iter()
        .map(|files| {
            let files: Vec<(&str, &str)> = files
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str()))
                .collect();
            match built(&files, "c", &Recipe::default()) {
                Ok(built) => format!("{}\n", built.summary()),
                Err(error) => format!("{error}\n"),
            }
        })
        .collect();
    expect![[r#"
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type v2.Metadata
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Metadata.keywords of type []string
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.keywords of type string
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Metadata.maintainers of type v2.Maintainer
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal object into Go struct field Metadata.maintainers of type []*v2.Maintainer
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal object into Go struct field Maintainer.maintainers.name of type string
        invalid chart reference: validation: maintainers must not contain empty or null nodes
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Metadata.dependencies of type []*v2.Dependency
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Dependency.dependencies.name of type string
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Dependency.dependencies.tags of type []string
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Dependency.dependencies.import-values of type []interface {}
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal object into Go struct field Metadata.annotations of type string
        invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Metadata.deprecated of type bool
        invalid chart reference: cannot load 'requirements.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type v2.Metadata
        invalid chart reference: 'requirements.yaml' is a directory
        chart package error: failed to load chart from /c/: cannot load Chart.lock: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Lock.dependencies of type []*v2.Dependency
        chart package error: failed to load chart from /c/: cannot load values.yaml: cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {} (a values file is a table of values)
        chart package error: failed to load chart from /c/: error unpacking subchart b in a: validation: chart.metadata.version is required
        chart package error: failed to load chart from /c/: error unpacking subchart README.md in a: Chart.yaml file is missing
        chart package error: failed to load files from /c/: cannot load file large.bin as file size (66560) exceeds limit (65536) (--helm-chart-file-max-size)
        chart package error: failed to load chart from /c/: Chart.yaml file is missing
    "#]]
    .assert_eq(&said);
}

/// A lock names the charts of two aliases by one name: there is one chart of it, and Helm finds both in it.
#[test]
fn what_a_lock_names_twice_is_there_once() {
    let chart = "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- {name: lib, alias: one, version: '*', repository: 'file://../lib'}\n- {name: lib, alias: two, version: '*', repository: 'file:///../li%62?x=y'}\n";
    let lock = "dependencies:\n- {name: lib, version: 1.2.0, repository: 'file://../lib'}\n- {name: lib, version: 3.0.0, repository: 'file:///../li%622?x=y'}\n";
    let lib = |version: &str| format!("apiVersion: v2\nname: lib\nversion: {version}\n");
    let (old, new) = (lib("1.2.0"), lib("3.0.0"));
    let mut files = vec![
        ("/c/Chart.yaml", chart),
        ("/lib/Chart.yaml", old.as_str()),
        ("/lib2/Chart.yaml", new.as_str()),
    ];
    let charts = |files: &[(&str, &str)]| {
        let built = built(files, "c", &Recipe::default()).unwrap();
        let shown = shown(built.archive.as_deref().unwrap());
        let names = shown.lines().filter(|line| line.contains("charts/"));
        let names: Vec<String> = names.map(str::to_owned).collect();
        let subchart = shown.rsplit("Chart.yaml\n").next().unwrap_or_default();
        (
            built.resolved_dependencies,
            names,
            subchart.contains("version: 3.0.0\n"),
        )
    };
    let (count, names, _) = charts(&files);
    assert_eq!(count, 2);
    assert_eq!(names, ["a/charts/one/Chart.yaml", "a/charts/two/Chart.yaml"]);
    files.push(("/c/Chart.lock", lock));
    let (count, names, is_last) = charts(&files);
    assert_eq!((count, is_last), (1, true));
    assert_eq!(names, ["a/charts/lib/Chart.yaml"]);
}

/// As in source-controller a chart that stays as it is may hold files that Helm could not load.
#[test]
fn large_files_are_refused_where_a_chart_is_opened() {
    let large = "x".repeat((5 << 20) + 1);
    let bytes = archive(&[
        ("a/Chart.yaml", "name: a\nversion: 1.0.0\n"),
        ("a/values.yaml", ""),
        ("a/dashboard.json", &large),
    ]);
    let of = |files: &[&str]| {
        let values_files = files.iter().map(|file| (*file).to_owned()).collect();
        let recipe = Recipe {
            values_files,
            ..Recipe::default()
        };
        let built = from_archive(bytes.clone(), ("a", "1.0.0".to_owned()), &recipe, LIMITS);
        built
            .map(|built| built.summary())
            .map_err(|error| error.to_string())
    };
    assert_eq!(of(&[]).unwrap(), "pulled 'a' chart with version '1.0.0'");
    assert_eq!(
        of(&["x.yaml"]).unwrap_err(),
        "chart package error: failed to load downloaded chart: decompressed chart file \"a/dashboard.json\" is larger than the maximum file size 5242880"
    );
    let wide = format!("name: a\nversion: 1.0.0\n#{}", "x".repeat(65 << 10));
    let wide = archive(&[("a/Chart.yaml", &wide)]);
    let built = from_archive(wide, ("a", "1.0.0".to_owned()), &Recipe::default(), LIMITS);
    assert_eq!(
        built.unwrap_err().to_string(),
        "chart pull error: failed to load chart metadata from written chart: size of 'a/Chart.yaml' exceeds '65536' bytes limit (--helm-chart-file-max-size)"
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let mut tree = MemoryTree::new();
        tree.add_file("/c/Chart.yaml", bytes.clone(), false).unwrap();
        let _any = from_source(&tree, "c", &Recipe::default(), LIMITS);
        let mut chart = b"name: a\nversion: 1.0.0\n".to_vec();
        chart.extend(&bytes);
        tree.add_file("/d/Chart.yaml", chart, false).unwrap();
        tree.add_file("/d/values.yaml", bytes.clone(), false).unwrap();
        let _any = from_source(&tree, "d", &Recipe::default(), LIMITS);
        let _any = load::archive(&bytes);
    }
}
