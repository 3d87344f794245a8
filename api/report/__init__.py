"""Write the report of a verification for people: one page of HTML, with a picture."""

from api.report.page import Made, render_report

__all__ = ["Made", "render_report"]
