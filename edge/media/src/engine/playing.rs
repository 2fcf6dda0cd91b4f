//! What is played on a port: prompts one after the other, in the party's codec.

use crate::{
    coder::{DECODED_MAX, Decoder, ENCODED_MAX, Encoder},
    plane::{Codec, PlayId},
    prompt::Prompt,
    sound::FRAME,
};

pub(super) struct Playing {
    play: PlayId,
    prompts: Vec<Prompt>,
    prompt: usize,
    frame: usize,
    again: bool,
}

impl Playing {
    pub fn new(play: PlayId, prompts: Vec<Prompt>, again: bool) -> Self {
        Self { play, prompts, prompt: 0, frame: 0, again }
    }

    pub fn play(&self) -> PlayId {
        self.play
    }

    /// The next 20 ms in this law, or None after the end.
    pub fn next(&mut self, codec: Codec) -> Option<&[u8]> {
        // Each prompt has at least one frame, so one round finds the next frame or the end.
        if self.prompts.get(self.prompt)?.frame(codec, self.frame).is_none() {
            self.frame = 0;
            self.prompt += 1;
            if self.prompt >= self.prompts.len() {
                if !self.again {
                    return None;
                }
                self.prompt = 0;
            }
        }
        let frame = self.prompts.get(self.prompt)?.frame(codec, self.frame);
        self.frame += 1;
        frame
    }
}

/// Prompts are kept in G.711; for who speaks another codec they are decoded and encoded again.
pub(super) struct Voice {
    decoder: Decoder,
    encoder: Encoder,
}

impl Voice {
    pub fn new(codec: Codec) -> Self {
        Self { decoder: Decoder::new(Codec::Pcma), encoder: Encoder::new(codec) }
    }

    pub fn codec(&self) -> Codec {
        self.encoder.codec()
    }

    pub fn say(&mut self, frame: &[u8]) -> (usize, [u8; ENCODED_MAX]) {
        let (mut sound, mut payload) = ([0; DECODED_MAX], [0; ENCODED_MAX]);
        self.decoder.decode(frame, &mut sound);
        let length = sound.first_chunk::<FRAME>().map_or(0, |sound| self.encoder.encode(sound, &mut payload));
        (length, payload)
    }
}
