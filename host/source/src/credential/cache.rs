//! Tokens that were given for a while, kept for as long (compat/source.md 11.4; N16).

use std::{
    collections::HashMap,
    hash::Hash,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use clru::CLruCache;
use sluice_event::metrics;
use tokio::{sync::Mutex as Turn, time::Instant};

/// The object that a token is for, by kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUser {
    kind: &'static str,
    namespace: Arc<str>,
    name: Arc<str>,
}

impl TokenUser {
    /// An object that uses tokens.
    pub fn new(kind: &'static str, namespace: &Arc<str>, name: &Arc<str>) -> TokenUser {
        TokenUser {
            kind,
            namespace: Arc::clone(namespace),
            name: Arc::clone(name),
        }
    }

    fn labels(&self) -> (&str, &str, &str) {
        (self.kind, &self.namespace, &self.name)
    }
}

/// A bounded map of things that expire. Who asks for the same key at the same time waits for one answer.
///
/// **Invariant:** what is given out has not expired, and was made for exactly this key.
#[derive(Debug)]
pub struct TokenCache<K, V> {
    age_max: Duration,
    is_counted: bool,
    /// None where nothing is kept.
    tokens: Option<Mutex<Tokens<K, V>>>,
}

#[derive(Debug)]
struct Tokens<K, V> {
    /// Each with the time until which it is given out. What was not given takes no place of what was.
    kept: CLruCache<K, (V, Instant)>,
    /// Of keys for which somebody asks now.
    turns: HashMap<K, Arc<Turn<()>>>,
}

/// How much of a token's life is used: clocks differ, and a request takes time.
const USED_PERCENT: u32 = 80;

impl<K: Hash + Eq + Clone, V: Clone> TokenCache<K, V> {
    /// Keeps at most `max` tokens (`--token-cache-max-size`; none where 0), each for at most `age_max`
    /// (`--token-cache-max-duration`).
    pub fn new(max: usize, age_max: Duration) -> TokenCache<K, V> {
        TokenCache {
            age_max,
            is_counted: false,
            tokens: NonZeroUsize::new(max).map(|max| {
                Mutex::new(Tokens {
                    kept: CLruCache::new(max),
                    turns: HashMap::new(),
                })
            }),
        }
    }

    /// The same, and what it does is counted by the metrics that Flux has for its one cache of tokens.
    pub fn counted(max: usize, age_max: Duration) -> TokenCache<K, V> {
        TokenCache {
            is_counted: true,
            ..TokenCache::new(max, age_max)
        }
    }

