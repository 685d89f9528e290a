//! Expressions compiled to straight-line code, evaluated over blocks of points.
//!
//! Equal subexpressions are computed once, also across several outputs; integer powers become
//! products. Every instruction writes the register of its own number and reads earlier ones, so
//! that the list can be run as it stands, and written out as WGSL as it stands.

use std::collections::HashMap;
use std::sync::Arc;

use crate::problem::expression::{Binary, Channel, Entry, Expression, Function};
use crate::problem::tabulated::{Lookup, MAX_AXES, Tabulated};
use crate::scalar::Real;

/// Points that one instruction works on at a time: long enough to hide the dispatch on the
/// instruction, short enough for the registers of a usual program to stay in the first cache.
pub const LANES: usize = 64;

/// Number of the instruction that computes a value.
pub type Register = u32;

/// One operation; its result goes to the register with its own number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Instruction {
    Constant(f64),
    Coordinate(usize),
    Time,
    Parameter(usize),
    /// Row of the jet: the unknown times the number of channels, and the position in the list of
    /// channels that the program was compiled for.
    Channel(usize),
    Negate(Register),
    Call(Function, Register),
    Binary(Binary, Register, Register),
    Table(TableCall),
}

/// A table with its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableCall {
    /// Its number among the program's tables.
    table: usize,
    /// As in [`Lookup::slopes`].
    slopes: u8,
    /// One for each axis; those beyond repeat the first.
    arguments: [Register; MAX_AXES],
}

/// A list of expressions as straight-line code.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    instructions: Vec<Instruction>,
    /// Instructions at the front that are the same for every point.
    uniform: usize,
    outputs: Vec<Register>,
    tables: Vec<Arc<Tabulated>>,
}

/// Rows of numbers, one per coordinate or channel: number `i` of row `k` is
/// `data[k * stride + i]`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    pub data: &'a [T],
    pub stride: usize,
}

impl<'a, T> Rows<'a, T> {
    /// No rows, for programs that read none.
    #[must_use]
    pub fn none() -> Self {
        Self { data: &[], stride: 0 }
    }

    #[inline(always)]
    fn part(&self, row: usize, start: usize, count: usize) -> &'a [T] {
        &self.data[row * self.stride + start..][..count]
    }
}

/// What a program reads for a block of points.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a, T> {
    /// Number of points.
    pub count: usize,
    pub coordinates: Rows<'a, T>,
    pub channels: Rows<'a, T>,
    pub time: T,
    pub parameters: &'a [T],
}

/// Scratch space of a running program; reusable between runs and programs.
#[derive(Clone, Debug, Default)]
pub struct Registers<T>(Vec<[T; LANES]>);

impl<T: Real> Registers<T> {
    #[must_use]
    pub fn new() -> Self {
        Self(Vec::new())
    }
}

impl Program {
    /// Compiles `outputs`; `channels` lists the derivative channels in the order in which the rows
    /// of [`Block::channels`] hold them, for one unknown after the other.
    ///
    /// # Panics
    /// When an expression names a channel that is not in the list.
    #[must_use]
    pub fn compile(outputs: &[Expression], channels: &[Channel]) -> Self {
        let (instructions, known, tables) = (Vec::new(), HashMap::new(), Vec::new());
        let mut compiler = Compiler { channels, instructions, known, tables };
        let registers: Vec<Register> = outputs.iter().map(|e| compiler.expression(e)).collect();
        let code = uniform_first(&compiler.instructions, &registers);
        Self { tables: compiler.tables, ..code }
    }

    /// The code, for other backends.
    #[must_use]
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// The register that holds each output.
    #[must_use]
    pub fn outputs(&self) -> &[Register] {
        &self.outputs
    }

    /// How many instructions at the front do not depend on the point.
    #[must_use]
    pub fn uniform(&self) -> usize {
        self.uniform
    }

