//! A prompt's file, as a person has it: the bytes themselves; or, behind a zero, the packets of an Ogg stream whose pages
//! are whole, each behind its length.

use std::io::Cursor;

use media::plane::Codec;
use media::prompt::{Prompt, SECONDS_MAX};
use ogg::{PacketWriteEndInfo, PacketWriter};

/// Frames of the longest prompt, and one that is filled up.
const FRAMES_MAX: usize = SECONDS_MAX * 50 + 1;

pub fn run(data: &[u8]) {
    let wrapped = data.strip_prefix(&[0]).map(wrap);
    if let Ok(prompt) = Prompt::read(Cursor::new(wrapped.as_deref().unwrap_or(data))) {
        assert!(prompt.frame(Codec::Pcma, 0).is_some(), "a prompt without sound");
        assert!(prompt.frame(Codec::Pcmu, FRAMES_MAX).is_none(), "longer than a prompt may be");
    }
}

fn wrap(mut rest: &[u8]) -> Vec<u8> {
    let mut writer = PacketWriter::new(Vec::new());
    let mut granule = 0_u64;
    while let Some((length, behind)) = rest.split_first() {
        let (packet, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        granule += 960;
        let info = if behind.is_empty() { PacketWriteEndInfo::EndStream } else { PacketWriteEndInfo::EndPage };
        let written = writer.write_packet(packet.to_vec(), 1, info, granule);
        assert!(written.is_ok(), "memory");
        rest = behind;
    }
    writer.into_inner()
}
