"""The demonstration: the reference app on a local cloud, with real data, up to what a real viewer is recommended."""
