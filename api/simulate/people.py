"""Draw patients: who they are, where they live, and the numbers by which offices know them."""

import msgspec

from api.simulate.chance import Chance
from api.simulate.names import PersonName, Sex, draw_foreign_name, draw_name
from api.simulate.places import HomeAddress, draw_address

_ETHNIC_GROUPS = (
    ("Kinh", 86), ("Dao", 4), ("Tày", 4), ("Sán Dìu", 2), ("Sán Chay", 1), ("Hoa", 1),
    ("Nùng", 1), ("Mường", 1),
)  # fmt: skip
_MOBILE_PREFIXES = (
    "032",
    "034",
    "036",
    "038",
    "039",
    "070",
    "079",
    "086",
    "091",
    "094",
    "097",
    "098",
)
_ADULT, _RETIRED, _SCHOOL, _TODDLER = 18, 60, 6, 14
_PARTIAL_FROM = 70


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call: a relative with the word for the kinship, and a phone number."""

    name: PersonName
    kinship: str
    phone: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated patient.

    Attributes:
        patient_code: the hospital's own number of the person.
        birth_date: FHIR date, of which the month and day may be unknown in old people.
        citizen_id: twelve digits, or None for foreigners and whoever could not say.
        insurance_number: two letters and thirteen digits, or None.
        passport: number and ISO 3166 code of the issuing country, or None.
        temporary_code: the hospital's own number while no other is known, or None.
        nationality: ISO 3166 code of two letters.
    """

    patient_code: str
    name: PersonName
    sex: Sex
    birth_date: str
    age: int
    ethnicity: str | None
    nationality: str
    address: HomeAddress
    phone: str | None
    citizen_id: str | None
    insurance_number: str | None
    passport: str | None
    temporary_code: str | None
    contact: Contact

    def __repr__(self) -> str:
        """Name nobody: values end up in logs."""
        return "Person()"


class PersonFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What the illness decides about the person: sex or None, youngest and oldest age, and when."""

    sex: Sex | None
    youngest: int
    oldest: int
    year: int


def draw_person(chance: Chance, frame: PersonFrame) -> Person:
    """Return a patient who fits the illness."""
    sex: Sex = frame.sex or chance.one_of(("male", "female"))
    age = chance.near_middle(frame.youngest, frame.oldest)
    if age >= _ADULT and chance.happens(2):
        return _foreigner(chance, sex=sex, age=age, year=frame.year)
    ethnicity = chance.weighted(_ETHNIC_GROUPS)
    address = draw_address(chance)
    birth_year = frame.year - age
    unknown = age >= _ADULT and chance.happens(4)
    return Person(
        patient_code=f"22.{chance.digits(9)}",
        name=draw_name(chance, sex, ethnicity),
        sex=sex,
        birth_date=_birth_date(chance, birth_year, age),
        age=age,
        ethnicity=ethnicity,
        nationality="VN",
        address=address,
        phone=draw_phone(chance) if age >= _TODDLER else None,
        citizen_id=citizen_id(chance, address.province.code, sex=sex, birth_year=birth_year),
        insurance_number=_insurance(chance, age, ethnicity) if chance.happens(92) else None,
        passport=None,
        temporary_code=f"TAM-{frame.year}-{chance.digits(6)}" if unknown else None,
        contact=_contact(chance, sex, age, ethnicity),
    )


def citizen_id(chance: Chance, province: str, *, sex: Sex, birth_year: int) -> str:
    """Return a 12-digit citizen id: province, century and sex, year of birth, six digits.

    Decree 137/2015, article 13: the fourth digit is 0 and 1 for men and women born in the 20th
    century, 2 and 3 in the 21st. No check digit is published.
    """
    century_and_sex = (birth_year // 100 - 19) * 2 + (1 if sex == "female" else 0)
    return f"{province}{century_and_sex}{birth_year % 100:02d}{chance.digits(6)}"


def draw_phone(chance: Chance) -> str:
    """Return a mobile number of ten digits."""
    return chance.one_of(_MOBILE_PREFIXES) + chance.digits(7)


def _birth_date(chance: Chance, year: int, age: int) -> str:
    month, day = chance.between(1, 12), chance.between(1, 28)
    if age >= _PARTIAL_FROM and chance.happens(35):
        return f"{year}" if chance.happens(80) else f"{year}-{month:02d}"
    return f"{year}-{month:02d}-{day:02d}"


def _insurance(chance: Chance, age: int, ethnicity: str) -> str:
    """Return two letters for the group, one for the benefit, the place and the social number."""
    if age < _SCHOOL:
        letters = "TE"
    elif age < _ADULT:
        letters = "HS"
    elif age >= _RETIRED:
        letters = chance.one_of(("HT", "BT", "GD"))
    else:
        letters = "DT" if ethnicity != "Kinh" else chance.one_of(("DN", "HC", "GD"))
    benefit = "1" if letters in {"TE", "BT"} else chance.one_of(("2", "3", "4"))
    return f"{letters}{benefit}22{chance.digits(10)}"


def _contact(chance: Chance, patient: Sex, age: int, ethnicity: str) -> Contact:
    sex: Sex = chance.one_of(("male", "female"))
    if age < _ADULT:
        kinship = "Bố" if sex == "male" else "Mẹ"
    elif age < _RETIRED:
        sex = "female" if patient == "male" else "male"
        kinship = "Chồng" if sex == "male" else "Vợ"
    else:
        kinship = "Con trai" if sex == "male" else "Con gái"
    name = draw_name(chance, sex, ethnicity)
    return Contact(name=name, kinship=kinship, phone=draw_phone(chance))


def _foreigner(chance: Chance, *, sex: Sex, age: int, year: int) -> Person:
    name, country = draw_foreign_name(chance, sex)
    return Person(
        patient_code=f"22.{chance.digits(9)}",
        name=name,
        sex=sex,
        birth_date=_birth_date(chance, year - age, 0),
        age=age,
        ethnicity=None,
        nationality=country,
        address=draw_address(chance),
        phone=draw_phone(chance),
        citizen_id=None,
        insurance_number=None,
        passport=f"{chance.one_of('ACEKMP')}{chance.digits(8)}",
        temporary_code=None,
        contact=Contact(
            name=draw_name(chance, "female"), kinship="Hướng dẫn viên", phone=draw_phone(chance)
        ),
    )
