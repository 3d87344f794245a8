# ruff: noqa: E501 - a table of texts, one entry a line
"""Type 2 diabetes out of control, and a hypertensive crisis."""

from typing import Final

from api.simulate.scenario import Phase, Scenario, courses, drug, icd, image, lab

DIABETES: Final = Scenario(
    key="diabetes",
    weight=12,
    department="internal",
    record_type="01",
    youngest=40,
    oldest=78,
    shortest=3,
    longest=5,
    admitted_with=icd("E11.9", "Đái tháo đường type 2 không có biến chứng"),
    discharged_with=icd("E11.6", "Đái tháo đường type 2 có biến chứng xác định khác"),
    comorbidities=(
        icd("E78.2", "Tăng lipid máu hỗn hợp"),
        icd("I10", "Tăng huyết áp vô căn (nguyên phát)"),
    ),
    complaint=("Khát nhiều, tiểu nhiều, gầy sút cân", "Mệt mỏi, đường máu cao khó kiểm soát"),
    history=(
        "Đái tháo đường type 2 phát hiện 5 năm, uống metformin không đều. {days_before} ngày nay khát, uống 4 lít nước/ngày, tiểu nhiều, sút 3 kg. Đo đường máu tại nhà trên 20 mmol/L.",
        "{days_before} ngày nay mệt, nhìn mờ, tê bì hai bàn chân, tự bỏ thuốc 2 tháng để dùng thuốc nam. Khám sức khỏe phát hiện đường máu cao.",
    ),
    past=("Đái tháo đường type 2, rối loạn mỡ máu.", "Tăng huyết áp, gia đình có mẹ đái tháo đường."),
    examination="Tỉnh, da khô, BMI 25,4 kg/m². Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Tim phổi bình thường. Bụng mềm. Giảm cảm giác rung hai bàn chân, mạch mu chân rõ, không loét.",
    course=courses(
        TEMP="36.8 36.7 36.6", HR="92 84 78", RR="20 18 18", SYS="146 138 128", DIA="88 84 78",
        SPO2="97 98 98", GLU="22.4 13.2 8.1", HBA1C="11.4 11.2 11.0", URE="8.2 6.8 5.6",
        CRE="98 90 84", NA="132 135 138", K="4.6 4.3 4.2", CHO="6.80 6.60 6.20",
        TRI="4.20 3.40 2.60", LDL="4.30 4.10 3.80", HDL="0.92 0.94 0.98", UGLU="28.0 12.0 2.0",
        UPRO="0.30 0.20 0.12", WBC="8.6 7.8 7.2", PH="7.36 7.38 7.40", PCO2="37 38 39",
        PO2="88 90 92", HCO3="21.0 22.8 24.0", LAC="1.9 1.4 1.0",
    ),
    labs=(
        lab("CBC", 0), lab("CHEM", 0, 3), lab("ION", 0, 2), lab("A1C", 0, preliminary=True),
        lab("LIPID", 1), lab("URINE", 0, 3), lab("GAS", 0), lab("GLU", 1, 2, -1),
    ),
    imaging=(
        image(
            "ECG", 0, indication="Đái tháo đường, kiểm tra tim",
            findings="Nhịp xoang {hr} lần/phút, trục trung gian, không biến đổi ST-T.",
            impression="Điện tâm đồ trong giới hạn bình thường.",
        ),
        image(
            "ECHO", 2, indication="Tăng huyết áp, đái tháo đường",
            findings="Các buồng tim không giãn, vách liên thất 11 mm. EF 62 %. Rối loạn chức năng tâm trương thất trái độ I. Van hai lá hở nhẹ.",
            impression="Rối loạn chức năng tâm trương độ I, EF 62 %.",
        ),
    ),
    drugs=(
        drug("insulin-rapid", 0, days=2, how="Tiêm dưới da trước ba bữa ăn, chỉnh liều theo đường máu"),
        drug("insulin-mixed", 1, days=5, how="Tiêm dưới da trước ăn sáng và tối 30 phút"),
        drug("metformin", 1, days=5, how="Uống ngay sau ăn sáng và tối"),
        drug("empagliflozin", 3, days=3, how="Uống buổi sáng"),
        drug("atorvastatin", 1, days=5, how="Uống 20 giờ"),
        drug("perindopril", 0, days=6, how="Uống buổi sáng trước ăn"),
        drug("saline", 0, days=2, how="Truyền tĩnh mạch 40 giọt/phút"),
    ),
    nursing_order="Chăm sóc cấp II, thử đường máu mao mạch trước các bữa ăn và 21 giờ, chế độ ăn đái tháo đường 1600 kcal",
    phases=(
        Phase(
            subjective=("Khát, tiểu đêm 4 lần, mệt.", "Nhìn mờ, tê bàn chân, ăn được."),
            objective="Mạch {hr}, huyết áp {bp} mmHg, nhiệt độ {temp} °C. Da khô, phổi trong, không hơi thở ceton.",
            assessment="Tăng đường huyết nặng trên nền đái tháo đường type 2, chưa toan ceton.",
            plan=("Bù dịch, insulin theo đường máu mao mạch.", "Làm HbA1c, mỡ máu, đánh giá biến chứng."),
            nursing=("Thử đường máu mao mạch 4 lần, tiêm insulin đúng giờ. Hướng dẫn dấu hiệu hạ đường máu.", "Truyền dịch theo y lệnh, huyết áp {bp} mmHg."),
        ),
        Phase(
            subjective=("Đỡ khát, tiểu đêm 1 lần.", "Ăn theo chế độ, không vã mồ hôi, không đói cồn cào."),
            objective="Mạch {hr}, huyết áp {bp} mmHg. Bàn chân không loét, khám tim phổi bình thường.",
            assessment="Đường máu giảm dần, chỉnh liều insulin.",
            plan=("Chuyển insulin trộn hai mũi, phối hợp metformin.", "Tư vấn dinh dưỡng, khám mắt, khám bàn chân."),
            nursing=("Hướng dẫn kỹ thuật tự tiêm insulin, người bệnh làm lại đúng.", "Chăm sóc bàn chân, cắt móng, kiểm tra giày dép."),
        ),
        Phase(
            subjective=("Khỏe, hết khát, tự tiêm insulin được.", "Không có cơn hạ đường máu."),
            objective="Mạch {hr}, huyết áp {bp} mmHg. Khám ổn định.",
            assessment="Đường máu đạt mục tiêu tạm thời, xét ra viện.",
            plan=("Ra viện, duy trì insulin trộn và thuốc uống, tái khám 2 tuần.", "Cấp sổ theo dõi đái tháo đường."),
            nursing=("Người bệnh nhắc lại đúng cách bảo quản insulin.", "Bàn giao sổ theo dõi, thuốc, lịch tái khám."),
        ),
    ),
    outcome="Đường máu mao mạch 7-10 mmol/L, hết khát, hết tiểu nhiều sau {days} ngày.",
    advice=("Tiêm insulin đúng giờ, thử đường máu hằng ngày, chăm sóc bàn chân.", "Tái khám phòng khám nội tiết sau 2 tuần."),
)  # fmt: skip

