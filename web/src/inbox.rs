//! Waiting in a thread that must not block: for a message, or for time to pass.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageChannel, MessagePort};

/// Messages that have arrived, and whoever waits for them.
pub struct Inbox<T> {
    arrived: RefCell<VecDeque<T>>,
    alarm: Rc<Alarm>,
    port: MessagePort,
    _on_alarm: Closure<dyn FnMut()>,
}

/// Says that it is time to look again.
#[derive(Default)]
struct Alarm {
    rung: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Alarm {
    fn ring(&self) {
        self.rung.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<T> Inbox<T> {
    /// # Errors
    /// When the browser has no message channels.
    pub fn new() -> Result<Self, JsValue> {
        let alarm = Rc::new(Alarm::default());
        let channel = MessageChannel::new()?;
        let on_alarm = Closure::<dyn FnMut()>::new({
            let alarm = Rc::clone(&alarm);
            move || alarm.ring()
        });
        channel.port2().set_onmessage(Some(on_alarm.as_ref().unchecked_ref()));
        Ok(Self { arrived: RefCell::default(), alarm, port: channel.port1(), _on_alarm: on_alarm })
    }

    pub fn put(&self, message: T) {
        self.arrived.borrow_mut().push_back(message);
        self.alarm.ring();
    }

    pub fn take(&self) -> Option<T> {
        self.arrived.borrow_mut().pop_front()
    }

    /// Lets the browser deliver what has arrived, and comes back at once. A message to oneself does
    /// that; a timer would take 4 ms.
    pub async fn look(&self) {
        self.alarm.rung.set(false);
        if self.port.post_message(&JsValue::NULL).is_ok() {
            self.rung().await;
        }
    }

    /// Until a message arrives, or for so many seconds.
    pub async fn wait(&self, seconds: Option<f64>) {
        self.alarm.rung.set(!self.arrived.borrow().is_empty());
        if let Some(seconds) = seconds {
            let alarm = Rc::clone(&self.alarm);
            set_timeout(move || alarm.ring(), seconds);
        }
        self.rung().await;
    }

    async fn rung(&self) {
        poll_fn(|context| {
            if self.alarm.rung.get() {
                return Poll::Ready(());
            }
            *self.alarm.waker.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Calls `action` after so many seconds.
fn set_timeout(action: impl FnOnce() + 'static, seconds: f64) {
    let action = Closure::once_into_js(action);
    let milliseconds = JsValue::from(1e3 * seconds);
    // Pages and workers both have it, but as methods of different types.
    let set = Reflect::get(&js_sys::global(), &JsValue::from("setTimeout"));
    if let Some(set) = set.ok().and_then(|set| set.dyn_into::<Function>().ok()) {
        let _ = set.call2(&JsValue::UNDEFINED, &action, &milliseconds);
    }
}
