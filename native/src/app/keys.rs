//! The keyboard, while nobody types.

use egui::{Key, Modifiers, Ui};

use super::state::{Action, Saved, State};

/// What the keys pressed in this frame ask for.
pub(super) fn pressed(ui: &Ui, state: &State) -> Vec<Action> {
    if ui.ctx().text_edit_focused() || ui.ctx().memory(|memory| memory.focused()).is_some() {
        return Vec::new();
    }
    let shortcuts = [
        (Key::Space, if state.playing() { Action::Pause } else { Action::Play }),
        (Key::ArrowRight, Action::Step),
        (Key::R, Action::Reset),
        (Key::S, Action::Save(Saved::Picture)),
        (Key::H, Action::TogglePanels),
        (Key::T, Action::ToggleTheme),
    ];
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    shortcuts.into_iter().filter(|(key, _)| pressed(*key)).map(|(_, action)| action).collect()
}