HYPERTENSION: Final = Scenario(
    key="hypertension",
    weight=12,
    department="cardiology",
    record_type="01",
    youngest=42,
    oldest=84,
    shortest=3,
    longest=5,
    admitted_with=icd("I10", "Tăng huyết áp vô căn (nguyên phát)"),
    discharged_with=icd("I11.9", "Bệnh tim do tăng huyết áp, không suy tim"),
    comorbidities=(icd("E78.5", "Tăng lipid máu, không xác định"),),
    complaint=("Đau đầu, chóng mặt, huyết áp 200/110 mmHg", "Nhức đầu vùng gáy, hồi hộp, nóng bừng mặt"),
    history=(
        "Tăng huyết áp 10 năm, bỏ thuốc 1 tháng. {days_before} ngày nay đau đầu vùng gáy, chóng mặt, đo huyết áp tại nhà 200/110 mmHg, không yếu liệt, không đau ngực.",
        "{days_before} ngày nay chóng mặt, hồi hộp, mất ngủ. Trạm y tế đo huyết áp 210/115 mmHg, ngậm thuốc không rõ loại rồi chuyển viện.",
    ),
    past=("Tăng huyết áp, uống amlodipin không đều. Ăn mặn.", "Tăng huyết áp, gút, uống rượu thường xuyên."),
    examination="Tỉnh, Glasgow 15, không dấu thần kinh khu trú. Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Tim đều, mỏm tim đập khoang liên sườn V, tiếng T2 mạnh. Phổi không ran. Không phù.",
    course=courses(
        TEMP="36.7 36.7 36.6", HR="94 82 74", RR="20 18 18", SYS="204 158 134", DIA="112 92 82",
        SPO2="97 98 98", URE="7.6 7.0 6.4", CRE="102 98 94", TNT="16 12 9", CHO="6.30 6.20 6.00",
        LDL="4.10 4.00 3.80", TRI="2.40 2.20 2.00", K="3.4 3.7 4.0", UPRO="0.28 0.20 0.12",
        GLU="6.2 5.9 5.7",
    ),
    labs=(
        lab("CBC", 0), lab("CHEM", 0, -1), lab("ION", 0, 2), lab("TROP", 0, 1, preliminary=True),
        lab("LIPID", 1), lab("URINE", 0), lab("A1C", 1),
    ),
    imaging=(
        image(
            "ECG", 0, indication="Tăng huyết áp, hồi hộp",
            findings="Nhịp xoang {hr} lần/phút, trục trái, chỉ số Sokolow-Lyon 38 mm, ST chênh xuống 0,5 mm V5-V6.",
            impression="Tăng gánh thất trái.",
        ),
        image(
            "ECHO", 1, indication="Đánh giá tổn thương tim do tăng huyết áp",
            findings="Vách liên thất 13 mm, thành sau thất trái 12 mm, EF 60 %, không rối loạn vận động vùng.",
            impression="Phì đại đồng tâm thất trái, chức năng tâm thu bảo tồn.",
        ),
        image(
            "HEAD-CT", 0, indication="Đau đầu, chóng mặt, huyết áp rất cao",
            findings="Không thấy hình ảnh chảy máu nội sọ. Không thấy vùng giảm tỷ trọng bất thường. Đường giữa không di lệch.",
            impression="Hiện tại chưa thấy bất thường nội sọ.",
        ),
        image(
            "CXR", 0, indication="Tăng huyết áp",
            findings="Chỉ số tim ngực 0,54, quai động mạch chủ vồng. Hai phế trường sáng.",
            impression="Bóng tim to nhẹ.",
        ),
    ),
    drugs=(
        drug("nicardipine", 0, days=1, how="Bơm tiêm điện 5 mg/giờ, chỉnh liều giữ huyết áp giảm không quá 25 % giờ đầu"),
        drug("amlodipine", 0, days=5, how="Uống 8 giờ sáng"),
        drug("perindopril", 0, days=5, how="Uống 8 giờ sáng trước ăn"),
        drug("indapamide", 1, days=4, how="Uống 8 giờ sáng"),
        drug("atorvastatin", 0, days=5, how="Uống 20 giờ"),
        drug("aspirin", 2, days=3, how="Uống sau ăn trưa"),
    ),
    nursing_order="Chăm sóc cấp I 24 giờ đầu, đo huyết áp mỗi 30 phút đến khi dưới 160/100 mmHg, ăn nhạt",
    phases=(
        Phase(
            subjective=("Đau đầu vùng gáy, chóng mặt.", "Còn nặng đầu, không buồn nôn, không nhìn mờ."),
            objective="Huyết áp {bp} mmHg, mạch {hr}, SpO2 {spo2} %. Không liệt, không thất ngôn. Tim đều, phổi không ran.",
            assessment="Cơn tăng huyết áp, chưa có tổn thương cơ quan đích cấp.",
            plan=("Hạ áp tĩnh mạch thận trọng, khởi động thuốc uống.", "Theo dõi tri giác, đau ngực, lượng nước tiểu."),
            nursing=("Đo huyết áp mỗi 30 phút, hiện {bp} mmHg. Nằm nghỉ phòng yên tĩnh.", "Kiểm tra tốc độ bơm tiêm điện, không tác dụng phụ."),
        ),
        Phase(
            subjective=("Hết đau đầu, ngủ được.", "Đỡ chóng mặt, đi lại trong phòng."),
            objective="Huyết áp {bp} mmHg, mạch {hr}. Tim phổi ổn định.",
            assessment="Huyết áp giảm theo mục tiêu.",
            plan=("Ngừng thuốc tĩnh mạch, phối hợp ba thuốc uống.", "Siêu âm tim, mỡ máu, tư vấn ăn giảm muối."),
            nursing=("Huyết áp {bp} mmHg. Tư vấn ăn dưới 5 g muối mỗi ngày.", "Người bệnh uống thuốc đủ, không hoa mắt khi đứng dậy."),
        ),
        Phase(
            subjective=("Không đau đầu, sinh hoạt bình thường.", "Ngủ tốt, không hồi hộp."),
            objective="Huyết áp {bp} mmHg, mạch {hr}. Khám bình thường.",
            assessment="Tăng huyết áp đã kiểm soát, phì đại thất trái.",
            plan=("Ra viện, duy trì thuốc phối hợp, tái khám 1 tháng.", "Hướng dẫn tự đo huyết áp tại nhà."),
            nursing=("Hướng dẫn đo huyết áp tại nhà sáng và tối, ghi sổ.", "Bàn giao thuốc và lịch tái khám, huyết áp {bp} mmHg."),
        ),
    ),
    outcome="Huyết áp ổn định dưới 140/90 mmHg, hết đau đầu sau {days} ngày.",
    advice=("Uống thuốc huyết áp suốt đời, không tự bỏ thuốc, ăn nhạt.", "Tái khám sau 1 tháng; vào viện ngay khi đau ngực, yếu liệt, nói khó."),
)  # fmt: skip
