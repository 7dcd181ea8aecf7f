"""What Sphinx is told: how pages are read, and how they look."""

import tinyrnn

project = "tinyrnn"
author = "the contributors of tinyrnn"
version = release = tinyrnn.__version__
html_title = f"tinyrnn {release}"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "website.mathematics",
    "website.names",
    "website.pictures",
]

# Pages are plain GitHub Markdown.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

# Docstrings: one backquote is a name, and a link where it is a public one.
default_role = "py:obj"
autodoc_typehints = "none"  # a docstring says them in words
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"
add_module_names = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_show_search_summary = False  # it would be fetched, which no browser does from disk
html_math_renderer = "mathml"
html_theme_options = {"top_of_page_buttons": [], "navigation_with_keys": False}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
