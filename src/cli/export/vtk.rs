//! Files for ParaView: an unstructured grid a time, and one file that lists them with their times.

use std::fmt::Write;
use std::path::PathBuf;

use vtkio::model::{
    Attribute, Attributes, ByteOrder, CellType, Cells, DataArray, DataSet, IOBuffer,
    UnstructuredGridPiece, Version, VertexNumbers, Vtk,
};

use super::{Export, Frame};
use crate::cli::failure::Failure;
use crate::output::OutputError;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `.vtu` and `.pvd`.
    Xml,
    /// `.vtk` and `.vtk.series`.
    Legacy,
}

impl Kind {
    fn ending(self) -> &'static str {
        match self {
            Self::Xml => "vtu",
            Self::Legacy => "vtk",
        }
    }
}

/// Writes the files; the one to open comes first.
pub fn write(export: &Export, kind: Kind) -> Result<Vec<PathBuf>, Failure> {
    let ending = kind.ending();
    let series = export.frames.iter().any(|frame| frame.time.is_some());
    let mut files = Vec::new();
    let mut listed = Vec::new();
    for (k, frame) in export.frames.iter().enumerate() {
        let number = if series { format!("_{k:04}.{ending}") } else { format!(".{ending}") };
        let path = export.path(&number);
        let bytes = encode(export, frame, kind).map_err(|error| OutputError::Write {
            path: path.clone(),
            source: std::io::Error::other(error.to_string()),
        })?;
        export.write(&path, &bytes)?;
        listed.push((frame.time.unwrap_or(0.0), format!("{}{number}", export.name)));
        files.push(path);
    }
    if series {
        let (path, text) = match kind {
            Kind::Xml => (export.path(".pvd"), collection(&listed)),
            Kind::Legacy => (export.path(".vtk.series"), json_series(&listed)),
        };
        export.write(&path, text.as_bytes())?;
        files.insert(0, path);
    }
    Ok(files)
}

fn encode(export: &Export, frame: &Frame, kind: Kind) -> Result<Vec<u8>, vtkio::Error> {
    let dimensions = export.lattice.axes.len();
    // Three coordinates whatever the problem has.
    let points: Vec<f64> = export
        .lattice
        .points
        .chunks_exact(dimensions)
        .flat_map(|p| (0..3).map(|k| p.get(k).copied().unwrap_or(0.0)))
        .collect();
    let connectivity = export.lattice.cells();
    let (corners, shape) = match dimensions {
        1 => (2, CellType::Line),
        2 => (4, CellType::Quad),
        _ => (8, CellType::Hexahedron),
    };
    let count = connectivity.len() / corners;
    let offsets = (1..=count).map(|k| (k * corners) as u64).collect();
    let array = |(text, values): (&str, &Vec<f64>)| {
        // The legacy format has no blanks in names.
        let name: String = text.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
        Attribute::DataArray(DataArray::scalars(name, 1).with_vec(values.clone()))
    };
    let names = export.what.iter().map(|q| q.text.as_str());
    let point = names.zip(&frame.values).map(array).collect();
    let grid = UnstructuredGridPiece {
        points: IOBuffer::F64(points),
        cells: Cells {
            cell_verts: VertexNumbers::XML { connectivity, offsets },
            types: vec![shape; count],
        },
        data: Attributes { point, cell: Vec::new() },
    };
    let vtk = Vtk {
        version: Version::Auto,
        title: export.name.clone(),
        // Legacy files are big-endian, whatever the machine.
        byte_order: if kind == Kind::Xml { ByteOrder::LittleEndian } else { ByteOrder::BigEndian },
        data: DataSet::inline(grid),
        file_path: None,
    };
    let mut bytes = Vec::new();
    match kind {
        Kind::Xml => vtk.write_xml(&mut bytes)?,
        Kind::Legacy => vtk.write_legacy(&mut bytes)?,
    }
    Ok(bytes)
}

/// A ParaView collection.
fn collection(files: &[(f64, String)]) -> String {
    let mut text = String::from(
        "<?xml version=\"1.0\"?>\n<VTKFile type=\"Collection\" version=\"0.1\" \
         byte_order=\"LittleEndian\">\n  <Collection>\n",
    );
    for (time, file) in files {
        // Names of files hold letters, digits, '-', '_' and '.' alone.
        let _ = writeln!(text, "    <DataSet timestep=\"{time:?}\" part=\"0\" file=\"{file}\"/>");
    }
    text + "  </Collection>\n</VTKFile>\n"
}

/// ParaView's list of legacy files with times.
fn json_series(files: &[(f64, String)]) -> String {
    let list: Vec<serde_json::Value> = files
        .iter()
        .map(|(time, name)| serde_json::json!({ "name": name, "time": time }))
        .collect();
    let whole = serde_json::json!({ "file-series-version": "1.0", "files": list });
    format!("{whole:#}\n")
}
