"""A kind of data that goes wrong only once it is installed, and a right one beside it."""

from augsynth.authoring import ModalitySpec, hookimpl


@hookimpl
def augsynth_modalities():
    for name, factory in (("curve", "Lopsided"), ("right-curve", "Curves")):
        yield ModalitySpec(name=name, factory=f"tests.mutants.modalities:{factory}")
