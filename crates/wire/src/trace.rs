//! Packets kept as pcapng (draft-ietf-opsawg-pcapng), for Wireshark and its like.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::interface_statistics::{
    InterfaceStatisticsBlock, InterfaceStatisticsOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness, PcapError};
use sys::packet_ring::{Packet, Statistics};

use crate::segment::LinkLayer;

/// Time stamps are nanoseconds.
const NANOSECONDS: u8 = 9;

/// A file of packets of one interface.
pub struct Trace<W: Write> {
    file: PcapNgWriter<W>,
    room: u64,
    left_out: u64,
}

impl Trace<BufWriter<File>> {
    /// A new file of about `most_bytes` at most: packets that come when it is full are left out, and counted.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(
        path: &Path,
        interface: &str,
        link: LinkLayer,
        kept_bytes: u32,
        most_bytes: u64,
    ) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Self::new(file, interface, link, kept_bytes, most_bytes)
    }
}

impl<W: Write> Trace<W> {
    /// The same to any writer.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(
        to: W,
        interface: &str,
        link: LinkLayer,
        kept_bytes: u32,
        most_bytes: u64,
    ) -> io::Result<Self> {
        let section = SectionHeaderBlock {
            // The library writes 64-bit times as one number and the format has two halves, the high one first; so they agree.
            endianness: Endianness::Big,
            options: vec![SectionHeaderOption::UserApplication("archbench".into())],
            ..Default::default()
        };
        let description = InterfaceDescriptionBlock {
            linktype: match link {
                LinkLayer::Ethernet => DataLink::ETHERNET,
                LinkLayer::None => DataLink::RAW,
            },
            snaplen: kept_bytes,
            options: vec![
                InterfaceDescriptionOption::IfName(Cow::Owned(interface.to_owned())),
                InterfaceDescriptionOption::IfTsResol(NANOSECONDS),
            ],
        };
        let mut file = PcapNgWriter::with_section_header(to, section).map_err(plain)?;
        let head = file.write_pcapng_block(description).map_err(plain)?;
        Ok(Self {
            file,
            room: most_bytes.saturating_sub(head as u64),
            left_out: 0,
        })
    }

    /// Keeps a packet, if there is room.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        // The block around a packet takes 32 bytes and up to three of padding.
        let bytes = packet.bytes.len() as u64 + 35;
        if bytes > self.room {
            self.left_out += 1;
            return Ok(());
        }
        self.room -= bytes;
        let mut block = EnhancedPacketBlock::default();
        block.timestamp = packet.at;
        block.original_len = packet.length;
        block.data = Cow::Borrowed(packet.bytes);
        self.file.write_pcapng_block(block).map(drop).map_err(plain)
    }

    /// Ends the file with what became of the packets; gives how many were left out.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self, at: Duration, statistics: Statistics) -> io::Result<u64> {
        let block = InterfaceStatisticsBlock {
            interface_id: 0,
            timestamp: u64::try_from(at.as_nanos()).unwrap_or(u64::MAX),
            options: vec![
                InterfaceStatisticsOption::IsbFilterAccept(statistics.packets),
                InterfaceStatisticsOption::IsbOsDrop(statistics.dropped),
            ],
        };
        self.file.write_pcapng_block(block).map_err(plain)?;
        self.file.into_inner().flush()?;
        Ok(self.left_out)
    }
}

fn plain(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcap_file::pcapng::{Block, PcapNgReader};

    fn packet(bytes: &[u8], second: u64) -> Packet<'_> {
        Packet {
            at: Duration::new(second, 123_456_789),
            length: 1500,
            bytes,
            sent: false,
        }
    }

    #[test]
    fn packets_are_read_back_as_they_were_and_those_without_room_are_counted() {
        let mut bytes = Vec::new();
        let mut trace = Trace::new(&mut bytes, "archbench0", LinkLayer::None, 96, 500).unwrap();
        let kept: Vec<_> = (0..3).map(|n| vec![n; 90 + usize::from(n)]).collect();
        for (second, bytes) in (1_700_000_000..).zip(&kept) {
            trace.keep(&packet(bytes, second)).unwrap();
        }
        for _ in 0..4 {
            trace.keep(&packet(&[9; 90], 5)).unwrap();
        }
        let statistics = Statistics {
            packets: 9,
            dropped: 2,
        };
        assert_eq!(trace.end(Duration::from_secs(1), statistics).unwrap(), 4);
        assert!(bytes.len() < 600);

        let mut reader = PcapNgReader::new(&bytes[..]).unwrap();
        let (mut read, mut told) = (Vec::new(), Vec::new());
        while let Some(block) = reader.next_block() {
            match block.unwrap() {
                Block::InterfaceDescription(interface) => {
                    assert_eq!((interface.linktype, interface.snaplen), (DataLink::RAW, 96));
                }
                Block::EnhancedPacket(packet) => {
                    assert_eq!(packet.original_len, 1500);
                    read.push((packet.timestamp, packet.data.to_vec()));
                }
                Block::InterfaceStatistics(statistics) => told = statistics.into_owned().options,
                other => panic!("{other:?}"),
            }
        }
        let at = |second| Duration::new(second, 123_456_789);
        let expected: Vec<_> = (1_700_000_000..).map(at).zip(kept).collect();
        assert_eq!(read, expected);
        assert!(told.contains(&InterfaceStatisticsOption::IsbOsDrop(2)));
    }
}