    /// Evaluates every output for every point of the block: output `k` at point `i` goes to
    /// `out[k * stride + i]`. Inlined so that it is compiled for the instruction set of the caller.
    ///
    /// # Panics
    /// When a row, a parameter or the output is shorter than the program needs.
    #[inline(always)]
    pub fn run<T: Real>(
        &self,
        block: &Block<'_, T>,
        registers: &mut Registers<T>,
        out: &mut [T],
        stride: usize,
    ) {
        let registers = &mut registers.0;
        if registers.len() < self.instructions.len() {
            registers.resize(self.instructions.len(), [T::ZERO; LANES]);
        }
        let (uniform, varying) = self.instructions.split_at(self.uniform);
        for (target, instruction) in uniform.iter().enumerate() {
            execute((instruction, &self.tables), target, registers, block, 0, 0);
        }
        for start in (0..block.count).step_by(LANES) {
            let count = LANES.min(block.count - start);
            for (index, instruction) in varying.iter().enumerate() {
                let target = self.uniform + index;
                execute((instruction, &self.tables), target, registers, block, start, count);
            }
            for (row, &output) in self.outputs.iter().enumerate() {
                let target = &mut out[row * stride + start..][..count];
                target.copy_from_slice(&registers[output as usize][..count]);
            }
        }
    }
}

/// Turns trees into instructions, each distinct one once.
struct Compiler<'c> {
    channels: &'c [Channel],
    instructions: Vec<Instruction>,
    known: HashMap<Key, Register>,
    tables: Vec<Arc<Tabulated>>,
}

/// An instruction in a form that can be looked up: constants by their bits.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Constant(u64),
    Coordinate(usize),
    Time,
    Parameter(usize),
    Channel(usize),
    Negate(Register),
    Call(Function, Register),
    Binary(Binary, Register, Register),
    Table(TableCall),
}

impl Compiler<'_> {
    fn push(&mut self, instruction: Instruction) -> Register {
        let key = match instruction {
            Instruction::Constant(value) => Key::Constant(value.to_bits()),
            Instruction::Coordinate(k) => Key::Coordinate(k),
            Instruction::Time => Key::Time,
            Instruction::Parameter(k) => Key::Parameter(k),
            Instruction::Channel(k) => Key::Channel(k),
            Instruction::Negate(a) => Key::Negate(a),
            Instruction::Call(function, a) => Key::Call(function, a),
            Instruction::Binary(operation, a, b) => Key::Binary(operation, a, b),
            Instruction::Table(call) => Key::Table(call),
        };
        *self.known.entry(key).or_insert_with(|| {
            self.instructions.push(instruction);
            (self.instructions.len() - 1) as Register
        })
    }

    fn expression(&mut self, expression: &Expression) -> Register {
        let instruction = match expression {
            Expression::Constant(value) => Instruction::Constant(*value),
            Expression::Coordinate(k) => Instruction::Coordinate(*k),
            Expression::Time => Instruction::Time,
            Expression::Parameter(k) => Instruction::Parameter(*k),
            Expression::Jet(entry) => Instruction::Channel(self.channel(*entry)),
            Expression::Negate(a) => Instruction::Negate(self.expression(a)),
            Expression::Call(function, a) => Instruction::Call(*function, self.expression(a)),
            Expression::Power(a, exponent) => return self.power(a, *exponent),
            Expression::Binary(operation, a, b) => {
                let (a, b) = (self.expression(a), self.expression(b));
                return self.binary(*operation, a, b);
            }
            Expression::Table(lookup) => Instruction::Table(self.table(lookup)),
        };
        self.push(instruction)
    }

    fn table(&mut self, lookup: &Lookup) -> TableCall {
        let of: Vec<Register> = lookup.arguments.iter().map(|a| self.expression(a)).collect();
        let known = self.tables.iter().position(|table| *table == lookup.table);
        let table = known.unwrap_or_else(|| {
            self.tables.push(lookup.table.clone());
            self.tables.len() - 1
        });
        let arguments = std::array::from_fn(|k| of.get(k).copied().unwrap_or(of[0]));
        TableCall { table, slopes: lookup.slopes, arguments }
    }

    /// a + b and a * b have one order of operands, so that b + a is found again.
    fn binary(&mut self, operation: Binary, a: Register, b: Register) -> Register {
        let commutes = matches!(operation, Binary::Add | Binary::Multiply);
        let (a, b) = if commutes && b < a { (b, a) } else { (a, b) };
        self.push(Instruction::Binary(operation, a, b))
    }

    fn channel(&self, Entry { unknown, channel }: Entry) -> usize {
        let position = self.channels.iter().position(|known| *known == channel);
        let position =
            position.unwrap_or_else(|| panic!("{channel:?} is not among the program's channels"));
        unknown * self.channels.len() + position
    }

    /// By repeated squaring.
    fn power(&mut self, base: &Expression, exponent: i32) -> Register {
        let mut square = self.expression(base);
        let mut result = None;
        let mut rest = exponent.unsigned_abs();
        while rest > 0 {
            if rest & 1 == 1 {
                result = Some(match result {
                    None => square,
                    Some(product) => self.binary(Binary::Multiply, product, square),
                });
            }
            rest >>= 1;
            if rest > 0 {
                square = self.binary(Binary::Multiply, square, square);
            }
        }
        let one = |this: &mut Self| this.push(Instruction::Constant(1.0));
        match result {
            None => one(self),
            Some(power) if exponent > 0 => power,
            Some(power) => {
                let one = one(self);
                self.binary(Binary::Divide, one, power)
            }
        }
    }
}

