# ruff: noqa: E501 - a table of texts, one entry a line
"""Dengue fever, and acute gastroenteritis of small children."""

from typing import Final

from api.simulate.scenario import Phase, Scenario, courses, drug, icd, image, lab

DENGUE: Final = Scenario(
    key="dengue",
    weight=14,
    department="infectious",
    record_type="03",
    youngest=16,
    oldest=62,
    shortest=4,
    longest=6,
    admitted_with=icd("A97.1", "Sốt xuất huyết Dengue có dấu hiệu cảnh báo"),
    discharged_with=icd("A97.1", "Sốt xuất huyết Dengue có dấu hiệu cảnh báo, giai đoạn hồi phục"),
    complaint=("Sốt cao ngày thứ 3, đau đầu, đau mỏi người", "Sốt, chảy máu chân răng, đau bụng"),
    history=(
        "Sốt cao đột ngột 39-40 °C {days_before} ngày nay, đau đầu, đau hốc mắt, đau mỏi cơ khớp, buồn nôn. Hàng xóm có người mắc sốt xuất huyết. Hôm nay chảy máu chân răng khi đánh răng.",
        "{days_before} ngày nay sốt liên tục, dùng hạ sốt đỡ ít, xuất hiện chấm đỏ ở cẳng tay, đau tức vùng gan, nôn 2 lần.",
    ),
    past=("Khỏe mạnh. Chưa từng mắc sốt xuất huyết.", "Mắc sốt xuất huyết Dengue năm 2022."),
    examination="Tỉnh, da sung huyết, chấm xuất huyết rải rác hai cẳng tay. Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Gan dưới bờ sườn 1 cm, ấn tức. Không tràn dịch các màng. Chi ấm, làm đầy mao mạch dưới 2 giây.",
    course=courses(
        TEMP="39.2 37.9 36.7", HR="102 94 76", RR="20 20 18", SYS="112 106 116", DIA="72 76 72",
        SPO2="97 97 98", WBC="3.4 2.6 5.4", NEU="58.0 42.0 48.0", LYM="31.0 45.0 40.0",
        HGB="145 152 138", HCT="43.0 48.5 41.0", PLT="112 34 98", AST="96 188 84", ALT="72 142 90",
        CRP="8.6 6.2 3.1", PCT="0.12 0.10 0.05", FIB="2.40 2.10 2.60",
    ),
    labs=(
        lab("CBC", 0, 1, 2, 3, 4, -1),
        lab("CHEM", 0, 2, -1),
        lab("COAG", 0, 2, preliminary=True),
        lab("DENGUE", 0, positive="NS1"),
        lab("ION", 0),
        lab("INFL", 0),
    ),
    imaging=(
        image(
            "ABD-US", 1, indication="Theo dõi tràn dịch, dày thành túi mật",
            findings="Gan to nhẹ, nhu mô đều. Thành túi mật dày 4,5 mm. Lớp dịch mỏng khoang Morison 5 mm. Lách, thận hai bên bình thường.",
            impression="Gan to nhẹ, dày thành túi mật, ít dịch ổ bụng.",
        ),
        image(
            "PLEURA-US", 3, indication="Tìm tràn dịch màng phổi",
            findings="Khoang màng phổi phải có lớp dịch mỏng 4 mm, bên trái không có dịch.",
            impression="Tràn dịch màng phổi phải lượng ít.",
        ),
    ),
    drugs=(
        drug("paracetamol", 0, days=3, how="Uống khi sốt trên 38,5 °C; không dùng aspirin, ibuprofen"),
        drug("oresol", 0, days=5, how="Pha 1 gói với 200 ml nước, uống từng ngụm trong ngày"),
        drug("ringer", 1, days=3, how="Truyền tĩnh mạch 6 ml/kg/giờ, chỉnh theo hematocrit"),
    ),
    nursing_order="Chăm sóc cấp II, theo dõi mạch, huyết áp mỗi 3 giờ, lượng nước tiểu, dấu hiệu xuất huyết",
    phases=(
        Phase(
            subjective=("Sốt cao, đau đầu, đau mỏi người, buồn nôn.", "Mệt nhiều, chảy máu chân răng ít, đau tức vùng gan."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg. Da sung huyết, chấm xuất huyết dưới da, gan 1 cm dưới bờ sườn.",
            assessment="Sốt xuất huyết Dengue có dấu hiệu cảnh báo, ngày điều trị {day}.",
            plan=("Bù dịch đường uống, hạ sốt, làm lại công thức máu hằng ngày.", "Theo dõi dấu hiệu cảnh báo, báo ngay khi mạch nhanh, tụt huyết áp."),
            nursing=("Lau mát, cho uống oresol 1500 ml trong ngày. Nhiệt độ {temp} °C. Nằm màn.", "Theo dõi huyết áp {bp} mmHg, mạch {hr}. Không thấy chảy máu mới."),
        ),
        Phase(
            subjective=("Hết sốt, đau tức vùng gan, tiểu được.", "Mệt, ăn ít, chấm xuất huyết tăng ở cẳng chân."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, chi ấm. Chấm xuất huyết rải rác, không chảy máu niêm mạc mới.",
            assessment="Giai đoạn nguy hiểm: cô đặc máu, tiểu cầu giảm; chưa sốc.",
            plan=("Truyền Ringer lactat theo phác đồ, kiểm tra hematocrit mỗi 6 giờ.", "Theo dõi sát huyết áp kẹp, lượng nước tiểu, tràn dịch."),
            nursing=("Truyền dịch đúng tốc độ, huyết áp {bp} mmHg, mạch {hr}, nước tiểu 1 ml/kg/giờ.", "Hướng dẫn người bệnh nghỉ tại giường, đánh răng bằng bàn chải mềm."),
        ),
        Phase(
            subjective=("Hết sốt 48 giờ, ăn ngon, tiểu nhiều.", "Đỡ mệt, ngứa nhẹ lòng bàn tay, không chảy máu."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg. Ban hồi phục ở cẳng chân, bụng mềm.",
            assessment="Giai đoạn hồi phục, tiểu cầu tăng dần.",
            plan=("Ngừng dịch truyền, theo dõi quá tải dịch.", "Kiểm tra công thức máu, xét ra viện khi tiểu cầu trên 50 G/L."),
            nursing=("Người bệnh ăn uống tốt, tự đi lại. Hướng dẫn diệt lăng quăng tại nhà.", "Mạch {hr}, huyết áp {bp} mmHg, ổn định."),
        ),
    ),
    outcome="Hết sốt trên 48 giờ, tiểu cầu tăng, hematocrit về bình thường sau {days} ngày.",
    advice=("Nghỉ ngơi, uống nhiều nước, ngủ màn kể cả ban ngày.", "Tái khám ngay khi sốt lại, chảy máu hoặc đau bụng nhiều."),
)  # fmt: skip

GASTROENTERITIS: Final = Scenario(
    key="child-gastroenteritis",
    weight=13,
    department="paediatrics",
    record_type="02",
    youngest=1,
    oldest=6,
    shortest=2,
    longest=5,
    admitted_with=icd("A09.9", "Viêm dạ dày - ruột và đại tràng, nguồn gốc không xác định"),
    discharged_with=icd("A08.0", "Viêm ruột do Rotavirus"),
    comorbidities=(icd("E86", "Giảm thể tích (mất nước)"),),
    complaint=("Trẻ nôn, tiêu chảy phân lỏng nhiều lần", "Tiêu chảy 8 lần/ngày, sốt nhẹ, quấy khóc"),
    history=(
        "{days_before} ngày nay trẻ nôn 4-5 lần/ngày, đi ngoài phân lỏng nước vàng 8-10 lần, không nhầy máu, sốt 38 °C. Trẻ khát, tiểu ít, mẹ cho uống oresol nhưng nôn.",
        "Trẻ đi nhà trẻ, trong lớp có bạn tiêu chảy. {days_before} ngày nay nôn sau ăn, tiêu chảy phân nước, mắt trũng nhẹ.",
    ),
    past=("Đẻ thường, đủ tháng, tiêm chủng đầy đủ theo lịch.", "Chưa uống vắc xin rota. Không dị ứng."),
    examination="Trẻ tỉnh, kích thích, mắt trũng nhẹ, uống háo hức, nếp véo da mất chậm. Nhiệt độ {temp} °C, mạch {hr}, nhịp thở {rr}, SpO2 {spo2} %. Bụng mềm, chướng nhẹ, không phản ứng. Phân loại: có mất nước.",
    course=courses(
        TEMP="38.2 37.5 36.8", HR="138 120 106", RR="32 28 26", SYS="92 94 96", DIA="56 58 60",
        SPO2="97 98 98", WBC="11.6 9.8 8.4", NEU="60.0 50.0 42.0", LYM="30.0 40.0 47.0",
        HGB="118 116 116", HCT="38.5 36.5 35.8", RBC="4.60 4.50 4.45", NA="132 135 138",
        K="3.2 3.6 4.1", CL="99 101 103", CRP="9.8 6.0 2.1", PCT="0.18 0.09 0.04", CRE="38 34 32",
        GLU="4.1 4.8 5.2", URE="6.1 4.4 3.6",
    ),
    labs=(
        lab("CBC", 0, -1), lab("ION", 0, 1, -1), lab("CHEM", 0), lab("INFL", 0),
        lab("ROTA", 0, positive="ROTA"),
    ),
    imaging=(
        image(
            "ABD-US", 0, indication="Nôn, bụng chướng, loại trừ lồng ruột",
            findings="Các quai ruột non giãn nhẹ chứa nhiều dịch, tăng nhu động. Không thấy hình ảnh lồng ruột. Vài hạch mạc treo kích thước 6 mm.",
            impression="Hình ảnh viêm ruột, không lồng ruột.",
        ),
    ),
    drugs=(
        drug("oresol", 0, days=4, how="Cho uống 50-100 ml sau mỗi lần tiêu chảy, từng thìa nhỏ"),
        drug("zinc", 0, days=4, how="Pha nước uống xa bữa ăn 1 giờ, dùng đủ 14 ngày"),
        drug("racecadotril", 0, days=3, how="Pha nước uống trước ăn"),
        drug("probiotic", 0, days=4, how="Uống giữa hai bữa ăn"),
        drug("paracetamol-child", 0, days=2, how="Uống khi sốt trên 38,5 °C, 10-15 mg/kg/lần"),
        drug("ringer", 0, days=1, how="Truyền tĩnh mạch 75 ml/kg trong 4 giờ"),
    ),
    nursing_order="Chăm sóc cấp II, theo dõi dấu hiệu mất nước, số lần và tính chất phân, cân nặng hằng ngày",
    phases=(
        Phase(
            subjective=("Mẹ báo trẻ nôn 3 lần, đi ngoài 7 lần phân nước, khát.", "Trẻ quấy, bú kém, tiểu ít, còn nôn sau uống."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, nhịp thở {rr}. Mắt trũng nhẹ, môi khô, nếp véo da mất chậm.",
            assessment="Tiêu chảy cấp có mất nước, ngày điều trị {day}.",
            plan=("Bù dịch phác đồ B, kẽm, men vi sinh; đánh giá lại sau 4 giờ.", "Kiểm tra điện giải, tiếp tục cho ăn bú bình thường."),
            nursing=("Hướng dẫn mẹ cho uống oresol từng thìa, mỗi 2 phút. Trẻ uống 300 ml trong 4 giờ.", "Truyền dịch đúng tốc độ, trẻ đỡ kích thích, nhiệt độ {temp} °C."),
        ),
        Phase(
            subjective=("Trẻ đỡ nôn, đi ngoài 4 lần, chơi được.", "Trẻ uống oresol tốt, tiểu nhiều hơn."),
            objective="Nhiệt độ {temp} °C, mạch {hr}. Mắt hết trũng, môi ướt, nếp véo da mất nhanh.",
            assessment="Hết dấu hiệu mất nước, chuyển phác đồ A.",
            plan=("Ngừng dịch truyền, tiếp tục oresol, kẽm.", "Cho ăn cháo loãng nhiều bữa, theo dõi phân."),
            nursing=("Trẻ ăn 2/3 suất cháo, đi ngoài phân sệt 3 lần. Thay bỉm, vệ sinh hậu môn.", "Hướng dẫn gia đình rửa tay, xử lý phân."),
        ),
        Phase(
            subjective=("Trẻ chơi ngoan, đi ngoài 1-2 lần phân sệt.", "Trẻ ăn bú tốt, không nôn, không sốt."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, da niêm mạc hồng, bụng mềm.",
            assessment="Tiêu chảy cấp do Rotavirus ổn định.",
            plan=("Xét ra viện, dùng kẽm đủ 14 ngày.", "Tư vấn dinh dưỡng, dấu hiệu cần tái khám."),
            nursing=("Cân nặng tăng 200 g so với lúc vào. Bàn giao thuốc kẽm cho mẹ.", "Tư vấn uống vắc xin rota cho em nhỏ trong nhà."),
        ),
    ),
    outcome="Trẻ hết nôn, đi ngoài phân sệt, hết mất nước, ăn bú tốt sau {days} ngày.",
    advice=("Uống oresol sau mỗi lần đi ngoài lỏng, kẽm đủ 14 ngày.", "Đưa trẻ khám lại ngay khi nôn nhiều, phân máu, li bì, khát nhiều."),
)  # fmt: skip
