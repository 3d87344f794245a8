"""JSON that two readers could understand differently is refused, with the place."""

import json
from pathlib import Path

import pytest

from ledger.errors import ContentRejectedError
from ledger.jsontext import MAX_DEPTH, check_json_text

GOOD = {
    "compact": b'{"a":[1,2.50,"x",true,null],"b":{}}',
    "indented": b'{\n  "a": [\n    1,\n    2.50\n  ]\n}\n',
    "digits kept": b'{"a":72.50,"b":1e3,"c":-0,"d":-0.0,"e":123456789012345678901234567890}',
    "Vietnamese": '{"a":"Nguyễn Thị Ánh"}'.encode(),
    "escaped Vietnamese": b'{"a":"Nguy\\u1ec5n"}',
    "surrogate pair": b'{"a":"\\ud83d\\ude00"}',
    "escaped backslash before u": b'{"a":"\\\\u0000"}',
    "same key in two objects": b'{"a":{"b":1},"c":{"b":1}}',
    "keys of different case": b'{"a":1,"A":2}',
    "digits beyond counting": b"[" + b"7" * 100_000 + b"]",
    "brackets in strings": b'["' + b"[{" * 500 + b'"]',
    "deepest": b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
    "deepest, indented": b"[ " * MAX_DEPTH + b"]" * MAX_DEPTH,
    "wide": b"[" + b",".join([b"[]"] * 1000) + b"]",
}

REFUSED = {
    "latin": (b'{"a":"\xe9"}', "content-not-utf8", ""),
    "surrogate as bytes": (b'"\xed\xa0\x80"', "content-not-utf8", ""),
    "overlong": (b'"\xc0\x80"', "content-not-utf8", ""),
    "utf-16": ('{"a":1}'.encode("utf-16-le"), "content-not-json", ""),
    "mark": (b'\xef\xbb\xbf{"a":1}', "content-bom", ""),
    "empty": (b"", "content-not-json", ""),
    "cut": (b'{"a":1', "content-not-json", ""),
    "two texts": (b"{}{}", "content-not-json", ""),
    "comma at the end": (b'{"a":1,}', "content-not-json", ""),
    "comment": (b'{"a":1}//x', "content-not-json", ""),
    "single quotes": (b"{'a':1}", "content-not-json", ""),
    "not a number": (b'{"a":NaN}', "content-not-json", ""),
    "infinity": (b'{"a":-Infinity}', "content-not-json", ""),
    "leading zero": (b'{"a":01}', "content-not-json", ""),
    "raw line break": (b'{"a":"x\ny"}', "content-not-json", ""),
    "raw NUL": (b'{"a":"\0"}', "content-not-json", ""),
    "unknown escape": (b'{"a":"\\x"}', "content-not-json", ""),
    "space of another kind": ('{"a":\u00a01}'.encode(), "content-not-json", ""),
    "duplicate": (b'{"a":1,"a":1}', "content-duplicate-key", "/a"),
    "duplicate inside": (b'{"a":[{"b":1},{"b":1,"c":2,"b":1}]}', "content-duplicate-key", "/a/1/b"),
    "duplicate by escape": (b'{"a":1,"\\u0061":2}', "content-duplicate-key", "/a"),
    "duplicate object": (b'{"a":{"b":1},"a":{"c":1}}', "content-duplicate-key", "/a"),
    "NUL": (b'{"a":["x","y\\u0000"]}', "content-nul", "/a/1"),
    "NUL in a key": (b'{"a":{"b\\u0000":1}}', "content-nul", "/a"),
    "high surrogate": (b'{"a":"\\ud800"}', "content-lone-surrogate", "/a"),
    "low surrogate": (b'{"a":"\\udc00x"}', "content-lone-surrogate", "/a"),
    "wrong order": (b'{"a":"\\udc00\\ud800"}', "content-lone-surrogate", "/a"),
    "not composed": ('{"a":{"b":"e\u0301"}}'.encode(), "content-not-nfc", "/a/b"),
    "not composed by escape": (b'{"a":"e\\u0301"}', "content-not-nfc", "/a"),
    "key not composed": ('{"a":{"e\u0301":1}}'.encode(), "content-not-nfc", "/a"),
    "too deep": (b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}", "content-too-deep", None),
    "far too deep": (b"[" * 500_000, "content-too-deep", ""),
    "far too deep, closed": (b"[" * 100_000 + b"]" * 100_000, "content-too-deep", ""),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_ordinary_json_is_accepted(data: bytes) -> None:
    check_json_text(data)


@pytest.mark.parametrize(("data", "code", "pointer"), REFUSED.values(), ids=REFUSED)
def test_ambiguous_or_broken_json_is_refused(data: bytes, code: str, pointer: str | None) -> None:
    with pytest.raises(ContentRejectedError) as caught:
        check_json_text(data)
    assert caught.value.code == code
    assert pointer is None or caught.value.pointer == pointer


@pytest.mark.parametrize("spaces", [b"", b" "], ids=["fast", "careful"])
def test_a_pointer_stops_before_a_name_that_may_be_content(spaces: bytes) -> None:
    data = '{"a":{"Nguyễn Văn A":{"b":1,"b":2}}}'.encode().replace(b":", b":" + spaces)
    with pytest.raises(ContentRejectedError) as caught:
        check_json_text(data)
    assert caught.value.pointer == "/a"
    assert "Nguy" not in str(caught.value)


def test_the_worst_megabyte_takes_no_more_than_seconds() -> None:
    """What is slow to judge is a way to stop the service; pytest's time-out is the measure."""
    for data in (
        b'{"a":' * 200_000,
        b'["' + b"e\\u0301" * 150_000 + b'"]',
        b"[" + b"{}," * 350_000,
    ):
        with pytest.raises(ContentRejectedError):
            check_json_text(data)


def test_what_is_written_by_this_projects_tools_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"tên": "Đỗ Thị Hạnh", "giá": 1.50}, ensure_ascii=False), "utf-8")
    check_json_text(path.read_bytes())
