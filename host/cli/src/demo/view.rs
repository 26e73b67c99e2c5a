//! What a person sees: a live table on a terminal, plain lines elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
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
        let live = std::io::stdout().is_terminal().then(table);
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

    /// The table stays on the screen as it is; what comes is below it.
    pub(super) fn settle(&mut self) {
        for bar in std::mem::take(&mut self.bars).into_values() {
            bar.disable_steady_tick();
            bar.abandon();
        }
        if self.live.is_some() {
            self.live = Some(table());
        }
    }

    /// A new chapter: the clock starts anew.
    pub(super) fn chapter(&mut self, title: &str) {
        self.settle();
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
            bar.set_prefix(subject.to_owned());
            bar
        });
        bar.set_style(style(health));
        bar.set_message(text.to_owned());
        match health {
            Health::Working => bar.enable_steady_tick(Duration::from_millis(80)),
            Health::Ready | Health::Failed => bar.disable_steady_tick(),
        }
        self.shown.insert(subject.to_owned(), state);
    }
}

fn table() -> MultiProgress {
    MultiProgress::with_draw_target(ProgressDrawTarget::stdout())
}

/// A line of the table: a spinner while it goes on, then the mark.
fn style(health: Health) -> ProgressStyle {
    let template = match health {
        Health::Working => "  {spinner:.cyan} {prefix:<44} {wide_msg}",
        Health::Ready => "  {mark:.green} {prefix:<44} {wide_msg}",
        Health::Failed => "  {mark:.red} {prefix:<44} {wide_msg}",
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key(
            "mark",
            move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                // a mark that cannot be written is no reason to stop
                let _ = out.write_str(health.mark());
            },
        )
}
