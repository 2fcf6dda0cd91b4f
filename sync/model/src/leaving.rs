//! The closed vocabulary: everything a box can say to the cloud of its own accord. Bounded integers, enums, ids and
//! histograms; no free text. What is not in this file has no way out (N-01, S-200).

use serde::{Deserialize, Serialize};

use crate::{Millis, NoticeId, PlaceId, QueueId, TrunkId, drill};

/// One item that leaves through the gate, and the body of an outbox row.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Leaving {
    Interval(Interval),
    Health(Health),
    Notice(Notice),
    Closed(Closed),
    Running(Running),
    Drill(Box<drill::Report>),
}

/// Which configuration a box runs, and how calls fare by it. Of calls it is one word, never a count, and never from
/// fewer callers than figures may be told of.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub at: Millis,
    /// The name of the documents' state as the resolver gives it: its sixteen hexadecimal digits, as a number.
    pub heads: u64,
    /// False: it has a fatal finding, and what ran before runs on.
    pub taken: bool,
    pub calls: Fare,
}

/// How many callers reach somebody, beside those who did before this configuration.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fare {
    /// Too few have called since to say, or had called before.
    #[default]
    Few,
    AsBefore,
    /// Far fewer, beyond chance.
    Worse,
}

/// Something that people at the centre must see soon. It names no person: when, what, and the id of a place or of a trunk. Sent again
/// under the same id when it has gone on.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub notice: NoticeId,
    /// When it began.
    pub at: Millis,
    pub what: What,
    /// Where: a place of the site's configuration. None where nobody said.
    pub place: Option<PlaceId>,
    /// Which line, where it is about one: a trunk of the site's configuration.
    #[serde(default)]
    pub trunk: Option<TrunkId>,
}

#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = NoticeWhat))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Somebody calls for help (NORMS 2).
    EmergencyCalled,
    EmergencyAnswered,
    /// Nobody out there took the call.
    EmergencyFailed,
    /// A cap of calls out was reached (S-140).
    OutwardCap,
    /// One phone tries to call out far more often than people do.
    OutwardPattern,
    /// The nightly test of the emergency path: its own notice is on the way.
    TestBegan,
    TestPassed,
    /// No line took the test call.
    TestLine,
    /// A phone stands where nobody has confirmed for too long that it stands.
    TestLocation,
    /// Nobody saw the test's notice in time.
    TestUnseen,
    /// A trunk was refused over TLS: its certificate's time is over, or has not come.
    TrunkExpired,
    /// It is for another name.
    TrunkName,
    /// It has another key than the pinned one.
    TrunkKey,
    /// It comes from no CA that is believed, or is none at all.
    TrunkUntrusted,
    /// A device that the lab tests each night fails at what it passed the night before.
    DeviceWorse,
    /// It runs another firmware.
    DeviceFirmware,
}

impl What {
    pub const ALL: [What; 16] = [
        What::EmergencyCalled,
        What::EmergencyAnswered,
        What::EmergencyFailed,
        What::OutwardCap,
        What::OutwardPattern,
        What::TestBegan,
        What::TestPassed,
        What::TestLine,
        What::TestLocation,
        What::TestUnseen,
        What::TrunkExpired,
        What::TrunkName,
        What::TrunkKey,
        What::TrunkUntrusted,
        What::DeviceWorse,
        What::DeviceFirmware,
    ];

    /// Whether somebody has to look.
    pub fn is_alarm(self) -> bool {
        !matches!(self, What::TestBegan | What::TestPassed)
    }

    pub fn is_emergency(self) -> bool {
        matches!(self, What::EmergencyCalled | What::EmergencyAnswered | What::EmergencyFailed)
    }
}

/// Figures of one interval. `revision` grows when late contacts change it: the highest revision wins, whole.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// None is the whole site: the coarser cell into which small queues fold.
    pub queue: Option<QueueId>,
    /// Start of the interval, a multiple of its length.
    pub start: Millis,
    pub length_s: u32,
    pub revision: u32,
    pub figures: Figures,
}

/// How far a box has counted: whatever it has to say about the intervals that start in `from..until` stands in rows
/// before this one. That a queue has no cell of its own there means that it had fewer contacts than may be told, or none.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Start of the first interval, a multiple of their length.
    pub from: Millis,
    /// End of the last one.
    pub until: Millis,
    pub length_s: u32,
    /// When the box closed the last one: long after its end when the box was off.
    pub at: Millis,
    /// The queues that there were then.
    pub queues: Vec<QueueId>,
}

/// Sums over contacts *queued* within the interval (NORMS 4). They add up: parts equal totals.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    pub offered: u32,
    pub answered: u32,
    pub abandoned: u32,
    /// Answered within T.
    pub answered_in_t: u32,
    /// Abandoned within T.
    pub abandoned_in_t: u32,
    /// Answered by another site.
    pub overflowed: u32,
    pub recorded: u32,
    /// Σ wait of answered contacts, in seconds, rounded per contact.
    pub wait_s: u32,
    pub talk_s: u32,
    pub hold_s: u32,
    pub wrap_up_s: u32,
}

/// How the box is. No identities, only counts in coarse steps.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    pub at: Millis,
    pub processes_up: u8,
    /// Restarts of any process since the box booted.
    pub restarts: u32,
    /// Free space where recordings lie, in whole percent.
    pub disk_free_percent: u8,
    pub phones_registered: u32,
    pub trunks_up: u32,
    pub trunks: u32,
    /// Intervals with contacts that were closed on the box. What has arrived of them is said by [`Closed`].
    pub intervals_closed: u64,
    /// Firmware slot and version as numbers: `a` is 0, `b` is 1; version 1.2.3 is `[1, 2, 3]`.
    pub slot: u8,
    pub version: [u16; 3],
    /// How long it can run cut off, by each thing that ends; what does not end is left out.
    #[serde(default)]
    pub alone: Vec<Alone>,
}

/// For how many days, should nothing come from outside.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alone {
    pub until: End,
    /// Whole days, at most [`ALONE_DAYS_MAX`].
    pub days: u16,
}

impl Alone {
    /// Somebody should look soon.
    pub fn is_short(&self) -> bool {
        let enough = match self.until {
            End::Disk => 7,
            End::Certificate => 14,
            // A week is all that it ever is.
            End::TrunkNames => 2,
        };
        self.days < enough
    }
}

/// What is far away is told as this.
pub const ALONE_DAYS_MAX: u16 = 3_650;

/// What ends. Nothing else of a box does: its device certificate renews itself also when it is over, sessions and
/// passwords of desks and phones are its own, and the outbox is as large as the disk.
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = AloneUntil))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The disk is full, at the pace of the last days: no recording, no record of a call. Calls go on.
    Disk,
    /// The certificate that was given to the box for its desk and its phones is over.
    Certificate,
    /// Where a trunk is that is known by name is forgotten, when no DNS has confirmed it for so long.
    TrunkNames,
}

impl End {
    pub const ALL: [End; 3] = [End::Disk, End::Certificate, End::TrunkNames];
}
