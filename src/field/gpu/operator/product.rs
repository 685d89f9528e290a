//! Tiles of the Jacobian, read back or multiplied by dense matrices on the device.

use nalgebra::{DMatrixView, DMatrixViewMut};

use super::sweep::Sweep;
use super::texts::Texts;
use crate::gpu::buffers::{Piece, storage, uniform};
use crate::gpu::config::{PRODUCT_EACH, PRODUCT_SIDE};
use crate::gpu::error::GpuError;
use crate::gpu::kernel::Kernel;
use crate::gpu::profile::Work;
use crate::network::Network;

/// Bytes of a stored tile of J.
const TILE: u64 = 32 << 20;

/// Kernels and small buffers of the products.
#[derive(Debug)]
pub struct Product {
    columns: Kernel,
    product: Kernel,
    /// The two jets of each column of J.
    pairs: wgpu::Buffer,
    /// p.
    count: usize,
    request: wgpu::Buffer,
    /// `struct Product` of shaders/operator/product.wgsl.
    extent: wgpu::Buffer,
    /// Columns of a stored tile, at most.
    tile: usize,
}

/// What one product works on; see shaders/operator/product.wgsl.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rows: usize,
    columns: usize,
    inner: usize,
    left_row: usize,
    left_inner: usize,
    right_first: usize,
    output_first: usize,
}

impl Extent {
    fn words(self) -> [u32; 8] {
        let Self { rows, columns, inner, left_row, left_inner, right_first, output_first } = self;
        [rows, columns, inner, left_row, left_inner, right_first, output_first, 0]
            .map(|word| word as u32)
    }

    /// Operations of the product; both factors are read, and the output read and written, once.
    fn work(self, bytes: usize) -> Work {
        let [rows, columns, inner] = [self.rows, self.columns, self.inner].map(|n| n as f64);
        let numbers = rows * inner + inner * columns + 2.0 * rows * columns;
        Work { operations: 2.0 * rows * columns * inner, bytes: numbers * bytes as f64 }
    }

    fn grid(self, limit: u32) -> [u32; 3] {
        let columns = (self.columns as u32).div_ceil(PRODUCT_SIDE);
        let rows = (self.rows as u32).div_ceil(PRODUCT_SIDE * PRODUCT_EACH).max(1);
        let across = rows.min(limit);
        [columns, across, rows.div_ceil(across)]
    }
}

impl Sweep {
    /// The same with what the products of the Jacobian need.
    ///
    /// # Errors
    /// When the device rejects a kernel.
    pub async fn with_products(
        mut self,
        network: &Network,
        texts: &Texts,
    ) -> Result<Self, GpuError> {
        let (gpu, pairs) = (&self.gpu, self.pairs(network));
        let buffer = storage(gpu, "pairs", size_of_val(pairs.as_slice()) as u64);
        gpu.queue().write_buffer(&buffer, 0, bytemuck::cast_slice(&pairs));
        let row_bytes = self.stride * self.scalar.bytes();
        let tile = TILE.min(gpu.budget().buffer_bytes) as usize / row_bytes;
        self.product = Some(Product {
            columns: texts.kernel(gpu, "operator/columns.wgsl").await?,
            product: texts.kernel(gpu, "operator/product.wgsl").await?,
            pairs: buffer,
            count: pairs.len(),
            request: uniform(gpu, "request", &[0; 4]),
            extent: uniform(gpu, "extent of a product", &[0; 8]),
            tile: tile.max(1).min(pairs.len()).min(gpu.budget().workgroups as usize),
        });
        Ok(self)
    }

    fn product(&self) -> &Product {
        self.product.as_ref().expect("a sweep with products")
    }

    /// First and number of columns of each tile.
    fn tiles(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (all, tile) = (self.product().count, self.product().tile);
        (0..all).step_by(tile).map(move |first| (first, tile.min(all - first)))
    }

    /// Columns of J that one buffer has room for, as the right-hand side of a
    /// product or its result.
    pub fn column_limit(&self) -> usize {
        let bytes = (self.product().count.max(self.stride) * self.scalar.bytes()) as u64;
        (self.gpu.budget().buffer_bytes / bytes).max(1) as usize
    }

    fn tile_buffer(&mut self) -> Result<wgpu::Buffer, GpuError> {
        let bytes = (self.product().tile * self.stride * self.scalar.bytes()) as u64;
        self.scratch.get(&self.gpu, "a tile of the Jacobian", bytes)
    }

    /// Makes one tile: a row of the tile is a column of J.
    fn make_tile(&self, tile: &wgpu::Buffer, (first, columns): (usize, usize)) {
        let product = self.product();
        let words = [product.count as u32, first as u32, columns as u32, 0];
        self.gpu.queue().write_buffer(&product.request, 0, bytemuck::cast_slice(&words));
        let buffers = [
            ("shape", self.shape()),
            ("factors", self.factors()),
            ("pairs", &product.pairs),
            ("request", &product.request),
            ("output", tile),
        ];
        let group = product.columns.bind(&self.gpu, &buffers);
        let grid = [self.point_groups(), columns as u32, 1];
        let work = self.entries_work(columns);
        self.gpu.submit(|commands| product.columns.dispatch(commands, &group, (grid, work)));
    }

