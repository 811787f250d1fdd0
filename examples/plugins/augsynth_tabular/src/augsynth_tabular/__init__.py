"""Tables: rows of numbers, categories, dates and gaps."""

from augsynth.authoring import GeneratorSpec, ModalitySpec, hookimpl


@hookimpl
def augsynth_modalities():
    yield ModalitySpec(name="tabular", factory="augsynth_tabular.modality:TabularModality", summary="Rows of a table")


@hookimpl
def augsynth_generators():
    told = "The TVAE of SDV's ctgan (Xu et al. 2019), conditional"
    factory = "augsynth_tabular.tvae:TVAE"
    yield GeneratorSpec(name="tvae", factory=factory, modality="tabular", conditions={"label"}, summary=told)
    told = "Matches noisy counts of pairs of values: differentially private with privacy="
    factory = "augsynth_tabular.marginals:Marginals"
    conditions = {"label"}
    yield GeneratorSpec(
        name="marginals", factory=factory, modality="tabular", conditions=conditions, private=True, summary=told
    )