/// Reorders the code so that what does not depend on the point comes first.
fn uniform_first(instructions: &[Instruction], outputs: &[Register]) -> Program {
    let mut is_uniform = Vec::with_capacity(instructions.len());
    for instruction in instructions {
        is_uniform.push(match *instruction {
            Instruction::Constant(_) | Instruction::Time | Instruction::Parameter(_) => true,
            Instruction::Coordinate(_) | Instruction::Channel(_) => false,
            Instruction::Negate(a) | Instruction::Call(_, a) => is_uniform[a as usize],
            Instruction::Binary(_, a, b) => is_uniform[a as usize] && is_uniform[b as usize],
            Instruction::Table(call) => call.arguments.iter().all(|&a| is_uniform[a as usize]),
        });
    }
    let (front, back): (Vec<usize>, Vec<usize>) =
        (0..instructions.len()).partition(|&index| is_uniform[index]);
    let mut moved = vec![0 as Register; instructions.len()];
    for (position, &index) in front.iter().chain(&back).enumerate() {
        moved[index] = position as Register;
    }
    let renumbered = |&index: &usize| {
        let to = |register: Register| moved[register as usize];
        match instructions[index] {
            Instruction::Negate(a) => Instruction::Negate(to(a)),
            Instruction::Call(function, a) => Instruction::Call(function, to(a)),
            Instruction::Binary(operation, a, b) => Instruction::Binary(operation, to(a), to(b)),
            Instruction::Table(call) => {
                Instruction::Table(TableCall { arguments: call.arguments.map(to), ..call })
            }
            leaf => leaf,
        }
    };
    Program {
        instructions: front.iter().chain(&back).map(renumbered).collect(),
        uniform: front.len(),
        outputs: outputs.iter().map(|&register| moved[register as usize]).collect(),
        tables: Vec::new(),
    }
}

