"""The same modality under another roof."""

from augsynth_plane.modality import PointModality


class Rival(PointModality):
    pass
