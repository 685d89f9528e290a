//! Checkpoints: as files, and as states that a right checksum covers.

use sketchpde::field::device::Backend;
use sketchpde::output::checkpoint::digest;
use sketchpde::session::{
    Activity, Checkpoint, Maker, Options, SavedState, Session, Solver, Start, wall_clock,
};
use sketchpde::{ProblemBuilder, ProblemFile};

use super::damage::{cases, try_all};

/// Magic bytes, version, length and SHA-256 stand before the payload.
const HEAD: usize = 16 + 4 + 8 + 32;

pub fn heat() -> ProblemFile {
    let problem = ProblemBuilder::new()
        .equation("u_t = 0.5*u_xx")
        .periodic("x", 0.0, 1.0)
        .initial("sin(2*pi*x)")
        .until(0.05)
        .set("network.width", 4)
        .set("network.hidden_layers", 1)
        .set("points.count", 20)
        .set("method.columns", 12)
        .set("fit.max_iterations", 30)
        .set("reference.kind", "none");
    problem.build().expect("a problem")
}

pub fn poisson() -> ProblemFile {
    let problem = ProblemBuilder::new()
        .unknowns(&["u"])
        .range("x", 0.0, 1.0)
        .condition("interior", "interior", "-u_xx = pi^2*sin(pi*x)")
        .condition("ends", "boundary", "u = 0")
        .exact("sin(pi*x)")
        .set("network.layers", "[5]")
        .set("method.iterations", 4);
    problem.build().expect("a problem")
}

/// A session, where the state to go on from is one.
pub fn session(problem: &ProblemFile, start: Start) -> Option<(Maker, Session)> {
    let solver = pollster::block_on(Solver::open(problem.clone(), &Backend::Cpu)).expect("a CPU");
    let maker = Maker::of(&solver.describe());
    let options = Options { start, frames: 10, clock: wall_clock };
    Some((maker, pollster::block_on(Session::new(solver, options)).ok()?))
}

/// Checkpoints along a run: in its fit, between its steps or iterations.
fn checkpoints(problem: &ProblemFile) -> Vec<Vec<u8>> {
    let (maker, mut session) = session(problem, Start::Beginning).expect("begins");
    let mut states: Vec<SavedState> = Vec::new();
    while let Activity::Busy = pollster::block_on(session.advance(0.0)) {
        states.extend(session.mark());
    }
    let picked = [0, states.len() / 2, states.len() - 1].map(|index| states[index].clone());
    picked.map(|s| Checkpoint::new(maker.clone(), problem.source(), s).to_bytes()).into()
}

#[test]
fn checkpoints_as_files() {
    for problem in [heat(), poisson()] {
        let seeds = checkpoints(&problem);
        try_all(cases(), &seeds, |bytes| match Checkpoint::from_bytes(bytes) {
            // Whatever the checksum covers is as it was.
            Ok(read) => assert!(seeds.contains(&read.to_bytes())),
            Err(error) => assert!(!error.to_string().is_empty()),
        });
    }
}

/// What another program could write: the state is anything, the checksum is right.
#[test]
fn states_under_a_right_checksum() {
    for problem in [heat(), poisson()] {
        let whole = checkpoints(&problem);
        let head = whole[0][..20].to_vec();
        let payloads: Vec<Vec<u8>> = whole.iter().map(|bytes| bytes[HEAD..].to_vec()).collect();
        try_all(cases(), &payloads, |payload| {
            let mut bytes = head.clone();
            bytes.extend((payload.len() as u64).to_le_bytes());
            bytes.extend(digest(payload));
            bytes.extend(payload);
            let Ok(checkpoint) = Checkpoint::from_bytes(&bytes) else { return };
            let Some((_, mut session)) = session(&problem, Start::Saved(checkpoint.state)) else {
                return;
            };
            // A few steps: they may fail, and say so.
            for _ in 0..3 {
                pollster::block_on(session.advance(0.0));
            }
        });
    }
}
