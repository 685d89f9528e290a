//! Files that are either written completely or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::OutputError;
use super::disk::disk;

/// Writes a file through a temporary one beside it, which takes its name once everything is on
/// disk: whatever happens on the way, `path` holds either the old contents or the new.
///
/// # Errors
/// [`OutputError::Write`]; the temporary file is removed.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    write_with(path, |file| file.write_all(bytes))
}

/// [`write()`] with the contents made by `fill`.
///
/// # Errors
/// [`OutputError::Write`], also with the error of `fill`.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OutputError> {
    let error = |source| OutputError::Write { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        disk(|| fs::create_dir_all(folder)).map_err(error)?;
    }
    let temporary = temporary_name(path);
    let written = (|| {
        let mut file = BufWriter::new(disk(|| File::create(&temporary))?);
        disk(|| fill(&mut file))?;
        let file = disk(|| file.into_inner().map_err(io::IntoInnerError::into_error))?;
        disk(|| file.sync_all())?;
        disk(|| fs::rename(&temporary, path))?;
        sync_folder(path.parent().unwrap_or(Path::new("")))
    })();
    written.map_err(|source| {
        // It may not exist; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
        error(source)
    })
}

/// Makes the names in a folder last: without this a crash of the system may undo a rename.
///
/// # Errors
/// From the system, where it has folders that can be synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match disk(|| File::open(here)?.sync_all()) {
        // Some file systems cannot; they have nothing better to offer.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

/// Beside the file, so that the rename stays on one disk; the process keeps two runs apart.
fn temporary_name(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

/// The contents of a file.
///
/// # Errors
/// [`OutputError::Read`].
pub fn read(path: &Path) -> Result<Vec<u8>, OutputError> {
    fs::read(path).map_err(|source| OutputError::Read { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn a_full_disk_keeps_the_old_file_and_names_the_remedy() {
        let scratch = Scratch::new("atomic");
        let path = scratch.path("deep/er/file.txt");
        write(&path, b"old").expect("writes");
        let error = write_with(&path, |file| {
            file.write_all(b"half of the new")?;
            Err(io::ErrorKind::StorageFull.into())
        })
        .expect_err("the disk is full");
        let message = error.to_string();
        assert!(message.contains("file.txt") && message.contains("--out"), "{message}");
        assert_eq!(read(&path).expect("reads"), b"old");
        let entries = fs::read_dir(path.parent().expect("folder")).expect("lists").count();
        assert_eq!(entries, 1, "the temporary file is gone");
        write(&path, b"new").expect("writes");
        assert_eq!(read(&path).expect("reads"), b"new");
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_an_error_that_says_so() {
        let scratch = Scratch::new("atomic-blocked");
        write(&scratch.path("folder"), b"a file").expect("writes");
        let error = write(&scratch.path("folder/inner"), b"x").expect_err("blocked");
        assert!(error.to_string().contains("a file is in the way"), "{error}");
    }
}
