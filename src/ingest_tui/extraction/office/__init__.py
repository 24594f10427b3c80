"""Files of office programs: packages of Office Open XML, OpenDocument, binary Word, and fonts of symbols."""
