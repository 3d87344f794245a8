"""Gather the illnesses of the simulated hospital."""

from typing import Final

from api.simulate.scenario import Scenario
from api.simulate.scenarios.acute import CHILDBIRTH, STROKE
from api.simulate.scenarios.chronic import DIABETES, HYPERTENSION
from api.simulate.scenarios.infectious import DENGUE, GASTROENTERITIS
from api.simulate.scenarios.respiratory import COPD, PNEUMONIA
from api.simulate.scenarios.surgical import APPENDICITIS, FRACTURE

SCENARIOS: Final[tuple[Scenario, ...]] = (
    PNEUMONIA,
    COPD,
    DENGUE,
    GASTROENTERITIS,
    APPENDICITIS,
    FRACTURE,
    DIABETES,
    HYPERTENSION,
    STROKE,
    CHILDBIRTH,
)
"""Their order is part of what a seed means: add new ones at the end."""
