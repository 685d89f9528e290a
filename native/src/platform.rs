//! What the app needs of its surroundings, beyond a place to draw in.

use egui::DroppedFileHandle;

/// Files and links, as far as the surroundings have them. Nothing here may wait.
pub trait Platform {
    /// Gives a file to the person; what to tell them about it comes back.
    ///
    /// # Errors
    /// What went wrong, in words.
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<String, String>;

    /// A file was dropped onto the window: its contents are to come out of [`Platform::opened`].
    fn receive(&mut self, file: DroppedFileHandle);

    /// Lets the person choose a file, whose contents are to come out of [`Platform::opened`]; false
    /// where there is no way to.
    fn browse(&mut self) -> bool {
        false
    }

    /// The contents of the next file that has been opened, or what went wrong.
    fn opened(&mut self) -> Option<Result<Vec<u8>, String>>;

    /// A link that opens the app with this fragment, which has no `#`.
    fn link(&self, fragment: &str) -> String;

    /// The fragment that the app was opened with.
    fn fragment(&self) -> Option<String> {
        None
    }

    /// Why the app runs with less than it could, for a line across the window.
    fn banner(&self) -> Option<String> {
        None
    }
}
