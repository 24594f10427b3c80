"""Make the binary and the deliberately difficult files of examples/documents again.

Their outputs are kept in the repository: run this only to change one of them. The plain text files there (Markdown,
HTML, JSON, XML, RTF, notebook, Latin-1 notes) are written by hand and are not touched. Same library versions, same
bytes.

    pip install fpdf2 pyarrow python-docx python-pptx xlsxwriter
    python examples/make_examples.py [--folder examples/documents]
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import random
import struct
import zipfile
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import default as mail_policy
from pathlib import Path

import docx
import pptx
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from fpdf import FPDF
from fpdf.enums import AccessPermission, EncryptionMethod

WRITTEN_AT = datetime(2026, 10, 31, 12, 0, tzinfo=UTC)
PDF_PASSWORD = "station"

CALENDAR = {
    "January": [
        "Free the anemometer of rime by hand warmth.",
        "Measure what the battery still holds: ten hours at 1 A.",
    ],
    "February": ["Check the guy wires after each gale; 40 kg of tension on the spring balance."],
    "March": ["Wash the radiation shield with soft soap.", "Clean the solar panel and look for cracks in its glass."],
    "April": [
        "Calibrate the rain gauge with 500 ml.",
        "Compare the barometer with the travelling standard for 24 hours.",
    ],
    "May": ["Mow the grass to five centimetres, by hand within two metres of the mast."],
    "June": ["Look for wasps in the logger box before you put a hand into it."],
    "July": ["Check the fan of the shield at noon on a hot day: 80 mA, no rattle."],
    "August": ["Replace the desiccant bags: orange is dry, green is spent."],
    "September": ["Test the heated ring: 2.4 A at 12.6 V.", "Swap the filter cap of the hygrometer."],
    "October": ["Calibrate the rain gauge again.", "Grease or replace the bearings of the anemometer (part AN-020)."],
    "November": ["Put on the snow funnel.", "Walk the radio path and cut branches that have grown into it."],
    "December": ["Copy the whole memory of the logger to two places.", "Count the spare parts and write the order."],
}

SLIDES = [
    (
        "A first afternoon at the station",
        ["For new observers", "Two hours, bring a coat and a pencil"],
        "Begin outside.",
    ),
    (
        "What the station measures",
        ["Temperature and humidity at 2 m", "Wind at 10 m", "Rain at 1 m", "Pressure, in the box"],
        "Let everybody guess the wind speed first, then look at the display together.",
    ),
    (
        "Why ten minutes?",
        ["Gusts are short, weather is long", "A mean over ten minutes can be compared all over the world"],
        "The logger samples every five seconds; a record is the mean of 120 samples.",
    ),
    (
        "Your hands do better than a tool",
        ["Rime comes off by warmth", "Leaves come out of the funnel with two fingers", "Never rinse: 4 ml are a tip"],
        "Pour 4 ml into the funnel and let them hear the bucket tip.",
    ),
    (
        "Who to tell",
        ["Red tag on the instrument", "Note in the log book", "Message to the station desk before you leave"],
        "Nobody was ever blamed for a tag too many.",
    ),
]

PARTS = [
    ("RG-110", "Dripper bottle for calibration", "Rain gauge", 2, 1, 18.50),
    ("RG-120", "Pivot with two jewel bearings", "Rain gauge", 3, 2, 42.00),
    ("RG-131", "Reed switch with cable, 3 m", "Rain gauge", 5, 4, 7.80),
    ("RG-140", "Leaf strainer for the funnel", "Rain gauge", 6, 3, 3.20),
    ("AN-020", "Bearing set for the cup anemometer", "Anemometer", 1, 2, 26.40),
    ("AN-031", "Cup wheel, three cups", "Anemometer", 1, 1, 64.00),
    ("WV-010", "Potentiometer for the wind vane, 5 degree dead band", "Wind vane", 2, 1, 38.90),
    ("BA-005", "Static port tube, silicone, per metre", "Barometer", 4, 2, 2.10),
    ("BA-017", "Insect screen for the static port", "Barometer", 8, 5, 1.60),
    ("HY-002", "Filter cap, sintered steel", "Hygrometer", 4, 3, 15.75),
    ("SH-008", "Fan for the radiation shield, 12 V, 80 mA", "Shield", 2, 2, 22.30),
    ("PW-024", "Battery 12 V 24 Ah, sealed", "Power", 1, 1, 89.00),
    ("PW-030", "Desiccant bag, orange", "Power", 20, 12, 0.90),
    ("PW-041", "Charge controller for a 20 W panel", "Power", 0, 1, 47.50),
]

BAROMETER_TEXT = """\
# Reading the barometer

