//! The same link by the kernel's netem (tc-netem(8)), which the command `tc` of iproute2 is asked for.
//!
//! | what the model has | what netem is told |
//! | --- | --- |
//! | half of the round trip | `delay` |
//! | the rate | `rate` |
//! | the loss | `loss random` |
//! | the queue | `limit`, in packets: those that wait and those on their way, all as large as an MTU |
//!
//! netem counts a frame's 14 bytes of Ethernet header, too. A veth pair would hand it frames of up to 64 KiB, each delayed, queued and lost
//! as one; so the interfaces are told to segment to one packet a frame.

use std::io;
use std::process::{Command, Stdio};

use network::{INTERFACE, Namespace, interface};

use crate::Model;

/// Bytes of a full packet.
const PACKET_BYTES: u64 = 1500;

/// Packets that may be on their way where there is no rate to bound them.
const UNBOUNDED: u64 = 100_000;

/// Whether netem can do what the model says.
pub(crate) fn suits(model: &Model) -> Result<(), &'static str> {
    match model.jitter.is_zero() {
        true => Ok(()),
        false => Err("with jitter it does not keep packets in order"),
    }
}

/// What `tc` is told, for each of the two interfaces.
pub fn arguments(model: &Model) -> Vec<String> {
    let mut words: Vec<String> = ["qdisc", "add", "dev", INTERFACE, "root", "netem"]
        .map(str::to_owned)
        .into();
    let mut put = |name: &str, value: String| words.extend([name.to_owned(), value]);
    put("limit", limit(model).to_string());
    put("delay", format!("{}us", model.delay().as_micros()));
    if let Some(rate) = model.rate_bits_per_s {
        put("rate", format!("{rate}bit"));
    }
    if model.loss > 0.0 {
        put("loss", "random".into());
        words.push(format!("{}%", model.loss * 100.0));
    }
    words
}

fn limit(model: &Model) -> u64 {
    let Some(rate) = model.rate_bits_per_s else {
        return UNBOUNDED;
    };
    let on_their_way = u128::from(rate) * model.delay().as_nanos() / 8 / 1_000_000_000;
    let bytes = on_their_way + u128::from(model.queue_bytes);
    let packets = bytes.div_ceil(u128::from(PACKET_BYTES)) + 1;
    // netem keeps it in 32 bits.
    u64::try_from(packets).map_or(u64::from(u32::MAX), |packets| {
        packets.min(u64::from(u32::MAX))
    })
}

/// Has netem shape what leaves a host by its veth interface.
///
/// # Errors
/// What is missing, in words.
pub(crate) fn shape(model: &Model, host: &Namespace) -> Result<(), String> {
    let said = |error: io::Error| error.to_string();
    let mut command = Command::new("tc");
    command
        .args(arguments(model))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    host.start_in(&mut command).map_err(said)?;
    let output = command.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            "the command tc is not here; install the package iproute2".into()
        }
        _ => error.to_string(),
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().next().unwrap_or("it said nothing").to_owned();
        return Err(format!("tc refused ({line})"));
    }
    host.run(|| interface::set_segments(INTERFACE, 1))
        .and_then(|set| set)
        .map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn netem_is_told_half_of_the_round_trip_and_room_for_what_is_on_its_way() {
        let mut model = Model {
            round_trip: Duration::from_millis(80),
            rate_bits_per_s: Some(12_000_000),
            loss: 0.005,
            jitter: Duration::ZERO,
            queue_bytes: 15_000,
            seed: 1,
        };
        // 40 ms at 1.5 MB/s are 40 packets on their way; 10 wait, and one is sent.
        let expected = "qdisc add dev archbench0 root netem limit 51 delay 40000us rate 12000000bit loss random 0.5%";
        assert_eq!(arguments(&model).join(" "), expected);
        model.rate_bits_per_s = None;
        model.loss = 0.0;
        let expected = "qdisc add dev archbench0 root netem limit 100000 delay 40000us";
        assert_eq!(arguments(&model).join(" "), expected);
        assert!(suits(&model).is_ok());
        model.jitter = Duration::from_millis(1);
        assert!(suits(&model).is_err());
    }
}
