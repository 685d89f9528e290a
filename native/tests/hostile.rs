//! Damaged links and messages: every change to one ends in a value or in an error. How the changes are
//! made, and `SKETCHPDE_CASES`, are in `tests/hostile.rs` of the solver.

#[path = "../../tests/hostile/damage.rs"]
mod damage;

use damage::{cases, try_all};
use sketchpde::problem::{Preset, presets, residual_presets};
use sketchpde::session::{Command, wall_clock};
use sketchpde_native::link::{
    Backend, Beginning, Deed, Load, Request, Server, Update, What, decode, encode,
};
use sketchpde_native::setup::share::Opening;
use sketchpde_native::setup::share::{
    Story, from_fragment, is_short_enough, to_fragment, training_to_fragment,
};
use sketchpde_native::setup::{Base, Setup};

/// A link of every preset, some with deeds along the way.
fn links() -> Vec<Vec<u8>> {
    let deed = |step, what| Deed { step, what };
    let mut links: Vec<String> = presets()
        .iter()
        .map(|preset| {
            let deeds = vec![
                deed(
                    3,
                    What::Command(Command::Disturb { place: vec![0.4], height: 0.2, radius: 0.05 }),
                ),
                deed(9, What::Draw(vec![[0.1, 0.5], [0.7, -0.5]])),
            ];
            to_fragment(&Story { setup: Setup::preset(*preset), deeds })
        })
        .collect();
    // The app opens problems of one unknown.
    for preset in residual_presets().iter().filter(|preset| preset.unknowns == 1) {
        match Opening::of(Base::Preset(*preset)).expect("a preset") {
            Opening::Training(setup) => links.push(training_to_fragment(&setup)),
            Opening::Run(_) => panic!("{} is a training", preset.name),
        }
    }
    links.into_iter().map(String::into_bytes).collect()
}

#[test]
fn links_that_were_changed() {
    try_all(4 * cases(), &links(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match from_fragment(&text) {
            Err(error) => assert!(!error.to_string().is_empty()),
            // What a link opens can be made a link of again, which opens the same.
            Ok(opening) => {
                let again = match &opening {
                    Opening::Run(story) => to_fragment(story),
                    Opening::Training(setup) => training_to_fragment(setup),
                };
                if is_short_enough(&again) {
                    assert_eq!(from_fragment(&again).as_ref(), Ok(&opening));
                }
            }
        }
    });
}

/// What a run's two sides say to each other.
fn messages() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let toml = Preset::find("allen-cahn").expect("a preset").text.to_owned();
    let load = Load {
        run: 1,
        toml: toml.clone(),
        backend: Backend::Cpu,
        start: Beginning::Fitted(vec![0.1; 3393]),
        deeds: vec![Deed { step: 2, what: What::Draw(vec![[0.0, 1.0]]) }],
        done: 0,
        playing: true,
    };
    let requests = [Request::Load(Box::new(load)), Request::Save, Request::Draw(vec![[0.5; 2]; 9])];
    let mut server = Server::new(wall_clock);
    let mut updates = Vec::new();
    for request in requests.clone().into_iter().chain([Request::Snapshot]) {
        updates.extend(pollster::block_on(server.handle(request)));
    }
    assert!(updates.len() > 2, "{updates:?}");
    let coded = |update: &Update| encode(update).expect("a message");
    let requests = requests.map(|request| encode(&request).expect("a message"));
    (requests.into(), updates.iter().map(coded).collect())
}

#[test]
fn messages_that_were_changed() {
    let (requests, updates) = messages();
    try_all(2 * cases(), &requests, |bytes| {
        if let Ok(request) = decode::<Request>(bytes) {
            assert!(encode(&request).is_ok());
        }
    });
    try_all(2 * cases(), &updates, |bytes| {
        if let Ok(update) = decode::<Update>(bytes) {
            assert!(encode(&update).is_ok());
        }
    });
}
