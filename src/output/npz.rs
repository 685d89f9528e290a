//! NumPy archives: named arrays of f64 in a zip file without compression.

use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use npyz::WriterBuilder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{OutputError, atomic};

/// A named array of numbers, the last index fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

impl Array {
    #[must_use]
    pub fn new(name: &str, shape: &[usize], values: Vec<f64>) -> Self {
        debug_assert_eq!(shape.iter().product::<usize>(), values.len(), "shape of {name}");
        Self { name: name.to_owned(), shape: shape.to_vec(), values }
    }

    #[must_use]
    pub fn vector(name: &str, values: Vec<f64>) -> Self {
        Self::new(name, &[values.len()], values)
    }
}

/// Writes the arrays so that `numpy.load` reads them.
///
/// # Errors
/// [`OutputError::Write`].
pub fn write(path: &Path, arrays: &[Array]) -> Result<(), OutputError> {
    let bytes =
        encode(arrays).map_err(|source| OutputError::Write { path: path.to_owned(), source })?;
    atomic::write(path, &bytes)
}

fn encode(arrays: &[Array]) -> io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(arrays.iter().any(|a| a.values.len() > (1 << 28)));
    for array in arrays {
        archive
            .start_file(npyz::npz::file_name_from_array_name(&array.name), options)
            .map_err(io::Error::other)?;
        let shape: Vec<u64> = array.shape.iter().map(|&n| n as u64).collect();
        let mut bytes = Vec::with_capacity(8 * array.values.len() + 128);
        let mut writer = npyz::WriteOptions::<f64>::new()
            .default_dtype()
            .shape(&shape)
            .writer(&mut bytes)
            .begin_nd()?;
        writer.extend(array.values.iter().copied())?;
        writer.finish()?;
        archive.write_all(&bytes)?;
    }
    Ok(archive.finish().map_err(io::Error::other)?.into_inner())
}

/// Reads every array of an archive, in the archive's order.
///
/// # Errors
/// [`OutputError::Read`] and [`OutputError::Archive`].
pub fn read(path: &Path) -> Result<Vec<Array>, OutputError> {
    let bytes = atomic::read(path)?;
    decode(&bytes).map_err(|source| OutputError::Archive {
        path: path.to_owned(),
        reason: source.to_string(),
    })
}

fn decode(bytes: &[u8]) -> io::Result<Vec<Array>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(io::Error::other)?;
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).map_err(io::Error::other)?;
            let mut contents = Vec::new();
            // A header may claim any size; no entry is larger than what the archive holds.
            file.by_ref().take(bytes.len() as u64).read_to_end(&mut contents)?;
            let file_name = file.name().map_err(io::Error::other)?.into_owned();
            let name = npyz::npz::array_name_from_file_name(&file_name)
                .ok_or_else(|| io::Error::other(format!("{file_name} is not an array")))?
                .to_owned();
            let npy = npyz::NpyFile::new(&contents[..])?;
            let shape = npy.shape().iter().map(|&n| n as usize).collect();
            Ok(Array { name, shape, values: npy.into_vec::<f64>()? })
        })
        .collect()
}

/// The array `name` of an archive that was read from `path`.
///
/// # Errors
/// [`OutputError::MissingArray`].
pub fn find<'a>(arrays: &'a [Array], name: &str, path: &Path) -> Result<&'a Array, OutputError> {
    arrays
        .iter()
        .find(|array| array.name == name)
        .ok_or_else(|| OutputError::MissingArray { path: path.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Scratch;

    #[test]
    fn arrays_come_back_bit_for_bit() {
        let scratch = Scratch::new("npz");
        let path = scratch.path("a.npz");
        let arrays = [
            Array::new("u", &[2, 3], vec![1.0, -0.0, f64::NAN, f64::INFINITY, 5e-324, 0.1]),
            Array::vector("empty", vec![]),
        ];
        write(&path, &arrays).expect("writes");
        let back = read(&path).expect("reads");
        assert_eq!(back.len(), 2);
        for (a, b) in arrays.iter().zip(&back) {
            assert_eq!((&a.name, &a.shape), (&b.name, &b.shape));
            let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&a.values), bits(&b.values));
        }
        assert!(find(&back, "v", &path).is_err());
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        let scratch = Scratch::new("npz-bad");
        let path = scratch.path("a.npz");
        write(&path, &[Array::vector("x", vec![1.0; 50])]).expect("writes");
        let bytes = std::fs::read(&path).expect("reads");
        for damaged in [&bytes[..0], &bytes[..100], &bytes[..bytes.len() - 30]] {
            std::fs::write(&path, damaged).expect("writes");
            assert!(matches!(read(&path), Err(OutputError::Archive { .. })));
        }
        assert!(matches!(read(&scratch.path("none")), Err(OutputError::Read { .. })));
    }
}
