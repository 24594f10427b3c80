"""The files of fidelity.py in the formats of Office and OpenDocument, with words where programs forget to look."""

# ruff: noqa: E501 the markup reads better in one piece

from __future__ import annotations

from fidelity_script import XML, Script, archive

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="' + OFFICE + '"'
P = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    f' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{OFFICE}"'
)
S = f'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{OFFICE}"'
ODF = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("presentation", "presentation"),
        ("style", "style"),
        ("fo", "xsl-fo-compatible"),
        ("svg", "svg-compatible"),
    )
)


def office(parts: dict[str, str], types: dict[str, str], related: dict[str, list[tuple[str, str]]]) -> bytes:
    """Return an Office package. ``related``: part → kind and target of what it refers to, ``rId1``, ``rId2``, …"""
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{TYPE}.{kind}+xml"/>' for name, kind in types.items()
    )
    made: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels"'
        f' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>'
    }
    for part, targets in related.items():
        rows = "".join(
            f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
            for number, (kind, target) in enumerate(targets, 1)
        )
        folder, slash, base = part.rpartition("/")
        made[f"{folder}{slash}_rels/{base}.rels"] = (
            f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{rows}</Relationships>'
        )
    return archive(made | {name: XML + text for name, text in parts.items()})


def docx(script: Script) -> bytes:
    def run(text: str) -> str:
        return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'

    def paragraph(*runs: str, style: str = "", more: str = "") -> str:
        named = f'<w:pStyle w:val="{style}"/>' if style else ""
        return f"<w:p><w:pPr>{named}{more}</w:pPr>{''.join(runs)}</w:p>"

    def plain() -> str:
        return paragraph(run(script.text()))

    cut = script.text(1)
    item = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    rows = "".join(
        "<w:tr>" + "".join(f"<w:tc><w:tcPr/>{paragraph(run(cell))}</w:tc>" for cell in row) + "</w:tr>"
        for row in script.table()
    )
    box = (
        '<w:r><w:pict><v:shape xmlns:v="urn:schemas-microsoft-com:vml" style="width:100pt;height:50pt"><v:textbox>'
        f"<w:txbxContent>{plain()}</w:txbxContent></v:textbox></v:shape></w:pict></w:r>"
    )
    body = (
        paragraph(run(script.heading()), style="Heading1")
        + paragraph(run(script.text() + " "), run(cut[:4]), run(cut[4:]))
        + paragraph(run(script.heading()), style="Heading2")
        + paragraph(run(script.text(4)), style="ListParagraph", more=item)
        + paragraph(run(script.text(4)), style="ListParagraph", more=item)
        + f"<w:tbl><w:tblPr/><w:tblGrid>{'<w:gridCol/>' * 3}</w:tblGrid>{rows}</w:tbl>"
        + paragraph(
            run(script.text(4)),
            '<w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:commentReference w:id="0"/></w:r>',
            box,
        )
    )
    section = '<w:sectPr><w:headerReference w:type="default" r:id="rId5"/><w:footerReference w:type="default" r:id="rId6"/></w:sectPr>'
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{level}"><w:name w:val="heading {level}"/><w:pPr>'
        f'<w:outlineLvl w:val="{level - 1}"/></w:pPr></w:style>'
        for level in (1, 2)
    )
    parts = {
        "word/document.xml": f"<w:document {W}><w:body>{body}{section}</w:body></w:document>",
        "word/styles.xml": f'<w:styles {W}>{styles}<w:style w:type="paragraph" w:styleId="ListParagraph">'
        '<w:name w:val="List Paragraph"/></w:style></w:styles>',
        "word/numbering.xml": f'<w:numbering {W}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0">'
        '<w:numFmt w:val="bullet"/><w:lvlText w:val="-"/></w:lvl></w:abstractNum><w:num w:numId="1">'
        '<w:abstractNumId w:val="0"/></w:num></w:numbering>',
        "word/footnotes.xml": f'<w:footnotes {W}><w:footnote w:id="2">{plain()}</w:footnote></w:footnotes>',
        "word/comments.xml": f'<w:comments {W}><w:comment w:id="0" w:author="x">{plain()}</w:comment></w:comments>',
        "word/header1.xml": f"<w:hdr {W}>{plain()}</w:hdr>",
        "word/footer1.xml": f"<w:ftr {W}>{plain()}</w:ftr>",
    }
    kinds = ("styles", "numbering", "footnotes", "comments", "header", "footer")
    names = ("styles", "numbering", "footnotes", "comments", "header1", "footer1")
    types = {"word/document.xml": "wordprocessingml.document.main"}
    types |= {f"word/{name}.xml": f"wordprocessingml.{kind}" for name, kind in zip(names, kinds, strict=True)}
    targets = [
        ("styles", "styles.xml"),
        ("numbering", "numbering.xml"),
        ("footnotes", "footnotes.xml"),
        ("comments", "comments.xml"),
        ("header", "header1.xml"),
        ("footer", "footer1.xml"),
    ]
    return office(parts, types, {"": [("officeDocument", "word/document.xml")], "word/document.xml": targets})


