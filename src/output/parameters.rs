//! Network parameters as a safetensors file: one f64 tensor per named segment of the layout; of a
//! correction in the tangent space one more each, `correction.` before its name; of the plane waves beside
//! that their frequencies, a row each, and per unknown a row of the cosines' coefficients and one of the
//! sines'.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::{OutputError, atomic};
use crate::network::{Corrected, Network};

/// Before the names of the tensors of a correction.
const CORRECTION: &str = "correction.";
/// Of the plane waves.
const FREQUENCIES: &str = "waves.frequencies";
const INVERSIONS: &str = "waves.inversions";
const COEFFICIENTS: &str = "waves.coefficients";

/// Writes `parameters` of a network, as [`Network::split`] takes them, with text metadata (the resolved
/// configuration, seed, version).
///
/// # Errors
/// [`OutputError::Write`]; [`OutputError::Parameters`] when there are not as many numbers as the
/// network has.
pub fn write(
    path: &Path,
    network: &Network,
    parameters: &[f64],
    metadata: &BTreeMap<String, String>,
) -> Result<(), OutputError> {
    let bad = |reason: String| OutputError::Parameters { path: path.to_owned(), reason };
    if !network.holds(parameters.len()) {
        return Err(bad(count_mismatch(parameters.len(), network.parameters())));
    }
    let parts = tensors(network, network.split(parameters));
    let bytes: Vec<Vec<u8>> = parts
        .iter()
        .map(|(.., values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
        .collect();
    let views = parts.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        let view = TensorView::new(Dtype::F64, shape.to_vec(), bytes);
        view.map(|view| (name, view)).map_err(|error| bad(error.to_string()))
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    let metadata: HashMap<String, String> =
        metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let file = serialize(views, Some(metadata)).map_err(|error| bad(error.to_string()))?;
    let file =
        with_sorted_header(&file).ok_or_else(|| bad("its header cannot be put in order".into()))?;
    atomic::write(path, &file)
}

/// Name, shape and entries of each tensor, in the order of the parameters.
fn tensors<'a>(network: &Network, parts: Corrected<'a>) -> Vec<(String, [usize; 2], &'a [f64])> {
    let Corrected { theta, correction, frequencies, inversions, coefficients } = parts;
    let mut tensors = Vec::new();
    for (prefix, values) in [("", theta), (CORRECTION, correction)] {
        let segments = network.layout().segments().iter().filter(|_| !values.is_empty());
        tensors.extend(segments.map(|segment| {
            let name = format!("{prefix}{}", segment.name);
            (name, [segment.rows, segment.columns], &values[segment.range()])
        }));
    }
    if !coefficients.is_empty() {
        let dimensions = network.inputs().len();
        let count = frequencies.len() / dimensions;
        tensors.push((FREQUENCIES.into(), [count, dimensions], frequencies));
        tensors.push((INVERSIONS.into(), [count, 2 * dimensions], inversions));
        tensors.push((COEFFICIENTS.into(), [2 * network.outputs(), count], coefficients));
    }
    tensors
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

/// Reads the parameters of a network, as [`Network::split`] takes them, with the file's metadata.
///
/// # Errors
/// [`OutputError::Read`]; [`OutputError::Parameters`] when the file is damaged or holds another
/// network.
pub fn read(
    path: &Path,
    network: &Network,
) -> Result<(Vec<f64>, BTreeMap<String, String>), OutputError> {
    let bad = |reason: String| OutputError::Parameters { path: path.to_owned(), reason };
    let bytes = atomic::read(path)?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| bad(error.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| bad(error.to_string()))?;
    let has = |part: &str| file.names().into_iter().any(|name| name.starts_with(part));
    let waves = match file.tensor(FREQUENCIES) {
        Ok(tensor) => tensor.shape().first().copied().unwrap_or(0),
        Err(_) => 0,
    };
    let behind = waves * network.numbers_of_a_wave();
    let corrected = has(CORRECTION) || waves > 0;
    let numbers = network.parameters() * (1 + usize::from(corrected));
    // What the file has to hold, and where.
    let blank = vec![0.0; numbers + behind];
    let expected = tensors(network, network.split(&blank));
    if file.len() != expected.len() {
        return Err(bad(count_mismatch(file.len(), expected.len())));
    }
    let mut parameters = Vec::with_capacity(blank.len());
    for (name, shape, _) in expected {
        let tensor = file.tensor(&name).map_err(|error| bad(error.to_string()))?;
        if tensor.dtype() != Dtype::F64 || tensor.shape() != shape {
            let [rows, columns] = shape;
            return Err(bad(format!(
                "{name} is {:?} {:?}, the network needs F64 [{rows}, {columns}]",
                tensor.dtype(),
                tensor.shape(),
            )));
        }
        let entry = |bytes: &[u8]| f64::from_le_bytes(std::array::from_fn(|k| bytes[k]));
        parameters.extend(tensor.data().chunks_exact(8).map(entry));
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
    use crate::network::Input;
    use crate::problem::Activation;
    use crate::random::{Philox, Stream};
    use crate::tests::Scratch;

    #[test]
    fn parameters_and_metadata_come_back_and_other_networks_are_refused() {
        let scratch = Scratch::new("parameters");
        let path = scratch.path("parameters.safetensors");
        let inputs = [Input::Periodic { period: 1.0 }];
        let network_of = |width: usize, hidden: usize, activation: Activation| {
            Network::new(inputs.to_vec(), width, hidden, activation)
        };
        let network = network_of(5, 2, Activation::Rational);
        let random = Philox::new(1, Stream::Vectors);
        let parameters: Vec<f64> =
            (0..network.parameters() as u32).map(|i| random.normal(0, i)).collect();
        let metadata = BTreeMap::from([("seed".to_owned(), "7".to_owned())]);
        write(&path, &network, &parameters, &metadata).expect("writes");
        assert_eq!(read(&path, &network).expect("reads"), (parameters.clone(), metadata.clone()));
        let corrected = [parameters.as_slice(), &parameters].concat();
        let with_waves =
            [corrected.as_slice(), &[1.0, 2.0, 0.0, 0.0, 0.5, 4.0, 0.1, 0.2, 0.3, 0.4]].concat();
        for more in [corrected, with_waves] {
            write(&path, &network, &more, &metadata).expect("writes");
            assert_eq!(read(&path, &network).expect("reads").0, more);
        }

        for other in [
            network_of(6, 2, Activation::Rational),
            network_of(5, 3, Activation::Rational),
            network_of(5, 2, Activation::Tanh),
        ] {
            assert!(matches!(read(&path, &other), Err(OutputError::Parameters { .. })));
        }
        let short = write(&path, &network, &parameters[1..], &metadata);
        assert!(matches!(short, Err(OutputError::Parameters { .. })));
        std::fs::write(&path, b"not a tensor").expect("writes");
        assert!(matches!(read(&path, &network), Err(OutputError::Parameters { .. })));
    }
}