/// Runs one instruction for the `count` points from `start`; lanes beyond hold leftovers.
#[inline(always)]
fn execute<T: Real>(
    (instruction, tables): (&Instruction, &[Arc<Tabulated>]),
    target: usize,
    registers: &mut [[T; LANES]],
    block: &Block<'_, T>,
    start: usize,
    count: usize,
) {
    // Operands stand before their result.
    let (before, rest) = registers.split_at_mut(target);
    let out = &mut rest[0];
    let mut load = |row: &[T]| out[..count].copy_from_slice(row);
    match *instruction {
        Instruction::Constant(value) => out.fill(T::of(value)),
        Instruction::Time => out.fill(block.time),
        Instruction::Parameter(k) => out.fill(block.parameters[k]),
        Instruction::Coordinate(k) => load(block.coordinates.part(k, start, count)),
        Instruction::Channel(k) => load(block.channels.part(k, start, count)),
        Instruction::Negate(a) => map(&before[a as usize], out, |a| -a),
        Instruction::Call(function, a) => call(function, &before[a as usize], out),
        Instruction::Binary(operation, a, b) => {
            let (a, b) = (&before[a as usize], &before[b as usize]);
            match operation {
                Binary::Add => zip(a, b, out, |a, b| a + b),
                Binary::Subtract => zip(a, b, out, |a, b| a - b),
                Binary::Multiply => zip(a, b, out, |a, b| a * b),
                Binary::Divide => zip(a, b, out, |a, b| a / b),
                Binary::Minimum => zip(a, b, out, |a, b| if b < a { b } else { a }),
                Binary::Maximum => zip(a, b, out, |a, b| if b > a { b } else { a }),
                Binary::Where => zip(a, b, out, |a, b| if a == T::ZERO { T::ZERO } else { b }),
                Binary::Less => zip(a, b, out, |a, b| T::of(f64::from(u8::from(a < b)))),
                Binary::LessEqual => zip(a, b, out, |a, b| T::of(f64::from(u8::from(a <= b)))),
                // Rare, and not in `Real`: through f64.
                Binary::Raise => zip(a, b, out, |a, b| T::of(a.to_f64().powf(b.to_f64()))),
            }
        }
        // Through f64, as it is rare and its nodes are.
        Instruction::Table(TableCall { table, slopes, arguments }) => {
            let at = arguments.map(|argument| &before[argument as usize]);
            for (lane, out) in out.iter_mut().enumerate() {
                *out = T::of(tables[table].evaluate(slopes, &at.map(|row| row[lane].to_f64())));
            }
        }
    }
}

#[inline(always)]
fn call<T: Real>(function: Function, a: &[T; LANES], out: &mut [T; LANES]) {
    match function {
        Function::Sin => map(a, out, T::sine),
        Function::Cos => map(a, out, T::cosine),
        Function::Tanh => map(a, out, T::hyperbolic_tangent),
        Function::Exp => map(a, out, T::exponential),
        Function::Sqrt => map(a, out, T::root),
        Function::Abs => map(a, out, T::magnitude),
        // Rare, and not in `Real`: through f64.
        Function::Tan | Function::Sinh | Function::Cosh | Function::Log | Function::Sign => {
            map(a, out, |a| T::of(function.apply(a.to_f64())));
        }
    }
}

#[inline(always)]
fn map<T: Real>(a: &[T; LANES], out: &mut [T; LANES], f: impl Fn(T) -> T) {
    for lane in 0..LANES {
        out[lane] = f(a[lane]);
    }
}

