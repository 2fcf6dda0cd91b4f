//! Rows of outboxes as boxes write them.

use model::{
    Millis, QueueId,
    leaving::{Figures, Interval, Leaving},
};

/// One box's rows, in order.
pub type Pool = Vec<Vec<u8>>;

/// For each box `rows` rows. Boxes of one site share no cell: each has stretches of time of its own.
pub fn pools(boxes: u32, rows: usize) -> anyhow::Result<Vec<Pool>> {
    (0..u64::from(boxes)).map(|n| bodies(n * 100_000_000, rows)).collect()
}

/// `rows` encoded rows after row `seq`: ten queues, quarter of an hour after quarter of an hour.
fn bodies(seq: u64, rows: usize) -> anyhow::Result<Pool> {
    let body = |n: u64| {
        let queue = QueueId::new(&format!("queue-{}", n % 10))?;
        let start = Millis((n / 10).cast_signed() * 900_000);
        let figures =
            Figures { offered: 20, answered: 18, abandoned: 2, wait_s: 240, talk_s: 3600, ..Figures::default() };
        let row = Leaving::Interval(Interval { queue: Some(queue), start, length_s: 900, revision: 0, figures });
        let mut body = Vec::new();
        ciborium::into_writer(&row, &mut body)?;
        Ok(body)
    };
    (seq..seq + rows as u64).map(body).collect()
}
