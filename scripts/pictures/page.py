"""Renders a job summary, standard input, as a page of a light or dark theme, standard output.

With a width in pixels, the page is that wide and says which tables and lines are wider than their place: as the text of
`<output id="cut">`, `none` if none is.
"""

import sys
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

MEASURE = """<output id="cut"></output><script>
const wide = [];
document.querySelectorAll('details').forEach(details => { details.open = true; });
document.querySelectorAll('main table, main p, main li, main h3, main h4, main summary').forEach(element => {
  if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) {
    wide.push(element.tagName + ' ' + element.textContent.trim().replace(/\\s+/g, ' ').slice(0, 60));
  }
});
document.getElementById('cut').textContent = wide.join(' | ') || 'none';
</script>"""

theme = sys.argv[1]
width = sys.argv[2] if len(sys.argv) > 2 else None
style = (Path(__file__).parent / "style.css").read_text()
body = cmarkgfm.github_flavored_markdown_to_html(sys.stdin.read(), options=Options.CMARK_OPT_UNSAFE)
measured = f"html {{ width: {width}px; }} body {{ padding: 8px; }} main {{ padding: 8px 12px; }}" if width else ""
print(f'<!doctype html><html data-theme="{theme}"><meta charset="utf-8">')
print('<meta name="viewport" content="width=device-width">')
print(f"<title>Summary</title><style>{style}{measured}</style><main><h2>verify <span>summary</span></h2>{body}</main>")
print(f"{MEASURE if width else ''}</html>")
