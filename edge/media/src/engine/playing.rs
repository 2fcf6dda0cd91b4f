//! What is played on a port: sounds one after the other, in the party's codec. Words that are still to be said are waited
//! for when it is their turn.

use crate::{
    coder::{DECODED_MAX, Decoder, ENCODED_MAX, Encoder},
    plane::{Codec, PlayId, Sound, Speech},
    progress::Tones,
    prompt::Prompt,
    sound::FRAME,
};

use super::PROMPTS_MAX;

/// Where sounds come from. Implementations must not block.
pub trait Prompts {
    /// Finds a prompt by name; None: there is no such.
    fn prompt(&mut self, name: &str) -> Option<Awaited>;
    /// Has words said. None: there is no voice, or it has too much to say.
    fn speak(&mut self, _speech: &Speech) -> Option<Awaited> {
        None
    }
}

/// Words that are being said, or a file that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SoundId(pub u64);

#[derive(Debug, Clone)]
pub enum Awaited {
    Here(Prompt),
    /// [`super::Engine::ready`] follows.
    Soon(SoundId),
}

/// All of a `Play`'s sounds, without words that nobody can say; None: a prompt is not there, there are too many, or
/// nothing is left.
pub(super) fn found(sounds: &[Sound], tones: &mut Tones, prompts: &mut impl Prompts) -> Option<Vec<Awaited>> {
    if sounds.len() > PROMPTS_MAX {
        return None;
    }
    let mut parts = Vec::with_capacity(sounds.len());
    for sound in sounds {
        match sound {
            Sound::Prompt(name) => parts.push(prompts.prompt(name)?),
            Sound::Tone(tone) => parts.push(Awaited::Here(tones.tone(&tone.country, tone.tone)?)),
            Sound::Speech(speech) => parts.extend(prompts.speak(speech)),
        }
    }
    (!parts.is_empty()).then_some(parts)
}

/// What a port sends next.
pub(super) enum Next<'a> {
    /// 20 ms.
    Frame(&'a [u8]),
    /// Nothing yet.
    Soon,
    End,
}

pub(super) struct Playing {
    play: PlayId,
    parts: Vec<Awaited>,
    part: usize,
    frame: usize,
    again: bool,
}

impl Playing {
    pub fn new(play: PlayId, parts: Vec<Awaited>, again: bool) -> Self {
        Self { play, parts, part: 0, frame: 0, again }
    }

    /// None: it is left out.
    pub fn ready(&mut self, awaited: SoundId, sound: Option<&Prompt>) {
        let mut at = 0;
        while let Some(part) = self.parts.get_mut(at) {
            match (&part, sound) {
                (Awaited::Soon(id), Some(sound)) if *id == awaited => *part = Awaited::Here(sound.clone()),
                (Awaited::Soon(id), None) if *id == awaited => {
                    self.parts.remove(at);
                    // Those before it have been heard.
                    if at < self.part {
                        self.part -= 1;
                    }
                    if self.part >= self.parts.len() && self.again {
                        self.part = 0;
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    pub fn play(&self) -> PlayId {
        self.play
    }

    /// The next 20 ms in this law.
    pub fn next(&mut self, codec: Codec) -> Next<'_> {
        // Each sound has at least one frame, so one round finds the next frame or the end.
        for _ in 0..2 {
            match self.parts.get(self.part) {
                Some(Awaited::Here(prompt)) if prompt.frame(codec, self.frame).is_some() => break,
                Some(Awaited::Here(_)) => {
                    self.frame = 0;
                    self.part += 1;
                    if self.part >= self.parts.len() && self.again {
                        self.part = 0;
                    }
                }
                Some(Awaited::Soon(_)) => return Next::Soon,
                None => return Next::End,
            }
        }
        match self.parts.get(self.part) {
            Some(Awaited::Here(prompt)) => match prompt.frame(codec, self.frame) {
                Some(frame) => {
                    self.frame += 1;
                    Next::Frame(frame)
                }
                None => Next::End,
            },
            Some(Awaited::Soon(_)) => Next::Soon,
            None => Next::End,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(frames: usize) -> Prompt {
        Prompt::from_samples(&vec![1_000; frames * crate::prompt::FRAME_LEN]).expect("sound")
    }

    /// One letter a tick: `f`rame, `s`oon, `e`nd.
    fn ticks(playing: &mut Playing, count: usize) -> String {
        let tick = |_| match playing.next(Codec::Pcma) {
            Next::Frame(_) => 'f',
            Next::Soon => 's',
            Next::End => 'e',
        };
        (0..count).map(tick).collect()
    }

    fn playing(parts: Vec<Awaited>, again: bool) -> Playing {
        Playing::new(PlayId(1), parts, again)
    }

    #[test]
    fn words_are_waited_for_when_it_is_their_turn() {
        let mut both =
            playing(vec![Awaited::Here(prompt(2)), Awaited::Soon(SoundId(7)), Awaited::Here(prompt(1))], false);
        assert_eq!(ticks(&mut both, 4), "ffss");
        both.ready(SoundId(8), Some(&prompt(5)));
        assert_eq!(ticks(&mut both, 1), "s");
        both.ready(SoundId(7), Some(&prompt(2)));
        assert_eq!(ticks(&mut both, 5), "fffee");
    }

    #[test]
    fn words_that_come_early_leave_no_gap() {
        let mut both = playing(vec![Awaited::Here(prompt(2)), Awaited::Soon(SoundId(7))], false);
        assert_eq!(ticks(&mut both, 1), "f");
        both.ready(SoundId(7), Some(&prompt(1)));
        assert_eq!(ticks(&mut both, 3), "ffe");
    }

    #[test]
    fn words_that_cannot_be_said_are_left_out() {
        let mut first = playing(vec![Awaited::Soon(SoundId(7)), Awaited::Here(prompt(1))], false);
        first.ready(SoundId(7), None);
        assert_eq!(ticks(&mut first, 2), "fe");
        let mut alone = playing(vec![Awaited::Soon(SoundId(7))], true);
        assert_eq!(ticks(&mut alone, 1), "s");
        alone.ready(SoundId(7), None);
        assert_eq!(ticks(&mut alone, 1), "e");
        let mut again = playing(vec![Awaited::Here(prompt(1)), Awaited::Soon(SoundId(7))], true);
        assert_eq!(ticks(&mut again, 2), "fs");
        again.ready(SoundId(7), None);
        assert_eq!(ticks(&mut again, 3), "fff");
    }

    struct Mute;

    impl Prompts for Mute {
        fn prompt(&mut self, name: &str) -> Option<Awaited> {
            (name == "here").then(|| Awaited::Here(prompt(1)))
        }
    }

    #[test]
    fn a_box_without_a_voice_plays_the_rest() {
        let words = Sound::Speech(Speech { language: "en".into(), text: "hello".into(), personal: false });
        let here = Sound::Prompt("here".into());
        assert_eq!(
            found(&[words.clone(), here.clone()], &mut Tones::default(), &mut Mute).map(|parts| parts.len()),
            Some(1)
        );
        assert!(found(std::slice::from_ref(&words), &mut Tones::default(), &mut Mute).is_none());
        assert!(found(&[here.clone(), Sound::Prompt("gone".into())], &mut Tones::default(), &mut Mute).is_none());
        assert!(found(&vec![here; PROMPTS_MAX + 1], &mut Tones::default(), &mut Mute).is_none());
    }
}
