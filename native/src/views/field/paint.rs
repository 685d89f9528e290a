//! Colouring on the GPU: a sheet's values as a texture, drawn by `field.wgsl` in the middle of
//! egui's own pass.

use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui_wgpu::wgpu;
use eframe::egui_wgpu::{Callback, CallbackResources, CallbackTrait, ScreenDescriptor};
use egui::{Context, Id, PaintCallbackInfo, Rect, Shape};
use sketchpde::output::colours::ColourMap;

use super::sheet::{Shared, lock};

/// The maps in their rows of the table.
const MAPS: [ColourMap; 2] = [ColourMap::Viridis, ColourMap::Magma];
/// Colours of a map in the table: so many that its corners, at tenths, are among them and it is
/// straight in between.
const COLOURS: u32 = 1001;
/// Bytes of `Picture` in the shader.
const UNIFORM: u64 = 48;

/// Says that the frames of `ctx` are drawn by wgpu onto this format.
pub fn draw_onto(ctx: &Context, format: wgpu::TextureFormat) {
    ctx.data_mut(|data| data.insert_temp(Id::unique("format of the target"), format));
}

/// What [`draw_onto`] said.
pub fn target(ctx: &Context) -> Option<wgpu::TextureFormat> {
    ctx.data(|data| data.get_temp(Id::unique("format of the target")))
}

/// How a sheet is to look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Column and row at the corner of the screen, and from one point of it to the next.
    pub origin: [f64; 2],
    pub per_point: [f64; 2],
    /// The value of the lowest colour, and 1 over the length of the range of values.
    pub lowest: f64,
    pub scale: f64,
    pub map: ColourMap,
    pub periodic: [bool; 2],
}

/// A sheet to be painted.
pub struct Painting {
    pub sheet: Shared,
    pub look: Look,
    pub format: wgpu::TextureFormat,
}

impl Painting {
    /// As a shape that fills `rect`.
    pub fn shape(self, rect: Rect) -> Shape {
        Shape::Callback(Callback::new_paint_callback(rect, self))
    }

    /// A sheet is known by its address, which [`Canvas::sheet`] keeps from being used again.
    fn key(&self) -> usize {
        Arc::as_ptr(&self.sheet) as usize
    }
}

impl CallbackTrait for Painting {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let painter = resources
            .entry::<Painter>()
            .or_insert_with(|| Painter::new(device, queue, self.format));
        painter.prepare(device, queue, self, screen.pixels_per_point);
        Vec::new()
    }

    fn paint(
        &self,
        _info: PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(painter) = resources.get::<Painter>() else { return };
        if let Some(canvas) = painter.canvases.get(&self.key()) {
            pass.set_pipeline(&painter.pipeline);
            pass.set_bind_group(0, &canvas.bindings, &[]);
            pass.draw(0..3, 0..1);
        }
    }
}

/// What all sheets share on a device.
struct Painter {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    colours: wgpu::TextureView,
    canvases: HashMap<usize, Canvas>,
}

/// A sheet on the device.
struct Canvas {
    sheet: Shared,
    size: [usize; 2],
    values: wgpu::Texture,
    uniform: wgpu::Buffer,
    bindings: wgpu::BindGroup,
}

impl Painter {
    fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        let layout = layout(device);
        Self {
            pipeline: pipeline(device, &layout, format),
            colours: colours(device, queue),
            layout,
            canvases: HashMap::new(),
        }
    }

    /// Sends what is new.
    fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        painting: &Painting,
        pixels_per_point: f32,
    ) {
        // Sheets that nobody else holds any more are not painted again.
        self.canvases.retain(|_, canvas| Arc::strong_count(&canvas.sheet) > 1);
        let key = painting.key();
        let mut sheet = lock(&painting.sheet);
        let size = sheet.size();
        let anew = self.canvases.get(&key).is_none_or(|canvas| canvas.size != size);
        if anew {
            self.canvases.remove(&key);
            if size.contains(&0) {
                return;
            }
            let canvas = self.canvas(device, &painting.sheet, size);
            self.canvases.insert(key, canvas);
        }
        let Some(canvas) = self.canvases.get(&key) else { return };
        let (rows, values) = sheet.take_unseen(anew);
        if !rows.is_empty() {
            send(queue, &canvas.values, [0, rows.start], size[0], bytemuck::cast_slice(values));
        }
        let linear = painting.format.is_srgb();
        queue.write_buffer(&canvas.uniform, 0, &uniform(&painting.look, pixels_per_point, linear));
    }

    fn canvas(&self, device: &wgpu::Device, sheet: &Shared, size: [usize; 2]) -> Canvas {
        let values = texture(device, "values", wgpu::TextureFormat::R32Float, size);
        let uniform = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("field"),
            size: UNIFORM,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let view = values.create_view(&wgpu::TextureViewDescriptor::default());
        let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("field"),
            layout: &self.layout,
            entries: &[
                entry(0, uniform.as_entire_binding()),
                entry(1, wgpu::BindingResource::TextureView(&view)),
                entry(2, wgpu::BindingResource::TextureView(&self.colours)),
            ],
        });
        Canvas { sheet: Arc::clone(sheet), size, values, uniform, bindings }
    }
}

