//! All tags of a repository, page by page.

use http::Method;
use serde::Deserialize;

use super::{
    Cause, Repository,
    repository::{Question, Target},
    resolve::is_tag,
};
use crate::http::{Failure, is_same_origin};

/// Tags that are asked for at a time: what most registries give at most.
const PAGE: usize = 1000;

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

impl Repository {
    /// All tags, in the registry's order. The timeout is for all pages together. What cannot be a tag is left out: a registry may
    /// send names of any length.
    pub async fn tags(&self) -> Result<Vec<String>, Cause> {
        match tokio::time::timeout(self.timeout(), self.all_pages()).await {
            Ok(listed) => listed,
            Err(_) => Err(self.failed(&Method::GET, &self.address()?, Failure::TimedOut)),
        }
    }

    async fn all_pages(&self) -> Result<Vec<String>, Cause> {
        let limits = self.fetcher.shared.limits;
        let (mut tags, mut listed) = (Vec::new(), 0);
        let mut question = Question::get(format!("tags/list?n={PAGE}"));
        loop {
            let reply = self.get(&question).await?;
            let link = reply.header("link").map(str::to_owned);
            let address = self.address()?;
            let body = reply
                .bytes("a page of tags", limits.tags_page_size_max, "tags_page_size_max")
                .await
                .map_err(|failure| self.failed(&question.method, &address, failure))?;
            let unreadable = |error| Cause::Content(format!("the list of tags cannot be read: {error}"));
            let page: Page = serde_json::from_slice(&body).map_err(unreadable)?;
            let names = page.tags.unwrap_or_default();
            let before = listed;
            listed += names.len();
            tags.extend(names.into_iter().filter(|name| is_tag(name)));
            if listed > limits.tags_max {
                let limit = limits.tags_max;
                return Err(Cause::Content(format!(
                    "more than {limit} tags (tags_max); name one in spec.ref"
                )));
            }
            let Some(next) = link.as_deref().and_then(next_page) else {
                return Ok(tags);
            };
            let next = address
                .join(next)
                .map_err(|error| Cause::Content(format!("the next page of tags: {error}")))?;
            // a page that brings nothing, or lies elsewhere, would be asked for ever
            if !is_same_origin(&next, &address) || listed == before {
                return Err(Cause::Content(
                    "the list of tags leads to another server or to nothing".to_owned(),
                ));
            }
            question.target = Target::Url(next);
        }
    }
}

/// `</v2/a/tags/list?last=x>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then_some(url)
}