Air pressure is the weight of the air above one square metre. At sea level it is about 1013 hPa on an average day;
eight metres higher it is one hectopascal less. This is why a station on a hill always reads low and why readings
of different stations cannot be compared before they are reduced to sea level.

The barometer of the station is an aneroid: a sealed capsule of thin metal that the air squeezes. It hangs in the
logger box and breathes through a tube that ends in the static port, a small head with holes all round, so that
wind blowing on one side does not raise the reading. A gust of 20 m/s into an open tube would be worth 2.4 hPa.

To read it, open the lid, wait one minute, tap nothing. Read the display to the tenth of a hectopascal and write
down exactly what it shows, together with the time in UTC and the temperature of the box. Do not reduce the value
in your head, and do not write a value that you have rounded.

If the last three readings differ by less than 0.1 hPa while the weather is changing, look for a blocked tube.
Spiders like the static port; part BA-017 is the screen that keeps them out.

# Reducing to sea level

The reduced pressure p0 follows from the station pressure p in hPa, the elevation h in metres and the air
temperature t in degrees Celsius:

p0 = p x (1 - 0.0065 h / (t + 0.0065 h + 273.15)) ^ -5.257

Example for Hilltop, h = 412 m: the display shows 968.4 hPa at 9.0 degrees. 0.0065 times 412 is 2.678; divided by
284.828 that is 0.0094; one minus that, to the power of -5.257, is 1.0509. The reduced pressure is 1017.7 hPa.

On cold, clear winter mornings the formula exaggerates, because the air in the valley is colder than it assumes. A
difference of up to 3 hPa between Hilltop and Harbour in an inversion is no fault of the barometer.

The logger stores the station pressure only. Reduction is done afterwards, so that a better elevation or a better
formula can be applied to the whole record.

# Comparing with the travelling standard

Every April the travelling standard, a second barometer in a padded case, spends 24 hours beside the one of the
station. Both are read every hour. The mean difference is the correction of the station barometer; its standard
deviation must stay below 0.2 hPa.

Carry the case upright and never in the boot of a hot car. Let it stand open for two hours before the first
reading. If the correction has changed by more than 0.5 hPa since last year, the instrument goes to the workshop
and a spare takes its place; write both serial numbers into the station file.

Corrections of April: Hilltop -0.3 hPa, Orchard +0.1 hPa. Harbour was compared in September after the capsule had
been replaced: +0.2 hPa.
"""

MAIL_TEXT = """\
Good morning,

the westerly gale of Saturday night (highest gust 31.4 m/s at 02:50 UTC) has sent salt spray into the power box
of Harbour. The charge controller, part PW-041, is corroded and charges no more. There is none left in the shed.

The battery stood at 12.3 V this morning. Without sun it will carry the station for about five days, then the
radio goes off at 11.8 V. I have switched the heated ring off to win a day.

Please order a controller, and a gasket for the lid. The voltages of the week are attached.