def pptx(script: Script) -> bytes:
    def paragraphs(*runs: str) -> str:
        return "<a:bodyPr/><a:p>" + "".join(f"<a:r><a:t>{text}</a:t></a:r>" for text in runs) + "</a:p>"

    def shape(number: int, kind: str, *runs: str) -> str:
        place = f'<p:ph type="{kind}"/>' if kind else ""
        is_box = "" if kind else ' txBox="1"'
        size = (
            '<a:xfrm><a:off x="0" y="0"/><a:ext cx="9" cy="9"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>'
        )
        return (
            f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{number}"/><p:cNvSpPr{is_box}/><p:nvPr>{place}</p:nvPr></p:nvSpPr>'
            f"<p:spPr>{size}</p:spPr><p:txBody>{paragraphs(*runs)}</p:txBody></p:sp>"
        )

    def tree(*shapes: str) -> str:
        group = '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
        return f"<p:cSld><p:spTree>{group}{''.join(shapes)}</p:spTree></p:cSld>"

    def table() -> str:
        rows = "".join(
            '<a:tr h="1">'
            + "".join(f"<a:tc><a:txBody>{paragraphs(cell)}</a:txBody></a:tc>" for cell in row)
            + "</a:tr>"
            for row in script.table()
        )
        columns = '<a:gridCol w="1"/>' * 3
        return (
            '<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="9" name="9"/><p:cNvGraphicFramePr/><p:nvPr/>'
            '</p:nvGraphicFramePr><p:xfrm><a:off x="0" y="9"/><a:ext cx="1" cy="1"/></p:xfrm><a:graphic>'
            '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/table"><a:tbl><a:tblPr/>'
            f"<a:tblGrid>{columns}</a:tblGrid>{rows}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
        )

    parts, types = {}, {"ppt/presentation.xml": "presentationml.presentation.main"}
    related = {"": [("officeDocument", "ppt/presentation.xml")], "ppt/presentation.xml": []}
    layout = f"<p:sldLayout {P}>{tree()}</p:sldLayout>"
    master = (
        f"<p:sldMaster {P}>{tree()}<p:clrMap bg1='lt1' tx1='dk1' bg2='lt2' tx2='dk2' accent1='accent1' accent2='accent2'"
        " accent3='accent3' accent4='accent4' accent5='accent5' accent6='accent6' hlink='hlink' folHlink='folHlink'/>"
        "<p:sldLayoutIdLst><p:sldLayoutId id='2147483700' r:id='rId1'/></p:sldLayoutIdLst></p:sldMaster>"
    )
    for number in (1, 2):
        cut = script.text(1)
        shapes = [shape(2, "title", script.heading()), shape(3, "body", script.text() + " ", cut[:4], cut[4:])]
        shapes += [table() if number == 1 else shape(4, "", script.text(4))]
        slide, notes = f"ppt/slides/slide{number}.xml", f"ppt/notesSlides/notesSlide{number}.xml"
        parts[slide] = f"<p:sld {P}>{tree(*shapes)}</p:sld>"
        parts[notes] = f"<p:notes {P}>{tree(shape(2, 'body', script.text()))}</p:notes>"
        types |= {slide: "presentationml.slide", notes: "presentationml.notesSlide"}
        related["ppt/presentation.xml"].append(("slide", f"slides/slide{number}.xml"))
        related[slide] = [
            ("slideLayout", "../slideLayouts/slideLayout1.xml"),
            ("notesSlide", f"../notesSlides/notesSlide{number}.xml"),
        ]
        related[notes] = [("slide", f"../slides/slide{number}.xml")]
    parts |= {"ppt/slideLayouts/slideLayout1.xml": layout, "ppt/slideMasters/slideMaster1.xml": master}
    types |= {
        "ppt/slideLayouts/slideLayout1.xml": "presentationml.slideLayout",
        "ppt/slideMasters/slideMaster1.xml": "presentationml.slideMaster",
    }
    related["ppt/presentation.xml"].append(("slideMaster", "slideMasters/slideMaster1.xml"))
    related["ppt/slideMasters/slideMaster1.xml"] = [("slideLayout", "../slideLayouts/slideLayout1.xml")]
    related["ppt/slideLayouts/slideLayout1.xml"] = [("slideMaster", "../slideMasters/slideMaster1.xml")]
    parts["ppt/presentation.xml"] = (
        f'<p:presentation {P}><p:sldMasterIdLst><p:sldMasterId id="2147483648" r:id="rId3"/></p:sldMasterIdLst>'
        '<p:sldIdLst><p:sldId id="256" r:id="rId1"/><p:sldId id="257" r:id="rId2"/></p:sldIdLst>'
        '<p:sldSz cx="9144000" cy="6858000"/><p:notesSz cx="6858000" cy="9144000"/></p:presentation>'
    )
    return office(parts, types, related)