/// `Picture` in the shader, byte by byte.
fn uniform(look: &Look, pixels_per_point: f32, linear: bool) -> Vec<u8> {
    let per_pixel = look.per_point.map(|step| step / f64::from(pixels_per_point));
    let row = MAPS.iter().position(|map| *map == look.map).unwrap_or_default();
    let numbers = [look.origin, per_pixel, [look.lowest, look.scale]];
    let flags = [row as u32, linear.into(), look.periodic[0].into(), look.periodic[1].into()];
    let numbers = numbers.as_flattened().iter().flat_map(|&number| (number as f32).to_le_bytes());
    let mut bytes: Vec<u8> = numbers.chain(flags.into_iter().flat_map(u32::to_le_bytes)).collect();
    bytes.resize(UNIFORM as usize, 0);
    bytes
}

fn layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::FRAGMENT,
        ty,
        count: None,
    };
    let texture = wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float { filterable: false },
        view_dimension: wgpu::TextureViewDimension::D2,
        multisampled: false,
    };
    let uniform = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("field"),
        entries: &[entry(0, uniform), entry(1, texture), entry(2, texture)],
    })
}

fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    format: wgpu::TextureFormat,
) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::include_wgsl!("field.wgsl"));
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("field"),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("field"),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("corner"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[],
        },
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("coloured"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(wgpu::ColorTargetState {
                format,
                blend: Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING),
                write_mask: wgpu::ColorWrites::ALL,
            })],
        }),
        primitive: wgpu::PrimitiveState::default(),
        // As egui's own pass by default: no depth, one sample per pixel.
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        multiview_mask: None,
        cache: None,
    })
}

/// The colour maps, one per row.
fn colours(device: &wgpu::Device, queue: &wgpu::Queue) -> wgpu::TextureView {
    let size = [COLOURS as usize, MAPS.len()];
    let table = texture(device, "colour maps", wgpu::TextureFormat::Rgba8Unorm, size);
    let pixel = |map: ColourMap, k: u32| {
        let colour = map.at(f64::from(k) / f64::from(COLOURS - 1));
        [colour.0, colour.1, colour.2, u8::MAX]
    };
    let pixels = MAPS.into_iter().flat_map(|map| (0..COLOURS).flat_map(move |k| pixel(map, k)));
    send(queue, &table, [0, 0], size[0], &pixels.collect::<Vec<u8>>());
    table.create_view(&wgpu::TextureViewDescriptor::default())
}

fn texture(
    device: &wgpu::Device,
    label: &str,
    format: wgpu::TextureFormat,
    [width, height]: [usize; 2],
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: extent(width, height),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

fn extent(width: usize, height: usize) -> wgpu::Extent3d {
    // Sheets are small; see `sheet::MOST`.
    wgpu::Extent3d { width: width as u32, height: height as u32, depth_or_array_layers: 1 }
}

/// Writes whole rows of four-byte texels.
fn send(
    queue: &wgpu::Queue,
    texture: &wgpu::Texture,
    [x, y]: [usize; 2],
    width: usize,
    bytes: &[u8],
) {
    let row = 4 * width;
    queue.write_texture(
        wgpu::TexelCopyTextureInfo {
            texture,
            mip_level: 0,
            origin: wgpu::Origin3d { x: x as u32, y: y as u32, z: 0 },
            aspect: wgpu::TextureAspect::All,
        },
        bytes,
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(row as u32),
            rows_per_image: None,
        },
        extent(width, bytes.len() / row.max(1)),
    );
}
