//! The tones of each country, as the ITU lists them (E.180 Supplement 2; for the United Kingdom BT SIN 350 too). A
//! frequency in Hz or two together (`440+480`), or one that swells with another (`400*25`), for so many milliseconds;
//! `0` is silence; without a length it goes on. A round is played over and over.

use super::Tone;

/// How loud a tone is, in dBm0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    /// Each of its frequencies.
    Each(i8),
    /// All of it.
    Whole(i8),
}

/// One country's.
#[derive(Debug)]
pub(super) struct Row {
    /// Country code of E.164.
    pub code: &'static str,
    dial: &'static str,
    ringback: &'static str,
    busy: &'static str,
    congestion: &'static str,
    information: &'static str,
    waiting: &'static str,
    recorded: &'static str,
    strength: fn(Tone) -> Strength,
}

impl Row {
    pub fn cadence(&self, tone: Tone) -> &'static str {
        match tone {
            Tone::Dial => self.dial,
            Tone::Ringback => self.ringback,
            Tone::Busy => self.busy,
            Tone::Congestion => self.congestion,
            Tone::Information => self.information,
            Tone::CallWaiting => self.waiting,
            Tone::RecordWarning => self.recorded,
        }
    }

    pub fn strength(&self, tone: Tone) -> Strength {
        (self.strength)(tone)
    }
}

/// The row of a country code; the first for one that has none.
pub(super) fn row(code: &str) -> &'static Row {
    ROWS.iter().find(|row| row.code == code).unwrap_or(&EUROPE)
}

/// E.180 §4: -10 dBm0, within 5 dB. What sounds into a talk is 10 dB below that.
fn even(tone: Tone) -> Strength {
    match tone {
        Tone::CallWaiting | Tone::RecordWarning => Strength::Whole(-20),
        _ => Strength::Whole(-10),
    }
}

/// The precise tone plan of North America (Telcordia GR-506 §17.2), a level for each frequency.
fn precise(tone: Tone) -> Strength {
    match tone {
        Tone::Dial | Tone::CallWaiting => Strength::Each(-13),
        Tone::Ringback => Strength::Each(-19),
        Tone::Busy | Tone::Congestion | Tone::Information => Strength::Each(-24),
        Tone::RecordWarning => Strength::Each(-20),
    }
}

/// What most of Europe has (ETSI TR 101 041-2), with the special information and recording tones of E.180 §5 and §9.
pub(super) const EUROPE: Row = Row {
    code: "",
    dial: "425",
    ringback: "425/1000,0/4000",
    busy: "425/500,0/500",
    congestion: "425/200,0/200",
    information: "950/330,1400/330,1800/330,0/1000",
    waiting: "425/200,0/200,425/200,0/5000",
    recorded: "1400/400,0/14600",
    strength: even,
};

/// North America; of E.164's zone 1 the rest has the same.
const AMERICA: Row = Row {
    code: "1",
    dial: "350+440",
    ringback: "440+480/2000,0/4000",
    busy: "480+620/500,0/500",
    congestion: "480+620/250,0/250",
    information: "950/330,1400/330,1800/330,0/1000",
    waiting: "440/300,0/9700",
    // FCC, Use of Recording Devices (docket 6787): 0.2 s every 15 s.
    recorded: "1400/200,0/14800",
    strength: precise,
};

/// United Kingdom: others took it over.
const BRITAIN: Row = Row {
    code: "44",
    dial: "350+440",
    ringback: "400+450/400,0/200,400+450/400,0/2000",
    busy: "400/375,0/375",
    congestion: "400/400,0/350,400/225,0/525",
    waiting: "400/100,0/4000",
    ..EUROPE
};

