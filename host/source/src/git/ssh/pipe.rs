//! The channel of a command as a reader and a writer that block, and cost no more than the conversation allows.

use std::{
    io::{self, Read, Write},
    sync::Arc,
};

use bytes::{Buf as _, Bytes};
use russh::{
    ChannelMsg, ChannelReadHalf, ChannelWriteHalf,
    client::{Handle, Msg},
};
use tokio::runtime;

use super::client::{Hangup, Server, Session};
use crate::{git::conversation::Conversation, http::Failure};

/// What the command writes.
pub(crate) struct Reader {
    runtime: runtime::Handle,
    channel: ChannelReadHalf,
    current: Bytes,
    is_over: bool,
    conversation: Arc<Conversation>,
    /// The connection ends when nobody reads any more.
    _session: (Handle<Server>, Hangup),
}

/// What the command reads.
pub(crate) struct Writer {
    runtime: runtime::Handle,
    channel: ChannelWriteHalf<Msg>,
    conversation: Arc<Conversation>,
}

pub(super) fn pipes(
    runtime: runtime::Handle,
    session: Session,
    conversation: Arc<Conversation>,
) -> (Reader, Writer) {
    let (read, write) = session.channel.split();
    let reader = Reader {
        runtime: runtime.clone(),
        channel: read,
        current: Bytes::new(),
        is_over: false,
        conversation: Arc::clone(&conversation),
        _session: (session.handle, session.hangup),
    };
    let writer = Writer {
        runtime,
        channel: write,
        conversation,
    };
    (reader, writer)
}

impl Reader {
    /// Waits for more; what the command says beside its output is kept for messages.
    fn fill(&mut self) -> io::Result<()> {
        while self.current.is_empty() && !self.is_over {
            let left = self.conversation.left();
            let (runtime, channel) = (&self.runtime, &mut self.channel);
            let message = runtime.block_on(async { tokio::time::timeout(left, channel.wait()).await });
            match message.map_err(|_| self.conversation.fail(Failure::TimedOut))? {
                Some(ChannelMsg::Data { data }) => self.current = data,
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    self.conversation.spend(data.len())?;
                    self.conversation.hear(&data);
                }
                Some(ChannelMsg::Close) | None => self.is_over = true,
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let length = buffer.len().min(self.current.len());
        if let Some(part) = buffer.get_mut(..length) {
            self.current.copy_to_slice(part);
        }
        self.conversation.spend(length)?;
        Ok(length)
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.conversation.left();
        let sending = self.channel.data_bytes(bytes.to_vec());
        let sent = self
            .runtime
            .block_on(async { tokio::time::timeout(left, sending).await });
        match sent {
            Err(_) => Err(self.conversation.fail(Failure::TimedOut)),
            Ok(Err(error)) => Err(self.conversation.fail_transport(&error)),
            Ok(Ok(())) => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
