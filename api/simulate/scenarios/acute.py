# ruff: noqa: E501 - a table of texts, one entry a line
"""Stroke, and childbirth."""

from typing import Final

from api.simulate.scenario import (
    Phase,
    ProcedurePlan,
    Scenario,
    courses,
    drug,
    icd,
    image,
    lab,
)

STROKE: Final = Scenario(
    key="stroke",
    weight=9,
    department="neurology",
    record_type="01",
    youngest=50,
    oldest=90,
    shortest=4,
    longest=7,
    admitted_with=icd("I64", "Đột quỵ, không xác định do chảy máu hay nhồi máu"),
    discharged_with=icd("I63.9", "Nhồi máu não, không xác định"),
    comorbidities=(
        icd("I10", "Tăng huyết áp vô căn (nguyên phát)"),
        icd("G81.9", "Liệt nửa người, không xác định"),
    ),
    complaint=("Yếu nửa người phải, nói khó đột ngột", "Méo miệng, yếu tay chân trái giờ thứ 9"),
    history=(
        "Khoảng {hours_before} giờ trước vào viện, sau ngủ dậy thấy yếu nửa người, nói ngọng, miệng méo, không đau đầu, không nôn. Gia đình đưa vào viện cấp cứu.",
        "Đang ăn cơm đột ngột rơi bát, yếu tay chân một bên, nói khó, cách vào viện {hours_before} giờ. Không co giật.",
    ),
    past=("Tăng huyết áp điều trị không đều, hút thuốc lá.", "Rung nhĩ chưa dùng thuốc chống đông."),
    examination="Glasgow 14, NIHSS 8. Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Liệt nửa người cơ lực 3/5, liệt VII trung ương, nói khó. Đồng tử hai bên 2,5 mm, phản xạ ánh sáng tốt. Nghiệm pháp nuốt nước: sặc.",
    course=courses(
        TEMP="37.0 37.2 36.8", HR="88 82 76", RR="20 19 18", SYS="172 154 138", DIA="96 88 82",
        SPO2="95 96 97", GLU="7.8 6.8 6.1", CHO="6.10 6.00 5.80", LDL="4.00 3.90 3.60",
        TRI="2.10 2.00 1.80", TNT="18 14 10", INR="1.05 1.06 1.04", CRP="7.4 9.2 4.8",
        PCT="0.05 0.08 0.04",
    ),
    labs=(
        lab("CBC", 0, 3), lab("CHEM", 0, -1), lab("ION", 0, 3), lab("COAG", 0),
        lab("TROP", 0, preliminary=True), lab("LIPID", 1), lab("INFL", 3), lab("A1C", 1),
    ),
    imaging=(
        image(
            "HEAD-CT", 0, indication="Yếu nửa người, nói khó, nghi đột quỵ não",
            findings="Không thấy chảy máu nội sọ. Giảm tỷ trọng nhẹ vùng bao trong và vành tia, mờ ranh giới chất xám - trắng. Hệ thống não thất cân đối. ASPECTS 8.",
            impression="Theo dõi nhồi máu não cấp vùng động mạch não giữa.",
        ),
        image(
            "HEAD-CTA", 0, indication="Tìm tắc mạch lớn",
            findings="Hẹp 40 % đoạn M2 động mạch não giữa. Không tắc mạch lớn, không phình mạch.",
            impression="Hẹp trung bình đoạn M2, không có chỉ định can thiệp lấy huyết khối.",
        ),
        image(
            "ECHO", 2, indication="Tìm nguồn huyết khối từ tim",
            findings="Buồng nhĩ trái 38 mm, không huyết khối, EF 58 %, van hai lá mở tốt.",
            impression="Không thấy huyết khối trong buồng tim.",
        ),
    ),
    drugs=(
        drug("aspirin", 0, days=7, how="Uống qua ống thông dạ dày đến khi nuốt an toàn, sau ăn"),
        drug("clopidogrel", 0, days=7, how="Uống một lần mỗi ngày, phối hợp 21 ngày"),
        drug("atorvastatin", 0, days=7, how="Uống 20 giờ"),
        drug("perindopril", 2, days=5, how="Uống 8 giờ sáng khi huyết áp trên 140/90 mmHg"),
        drug("citicoline", 0, days=5, how="Tiêm tĩnh mạch chậm"),
        drug("enoxaparin", 1, days=5, how="Tiêm dưới da dự phòng huyết khối"),
    ),
    nursing_order="Chăm sóc cấp I, đánh giá nuốt, xoay trở mỗi 2 giờ, theo dõi tri giác và NIHSS mỗi 4 giờ",
    phases=(
        Phase(
            subjective=("Yếu nửa người, nói khó, tỉnh.", "Người nhà báo bệnh nhân ngủ nhiều, nuốt sặc."),
            objective="Glasgow 14, NIHSS 8. Huyết áp {bp} mmHg, mạch {hr}, SpO2 {spo2} %. Cơ lực nửa người 3/5.",
            assessment="Nhồi máu não cấp ngày {day}, ngoài cửa sổ tiêu huyết khối.",
            plan=("Kháng kết tập tiểu cầu kép, statin, theo dõi huyết áp cho phép.", "Đặt ống thông dạ dày, phục hồi chức năng sớm."),
            nursing=("Xoay trở 2 giờ/lần, đệm chống loét, nằm đầu cao 30 độ. Huyết áp {bp} mmHg.", "Ăn qua ống thông 6 bữa, không sặc. Thực hiện thuốc đủ."),
        ),
        Phase(
            subjective=("Nói rõ hơn, nâng được tay.", "Tỉnh táo, hợp tác tập."),
            objective="Glasgow 15, NIHSS 6. Huyết áp {bp} mmHg, mạch {hr}. Cơ lực 4-/5.",
            assessment="Cải thiện dần, không biến chứng hô hấp.",
            plan=("Tập vận động, tập nuốt, khởi động thuốc hạ áp.", "Dự phòng viêm phổi, huyết khối tĩnh mạch sâu."),
            nursing=("Phối hợp kỹ thuật viên tập ngồi cạnh giường 15 phút.", "Nghiệm pháp nuốt đạt với thức ăn sệt, rút ống thông."),
        ),
        Phase(
            subjective=("Ngồi vững, đi được có người dìu.", "Nói rõ, ăn cháo đặc không sặc."),
            objective="Glasgow 15, NIHSS 4. Huyết áp {bp} mmHg, mạch {hr}, SpO2 {spo2} %. Cơ lực 4/5.",
            assessment="Nhồi máu não giai đoạn bán cấp, ổn định.",
            plan=("Ra viện, tiếp tục phục hồi chức năng, kháng kết tập tiểu cầu.", "Tư vấn gia đình phòng ngã, nhận biết đột quỵ tái phát."),
            nursing=("Hướng dẫn gia đình cách dìu, tập tại nhà, phòng loét.", "Người bệnh tự xúc ăn bằng tay lành, huyết áp {bp} mmHg."),
        ),
    ),
    outcome="NIHSS giảm từ 8 còn 4, nuốt an toàn, huyết áp ổn định sau {days} ngày.",
    advice=("Uống thuốc kháng kết tập tiểu cầu, statin, hạ áp hằng ngày.", "Tập phục hồi chức năng mỗi ngày, tái khám sau 1 tháng."),
)  # fmt: skip

