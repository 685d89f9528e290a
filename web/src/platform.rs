//! Files and links, as a page has them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use eframe::egui::DroppedFileHandle;
use sketchpde_native::platform::Platform;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::page::{Page, Window};

/// Larger files are no checkpoints, and problem files even less.
const MOST_BYTES: usize = 256 << 20;

type Opened = Rc<RefCell<VecDeque<Result<Vec<u8>, String>>>>;

/// A page as the app's surroundings.
pub struct PagePlatform {
    page: Page,
    window: Window,
    opened: Opened,
}

impl PagePlatform {
    pub fn new(page: Page, window: Window) -> Self {
        Self { page, window, opened: Opened::default() }
    }
}

impl Platform for PagePlatform {
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<String, String> {
        self.page.save(name, bytes);
        Ok(format!("{name} is among your downloads"))
    }

    fn receive(&mut self, file: DroppedFileHandle) {
        let (opened, window) = (Rc::clone(&self.opened), self.window.clone());
        spawn_local(async move {
            let bytes = file.bytes_async().await.and_then(checked);
            opened.borrow_mut().push_back(bytes);
            window.repaint();
        });
    }

    fn browse(&mut self) -> bool {
        let (opened, window) = (Rc::clone(&self.opened), self.window.clone());
        let take = Closure::once_into_js(move |bytes: Vec<u8>| {
            opened.borrow_mut().push_back(checked(bytes));
            window.repaint();
        });
        self.page.browse(&take);
        true
    }

    fn opened(&mut self) -> Option<Result<Vec<u8>, String>> {
        self.opened.borrow_mut().pop_front()
    }

    fn link(&self, fragment: &str) -> String {
        self.page.link(fragment)
    }

    fn fragment(&self) -> Option<String> {
        let fragment = self.page.fragment();
        (!fragment.is_empty()).then_some(fragment)
    }

    fn banner(&self) -> Option<String> {
        let reason = self.page.without_webgpu();
        (!reason.is_empty()).then(|| {
            format!(
                "{reason}: this solves on the processor, in WebAssembly, and draws by WebGL. A \
                 browser with WebGPU solves larger problems faster."
            )
        })
    }
}

fn checked(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if bytes.len() > MOST_BYTES {
        return Err(format!("it is larger than {} MiB", MOST_BYTES >> 20));
    }
    Ok(bytes)
}
