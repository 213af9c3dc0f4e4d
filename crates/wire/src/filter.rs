//! The kernel's side of the selection: a classic BPF program (the kernel's filter.rst) that keeps TCP segments of one port.

use sys::packet_ring::Instruction;

/// Offsets from here on count from the network header, whatever comes before it (`SKF_NET_OFF`).
const NETWORK: u32 = 0xfff0_0000;

const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF: u16 = 0x28;
const LOAD_HALF_FROM_X: u16 = 0x48;
const AND: u16 = 0x54;
const SHIFT_LEFT: u16 = 0x64;
const SHIFT_RIGHT: u16 = 0x74;
const TO_X: u16 = 0x07;
const IF_EQUAL: u16 = 0x15;
const IF_ANY: u16 = 0x45;
const RETURN: u16 = 0x06;

/// The protocol number of TCP.
const TCP: u32 = 6;

/// Keeps `kept_bytes` of each TCP segment from or to `port`, over IPv4 or IPv6 without extension headers, and nothing else.
///
/// A fragment that is not the first of its packet has no port, so none is kept.
pub(crate) fn tcp_port(port: u16, kept_bytes: u32) -> Vec<Instruction> {
    let step = |code, constant| Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        constant,
    };
    let jump = |code, constant, jump_true, jump_false| Instruction {
        code,
        jump_true,
        jump_false,
        constant,
    };
    let port = u32::from(port);
    vec![
        step(LOAD_BYTE, NETWORK),
        step(SHIFT_RIGHT, 4),
        jump(IF_EQUAL, 4, 0, 12),
        // IPv4: the protocol, that it is no later fragment, the length of the header, the ports behind it.
        step(LOAD_BYTE, NETWORK + 9),
        jump(IF_EQUAL, TCP, 0, 18),
        step(LOAD_HALF, NETWORK + 6),
        jump(IF_ANY, 0x1fff, 16, 0),
        step(LOAD_BYTE, NETWORK),
        step(AND, 0x0f),
        step(SHIFT_LEFT, 2),
        step(TO_X, 0),
        step(LOAD_HALF_FROM_X, NETWORK),
        jump(IF_EQUAL, port, 9, 0),
        step(LOAD_HALF_FROM_X, NETWORK + 2),
        jump(IF_EQUAL, port, 7, 8),
        // IPv6: the next header and the ports.
        jump(IF_EQUAL, 6, 0, 7),
        step(LOAD_BYTE, NETWORK + 6),
        jump(IF_EQUAL, TCP, 0, 5),
        step(LOAD_HALF, NETWORK + 40),
        jump(IF_EQUAL, port, 2, 0),
        step(LOAD_HALF, NETWORK + 42),
        jump(IF_EQUAL, port, 0, 1),
        step(RETURN, kept_bytes),
        step(RETURN, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel's interpreter makes of a program and a packet that begins at its network header; a load beyond the end drops it.
    fn run(program: &[Instruction], packet: &[u8]) -> Option<u32> {
        let byte = |at: u32| {
            packet
                .get(at.wrapping_sub(NETWORK) as usize)
                .copied()
                .map(u32::from)
        };
        let half = |at: u32| Some(byte(at)? << 8 | byte(at.wrapping_add(1))?);
        let (mut at, mut a, mut x) = (0, 0, 0_u32);
        loop {
            let Instruction {
                code,
                jump_true,
                jump_false,
                constant,
            } = program[at];
            at += 1;
            let mut jump = |holds| at += usize::from(if holds { jump_true } else { jump_false });
            match code {
                LOAD_BYTE => a = byte(constant)?,
                LOAD_HALF => a = half(constant)?,
                LOAD_HALF_FROM_X => a = half(constant.wrapping_add(x))?,
                AND => a &= constant,
                SHIFT_LEFT => a <<= constant,
                SHIFT_RIGHT => a >>= constant,
                TO_X => x = a,
                IF_EQUAL => jump(a == constant),
                IF_ANY => jump(a & constant != 0),
                RETURN => return Some(constant),
                other => panic!("no such instruction: {other}"),
            }
        }
    }

    /// An IP header of the version, with options or not, and the ports.
    fn packet(version: u8, words: u8, protocol: u8, fragment: u16, ports: [u16; 2]) -> Vec<u8> {
        let length = if version == 4 {
            usize::from(words) * 4
        } else {
            40
        };
        let mut bytes = vec![0; length];
        bytes[0] = version << 4 | words;
        if version == 4 {
            bytes[6..8].copy_from_slice(&fragment.to_be_bytes());
            bytes[9] = protocol;
        } else {
            bytes[6] = protocol;
        }
        bytes.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        bytes
    }

    #[test]
    fn segments_of_the_port_are_kept_whichever_end_has_it_and_nothing_else() {
        let program = tcp_port(8080, 99);
        for version in [4, 6] {
            for words in [5, 15] {
                for (ports, kept) in [([8080, 1], 99), ([1, 8080], 99), ([1, 2], 0)] {
                    assert_eq!(
                        run(&program, &packet(version, words, 6, 0, ports)),
                        Some(kept)
                    );
                    assert_eq!(
                        run(&program, &packet(version, words, 17, 0, ports)),
                        Some(0)
                    );
                }
            }
        }
        let do_not_fragment = packet(4, 5, 6, 0x4000, [1, 8080]);
        assert_eq!(run(&program, &do_not_fragment), Some(99));
        let later_fragment = packet(4, 5, 6, 0x0010, [1, 8080]);
        assert_eq!(run(&program, &later_fragment), Some(0));
        assert_eq!(run(&program, &packet(5, 5, 6, 0, [1, 8080])), Some(0));
        assert_eq!(run(&program, &packet(4, 5, 6, 0, [1, 8080])[..21]), None);
    }
}
