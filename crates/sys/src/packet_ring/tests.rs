//! What the kernel writes is believed only within its block; a ring is had or refused.

use super::*;

/// Keeps 64 bytes of whatever comes.
const ALL: [Instruction; 1] = [Instruction {
    code: (libc::BPF_RET | libc::BPF_K) as u16,
    jump_true: 0,
    jump_false: 0,
    constant: 64,
}];

fn settings() -> Settings<'static> {
    Settings {
        interface: 1,
        view: View::Datagram,
        filter: &ALL,
        only_received: true,
        block_bytes: 1 << 16,
        blocks: 4,
        patience: Duration::from_millis(5),
    }
}

#[test]
fn what_leads_out_of_a_block_is_not_followed() {
    let word = |bytes: &mut [u8], at: usize, value: u32| {
        bytes[at..at + 4].copy_from_slice(&value.to_ne_bytes())
    };
    let header = offset_of!(tpacket_block_desc, hdr);
    let mut bytes = vec![0; 256];
    word(&mut bytes, header + offset_of!(tpacket_hdr_v1, num_pkts), 2);
    word(
        &mut bytes,
        header + offset_of!(tpacket_hdr_v1, offset_to_first_pkt),
        64,
    );
    word(&mut bytes, 64 + offset_of!(tpacket3_hdr, tp_snaplen), 8);
    let mut shown = 0;
    for next in [0, 64, 200, u32::MAX] {
        word(
            &mut bytes,
            64 + offset_of!(tpacket3_hdr, tp_next_offset),
            next,
        );
        let whole = Block(&bytes).packets(&mut |packet| shown += packet.bytes.len());
        assert_eq!(whole.is_some(), next < 200, "{next}");
    }
    for first in [250, 256, u32::MAX] {
        word(
            &mut bytes,
            header + offset_of!(tpacket_hdr_v1, offset_to_first_pkt),
            first,
        );
        assert!(Block(&bytes).packets(&mut |_| shown += 1).is_none());
    }
    assert!(Block(&[]).packets(&mut |_| shown += 1).is_none());
    assert_eq!(shown, 8 * 5);
}

#[test]
fn a_ring_that_makes_sense_is_had_and_stays_empty_while_nothing_is_sent() {
    let moved = crate::namespace::unshare();
    if let Err(error) = moved {
        return println!("skipped: no network namespace can be made here: {error}");
    }
    // The loopback interface of a new namespace is down, and its number is 1.
    assert!(
        PacketRing::open(&Settings {
            interface: 99,
            ..settings()
        })
        .is_err()
    );
    let wrong = Settings {
        block_bytes: 1000,
        ..settings()
    };
    assert!(PacketRing::open(&wrong).is_err());
    let mut ring = PacketRing::open(&settings()).unwrap();
    assert_eq!(ring.link_kind().unwrap(), libc::ARPHRD_LOOPBACK);
    assert!(!ring.read(|_| panic!("nothing was sent")).unwrap());
    assert_eq!(ring.statistics().unwrap(), Statistics::default());
}
