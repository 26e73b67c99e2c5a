//! `sluice demo`: from a Git commit to a healthy cluster, on this machine, in front of a person.
#![allow(clippy::print_stdout)] // a show for a person

mod repository;
mod story;
mod view;

use crate::dev::{Dev, Repository as Kept};
use anyhow::{Context, Result};
use clap::Args;
use include_dir::{Dir, include_dir};
use repository::{Files, Repository};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use story::Story;
use tempfile::TempDir;
use view::View;

/// The sample repository.
static SHOP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../deploy/examples/shop");
/// Where its Kustomizations are.
const SHOP_PATH: &str = "clusters/demo";
/// The overlay that the second commit changes.
const OVERLAY: &str = "apps/overlays/production/kustomization.yaml";
/// How long one chapter may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Keep another repository than the sample: a URL, or a directory with a Git repository
    #[arg(long, value_name = "URL|DIR", requires = "path")]
    git: Option<String>,
    /// The branch of it
    #[arg(long, value_name = "NAME", requires = "git")]
    branch: Option<String>,
    /// The directory of it with the kustomization
    #[arg(long, value_name = "DIR")]
    path: Option<String>,
    /// Leave everything running afterwards, until ctrl-c
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(demo: &Demo) -> Result<()> {
    let mut view = View::new();
    view.chapter("◆ Starting a Kubernetes API server and the controller in this process");
    let mut dev = Dev::start(SocketAddr::from(([127, 0, 0, 1], 0)), None).await?;
    view.line(&format!("the API server answers at {}", dev.url()));
    let client = dev.client();
    let told = tokio::select! {
        error = dev.failed() => Err(error),
        told = tell(demo, client, &mut view) => told,
    };
    view.settle();
    // it lies there as long as the source asks for it
    let repository = told?;
    look_next(&dev, demo.keep, repository.as_ref().map(TempDir::path));
    if demo.keep {
        tokio::select! {
            error = dev.failed() => return Err(error),
            () = crate::commands::controller::asked_to_stop() => {}
        }
    }
    dev.stop().await
}

/// Tells the story; answers where the sample repository lies, where it is kept.
async fn tell(demo: &Demo, client: kube::Client, view: &mut View) -> Result<Option<TempDir>> {
    let mut story = Story::begin(client.clone());
    if let (Some(git), Some(path)) = (&demo.git, &demo.path) {
        view.chapter(&format!("◆ Keeping {git}, {path}"));
        let kept = Kept {
            git: git.clone(),
            branch: demo.branch.clone(),
            path: path.clone(),
        };
        crate::dev::keep(&client, &kept).await?;
        patiently(story.until_ready(view, None)).await?;
        return Ok(None);
    }
    let folder = tempfile::Builder::new()
        .prefix("sluice-demo-")
        .permissions(crate::dev::private())
        .tempdir()?;
    let mut repository = Repository::create(folder.path())?;

    view.chapter("◆ A commit becomes a healthy cluster");
    let commit = repository.commit("Open the shop", shop())?;
    view.line(&format!("commit {} “Open the shop”", short(&commit)));
    let kept = Kept {
        git: folder.path().display().to_string(),
        branch: None,
        path: SHOP_PATH.to_owned(),
    };
    crate::dev::keep(&client, &kept).await?;
    patiently(story.until_ready(view, Some(&commit))).await?;
    view.line(&format!(
        "✔ from commit to Ready in {:.2} s",
        view.elapsed().as_secs_f64()
    ));

    view.chapter("◆ A second commit changes one service");
    let before = story.workloads();
    let commit = repository.commit("Release web 1.1.0", released(&shop())?)?;
    view.line(&format!("commit {} “Release web 1.1.0”", short(&commit)));
    story.ask_for_fetch().await?;
    patiently(story.until_ready(view, Some(&commit))).await?;
    view.line(&story.changes_since(&before));

    view.chapter("◆ Somebody edits the cluster by hand");
    patiently(story.edit_and_watch(view)).await?;
    Ok(Some(folder))
}

async fn patiently(chapter: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::time::timeout(PATIENCE, chapter)
        .await
        .with_context(|| format!("nothing became ready within {} seconds", PATIENCE.as_secs()))?
}

fn look_next(dev: &Dev, keep: bool, repository: Option<&Path>) {
    println!("\n◆ Where to look next");
    if keep {
        println!("  export KUBECONFIG={}", dev.kubeconfig().display());
        println!("  kubectl get kustomizations,gitrepositories -A        what is kept");
        println!("  sluice get all                                        the same, as `flux get` shows it");
        println!("  kubectl -n shop scale deployment web --replicas=7     and watch it being undone");
        if let Some(repository) = repository {
            let clone = format!("git clone {} shop", repository.display());
            println!("  {clone:<53}commit and push there, and watch it being applied");
        }
        println!("  ctrl-c stops everything");
    } else {
        println!("  sluice demo --keep                                    leaves it running, for kubectl");
        println!("  sluice demo --git URL --path DIR                      your own repository");
        println!("  sluice build kustomize DIR                            a render alone, in the sandbox");
        println!("  deploy/examples/shop                                  the repository you just saw");
        println!("  ARCHITECTURE.md                                       how it works");
    }
}

/// The sample's files.
fn shop() -> Files {
    fn collect(folder: &Dir<'_>, files: &mut Files) {
        for file in folder.files() {
            files.insert(file.path().display().to_string(), file.contents().to_vec());
        }
        folder.dirs().for_each(|folder| collect(folder, files));
    }
    let mut files = Files::new();
    collect(&SHOP, &mut files);
    files
}

/// The second commit: another tag for one image.
fn released(shop: &Files) -> Result<Files> {
    let overlay = shop
        .get(OVERLAY)
        .with_context(|| format!("the sample has no {OVERLAY}"))?;
    let text = String::from_utf8_lossy(overlay);
    let at = text
        .find("shop/web\n    newTag: 1.0.0")
        .context("the sample's web image is not where it was")?;
    let (head, tail) = text.split_at(at);
    let changed = format!("{head}{}", tail.replacen("newTag: 1.0.0", "newTag: 1.1.0", 1));
    Ok(Files::from([(OVERLAY.to_owned(), changed.into_bytes())]))
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_commit_changes_the_tag_of_web_alone() {
        let before = shop();
        let after = released(&before).unwrap();
        let lines = |files: &Files| {
            String::from_utf8(files[OVERLAY].clone())
                .unwrap()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (before, after) = (lines(&before), lines(&after));
        let changed: Vec<_> = before.iter().zip(&after).filter(|(a, b)| a != b).collect();
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].1.trim(), "newTag: 1.1.0");
    }
}