    /// What is known for `key`, or what `make` makes: the thing and how long it lives. A failure is not kept.
    pub fn get<'a, E>(
        &'a self,
        key: &'a K,
        make: impl Future<Output = Result<(V, Duration), E>> + 'a,
    ) -> impl Future<Output = Result<V, E>> + 'a
    where
        E: 'a,
    {
        self.get_for(None, key, make)
    }

    /// The same for an object, which metrics name.
    pub fn get_for<'a, E>(
        &'a self,
        object: Option<&'a TokenUser>,
        key: &'a K,
        make: impl Future<Output = Result<(V, Duration), E>> + 'a,
    ) -> impl Future<Output = Result<V, E>> + 'a
    where
        E: 'a,
    {
        // a future that is passed on takes its size each time
        let make = Box::pin(make);
        async move {
            if self.tokens.is_none() {
                return Ok(make.await?.0);
            }
            let mut is_hit = true;
            let make = async {
                is_hit = false;
                make.await
            };
            let got = self.kept_or_made(key, make).await;
            if self.is_counted {
                metrics::token_asked(object.map(TokenUser::labels), is_hit, got.is_ok());
            }
            got
        }
    }

    async fn kept_or_made<E>(
        &self,
        key: &K,
        make: impl Future<Output = Result<(V, Duration), E>>,
    ) -> Result<V, E> {
        if let Some(value) = self.peek(key) {
            return Ok(value);
        }
        let asking = self.asking(key);
        let _turn = asking.turn.lock().await;
        // whoever had the turn before may have been given it
        if let Some(value) = self.peek(key) {
            return Ok(value);
        }
        let (value, lifetime) = make.await?;
        let age = (lifetime / 100).saturating_mul(USED_PERCENT).min(self.age_max);
        self.keep(key, (value.clone(), Instant::now() + age));
        Ok(value)
    }

    /// What is known for `key`.
    pub fn peek(&self, key: &K) -> Option<V> {
        let mut tokens = self.tokens()?;
        let (value, until) = tokens.kept.get(key)?;
        (Instant::now() < *until).then(|| value.clone())
    }

    /// Forgets what is known for `key`: the server did not accept it.
    pub fn forget(&self, key: &K) {
        let known = self.tokens().and_then(|mut tokens| tokens.kept.pop(key));
        if known.is_some() && self.is_counted {
            metrics::token_dropped(false);
        }
    }

    fn keep(&self, key: &K, token: (V, Instant)) {
        let Some(mut tokens) = self.tokens() else { return };
        if self.is_counted && !tokens.kept.contains(key) {
            if tokens.kept.is_full() {
                metrics::token_dropped(true);
            }
            metrics::token_kept();
        }
        tokens.kept.put(key.clone(), token);
    }

    fn asking<'c>(&'c self, key: &'c K) -> Asking<'c, K, V> {
        let turn = match self.tokens() {
            Some(mut tokens) => Arc::clone(tokens.turns.entry(key.clone()).or_default()),
            None => Arc::default(),
        };
        Asking {
            cache: self,
            key,
            turn,
        }
    }

    /// None where nothing is kept.
    fn tokens(&self) -> Option<MutexGuard<'_, Tokens<K, V>>> {
        let tokens = self.tokens.as_ref()?;
        Some(tokens.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Somebody who asks for a key: one after the other has its turn. Nothing is left of it when the last one is done or gives up.
struct Asking<'c, K: Hash + Eq + Clone, V: Clone> {
    cache: &'c TokenCache<K, V>,
    key: &'c K,
    turn: Arc<Turn<()>>,
}

