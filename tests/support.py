"""What several tests need."""

import warnings

import augsynth


def quick_fit(name, data, **options):
    """Fit for a few steps, quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", augsynth.AugsynthWarning)
        return augsynth.fit(name, data, **{"steps": 40, "progress": False, "device": "cpu", **options})
