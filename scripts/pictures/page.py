"""Renders a job summary, standard input, as a page of a light or dark theme, standard output."""

import sys
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

theme = sys.argv[1]
style = (Path(__file__).parent / "style.css").read_text()
body = cmarkgfm.github_flavored_markdown_to_html(sys.stdin.read(), options=Options.CMARK_OPT_UNSAFE)
print(f'<!doctype html><html data-theme="{theme}"><meta charset="utf-8">')
print('<meta name="viewport" content="width=device-width">')
print(f"<title>Summary</title><style>{style}</style><main><h2>verify <span>summary</span></h2>{body}</main></html>")
