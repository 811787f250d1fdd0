"""What the documentation shows runs."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_python_blocks_run_and_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    namespace: dict = {}
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL):
        exec(code, namespace)
    targets = re.findall(r"\]\(([^)#]+)\)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_modality_of_the_page_is_the_one_that_is_tested():
    from augsynth.recognition import spec_of

    namespace: dict = {}
    for code in re.findall(
        r"```python\n(.*?)```", (DOCS / "modalities.md").read_text(encoding="utf-8"), flags=re.DOTALL
    ):
        exec(code, namespace)
    modality = namespace["PointModality"]()
    data = modality.tiny(9)
    spec = spec_of(data[0][0], modality)
    assert spec.shape == (2,) and spec.raw_to_model(spec.stacked([spec.to_raw(x) for x, _ in data])).shape == (9, 2)
