// SPDX-License-Identifier: MIT OR Apache-2.0
//! One component, two ways to sleep: it answers raw messages, and between them sleeps
//! until its channel's eventfd is rung, or looks every now and then. (The third way,
//! `hlt` until an interrupt, is the unikernel's.) Server and peer are here too:
//!
//! ```sh
//! cargo run -p muennet-components --bin events
//! ```

use anyhow::{ensure, Context, Result};
use muennet_components::PROTOCOL;
use muennet_core::{
    event::Events,
    framing::Raw,
    link::{Link, Receiver, Sender},
};
use muennet_host::{
    epoch,
    events::Pause,
    ivshmem::{
        client::{Client, Ringer},
        server::Server,
    },
    mapping::{Input, Output},
    policy::Policy,
};
use smoltcp_device::raw;
use std::{os::unix::net::UnixStream, path::Path, thread, time::Duration};

const POLICY: &str = r#"
    [[subject]]
    name = "asking"
    [[subject]]
    name = "answering"
    [[channel]]
    name = "questions"
    size = "64K"
    writer = "asking"
    reader = "answering"
    event = true
    [[channel]]
    name = "answers"
    size = "64K"
    writer = "answering"
    reader = "asking"
    event = true
"#;

/// Bytes of a message.
const MESSAGE: usize = 64;
/// Messages for each way to sleep.
const MESSAGES: u64 = 1000;
/// A peer that is silent for longer is an error.
const PATIENCE: Duration = Duration::from_secs(10);

type Port = raw::Port<Input, Output, Option<Ringer>, MESSAGE>;

/// Receives the next message, asleep until it is there; `None` if none comes. Says,
/// too, how often it woke up.
fn receive<E: Events>(port: &mut Port, events: &mut E) -> Result<Option<(u64, u64)>, E::Error> {
    let (mut wakes, start) = (0, std::time::Instant::now());
    while start.elapsed() < PATIENCE {
        let number = port.receive(|message| message.first_chunk().copied());
        if let Some(Some(number)) = number {
            return Ok(Some((u64::from_le_bytes(number), wakes)));
        }
        // What came since the look above is pending; what comes from here on rings.
        if !port.has_pending() {
            events.wait(Some(PATIENCE))?;
            wakes += 1;
        }
    }
    Ok(None)
}

/// The component: answers each number with the next one, up to the last.
fn answer<E: Events>(mut port: Port, mut events: E) -> Result<u64>
where
    E::Error: std::error::Error + Send + Sync + 'static,
{
    let mut wakes = 0;
    loop {
        let (number, woken) = receive(&mut port, &mut events)?.context("nobody asks")?;
        wakes += woken;
        port.send(&(number + 1).to_le_bytes())?;
        if number + 2 >= 2 * MESSAGES {
            return Ok(wakes);
        }
    }
}

/// Its peer.
fn ask<E: Events>(mut port: Port, mut events: E) -> Result<()>
where
    E::Error: std::error::Error + Send + Sync + 'static,
{
    for number in (0..2 * MESSAGES).step_by(2) {
        port.send(&number.to_le_bytes())?;
        let (answer, _) = receive(&mut port, &mut events)?.context("nobody answers")?;
        ensure!(answer == number + 1, "{answer} came for {number}");
    }
    Ok(())
}

/// A subject's port, and the connection that keeps its channels.
fn port(client: &Client, input: &str, output: &str) -> Result<Port> {
    let framing = Raw::new(MESSAGE as u16)?;
    let mut port = Port::new(Link {
        rx: Receiver::new(client.input(input)?, PROTOCOL, framing)?,
        tx: Sender::new(
            client.output(output)?,
            PROTOCOL,
            framing,
            client.notifier(output)?,
        )?,
    });
    port.activate(epoch::random());
    Ok(port)
}

/// Lets the component sleep by events or by pauses; how often it woke up.
fn run(folder: &Path, pauses: bool) -> Result<u64> {
    let asking = Client::connect(&folder.join("asking.sock"))?;
    let answering = Client::connect(&folder.join("answering.sock"))?;
    let component = port(&answering, "questions", "answers")?;
    let peer = port(&asking, "answers", "questions")?;
    let bell = answering.vector("questions")?.context("no event")?;
    let peers_bell = asking.vector("answers")?.context("no event")?;
    let component = thread::spawn(move || {
        if pauses {
            answer(component, Pause(Duration::from_micros(200)))
        } else {
            answer(component, bell)
        }
    });
    ask(peer, peers_bell)?;
    let joined = component.join();
    joined.map_err(|_| anyhow::anyhow!("the component panicked"))?
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Server::new(Policy::parse(POLICY)?, folder.path())?;
    let (stop, stopper) = UnixStream::pair()?;
    let serving = thread::spawn(move || server.run(&stop, |_| ()));
    for (how, pauses) in [("events", false), ("pauses", true)] {
        // The server may still take leave of the subjects that were.
        let mut wakes = run(folder.path(), pauses);
        for _ in 0..100 {
            if wakes.is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
            wakes = run(folder.path(), pauses);
        }
        println!(
            "events: {MESSAGES} answers by {how}, awake {} times",
            wakes?
        );
    }
    drop(stopper);
    let served = serving.join();
    served.map_err(|_| anyhow::anyhow!("the server panicked"))?
}
