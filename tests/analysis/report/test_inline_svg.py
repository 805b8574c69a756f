"""An SVG in the page follows its theme, keeps its data, and owns its ids."""

from __future__ import annotations

from xml.etree import ElementTree

from analysis.report.page.inline_svg import inline

SVG = """<?xml version="1.0"?>
<!DOCTYPE svg PUBLIC "x" "y">
<svg width="252pt" height="72pt" viewBox="0 0 252 72" xmlns="http://www.w3.org/2000/svg"
 version="1.1">
 <metadata><x>who</x></metadata>
 <defs><clipPath id="p1"><rect x="0.123456" y="1" width="2" height="3"/></clipPath></defs>
 <g id="a"><!-- a <b>name</b> --><path d="M 1.23456 -2.98765 L 3 4" clip-path="url(#p1)"
  style="stroke: #1b1f24; fill: #0072b2" transform="translate(1.23456 2) scale(0.015625)"/>
 <use href="#a"/></g>
</svg>
"""


def _inlined() -> str:
    return inline(SVG, "one", 'A "title" <b>', "What & why")


def test_it_is_one_well_formed_element_with_a_name() -> None:
    body = _inlined().replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    root = ElementTree.fromstring(body)  # noqa: S314
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "one-title one-desc"
    texts = [element.text for element in root[:2]]
    assert texts == ['A "title" <b>', "What & why"]


def test_ink_becomes_a_variable_and_data_keep_their_colour() -> None:
    body = _inlined()
    assert "stroke: var(--ink)" in body
    assert "fill: #0072b2" in body


def test_ids_are_its_own_and_comments_and_metadata_are_gone() -> None:
    body = _inlined()
    assert 'id="one-p1"' in body
    assert "url(#one-p1)" in body
    assert 'href="#one-a"' in body
    assert "<!--" not in body
    assert "who" not in body


def test_coordinates_are_rounded_and_scales_are_not() -> None:
    body = _inlined()
    assert 'd="M 1.23 -2.99 L 3 4"' in body
    assert "translate(1.23 2) scale(0.015625)" in body
    assert 'x="0.12"' in body
