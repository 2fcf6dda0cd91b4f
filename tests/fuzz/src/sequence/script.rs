//! An input read as choices. An input that ends gives zeros, so that every prefix of a script is a script.

pub struct Script<'a> {
    rest: &'a [u8],
}

impl<'a> Script<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    pub fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.rest.split_first().map_or((0, self.rest), |(first, rest)| (*first, rest));
        self.rest = rest;
        first
    }

    /// One of so many, from 0; 0 when there are none.
    pub fn pick(&mut self, of: usize) -> usize {
        usize::from(self.byte()).checked_rem(of).unwrap_or(0)
    }

    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Which of eight wishes are there.
    pub fn wishes(&mut self) -> Wishes {
        Wishes(self.byte())
    }
}

#[derive(Clone, Copy)]
pub struct Wishes(u8);

impl Wishes {
    pub fn has(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
}
