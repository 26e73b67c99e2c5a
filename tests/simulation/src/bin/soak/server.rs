//! The API server in a process of its own; faults are ordered by lines on its standard input.

use anyhow::{Context as _, Result, bail};
use sluice_devcluster::{Config, DevCluster, Effect, Fault};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};

/// The line that ends the kubeconfig on standard output.
const END: &str = "---";

/// `soak --server`: runs until standard input ends.
pub(crate) async fn serve() -> Result<()> {
    let server = DevCluster::start(Config::default()).await?;
    println!("{}{END}", server.kubeconfig());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["drop-watches"] => server.drop_watches(None),
            ["compact"] => server.compact(),
            ["fail", verb, code] => {
                let fault = Fault {
                    times: 5,
                    ..Fault::once(verb, "configmaps", Effect::Answer(code.parse()?))
                };
                // what nobody met is forgotten: else whoever asks less for being refused is refused for ever
                server.faults().clear();
                server.faults().add(fault);
            }
            other => bail!("unknown order {other:?}"),
        }
    }
    Ok(())
}

/// The running server.
pub(crate) struct Server {
    pub(crate) kubeconfig: String,
    orders: ChildStdin,
    _child: Child,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--server")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().context("a pipe")?);
        let mut kubeconfig = String::new();
        while !kubeconfig.ends_with(&format!("{END}\n")) {
            if output.read_line(&mut kubeconfig).await? == 0 {
                bail!("the server did not start");
            }
        }
        // what else it prints must not fill the pipe
        tokio::spawn(async move { output.read_to_end(&mut Vec::new()).await });
        let orders = child.stdin.take().context("a pipe")?;
        let kubeconfig = kubeconfig.trim_end().trim_end_matches(END).to_owned();
        Ok(Self {
            kubeconfig,
            orders,
            _child: child,
        })
    }

    /// Orders a fault.
    pub(crate) async fn order(&mut self, line: &str) -> Result<()> {
        Ok(self.orders.write_all(format!("{line}\n").as_bytes()).await?)
    }
}