pub(super) const ROWS: &[Row] = &[
    EUROPE,
    AMERICA,
    // South Africa.
    Row {
        code: "27",
        dial: "400*33",
        ringback: "400*33/400,0/200,400*33/400,0/2000",
        busy: "400/500,0/500",
        congestion: "400/250,0/250",
        waiting: "400*33/400,0/4000",
        ..EUROPE
    },
    // The Netherlands.
    Row { code: "31", congestion: "425/250,0/250", waiting: "425/500,0/9500", ..EUROPE },
    // Belgium.
    Row {
        code: "32",
        ringback: "425/1000,0/3000",
        congestion: "425/167,0/167",
        information: "900/330,1400/330,1800/330,0/1000",
        waiting: "1400/175,0/175,1400/175,0/3500",
        ..EUROPE
    },
    // France.
    Row {
        code: "33",
        dial: "440",
        ringback: "440/1500,0/3500",
        busy: "440/500,0/500",
        congestion: "440/250,0/250",
        waiting: "440/300,0/9700",
        ..EUROPE
    },
    // Spain.
    Row {
        code: "34",
        ringback: "425/1500,0/3000",
        busy: "425/200,0/200",
        congestion: "425/200,0/200,425/200,0/200,425/200,0/600",
        waiting: "425/175,0/175,425/175,0/3500",
        ..EUROPE
    },
    // Portugal.
    Row { code: "351", ringback: "425/1000,0/5000", waiting: "425/200,0/200,425/200,0/5000", ..EUROPE },
    // Ireland.
    Row {
        code: "353",
        dial: "425",
        ringback: "400+450/400,0/200,400+450/400,0/2000",
        busy: "425/500,0/500",
        congestion: "425/400,0/350,425/225,0/525",
        waiting: "425/180,0/200,425/200,0/4500",
        ..EUROPE
    },
    // Finland.
    Row { code: "358", busy: "425/300,0/300", waiting: "425/150,0/150,425/150,0/8000", ..EUROPE },
    // Italy.
    Row {
        code: "39",
        dial: "425/200,0/200,425/600,0/1000",
        waiting: "425/400,0/100,425/250,0/100,425/150,0/14000",
        ..EUROPE
    },
    // Switzerland.
    Row { code: "41", waiting: "425/200,0/200,425/200,0/4000", ..EUROPE },
    // Czechia.
    Row {
        code: "420",
        dial: "425/330,0/330,425/660,0/660",
        busy: "425/330,0/330",
        congestion: "425/165,0/165",
        information: "950/330,0/30,1400/330,0/30,1800/330,0/1000",
        waiting: "425/330,0/9000",
        ..EUROPE
    },
    // Austria.
    Row {
        code: "43",
        dial: "420",
        ringback: "420/1000,0/5000",
        busy: "420/400,0/400",
        congestion: "420/200,0/200",
        information: "950/330,1450/330,1850/330,0/1000",
        waiting: "420/40,0/1960",
        ..EUROPE
    },
    BRITAIN,
    // Denmark.
    Row { code: "45", waiting: "425/200,0/200,425/200,0/3600", ..EUROPE },
    // Sweden.
    Row {
        code: "46",
        ringback: "425/1000,0/5000",
        busy: "425/250,0/250",
        congestion: "425/250,0/750",
        information: "950/332,0/24,1400/332,0/24,1800/332,0/2024",
        waiting: "425/200,0/500,425/200,0/9100",
        ..EUROPE
    },
    // Norway.
    Row { code: "47", waiting: "425/200,0/600,425/200,0/10000", ..EUROPE },
    // Poland.
    Row { code: "48", congestion: "425/500,0/500", waiting: "425/150,0/150,425/150,0/4000", ..EUROPE },
    // Germany.
    Row { code: "49", busy: "425/480,0/480", congestion: "425/240,0/240", ..EUROPE },
    // Mexico.
    Row {
        code: "52",
        busy: "425/250,0/250",
        congestion: "425/250,0/250",
        information: "950/330,0/30,1400/330,0/30,1800/330,0/1000",
        waiting: "425/200,0/600,425/200,0/10000",
        ..EUROPE
    },
    // Brazil.
    Row {
        code: "55",
        busy: "425/250,0/250",
        congestion: "425/250,0/250,425/750,0/250",
        waiting: "425/50,0/1000",
        ..EUROPE
    },
    // Australia.
    Row {
        code: "61",
        dial: "413+438",
        ringback: "413+438/400,0/200,413+438/400,0/2000",
        busy: "425/375,0/375",
        congestion: "425/375,0/375",
        information: "425/2500,0/500",
        waiting: "425/200,0/200,425/200,0/4400",
        ..EUROPE
    },
    // New Zealand.
    Row {
        code: "64",
        dial: "400",
        ringback: "400+450/400,0/200,400+450/400,0/2000",
        busy: "400/500,0/500",
        congestion: "400/250,0/250",
        information: "400/750,0/100,400/750,0/100,400/750,0/100,400/750,0/400",
        waiting: "400/200,0/3000",
        ..EUROPE
    },
    // Singapore.
    Row {
        code: "65",
        ringback: "425*24/400,0/200,425*24/400,0/2000",
        busy: "425/750,0/750",
        congestion: "425/250,0/250",
        waiting: "425*24/300,0/200,425*24/300,0/3200",
        ..EUROPE
    },
    // Japan.
    Row {
        code: "81",
        dial: "400",
        ringback: "400*16/1000,0/2000",
        busy: "400/500,0/500",
        congestion: "400/500,0/500",
        waiting: "400*16/500,0/8000",
        ..EUROPE
    },
    // The Republic of Korea.
    Row {
        code: "82",
        dial: "350+440",
        ringback: "440+480/1000,0/2000",
        busy: "480+620/500,0/500",
        congestion: "480+620/300,0/200",
        waiting: "350+440/250,0/250,350+440/250,0/3250",
        ..EUROPE
    },
    // Hong Kong.
    Row {
        code: "852",
        dial: "350+440",
        ringback: "440+480/400,0/200,440+480/400,0/3000",
        busy: "480+620/500,0/500",
        congestion: "480+620/250,0/250",
        waiting: "440/500,0/500,440/500,0/500,440/500,0/8000",
        ..EUROPE
    },
    // China (GB/T 3380).
    Row {
        code: "86",
        dial: "450",
        ringback: "450/1000,0/4000",
        busy: "450/350,0/350",
        congestion: "450/700,0/700",
        information: "450/100,0/100,450/100,0/100,450/100,0/100,450/400,0/400",
        waiting: "450/400,0/4000",
        recorded: "950/400,0/10000",
        ..EUROPE
    },
    // Taiwan.
    Row {
        code: "886",
        dial: "350+440",
        ringback: "440+480/1000,0/2000",
        busy: "480+620/500,0/500",
        congestion: "480+620/250,0/250",
        waiting: "350+440/250,0/250,350+440/250,0/3250",
        ..EUROPE
    },
    // India.
    Row {
        code: "91",
        dial: "400*25",
        ringback: "400*25/400,0/200,400*25/400,0/2000",
        busy: "400/750,0/750",
        congestion: "400/250,0/250",
        waiting: "400/200,0/100,400/200,0/7500",
        ..EUROPE
    },
    // The United Arab Emirates.
    Row { code: "971", waiting: "425/200,0/600,425/200,0/3000", ..BRITAIN },
];