#[inline(always)]
fn zip<T: Real>(a: &[T; LANES], b: &[T; LANES], out: &mut [T; LANES], f: impl Fn(T, T) -> T) {
    for lane in 0..LANES {
        out[lane] = f(a[lane], b[lane]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::equation::{Role, parse_expression};
    use crate::problem::expression::Names;
    use crate::problem::tabulated::{Interpolation, TableAxis};

    /// Tables of one to three arguments in both precisions, against the tree's own evaluation in f64.
    #[test]
    fn tables_are_looked_up_lane_by_lane() {
        let nodes = |n: u32| (0..n).map(|i| f64::from(i * i) / 8.0 - 1.0).collect::<Vec<_>>();
        let table = |name: &str, sizes: &[u32], kind| {
            let axes: Vec<TableAxis> = sizes
                .iter()
                .zip(["x", "y", "z"])
                .map(|(&n, name)| TableAxis { name: name.into(), nodes: nodes(n) })
                .collect();
            let values =
                (0..sizes.iter().product()).map(|i| f64::from(i * i % 17) / 16.0).collect();
            Arc::new(Tabulated::new(name, axes, values, kind).expect("a table"))
        };
        let tables = vec![
            table("a", &[5], Interpolation::Linear),
            table("b", &[3, 4], Interpolation::Nearest),
            table("c", &[3, 2, 4], Interpolation::Linear),
        ];
        let coordinates = vec!["x".to_owned(), "y".to_owned()];
        let names = Names { coordinates, tables, ..Names::default() };
        let text = "a(x)*b(y, x - 1/4) + c_z(x, y, x*y) - a(1/2) + a_x(y) + c(y, x, t)";
        let tree = parse_expression(text, &names, Role::Exact).expect("a formula");
        let program = Program::compile(std::slice::from_ref(&tree), &[]);
        let count = 150;
        let at = |i: usize| {
            let share = |step: f64| (step * (i as f64 + 0.5)).fract();
            [2.5 * share(0.618) - 1.25, 2.5 * share(0.414) - 1.25]
        };
        let rows: Vec<f64> = (0..2).flat_map(|k| (0..count).map(move |i| at(i)[k])).collect();
        let single: Vec<f32> = rows.iter().map(|&x| x as f32).collect();
        fn run<T: Real>(program: &Program, data: &[T], stride: usize) -> Vec<f64> {
            let coordinates = Rows { data, stride };
            let (channels, time) = (Rows::none(), T::of(0.3));
            let block = Block { count: stride, coordinates, channels, time, parameters: &[] };
            let mut out = vec![T::ZERO; stride];
            program.run(&block, &mut Registers::new(), &mut out, stride);
            out.into_iter().map(Real::to_f64).collect()
        }
        let (double, single) = (run(&program, &rows, count), run(&program, &single, count));
        for i in 0..count {
            let wanted = tree.evaluate_at(&at(i), 0.3, &[]);
            // The same numbers in the same order, and one rounding to f32 per operation.
            assert!((double[i] - wanted).abs() < 1e-14, "{i}: {} {wanted}", double[i]);
            assert!((single[i] - wanted).abs() < 1e-5, "{i}: {} {wanted}", single[i]);
        }
    }

    /// What is chosen against the tree's own evaluation, where the other side has no value.
    #[test]
    fn conditions_choose_lane_by_lane() {
        let coordinates = vec!["x".to_owned(), "y".to_owned()];
        let names = Names { coordinates, ..Names::default() };
        let text =
            "if(x < y and y <= 1 or x >= 2, sqrt(x + 1), 1/(x - y))*if(y > 1, log(y - 1), 3)";
        let tree = parse_expression(text, &names, Role::Known).expect("a formula");
        let program = Program::compile(&[tree.clone(), tree.simplify()], &[]);
        let count = 100;
        let x: Vec<f64> = (0..count).map(|i| f64::from(i % 10) * 0.5 - 1.0).collect();
        let y: Vec<f64> = (0..count).map(|i| f64::from(i / 10) * 0.5 - 1.0).collect();
        let (data, stride) = ([x.clone(), y.clone()].concat(), count as usize);
        let block = Block {
            count: stride,
            coordinates: Rows { data: &data, stride },
            channels: Rows::none(),
            time: 0.0,
            parameters: &[],
        };
        let mut out = vec![0.0; 2 * stride];
        program.run(&block, &mut Registers::new(), &mut out, stride);
        for i in 0..stride {
            let wanted = tree.evaluate_at(&[x[i], y[i]], 0.0, &[]);
            for found in [out[i], out[stride + i]] {
                let same = (found - wanted).abs() < 1e-12 * wanted.abs().max(1.0);
                assert!(same || found == wanted, "{} {}: {found} {wanted}", x[i], y[i]);
            }
        }
        assert!(out[..stride].iter().filter(|v| v.is_finite()).count() > 90);
    }
}
