//! A density from outside: its marginal, its moments, going on from a saved state.

use super::*;

/// A particle that is drawn to 1, in three coordinates of which the first is looked at.
const DENSITY: &str = r#"
format = 1
[equation]
text = "u_t = 3 + (x - 1)*u_x + (y - 1)*u_y + (z - 1)*u_z + D*(laplace(u) + u_x^2 + u_y^2 + u_z^2)"
[domain]
x = { range = [0, 4], boundary = "open" }
y = { range = [0, 4], boundary = "open" }
z = { range = [0, 4], boundary = "open" }
[parameters]
D = { value = 0.05, range = [0.01, 0.1] }
[time]
end = 0.1
[initial]
u = "-1.5*log(2*pi*0.1) - ((x - 2)^2 + (y - 1.5)^2 + (z - 1)^2)/0.2"
[network]
width = 6
hidden_layers = 1
activation = "tanh"
[points]
layout = "adaptive"
density = "logarithm"
count = 200
resample = 2
[fit]
tolerance = 1e-3
count = 200
[method]
columns = 60
step = 0.01
tolerance = 0
"#;

fn density_session(start: Start) -> Session {
    let problem = Problem::from_toml(DENSITY, &Overrides::new()).expect("a valid problem");
    session_of(ProblemFile::Evolution(problem), start)
}

#[test]
fn a_density_is_looked_at_by_its_marginal_and_its_moments() {
    let mut session = density_session(Start::Beginning);
    let reference =
        Reference::of(record(&session).problem(), &|_| std::ops::ControlFlow::Continue(()));
    session.set_reference(reference.expect("one").expect("a Gaussian"));
    settle(&mut session);
    assert_eq!(session.status().phase, Phase::Done, "{:?}", session.failure());
    assert_eq!(record(&session).grid().axes().len(), 1, "a marginal has one coordinate");
    let (x, values) = (&record(&session).grid().axes()[0], session.evaluate());
    let mass = (x[1] - x[0]) * values.iter().sum::<f64>();
    assert!((mass - 1.0).abs() < 0.02, "{mass}");
    let error = session.status().space_time_error.expect("compared");
    assert!(error < 0.02, "{error}");
    let records = record(&session).densities();
    assert_eq!(records.len(), record(&session).frames().len());
    let last = records.last().expect("some");
    assert!((last.time - 0.1).abs() < 1e-12);
    assert!(last.mean_error < 0.02 && last.covariance_error < 0.05, "{last:?}");
    assert!(last.density_error < 0.05 && last.log_error < 0.01, "{last:?}");
    // The mean moves by a tenth of the way from 2 to 1.
    assert!((last.exact_mean[0] - 1.0 - (-0.1f64).exp()).abs() < 1e-12);
    assert!((records[0].mean[0] - 2.0).abs() < 0.01 && last.mean[0] < 1.92);
    let disturb = Command::Disturb { place: vec![1.0; 3], height: 0.1, radius: 0.5 };
    let values = session.evaluate();
    for command in [disturb, Command::Redraw { values }] {
        assert!(matches!(obey(&mut session, command), Err(SessionError::Density)));
    }
    obey(&mut session, Command::set("parameters.D", "0.06")).unwrap();
    obey(&mut session, Command::Reset).unwrap();
    assert_eq!(record(&session).densities().len(), 1, "the start");
}

#[test]
fn a_density_that_is_saved_on_the_way_goes_on_to_the_same_bits() {
    let mut whole = density_session(Start::Beginning);
    obey(&mut whole, Command::Pause).unwrap();
    settle(&mut whole);
    obey(&mut whole, Command::Step(3)).unwrap();
    settle(&mut whole);
    let saved = whole.save().expect("a state");
    let mut resumed = density_session(Start::Saved(saved));
    for session in [&mut whole, &mut resumed] {
        obey(session, Command::Play).unwrap();
        settle(session);
        assert_eq!(session.status().phase, Phase::Done);
    }
    assert_eq!(outcome(&whole), outcome(&resumed));
    assert_eq!(record(&whole).densities(), record(&resumed).densities());
    // The points go back to where they were at the start.
    obey(&mut whole, Command::Reset).unwrap();
    obey(&mut whole, Command::Play).unwrap();
    settle(&mut whole);
    assert_eq!(outcome(&whole), outcome(&resumed));
}