    fn accumulate(
        &self,
        extent: Extent,
        left: &wgpu::Buffer,
        right: &wgpu::Buffer,
        output: &wgpu::Buffer,
    ) {
        let product = self.product();
        let words = extent.words();
        self.gpu.queue().write_buffer(&product.extent, 0, bytemuck::cast_slice(&words));
        let buffers = [
            ("shape", self.shape()),
            ("product", &product.extent),
            ("left", left),
            ("right", right),
            ("output", output),
        ];
        let group = product.product.bind(&self.gpu, &buffers);
        let grid = extent.grid(self.gpu.budget().workgroups);
        let work = extent.work(self.scalar.bytes());
        self.gpu.submit(|commands| product.product.dispatch(commands, &group, (grid, work)));
    }

    /// Hands over every column of J after [`Sweep::back`]: its number and its entries.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn visit_columns(
        &mut self,
        visit: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<(), GpuError> {
        let tile = self.tile_buffer()?;
        for (first, columns) in self.tiles() {
            self.make_tile(&tile, (first, columns));
            let bytes = (columns * self.stride * self.scalar.bytes()) as u64;
            let piece = Piece::start(&tile, bytes);
            let read: Vec<f64> =
                self.scalar.read(&mut self.scratch, &self.gpu, "rows of J", &[piece]).await?;
            for (k, row) in read.chunks_exact(self.stride).enumerate() {
                visit(first + k, &row[..self.count()]);
            }
        }
        Ok(())
    }

    /// Uploads the right-hand side of products: row-major.
    ///
    /// # Errors
    /// When it does not fit a buffer.
    pub fn set_right(&mut self, right: DMatrixView<'_, f64>) -> Result<wgpu::Buffer, GpuError> {
        let entries: Vec<f64> = (0..right.nrows())
            .flat_map(|i| (0..right.ncols()).map(move |j| right[(i, j)]))
            .collect();
        self.scratch.filled(&self.gpu, "the right-hand side", &self.scalar.encode(&entries))
    }

    /// A zeroed buffer for `rows x columns` results.
    ///
    /// # Errors
    /// When it does not fit a buffer.
    pub fn zeroed(&mut self, rows: usize, columns: usize) -> Result<wgpu::Buffer, GpuError> {
        let bytes = (rows * columns * self.scalar.bytes()) as u64;
        let output = self.scratch.get(&self.gpu, "the product", bytes)?;
        self.gpu.submit(|commands| commands.encoder().clear_buffer(&output, 0, None));
        Ok(output)
    }

    /// Adds J V at the run's points, for V as [`Sweep::set_right`] has it.
    ///
    /// # Errors
    /// When a tile does not fit a buffer.
    pub fn add_product(
        &mut self,
        (right, columns): (&wgpu::Buffer, usize),
        output: &wgpu::Buffer,
    ) -> Result<(), GpuError> {
        let (left_inner, count) = (self.stride, self.count());
        self.add_tiles(right, output, |first, width| Extent {
            rows: count,
            columns,
            inner: width,
            left_row: 1,
            left_inner,
            right_first: first,
            output_first: 0,
        })
    }

    /// Adds J^T W over the run's points.
    ///
    /// # Errors
    /// When a tile does not fit a buffer.
    pub fn add_transposed_product(
        &mut self,
        (right, columns): (&wgpu::Buffer, usize),
        output: &wgpu::Buffer,
    ) -> Result<(), GpuError> {
        let (left_row, count) = (self.stride, self.count());
        self.add_tiles(right, output, |first, width| Extent {
            rows: width,
            columns,
            inner: count,
            left_row,
            left_inner: 1,
            right_first: 0,
            output_first: first,
        })
    }

    /// Makes one tile after the other and adds its product, whose extent follows from the tile's
    /// first column and its width.
    fn add_tiles(
        &mut self,
        right: &wgpu::Buffer,
        output: &wgpu::Buffer,
        extent: impl Fn(usize, usize) -> Extent,
    ) -> Result<(), GpuError> {
        let tile = self.tile_buffer()?;
        for (first, width) in self.tiles() {
            self.make_tile(&tile, (first, width));
            self.accumulate(extent(first, width), &tile, right, output);
        }
        Ok(())
    }

    /// Adds the `rows x columns` results to `to`.
    ///
    /// # Errors
    /// When the device fails.
    pub async fn read_product(
        &mut self,
        output: &wgpu::Buffer,
        mut to: DMatrixViewMut<'_, f64>,
    ) -> Result<(), GpuError> {
        let bytes = (to.nrows() * to.ncols() * self.scalar.bytes()) as u64;
        let piece = Piece::start(output, bytes);
        let read: Vec<f64> =
            self.scalar.read(&mut self.scratch, &self.gpu, "a product of J", &[piece]).await?;
        let columns = to.ncols();
        for (at, value) in read.into_iter().enumerate() {
            to[(at / columns, at % columns)] += value;
        }
        Ok(())
    }
}
