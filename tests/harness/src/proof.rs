//! Proof that words arrived: cross-correlation first, a speech recogniser second. Speech is made by flite and heard by
//! pocketsphinx over a small grammar, which is honest at 8 kHz.

use std::{path::Path, process::Command};

use anyhow::{Context, ensure};
use rustfft::{FftPlanner, num_complex::Complex};

/// Sentences that callers and agents speak; the recogniser chooses among them.
pub const SENTENCES: &[&str] = &[
    "my washing machine is broken",
    "i want to order a lamp",
    "the invoice is wrong",
    "please change my address",
    "this is the service desk how can i help you",
    "your order will arrive on monday",
    "we will repair it tomorrow",
    "good morning you are talking to the sales team",
];

/// Speaks a sentence over and over for `seconds` into an 8 kHz mono WAV, with silence before and between.
pub fn speak(sentence: &str, seconds: u32, file: &Path) -> anyhow::Result<()> {
    let raw = file.with_extension("raw.wav");
    let raw_text = raw.to_str().context("a UTF-8 path")?;
    let file_text = file.to_str().context("a UTF-8 path")?;
    run("flite", &["-voice", "rms", "-t", sentence, "-o", raw_text])?;
    run(
        "sox",
        &[
            raw_text,
            "-r",
            "8000",
            "-c",
            "1",
            "-b",
            "16",
            file_text,
            "gain",
            "-n",
            "-6",
            "pad",
            "0.5",
            "1.0",
            "repeat",
            "-",
            "trim",
            "0",
            &seconds.to_string(),
        ],
    )?;
    std::fs::remove_file(raw).context("the raw speech")
}

fn run(program: &str, args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(program).args(args).output().with_context(|| format!("{program} is not installed"))?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What the recogniser made of a WAV (one channel of it, from 1), in lower case.
pub fn words(file: &Path, channel: u32) -> anyhow::Result<String> {
    let folder = tempfile::tempdir()?;
    let grammar = folder.path().join("sentences.jsgf");
    let rules = SENTENCES.join(" | ");
    std::fs::write(&grammar, format!("#JSGF V1.0;\ngrammar s;\npublic <s> = ( {rules} )+ ;\n"))?;
    let wide = folder.path().join("wide.wav");
    let (file, wide) = (file.to_str().context("a UTF-8 path")?, wide.to_str().context("a UTF-8 path")?);
    run(
        "sox",
        &[
            file,
            "-r",
            "16000",
            "-b",
            "16",
            wide,
            "remix",
            &channel.to_string(),
            "gain",
            "-n",
            "-3",
            "pad",
            "0.5",
            "0.5",
        ],
    )?;
    let grammar = grammar.to_str().context("a UTF-8 path")?;
    let heard = run("pocketsphinx_continuous", &["-infile", wide, "-jsgf", grammar, "-logfn", "/dev/null"])?;
    Ok(heard.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Mono samples of one channel (from 1), -1 to 1.
pub fn samples(file: &Path, channel: u16) -> anyhow::Result<Vec<f32>> {
    let mut reader = hound::WavReader::open(file).with_context(|| format!("{}", file.display()))?;
    let channels = usize::from(reader.spec().channels);
    let wanted = usize::from(channel.saturating_sub(1));
    ensure!(wanted < channels, "{} has {channels} channels", file.display());
    let all: Result<Vec<i16>, _> = reader.samples::<i16>().collect();
    Ok(all?.into_iter().skip(wanted).step_by(channels).map(|sample| f32::from(sample) / 32_768.0).collect())
}

/// Samples a second of a WAV.
pub fn rate(file: &Path) -> anyhow::Result<u32> {
    let reader = hound::WavReader::open(file).with_context(|| format!("{}", file.display()))?;
    Ok(reader.spec().sample_rate)
}

/// How well `reference` is found within `heard`: the peak of the normalised cross-correlation (1 is the same sound)
/// and the lag in samples at which it lies.
pub fn correlation(heard: &[f32], reference: &[f32]) -> (f32, usize) {
    if reference.is_empty() || heard.len() < reference.len() {
        return (0.0, 0);
    }
    let size = (heard.len() + reference.len()).next_power_of_two();
    let mut planner = FftPlanner::<f32>::new();
    let (forward, inverse) = (planner.plan_fft_forward(size), planner.plan_fft_inverse(size));
    let spectrum = |samples: &[f32]| {
        let mut buffer: Vec<Complex<f32>> = samples.iter().map(|sample| Complex::new(*sample, 0.0)).collect();
        buffer.resize(size, Complex::default());
        forward.process(&mut buffer);
        buffer
    };
    let mut product: Vec<_> = spectrum(heard)
        .into_iter()
        .zip(spectrum(reference))
        .map(|(heard, reference)| heard * reference.conj())
        .collect();
    inverse.process(&mut product);
    let energy = |samples: &[f32]| samples.iter().map(|sample| f64::from(sample * sample)).sum::<f64>();
    let reference_energy = energy(reference);
    let mut window = energy(&heard[..reference.len()]);
    let mut best = (0.0_f32, 0);
    for (lag, at) in product.iter().enumerate().take(heard.len() - reference.len() + 1) {
        let norm = (window * reference_energy).sqrt();
        #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
        let value = if norm > 1e-9 { (f64::from(at.re) / size as f64 / norm) as f32 } else { 0.0 };
        if value > best.0 {
            best = (value, lag);
        }
        if let (Some(out), Some(into)) = (heard.get(lag), heard.get(lag + reference.len())) {
            window += f64::from(into * into) - f64::from(out * out);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_is_found_where_it_lies_and_a_stranger_is_not() {
        let noise = |seed: u32| {
            let mut state = seed;
            std::iter::repeat_with(move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as f32 / 32_768.0 - 1.0
            })
        };
        let reference: Vec<f32> = noise(1).take(4_000).collect();
        let mut heard = vec![0.0; 700];
        heard.extend(reference.iter().map(|sample| sample * 0.3));
        heard.extend(noise(2).take(1_000));
        let (value, lag) = correlation(&heard, &reference);
        assert!(value > 0.999 && lag == 700, "{value} at {lag}");
        let stranger: Vec<f32> = noise(3).take(4_000).collect();
        assert!(correlation(&heard, &stranger).0 < 0.2);
    }
}
