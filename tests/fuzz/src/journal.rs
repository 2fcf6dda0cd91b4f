//! A recording's file: any bytes, or any bytes behind a good head. Nothing is heard that was not sealed, and what can be
//! read can be mended and then proves itself.

use media::record::{Batch, HEAD_LEN, Heard, Writer, read, recover};

const BRANCH: [u8; 32] = [7; 32];

pub fn run(data: &[u8]) {
    let (behind, rest) = match data {
        [first, rest @ ..] => (first & 1 == 0, rest),
        [] => return,
    };
    let Some(good) = whole() else { return };
    let head = good.get(..HEAD_LEN).unwrap_or_default();
    let bytes = if behind { [head, rest].concat() } else { rest.to_vec() };
    check(&bytes);
    // A good file with what follows laid over it, from a place that the input names.
    if let [high, low, over @ ..] = rest {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % good.len().max(1);
        let mut torn = good.clone();
        torn.truncate(at);
        torn.extend_from_slice(over);
        check(&torn);
    }
}

fn check(bytes: &[u8]) {
    let Ok(journal) = read(bytes, &BRANCH) else { return };
    assert!(journal.frames.iter().all(|frame| frame.payload == [0x55; 20]), "what was never said is heard");
    let Ok(Some(mend)) = recover(bytes, &BRANCH) else { return };
    let mut mended = bytes.to_vec();
    mended.resize(mend.keep, 0);
    mended.extend(&mend.append);
    let again = read(&mended, &BRANCH).expect("what was mended is read");
    assert!(again.fault.is_none() && again.frames == journal.frames, "what was mended does not prove itself");
}

fn whole() -> Option<Vec<u8>> {
    let (mut writer, mut bytes) = Writer::begin("rec", "branch-a", 0, &BRANCH, &[9; 44]).ok()?;
    let mut batch = Batch::default();
    for at_ms in [0, 20, 40] {
        let (side, codec) = (media::plane::Side::Caller, media::plane::Codec::Pcma);
        batch.push(&Heard { side, codec, timestamp: at_ms * 8, at_ms, payload: &[0x55; 20] });
        bytes.extend(writer.seal(&mut batch).ok()?);
        batch.clear();
    }
    bytes.extend(writer.end().ok()?.0);
    Some(bytes)
}
