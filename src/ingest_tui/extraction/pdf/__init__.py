"""What the backend pdf finds or puts right in what PDFium reads: noise, turned lines, annotations, embedded files."""