CHILDBIRTH: Final = Scenario(
    key="childbirth",
    weight=14,
    department="obstetrics",
    record_type="05",
    youngest=20,
    oldest=38,
    shortest=2,
    longest=4,
    sex="female",
    admitted_with=icd("O80.9", "Đẻ thường một thai, không xác định"),
    discharged_with=icd("O80.0", "Đẻ thường ngôi chỏm"),
    complaint=("Thai 39 tuần, đau bụng từng cơn, ra nhầy hồng", "Thai 40 tuần, ra nước âm đạo, đau bụng"),
    history=(
        "Thai lần 2, 39 tuần 3 ngày theo siêu âm 3 tháng đầu. Đau bụng từng cơn {hours_before} giờ nay, ra nhầy hồng âm đạo, thai máy tốt. Khám thai đủ, đã tiêm uốn ván.",
        "Thai lần 1, 40 tuần. Cách vào viện {hours_before} giờ ra nước ối trong, sau đó đau bụng cơn 3 phút một lần. Quản lý thai tại trạm y tế và bệnh viện.",
    ),
    past=("PARA 1001, đẻ thường năm 2022, con nặng 3100 g.", "PARA 0000. Không bệnh nội khoa, không dị ứng."),
    examination="Tỉnh, da niêm mạc hồng, không phù. Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Chiều cao tử cung 33 cm, vòng bụng 96 cm, ngôi chỏm, tim thai 144 lần/phút, cơn co 3 cơn/10 phút. Cổ tử cung mở 4 cm, ối dẹt.",
    course=courses(
        TEMP="36.9 37.2 36.7", HR="92 88 78", RR="20 19 18", SYS="118 114 112", DIA="74 72 70",
        SPO2="98 98 99", WBC="11.8 14.2 9.8", NEU="76.0 80.0 70.0", LYM="17.0 14.0 22.0",
        HGB="118 109 112", HCT="35.4 32.8 33.6", FIB="4.20 4.00 3.80", RBC="3.95 3.70 3.80",
    ),
    labs=(
        lab("CBC", 0, 1, -1), lab("COAG", 0), lab("CHEM", 0), lab("VIRUS", 0),
        lab("URINE", 0, preliminary=True), lab("ION", 0), lab("GLU", 1),
    ),
    imaging=(
        image(
            "OB-US", 0, indication="Thai đủ tháng chuyển dạ",
            findings="Một thai sống, ngôi đầu, tim thai 146 lần/phút. BPD 93 mm, FL 73 mm, ước cân 3200 g. Rau bám thân sau độ III, chỉ số ối 11 cm.",
            impression="Một thai sống khoảng 39 tuần, ngôi đầu, ước cân 3200 g.",
        ),
        image(
            "ABD-US", 2, indication="Kiểm tra buồng tử cung sau đẻ",
            findings="Tử cung co hồi tốt, buồng tử cung ít dịch 6 mm, không thấy sót rau.",
            impression="Tử cung sau đẻ co hồi tốt.",
        ),
    ),
    drugs=(
        drug("oxytocin", 0, days=1, how="Tiêm bắp ngay sau sổ vai, xử trí tích cực giai đoạn 3"),
        drug("amox-clav", 0, days=3, how="Uống sau ăn sáng và tối"),
        drug("paracetamol", 0, days=2, how="Uống khi đau tầng sinh môn"),
        drug("iron-folate", 1, days=2, how="Uống xa bữa ăn"),
    ),
    procedures=(
        ProcedurePlan(
            day=0,
            name="Đỡ đẻ ngôi chỏm, cắt khâu tầng sinh môn",
            reason="Chuyển dạ giai đoạn hoạt động, thai đủ tháng",
            report=(
                ("Diễn biến cuộc đẻ", "Cổ tử cung mở hết, ối trong, rặn đẻ 25 phút. Sổ một bé khóc ngay, Apgar 1 phút 8 điểm, 5 phút 9 điểm, cân nặng 3200 g, da kề da ngay sau sinh."),
                ("Giai đoạn 3", "Xử trí tích cực, rau sổ tự nhiên sau 8 phút, bánh rau đủ màng đủ. Máu mất khoảng 200 ml, tử cung co tốt."),
                ("Tầng sinh môn", "Cắt tầng sinh môn chéo trái, khâu ba lớp chỉ tiêu."),
            ),
        ),
    ),
    nursing_order="Chăm sóc cấp I 6 giờ đầu sau đẻ, theo dõi co hồi tử cung, sản dịch, huyết áp mỗi 30 phút",
    phases=(
        Phase(
            subjective=("Đau bụng cơn tăng dần, muốn rặn.", "Mệt sau đẻ, đau tầng sinh môn nhẹ."),
            objective="Mạch {hr}, huyết áp {bp} mmHg, nhiệt độ {temp} °C. Tử cung co tốt dưới rốn 1 cm, sản dịch đỏ vừa.",
            assessment="Sản phụ sau đẻ thường, ổn định.",
            plan=("Theo dõi chảy máu sau đẻ, cho bé bú sớm trong giờ đầu.", "Kháng sinh dự phòng, giảm đau, vận động nhẹ."),
            nursing=("Da kề da, bé bú mẹ trong giờ đầu. Sản dịch đỏ vừa, huyết áp {bp} mmHg.", "Kiểm tra tử cung co hồi tốt, thay băng vệ sinh, tiểu tự nhiên."),
        ),
        Phase(
            subjective=("Đỡ đau, cho con bú được.", "Ăn ngủ tốt, tiểu bình thường."),
            objective="Mạch {hr}, huyết áp {bp} mmHg, nhiệt độ {temp} °C. Tử cung dưới rốn 3 cm, vết khâu khô.",
            assessment="Hậu sản ngày {day}, thuận lợi.",
            plan=("Bổ sung sắt, vệ sinh tầng sinh môn, tư vấn nuôi con bằng sữa mẹ.", "Tắm bé, tiêm viêm gan B và vitamin K cho bé."),
            nursing=("Hướng dẫn tư thế bú đúng, massage vú. Vết khâu khô.", "Vệ sinh tầng sinh môn ngày 2 lần, sản dịch hồng."),
        ),
        Phase(
            subjective=("Khỏe, sữa về nhiều, đi lại tốt.", "Không sốt, sản dịch ít."),
            objective="Mạch {hr}, huyết áp {bp} mmHg, nhiệt độ {temp} °C. Vết khâu liền, hai vú không cương.",
            assessment="Hậu sản ổn định, mẹ con đủ điều kiện ra viện.",
            plan=("Ra viện, hẹn tái khám 6 tuần.", "Tư vấn kế hoạch hóa gia đình, tiêm chủng cho bé."),
            nursing=("Hướng dẫn chăm sóc rốn, vàng da sơ sinh, dấu hiệu nguy hiểm.", "Bàn giao giấy chứng sinh cho gia đình."),
        ),
    ),
    outcome="Mẹ và con khỏe, tử cung co hồi tốt, vết khâu khô, bé bú tốt sau {days} ngày.",
    advice=("Nuôi con hoàn toàn bằng sữa mẹ, uống viên sắt 1 tháng.", "Tái khám sau 6 tuần; vào viện ngay khi sốt, ra máu nhiều."),
)  # fmt: skip
