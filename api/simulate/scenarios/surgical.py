# ruff: noqa: E501 - a table of texts, one entry a line
"""Acute appendicitis, and a broken lower leg."""

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

APPENDICITIS: Final = Scenario(
    key="appendicitis",
    weight=11,
    department="surgery",
    record_type="10",
    youngest=14,
    oldest=64,
    shortest=3,
    longest=6,
    admitted_with=icd("K35.8", "Viêm ruột thừa cấp, không xác định"),
    discharged_with=icd("K35.8", "Viêm ruột thừa cấp đã phẫu thuật nội soi"),
    complaint=("Đau bụng hố chậu phải giờ thứ 14", "Đau quanh rốn lan hố chậu phải, sốt nhẹ"),
    history=(
        "Cách vào viện khoảng {hours_before} giờ đau âm ỉ quanh rốn, sau khu trú hố chậu phải, đau tăng dần, buồn nôn, sốt nhẹ 37,8 °C, không tiêu chảy.",
        "Đau bụng {hours_before} giờ, đau liên tục vùng hố chậu phải, chán ăn, nôn 1 lần, không rối loạn tiểu tiện.",
    ),
    past=("Khỏe mạnh, chưa phẫu thuật lần nào.", "Viêm dạ dày đã điều trị năm 2021."),
    examination="Tỉnh, vẻ mặt nhiễm trùng nhẹ. Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Bụng ấn đau hố chậu phải, điểm McBurney đau, phản ứng thành bụng hố chậu phải, dấu hiệu Blumberg dương tính. Thang điểm Alvarado 8.",
    course=courses(
        TEMP="38.0 37.4 36.7", HR="96 86 76", RR="20 19 18", SYS="124 120 118", DIA="78 74 72",
        SPO2="98 97 98", WBC="15.4 11.2 7.8", NEU="84.0 76.0 64.0", LYM="10.0 16.0 27.0",
        CRP="48.0 62.0 14.0", PCT="0.34 0.22 0.06", GLU="6.1 6.6 5.5",
    ),
    labs=(
        lab("CBC", 0, 1, -1), lab("CHEM", 0), lab("ION", 0, 1), lab("COAG", 0),
        lab("INFL", 0, 2, preliminary=True), lab("VIRUS", 0), lab("URINE", 0),
    ),
    imaging=(
        image(
            "ABD-US", 0, indication="Đau hố chậu phải, theo dõi viêm ruột thừa",
            findings="Ruột thừa đường kính 10 mm, ấn không xẹp, thâm nhiễm mỡ xung quanh, lớp dịch mỏng hố chậu phải. Các tạng khác bình thường.",
            impression="Hình ảnh viêm ruột thừa cấp.",
        ),
        image(
            "CXR", 0, indication="Kiểm tra trước phẫu thuật",
            findings="Hai phế trường sáng đều. Bóng tim không to. Không thấy liềm hơi dưới hoành.",
            impression="Hình ảnh tim phổi bình thường.",
        ),
    ),
    drugs=(
        drug("cefuroxime", 0, days=4, how="Liều đầu 30 phút trước rạch da, sau đó mỗi 8 giờ"),
        drug("metronidazole", 0, days=3, how="Truyền tĩnh mạch trong 30 phút mỗi 8 giờ"),
        drug("paracetamol-iv", 0, days=2, how="Truyền trong 15 phút, cách nhau 8 giờ"),
        drug("saline", 0, days=2, how="Truyền tĩnh mạch 50 giọt/phút"),
        drug("ketorolac", 1, days=1, how="Tiêm bắp khi đau nhiều, VAS trên 5"),
        drug("paracetamol", 2, days=2, how="Uống 8 giờ - 14 giờ - 20 giờ sau ăn"),
    ),
    procedures=(
        ProcedurePlan(
            day=0,
            name="Phẫu thuật nội soi cắt ruột thừa",
            reason="Viêm ruột thừa cấp, chỉ định mổ cấp cứu",
            report=(
                ("Phương pháp vô cảm", "Gây mê nội khí quản."),
                ("Tường trình phẫu thuật", "Đặt 3 trocar. Ruột thừa sau manh tràng, sung huyết, giả mạc, chưa vỡ; hố chậu phải ít dịch trong. Đốt cắt mạc treo, khâu buộc gốc ruột thừa bằng 2 nút Roeder, cắt ruột thừa cho vào túi bệnh phẩm. Lau sạch hố chậu phải, không đặt dẫn lưu. Đếm gạc đủ. Đóng các lỗ trocar."),
                ("Chẩn đoán sau phẫu thuật", "Viêm ruột thừa cấp sung huyết mủ. Gửi giải phẫu bệnh."),
            ),
        ),
    ),
    nursing_order="Chăm sóc cấp I 24 giờ đầu sau mổ, theo dõi mạch, huyết áp mỗi giờ, thay băng hằng ngày",
    phases=(
        Phase(
            subjective=("Đau vết mổ, VAS 5, chưa trung tiện.", "Đau hố chậu phải, buồn nôn, khát nước."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, SpO2 {spo2} %. Bụng mềm, vết mổ khô, không chảy máu.",
            assessment="Viêm ruột thừa cấp, hậu phẫu giờ đầu ổn định.",
            plan=("Giảm đau, kháng sinh, truyền dịch, theo dõi trung tiện.", "Vận động sớm sau 6 giờ, uống nước khi hết buồn nôn."),
            nursing=("Người bệnh tỉnh sau mổ, huyết áp {bp} mmHg, mạch {hr}. Vết mổ thấm dịch ít, đã thay băng.", "Đã bàn giao người bệnh và bảng kiểm an toàn phẫu thuật."),
        ),
        Phase(
            subjective=("Đã trung tiện, đau vết mổ VAS 3.", "Ngồi dậy được, ăn cháo loãng không nôn."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg. Bụng mềm, vết mổ khô.",
            assessment="Hậu phẫu diễn biến thuận lợi.",
            plan=("Cho ăn lỏng, chuyển thuốc giảm đau uống, ngừng dịch.", "Thay băng, khuyến khích đi lại."),
            nursing=("Thay băng vết mổ khô sạch. Người bệnh đi lại hành lang 2 vòng.", "Ăn cháo 3 bữa, không nôn. Nhiệt độ {temp} °C."),
        ),
        Phase(
            subjective=("Hết sốt, ăn cơm, đại tiện bình thường.", "Đau nhẹ vết mổ khi vận động."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg. Bụng mềm không chướng, vết mổ liền tốt.",
            assessment="Ổn định, đủ điều kiện ra viện.",
            plan=("Kiểm tra công thức máu, ra viện, cắt chỉ sau 7 ngày.", "Hẹn lấy kết quả giải phẫu bệnh."),
            nursing=("Tư vấn chăm sóc vết mổ tại nhà, không mang vác nặng 4 tuần.", "Vết mổ khô, không sưng đỏ. Người bệnh tự sinh hoạt."),
        ),
    ),
    outcome="Vết mổ khô, liền tốt, không sốt, ăn uống và đại tiện bình thường sau {days} ngày.",
    advice=("Cắt chỉ sau 7 ngày tại trạm y tế, không mang vác nặng 4 tuần.", "Khám lại ngay khi sốt, đau bụng tăng, vết mổ chảy dịch."),
)  # fmt: skip

FRACTURE: Final = Scenario(
    key="tibia-fracture",
    weight=10,
    department="trauma",
    record_type="10",
    youngest=18,
    oldest=72,
    shortest=4,
    longest=6,
    admitted_with=icd("S82.2", "Gãy thân xương chày"),
    discharged_with=icd("S82.2", "Gãy kín 1/3 giữa thân xương chày đã kết hợp xương"),
    comorbidities=(icd("S81.8", "Vết thương hở phần khác của cẳng chân"),),
    complaint=("Đau, biến dạng cẳng chân sau tai nạn giao thông", "Đau cẳng chân, không đi lại được sau ngã"),
    history=(
        "Khoảng {hours_before} giờ trước vào viện ngã xe máy, đập cẳng chân xuống đường, sau tai nạn tỉnh, đau chói, biến dạng và mất cơ năng cẳng chân. Sơ cứu nẹp gỗ tại chỗ.",
        "Bị ngã giàn giáo cao khoảng 2 m cách vào viện {hours_before} giờ, đau cẳng chân, không đứng được, không ngất, không nôn.",
    ),
    past=("Khỏe mạnh, không bệnh nội khoa.", "Viêm gan B mạn không điều trị."),
    examination="Tỉnh, Glasgow 15. Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg, nhịp thở {rr}, SpO2 {spo2} %. Cẳng chân sưng nề, biến dạng gập góc 1/3 giữa, có điểm đau chói và lạo xạo xương. Mạch mu chân rõ, vận động cảm giác ngón chân bình thường. Không có dấu hiệu chèn ép khoang.",
    course=courses(
        TEMP="37.2 37.5 36.8", HR="94 84 76", RR="20 18 18", SYS="132 124 120", DIA="82 76 74",
        SPO2="97 98 98", WBC="12.6 10.2 7.9", NEU="80.0 74.0 64.0", LYM="14.0 18.0 27.0",
        HGB="128 116 119", HCT="38.0 34.5 35.6", RBC="4.30 3.90 4.00", CRP="12.0 64.0 18.0",
        PCT="0.06 0.14 0.05",
    ),
    labs=(
        lab("CBC", 0, 2, -1), lab("CHEM", 0), lab("ION", 0), lab("COAG", 0), lab("VIRUS", 0),
        lab("INFL", 3, preliminary=True),
    ),
    imaging=(
        image(
            "LIMB-XR", 0, indication="Chấn thương cẳng chân, biến dạng",
            findings="Gãy chéo vát 1/3 giữa thân xương chày, di lệch sang bên 1/2 thân xương, gập góc mở ra ngoài 15 độ. Xương mác nguyên vẹn.",
            impression="Gãy 1/3 giữa thân xương chày di lệch.",
        ),
        image(
            "CXR", 0, indication="Kiểm tra trước phẫu thuật",
            findings="Hai phế trường sáng đều, không tràn khí, tràn dịch. Khung sườn nguyên vẹn.",
            impression="Hình ảnh tim phổi bình thường.",
        ),
        image(
            "LIMB-XR-POST", 2, indication="Kiểm tra sau kết hợp xương",
            findings="Đinh nội tủy có chốt xương chày đúng vị trí, trục xương thẳng, ổ gãy tiếp xúc tốt.",
            impression="Kết hợp xương chày đạt yêu cầu.",
        ),
    ),
    drugs=(
        drug("tetanus", 0, days=1, how="Thử phản ứng trước, tiêm bắp một lần"),
        drug("paracetamol-iv", 0, days=3, how="Truyền trong 15 phút mỗi 8 giờ"),
        drug("cefazolin", 1, days=3, how="Liều đầu 30 phút trước rạch da, sau đó mỗi 8 giờ"),
        drug("ketorolac", 1, days=2, how="Tiêm bắp 8 giờ - 20 giờ"),
        drug("enoxaparin", 2, days=4, how="Tiêm dưới da bụng 20 giờ"),
        drug("celecoxib", 3, days=4, how="Uống sau ăn sáng"),
        drug("calcium-d3", 3, days=4, how="Uống sau ăn trưa"),
    ),
    procedures=(
        ProcedurePlan(
            day=1,
            name="Phẫu thuật kết hợp xương chày bằng đinh nội tủy có chốt",
            reason="Gãy 1/3 giữa thân xương chày di lệch",
            report=(
                ("Phương pháp vô cảm", "Tê tủy sống."),
                ("Tường trình phẫu thuật", "Rạch da 4 cm trên gân bánh chè, mở đường vào ống tủy, nắn chỉnh kín dưới màn tăng sáng, khoan ống tủy, đóng đinh 9 x 340 mm, bắt 2 vít chốt xa, 2 vít chốt gần. Kiểm tra trục chi tốt, mạch mu chân rõ. Khâu da."),
                ("Chẩn đoán sau phẫu thuật", "Gãy kín 1/3 giữa thân xương chày. Mất máu 100 ml."),
            ),
        ),
    ),
    nursing_order="Chăm sóc cấp II, gác cao chân, theo dõi mạch mu chân, cảm giác ngón chân, dấu hiệu chèn ép khoang mỗi 4 giờ",
    phases=(
        Phase(
            subjective=("Đau cẳng chân, VAS 6, không tê bì.", "Đau nhiều khi thay đổi tư thế, ngủ kém."),
            objective="Mạch {hr}, huyết áp {bp} mmHg, nhiệt độ {temp} °C. Cẳng chân nẹp bột, ngón chân hồng ấm, mạch mu chân rõ.",
            assessment="Gãy thân xương chày ngày {day}, chuẩn bị phẫu thuật.",
            plan=("Bất động, giảm đau, hoàn thiện hồ sơ phẫu thuật.", "Theo dõi hội chứng khoang, giải thích người bệnh và gia đình."),
            nursing=("Gác cao chân, chườm lạnh. Ngón chân hồng ấm, cử động được. Thực hiện thuốc giảm đau.", "Vệ sinh vùng mổ, nhịn ăn trước mổ 6 giờ, đã ký cam kết."),
        ),
        Phase(
            subjective=("Đau vết mổ VAS 4, không sốt.", "Đỡ đau, cử động ngón chân tốt."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg. Vết mổ khô, cẳng chân nề nhẹ, mạch mu chân rõ.",
            assessment="Sau kết hợp xương chày, diễn biến tốt.",
            plan=("Kháng sinh, dự phòng huyết khối, tập gấp duỗi cổ chân.", "Chụp kiểm tra, thay băng cách ngày."),
            nursing=("Thay băng vết mổ khô. Hướng dẫn tập gồng cơ đùi, gấp duỗi cổ chân 10 lần mỗi giờ.", "Người bệnh ngồi dậy tại giường, huyết áp {bp} mmHg."),
        ),
        Phase(
            subjective=("Đi nạng không chống chân đau, đau ít.", "Ngủ tốt, ăn ngon, không tê chân."),
            objective="Nhiệt độ {temp} °C, mạch {hr}, huyết áp {bp} mmHg. Vết mổ khô, cổ chân vận động 0-30 độ.",
            assessment="Ổn định, xét ra viện, tập phục hồi chức năng.",
            plan=("Ra viện, tập đi nạng, tái khám 1 tháng.", "Cắt chỉ sau 12 ngày, uống canxi."),
            nursing=("Người bệnh tự đi nạng an toàn 20 m. Hướng dẫn chế độ ăn giàu canxi.", "Vết mổ khô. Bàn giao giấy tờ, thuốc."),
        ),
    ),
    outcome="Vết mổ khô, trục chi thẳng, vận động cổ chân khá, đi nạng tốt sau {days} ngày.",
    advice=("Đi nạng không chống chân 6 tuần, tập vận động gối và cổ chân hằng ngày.", "Tái khám chụp X-quang sau 1 tháng, cắt chỉ sau 12 ngày."),
)  # fmt: skip
