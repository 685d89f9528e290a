//! The solution as it is kept along the run, and its distance from the reference.

use std::ops::Range;

/// Marks at equal distances in time, to choose what is kept of a run: a step is chosen when it is
/// the first one at or after the next mark.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Marks {
    start: f64,
    spacing: f64,
}

impl Marks {
    #[must_use]
    pub fn new(start: f64, end: f64, count: usize) -> Self {
        Self { start, spacing: (end - start) / count as f64 }
    }

    /// Whether a mark lies after `last` and not after `time`. Times within a hundredth of the
    /// spacing of a mark count as on it, so that rounding in the time does not shift the choice.
    #[must_use]
    pub fn between(&self, last: f64, time: f64) -> bool {
        let passed = |t: f64| ((t - self.start) / self.spacing + 0.01).floor();
        passed(time) > passed(last)
    }
}

/// Solution values on the evaluation grid at a number of times; where there are several unknowns,
/// those of one after the other in every frame, and a point here is a point of one unknown.
///
/// The times are spread evenly over the run, by [`Marks`].
#[derive(Clone, Debug, PartialEq)]
pub struct Frames {
    points: usize,
    marks: Marks,
    times: Vec<f64>,
    values: Vec<f64>,
    reference: Vec<f64>,
}

/// No more than this is kept, whatever the grid.
const BYTES: usize = 64 << 20;

impl Frames {
    /// For a run from `start` to `end` on a grid of `points`, with at most `limit` marks.
    #[must_use]
    pub fn new(points: usize, start: f64, end: f64, limit: usize) -> Self {
        let affordable = BYTES / (8 * points.max(1));
        let marks = limit.min(affordable).max(2);
        Self {
            points,
            marks: Marks::new(start, end, marks),
            times: Vec::new(),
            values: Vec::new(),
            reference: Vec::new(),
        }
    }

    /// Whether the state at `time` is to be kept.
    #[must_use]
    pub fn wants(&self, time: f64) -> bool {
        self.times.last().is_none_or(|&last| self.marks.between(last, time))
    }

    /// Keeps a frame; `values` has one entry per point of the grid.
    pub fn push(&mut self, time: f64, values: &[f64]) {
        assert_eq!(values.len(), self.points, "one value per point of the grid");
        self.times.push(time);
        self.values.extend_from_slice(values);
    }

    /// Keeps the frames of another run over the same grid and times, as they are.
    pub fn restore(&mut self, times: &[f64], values: &[f64]) {
        assert_eq!(values.len(), times.len() * self.points, "one value per point and time");
        self.times = times.to_vec();
        self.values = values.to_vec();
        self.reference.clear();
    }

    /// n: points of the grid.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    #[must_use]
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// Row-major, one row of [`Frames::points`] values per time.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The reference at the first times, in the shape of [`Frames::values`]; shorter where it is
    /// not known yet.
    #[must_use]
    pub fn reference(&self) -> &[f64] {
        &self.reference
    }

    /// Whether the reference is known at every time.
    #[must_use]
    pub fn has_reference(&self) -> bool {
        !self.is_empty() && self.reference.len() == self.values.len()
    }

    /// Values of one frame.
    #[must_use]
    pub fn frame(&self, index: usize) -> &[f64] {
        &self.values[index * self.points..][..self.points]
    }

    /// The first frame without reference values, for which [`Frames::push_reference`] is due.
    #[must_use]
    pub fn next_without_reference(&self) -> Option<usize> {
        let known = self.reference.len() / self.points.max(1);
        (known < self.times.len()).then_some(known)
    }

    /// Adds the reference of the frame that [`Frames::next_without_reference`] names, and gives the
    /// relative L2 error of that frame, || u - u_ref || / || u_ref ||.
    pub fn push_reference(&mut self, values: &[f64]) -> f64 {
        assert_eq!(values.len(), self.points, "one value per point of the grid");
        let index = self.reference.len() / self.points.max(1);
        self.reference.extend_from_slice(values);
        let (difference, size) = squares(self.frame(index), values);
        relative(difference, size)
    }

    /// Relative L2 error over space and time together,
    ///
    /// ```text
    /// sqrt( sum_k w_k || u(t_k) - u_ref(t_k) ||^2 / sum_k w_k || u_ref(t_k) ||^2 ),
    /// ```
    ///
    /// over the frames whose reference is known; w are the trapezoidal weights of their times, so
    /// that unequal steps count by their length.
    #[must_use]
    pub fn space_time_error(&self) -> Option<f64> {
        self.error_over(0..self.points)
    }

