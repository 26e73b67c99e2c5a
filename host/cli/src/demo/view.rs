//! What a person sees: a live table on a terminal, plain lines elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How an object is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Still going on.
    Working,
    /// As it should be.
    Ready,
    /// Failed.
    Failed,
}

impl Health {
    fn mark(self) -> &'static str {
        match self {
            Self::Working => "◎",
            Self::Ready => "✔",
            Self::Failed => "✗",
        }
    }
}

/// The screen, with the time since the story began.
pub(super) struct View {
    began: Instant,
    live: Option<MultiProgress>,
    bars: BTreeMap<String, ProgressBar>,
    shown: BTreeMap<String, (Health, String)>,
}

impl View {
    /// Live where standard output is a terminal.
    pub(super) fn new() -> Self {
        let live = std::io::stdout().is_terminal().then(MultiProgress::new);
        Self {
            began: Instant::now(),
            live,
            bars: BTreeMap::new(),
            shown: BTreeMap::new(),
        }
    }

    /// Time since the story, or its current chapter, began.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// A new chapter: the clock starts anew.
    pub(super) fn chapter(&mut self, title: &str) {
        self.bars.clear();
        if let Some(live) = &self.live {
            let _ = live.clear();
            self.live = Some(MultiProgress::new());
        }
        println!("\n{title}");
        self.began = Instant::now();
    }

    /// A line that stays.
    pub(super) fn line(&self, text: &str) {
        let line = format!("  {:>7.3}s  {text}", self.began.elapsed().as_secs_f64());
        match &self.live {
            Some(live) => {
                let _ = live.println(line);
            }
            None => println!("{line}"),
        }
    }

    /// The state of one object. Unchanged states are shown once.
    pub(super) fn object(&mut self, subject: &str, health: Health, text: &str) {
        let state = (health, text.to_owned());
        if self.shown.get(subject) == Some(&state) {
            return;
        }
        let Some(live) = &self.live else {
            self.line(&format!("{} {subject}  {text}", health.mark()));
            self.shown.insert(subject.to_owned(), state);
            return;
        };
        let bar = self.bars.entry(subject.to_owned()).or_insert_with(|| {
            let bar = live.add(ProgressBar::new_spinner());
            bar.set_style(style());
            bar.set_prefix(subject.to_owned());
            bar
        });
        match health {
            Health::Working => {
                bar.enable_steady_tick(Duration::from_millis(80));
                bar.set_message(text.to_owned());
            }
            Health::Ready | Health::Failed => {
                bar.disable_steady_tick();
                bar.abandon_with_message(format!("{} {text}", health.mark()));
            }
        }
        self.shown.insert(subject.to_owned(), state);
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("  {spinner:.cyan} {prefix:<44} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}
