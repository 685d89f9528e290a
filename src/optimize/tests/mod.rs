mod convergence;
mod descent;
mod directions;
mod failures;
mod precision;
mod products;
mod resume;
mod support;
