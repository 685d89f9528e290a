mod convergence;
mod descent;
mod directions;
mod failures;
mod products;
mod resume;
mod support;
