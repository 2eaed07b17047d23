"""The pages are the recipes of docs/clients.md: what is tested here is what is written there."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "clients.md"
PAGES = Path(__file__).parent / "pages"
SECTIONS = {
    heading: re.findall(r"^```(?:js|vue)\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
    for heading, body in re.findall(
        r"^## (.+?)$(.*?)(?=^## |\Z)", DOCS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
}
RECIPES = {
    "uppy.html": ("Uppy", 0),
    "uppy-6.html": ("Uppy", 1),
    "uppy-6-sign.html": ("Uppy", 2),
    "plupload.html": ("plupload, as in Alibaba's first sample", 0),
    "element-plus.html": ("Element Plus, Ant Design, TDesign, Naive UI", 0),
    "dropzone.html": ("Dropzone", 0),
    "filepond.html": ("FilePond", 0),
    "ali-oss.html": ("ali-oss", 0),
}


@pytest.mark.parametrize(("page", "recipe"), RECIPES.items(), ids=RECIPES)
def test_page_holds_its_recipe(page, recipe):
    """Letter by letter; the demo's URL is put in when the page is served."""
    heading, number = recipe

    assert SECTIONS[heading][number] in (PAGES / page).read_text(encoding="utf-8")


def test_every_page_is_a_recipe():
    """No page does anything that the documentation does not know."""
    assert set(RECIPES) == {page.name for page in PAGES.iterdir()}