impl<K: Hash + Eq + Clone, V: Clone> Drop for Asking<'_, K, V> {
    fn drop(&mut self) {
        let Some(mut tokens) = self.cache.tokens() else {
            return;
        };
        // given back under the lock: of two that are done at once, the later one is the last
        drop(std::mem::take(&mut self.turn));
        let is_left = |turn: &Arc<Turn<()>>| Arc::strong_count(turn) == 1;
        if tokens.turns.get(self.key).is_some_and(is_left) {
            tokens.turns.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_token_is_used_for_four_fifths_of_its_life() {
        let cache = TokenCache::new(10, Duration::from_secs(3600));
        let made = AtomicUsize::new(0);
        let ask = async |lifetime: u64| {
            let make = async {
                let number = made.fetch_add(1, Ordering::Relaxed);
                Ok::<_, ()>((number, Duration::from_secs(lifetime)))
            };
            cache.get(&"key", make).await.unwrap()
        };
        assert_eq!(ask(100).await, 0);
        tokio::time::advance(Duration::from_secs(79)).await;
        assert_eq!((ask(100).await, cache.peek(&"key")), (0, Some(0)));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(cache.peek(&"key"), None);
        assert_eq!(ask(1_000_000).await, 1);
        tokio::time::advance(Duration::from_secs(3599)).await;
        assert_eq!(ask(100).await, 1);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(ask(100).await, 2, "no longer than an hour");
        cache.forget(&"key");
        assert_eq!(ask(100).await, 3);
    }

    #[tokio::test]
    async fn what_is_counted_names_the_object() {
        let cache = TokenCache::counted(1, Duration::from_secs(3600));
        let user = TokenUser::new("Bucket", &"apps".into(), &"counted".into());
        for key in ["a", "a", "b"] {
            let make = async { Ok::<_, ()>((key, Duration::from_secs(60))) };
            assert_eq!(cache.get_for(Some(&user), &key, make).await, Ok(key));
        }
        assert_eq!(cache.get_for(Some(&user), &"c", async { Err(()) }).await, Err(()));
        let text = metrics::encode();
        let labels = "kind=\"Bucket\",name=\"counted\",namespace=\"apps\",operation=\"reconcile\"";
        for (event, count) in [("cache_hit", 1), ("cache_miss", 3)] {
            let line = format!("gotk_token_cache_events_total{{event_type=\"{event}\",{labels}}} {count}\n");
            assert!(text.contains(&line), "{line}: {text}");
        }
    }

    #[tokio::test]
    async fn what_is_refused_takes_no_place_and_leaves_nothing() {
        let cache = TokenCache::new(1, Duration::from_secs(3600));
        let good = async { Ok::<_, &str>((1, Duration::from_secs(60))) };
        assert_eq!(cache.get(&"good", good).await, Ok(1));
        for key in ["bad", "worse", "bad"] {
            assert_eq!(cache.get(&key, async { Err("refused") }).await, Err("refused"));
        }
        assert_eq!(cache.peek(&"good"), Some(1));
        // one who waits for another, and gives up
        let never = std::future::pending::<Result<(i32, Duration), &str>>();
        let given_up = async { Err("refused") };
        tokio::select! {
            biased;
            _ = cache.get(&"slow", never) => panic!("it never ends"),
            _ = cache.get(&"slow", given_up) => panic!("it is not its turn"),
            () = tokio::task::yield_now() => {}
        }
        assert!(cache.tokens().unwrap().turns.is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_askers_get_one_answer_each_for_its_own_key() {
        let cache = Arc::new(TokenCache::new(8, Duration::from_secs(3600)));
        let made = Arc::new(AtomicUsize::new(0));
        let tasks = (0..400usize).map(|number| {
            let (cache, made) = (Arc::clone(&cache), Arc::clone(&made));
            tokio::spawn(async move {
                let key = number % 8;
                let make = async {
                    made.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    Ok::<_, ()>((key, Duration::from_secs(60)))
                };
                assert_eq!(cache.get(&key, make).await, Ok(key));
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(made.load(Ordering::Relaxed), 8);
        // more keys than room: the bound holds, and nobody gets another's
        for key in 0..100usize {
            let make = async { Ok::<_, ()>((key, Duration::from_secs(60))) };
            assert_eq!(cache.get(&key, make).await, Ok(key));
        }
        assert_eq!(cache.tokens().unwrap().kept.len(), 8);
        // a failure is not kept
        assert_eq!(cache.get(&1000, async { Err(()) }).await, Err(()));
        let make = async { Ok::<_, ()>((7, Duration::from_secs(60))) };
        assert_eq!(cache.get(&1000, make).await, Ok(7));
    }

    /// N16: more keys than room, tokens that expire at once or are refused, readers and forgetters at the same time.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn under_stress_nobody_gets_the_token_of_another() {
        const MAX: usize = 8;
        let cache = Arc::new(TokenCache::new(MAX, Duration::from_secs(3600)));
        let tasks = (0..64usize).map(|task| {
            let cache = Arc::clone(&cache);
            tokio::spawn(async move {
                let mut numbers = task as u64 + 1;
                for _ in 0..2_000 {
                    numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let (owner, what) = ((numbers >> 33) as usize % 24, (numbers >> 60) as usize);
                    let make = async {
                        tokio::task::yield_now().await;
                        match what {
                            0 => Err("refused"),
                            1 => Ok((owner, Duration::ZERO)),
                            _ => Ok((owner, Duration::from_secs(60))),
                        }
                    };
                    match what {
                        2 => cache.forget(&owner),
                        3 => assert!(cache.peek(&owner).is_none_or(|found| found == owner)),
                        _ => {
                            let found = cache.get(&owner, make).await;
                            assert!(found.is_ok_and(|found| found == owner) || what == 0, "{owner}");
                        }
                    }
                    assert!(cache.tokens().unwrap().kept.len() <= MAX);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert!(cache.tokens().unwrap().turns.is_empty(), "nobody asks any more");
    }
}
