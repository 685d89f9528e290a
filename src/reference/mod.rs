//! Ground truth: spectral solutions and closed forms.
