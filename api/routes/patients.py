"""`/v1/patients`: find a patient, and read one across all of their records."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from api.auth import CLINICAL_READERS
from api.bodies import MAX_SMALL_BYTES, JsonResponse, decode_body, json_response, read_body
from api.parameters import MinPosition, StreamId
from api.schemas import PatientSearch
from api.services import Caller, Given
from projections.patient_queries import patient_page
from projections.search_queries import PatientQuery, search_patients

router = APIRouter()
_search: Final = msgspec.json.Decoder(PatientSearch)


async def _body(request: Request, principal: Caller) -> bytes:
    principal.require(CLINICAL_READERS)
    return await read_body(request, MAX_SMALL_BYTES)


@router.post("/v1/patients/search", response_model=None)
def find_patients(body: Annotated[bytes, Depends(_body)], services: Given) -> Response:
    """Find patients by any part of the name, birth date or identifier; best matches first.

    A POST, so that names are never in URLs, and so in no log.
    """
    search = decode_body(_search, body)
    query = PatientQuery(
        text=search.text,
        name=search.name,
        birth_date=search.birth_date,
        identifier=search.identifier,
    )
    with services.readers.views() as views:
        return json_response(search_patients(views, query, limit=search.limit, after=search.after))


@router.get("/v1/patients/{patient_id}", response_model=None)
def read_patient(
    patient_id: StreamId, services: Given, principal: Caller, min_position: MinPosition = None
) -> Response:
    """Read a patient: identity, allergies, and across all records diagnoses, orders, results."""
    principal.require(CLINICAL_READERS)
    with services.readers.views(min_position) as views:
        return JsonResponse(patient_page(views, patient_id))
