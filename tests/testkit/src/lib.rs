//! What the tests share: servers, fakes, corpora.
