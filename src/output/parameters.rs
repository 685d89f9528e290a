//! Network parameters as a safetensors file: one f64 tensor per named segment of the layout, and of a
//! correction in the tangent space one more, `correction.` before its name.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::{OutputError, atomic};
use crate::network::Layout;

/// Before the names of the tensors of a correction.
const CORRECTION: &str = "correction.";

/// Writes `parameters`, p of them or 2 p with a correction, with text metadata (the resolved
/// configuration, seed, version).
///
/// # Errors
/// [`OutputError::Write`]; [`OutputError::Parameters`] when there are not as many numbers as the
/// layout has, or twice as many.
pub fn write(
    path: &Path,
    layout: &Layout,
    parameters: &[f64],
    metadata: &BTreeMap<String, String>,
) -> Result<(), OutputError> {
    let bad = |reason: String| OutputError::Parameters { path: path.to_owned(), reason };
    let total = layout.total();
    if parameters.len() != total && parameters.len() != 2 * total {
        return Err(bad(count_mismatch(parameters.len(), total)));
    }
    let bytes: Vec<u8> = parameters.iter().flat_map(|value| value.to_le_bytes()).collect();
    let mut tensors = Vec::new();
    for (prefix, bytes) in ["", CORRECTION].into_iter().zip(bytes.chunks_exact(8 * total)) {
        for segment in layout.segments() {
            let range = segment.range();
            let data = &bytes[8 * range.start..8 * range.end];
            let view = TensorView::new(Dtype::F64, vec![segment.rows, segment.columns], data)
                .map_err(|error| bad(error.to_string()))?;
            tensors.push((format!("{prefix}{}", segment.name), view));
        }
    }
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let file = serialize(tensors, Some(metadata)).map_err(|error| bad(error.to_string()))?;
    let file =
        with_sorted_header(&file).ok_or_else(|| bad("its header cannot be put in order".into()))?;
    atomic::write(path, &file)
}

/// The file with the keys of its header in order: the metadata come out of a hash map, and equal
/// runs should leave equal files. A file is the header's length (u64), the header as JSON padded
/// with spaces to a multiple of 8 bytes, and the data.
fn with_sorted_header(file: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = file.split_first_chunk::<8>()?;
    let (header, data) =
        rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    // A map of this type keeps its keys in order.
    let entries: BTreeMap<String, serde_json::Value> = serde_json::from_slice(header).ok()?;
    let mut sorted = serde_json::to_vec(&entries).ok()?;
    sorted.resize(sorted.len().next_multiple_of(8), b' ');
    Some([&(sorted.len() as u64).to_le_bytes(), sorted.as_slice(), data].concat())
}

/// Reads parameters into the order of `layout`, a correction behind them where there is one, with the
/// file's metadata.
///
/// # Errors
/// [`OutputError::Read`]; [`OutputError::Parameters`] when the file is damaged or holds another
/// network.
pub fn read(
    path: &Path,
    layout: &Layout,
) -> Result<(Vec<f64>, BTreeMap<String, String>), OutputError> {
    let bad = |reason: String| OutputError::Parameters { path: path.to_owned(), reason };
    let bytes = atomic::read(path)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| bad(error.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| bad(error.to_string()))?;
    let prefixes = match file.names().into_iter().any(|name| name.starts_with(CORRECTION)) {
        true => &["", CORRECTION][..],
        false => &[""],
    };
    let expected = prefixes.len() * layout.segments().len();
    if file.len() != expected {
        return Err(bad(count_mismatch(file.len(), expected)));
    }
    let mut parameters = vec![0.0; prefixes.len() * layout.total()];
    for (prefix, part) in prefixes.iter().zip(parameters.chunks_exact_mut(layout.total())) {
        for segment in layout.segments() {
            let name = format!("{prefix}{}", segment.name);
            let tensor = file.tensor(&name).map_err(|error| bad(error.to_string()))?;
            if tensor.dtype() != Dtype::F64 || tensor.shape() != [segment.rows, segment.columns] {
                return Err(bad(format!(
                    "{name} is {:?} {:?}, the network needs F64 [{}, {}]",
                    tensor.dtype(),
                    tensor.shape(),
                    segment.rows,
                    segment.columns
                )));
            }
            let values = part[segment.range()].iter_mut().zip(tensor.data().chunks_exact(8));
            for (value, bytes) in values {
                *value = f64::from_le_bytes(std::array::from_fn(|k| bytes[k]));
            }
        }
    }
    let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
    Ok((parameters, metadata))
}

fn count_mismatch(found: usize, expected: usize) -> String {
    format!("it has {found} entries, the network {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Input, Network};
    use crate::problem::Activation;
    use crate::random::{Philox, Stream};
    use crate::tests::Scratch;

    #[test]
    fn parameters_and_metadata_come_back_and_other_networks_are_refused() {
        let scratch = Scratch::new("parameters");
        let path = scratch.path("parameters.safetensors");
        let inputs = [Input::Periodic { period: 1.0 }];
        let layout_of = |width: usize, hidden: usize, activation: Activation| {
            Network::new(inputs.to_vec(), width, hidden, activation).layout().clone()
        };
        let layout = layout_of(5, 2, Activation::Rational);
        let random = Philox::new(1, Stream::Vectors);
        let parameters: Vec<f64> =
            (0..layout.total() as u32).map(|i| random.normal(0, i)).collect();
        let metadata = BTreeMap::from([("seed".to_owned(), "7".to_owned())]);
        write(&path, &layout, &parameters, &metadata).expect("writes");
        assert_eq!(read(&path, &layout).expect("reads"), (parameters.clone(), metadata.clone()));
        let corrected = [parameters.as_slice(), &parameters].concat();
        write(&path, &layout, &corrected, &metadata).expect("writes");
        assert_eq!(read(&path, &layout).expect("reads").0, corrected);

        for other in [
            layout_of(6, 2, Activation::Rational),
            layout_of(5, 3, Activation::Rational),
            layout_of(5, 2, Activation::Tanh),
        ] {
            assert!(matches!(read(&path, &other), Err(OutputError::Parameters { .. })));
        }
        let short = write(&path, &layout, &parameters[1..], &metadata);
        assert!(matches!(short, Err(OutputError::Parameters { .. })));
        std::fs::write(&path, b"not a tensor").expect("writes");
        assert!(matches!(read(&path, &layout), Err(OutputError::Parameters { .. })));
    }
}
