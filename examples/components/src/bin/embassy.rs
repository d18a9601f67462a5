// SPDX-License-Identifier: MIT OR Apache-2.0
//! TCP echo on embassy-net, and a client that asks it, each on its own end of a link:
//!
//! ```sh
//! cargo run -p muennet-components --bin embassy
//! ```

use embassy_executor::{Executor, Spawner};
use embassy_net::{
    tcp::TcpSocket, Config, IpAddress, Ipv4Address, Ipv4Cidr, Runner, Stack, StackResources,
    StaticConfigV4,
};
use embassy_time::Duration;
use embedded_io_async::Write;
use muennet_components::PROTOCOL;
use muennet_core::framing::Ethernet;
use muennet_host::{
    epoch,
    in_process::{links, HostLink},
    mapping::{Input, Output},
};
use smoltcp_device::{
    embassy::{Bell, Driver},
    Device, Options, Ring,
};

type Port = Driver<'static, Input, Output, Ethernet, &'static Bell>;

const SERVER: Ipv4Address = Ipv4Address::new(10, 0, 0, 2);
const CLIENT: Ipv4Address = Ipv4Address::new(10, 0, 0, 1);
const PORT: u16 = 7;
/// Bytes that the client sends.
const BYTES: usize = 4 << 20;
/// Bytes of each buffer of a connection.
const BUFFER: usize = 32 * 1024;

/// Each end's bell is rung by the other end; on Muen the interrupt would ring it.
static BELLS: [Bell; 2] = [Bell::new(), Bell::new()];

fn driver(link: HostLink<Ethernet, &'static Bell>, number: u8, bell: &'static Bell) -> Port {
    let options = Options {
        ring: Ring::EachFrame,
        ..Options::default()
    };
    let mut device = Device::with_options(link, options);
    device.activate(epoch::random());
    Driver::new(device, [2, 0, 0, 0, 0, number], bell)
}

fn stack(port: Port, address: Ipv4Address) -> (Stack<'static>, Runner<'static, Port>) {
    let config = Config::ipv4_static(StaticConfigV4 {
        address: Ipv4Cidr::new(address, 24),
        gateway: None,
        dns_servers: Default::default(),
    });
    let resources = Box::leak(Box::new(StackResources::<2>::new()));
    embassy_net::new(port, config, resources, epoch::random().get())
}

#[embassy_executor::task(pool_size = 2)]
async fn run(mut runner: Runner<'static, Port>) -> ! {
    runner.run().await
}

#[embassy_executor::task]
async fn serve(stack: Stack<'static>) -> ! {
    let (mut rx, mut tx) = (vec![0; BUFFER], vec![0; BUFFER]);
    loop {
        let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
        socket.set_timeout(Some(Duration::from_secs(10)));
        if socket.accept(PORT).await.is_err() {
            continue;
        }
        let mut chunk = [0; 4096];
        while let Ok(len) = socket.read(&mut chunk).await {
            if len == 0 || socket.write_all(&chunk[..len]).await.is_err() {
                break;
            }
        }
        socket.close();
        // The other side may be gone already.
        let _ = socket.flush().await;
    }
}

/// The byte at a place of the stream.
fn expected(at: usize) -> u8 {
    (at.wrapping_mul(0x9e37_79b9) >> 13) as u8
}

#[embassy_executor::task]
async fn ask(stack: Stack<'static>) {
    let (mut rx, mut tx) = (vec![0; BUFFER], vec![0; BUFFER]);
    let mut socket = TcpSocket::new(stack, &mut rx, &mut tx);
    socket.set_timeout(Some(Duration::from_secs(10)));
    if let Err(error) = socket.connect((IpAddress::from(SERVER), PORT)).await {
        fail(&format!("cannot connect: {error:?}"));
    }
    let (mut reader, mut writer) = socket.split();
    let send = async {
        let mut sent = 0;
        while sent < BYTES {
            let len = (BYTES - sent).min(4096);
            let chunk: Vec<u8> = (sent..sent + len).map(expected).collect();
            if let Err(error) = writer.write_all(&chunk).await {
                fail(&format!("cannot send: {error:?}"));
            }
            sent += len;
        }
    };
    let receive = async {
        let (mut received, mut chunk) = (0, [0; 4096]);
        while received < BYTES {
            match reader.read(&mut chunk).await {
                Ok(len) if len > 0 => {
                    let right = (received..).map(expected);
                    if !chunk[..len].iter().copied().eq(right.take(len)) {
                        fail(&format!("wrong bytes from {received} on"));
                    }
                    received += len;
                }
                other => fail(&format!("no more after {received} bytes: {other:?}")),
            }
        }
    };
    embassy_futures::join::join(send, receive).await;
    println!("embassy: {BYTES} bytes there and back");
    std::process::exit(0);
}

fn fail(why: &str) -> ! {
    eprintln!("embassy: {why}");
    std::process::exit(1);
}

fn spawn(spawner: Spawner) -> Result<(), Box<dyn std::error::Error>> {
    let [bell_a, bell_b] = &BELLS;
    let (a, b) = links(1 << 20, PROTOCOL, Ethernet::new(1500)?, (bell_b, bell_a))?;
    let (server, server_runner) = stack(driver(a, 2, bell_a), SERVER);
    let (client, client_runner) = stack(driver(b, 1, bell_b), CLIENT);
    spawner.spawn(run(server_runner)?);
    spawner.spawn(run(client_runner)?);
    spawner.spawn(serve(server)?);
    spawner.spawn(ask(client)?);
    Ok(())
}

fn main() -> ! {
    let executor = Box::leak(Box::new(Executor::new()));
    executor.run(|spawner| {
        if let Err(error) = spawn(spawner) {
            fail(&error.to_string());
        }
    })
}
