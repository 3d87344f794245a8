# ruff: noqa: E501 - a table of texts, one entry a line
"""Pneumonia, and chronic obstructive pulmonary disease that got worse."""

from typing import Final

from api.simulate.scenario import Phase, Scenario, courses, drug, icd, image, lab

PNEUMONIA: Final = Scenario(
    key="pneumonia",
    weight=16,
    department="internal",
    record_type="01",
    youngest=30,
    oldest=88,
    shortest=3,
    longest=6,
    admitted_with=icd("J18.9", "Viêm phổi, tác nhân không xác định"),
    discharged_with=icd("J15.9", "Viêm phổi do vi khuẩn, không xác định"),
    comorbidities=(
        icd("I10", "Tăng huyết áp vô căn (nguyên phát)"),
        icd("E11.9", "Đái tháo đường type 2 không có biến chứng"),
    ),
    complaint=("Sốt, ho khạc đờm vàng", "Sốt cao, đau ngực phải khi ho", "Ho, khó thở, sốt rét run"),
    history=(
        "Bệnh diễn biến {days_before} ngày nay với sốt 38,5-39,5 °C, ho khạc đờm đục, mệt nhiều, ăn uống kém. Tự dùng paracetamol ở nhà không đỡ, vào viện.",
        "Trước vào viện {days_before} ngày xuất hiện ho, khạc đờm vàng, đau tức ngực khi hít sâu, sốt nóng kèm gai rét. Khám tại trạm y tế xã, cho thuốc uống không rõ loại, bệnh nặng lên nên chuyển viện.",
    ),
    past=(
        "Tăng huyết áp 6 năm, điều trị thường xuyên. Không dị ứng thuốc được biết.",
        "Hút thuốc lá 20 bao-năm, đã bỏ 3 năm.",
        "Khỏe mạnh, chưa nằm viện lần nào.",
    ),
    examination="Bệnh nhân tỉnh, tiếp xúc tốt. Nhiệt độ {temp} °C, mạch {hr} lần/phút, huyết áp {bp} mmHg, nhịp thở {rr} lần/phút, SpO2 {spo2} % khí trời. Phổi: rì rào phế nang giảm đáy phổi phải, ran ẩm, ran nổ hai thì. Tim đều, không tiếng thổi. Bụng mềm, gan lách không to. CURB-65: 1-2 điểm.",
    course=courses(
        TEMP="39.0 37.8 36.8", HR="104 90 78", RR="25 21 18", SYS="128 124 122", DIA="76 76 74",
        SPO2="91 95 97", WBC="16.8 11.4 7.6", NEU="86.0 77.0 65.0", LYM="9.0 15.0 27.0",
        CRP="142.0 58.0 9.5", PCT="2.80 0.90 0.08", GLU="7.2 6.4 5.8", URE="7.9 6.2 5.1",
        LAC="1.8 1.4 1.1", PH="7.44 7.43 7.41", PCO2="33 36 38", PO2="64 78 88", HCO3="22.6 23.8 24.4",
    ),
    labs=(
        lab("CBC", 0, 2, -1),
        lab("CHEM", 0, -1),
        lab("ION", 0),
        lab("INFL", 0, 2, preliminary=True),
        lab("GAS", 0),
        lab("AFB", 1),
        lab("FLU", 0),
    ),
    imaging=(
        image(
            "CXR", 0, indication="Sốt, ho, ran nổ đáy phổi phải",
            findings="Đám mờ không đồng nhất thùy dưới phổi phải, có hình ảnh phế quản hơi. Góc sườn hoành hai bên tù nhẹ bên phải. Bóng tim không to. Khung xương lồng ngực bình thường.",
            impression="Hình ảnh viêm phổi thùy dưới phổi phải.",
        ),
        image(
            "CXR", 4, indication="Đánh giá sau điều trị kháng sinh",
            findings="Đám mờ thùy dưới phổi phải thu nhỏ rõ so với phim trước. Góc sườn hoành hai bên nhọn.",
            impression="Tổn thương viêm thùy dưới phổi phải đang thoái triển.",
        ),
    ),
    drugs=(
        drug("ceftriaxone", 0, days=7, how="Pha 20 ml nước cất, tiêm tĩnh mạch chậm 9 giờ"),
        drug("azithromycin", 0, days=3, how="Uống sau ăn sáng"),
        drug("paracetamol", 0, days=3, how="Uống khi sốt trên 38,5 °C, cách nhau ít nhất 6 giờ"),
        drug("acetylcysteine", 0, days=6, how="Uống 8 giờ - 14 giờ - 20 giờ"),
        drug("saline", 0, days=2, how="Truyền tĩnh mạch 40 giọt/phút"),
    ),
    nursing_order="Chăm sóc cấp II, thở oxy kính 3 lít/phút, theo dõi mạch, nhiệt độ, SpO2 mỗi 6 giờ",
    phases=(
        Phase(
            subjective=("Còn sốt, ho nhiều, khạc đờm vàng, tức ngực phải.", "Mệt, ăn kém, ho tăng về đêm, khó thở khi gắng sức."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Phổi phải giảm thông khí đáy, ran nổ.",
            assessment="Viêm phổi mắc phải cộng đồng ngày thứ {day}, mức độ trung bình.",
            plan=("Tiếp tục kháng sinh phối hợp, thở oxy, hạ sốt.", "Theo dõi sát tri giác, nhịp thở; cấy đờm nếu còn sốt sau 72 giờ."),
            nursing=("Người bệnh sốt {temp} °C, đã chườm ấm và cho uống thuốc theo y lệnh. Hướng dẫn ho khạc đờm, uống nhiều nước.", "Thở oxy kính 3 lít/phút, nằm đầu cao 30 độ. SpO2 {spo2} %. Thực hiện thuốc đủ theo y lệnh."),
        ),
        Phase(
            subjective=("Đỡ sốt, ho giảm, đờm loãng hơn.", "Đỡ mệt, ăn được cháo, còn ho khạc đờm trắng."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, SpO2 {spo2} %. Ran nổ đáy phổi phải giảm.",
            assessment="Viêm phổi đáp ứng điều trị.",
            plan=("Tiếp tục kháng sinh, giảm oxy, ngừng khi SpO2 trên 94 % khí trời.", "Vận động sớm, vỗ rung lồng ngực."),
            nursing=("Người bệnh đỡ mệt, ăn hết suất cháo. SpO2 {spo2} %. Đã vỗ rung, hướng dẫn tập thở.", "Vệ sinh cá nhân tốt, ngủ được 5 giờ. Thực hiện y lệnh đầy đủ."),
        ),
        Phase(
            subjective=("Không sốt, ho ít, ngủ được.", "Hết đau ngực, đi lại tốt, ăn ngon miệng."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, SpO2 {spo2} % khí trời. Phổi thông khí đều, còn ít ran ẩm.",
            assessment="Viêm phổi ổn định, xét ra viện.",
            plan=("Kiểm tra lại công thức máu, X-quang trước ra viện.", "Chuyển kháng sinh uống, chuẩn bị ra viện."),
            nursing=("Người bệnh tự phục vụ, không sốt. Tư vấn dùng thuốc tại nhà.", "SpO2 {spo2} % khí trời. Hướng dẫn bỏ thuốc lá, tiêm phòng cúm và phế cầu."),
        ),
    ),
    outcome="Hết sốt {days} ngày điều trị, ho giảm nhiều, phổi thông khí tốt, xét nghiệm viêm giảm, X-quang cải thiện.",
    advice=("Uống tiếp kháng sinh đủ liều, tái khám sau 7 ngày.", "Không hút thuốc lá, giữ ấm, tiêm phòng cúm hằng năm."),
)  # fmt: skip

COPD: Final = Scenario(
    key="copd",
    weight=9,
    department="internal",
    record_type="01",
    youngest=55,
    oldest=86,
    shortest=4,
    longest=6,
    admitted_with=icd("J44.1", "Bệnh phổi tắc nghẽn mạn tính đợt cấp, không xác định"),
    discharged_with=icd("J44.0", "Bệnh phổi tắc nghẽn mạn tính với nhiễm trùng hô hấp dưới cấp"),
    comorbidities=(icd("I27.9", "Bệnh tim do phổi, không xác định"),),
    complaint=("Khó thở tăng, ho khạc đờm", "Khó thở liên tục, khò khè"),
    history=(
        "Bệnh phổi tắc nghẽn mạn tính 8 năm, dùng thuốc xịt không đều. {days_before} ngày nay khó thở tăng, ho khạc đờm đục, xịt salbutamol nhiều lần không đỡ.",
        "Khó thở thường xuyên khi đi bộ 100 m. {days_before} ngày nay khó thở cả khi nghỉ, đờm đổi sang màu vàng xanh, số lượng tăng.",
    ),
    past=("Hút thuốc lào, thuốc lá hơn 30 năm. Hai đợt cấp phải nhập viện năm trước.", "Lao phổi cũ đã điều trị khỏi."),
    examination="Tỉnh, khó thở, co kéo cơ hô hấp phụ. Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} % khí trời. Lồng ngực hình thùng, rì rào phế nang giảm hai bên, ran rít, ran ngáy rải rác. Không phù, tĩnh mạch cổ không nổi.",
    course=courses(
        TEMP="37.6 37.2 36.7", HR="112 96 84", RR="28 23 19", SYS="142 134 128", DIA="84 80 76",
        SPO2="86 91 93", WBC="13.2 11.8 8.9", NEU="82.0 78.0 68.0", LYM="11.0 14.0 24.0",
        HGB="162 158 155", HCT="50.5 49.0 48.0", CRP="46.0 22.0 6.0", PCT="0.42 0.20 0.06",
        PH="7.31 7.36 7.39", PCO2="58 50 46", PO2="55 64 70", HCO3="29.5 28.4 27.0", LAC="1.9 1.4 1.2",
    ),
    labs=(
        lab("CBC", 0, 3), lab("GAS", 0, 1, -1), lab("CHEM", 0), lab("ION", 0),
        lab("INFL", 0, 3, preliminary=True), lab("FLU", 0), lab("AFB", 1),
    ),
    imaging=(
        image(
            "CXR", 0, indication="Khó thở, ran rít ran ngáy",
            findings="Hai phế trường tăng sáng, khoang liên sườn giãn rộng, vòm hoành dẹt. Dày thành phế quản hai đáy. Không thấy tràn khí, tràn dịch màng phổi.",
            impression="Hình ảnh giãn phế nang, viêm phế quản mạn.",
        ),
        image(
            "ECG", 0, indication="Nhịp nhanh, theo dõi tâm phế mạn",
            findings="Nhịp nhanh xoang {hr} lần/phút, trục phải, P phế ở D2, không biến đổi ST-T.",
            impression="Nhịp nhanh xoang, dấu hiệu gợi ý dày nhĩ phải.",
        ),
        image(
            "CHEST-CT", 2, indication="Đánh giá nhu mô phổi",
            findings="Giãn phế nang trung tâm tiểu thùy hai thùy trên, dày thành phế quản, ít dịch nhầy lòng phế quản thùy dưới. Không u, không hạch trung thất.",
            impression="Khí phế thũng hai phổi, viêm phế quản.",
        ),
    ),
    drugs=(
        drug("ipratropium", 0, days=6, how="Khí dung 6 giờ - 14 giờ - 22 giờ"),
        drug("budesonide", 0, days=6, how="Khí dung 8 giờ - 20 giờ, súc miệng sau dùng"),
        drug("methylprednisolone", 0, days=5, how="Tiêm tĩnh mạch chậm 8 giờ sáng"),
        drug("levofloxacin", 0, days=6, how="Truyền tĩnh mạch trong 90 phút"),
        drug("pantoprazole", 0, days=5, how="Tiêm tĩnh mạch chậm trước ăn"),
    ),
    nursing_order="Chăm sóc cấp I, thở oxy kính 1-2 lít/phút giữ SpO2 88-92 %, theo dõi nhịp thở mỗi 4 giờ",
    phases=(
        Phase(
            subjective=("Khó thở khi nói câu dài, khạc đờm đục khó.", "Khó thở, không nằm được đầu thấp, ngủ kém."),
            objective="Nhịp thở {rr}, SpO2 {spo2} % với oxy 2 lít/phút, mạch {hr}, huyết áp {bp} mmHg. Phổi ran rít, ran ngáy hai bên.",
            assessment="Đợt cấp bệnh phổi tắc nghẽn mạn tính mức độ trung bình ngày {day}, nguyên nhân nhiễm khuẩn.",
            plan=("Khí dung giãn phế quản, corticoid, kháng sinh; làm lại khí máu sau 1 giờ.", "Cân nhắc thở máy không xâm nhập nếu pH dưới 7,30."),
            nursing=("Cho người bệnh nằm đầu cao, thở oxy kính 2 lít/phút, SpO2 {spo2} %. Khí dung đủ theo y lệnh.", "Người bệnh khó thở nhiều, đã báo bác sĩ, theo dõi nhịp thở {rr} lần/phút."),
        ),
        Phase(
            subjective=("Đỡ khó thở, nói được câu dài.", "Ho khạc được đờm, ngủ được 4-5 giờ."),
            objective="Nhịp thở {rr}, SpO2 {spo2} % với oxy 1 lít/phút, mạch {hr}. Phổi còn ít ran rít.",
            assessment="Đợt cấp đang cải thiện.",
            plan=("Giảm oxy, tập thở chúm môi, vận động tại giường.", "Tiếp tục kháng sinh, corticoid đủ 5 ngày."),
            nursing=("Hướng dẫn người bệnh thở chúm môi, ho có kiểm soát. SpO2 {spo2} %.", "Ăn hết suất, đi lại trong phòng. Hướng dẫn dùng bình xịt đúng kỹ thuật."),
        ),
        Phase(
            subjective=("Đi lại trong phòng không khó thở.", "Đờm trắng ít, ăn ngủ được."),
            objective="Nhịp thở {rr}, SpO2 {spo2} % khí trời, mạch {hr}, huyết áp {bp} mmHg. Phổi thông khí giảm, hết ran rít.",
            assessment="Ổn định, gần mức nền.",
            plan=("Kiểm tra khí máu, đánh giá kỹ thuật hít trước ra viện.", "Chuẩn bị ra viện, kê thuốc duy trì LABA/LAMA."),
            nursing=("Người bệnh thực hiện đúng kỹ thuật hít. Tư vấn bỏ thuốc lào.", "SpO2 {spo2} % khí trời. Bàn giao sổ theo dõi bệnh phổi tắc nghẽn mạn tính."),
        ),
    ),
    outcome="Đỡ khó thở, SpO2 khí trời ổn định, khí máu cải thiện sau {days} ngày điều trị.",
    advice=("Dùng thuốc hít hằng ngày đúng kỹ thuật, bỏ hẳn thuốc lá, thuốc lào.", "Tái khám phòng quản lý bệnh phổi mạn tính sau 1 tháng hoặc khi khó thở tăng."),
)  # fmt: skip
