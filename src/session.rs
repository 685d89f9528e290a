//! The driver: commands in, snapshots out; never blocks.
