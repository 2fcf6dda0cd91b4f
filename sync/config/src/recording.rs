//! How calls are recorded, as it is written, and its bounds: an edit outside of them is refused, a document brought within.

use model::{
    change::Problem,
    recording::{Directions, PAUSE_S_MAX, Recording},
};

use crate::{
    change::{invalid, within},
    error::Error,
    scalar::Scalar,
};

const PAUSE_S: (i64, i64) = (0, PAUSE_S_MAX as i64);

pub(crate) fn of_queue(recording: &Recording) -> Result<Scalar, Error> {
    within("pause_s", recording.pause_s.into(), PAUSE_S)?;
    written(recording)
}

pub(crate) fn directions(all: &Directions) -> Result<Scalar, Error> {
    for recording in each(&mut all.clone()) {
        within("pause_s", recording.pause_s.into(), PAUSE_S)?;
    }
    written(all)
}

pub(crate) fn bounded(recording: &mut Recording) -> Option<Problem> {
    let (min, used) = (PAUSE_S.0, PAUSE_S.1);
    let over = recording.pause_s > PAUSE_S_MAX;
    recording.pause_s = recording.pause_s.min(PAUSE_S_MAX);
    over.then_some(Problem::OutOfBounds { min, max: used, used })
}

pub(crate) fn all_bounded(all: &mut Directions) -> Option<Problem> {
    each(all).filter_map(bounded).fold(None, |first, problem| first.or(Some(problem)))
}

fn each(all: &mut Directions) -> impl Iterator<Item = &mut Recording> {
    let Directions { inward, outward, inside } = all;
    [inward, outward, inside].into_iter().flatten()
}

fn written(value: &impl serde::Serialize) -> Result<Scalar, Error> {
    let json = serde_json::to_string(value).map_err(|_| invalid("recording", "cannot be written"))?;
    Ok(json.as_str().into())
}