    /// The same of each of so many unknowns.
    #[must_use]
    pub fn space_time_error_of_each(&self, unknowns: usize) -> Option<Vec<f64>> {
        let points = self.points / unknowns;
        (0..unknowns).map(|k| self.error_over(k * points..(k + 1) * points)).collect()
    }

    /// Over some entries of every frame.
    fn error_over(&self, entries: Range<usize>) -> Option<f64> {
        let known = self.reference.len() / self.points.max(1);
        let times = &self.times[..known];
        if known == 0 {
            return None;
        }
        let (mut difference, mut size) = (0.0, 0.0);
        for (k, &time) in times.iter().enumerate() {
            let before = if k > 0 { time - times[k - 1] } else { 0.0 };
            let after = times.get(k + 1).map_or(0.0, |next| next - time);
            let weight = if known == 1 { 1.0 } else { (before + after) / 2.0 };
            let reference = &self.reference[k * self.points..][..self.points];
            let (d, s) = squares(&self.frame(k)[entries.clone()], &reference[entries.clone()]);
            difference += weight * d;
            size += weight * s;
        }
        Some(relative(difference, size))
    }

    /// Forgets the reference: the equation it belongs to is no longer the one that is solved.
    pub fn drop_reference(&mut self) {
        self.reference.clear();
    }
}

/// || u - v ||^2 and || v ||^2.
fn squares(u: &[f64], v: &[f64]) -> (f64, f64) {
    u.iter().zip(v).fold((0.0, 0.0), |(d, s), (a, b)| (d + (a - b) * (a - b), s + b * b))
}

/// The root of the quotient; where the reference is zero the error itself.
fn relative(difference: f64, size: f64) -> f64 {
    if size > 0.0 { (difference / size).sqrt() } else { difference.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_spread_evenly_whatever_the_rounding_of_the_time() {
        for steps in [1usize, 7, 100, 400, 800, 4_000] {
            let dt = 4.0 / steps as f64;
            let mut frames = Frames::new(3, 0.0, 4.0, 400);
            let mut kept = 0;
            let mut accumulated = 0.0;
            for step in 0..=steps {
                let exact = step as f64 * dt;
                // Both ways of counting time choose the same steps.
                assert_eq!(frames.wants(exact), frames.wants(accumulated), "step {step}");
                if frames.wants(exact) {
                    frames.push(exact, &[0.0; 3]);
                    kept += 1;
                }
                accumulated += dt;
            }
            assert_eq!(kept, steps.min(400) + 1, "{steps} steps");
            assert_eq!(*frames.times().last().unwrap(), 4.0);
        }
    }

    #[test]
    fn large_grids_keep_fewer_frames() {
        let frames = Frames::new(1 << 20, 0.0, 1.0, 400);
        assert!((frames.marks.spacing - 1.0 / 8.0).abs() < 1e-12, "8 frames of 8 MiB");
    }

    #[test]
    fn the_error_over_space_and_time_is_the_weighted_one() {
        // u = 1.1, 1.2, 1.4 against 1 at times 0, 1, 3: weights 1/2, 3/2, 1.
        let mut frames = Frames::new(2, 0.0, 3.0, 10);
        for (time, value) in [(0.0, 1.1), (1.0, 1.2), (3.0, 1.4)] {
            frames.push(time, &[value; 2]);
        }
        assert_eq!(frames.space_time_error(), None);
        let errors: Vec<f64> = (0..3).map(|_| frames.push_reference(&[1.0; 2])).collect();
        for (error, expected) in errors.iter().zip([0.1, 0.2, 0.4]) {
            assert!((error - expected).abs() < 1e-15);
        }
        let expected = ((0.5 * 0.01 + 1.5 * 0.04 + 0.16) / 3.0f64).sqrt();
        assert!((frames.space_time_error().unwrap() - expected).abs() < 1e-15);
        assert_eq!(frames.next_without_reference(), None);
    }

    #[test]
    fn a_zero_reference_gives_the_error_itself() {
        let mut frames = Frames::new(1, 0.0, 1.0, 10);
        frames.push(0.0, &[0.25]);
        assert_eq!(frames.push_reference(&[0.0]), 0.25);
    }
}
