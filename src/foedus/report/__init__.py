"""The report room: figures, tables, site and PDF from finished results. It estimates nothing."""
