//! What a party is played: a file, or words that the box says itself.

use crate::{LanguageId, PromptId, VariableId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    Prompt(PromptId),
    Speech(Speech),
}

impl From<PromptId> for Sound {
    fn from(prompt: PromptId) -> Self {
        Sound::Prompt(prompt)
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Speech {
    pub language: LanguageId,
    pub text: String,
    /// Holds what is known of one caller: it is kept nowhere.
    pub personal: bool,
}

impl std::fmt::Debug for Speech {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Speech({}, {} characters)", self.language, self.text.chars().count())
    }
}

/// A piece of a text in which variables stand as `{account}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    Words(&'a str),
    Variable(VariableId),
}

/// The text in pieces; None: a brace without its other one, or with something else than a variable's name in it.
pub fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        if !before.is_empty() {
            pieces.push(Piece::Words(before));
        }
        pieces.push(Piece::Variable(VariableId::new(name).ok()?));
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Words(rest));
    }
    let lone = |piece: &Piece<'_>| matches!(piece, Piece::Words(words) if words.contains('}'));
    (!pieces.iter().any(lone)).then_some(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let shown = |piece: Piece<'_>| match piece {
            Piece::Words(words) => format!("<{words}>"),
            Piece::Variable(name) => format!("[{name}]"),
        };
        pieces(text).map_or_else(|| "none".to_owned(), |pieces| pieces.into_iter().map(shown).collect())
    }

    #[test]
    fn variables_stand_in_braces() {
        for (text, expected) in [
            ("", ""),
            ("Hello.", "<Hello.>"),
            ("{name}", "[name]"),
            ("Order {order-number} of {name}.", "<Order >[order-number]< of >[name]<.>"),
            ("您的订单{order}", "<您的订单>[order]"),
            ("{", "none"),
            ("}", "none"),
            ("{a b}", "none"),
            ("{}", "none"),
            ("{{a}}", "none"),
            ("{a}}", "none"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
