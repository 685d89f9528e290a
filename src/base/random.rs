//! Seeded, counter-based random numbers: the same seed gives the same draw on the CPU, on the GPU
//! and in the browser, in whatever order the draws are made.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011): 32-bit multiplications only, so that WGSL can run it too.

/// What a draw is for. Each purpose has its own stream, so that a draw added to one of them never
/// shifts another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Starting parameters of the network.
    Initialisation = 1,
    /// The random subset of parameters that a step updates.
    Columns = 2,
    /// The sparse-sign embedding of the rows.
    RowSketch = 3,
    /// Sampled points.
    Points = 4,
    /// Vectors drawn by randomized linear algebra and by tests.
    Vectors = 5,
    /// Frequencies of random Fourier features.
    Frequencies = 6,
}

/// Philox4x32-10, keyed by a 64-bit seed; the stream is one word of the counter.
#[derive(Clone, Copy, Debug)]
pub struct Philox {
    key: [u32; 2],
    stream: u32,
}

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// The bijection itself: ten rounds over a four-word counter with a two-word key.
#[must_use]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let first = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let second = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
    }
    counter
}

impl Philox {
    #[must_use]
    pub fn new(seed: u64, stream: Stream) -> Self {
        Self { key: [seed as u32, (seed >> 32) as u32], stream: stream as u32 }
    }

    /// Four independent words for draw `index` of `epoch` (the time step, the layer, ...).
    #[must_use]
    pub fn words(&self, epoch: u64, index: u32) -> [u32; 4] {
        philox4x32([index, epoch as u32, (epoch >> 32) as u32, self.stream], self.key)
    }

    /// Uniform in the open interval (0, 1), with 53 random bits.
    #[must_use]
    pub fn uniform(&self, epoch: u64, index: u32) -> f64 {
        let [a, b, ..] = self.words(epoch, index);
        unit(a, b)
    }

    /// Standard normal by the Box-Muller transform (one of the pair; the other is not used, so that
    /// draw `index` never depends on its neighbour).
    #[must_use]
    pub fn normal(&self, epoch: u64, index: u32) -> f64 {
        let [a, b, c, d] = self.words(epoch, index);
        (-2.0 * unit(a, b).ln()).sqrt() * (std::f64::consts::TAU * unit(c, d)).cos()
    }

    /// Standard normal conditioned on `|z| < bound`, by rejection over sub-epochs.
    #[must_use]
    pub fn truncated_normal(&self, epoch: u64, index: u32, bound: f64) -> f64 {
        (0..)
            .map(|attempt: u64| self.normal(epoch ^ (attempt << 40), index))
            .find(|z| z.abs() < bound)
            .expect("a positive bound accepts a draw sooner or later")
    }

    /// `count` of the numbers `0..total`, uniformly without replacement, in ascending order.
    ///
    /// Every number gets a random 32-bit key; the `count` smallest keys win (ties by number). The
    /// rule has no sequence in it, so that a GPU can apply it in parallel and agree bit for bit.
    #[must_use]
    pub fn subset(&self, epoch: u64, total: usize, count: usize) -> Vec<u32> {
        if count >= total {
            return (0..total as u32).collect();
        }
        let mut keyed: Vec<(u32, u32)> =
            (0..total as u32).map(|index| (self.words(epoch, index)[0], index)).collect();
        if count > 0 {
            keyed.select_nth_unstable(count - 1);
        }
        let mut chosen: Vec<u32> = keyed[..count].iter().map(|&(_, index)| index).collect();
        chosen.sort_unstable();
        chosen
    }
}

/// The `count` numbers with the least keys, ascending; ties by number. With the
/// keys `-ln(u) / w`, u uniform, a draw without replacement by the weights w (Efraimidis and Spirakis,
/// 2006).
pub fn least(
    numbers: impl Iterator<Item = u32>,
    count: usize,
    key: impl Fn(u32) -> f64,
) -> Vec<u32> {
    let mut keyed: Vec<(f64, u32)> = numbers.map(|k| (key(k), k)).collect();
    let order = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    let count = count.min(keyed.len());
    if count > 0 {
        keyed.select_nth_unstable_by(count - 1, order);
    }
    let mut chosen: Vec<u32> = keyed[..count].iter().map(|&(_, k)| k).collect();
    chosen.sort_unstable();
    chosen
}

/// Two words to the open unit interval: 53 bits, shifted by half a step away from zero.
fn unit(a: u32, b: u32) -> f64 {
    let bits = (u64::from(a) << 21) | u64::from(b >> 11);
    (bits as f64 + 0.5) * (-53f64).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with the generator (Random123, kat_vectors).
    #[test]
    fn philox_gives_the_published_vectors() {
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn a_subset_is_distinct_sorted_and_covers_every_number_equally() {
        let random = Philox::new(7, Stream::Columns);
        let mut hits = [0u32; 50];
        for epoch in 0..2_000 {
            let chosen = random.subset(epoch, 50, 10);
            assert_eq!(chosen.len(), 10);
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
            for index in chosen {
                hits[index as usize] += 1;
            }
        }
        // Mean 400, standard deviation 17.9: five deviations either way.
        assert!(hits.iter().all(|&h| (310..=490).contains(&h)), "{hits:?}");
        assert_eq!(random.subset(0, 5, 9), vec![0, 1, 2, 3, 4]);
        assert!(random.subset(0, 5, 0).is_empty());
    }

    #[test]
    fn normals_have_the_right_moments() {
        let random = Philox::new(3, Stream::Vectors);
        let draws: Vec<f64> = (0..100_000).map(|i| random.normal(0, i)).collect();
        let count = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / count;
        let variance = draws.iter().map(|z| z * z).sum::<f64>() / count;
        let fourth = draws.iter().map(|z| z.powi(4)).sum::<f64>() / count;
        assert!(mean.abs() < 5.0 / count.sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "variance {variance}");
        assert!((fourth - 3.0).abs() < 5.0 * (96.0 / count).sqrt(), "fourth moment {fourth}");
    }
}
