"""``report.html``: verdicts, figures and provenance on one page that needs no network.

The page is readable without its script; the script adds filter, sliders and the interactive views.
"""
