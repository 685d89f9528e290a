//! Neural Galerkin time stepping.