def xlsx(script: Script) -> bytes:
    parts, types = {}, {"xl/workbook.xml": "spreadsheetml.sheet.main"}
    names = [script.text(1), script.text(1)]
    strings: list[str] = []
    for number in (1, 2):
        rows = ""
        for at, row in enumerate(script.table(), 1):
            cells = (f'<c r="{column}{at}" t="s"><v>{len(strings) + n}</v></c>' for n, column in enumerate("ABC"))
            rows += f'<row r="{at}">{"".join(cells)}</row>'
            strings += row
        parts[f"xl/worksheets/sheet{number}.xml"] = f"<worksheet {S}><sheetData>{rows}</sheetData></worksheet>"
        types[f"xl/worksheets/sheet{number}.xml"] = "spreadsheetml.worksheet"
    parts["xl/sharedStrings.xml"] = f"<sst {S}>{''.join(f'<si><t>{text}</t></si>' for text in strings)}</sst>"
    listed = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="rId{at}"/>' for at, name in enumerate(names, 1))
    note = f'<comment ref="A1" authorId="0"><text><t>{script.text()}</t></text></comment>'
    parts["xl/workbook.xml"] = f"<workbook {S}><sheets>{listed}</sheets></workbook>"
    parts["xl/comments1.xml"] = (
        f"<comments {S}><authors><author/></authors><commentList>{note}</commentList></comments>"
    )
    parts["xl/styles.xml"] = (
        f"<styleSheet {S}><fonts count='1'><font/></fonts><fills count='1'><fill><patternFill patternType='none'/></fill></fills><borders count='1'><border/>"
        "</borders><cellStyleXfs count='1'><xf/></cellStyleXfs><cellXfs count='1'><xf/></cellXfs></styleSheet>"
    )
    types |= {"xl/comments1.xml": "spreadsheetml.comments", "xl/styles.xml": "spreadsheetml.styles"}
    types["xl/sharedStrings.xml"] = "spreadsheetml.sharedStrings"
    sheets = [("worksheet", f"worksheets/sheet{at}.xml") for at in (1, 2)]
    related = {
        "": [("officeDocument", "xl/workbook.xml")],
        "xl/workbook.xml": [*sheets, ("styles", "styles.xml"), ("sharedStrings", "sharedStrings.xml")],
        "xl/worksheets/sheet1.xml": [("comments", "../comments1.xml")],
    }
    return office(parts, types, related)


def odf(kind: str, body: str, styles: str = "") -> bytes:
    media_type = f"application/vnd.oasis.opendocument.{kind}"
    listed = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{what}"/>'
        for path, what in (("/", media_type), ("content.xml", "text/xml"), ("styles.xml", "text/xml"))
    )
    return archive(
        {
            "mimetype": media_type,
            "content.xml": f'{XML}<office:document-content {ODF} office:version="1.2"><office:automatic-styles/><office:body><office:{kind}>{body}'
            f"</office:{kind}></office:body></office:document-content>",
            "styles.xml": f'{XML}<office:document-styles {ODF} office:version="1.2"><office:styles/><office:automatic-styles/>{styles}</office:document-styles>',
            "META-INF/manifest.xml": f"{XML}<manifest:manifest"
            f' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">{listed}</manifest:manifest>',
        }
    )


def odf_table(script: Script, name: str = "Table1") -> str:
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row
        )
        + "</table:table-row>"
        for row in script.table()
    )
    return (
        f'<table:table table:name="{name}"><table:table-column table:number-columns-repeated="3"/>{rows}</table:table>'
    )


def odt(script: Script) -> bytes:
    note = (
        '<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body><text:p>'
        f"{script.text(4)}</text:p></text:note-body></text:note>"
    )
    body = (
        f'<text:h text:outline-level="1">{script.heading()}</text:h><text:p>{script.text()}{note}</text:p>'
        f'<text:h text:outline-level="2">{script.heading()}</text:h><text:list><text:list-item><text:p>{script.text(4)}'
        f"</text:p></text:list-item></text:list>{odf_table(script)}"
    )
    page = f"<style:header><text:p>{script.text(4)}</text:p></style:header>"
    master = f'<office:master-styles><style:master-page style:name="Standard">{page}</style:master-page></office:master-styles>'
    return odf("text", body, master)


def ods(script: Script) -> bytes:
    return odf("spreadsheet", odf_table(script, script.text(1)) + odf_table(script, script.text(1)))


def odp(script: Script) -> bytes:
    def frame(kind: str, text: str) -> str:
        return (
            f'<draw:frame presentation:class="{kind}" svg:width="1cm" svg:height="1cm"><draw:text-box><text:p>{text}'
            "</text:p></draw:text-box></draw:frame>"
        )

    notes = f"<presentation:notes>{frame('notes', script.text())}</presentation:notes>"
    shape = f"<draw:custom-shape><text:p>{script.text(4)}</text:p></draw:custom-shape>"
    page = frame("title", script.heading()) + frame("outline", script.text()) + shape + notes
    return odf("presentation", f'<draw:page draw:name="page1">{page}</draw:page>')
