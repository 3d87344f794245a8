"""List the hospital pharmacy's drugs that the scenarios use, with ATC codes."""

from decimal import Decimal
from typing import Final

import msgspec

ATC_SYSTEM: Final = "http://www.whocc.no/atc"
_ROUTES: Final = {
    "uống": ("26643006", "Oral route"),
    "tiêm tĩnh mạch": ("47625008", "Intravenous route"),
    "truyền tĩnh mạch": ("47625008", "Intravenous route"),
    "tiêm dưới da": ("34206005", "Subcutaneous route"),
    "tiêm bắp": ("78421000", "Intramuscular route"),
    "khí dung": ("447694001", "Respiratory tract route"),
}


class Drug(msgspec.Struct, frozen=True, kw_only=True):
    """One product as it is prescribed here.

    Attributes:
        dose, unit: one dose as a number, and its UCUM or printed unit.
        times: doses a day.
    """

    key: str
    name: str
    atc: str
    route: str
    dose: Decimal
    unit: str
    times: int = 1

    @property
    def route_code(self) -> tuple[str, str]:
        """Return the SNOMED CT code and display of the route."""
        return _ROUTES[self.route]


def _drug(  # noqa: PLR0913, PLR0917 - one row of the table below
    key: str, name: str, atc: str, route: str, dose: str, unit: str, times: int = 1
) -> Drug:
    return Drug(
        key=key, name=name, atc=atc, route=route, dose=Decimal(dose), unit=unit, times=times
    )


_PO, _IV, _INFUSION, _SC = "uống", "tiêm tĩnh mạch", "truyền tĩnh mạch", "tiêm dưới da"
_IM, _NEB = "tiêm bắp", "khí dung"

_DRUGS: Final = (
    _drug("ceftriaxone", "Ceftriaxon 1 g (bột pha tiêm)", "J01DD04", _IV, "2", "g", 1),
    _drug("cefuroxime", "Cefuroxim 750 mg (bột pha tiêm)", "J01DC02", _IV, "750", "mg", 3),
    _drug("cefazolin", "Cefazolin 1 g (bột pha tiêm)", "J01DB04", _IV, "1", "g", 3),
    _drug("levofloxacin", "Levofloxacin 750 mg/150 ml", "J01MA12", _INFUSION, "750", "mg", 1),
    _drug("azithromycin", "Azithromycin 500 mg", "J01FA10", _PO, "500", "mg", 1),
    _drug("metronidazole", "Metronidazol 500 mg/100 ml", "J01XD01", _INFUSION, "500", "mg", 3),
    _drug("amox-clav", "Amoxicilin/acid clavulanic 875/125 mg", "J01CR02", _PO, "1000", "mg", 2),
    _drug("paracetamol", "Paracetamol 500 mg", "N02BE01", _PO, "500", "mg", 3),
    _drug("paracetamol-iv", "Paracetamol 1 g/100 ml", "N02BE01", _INFUSION, "1", "g", 3),
    _drug("paracetamol-child", "Paracetamol 150 mg (gói bột)", "N02BE01", _PO, "150", "mg", 4),
    _drug("acetylcysteine", "Acetylcystein 200 mg", "R05CB01", _PO, "200", "mg", 3),
    _drug("salbutamol", "Salbutamol 5 mg/2,5 ml", "R03AC02", _NEB, "5", "mg", 3),
    _drug("ipratropium", "Ipratropium/fenoterol 0,5/1 mg", "R03AL01", _NEB, "2", "mL", 3),
    _drug("budesonide", "Budesonid 0,5 mg/2 ml", "R03BA02", _NEB, "0.5", "mg", 2),
    _drug("methylprednisolone", "Methylprednisolon 40 mg", "H02AB04", _IV, "40", "mg", 1),
    _drug("ringer", "Ringer lactat 500 ml", "B05BB01", _INFUSION, "500", "mL", 2),
    _drug("saline", "Natri clorid 0,9 % 500 ml", "B05BB01", _INFUSION, "500", "mL", 2),
    _drug("oresol", "Oresol (gói pha 200 ml)", "A07CA", _PO, "200", "mL", 4),
    _drug("zinc", "Kẽm gluconat 70 mg (10 mg kẽm)", "A12CB02", _PO, "10", "mg", 2),
    _drug("racecadotril", "Racecadotril 10 mg (gói)", "A07XA04", _PO, "10", "mg", 3),
    _drug("probiotic", "Bacillus clausii 2 tỷ/5 ml", "A07FA", _PO, "5", "mL", 2),
    _drug("aspirin", "Acid acetylsalicylic 81 mg", "B01AC06", _PO, "81", "mg", 1),
    _drug("clopidogrel", "Clopidogrel 75 mg", "B01AC04", _PO, "75", "mg", 1),
    _drug("atorvastatin", "Atorvastatin 40 mg", "C10AA05", _PO, "40", "mg", 1),
    _drug("amlodipine", "Amlodipin 5 mg", "C08CA01", _PO, "5", "mg", 1),
    _drug("perindopril", "Perindopril arginin 5 mg", "C09AA04", _PO, "5", "mg", 1),
    _drug("indapamide", "Indapamid 1,5 mg", "C03BA11", _PO, "1.5", "mg", 1),
    _drug("nicardipine", "Nicardipin 10 mg/10 ml", "C08CA04", _INFUSION, "10", "mg", 1),
    _drug("metformin", "Metformin 850 mg", "A10BA02", _PO, "850", "mg", 2),
    _drug("insulin-mixed", "Insulin người trộn 30/70", "A10AD01", _SC, "14", "[IU]", 2),
    _drug("insulin-rapid", "Insulin người tác dụng nhanh", "A10AB01", _SC, "6", "[IU]", 3),
    _drug("gliclazide", "Gliclazid 60 mg MR", "A10BB09", _PO, "60", "mg", 1),
    _drug("empagliflozin", "Empagliflozin 10 mg", "A10BK03", _PO, "10", "mg", 1),
    _drug("enoxaparin", "Enoxaparin 40 mg/0,4 ml", "B01AB05", _SC, "40", "mg", 1),
    _drug("pantoprazole", "Pantoprazol 40 mg", "A02BC02", _IV, "40", "mg", 1),
    _drug("ketorolac", "Ketorolac 30 mg/ml", "M01AB15", _IM, "30", "mg", 2),
    _drug("celecoxib", "Celecoxib 200 mg", "M01AH01", _PO, "200", "mg", 1),
    _drug("calcium-d3", "Calci carbonat/vitamin D3 1250 mg/440 IU", "A12AX", _PO, "1", "{viên}", 1),
    _drug("oxytocin", "Oxytocin 5 IU/ml", "H01BB02", _IM, "10", "[IU]", 1),
    _drug("iron-folate", "Sắt fumarat/acid folic 200/1 mg", "B03AD02", _PO, "1", "{viên}", 1),
    _drug("citicoline", "Citicolin 500 mg/4 ml", "N06BX06", _IV, "500", "mg", 1),
    _drug("tetanus", "Huyết thanh kháng độc tố uốn ván 1500 IU", "J06AA02", _IM, "1500", "[IU]", 1),
)

DRUGS: Final = {drug.key: drug for drug in _DRUGS}