Whoever was on duty at Harbour
"""

VOLTAGES = (13.1, 13.2, 13.0, 13.1, 12.9, 12.6, 12.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "documents")
    folder: Path = parser.parse_args().folder
    maintenance = maintenance_docx()
    outputs = {
        "manual/maintenance.docx": maintenance,
        "manual/training.pptx": training_pptx(),
        "manual/barometer.pdf": barometer_pdf(),
        "data/spare-parts.xlsx": spare_parts_xlsx(),
        "data/readings.csv": readings_csv(),
        "data/readings.parquet": readings_parquet(),
        "letters/report-mail.eml": report_mail(),
        "special-cases/empty.txt": b"",
        "special-cases/broken.docx": maintenance[: len(maintenance) * 3 // 5],
        "special-cases/encrypted.pdf": encrypted_pdf(),
        "special-cases/sensor.bin": sensor_dump(),
    }
    if (folder / "readme.txt").exists():
        outputs["special-cases/copy-of-readme.txt"] = (folder / "readme.txt").read_bytes()
    for name, content in outputs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        print(f"{len(content):>8,}  {name!r}")


def maintenance_docx() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Maintenance calendar"
    document.core_properties.author = "Station desk"
    document.core_properties.created = document.core_properties.modified = WRITTEN_AT.replace(tzinfo=None)
    document.add_heading("Maintenance calendar", 0)
    document.add_paragraph(
        "What is due in which month, for each of the three stations. Tick the line in the log book and add what you "
        "found. Work on the mast needs two people and less than 10 m/s of wind."
    )
    for month, tasks in CALENDAR.items():
        document.add_heading(month, 1)
        for task in tasks:
            document.add_paragraph(task, style="List Bullet")
    document.add_heading("How long things last", 1)
    table = document.add_table(rows=1, cols=3)
    table.style = "Table Grid"
    lifetimes = [
        ("Part", "Usual life", "Sign of its end"),
        ("Battery, 24 Ah", "5 years", "below 12.0 V after a night of frost"),
        ("Anemometer bearings", "2 years", "starts only above 0.8 m/s"),
        ("Hygrometer filter", "6 months", "reading stays above 95 %"),
        ("Desiccant bags", "12 months", "colour turns from orange to green"),
        ("Rain gauge pivot", "8 years", "the two buckets differ by more than 0.1 ml"),
    ]
    for number, row in enumerate(lifetimes):
        cells = table.rows[0].cells if number == 0 else table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = text
    buffer = io.BytesIO()
    document.save(buffer)
    return with_fixed_dates(buffer.getvalue())


def training_pptx() -> bytes:
    presentation = pptx.Presentation()
    presentation.core_properties.title = "A first afternoon at the station"
    presentation.core_properties.author = "Station desk"
    presentation.core_properties.created = presentation.core_properties.modified = WRITTEN_AT.replace(tzinfo=None)
    for title, points, notes in SLIDES:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(points)
        slide.notes_slide.notes_text_frame.text = notes
    buffer = io.BytesIO()
    presentation.save(buffer)
    return with_fixed_dates(buffer.getvalue())


def spare_parts_xlsx() -> bytes:
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    workbook.set_properties({"title": "Spare parts", "created": WRITTEN_AT.replace(tzinfo=None)})
    bold = workbook.add_format({"bold": True})
    stock = workbook.add_worksheet("Stock")
    stock.write_row(0, 0, ["Part", "Description", "Instrument", "In the shed", "Keep at least", "Price EUR"], bold)
    for row, part in enumerate(PARTS, start=1):
        stock.write_row(row, 0, part)
    stock.set_column(1, 1, 48)
    orders = workbook.add_worksheet("To order")
    orders.write_row(0, 0, ["Part", "Pieces", "Reason", "Wanted by"], bold)
    orders.write_row(1, 0, ["AN-020", 2, "October service used the last but one set", "2026-12-01"])
    orders.write_row(2, 0, ["PW-041", 1, "Controller of Harbour corroded by salt spray", "2026-11-15"])
    orders.write_row(3, 0, ["HY-002", 2, "Two caps do not dry any more", "2027-02-01"])
    workbook.close()
    return buffer.getvalue()


def readings_csv() -> bytes:
    """One quarter of daily values: a seasonal course, some weather, rain on about one day in three."""
    rng = random.Random(412)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["date", "station", "temp_min_c", "temp_max_c", "pressure_hpa", "rain_mm", "gust_m_s", "remark"])
    pressure = 968.0
    for day in range(92):
        when = date(2026, 8, 1) + timedelta(days=day)
        season = 18.0 - day * 0.13 + 2.5 * math.sin(day / 5)
        pressure += (968 - pressure) * 0.2 + rng.gauss(0, 3)
        rain = round(rng.expovariate(1 / 6) * 5) / 5 if pressure < 968 and rng.random() < 0.7 else 0.0
        gust = 6 + rng.expovariate(1 / 4) + max(0.0, 964 - pressure) * 0.8
        remark = {36: "funnel found half blocked", 66: "pivot replaced, gauge calibrated: 124 tips"}.get(day, "")
        writer.writerow(
            [
                when.isoformat(),
                "hilltop",
                f"{season - 5 + rng.gauss(0, 1):.1f}",
                f"{season + 4 + rng.gauss(0, 1.5):.1f}",
                f"{pressure:.1f}",
                f"{rain:.1f}",
                f"{gust:.1f}",
                remark,
            ]
        )
    return buffer.getvalue().encode()


def readings_parquet() -> bytes:
    """Two days of ten-minute records of the Orchard station, typed."""
    rng = random.Random(118)
    start = datetime(2026, 10, 30, tzinfo=UTC)
    steps = range(288)
    table = pa.table(
        {
            "time": pa.array([start + timedelta(minutes=10 * step) for step in steps], pa.timestamp("s", tz="UTC")),
            "station": pa.array(["orchard"] * len(steps)).dictionary_encode(),
            "temperature_c": [
                round(7 + 5 * math.sin((step - 54) / 144 * math.tau) + rng.gauss(0, 0.2), 1) for step in steps
            ],
            "humidity_percent": [round(80 - 15 * math.sin((step - 54) / 144 * math.tau)) for step in steps],
            "soil_temperature_c": [round(9.5 - step / 400, 1) for step in steps],
            "flag": pa.array(["S" if step in {77, 78} else None for step in steps], pa.string()),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def new_pdf(title: str) -> FPDF:
    pdf = FPDF(format="A4")
    pdf.set_creation_date(WRITTEN_AT)
    pdf.set_title(title)
    pdf.set_margin(22)
    return pdf


def barometer_pdf() -> bytes:
    pdf = new_pdf("Reading the barometer")
    for page in BAROMETER_TEXT.split("# ")[1:]:
        heading, *paragraphs = page.strip().split("\n\n")
        pdf.add_page()
        pdf.start_section(heading)
        pdf.set_font("Helvetica", "B", 18)
        pdf.multi_cell(0, 10, heading, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(4)
        for paragraph in (" ".join(lines.split("\n")) for lines in paragraphs):
            is_formula = paragraph.startswith("p0 =")
            pdf.set_font("Courier" if is_formula else "Helvetica", "", 11)
            pdf.multi_cell(0, 6, paragraph, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(4)
    return bytes(pdf.output())


def encrypted_pdf() -> bytes:
    pdf = new_pdf("Codes of the equipment shed")
    pdf.set_encryption(
        owner_password=f"{PDF_PASSWORD}-owner",
        user_password=PDF_PASSWORD,
        encryption_method=EncryptionMethod.RC4,
        permissions=AccessPermission.none(),
    )
    pdf.add_page()
    pdf.set_font("Helvetica", "", 12)
    pdf.multi_cell(0, 7, "Codes of the equipment shed. The key hangs where it always hangs.")
    return bytes(pdf.output())


def report_mail() -> bytes:
    message = EmailMessage(policy=mail_policy)
    message["From"] = "Harbour station <harbour@stations.example.org>"
    message["To"] = "Station desk <desk@stations.example.org>"
    message["Cc"] = "Workshop <workshop@stations.example.org>"
    message["Date"] = datetime(2026, 10, 18, 7, 42, tzinfo=UTC)
    message["Subject"] = "Harbour: charge controller failed during the gale"
    message["Message-ID"] = "<20261018074200.17@stations.example.org>"
    message.set_content(MAIL_TEXT)
    rows = "".join(f"2026-10-{day},{volts}\n" for day, volts in enumerate(VOLTAGES, start=12))
    voltages = "date,battery_v\n" + rows
    message.add_attachment(voltages.encode(), maintype="text", subtype="csv", filename="battery-week-42.csv")
    message.set_boundary("=_station_desk_42")
    return message.as_bytes()


def sensor_dump() -> bytes:
    """A made-up binary format that no parser knows: tag, then records of counter, pressure, flags."""
    rng = random.Random(6)
    records = b"".join(struct.pack("<IfHxx", step, 1013 + rng.gauss(0, 4), rng.randrange(8)) for step in range(256))
    return b"\x93WXDUMP\x00" + struct.pack("<HHI", 2, 12, 256) + records


def with_fixed_dates(package: bytes) -> bytes:
    """Return an Office package with the same parts and one date for all, so that a second run gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as parts, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in parts.namelist():
            entry = zipfile.ZipInfo(name, WRITTEN_AT.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            fixed.writestr(entry, parts.read(name))
    return buffer.getvalue()


if __name__ == "__main__":
    main()
