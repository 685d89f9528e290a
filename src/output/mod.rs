//! Results on disk: fields, histories, parameters, plots, checkpoints.
