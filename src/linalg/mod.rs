//! Dense and randomized linear algebra for tall, numerically rank-deficient problems.
