//! What a probe says: a mark, and a sentence in both languages of the report.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// As the RFC says.
    Pass,
    /// Works with this box, but differs from the RFC or costs something.
    Warn,
    /// Against the RFC, or calls will suffer.
    Fail,
    /// An extension the device does not offer, and says so properly.
    NotOffered,
    /// Could not be tried; the sentence says why.
    Skipped,
}

impl Mark {
    pub const ALL: [Mark; 5] = [Mark::Pass, Mark::Warn, Mark::Fail, Mark::NotOffered, Mark::Skipped];

    pub fn word(self) -> &'static str {
        match self {
            Mark::Pass => "pass",
            Mark::Warn => "warn",
            Mark::Fail => "FAIL",
            Mark::NotOffered => "not offered",
            Mark::Skipped => "skipped",
        }
    }

    pub fn word_zh(self) -> &'static str {
        match self {
            Mark::Pass => "通过",
            Mark::Warn => "注意",
            Mark::Fail => "不通过",
            Mark::NotOffered => "未提供",
            Mark::Skipped => "未测试",
        }
    }
}

/// One sentence, English and Chinese.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub en: String,
    pub zh: String,
}

/// `said!("answered with {status}", "以 {status} 应答")`
#[macro_export]
macro_rules! said {
    ($en:literal, $zh:literal) => {
        $crate::verdict::Text { en: format!($en), zh: format!($zh) }
    };
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub mark: Mark,
    pub said: Text,
}

impl Verdict {
    pub fn pass(said: Text) -> Self {
        Self { mark: Mark::Pass, said }
    }

    pub fn warn(said: Text) -> Self {
        Self { mark: Mark::Warn, said }
    }

    pub fn fail(said: Text) -> Self {
        Self { mark: Mark::Fail, said }
    }

    pub fn not_offered(said: Text) -> Self {
        Self { mark: Mark::NotOffered, said }
    }

    pub fn skipped(said: Text) -> Self {
        Self { mark: Mark::Skipped, said }
    }

    /// Pass or fail by a condition.
    pub fn of(good: bool, said: Text) -> Self {
        if good { Self::pass(said) } else { Self::fail(said) }
    }
}
