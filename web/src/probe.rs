//! What the page's tests look through: the text on the screen and the solver's last status.

use std::cell::RefCell;
use std::rc::Rc;

use eframe::egui::{Context, Pos2, Shape};
use js_sys::{Function, Promise};
use serde::Serialize;
use sketchpde::session::{Snapshot, TrainingPoint};
use sketchpde_native::link::{Loaded, Update};
use wasm_bindgen::prelude::*;

use crate::line::memory;

/// Shared by whoever knows something; cloning it clones a handle.
#[derive(Clone, Default)]
pub struct Probe {
    inner: Rc<RefCell<Inner>>,
}

#[derive(Default)]
struct Inner {
    run: Run,
    /// Frames drawn.
    frames: u64,
    /// Of the solver's module, in bytes.
    solver_memory: usize,
    /// Who waits for the next frame.
    waiting: Vec<Function>,
}

/// What the app was last told of its run.
#[derive(Clone, Default, Serialize)]
struct Run {
    loaded: Option<Loaded>,
    status: Option<sketchpde::session::Status>,
    /// u on the evaluation grid.
    values: Vec<f64>,
    messages: Vec<String>,
    /// Of the other run of a race.
    rival: Option<sketchpde::session::Status>,
    /// In place of all that.
    training: Option<Trained>,
}

/// What the app was last told of a training.
#[derive(Clone, Serialize)]
struct Trained {
    place: Loaded,
    playing: bool,
    ended: Option<String>,
    failure: Option<String>,
    /// Every iteration so far.
    points: Vec<TrainingPoint>,
}

impl Trained {
    fn of(place: &Loaded, known: Option<Vec<TrainingPoint>>, snapshot: &Snapshot) -> Self {
        let mut points = known.unwrap_or_default();
        points.truncate(snapshot.first_record);
        points.extend_from_slice(&snapshot.points);
        let status = &snapshot.status;
        Self {
            place: Loaded { precision: status.precision.clone(), ..place.clone() },
            playing: status.playing,
            ended: status.ended.clone(),
            failure: status.failure.clone(),
            points,
        }
    }
}

/// A frame.
#[derive(Serialize)]
struct Seen<'a> {
    frames: u64,
    /// Of the page and of the solver, in bytes.
    memory: [usize; 2],
    /// Of the screen, in CSS pixels.
    canvas: Size,
    run: &'a Run,
    texts: Vec<Text>,
}

#[derive(Serialize)]
struct Size {
    width: f32,
    height: f32,
}

/// A text and its place, in CSS pixels from the canvas's corner.
#[derive(Serialize)]
struct Text {
    text: String,
    x: f32,
    y: f32,
    width: f32,
    height: f32,
}

impl Probe {
    /// Takes note of what the app learns.
    pub fn see(&self, updates: &[Update]) {
        let run = &mut self.inner.borrow_mut().run;
        for update in updates {
            match update {
                Update::Loaded(loaded) => {
                    let messages = std::mem::take(&mut run.messages);
                    // The same run on another device goes on with what it has shown.
                    let same = run.loaded.as_ref().is_some_and(|known| known.run == loaded.run);
                    let training = run.training.take().filter(|_| same);
                    let loaded = Some(loaded.clone());
                    *run = Run { loaded, messages, training, ..Run::default() };
                }
                Update::Snapshot(snapshot) => {
                    if let (Some(place), Some(_)) = (&run.loaded, &snapshot.status.iteration) {
                        let known = run.training.take().map(|known| known.points);
                        run.training = Some(Trained::of(place, known, snapshot));
                    }
                    run.status = Some(snapshot.status.clone());
                    run.values.clone_from(&snapshot.values);
                    run.messages.extend(snapshot.messages.iter().cloned());
                }
                Update::Message(message)
                | Update::Refused { message, .. }
                | Update::Stopped(message) => run.messages.push(message.clone()),
                Update::Rival(snapshot) => run.rival = Some(snapshot.status.clone()),
                _ => {}
            }
        }
    }

    /// Takes note of the memory of the solver's module, in bytes.
    pub fn weigh(&self, memory: usize) {
        self.inner.borrow_mut().solver_memory = memory;
    }

    /// Whether the solver has moved: there is a solution later than the initial state.
    pub fn moves(&self) -> bool {
        self.inner.borrow().run.status.as_ref().is_some_and(|status| status.step > 0)
    }

    /// Counts a frame, whose shapes are in `context`, and answers those who wait for it.
    pub fn drawn(&self, context: &Context) {
        let waiting = {
            let mut inner = self.inner.borrow_mut();
            inner.frames += 1;
            std::mem::take(&mut inner.waiting)
        };
        if waiting.is_empty() {
            return;
        }
        let inner = self.inner.borrow();
        let size = context.content_rect().size();
        let canvas = Size { width: size.x, height: size.y };
        let (frames, memory) = (inner.frames, [memory(), inner.solver_memory]);
        let seen = Seen { frames, memory, canvas, run: &inner.run, texts: texts(context) };
        // Numbers that JSON has no word for become null.
        let json = serde_json::to_string(&seen).unwrap_or_default();
        for resolve in waiting {
            let _ = resolve.call1(&JsValue::UNDEFINED, &JsValue::from(&json));
        }
    }

    /// A function without arguments that promises the next frame as JSON.
    pub fn look(&self, context: &Context) -> JsValue {
        let (inner, context) = (Rc::clone(&self.inner), context.clone());
        Closure::<dyn Fn() -> Promise>::new(move || {
            context.request_repaint();
            Promise::new(&mut |resolve, _| inner.borrow_mut().waiting.push(resolve))
        })
        .into_js_value()
    }
}

/// Every text of the frame.
fn texts(context: &Context) -> Vec<Text> {
    let layers: Vec<_> = context.memory(|memory| memory.layer_ids().collect());
    context.graphics(|graphics| {
        let mut texts = Vec::new();
        for entry in
            layers.iter().filter_map(|&layer| graphics.get(layer)).flat_map(|l| l.all_entries())
        {
            collect(&entry.shape, &mut texts);
        }
        texts
    })
}

fn collect(shape: &Shape, texts: &mut Vec<Text>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, texts)),
        Shape::Text(text) => {
            let rect = text.galley.rect.translate(text.pos - Pos2::ZERO);
            texts.push(Text {
                text: text.galley.text().to_owned(),
                x: rect.min.x,
                y: rect.min.y,
                width: rect.width(),
                height: rect.height(),
            });
        }
        _ => {}
    }
}
